import {
  Collector,
  escaped,
  fieldsOf,
  globRegex,
  goDuration,
  hostIn,
  isOn,
  listOf,
  literal,
  marked,
  NO_PING,
  quoted,
  searchText,
  STATUS_CODES,
  statusRanges,
  textOf,
  textsIn,
  withoutScheme,
  type Imported,
  type TargetDraft,
  type ToolFields,
} from './tool.js';
import { CHANNEL_VARIABLES, channelFor } from './channels.js';
import { parseDuration } from '../../config/values.js';

/** Settings of providers that say where alerts go: they are in the variable. */
const ADDRESSES = new Set([
  ...['webhook-url', 'url', 'token', 'id', 'topic', 'integration-key', 'from', 'to', 'host', 'port'],
  ...['username', 'password', 'api-url', 'priority'],
]);

const SCHEMES = ['http', 'https', 'tcp', 'tls', 'starttls', 'ws', 'wss', 'grpc', 'grpcs'];

interface Alerting {
  /** Channels that the providers become. */
  readonly channels: ReadonlySet<string>;
  /** What `default-alert` of a provider sets. */
  readonly defaults: ReadonlyMap<string, ToolFields>;
}

/** Variables of the environment stand anywhere in its text; a dollar sign is written twice. */
const VARIABLES = /\$\$|\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)/g;

/** A configuration of Gatus: `endpoints`, or `services` as older versions call them. */
export function fromGatus(document: unknown): Imported {
  const collector = new Collector();
  const top = fieldsOf(marked(document, VARIABLES));
  const alerting = readAlerting(collector, fieldsOf(top.get('alerting')));
  for (const endpoint of [...listOf(top.get('endpoints')), ...listOf(top.get('services'))].map(fieldsOf)) {
    const draft = collector.target({
      name: textOf(endpoint.get('name')),
      address: textOf(endpoint.get('url')),
    });
    const scheme = /^([a-z]+):\/\//i.exec(textOf(endpoint.get('url')))?.[1]?.toLowerCase();
    readEndpoint(collector, draft, endpoint, alerting);
    if (scheme === 'icmp') collector.refuse(draft, 'the address icmp://', NO_PING);
    else if (scheme === 'ssh')
      collector.refuse(
        draft,
        'the address ssh://',
        String.raw`watch tcp://host:22 with expectBody: "/^SSH-2\\.0-/"`,
      );
    else if (scheme !== undefined && !SCHEMES.includes(scheme))
      collector.refuse(draft, `the address ${scheme}://`, 'docs/kinds.md has the kinds of addresses');
    else collector.add(draft);
  }
  for (const [key, value] of top) readTopLevel(collector, key, value);
  return collector.result();
}

function readAlerting(collector: Collector, providers: ToolFields): Alerting {
  const channels = new Set<string>();
  const defaults = new Map<string, ToolFields>();
  for (const [provider, value] of providers) {
    const channel = channelFor(provider);
    const fields = fieldsOf(value);
    if (channel === undefined) {
      const advice = 'set up another channel, such as ALERT_APPRISE_URL, which reaches a hundred services';
      collector.leave(`alerting.${provider}`, advice, null, Math.max(1, fields.size));
      continue;
    }
    channels.add(channel);
    const variable = CHANNEL_VARIABLES[channel];
    if (fields.size === 0) collector.variable(variable, `alerting.${provider}`, `alerting.${provider}`);
    for (const [setting, content] of fields) {
      const what = `alerting.${provider}.${setting}`;
      if (setting === 'default-alert') defaults.set(provider, fieldsOf(content));
      else if (
        setting === 'method' ||
        setting === 'body' ||
        setting === 'headers' ||
        setting === 'placeholders'
      )
        collector.leave(what, 'the webhook posts JSON of its own form (docs/alerts.md)');
      else if (setting === 'insecure' && !isOn(content)) collector.carry();
      else if (setting === 'insecure' && textOf(fields.get('webhook-url')).startsWith('http:'))
        collector.pass(what, 'the address has no TLS');
      else if (setting === 'insecure')
        collector.leave(what, 'NODE_EXTRA_CA_CERTS names the authority of a certificate on one machine');
      else if (ADDRESSES.has(setting)) collector.variable(variable, `alerting.${provider}`, what);
      else collector.leave(what, `${variable} has all that is sent to it`);
    }
  }
  return { channels, defaults };
}

