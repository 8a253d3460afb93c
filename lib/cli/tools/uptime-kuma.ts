import {
  Collector,
  fieldsOf,
  hostIn,
  isOn,
  listOf,
  literal,
  NO_CALLS,
  NO_PING,
  quoted,
  searchText,
  seconds,
  textOf,
  textsIn,
  UNREAD_HEADERS,
  withLogin,
  withoutScheme,
  type Imported,
  type TargetDraft,
  type ToolFields,
} from './tool.js';
import { CHANNEL_VARIABLES, channelFor } from './channels.js';
import { isSecretName } from './secrets.js';
import { tablesOf } from './uptime-kuma-rows.js';
import { DAY } from '../../time.js';

const hostAndPort = (monitor: ToolFields, port = ''): string => {
  const host = textOf(monitor.get('hostname'));
  return `${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${textOf(monitor.get('port')) || port}`;
};
const urlOf = (monitor: ToolFields): string => textOf(monitor.get('url'));
const databaseOf = (monitor: ToolFields): string => textOf(monitor.get('databaseConnectionString'));

/** Where a kind of monitor has its address; a kind that is not here cannot be watched. */
const ADDRESSES: ReadonlyMap<string, (monitor: ToolFields) => string> = new Map<
  string,
  (monitor: ToolFields) => string
>([
  ['http', urlOf],
  ['keyword', urlOf],
  ['json-query', urlOf],
  ['real-browser', urlOf],
  ['websocket-upgrade', urlOf],
  ['port', (monitor) => `tcp://${hostAndPort(monitor)}`],
  [
    'smtp',
    (monitor) =>
      `smtp${textOf(monitor.get('smtpSecurity')) === 'secure' ? 's' : ''}://${hostAndPort(monitor, '25')}`,
  ],
  [
    'dns',
    (monitor) => `dns://${textOf(monitor.get('dns_resolve_server')).split(',')[0]?.trim() || '1.1.1.1'}`,
  ],
  ['postgres', databaseOf],
  ['mysql', databaseOf],
  ['mongodb', databaseOf],
  ['redis', databaseOf],
  [
    'grpc-keyword',
    (monitor) =>
      `grpc${isOn(monitor.get('grpcEnableTls')) ? 's' : ''}://${withoutScheme(textOf(monitor.get('grpcUrl')))}`,
  ],
]);
const HTTP = ['http', 'keyword', 'json-query', 'real-browser'];
const HEALTH = 'only the standard health service is asked (docs/kinds.md)';
const DATABASES = ['postgres', 'mysql', 'mongodb', 'redis'];

/** Fields that say nothing of what is to be watched: numbers of its own, and what it has found. */
const NO_SETTING =
  /^(?:id|path|pathName|childrenIDs|user_id|forceInactive|maintenance|includeSensitiveData|screenshot|dns_last_result|created_date|notificationIDList|parent|type|pushToken)$/;

/** What the form has before anybody changes it, where that asks for nothing. `null`, '', false and [] never ask. */
const UNCHANGED: ReadonlyMap<string, string> = new Map([
  ['weight', '2000'],
  ['packetSize', '56'],
  ['resendInterval', '0'],
  ['ping_count', '1'],
  ['ping_numeric', 'true'],
  ['ping_per_request_timeout', '2'],
  ['httpBodyEncoding', 'json'],
  ['kafkaProducerSaslOptions', ''],
  ['gamedigGivenPortOnly', 'true'],
  ['screenshot_delay', '0'],
  ['responseMaxLength', '1024'],
  ['saveErrorResponse', 'true'],
  ['mqttCheckType', 'keyword'],
  ['snmpVersion', '2c'],
  ['expectedTlsAlert', 'none'],
  ['jsonPathOperator', '=='],
  ['ntpStratumThreshold', '16'],
  ['ntpTimeOffsetThreshold', '1000'],
  ['ntpRootDispersionThreshold', '500'],
  ['authMethod', 'null'],
  ['oauth_auth_method', 'client_secret_basic'],
]);

/**
 * A backup of Uptime Kuma (`monitorList`), the list of monitors that its API gives, as a list or by their numbers, or rows of
 * its database.
 */
