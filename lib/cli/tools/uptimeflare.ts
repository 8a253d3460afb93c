import { LONGEST_REASON } from '../../config/time-windows.js';
import { singleLine } from '../../single-line.js';
import { constantOf, Expression } from './literal-reader.js';
import { SECRET_HEADER } from './secrets.js';
import {
  Collector,
  fieldsOf,
  isOn,
  listOf,
  literal,
  milliseconds,
  searchText,
  textOf,
  ToolError,
  type Imported,
  type TargetDraft,
  type ToolFields,
} from './tool.js';
import { CHANNEL_VARIABLES } from './channels.js';
import type { ChannelName } from '../../types.js';

const COMPUTED = 'it is computed: write its value';
const LOOK = 'the page has colours of its own (docs/pages.md)';

/** `uptime.config.ts`: its constants are read, and nothing of it is run. */
export function fromUptimeFlare(document: unknown): Imported {
  const collector = new Collector();
  const source = textOf(document);
  const worker = fieldsOf(constantOf(source, 'workerConfig'));
  const monitors = worker.get('monitors');
  if (!worker.has('monitors')) throw new ToolError('expected const workerConfig with monitors');
  if (monitors instanceof Expression)
    throw new ToolError('its monitors are computed: write them as a list in workerConfig');
  const page = fieldsOf(constantOf(source, 'pageConfig'));
  const notification = fieldsOf(worker.get('notification'));
  const drafts: Monitors = new Map<string, TargetDraft[]>();
  for (const entry of listOf(monitors)) {
    if (entry instanceof Expression) {
      collector.leave('monitors', COMPUTED);
      continue;
    }
    const monitor = fieldsOf(entry);
    const id = textOf(monitor.get('id'));
    const draft = collector.target({
      name: textOf(monitor.get('name')) || id,
      address: textOf(monitor.get('target')),
      id,
    });
    // It checks every minute.
    draft.put('INTERVAL', '1m');
    const grace = Number(textOf(notification.get('gracePeriod')));
    if (notification.has('gracePeriod') && grace >= 0)
      draft.put('FAILURE_THRESHOLD', String(Math.min(100, grace + 1)));
    for (const [key, value] of monitor) readMonitor(draft, monitor, key, value);
    drafts.set(id, [...(drafts.get(id) ?? []), draft]);
  }
  readGroups(collector, drafts, page);
  readMaintenance(collector, drafts, constantOf(source, 'maintenances'));
  readNotification(collector, drafts, notification);
  for (const draft of [...drafts.values()].flat()) collector.add(draft);
  for (const [key, value] of worker) readWorker(collector, key, value);
  for (const [key, value] of page) readPage(collector, key, value);
  return collector.result();
}

/** Drafts by the ids of their monitors, of which two may have one. */
type Monitors = Map<string, TargetDraft[]>;

const NO_MONITOR = 'it names no monitor that is there';

function monitorsOf(drafts: Monitors, ids: unknown): TargetDraft[] {
  return listOf(ids).flatMap((id) => drafts.get(textOf(id)) ?? []);
}

function readMonitor(draft: TargetDraft, monitor: ToolFields, key: string, value: unknown): void {
  const text = textOf(value);
  const isTcp = textOf(monitor.get('method')) === 'TCP_PING';
  if (value instanceof Expression) {
    draft.leave(key, COMPUTED);
    return;
  }
  switch (key) {
    case 'id':
    case 'name':
      draft.carry();
      break;
    case 'tooltip':
    case 'statusPageLink':
      draft.describe(text);
      break;
    case 'hideLatencyChart':
      if (isOn(value)) draft.leave(key, 'the page of a target shows its latency');
      else draft.carry();
      break;
    case 'target':
      draft.set('URL', literal(isTcp ? `tcp://${text}` : text));
      break;
    case 'method':
      if (isTcp) draft.carry();
      else draft.set('METHOD', text);
      break;
    case 'expectedCodes':
      draft.set('EXPECT_STATUS', listOf(value).map(textOf));
      break;
    case 'timeout':
      draft.set('TIMEOUT', milliseconds(Number(text)));
      break;
    case 'headers':
      readHeaders(draft, fieldsOf(value));
      break;
    case 'body':
      if (typeof value === 'object' && value !== null)
        draft.leave(key, 'it is no text, and is sent as [object Object]: write the text that is meant');
      else draft.set('BODY', literal(text));
      break;
    case 'responseKeyword':
      draft.set('EXPECT_BODY', searchText(text));
      break;
    case 'responseForbiddenKeyword':
      draft.set('REJECT_BODY', searchText(text));
      break;
    case 'checkProxy':
      draft.leave(key, 'peers and Globalping give opinions from elsewhere (docs/peers.md)');
      break;
    case 'checkProxyFallback':
      draft.pass(key, 'checks are made from where Keepalive runs');
      break;
    default:
      draft.leave(key);
  }
}

