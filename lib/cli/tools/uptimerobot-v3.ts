import { channelFor, CHANNEL_VARIABLES } from './channels.js';
import {
  escaped,
  fieldsOf,
  hostIn,
  httpAddress,
  isOn,
  listOf,
  literal,
  NO_CALLS,
  NO_PING,
  quoted,
  searchText,
  seconds,
  STATUS_CODES,
  statusRanges,
  textOf,
  textsIn,
  UNREAD_HEADERS,
  withLogin,
  withoutScheme,
  type Collector,
  type TargetDraft,
  type ToolFields,
} from './tool.js';
import { setWindows, type UptimeRobotWindow } from './uptimerobot-windows.js';
import { DAY } from '../../time.js';

/** What other answers of the API say, by the numbers that monitors name. */
export interface UptimeRobotNames {
  /** Of alert contacts and integrations: their kinds. */
  readonly contacts: ReadonlyMap<string, string>;
  /** Of groups: their names. */
  readonly groups: ReadonlyMap<string, string>;
}

/** Types of monitors that can be watched. */
const HTTP = ['HTTP', 'KEYWORD', 'API'];
const REFUSED: ReadonlyMap<string, string> = new Map([
  ['PING', NO_PING],
  ['HEARTBEAT', NO_CALLS],
  ['UDP', 'Keepalive sends no UDP but for DNS: watch a TCP port of it, such as tcp://host:443'],
  ['VISUAL_COMPARISON', 'Keepalive compares no pictures: watch the page, and a text of it with expectBody'],
]);

/** What was measured, and numbers of UptimeRobot's own. */
const NO_SETTING =
  /^(?:id|userId|apiKey|sslBrand|sslExpiryDateTime|domainExpireDate|currentStateDuration|lastIncident(?:Id)?|lastDayUptimes|createDateTime)$/;

/** A domain is told of so many ms before its end. */
const BEFORE_END = 30 * DAY;

/** A monitor of `GET /monitors` (https://uptimerobot.com/api/v3/). */
export function readMonitorV3(collector: Collector, monitor: ToolFields, names: UptimeRobotNames): void {
  const type = textOf(monitor.get('type'));
  const url = unescaped(textOf(monitor.get('url')));
  const draft = collector.target({ name: unescaped(textOf(monitor.get('friendlyName'))), address: url });
  for (const [key, value] of monitor) {
    const isEmpty =
      typeof value === 'object' && value !== null ? Object.keys(value).length === 0 : textOf(value) === '';
    if (isEmpty || NO_SETTING.test(key)) continue;
    readSetting(collector, draft, { monitor, type, key, value, names });
  }
  const refusal = REFUSED.get(type);
  if (refusal !== undefined) collector.refuse(draft, `type ${type}`, refusal);
  else if (!HTTP.includes(type) && type !== 'PORT' && type !== 'DNS')
    collector.refuse(draft, 'an unknown type', 'docs/kinds.md has the kinds of targets');
  else collector.add(draft);
}

interface Setting {
  readonly monitor: ToolFields;
  readonly type: string;
  readonly key: string;
  readonly value: unknown;
  readonly names: UptimeRobotNames;
}