export function fromUptimeKuma(document: unknown): Imported {
  const collector = new Collector();
  const { monitors, notifications, proxies } = partsOf(document);
  const groups = new Map(
    monitors
      .filter((each) => each.get('type') === 'group')
      .map((each) => [textOf(each.get('id')), textOf(each.get('name'))]),
  );
  const parents = new Set(monitors.map((each) => textOf(each.get('parent'))));
  const alerting = alertingOf(notifications, monitors);
  for (const monitor of monitors) {
    if (monitor.get('type') === 'group') {
      if (parents.has(textOf(monitor.get('id')))) collector.carry();
      else collector.pass(`the group ${textOf(monitor.get('name'))}`, 'no monitor is in it');
    } else readMonitor(collector, monitor, groups, alerting);
  }
  for (const notification of notifications) readNotification(collector, notification);
  for (const proxy of proxies)
    collector.leave(`the proxy ${textOf(proxy.get('host'))}`, 'proxies are not supported');
  return collector.result();
}

function partsOf(document: unknown): ReturnType<typeof tablesOf> {
  if (Array.isArray(document)) return tablesOf(listOf(document).map(fieldsOf));
  const top = fieldsOf(document);
  const isNumbered = [...top.keys()].every((key) => /^\d+$/.test(key));
  const listed = isNumbered ? document : (top.get('monitorList') ?? top.get('monitors'));
  const monitors = Array.isArray(listed) ? listOf(listed) : [...fieldsOf(listed).values()];
  return {
    monitors: monitors.map(fieldsOf),
    notifications: listOf(top.get('notificationList')).map(fieldsOf),
    proxies: listOf(top.get('proxyList')).map(fieldsOf),
  };
}

function kindOf(notification: ToolFields): string {
  return textOf(parsed(notification.get('config')).get('type') ?? notification.get('type'));
}

function readNotification(collector: Collector, notification: ToolFields): void {
  const kind = kindOf(notification);
  const channel = channelFor(kind);
  const what = `the notification ${textOf(notification.get('name'))}`;
  const shown = /^[\w .-]{1,40}$/.test(kind) ? kind : 'the same people';
  if (channel !== undefined) collector.variable(CHANNEL_VARIABLES[channel], what, what);
  else collector.leave(what, `set up a channel that reaches ${shown}, such as ALERT_APPRISE_URL`);
}

interface Alerting {
  /** The channels that notifications become, by the numbers of these; null: there is none for it. */
  readonly channels: ReadonlyMap<string, string | null>;
  /** Whether anything in the file tells anybody. */
  readonly isThere: boolean;
}

function alertingOf(notifications: readonly ToolFields[], monitors: readonly ToolFields[]): Alerting {
  const channels = new Map(
    notifications.map((each) => [textOf(each.get('id')), channelFor(kindOf(each)) ?? null]),
  );
  return { channels, isThere: channels.size > 0 || monitors.some((each) => toldBy(each).length > 0) };
}

/** The numbers of the notifications of a monitor. */
function toldBy(monitor: ToolFields): string[] {
  const value = monitor.get('notificationIDList');
  if (Array.isArray(value)) return value.map(textOf);
  return [...fieldsOf(value)].filter(([, isUsed]) => isOn(isUsed)).map(([id]) => id);
}

/** A monitor tells its own notifications and no others. */
function readAlerts(draft: TargetDraft, monitor: ToolFields, { channels, isThere }: Alerting): void {
  const key = 'notificationIDList';
  const value = monitor.get(key);
  if (!isThere || typeof value !== 'object' || value === null) return;
  const told = toldBy(monitor).map((id) => channels.get(id) ?? null);
  const names = new Set(told.filter((name) => name !== null));
  const hasAll = [...channels.values()].every((name) => name !== null && names.has(name));
  if (told.length === 0) draft.set('ALERTS', 'off', key);
  else if (told.includes(null))
    draft.leave(key, 'name the channels that are to be told of it as alerts: all of them are now');
  else if (hasAll) draft.carry();
  else draft.set('ALERTS', [...names], key);
}