function readHeaders(draft: TargetDraft, headers: ToolFields): void {
  const known = [...headers].filter(([, content]) => !(content instanceof Expression));
  draft.set('HEADERS', draft.headers(known.map(([name, content]) => [name, textOf(content)] as const)));
  for (const [name, content] of headers)
    if (content instanceof Expression) draft.leave(`headers.${name}`, COMPUTED);
}

/** Groups are shown as they are listed, and monitors in none of them are not shown. */
function readGroups(collector: Collector, drafts: Monitors, page: ToolFields): void {
  const groups = fieldsOf(page.get('group'));
  if (groups.size === 0) return;
  let order = 0;
  const shown = new Set<TargetDraft>();
  for (const [group, ids] of groups) {
    const members = monitorsOf(drafts, ids);
    for (const draft of members) {
      draft.put('GROUP', literal(group.slice(0, 100)));
      draft.put('ORDER', String((order += 1)));
      shown.add(draft);
    }
    if (members.length > 0) collector.carry();
    else collector.pass(`the group ${group}`, NO_MONITOR);
  }
  for (const draft of [...drafts.values()].flat()) if (!shown.has(draft)) draft.put('SHOW', 'none');
}

function readMaintenance(collector: Collector, drafts: Monitors, maintenances: unknown): void {
  const windows = new Map<TargetDraft, string[]>();
  const general: string[] = [];
  for (const entry of listOf(maintenances)) {
    if (entry instanceof Expression) {
      collector.leave('maintenances', COMPUTED);
      continue;
    }
    const fields = fieldsOf(entry);
    const when = ['monitors', 'start', 'end'].filter((key) => fields.has(key)).length;
    const about = ['title', 'body'].filter((key) => textOf(fields.get(key)) !== '');
    const { reason, said } = reasonOf(fields, about);
    const time = windowOf(fields);
    if (time === null)
      collector.leave(
        `maintenances, ${textOf(fields.get('title'))}`,
        'write maintenance with a beginning and a length',
        null,
        when + about.length,
      );
    else {
      const window = reason === '' ? time : `${time} (${literal(reason)})`;
      const members = monitorsOf(drafts, fields.get('monitors'));
      for (const draft of members) windows.set(draft, [...(windows.get(draft) ?? []), window]);
      if (!fields.has('monitors')) general.push(window);
      else if (members.length === 0) {
        collector.pass(`maintenances, ${textOf(fields.get('title'))}`, NO_MONITOR);
        continue;
      }
      collector.carry(when + said.length);
      for (const key of about)
        if (!said.includes(key))
          collector.leave(`maintenances.${key}`, 'it is too long for a reason: write a note (docs/pages.md)');
    }
    if (fields.has('color')) collector.leaveOwn('maintenances.color', LOOK);
  }
  for (const [draft, found] of windows) draft.put('MAINTENANCE', [...general, ...found]);
  if (general.length > 0)
    for (const draft of [...drafts.values()].flat())
      if (!windows.has(draft)) draft.put('MAINTENANCE', general);
}

/** The reason of a window out of as many of its texts as there is room for, and which these are. */
function reasonOf(
  fields: ToolFields,
  about: readonly string[],
): { readonly reason: string; readonly said: readonly string[] } {
  for (let count = about.length; count > 0; count -= 1) {
    const said = about.slice(0, count);
    const reason = said.map((key) => singleLine(textOf(fields.get(key))).replaceAll(';', ',')).join(': ');
    if (reason !== '' && Array.from(reason).length <= LONGEST_REASON) return { reason, said };
  }
  return { reason: '', said: [] };
}

/** `2026-12-01T02:00Z/120m`; null where it has no end, or cannot be read. */
function windowOf(fields: ToolFields): string | null {
  const [from, to] = ['start', 'end'].map((key) => {
    const value = fields.get(key);
    return typeof value === 'number' ? value : Date.parse(textOf(value));
  });
  if (from === undefined || to === undefined || !(to > from)) return null;
  const start = new Date(from);
  if (Number.isNaN(start.getTime()) || start.getTime() < 0) return null;
  return `${start.toISOString().slice(0, 16)}Z/${Math.round((to - from) / 60_000)}m`;
}