const NO_CONFIGURATION = 'Keepalive keeps its data in its own store (docs/self-hosting.md)';

/** Settings of Gatus that have no place here. */
const UNREAD = new Set(['debug', 'remote', 'tunneling', 'state', 'api']);

function readTopLevel(collector: Collector, key: string, value: unknown): void {
  const text = textOf(value);
  const fields = fieldsOf(value);
  switch (key) {
    case 'endpoints':
    case 'services':
    case 'alerting':
      break;
    case 'metrics':
      if (isOn(value)) collector.pass(key, '/api/metrics is always there');
      else collector.leaveOwn(key, 'STATS_TOKEN closes /api/metrics to strangers');
      break;
    case 'storage':
      for (const setting of fields.keys()) {
        if (['type', 'path', 'caching'].includes(setting))
          collector.pass(`storage.${setting}`, NO_CONFIGURATION);
        else collector.leaveOwn(`storage.${setting}`, 'how long figures are kept is fixed (docs/figures.md)');
      }
      break;
    case 'concurrency':
      collector.setting('KEEP_ALIVE_CONCURRENCY', text, key);
      break;
    case 'disable-monitoring-lock':
      collector.pass(key, 'targets are checked side by side');
      break;
    case 'skip-invalid-config-update':
      collector.pass(key, 'a faulty targets file never takes the place of a good one');
      break;
    case 'web':
      for (const [setting, content] of fields) {
        if (setting === 'port') collector.setting('PORT', textOf(content), 'web.port');
        else if (setting === 'read-buffer-size')
          collector.pass('web.read-buffer-size', 'it needs no limit here');
        else collector.leaveOwn(`web.${setting}`, 'put a proxy in front of npm start');
      }
      break;
    case 'ui':
      readPage(collector, fields);
      break;
    case 'maintenance':
      if (fields.get('enabled') === false) collector.pass(key, 'it is switched off');
      else {
        const window = windowOf(fields);
        if (window === null) collector.leave(key, 'write it as KEEP_ALIVE_MAINTENANCE');
        else collector.setting('KEEP_ALIVE_MAINTENANCE', window, key);
      }
      break;
    case 'security':
      for (const setting of fields.keys()) {
        if (setting === 'basic')
          collector.variable(
            'STATS_TOKEN',
            'security.basic: a text of 16 characters or more',
            'security.basic',
          );
        else collector.leave(`security.${setting}`, 'STATS_TOKEN closes the page; there are no accounts');
      }
      break;
    case 'announcements':
      collector.leave(
        key,
        'write notes: POST /api/notes (docs/pages.md)',
        null,
        Math.max(1, listOf(value).length),
      );
      break;
    case 'connectivity':
      collector.leave(
        key,
        'KEEP_ALIVE_CONTROL_URLS takes addresses that tell whether your own network works',
      );
      break;
    case 'external-endpoints':
    case 'suites':
      collector.leave(
        key,
        'only what can be asked at one address is watched',
        null,
        Math.max(1, listOf(value).length),
      );
      break;
    default:
      if (UNREAD.has(key)) collector.leave(key);
      // Gatus knows no other names: what stands there is for aliases.
      else collector.pass(key, 'what it holds counts where it is used');
  }
}

function readPage(collector: Collector, fields: ToolFields): void {
  for (const [setting, content] of fields) {
    const text = textOf(content);
    const what = `ui.${setting}`;
    if (setting === 'title' || setting === 'header') collector.setting('PAGE_TITLE', text, what);
    else if (setting === 'description') collector.setting('PAGE_DESCRIPTION', text, what);
    else if (setting === 'logo') collector.setting('PAGE_LOGO_URL', text, what);
    else if (setting === 'link') collector.setting('PAGE_HOME_URL', homeUrl(text), what);
    else if (setting === 'buttons')
      for (const button of listOf(content).map(fieldsOf)) {
        const words = textOf(button.get('name'));
        collector.link(words, textOf(button.get('link')), `ui.buttons, ${words}`);
      }
    else if (setting === 'dark-mode') collector.pass(what, 'the page is light or dark as the visitor has it');
    else collector.leaveOwn(what, 'the page has a look of its own (docs/pages.md)');
  }
}

/** As the configuration reads it, so that one address in two forms is one value. */
function homeUrl(text: string): string {
  return URL.canParse(text) ? new URL(text).href : text;
}

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