function readMonitor(
  collector: Collector,
  monitor: ToolFields,
  groups: ReadonlyMap<string, string>,
  alerting: Alerting,
): void {
  const type = textOf(monitor.get('type'));
  const address = ADDRESSES.get(type)?.(monitor) ?? '';
  const draft = collector.target({ name: textOf(monitor.get('name')), address });
  const isBasic = textOf(monitor.get('basic_auth_user')) !== '' && loginOf(monitor) === 'basic';
  if (address !== '') draft.set('URL', isBasic ? withLogin(draft, literal(address)) : literal(address));
  const group = groups.get(textOf(monitor.get('parent')));
  if (group !== undefined) draft.set('GROUP', literal(group), 'parent');
  readAlerts(draft, monitor, alerting);
  if (type === 'real-browser')
    draft.leave('type real-browser', 'its page is asked for by a plain GET, and no script of it runs');
  // Without a time limit, it is a part of the interval.
  const limit = 0.8 * (Number(textOf(monitor.get('interval'))) || 60);
  const hasLimit = HTTP.includes(type) || type === 'grpc-keyword';
  if (hasLimit && !(Number(textOf(monitor.get('timeout'))) > 0))
    draft.put('TIMEOUT', seconds(Math.min(120, Math.max(0.1, limit))));
  for (const [key, value] of monitor) {
    const isNothing =
      value === null || value === false || value === 0 || (value === '' && !Array.isArray(value));
    const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
    const unchanged = UNCHANGED.get(key);
    // Rows of the database have 1 for true.
    const isPlain =
      typeof value !== 'object' && (unchanged === textOf(value) || (unchanged === 'true' && value === 1));
    // What these mean when they are off or 0 differs from what holds here without them.
    const counts =
      ['active', 'maxretries', 'maxredirects', 'expiryNotification'].includes(key) && value !== null;
    if (NO_SETTING.test(key) || ((isNothing || isEmpty || isPlain) && !counts)) continue;
    readSetting(collector, draft, { monitor, type, key, value });
  }
  if (type === 'ping' || type === 'tailscale-ping' || type === 'globalping')
    collector.refuse(draft, `a monitor of type ${type}`, NO_PING);
  else if (type === 'push') collector.refuse(draft, 'a monitor of type push', NO_CALLS);
  else if (!ADDRESSES.has(type)) {
    const shown = /^[a-z0-9-]{1,30}$/.test(type) ? type : 'unknown';
    collector.refuse(
      draft,
      `a monitor of type ${shown}`,
      'docs/kinds.md has the kinds of targets: watch its port with tcp://host:port',
    );
  } else collector.add(draft);
}

/** How it logs in, where its kind does. What the form had for other ways stays in it. */
function loginOf(monitor: ToolFields): string {
  const type = textOf(monitor.get('type'));
  if (!HTTP.includes(type) && type !== 'websocket-upgrade') return '';
  // Older versions have no other way.
  return monitor.has('authMethod') ? textOf(monitor.get('authMethod')) : 'basic';
}

interface Setting {
  readonly monitor: ToolFields;
  readonly type: string;
  readonly key: string;
  readonly value: unknown;
}