function readSetting(
  collector: Collector,
  draft: TargetDraft,
  { monitor, type, key, value, names }: Setting,
): void {
  const text = textOf(value);
  const isHttp = HTTP.includes(type);
  const isTls = isHttp && /^https:/i.test(textOf(monitor.get('url')));
  switch (key) {
    case 'friendlyName':
    case 'type':
      draft.carry();
      break;
    case 'url':
      draft.set('URL', addressOf(draft, monitor, type));
      if (type === 'DNS') readRecords(draft, monitor);
      break;
    case 'port':
      if (type === 'PORT' || (type === 'DNS' && text === '53')) draft.carry();
      else if (type === 'DNS') draft.leave(key, 'write the name server that listens there as url');
      break;
    case 'authType':
      if (isHttp) readLogin(draft, text);
      break;
    case 'httpUsername':
    case 'httpPassword':
      if (isHttp && monitor.get('authType') === 'HTTP_BASIC') draft.carry();
      break;
    case 'interval':
      draft.set('INTERVAL', seconds(text));
      break;
    case 'timeout':
      if (Number(text) > 0) draft.set('TIMEOUT', seconds(text));
      break;
    case 'status':
      if (text.toUpperCase() === 'PAUSED') draft.set('ENABLED', 'false');
      break;
    case 'httpMethodType':
      if (isHttp) draft.set('METHOD', text, key);
      break;
    case 'postValueData':
      if (isHttp) draft.set('BODY', literal(bodyOf(value, textOf(monitor.get('postValueType')))), key);
      break;
    case 'postValueType':
      if (!isHttp) break;
      addHeaders(draft, {
        'Content-Type': text === 'KEY_VALUE' ? 'application/x-www-form-urlencoded' : 'application/json',
      });
      break;
    case 'customHttpHeaders':
      if (isHttp && typeof value !== 'object') draft.leave(key, UNREAD_HEADERS);
      else if (isHttp) addHeaders(draft, draft.headers(textsIn(value)));
      break;
    case 'successHttpResponseCodes': {
      const words = listOf(value).map(textOf);
      const isGood = (code: number): boolean =>
        words.includes(String(code)) || words.includes(`${String(code)[0]}xx`);
      if (isHttp) draft.set('EXPECT_STATUS', statusRanges(STATUS_CODES.filter(isGood)), key);
      break;
    }
    case 'followRedirections':
      if (isHttp && isOn(value)) draft.carry();
      else if (isHttp) draft.set('MAX_REDIRECTS', '0', key);
      break;
    case 'checkSSLErrors':
      if (isTls) draft.set('TLS_VERIFY', isOn(value) ? 'true' : 'false', key);
      break;
    case 'sslExpirationReminder':
      if (isTls && isOn(value)) draft.carry();
      else if (isTls) draft.put('TLS_EXPIRY', 'off');
      break;
    case 'domainExpirationReminder':
      if (isOn(value)) draft.watchDomain(hostIn(textOf(monitor.get('url'))), BEFORE_END, key);
      break;
    case 'keywordType':
    case 'keywordCaseType':
      if (type === 'KEYWORD') draft.carry();
      break;
    case 'keywordValue':
      if (type === 'KEYWORD') {
        const isExpected = monitor.get('keywordType') === 'ALERT_NOT_EXISTS';
        const mayDiffer = /^(?:1|CaseInsensitive)$/.test(textOf(monitor.get('keywordCaseType')));
        const pattern = mayDiffer ? literal(`/${escaped(text)}/i`) : searchText(text);
        draft.set(isExpected ? 'EXPECT_BODY' : 'REJECT_BODY', pattern, key);
      }
      break;
    case 'responseTimeThreshold':
      if (Number(text) > 0) draft.set('DEGRADED_AFTER', `${text}ms`, key);
      break;
    case 'regionalData':
      readRegions(draft, fieldsOf(value));
      break;
    case 'config':
      readConfig(draft, type, monitor, fieldsOf(value));
      break;
    case 'assignedAlertContacts':
      for (const contact of listOf(value).map(fieldsOf)) readContact(collector, draft, contact, names);
      break;
    case 'maintenanceWindows':
      setWindows(draft, key, listOf(value).map(fieldsOf).flatMap(windowOf));
      break;
    case 'psps':
      draft.leave(key, 'it names status pages: group and show say where and how the page shows the target');
      break;
    case 'tags':
      draft.describe(
        `Tags: ${listOf(value)
          .map((tag) => textOf(fieldsOf(tag).get('name')))
          .join(', ')}`,
      );
      break;
    case 'customFields':
      draft.leave(key, 'they are notes for you alone: write what visitors may read as description');
      break;
    case 'groupId': {
      const group = names.groups.get(text);
      if (group !== undefined) draft.set('GROUP', literal(group), key);
      else if (Number(text) > 0)
        draft.leave(key, 'write the name of its group as group: GET /monitor-groups names them');
      break;
    }
    case 'gracePeriod':
      if (type === 'HEARTBEAT') draft.carry();
      break;
    default:
      draft.leave(key);
  }
}

const SIGNS: ReadonlyMap<string, string> = new Map([
  ['&lt;', '<'],
  ['&gt;', '>'],
  ['&quot;', '"'],
  ['&#39;', "'"],
  ['&amp;', '&'],
]);

