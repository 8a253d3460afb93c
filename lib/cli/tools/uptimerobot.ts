import {
  Collector,
  escaped,
  fieldsOf,
  listOf,
  literal,
  NO_CALLS,
  NO_PING,
  httpAddress,
  searchText,
  seconds,
  STATUS_CODES,
  statusRanges,
  textOf,
  textsIn,
  ToolError,
  UNREAD_HEADERS,
  withLogin,
  withoutScheme,
  type Imported,
  type TargetDraft,
  type ToolFields,
} from './tool.js';
import { readMonitorV3, type UptimeRobotNames } from './uptimerobot-v3.js';
import { setWindows, type UptimeRobotWindow } from './uptimerobot-windows.js';
import { CHANNEL_VARIABLES } from './channels.js';
import type { ChannelName } from '../../types.js';

/** Numbers of https://uptimerobot.com/api/ (getMonitors, v2). */
const KINDS: ReadonlyMap<string, 'http' | 'keyword' | 'ping' | 'port' | 'heartbeat'> = new Map([
  ['1', 'http'],
  ['2', 'keyword'],
  ['3', 'ping'],
  ['4', 'port'],
  ['5', 'heartbeat'],
]);
const METHODS: ReadonlyMap<string, string> = new Map(
  ['HEAD', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'].map((name, index) => [
    String(index + 1),
    name,
  ]),
);
/** The ports of kinds of port monitors; 99 has its own. */
const PORTS: ReadonlyMap<string, string> = new Map([
  ['1', '80'],
  ['2', '443'],
  ['3', '21'],
  ['4', '25'],
  ['5', '110'],
  ['6', '143'],
]);
/** What the answer says of what was measured, and numbers of UptimeRobot's own. */
const NO_SETTING =
  /^(?:id|create_datetime|monitor_group|is_group_main|logs|ssl|response_times|average_response_time|all_time_.*|custom_(?:uptime|down)_.*)$/;

/**
 * The answer of getMonitors (v2) or of `GET /monitors` (v3), or several pages of it as a list. Beside the monitors of v3 there
 * may be what `GET /monitor-groups`, `GET /user/alert-contacts` and `GET /integrations` answer.
 */
export function fromUptimeRobot(document: unknown): Imported {
  const collector = new Collector();
  const pages = (Array.isArray(document) ? listOf(document) : [document]).map(fieldsOf);
  const isPage = (page: ToolFields): boolean => page.has('monitors') || page.has('data');
  if (!pages.some((page) => isPage(page) || isMonitorV3(page)))
    throw new ToolError(
      'expected monitors, as getMonitors of the API v2 answers, or data, as GET /monitors of v3 does',
    );
  const rows = pages.flatMap((page) =>
    isPage(page) ? [...listOf(page.get('monitors')), ...listOf(page.get('data'))].map(fieldsOf) : [page],
  );
  const names = namesIn(rows);
  for (const row of rows) {
    if (isMonitorV3(row)) readMonitorV3(collector, row, names);
    else if (!isName(row)) readMonitorV2(collector, row);
  }
  if (hasMorePages(pages))
    collector.leave('nextLink', 'there are further pages: import again with all of them in the file');
  return collector.result();
}

/** Whether the last page of monitors, or of what they name, says that others follow. */
function hasMorePages(pages: readonly ToolFields[]): boolean {
  const last = new Map<string, ToolFields>();
  for (const page of pages) {
    const [first] = listOf(page.get('data')).map(fieldsOf);
    if (first !== undefined)
      last.set(isMonitorV3(first) ? 'monitors' : first.has('type') ? 'contacts' : 'groups', page);
  }
  return [...last.values()].some((page) => textOf(page.get('nextLink')) !== '');
}

function isMonitorV3(row: ToolFields): boolean {
  return row.has('friendlyName') && (row.has('url') || row.has('interval'));
}

/** A group, an alert contact or an integration of v3. */
function isName(row: ToolFields): boolean {
  return !isMonitorV3(row) && (row.has('friendlyName') || row.has('name'));
}

function namesIn(rows: readonly ToolFields[]): UptimeRobotNames {
  const others = rows.filter(isName);
  const byId = (key: string): Map<string, string> =>
    new Map(others.filter((row) => row.has(key)).map((row) => [textOf(row.get('id')), textOf(row.get(key))]));
  return { contacts: byId('type'), groups: byId('name') };
}

function readMonitorV2(collector: Collector, monitor: ToolFields): void {
  const kind = KINDS.get(textOf(monitor.get('type')));
  const draft = collector.target({
    name: textOf(monitor.get('friendly_name')),
    address: textOf(monitor.get('url')),
  });
  for (const [key, value] of monitor) {
    const isEmpty =
      typeof value === 'object' && value !== null ? Object.keys(value).length === 0 : textOf(value) === '';
    if (!isEmpty && !NO_SETTING.test(key)) readMonitor(collector, draft, monitor, key, value);
  }
  if (kind === 'ping') collector.refuse(draft, 'type 3 (ping)', NO_PING);
  else if (kind === 'heartbeat') collector.refuse(draft, 'type 5 (heartbeat)', NO_CALLS);
  else if (kind === undefined)
    collector.refuse(draft, 'an unknown type', 'docs/kinds.md has the kinds of targets');
  else collector.add(draft);
}