function readSetting(collector: Collector, draft: TargetDraft, { monitor, type, key, value }: Setting): void {
  const text = textOf(value);
  const isHttp = HTTP.includes(type);
  const login = loginOf(monitor);
  switch (key) {
    case 'name':
      draft.carry();
      break;
    case 'url':
      // Counted with the address, whatever field it is in.
      break;
    case 'hostname':
      if (type === 'dns') draft.set('QUERY', `${textOf(monitor.get('dns_resolve_type')) || 'A'} ${text}`);
      break;
    case 'port':
    case 'databaseConnectionString':
    case 'grpcUrl':
    case 'grpcEnableTls':
    case 'smtpSecurity':
      if (key === 'smtpSecurity' && type === 'smtp' && text === 'starttls') draft.expect('tls');
      else if (key === 'smtpSecurity' && type === 'smtp') draft.carry();
      break;
    case 'dns_resolve_server':
      if (type === 'dns' && text.includes(','))
        draft.leave(key, 'a target asks one name server: add a target for each');
      else if (type === 'dns') draft.carry();
      break;
    case 'dns_resolve_type':
      if (type === 'dns') draft.carry();
      break;
    case 'active':
      draft.set('ENABLED', isOn(value) ? 'true' : 'false');
      break;
    case 'interval':
      draft.set('INTERVAL', seconds(text));
      break;
    case 'timeout':
      draft.set('TIMEOUT', seconds(text));
      break;
    case 'maxretries':
      // It retries at its next checks, as our threshold does.
      draft.set('FAILURE_THRESHOLD', String(Number(text) + 1));
      break;
    case 'retryInterval':
      // A target that fails is due at every run until it is decided.
      draft.carry();
      break;
    case 'resendInterval': {
      // It counts checks.
      const length = Number(text) * Number(textOf(monitor.get('interval')) || 60);
      collector.setting('ALERT_REMINDER', seconds(length), key);
      break;
    }
    case 'method':
      if (isHttp) draft.set('METHOD', text);
      break;
    case 'body':
      if (isHttp) draft.set('BODY', literal(text));
      break;
    case 'httpBodyEncoding':
      if (isHttp && textOf(monitor.get('body')) !== '')
        draft.leave(
          key,
          'write the content type in headers: application/xml or application/x-www-form-urlencoded',
        );
      break;
    case 'headers':
      if (isHttp || type === 'websocket-upgrade') readHeaders(draft, objectOf(value));
      break;
    case 'keyword':
      if (type === 'keyword')
        draft.set(isOn(monitor.get('invertKeyword')) ? 'REJECT_BODY' : 'EXPECT_BODY', searchText(text));
      // What the health service answers.
      else if (type === 'grpc-keyword' && text === 'SERVING') draft.carry();
      else if (type === 'grpc-keyword') draft.leave(key, HEALTH);
      break;
    case 'invertKeyword':
      if (type === 'keyword') draft.carry();
      else if (type === 'grpc-keyword') draft.leave(key, HEALTH);
      break;
    case 'jsonPath':
      if (type === 'json-query') draft.expect(jsonQuery(monitor));
      break;
    case 'expectedValue':
    case 'jsonPathOperator':
      if (type === 'json-query') draft.carry();
      break;
    case 'conditions':
      readConditions(draft, type, listOf(objectOf(value)));
      break;
    case 'databaseQuery':
      if (DATABASES.includes(type)) draft.set('QUERY', literal(text));
      break;
    case 'accepted_statuscodes':
    case 'accepted_statuscodes_json':
      if (isHttp && !draft.options.has('EXPECT_STATUS'))
        draft.set('EXPECT_STATUS', listOf(objectOf(value)).map(textOf), key);
      break;
    case 'maxredirects':
      if (isHttp) draft.set('MAX_REDIRECTS', text);
      break;
    case 'ignoreTls':
      if (isHttp) draft.set('TLS_VERIFY', 'false');
      break;
    case 'expiryNotification':
      if (isHttp && !isOn(value)) draft.put('TLS_EXPIRY', 'off');
      else if (isHttp) draft.carry();
      break;
    case 'domainExpiryNotification':
      // It begins to tell 21 days before.
      draft.watchDomain(hostIn(urlOf(monitor)) || textOf(monitor.get('hostname')), 21 * DAY, key);
      break;
    case 'authMethod':
      if (login === '') break;
      if (text === 'basic' || text === 'bearer') draft.carry();
      else if (text === 'mtls') {
        draft.useClientCertificate(['tlsCert', 'tlsKey']);
        draft.carry();
      } else
        draft.leave(key, 'there is no such log in: set the header Authorization, if a lasting token will do');
      break;
    case 'basic_auth_user':
    case 'basic_auth_pass':
      if (login === 'basic') draft.carry();
      else if (login === 'ntlm') draft.leave(key, 'there is no such log in');
      break;
    case 'bearer_token':
      if (login === 'bearer')
        draft.set('HEADERS', {
          ...headersSoFar(draft),
          Authorization: `Bearer ${draft.secret('TOKEN', 'the bearer token')}`,
        });
      break;
    case 'wsSubprotocol':
      if (type === 'websocket-upgrade')
        draft.set('HEADERS', { ...headersSoFar(draft), 'Sec-WebSocket-Protocol': text });
      break;
    case 'upsideDown':
      draft.leave(
        key,
        'a target that must fail cannot be watched: it is written with enabled: false; name the status that is expected in expectStatus',
      );
      draft.disable();
      break;
    case 'tags':
      readTags(draft, listOf(value).map(fieldsOf));
      break;
    case 'cacheBust':
      draft.leave(key, 'let the header Cache-Control: no-cache ask for a fresh answer');
      break;
    case 'proxyId':
      draft.leave(key, 'proxies are not supported');
      break;
    case 'saveResponse':
    case 'saveErrorResponse':
    case 'responseMaxLength':
      draft.pass(key, 'answers are judged, and not kept');
      break;
    case 'weight':
      // Heavier monitors come first.
      draft.set('ORDER', String(-Number(text)));
      break;
    case 'description':
      draft.describe(text);
      break;
    case 'ipFamily':
      draft.set('IP_VERSION', text.replace(/^ipv/i, ''));
      break;
    case 'tlsCert':
    case 'tlsKey':
      // They stay in the form when the kind of log in is changed.
      if (login === 'mtls') draft.carry();
      break;
    case 'tlsCa':
      draft.leave(key, 'NODE_EXTRA_CA_CERTS names the authority of a certificate on one machine');
      break;
    case 'grpcServiceName':
      if (type === 'grpc-keyword' && text !== 'grpc.health.v1.Health') draft.leave(key, HEALTH);
      else if (type === 'grpc-keyword') draft.carry();
      break;
    case 'retryOnlyOnStatusCodeFailure':
      draft.leave(key, 'every kind of failure is tried again');
      break;
    default:
      if (belongsTo(type, key)) draft.leave(key);
  }
}