/** The API may give texts as they stand in HTML. */
function unescaped(text: string): string {
  return text.replace(/&(?:lt|gt|quot|#39|amp);/g, (entity) => SIGNS.get(entity) ?? entity);
}

function addressOf(draft: TargetDraft, monitor: ToolFields, type: string): string {
  const url = unescaped(textOf(monitor.get('url')));
  const host = withoutScheme(url).replace(/\/.*$/s, '');
  if (type === 'PORT') {
    const isIpv6 = host.includes(':') && !host.startsWith('[');
    return `tcp://${literal(isIpv6 ? `[${host}]` : host)}:${textOf(monitor.get('port'))}`;
  }
  if (type === 'DNS') return 'dns://1.1.1.1';
  const address = httpAddress(url);
  return monitor.get('authType') === 'HTTP_BASIC' ? withLogin(draft, address) : address;
}

/** Records of one kind are asked for, and these and no others have to be there. */
function readRecords(draft: TargetDraft, monitor: ToolFields): void {
  const name = withoutScheme(unescaped(textOf(monitor.get('url')))).replace(/\/.*$/s, '');
  const kinds = [...fieldsOf(fieldsOf(monitor.get('config')).get('dnsRecords'))].filter(
    ([, records]) => listOf(records).length > 0,
  );
  const [first, ...others] = kinds;
  draft.put('QUERY', literal(`${first?.[0] ?? 'A'} ${name}`));
  if (first === undefined) return;
  const [kind, records] = first;
  const texts = listOf(records).map((record) => {
    const text = textOf(record);
    return kind === 'TXT' ? text : text.toLowerCase().replace(/\.$/, '');
  });
  draft.set('EXPECT_BODY', literal(JSON.stringify(texts.sort())), `dnsRecords.${kind}`);
  for (const [other] of others)
    draft.leave(`dnsRecords.${other}`, 'a target asks for one kind of records: add a target for each');
}

function readLogin(draft: TargetDraft, way: string): void {
  if (way === 'HTTP_BASIC') draft.carry();
  else if (way === 'BEARER')
    addHeaders(draft, { Authorization: `Bearer ${draft.secret('TOKEN', 'the bearer token')}` });
  else if (way !== 'NONE')
    draft.leave(
      'authType',
      'there is no such log in: set the header Authorization, if a lasting token will do',
    );
}

function addHeaders(draft: TargetDraft, headers: Readonly<Record<string, string>>): void {
  const before = (draft.options.get('HEADERS') ?? {}) as Readonly<Record<string, string>>;
  draft.set('HEADERS', { ...before, ...headers });
}

function bodyOf(value: unknown, type: string): string {
  if (typeof value !== 'object') return textOf(value);
  return type === 'KEY_VALUE'
    ? new URLSearchParams([...textsIn(value)].map(([...pair]) => pair)).toString()
    : JSON.stringify(value);
}

/** A slow answer is an incident there, and degraded here. */
function readRegions(draft: TargetDraft, regions: ToolFields): void {
  const limits = textsIn(regions.get('THRESHOLD')).map(([, limit]) => Number(limit));
  const longest = Math.max(0, ...limits);
  if (longest > 0) {
    draft.set('DEGRADED_AFTER', `${longest}ms`, 'regionalData.THRESHOLD');
    draft.carry(limits.length - 1);
  }
  if (listOf(regions.get('REGION')).length > 1)
    draft.leave(
      'regionalData.REGION',
      'checks come from one place: peers give a second opinion (docs/peers.md)',
    );
}

function readConfig(draft: TargetDraft, type: string, monitor: ToolFields, config: ToolFields): void {
  const isHttp = HTTP.includes(type);
  for (const [key, value] of config) {
    const text = textOf(value);
    if (key === 'dnsRecords' && type === 'DNS') continue;
    if (key === 'ipVersion' && text !== '') draft.set('IP_VERSION', text === 'ipv6Only' ? '6' : '4', key);
    else if (key === 'applicationErrorRetries' && isHttp && text !== '') draft.set('RETRIES', text, key);
    else if (key === 'sslExpirationPeriodDays' && isHttp) {
      const days = Math.max(0, ...listOf(value).map((each) => Number(textOf(each))));
      if (days > 0 && isOn(monitor.get('sslExpirationReminder'))) draft.set('TLS_EXPIRY', `${days}d`, key);
    } else if (key === 'apiAssertions' && type === 'API') readAssertions(draft, fieldsOf(value));
  }
}

const COMPARISONS: ReadonlyMap<string, (path: string, value: string, text: string) => string> = new Map<
  string,
  (path: string, value: string, text: string) => string
>([
  ['equals', (path, value) => `${path} = ${value}`],
  ['not_equals', (path, value) => `${path} != ${value}`],
  ['contains', (path, _, text) => `$contains($string(${path}), ${quoted(text)})`],
  ['not_contains', (path, _, text) => `$not($contains($string(${path}), ${quoted(text)}))`],
  ['greater_than', (path, value) => `${path} > ${value}`],
  ['less_than', (path, value) => `${path} < ${value}`],
  ['is_null', (path) => `${path} = null`],
  ['is_not_null', (path) => `${path} != null`],
]);

function readAssertions(draft: TargetDraft, assertions: ToolFields): void {
  const checks = listOf(assertions.get('checks')).map(fieldsOf);
  const expressions = checks.map((check) => {
    const path = jsonataOf(textOf(check.get('property')));
    const target = check.get('target') ?? null;
    const write = COMPARISONS.get(textOf(check.get('comparison')));
    return path === null || (typeof target === 'object' && target !== null)
      ? undefined
      : write?.(path, JSON.stringify(target), textOf(target));
  });
  const known = expressions.filter((expression) => expression !== undefined);
  const isOr = assertions.get('logic') === 'OR';
  const unknown = isOr && known.length < checks.length ? checks.length : checks.length - known.length;
  for (let lost = unknown; lost > 0; lost -= 1)
    draft.leave('apiAssertions', 'write it as expectJson, in JSONata');
  if (unknown === checks.length) return;
  if (!isOr) for (const expression of known) draft.expect(expression);
  else {
    draft.expect(`(${known.join(' or ')})`);
    draft.carry(known.length - 1);
  }
}

/** A plain JSONPath (`$.data.items[0].id`) as JSONata; null: it asks for more. */
function jsonataOf(path: string): string | null {
  if (!/^\$(?:\.[A-Za-z_][\w-]*|\[\d{1,9}\])*$/.test(path)) return null;
  return path.replace(/\.([\w-]+)/g, (_, name: string) => `.${/-/.test(name) ? `\`${name}\`` : name}`);
}

function readContact(
  collector: Collector,
  draft: TargetDraft,
  contact: ToolFields,
  { contacts }: UptimeRobotNames,
): void {
  const what = 'assignedAlertContacts';
  const kind = contacts.get(textOf(contact.get('alertContactId')));
  const channel = kind === undefined ? undefined : channelFor(kind);
  if (channel !== undefined) collector.variable(CHANNEL_VARIABLES[channel], 'the alert contacts', what);
  else draft.leave(what, 'set up a channel that reaches them, such as ALERT_SMTP_URL or ALERT_APPRISE_URL');
  const threshold = Number(textOf(contact.get('threshold')));
  if (threshold > 0)
    draft.leave(`${what}.threshold`, 'failureThreshold times interval is the time until an alert');
  const recurrence = Number(textOf(contact.get('recurrence')));
  if (recurrence > 0) collector.setting('ALERT_REMINDER', `${recurrence}m`, `${what}.recurrence`);
}

/** None: it is switched off. */
function windowOf(window: ToolFields): UptimeRobotWindow[] {
  if (window.get('status') === 'paused') return [];
  const interval = textOf(window.get('interval'));
  const time = textOf(window.get('time'));
  const minutes = Number(textOf(window.get('duration')));
  if (interval === 'once') {
    const date = textOf(window.get('date')).slice(0, 'yyyy-mm-dd'.length);
    return [{ kind: 'once', from: Date.parse(`${date}T${time}Z`), minutes }];
  }
  if (interval === 'weekly')
    return [{ kind: 'weekly', time, minutes, days: listOf(window.get('days')).map(Number) }];
  return [interval === 'daily' ? { kind: 'daily', time, minutes } : { kind: 'other' }];
}
