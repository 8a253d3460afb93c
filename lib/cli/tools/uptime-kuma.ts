import type { TargetOptionName } from '../../config/options.js';
import {
  Collector,
  fieldsOf,
  headersFor,
  listOf,
  literal,
  searchText,
  seconds,
  textOf,
  withLogin,
  type Imported,
  type ToolFields,
  type ToolValue,
} from './tool.js';

/** Where a kind of monitor has its address; a kind that is not here cannot be watched. */
const ADDRESSES: ReadonlyMap<string, (monitor: ToolFields) => string> = new Map<
  string,
  (monitor: ToolFields) => string
>([
  ['http', (monitor) => textOf(monitor.get('url'))],
  ['keyword', (monitor) => textOf(monitor.get('url'))],
  ['json-query', (monitor) => textOf(monitor.get('url'))],
  ['port', (monitor) => `tcp://${textOf(monitor.get('hostname'))}:${textOf(monitor.get('port'))}`],
  ['dns', (monitor) => `dns://${textOf(monitor.get('dns_resolve_server')) || '1.1.1.1'}`],
  ['postgres', (monitor) => textOf(monitor.get('databaseConnectionString'))],
  ['mysql', (monitor) => textOf(monitor.get('databaseConnectionString'))],
  ['mongodb', (monitor) => textOf(monitor.get('databaseConnectionString'))],
  ['redis', (monitor) => textOf(monitor.get('databaseConnectionString'))],
  [
    'grpc-keyword',
    (monitor) => `grpc${isOn(monitor.get('grpcEnableTls')) ? 's' : ''}://${textOf(monitor.get('grpcUrl'))}`,
  ],
]);
const HTTP = ['http', 'keyword', 'json-query'];
const DATABASES = ['postgres', 'mysql', 'mongodb', 'redis'];

/** What Uptime Kuma writes for every monitor, and says nothing of what is to be watched. */
const BOOKKEEPING =
  /^(?:id|parent|childrenIDs|weight|pathName|path|forceInactive|maintenance|includeSensitiveData|screenshot|dns_last_result|packetSize|notificationIDList|user_id|.*[iI]d|game|gamedig.*|mqtt.*|radius.*|kafka.*|docker.*|grpc.*|push.*|conditions|remote_browser|snmp.*|rabbitmq.*|smtp.*|jsonPathOperator|authWorkstation|authDomain|expectedValue|ipFamily|httpBodyEncoding|databaseConnectionString|databaseQuery|hostname|port|dns_.*|basic_auth_.*|invertKeyword|jsonPath|keyword|authMethod)$/;

/** A backup of Uptime Kuma (`monitorList`), or the list of monitors that its API gives. */
export function fromUptimeKuma(document: unknown): Imported {
  const collector = new Collector();
  const top = fieldsOf(document);
  const monitors = (
    Array.isArray(document) ? listOf(document) : listOf(top.get('monitorList') ?? top.get('monitors'))
  ).map(fieldsOf);
  const groups = new Map(
    monitors
      .filter((each) => each.get('type') === 'group')
      .map((each) => [textOf(each.get('id')), textOf(each.get('name'))]),
  );
  for (const monitor of monitors) {
    const type = textOf(monitor.get('type'));
    const name = textOf(monitor.get('name'));
    if (type === 'group') continue;
    const addressOf = ADDRESSES.get(type);
    if (addressOf === undefined) {
      collector.count(
        false,
        `${name}: a monitor of type ${type}`,
        'there is no such kind of target (docs/kinds.md)',
      );
      continue;
    }
    const options = monitorOptions(collector, name, { monitor, type, address: addressOf(monitor) });
    const group = groups.get(textOf(monitor.get('parent')));
    if (group !== undefined) {
      options.set('GROUP', group);
      collector.count(true);
    }
    collector.add(name, options);
  }
  for (const notification of listOf(top.get('notificationList')).map(fieldsOf)) {
    const config = parsed(notification.get('config'));
    const kind = textOf(config.get('type') ?? notification.get('type')).toLowerCase();
    const channel = CHANNELS.get(kind);
    if (channel !== undefined)
      collector.channel(channel, `the notification ${textOf(notification.get('name'))}`);
    collector.count(
      channel !== undefined,
      `a notification of type ${kind}`,
      'ALERT_APPRISE_URL reaches a hundred services',
    );
  }
  return collector.result();
}

const CHANNELS: ReadonlyMap<string, string> = new Map([
  ['webhook', 'ALERT_WEBHOOK_URL'],
  ['slack', 'ALERT_SLACK_URL'],
  ['discord', 'ALERT_DISCORD_URL'],
  ['telegram', 'ALERT_TELEGRAM_TOKEN and ALERT_TELEGRAM_CHAT'],
  ['ntfy', 'ALERT_NTFY_URL'],
  ['pagerduty', 'ALERT_PAGERDUTY_KEY'],
  ['smtp', 'ALERT_SMTP_URL, ALERT_EMAIL_FROM and ALERT_EMAIL_TO'],
  ['apprise', 'ALERT_APPRISE_URL'],
  ['teams', 'ALERT_TEAMS_URL'],
  ['googlechat', 'ALERT_GOOGLE_CHAT_URL'],
]);