/** Services that a webhook's address tells, and the channels that stand for them. */
const SERVICES: ReadonlyMap<string, ChannelName> = new Map([
  ['api.telegram.org', 'telegram'],
  ['hooks.slack.com', 'slack'],
  ['discord.com', 'discord'],
  ['discordapp.com', 'discord'],
  ['chat.googleapis.com', 'google_chat'],
  ['events.pagerduty.com', 'pagerduty'],
  ['ntfy.sh', 'ntfy'],
]);

function readNotification(collector: Collector, drafts: Monitors, notification: ToolFields): void {
  for (const [key, value] of notification) {
    const what = `notification.${key}`;
    switch (key) {
      case 'appriseApiServer':
      case 'recipientUrl':
        collector.variable(CHANNEL_VARIABLES.apprise, 'notification.appriseApiServer and recipientUrl', what);
        break;
      case 'webhook':
        for (const webhook of Array.isArray(value) ? value : [value])
          readWebhook(collector, fieldsOf(webhook));
        break;
      case 'timeZone':
        collector.setting('PAGE_TIME_ZONE', textOf(value), what);
        break;
      case 'gracePeriod':
        collector.carry();
        break;
      case 'skipNotificationIds':
        for (const draft of monitorsOf(drafts, value)) draft.put('ALERTS', 'off');
        if (monitorsOf(drafts, value).length > 0) collector.carry();
        else collector.pass(what, NO_MONITOR);
        break;
      case 'skipErrorChangeNotification':
        if (isOn(value)) collector.carry();
        else collector.leave(what, 'another error is no new alert');
        break;
      default:
        collector.leave(what);
    }
  }
}

function readWebhook(collector: Collector, webhook: ToolFields): void {
  const url = textOf(webhook.get('url'));
  const host = URL.canParse(url) ? new URL(url).hostname : '';
  const known = SERVICES.get(host);
  const variable = CHANNEL_VARIABLES[known ?? 'webhook'];
  for (const [key, value] of webhook) {
    const what = `notification.webhook.${key}`;
    if (key === 'url') collector.variable(variable, 'notification.webhook', what);
    else if (key === 'timeout')
      collector.pass(what, 'a channel that does not answer is tried again for a day');
    else if (known !== undefined && key === 'payload')
      collector.variable(variable, 'notification.webhook', what);
    else if (known !== undefined && (key === 'method' || key === 'payloadType' || isPlainHeaders(key, value)))
      collector.pass(what, 'each channel is called as its service wants it');
    else collector.leave(what, 'the webhook posts JSON of its own form (docs/alerts.md)');
  }
}

/** Headers without which a known service takes a call just as well. */
function isPlainHeaders(key: string, value: unknown): boolean {
  return key === 'headers' && [...fieldsOf(value).keys()].every((name) => !SECRET_HEADER.test(name));
}

function readWorker(collector: Collector, key: string, value: unknown): void {
  switch (key) {
    case 'monitors':
    case 'notification':
      break;
    case 'kvWriteCooldownMinutes':
      collector.pass(key, 'every check is recorded');
      break;
    case 'passwordProtection':
      collector.variable('STATS_TOKEN', 'passwordProtection, with a text of 16 characters or more', key);
      break;
    case 'callbacks':
      for (const [name, callback] of fieldsOf(value)) {
        if (callback instanceof Expression && callback.doesNothing)
          collector.pass(`callbacks.${name}`, 'it does nothing');
        else
          collector.leave(`callbacks.${name}`, 'let ALERT_WEBHOOK_URL call a program of yours that does it');
      }
      break;
    default:
      collector.leave(key);
  }
}

function readPage(collector: Collector, key: string, value: unknown): void {
  const text = textOf(value);
  switch (key) {
    case 'group':
      break;
    case 'title':
      collector.setting('PAGE_TITLE', text, key);
      break;
    case 'logo':
      collector.setting('PAGE_LOGO_URL', text, key);
      break;
    case 'links':
      for (const link of listOf(value).map(fieldsOf)) {
        const words = textOf(link.get('label'));
        collector.link(words, textOf(link.get('link')), `links, ${words}`);
      }
      break;
    case 'maintenances':
      for (const setting of fieldsOf(value).keys())
        collector.leaveOwn(`pageConfig.maintenances.${setting}`, LOOK);
      break;
    default:
      collector.leaveOwn(`pageConfig.${key}`, LOOK);
  }
}