/** Of texts that are no JSON, nothing is sent there either: the check fails. */
function readHeaders(draft: TargetDraft, value: unknown): void {
  const headers = textsIn(value);
  if (headers.length > 0) draft.set('HEADERS', draft.headers(headers));
  else if (typeof value !== 'object' || value === null) draft.leave('headers', UNREAD_HEADERS);
}

function readTags(draft: TargetDraft, tags: readonly ToolFields[]): void {
  const isSecret = (tag: ToolFields): boolean =>
    textOf(tag.get('value')) !== '' && isSecretName(textOf(tag.get('name')));
  for (const tag of tags.filter(isSecret))
    draft.leave(
      `the tag ${textOf(tag.get('name'))}`,
      'it looks secret, and the page would show it: keep it elsewhere',
    );
  const shown = tags.filter((tag) => !isSecret(tag));
  if (shown.length > 0) draft.describe(`Tags: ${shown.map(tagText).join(', ')}`);
}

function tagText(tag: ToolFields): string {
  const value = textOf(tag.get('value'));
  return `${textOf(tag.get('name'))}${value === '' ? '' : `: ${value}`}`;
}

/** Fields of other kinds of monitors stay behind when the type of one is changed. */
function belongsTo(type: string, key: string): boolean {
  const [, owner] =
    /^(mqtt|grpc|radius|kafka|docker|snmp|rabbitmq|gamedig|game|push|ntp|ping|oauth|tls|smtp)/.exec(key) ??
    [];
  if (owner === undefined)
    return !/^(?:auth|packetSize|remote_browser|screenshot_delay|system_service|location|protocol|subtype)/.test(
      key,
    );
  if (owner === 'oauth' || owner === 'tls') return HTTP.includes(type);
  return type.startsWith(owner);
}

function headersSoFar(draft: TargetDraft): Readonly<Record<string, string>> {
  const headers = draft.options.get('HEADERS');
  return typeof headers === 'object' && !Array.isArray(headers) ? (headers as Record<string, string>) : {};
}

/** Its value is compared as a text for == and !=, and as a number else. */
function jsonQuery(monitor: ToolFields): string {
  const path = textOf(monitor.get('jsonPath'));
  const value = textOf(monitor.get('expectedValue'));
  const operator = textOf(monitor.get('jsonPathOperator')) || '==';
  if (operator === 'contains') return `$contains($string(${path}), ${quoted(value)})`;
  if (operator === '==' || operator === '!=')
    return `$string(${path}) ${operator === '==' ? '=' : '!='} ${quoted(value)}`;
  return `$number(${path}) ${/^(?:<|>|<=|>=)$/.test(operator) ? operator : '='} ${Number(value)}`;
}

const CONDITIONS: ReadonlyMap<string, (value: string) => string> = new Map([
  ['equals', (value: string) => `${quoted(value)} in $`],
  ['not_equals', (value: string) => `$not(${quoted(value)} in $)`],
  ['contains', (value: string) => `$exists($[$contains($, ${quoted(value)})])`],
  ['not_contains', (value: string) => `$not($exists($[$contains($, ${quoted(value)})]))`],
]);

/** Conditions on the records of a name. */
function readConditions(draft: TargetDraft, type: string, conditions: readonly unknown[]): void {
  for (const condition of conditions.map(fieldsOf)) {
    const write = CONDITIONS.get(textOf(condition.get('operator')));
    const isAnd = textOf(condition.get('andOr')) !== 'or';
    const isKnown = type === 'dns' && textOf(condition.get('variable')) === 'record' && isAnd;
    if (isKnown && write !== undefined) draft.expect(write(textOf(condition.get('value'))));
    else draft.leave('conditions', 'write them as expectJson');
  }
}

/** An object, or the JSON text of one. */
function objectOf(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return null;
  }
}

function parsed(value: unknown): ToolFields {
  return fieldsOf(objectOf(value));
}