/** A maintenance window that comes every day or on some days; null where it cannot be written here. */
function windowOf(fields: ToolFields): string | null {
  const [, hours, minutes] = /^(\d\d?):(\d\d)$/.exec(textOf(fields.get('start'))) ?? [];
  const lasts = minutesOf(textOf(fields.get('duration')));
  if (hours === undefined || minutes === undefined || lasts === null || lasts >= 1440) return null;
  const end = (Number(hours) * 60 + Number(minutes) + lasts) % 1440;
  const days = listOf(fields.get('every')).map((day) => textOf(day).slice(0, 3));
  const zone = textOf(fields.get('timezone')) || 'UTC';
  if (days.some((day) => !DAYS.some((each) => each.startsWith(day)))) return null;
  const time = (minute: number): string =>
    `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`;
  return `${days.length === 0 ? 'Mon-Sun' : days.join(',')} ${hours.padStart(2, '0')}:${minutes}-${time(end)} ${zone}`;
}

/** Go's `1h30m` in minutes; null where it is none of whole minutes. */
function minutesOf(duration: string): number | null {
  const [, hours = '0', minutes = '0'] = /^(?:(\d{1,3})h)?(?:(\d{1,5})m)?(?:0s)?$/.exec(duration) ?? [];
  const total = Number(hours) * 60 + Number(minutes);
  return total > 0 ? total : null;
}

const SHOWN_NOWHERE = new Set([
  ...['hide-conditions', 'hide-errors', 'dont-resolve-failed-conditions', 'resolve-successful-conditions'],
]);