function readMonitor(
  collector: Collector,
  draft: TargetDraft,
  monitor: ToolFields,
  key: string,
  value: unknown,
): void {
  const text = textOf(value);
  const kind = KINDS.get(textOf(monitor.get('type')));
  switch (key) {
    case 'url':
      draft.set('URL', addressOf(draft, monitor));
      break;
    case 'friendly_name':
    case 'type':
    case 'http_password':
    case 'http_auth_type':
    case 'http_username':
      draft.carry();
      break;
    case 'sub_type':
    case 'port':
      if (kind === 'port') draft.carry();
      break;
    case 'interval':
      draft.set('INTERVAL', seconds(text));
      break;
    case 'timeout':
      draft.set('TIMEOUT', seconds(text));
      break;
    case 'status':
      if (text === '0') draft.set('ENABLED', 'false');
      break;
    case 'keyword_type':
    case 'keyword_case_type':
      if (kind === 'keyword') draft.carry();
      break;
    case 'keyword_value':
      if (kind === 'keyword') {
        const isExpected = textOf(monitor.get('keyword_type')) === '2';
        const mayDiffer = textOf(monitor.get('keyword_case_type')) === '1';
        const pattern = mayDiffer ? literal(`/${escaped(text)}/i`) : searchText(text);
        draft.set(isExpected ? 'EXPECT_BODY' : 'REJECT_BODY', pattern);
      }
      break;
    case 'http_method': {
      const method = METHODS.get(text);
      if (method !== undefined && kind !== 'port') draft.set('METHOD', method);
      break;
    }
    case 'post_value':
      draft.set('BODY', literal(typeof value === 'object' ? JSON.stringify(value) : text));
      break;
    case 'post_type':
      draft.carry();
      break;
    case 'post_content_type':
      if (text === '1') {
        const headers = draft.options.get('HEADERS') ?? {};
        draft.set('HEADERS', { ...(headers as object), 'Content-Type': 'application/json' });
      } else draft.carry();
      break;
    case 'custom_http_headers': {
      const headers = draft.options.get('HEADERS') ?? {};
      if (typeof value !== 'object') draft.leave(key, UNREAD_HEADERS);
      else draft.set('HEADERS', { ...(headers as object), ...draft.headers(textsIn(value)) });
      break;
    }
    case 'custom_http_statuses':
    case 'success_http_codes':
      draft.set('EXPECT_STATUS', statusRanges(goodCodes(value)), key);
      break;
    case 'ignore_ssl_errors':
    case 'disable_domain_expire_notifications':
      if (key === 'ignore_ssl_errors') draft.set('TLS_VERIFY', text === '1' ? 'false' : 'true');
      else draft.pass(key, 'the end of domains is not watched');
      break;
    case 'alert_contacts':
      for (const contact of listOf(value).map(fieldsOf)) readContact(collector, draft, contact);
      break;
    case 'mwindows':
      setWindows(draft, key, listOf(value).map(fieldsOf).map(windowOf));
      break;
    case 'psp':
    case 'psps':
      draft.leave(key, 'it names status pages: group and show say where and how the page shows the target');
      break;
    default:
      draft.leave(key);
  }
}

/** `404:0_200:1` beside what is good otherwise, or a list of codes and classes such as `2xx`. */
function goodCodes(value: unknown): readonly number[] {
  if (Array.isArray(value)) {
    const words = value.map(textOf);
    return STATUS_CODES.filter(
      (code) => words.includes(String(code)) || words.includes(`${String(code)[0]}xx`),
    );
  }
  const changes = new Map(
    textOf(value)
      .split('_')
      .map((each) => each.split(':'))
      .map(([code = '', isGood = '']) => [Number(code), isGood === '1']),
  );
  return STATUS_CODES.filter((code) => changes.get(code) ?? (code >= 200 && code < 400));
}

function addressOf(draft: TargetDraft, monitor: ToolFields): string {
  const url = textOf(monitor.get('url'));
  if (KINDS.get(textOf(monitor.get('type'))) === 'port') {
    const port = textOf(monitor.get('port')) || PORTS.get(textOf(monitor.get('sub_type'))) || '80';
    return `tcp://${withoutScheme(url).replace(/\/.*$/s, '')}:${port}`;
  }
  const address = httpAddress(url);
  return textOf(monitor.get('http_username')) === '' ? address : withLogin(draft, address);
}

/** Numbers of its kinds of contacts, and the channels that stand for them. */
const CONTACTS: ReadonlyMap<string, ChannelName> = new Map([
  ['2', 'email'],
  ['5', 'webhook'],
  ['11', 'slack'],
  ['16', 'pagerduty'],
  ['18', 'telegram'],
  ['20', 'teams'],
  ['21', 'google_chat'],
  ['23', 'discord'],
]);

function readContact(collector: Collector, draft: TargetDraft, contact: ToolFields): void {
  const channel = CONTACTS.get(textOf(contact.get('type')));
  const what = 'alert_contacts';
  if (channel === undefined)
    draft.leave(what, 'set up a channel that reaches them, such as ALERT_APPRISE_URL');
  else collector.variable(CHANNEL_VARIABLES[channel], 'the alert contacts', what);
  const threshold = Number(textOf(contact.get('threshold')));
  if (threshold > 0)
    draft.leave('alert_contacts.threshold', 'failureThreshold times interval is the time until an alert');
  const recurrence = Number(textOf(contact.get('recurrence')));
  if (recurrence > 0) collector.setting('ALERT_REMINDER', `${recurrence}m`, 'alert_contacts.recurrence');
}

/** https://uptimerobot.com/api/ (getMWindows): type 1 once, 2 daily, 3 weekly, 4 monthly; duration in minutes. */
function windowOf(window: ToolFields): UptimeRobotWindow {
  const time = textOf(window.get('start_time'));
  const minutes = Number(textOf(window.get('duration')));
  switch (textOf(window.get('type'))) {
    case '1':
      return { kind: 'once', from: Number(time) * 1000, minutes };
    case '2':
      return { kind: 'daily', time, minutes };
    case '3':
      return { kind: 'weekly', time, minutes, days: textOf(window.get('value')).split('-').map(Number) };
    default:
      return { kind: 'other' };
  }
}