interface Monitor {
  readonly monitor: ToolFields;
  readonly type: string;
  readonly address: string;
}

function monitorOptions(
  collector: Collector,
  name: string,
  { monitor, type, address }: Monitor,
): Map<TargetOptionName, ToolValue> {
  const options = new Map<TargetOptionName, ToolValue>([['NAME', name]]);
  const set = (option: TargetOptionName, value: ToolValue): void => {
    options.set(option, value);
    collector.count(true);
  };
  const isBasic =
    textOf(monitor.get('authMethod')) === 'basic' || textOf(monitor.get('basic_auth_user')) !== '';
  if (isBasic) collector.count(true);
  const hasLogin = DATABASES.includes(type) && /\/\/[^/@]*@/.test(address);
  const plain = literal(hasLogin ? address.replace(/\/\/[^/@]*@/, '//') : address);
  set('URL', isBasic || hasLogin ? withLogin(collector, name, plain) : plain);
  if (type === 'keyword')
    set(
      isOn(monitor.get('invertKeyword')) ? 'REJECT_BODY' : 'EXPECT_BODY',
      searchText(textOf(monitor.get('keyword'))),
    );
  if (type === 'json-query') {
    const operator = textOf(monitor.get('jsonPathOperator')) || '==';
    const expression = `${textOf(monitor.get('jsonPath'))} ${operator === '==' ? '=' : operator} ${JSON.stringify(textOf(monitor.get('expectedValue')))}`;
    set(
      'EXPECT_JSON',
      literal(
        /^(?:=|!=|<|>|<=|>=)$/.test(operator.replace('==', '='))
          ? `$string(${expression.replace(/ (\S+) /, ') $1 ')}`
          : expression,
      ),
    );
  }
  if (type === 'dns')
    set('QUERY', `${textOf(monitor.get('dns_resolve_type')) || 'A'} ${textOf(monitor.get('hostname'))}`);
  if (DATABASES.includes(type) && textOf(monitor.get('databaseQuery')) !== '')
    set('QUERY', literal(textOf(monitor.get('databaseQuery'))));
  for (const [key, value] of monitor) {
    const text = textOf(value);
    if (value === null || text === '' ? !Array.isArray(value) : false) continue;
    switch (key) {
      case 'name':
      case 'type':
      case 'url':
        collector.count(true);
        break;
      case 'active':
        set('ENABLED', isOn(value) ? 'true' : 'false');
        break;
      case 'interval':
        set('INTERVAL', seconds(Math.max(10, Number(text))));
        break;
      case 'timeout':
        if (Number(text) > 0) set('TIMEOUT', seconds(Math.min(120, Number(text))));
        break;
      case 'maxretries':
        // It retries at its next checks, as our threshold does.
        set('FAILURE_THRESHOLD', String(Number(text) + 1));
        break;
      case 'method':
        if (HTTP.includes(type)) set('METHOD', text);
        break;
      case 'body':
        if (HTTP.includes(type)) set('BODY', literal(text));
        break;
      case 'headers':
        if (HTTP.includes(type))
          set(
            'HEADERS',
            headersFor(
              collector,
              name,
              [...parsed(value)].map(([header, content]) => [header, textOf(content)]),
            ),
          );
        break;
      case 'accepted_statuscodes':
      case 'accepted_statuscodes_json':
        if (HTTP.includes(type) && !options.has('EXPECT_STATUS'))
          set('EXPECT_STATUS', listOf(typeof value === 'string' ? JSON.parse(value) : value).map(textOf));
        break;
      case 'maxredirects':
        if (HTTP.includes(type)) set('MAX_REDIRECTS', String(Math.min(20, Number(text))));
        break;
      case 'ignoreTls':
        if (HTTP.includes(type)) set('TLS_VERIFY', isOn(value) ? 'false' : 'true');
        break;
      case 'expiryNotification':
        if (HTTP.includes(type) && !isOn(value)) set('TLS_EXPIRY', 'off');
        else collector.count(true);
        break;
      case 'upsideDown':
        collector.count(!isOn(value), `${name}: upside down`, 'a target that must fail cannot be watched');
        break;
      case 'tags':
        if (listOf(value).length > 0) collector.count(false, `${name}: tags`, 'group has one of them');
        break;
      case 'resendInterval':
        if (Number(text) > 0) collector.channel('ALERT_REMINDER', 'the resend interval');
        break;
      case 'retryInterval':
        // A target that fails is due at every run until it is decided.
        collector.count(true);
        break;
      case 'cacheBust':
        if (isOn(value)) collector.count(false, `${name}: cacheBust`);
        break;
      default:
        if (!BOOKKEEPING.test(key)) collector.count(false, `${name}: ${key}`);
    }
  }
  return options;
}

function isOn(value: unknown): boolean {
  return value === true || value === 1 || value === '1' || value === 'true';
}

/** An object, or the JSON text of one. */
function parsed(value: unknown): ToolFields {
  if (typeof value !== 'string') return fieldsOf(value);
  try {
    return fieldsOf(JSON.parse(value));
  } catch {
    return new Map();
  }
}