function readEndpoint(
  collector: Collector,
  draft: TargetDraft,
  endpoint: ToolFields,
  { channels, defaults }: Alerting,
): void {
  const isDns = endpoint.has('dns');
  const address = textOf(endpoint.get('url'));
  const isSocket = /^(?:tcp|tls|wss?):/.test(address);
  for (const [key, value] of endpoint) {
    const text = textOf(value);
    switch (key) {
      case 'name':
        draft.carry();
        break;
      case 'url': {
        const plain = address.replace(/^starttls:\/\//, 'smtp://');
        draft.set('URL', literal(isDns ? `dns://${withoutScheme(address)}` : plain));
        break;
      }
      case 'group':
        draft.set('GROUP', literal(text));
        break;
      case 'enabled':
        draft.set('ENABLED', text);
        break;
      case 'method':
        draft.set('METHOD', text);
        break;
      case 'body':
        if (isOn(endpoint.get('graphql'))) draft.set('BODY', literal(JSON.stringify({ query: text })));
        else if (isSocket) draft.set('QUERY', literal(text.replaceAll('\\', String.raw`\\`)));
        else draft.set('BODY', literal(text));
        break;
      case 'graphql':
        if (isOn(value)) draft.put('METHOD', 'POST');
        draft.carry();
        break;
      case 'interval':
        draft.set('INTERVAL', goDuration(text));
        break;
      case 'headers':
        draft.set('HEADERS', draft.headers(textsIn(value)));
        break;
      case 'conditions':
        readConditions(draft, listOf(value).map(textOf), isDns ? 'dns' : hostIn(address));
        break;
      case 'dns': {
        const dns = fieldsOf(value);
        draft.set('QUERY', `${textOf(dns.get('query-type'))} ${textOf(dns.get('query-name'))}`);
        break;
      }
      case 'client':
        for (const [setting, content] of fieldsOf(value)) readClient(draft, setting, content);
        break;
      case 'ui':
        for (const [setting, content] of fieldsOf(value)) {
          const isHiding = setting === 'hide-url' || setting === 'hide-hostname' || setting === 'hide-port';
          if (isHiding && isOn(content)) draft.set('SHOW', 'name');
          else if (isHiding) draft.carry();
          else if (SHOWN_NOWHERE.has(setting)) draft.pass(`ui.${setting}`, 'conditions are shown nowhere');
          else draft.leave(`ui.${setting}`);
        }
        break;
      case 'maintenance-windows': {
        const windows = listOf(value).map((each) => windowOf(fieldsOf(each)));
        const known = windows.filter((window) => window !== null);
        if (known.length === windows.length) draft.set('MAINTENANCE', known);
        else draft.leave(key, 'write them as maintenance');
        break;
      }
      case 'alerts': {
        const told = new Set<string>();
        for (const alert of listOf(value).map(fieldsOf)) {
          const type = textOf(alert.get('type'));
          const all = new Map([...(defaults.get(type) ?? []), ...alert]);
          if (!isOff(all.get('enabled'))) told.add(channelFor(type) ?? '');
          readAlert(collector, draft, all);
        }
        const names = [...told].filter((name) => channels.has(name));
        if (names.length === 0 && channels.size > 0) draft.put('ALERTS', 'off');
        else if (names.length < channels.size) draft.put('ALERTS', names);
        break;
      }
      default:
        draft.leave(key);
    }
  }
  // Gatus tells nobody of an endpoint without alerts.
  if (channels.size > 0 && !endpoint.has('alerts')) draft.put('ALERTS', 'off');
}

function isOff(value: unknown): boolean {
  return value === false || value === 'false';
}

function readAlert(collector: Collector, draft: TargetDraft, alert: ToolFields): void {
  for (const [setting, content] of alert) {
    const text = textOf(content);
    const what = `alerts.${setting}`;
    if (setting === 'failure-threshold') draft.set('FAILURE_THRESHOLD', text);
    else if (setting === 'success-threshold') draft.set('SUCCESS_THRESHOLD', text);
    else if (setting === 'minimum-reminder-interval')
      collector.setting('ALERT_REMINDER', goDuration(text), what);
    else if (setting === 'type' && channelFor(text) === undefined)
      draft.leave(
        what,
        'set up another channel, such as ALERT_APPRISE_URL, which reaches a hundred services',
      );
    else if (setting === 'type' || setting === 'enabled') draft.carry();
    else if (setting === 'send-on-resolved' && isOn(content)) draft.carry();
    else if (setting === 'send-on-resolved') draft.leave(what, 'the end of an outage is always told');
    else if (setting === 'description') draft.leave(what, 'alerts say by themselves what failed');
    else draft.leave(what);
  }
}

function readClient(draft: TargetDraft, setting: string, content: unknown): void {
  const text = textOf(content);
  const what = `client.${setting}`;
  switch (setting) {
    case 'timeout':
      draft.set('TIMEOUT', goDuration(text));
      break;
    case 'insecure':
      draft.set('TLS_VERIFY', isOn(content) ? 'false' : 'true');
      break;
    case 'ignore-redirect':
      draft.set('MAX_REDIRECTS', isOn(content) ? '0' : '5');
      break;
    case 'tls':
      readClientTls(draft, fieldsOf(content));
      break;
    case 'dns-resolver':
      draft.leave(what, "names are asked of the system's name servers");
      break;
    default:
      draft.leave(what, 'proxies, tunnels and OAuth are not supported: watch an address that needs none');
  }
}

function readClientTls(draft: TargetDraft, tls: ToolFields): void {
  const files = ['certificate-file', 'private-key-file'].map((name) => textOf(tls.get(name)));
  if (files.every((file) => file !== '')) draft.useClientCertificate(files);
  for (const name of tls.keys()) {
    if (name === 'renegotiation')
      draft.pass(`client.tls.${name}`, 'TLS 1.3 has none, and no client begins one');
    else if (!/^(?:certificate|private-key)-file$/.test(name)) draft.leave(`client.tls.${name}`);
    else if (files.includes(''))
      draft.leave(`client.tls.${name}`, 'tlsClientCert takes a certificate and its key');
    else draft.carry();
  }
}

interface Condition {
  readonly left: string;
  readonly operator: string;
  readonly right: string;
}

const OPERATORS = ['==', '!=', '<=', '>=', '<', '>'];

/** Null for a text without an operator. Takes linear time. */
function conditionOf(text: string): Condition | null {
  const found = OPERATORS.map((operator) => ({ operator, at: text.indexOf(` ${operator} `) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at)[0];
  if (found === undefined) return null;
  const { operator, at } = found;
  return { left: text.slice(0, at).trim(), operator, right: text.slice(at + operator.length + 2).trim() };
}

/** @param host the one in the address; `dns`: the conditions are about the records of a name */
function readConditions(draft: TargetDraft, conditions: readonly string[], host: string): void {
  let codes = STATUS_CODES;
  let isAboutStatus = false;
  for (const text of conditions) {
    const condition = conditionOf(text);
    isAboutStatus ||= text.includes('[STATUS]');
    const fit = condition?.left === '[STATUS]' ? codesFor(condition) : null;
    if (condition !== null && asksForFailure(condition, fit)) {
      draft.disable();
      draft.leave(
        `the condition ${condition.left}`,
        'a target that must fail cannot be watched: it is written with enabled: false',
      );
    } else if (fit !== null) {
      codes = codes.filter((code) => fit.includes(code));
      draft.carry();
    } else if (condition?.left === '[DOMAIN_EXPIRATION]' && condition.operator.startsWith('>')) {
      draft.watchDomain(
        host,
        parseDuration(goDuration(condition.right)) ?? 0,
        'the condition [DOMAIN_EXPIRATION]',
      );
    } else if (condition === null || !readCondition(draft, condition, host === 'dns')) {
      draft.leave(`the condition ${condition?.left ?? ''}`.trim(), adviceFor(condition));
    }
  }
  const isHttp = /^https?:/i.test(textOf(draft.options.get('URL')));
  // Without such a condition, every status is good.
  if (!isAboutStatus && isHttp) draft.put('EXPECT_STATUS', '100-599');
  else if (codes.length < STATUS_CODES.length && codes.length > 0)
    draft.put('EXPECT_STATUS', statusRanges(codes));
}

/** Whether a check that is good here can never meet the condition. @param codes the status codes that meet it */
function asksForFailure({ left, operator, right }: Condition, codes: readonly number[] | null): boolean {
  if (left === '[STATUS]') return codes?.length === 0;
  if (left === '[CERTIFICATE_EXPIRATION]') return operator.startsWith('<');
  const good = new Map([
    ['[CONNECTED]', 'true'],
    ['[DNS_RCODE]', 'NOERROR'],
  ]).get(left);
  if (good === undefined) return false;
  const pattern = argumentOf(right, 'pat');
  const isMet =
    pattern === null
      ? (wordsIn(right, 'any') ?? [right]).includes(good)
      : new RegExp(globRegex(pattern)).test(good);
  return operator === '==' ? !isMet : operator === '!=' && isMet;
}

function adviceFor(condition: Condition | null): string {
  if (condition?.left === '[RESPONSE_TIME]' && condition.operator.startsWith('<'))
    return 'no answer takes less than that: write how slow it may be as degradedAfter';
  return 'write it as expectJson, expectBody or degradedAfter (docs/kinds.md)';
}

/** The status codes that a condition allows; null where it is no condition on numbers. */
function codesFor({ operator, right }: Condition): readonly number[] | null {
  const any = wordsIn(right, 'any')?.map(Number);
  const pattern = argumentOf(right, 'pat');
  if (pattern !== null && operator.endsWith('=') && operator.length === 2) {
    if (!/^[\d*]{1,8}$/.test(pattern)) return null;
    const regex = new RegExp(`^${pattern.replace(/\*+/g, '.*')}$`);
    return STATUS_CODES.filter((code) => regex.test(String(code)) === (operator === '=='));
  }
  const wanted = any ?? [Number(right)];
  const [bound = NaN] = wanted;
  if (wanted.some((code) => !Number.isInteger(code))) return null;
  return STATUS_CODES.filter((code) => {
    if (operator === '==') return wanted.includes(code);
    if (operator === '!=') return !wanted.includes(code);
    if (operator === '<') return code < bound;
    if (operator === '<=') return code <= bound;
    return operator === '>' ? code > bound : code >= bound;
  });
}

/** What stands in the brackets of `name(…)`; null for a text that is no such call. */
function argumentOf(text: string, name: string): string | null {
  return text.startsWith(`${name}(`) && text.endsWith(')') ? text.slice(name.length + 1, -1) : null;
}

function wordsIn(text: string, name: string): string[] | null {
  return (
    argumentOf(text, name)
      ?.split(',')
      .map((word) => word.trim()) ?? null
  );
}

/** @returns whether the condition is carried over */
function readCondition(draft: TargetDraft, condition: Condition, isDns: boolean): boolean {
  const { left, operator, right } = condition;
  const isEqual = operator === '==';
  if (left === '[CONNECTED]' || left === '[DNS_RCODE]') {
    // Whatever does not hold here has failed already.
    const holds = isEqual && right === (left === '[CONNECTED]' ? 'true' : 'NOERROR');
    if (holds) draft.carry();
    return holds;
  }
  if (left === '[RESPONSE_TIME]' && operator.startsWith('<')) {
    const limit = goDuration(/^\d+$/.test(right) ? `${right}ms` : right);
    if (parseDuration(limit) === 0) return false;
    draft.set('DEGRADED_AFTER', limit);
    return true;
  }
  if (left === '[CERTIFICATE_EXPIRATION]' && operator.startsWith('>')) {
    draft.set('TLS_EXPIRY', goDuration(right));
    return true;
  }
  if (left === '[BODY]' && (isEqual || operator === '!=')) return readBody(draft, condition, isDns);
  const subject = subjectOf(left);
  const expression = subject === null ? null : comparison(subject, operator, right);
  if (expression === null) return false;
  draft.expect(expression);
  return true;
}

/** A condition on the body as a whole. */
function readBody(draft: TargetDraft, { operator, right }: Condition, isDns: boolean): boolean {
  const isEqual = operator === '==';
  const any = wordsIn(right, 'any');
  const pattern = argumentOf(right, 'pat');
  if (argumentOf(right, 'has') !== null) return false;
  const inner = pattern?.replace(/^\*+/, '') ?? '';
  const isPart = pattern !== null && /^\*[^*]*\*$/.test(pattern);
  const source =
    pattern === null ? `^\\s*(?:${(any ?? [right]).map(escaped).join('|')})\\s*$` : globRegex(pattern);
  if (isDns) {
    // The answer is a list of records.
    const found =
      pattern === null && any === null ? `${quoted(right)} in $` : `$exists($[$contains($, /${source}/)])`;
    draft.expect(isEqual ? found : `$not(${found})`);
    return true;
  }
  const option = isEqual ? 'EXPECT_BODY' : 'REJECT_BODY';
  if (draft.options.has(option)) return false;
  draft.set(option, isPart ? searchText(inner.slice(0, -1)) : literal(`/${source}/`));
  return true;
}

/** What a condition is about, as JSONata; null for what is not known here. */
function subjectOf(left: string): string | null {
  const measured = argumentOf(left, 'len');
  if (measured !== null) {
    const of = pathOf(measured);
    if (of === null) return null;
    // Of what is missing there is no length, so that no comparison with it is true.
    return `($type(${of}) = "array" ? $count(${of}) : $type(${of}) = "object" ? $count($keys(${of})) : $length($string(${of})))`;
  }
  const asked = argumentOf(left, 'has');
  if (asked !== null) {
    const of = pathOf(asked);
    return of === null ? null : `$exists(${of})`;
  }
  return pathOf(left);
}

/** `[BODY].a[0].b-c` as a path of JSONata. */
function pathOf(text: string): string | null {
  if (text === '[IP]') return '$ip';
  if (text === '[BODY]') return '$';
  if (/^\[HEADER\]\.[\w-]{1,100}$/.test(text))
    return `$headers.${quoted(text.slice('[HEADER].'.length).toLowerCase())}`;
  if (!text.startsWith('[BODY].') && !text.startsWith('[BODY][')) return null;
  const path = text.slice('[BODY]'.length).replace(/^\./, '');
  const steps = path.split('.').map((step) => /^([^[\]`"]*)((?:\[\d{1,9}\])*)$/.exec(step));
  if (steps.some((step) => step === null)) return null;
  return steps
    .map((step) => {
      const [, name = '', indices = ''] = step ?? [];
      const plain = /^[A-Za-z_]\w*$/.test(name) && !/^(?:and|or|in|true|false|null)$/.test(name);
      return `${name === '' ? '$' : plain ? name : `\`${name}\``}${indices}`;
    })
    .join('.');
}

function comparison(subject: string, operator: string, right: string): string | null {
  const value = (word: string): string =>
    /^(?:-?\d{1,15}(?:\.\d{1,15})?|true|false|null)$/.test(word) ? word : quoted(word);
  if (/^(?:len\(|has\(|age\()?\[[A-Z_]+\]/.test(right)) {
    // The other side is something of the answer too.
    const other = subjectOf(right);
    return other === null ? null : `${subject} ${operator === '==' ? '=' : operator} ${other}`;
  }
  const isEqual = operator === '==';
  const any = wordsIn(right, 'any');
  const pattern = argumentOf(right, 'pat');
  if (any !== null || pattern !== null) {
    if (!isEqual && operator !== '!=') return null;
    const found =
      any === null
        ? `$contains($string(${subject}), /${globRegex(pattern ?? '')}/)`
        : `${subject} in [${any.map(value).join(', ')}]`;
    return isEqual ? found : `$not(${found})`;
  }
  return `${subject} ${isEqual ? '=' : operator} ${value(right)}`;
}
