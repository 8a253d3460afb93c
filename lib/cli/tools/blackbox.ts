import {
  Collector,
  escaped,
  fieldsOf,
  goDuration,
  isOn,
  listOf,
  literal,
  NO_PING,
  quoted,
  textOf,
  textsIn,
  ToolError,
  withLogin,
  type Imported,
  type TargetDraft,
  type ToolFields,
} from './tool.js';
import { withoutLogin, withoutSecrets } from './secrets.js';
import { regexParts, relabelling, type Labels } from './relabel.js';
import { parseDuration } from '../../config/values.js';

const NO_PROXY = 'proxies are not supported: watch an address that needs none';
const AUTHORITY = 'NODE_EXTRA_CA_CERTS';

/** Scrape jobs of Prometheus (`scrape_configs`) with the modules of the blackbox exporter (`modules`), in any number of files. */
export function fromBlackbox(document: unknown): Imported {
  const collector = new Collector();
  const top = fieldsOf(document);
  if (!top.has('scrape_configs'))
    throw new ToolError('expected scrape_configs of prometheus.yml, which have the addresses');
  const modules = new Map(
    [...fieldsOf(top.get('modules'))].map(([name, module]) => [name, fieldsOf(module)]),
  );
  const timing = readGlobal(collector, fieldsOf(top.get('global')));
  for (const job of listOf(top.get('scrape_configs')).map(fieldsOf)) readJob(collector, job, modules, timing);
  for (const key of top.keys()) readTopLevel(collector, key);
  return collector.result();
}

/** What holds for each job that has no such setting of its own. */
interface Timing {
  readonly interval: string;
  readonly timeout: string;
}

function readGlobal(collector: Collector, global: ToolFields): Timing {
  for (const key of global.keys()) {
    if (key !== 'scrape_interval' && key !== 'scrape_timeout')
      collector.leaveOwn(`global.${key}`, 'it sets up Prometheus itself');
  }
  return { interval: textOf(global.get('scrape_interval')), timeout: textOf(global.get('scrape_timeout')) };
}

function readTopLevel(collector: Collector, key: string): void {
  if (key === 'modules' || key === 'scrape_configs' || key === 'global') return;
  if (key === 'alerting') collector.leave(key, 'set up a channel for alerts (docs/alerts.md)');
  else if (key === 'rule_files')
    collector.leave(
      key,
      'failureThreshold, degradedAfter and tlsExpiry say when a target is told of: set them as your rules do',
    );
  else if (key === 'scrape_config_files')
    collector.leave(key, 'put the scrape_configs of these files into the file');
  else collector.leaveOwn(key, 'it sets up Prometheus itself');
}

/** Modules that come with the exporter, as far as probes differ from what they are without settings. */
const DEFAULT_MODULES: ReadonlyMap<string, unknown> = new Map([
  ['http_2xx', { prober: 'http' }],
  ['http_post_2xx', { prober: 'http', http: { method: 'POST' } }],
  ['tcp_connect', { prober: 'tcp' }],
  ['ssh_banner', { prober: 'tcp', tcp: { query_response: [{ expect: '^SSH-2.0-' }] } }],
  ['icmp', { prober: 'icmp' }],
]);

/** What to do where a job finds its addresses elsewhere. */
const ELSEWHERE =
  'put the addresses that it finds, which /api/v1/targets of Prometheus lists, into static_configs of the job';
const DISCOVERY: ReadonlyMap<string, string> = new Map([
  ['file_sd_configs', 'put what is in its files into static_configs of the job: the form is the same'],
  ['http_sd_configs', 'put what its address answers into static_configs of the job: the form is the same'],
]);

/** What a job has for its targets. The rest is about how Prometheus reaches the exporter. */
const JOB_SETTINGS =
  /^(?:job_name|params|static_configs|relabel_configs|scrape_interval|scrape_timeout|metrics_path)$/;

function readJob(
  collector: Collector,
  job: ToolFields,
  modules: ReadonlyMap<string, ToolFields>,
  timing: Timing,
): void {
  const name = textOf(job.get('job_name'));
  const params = [...fieldsOf(job.get('params'))].map(
    ([param, values]) => [param, textOf(listOf(values)[0])] as const,
  );
  const rules = listOf(job.get('relabel_configs')).map(fieldsOf);
  const groups = listOf(job.get('static_configs')).map(fieldsOf);
  const path = textOf(job.get('metrics_path'));
  const isProbing =
    /^$|\/metrics$|\/probe$/.test(path) &&
    (path.endsWith('/probe') ||
      params.some(([param]) => param === 'module') ||
      rules.some((rule) => /^__param_(?:module|target)$/.test(textOf(rule.get('target_label')))) ||
      groups.some((group) => fieldsOf(group.get('labels')).has('__param_module')));
  if (!isProbing) {
    collector.leaveOwn(`the scrape job ${name}`, 'it probes no address');
    return;
  }
  for (const key of job.keys()) {
    if (key.endsWith('_sd_configs')) collector.leave(`${name}: ${key}`, DISCOVERY.get(key) ?? ELSEWHERE);
    else if (!JOB_SETTINGS.test(key))
      collector.leaveOwn(`${name}: ${key}`, 'it is about how Prometheus asks the exporter');
  }
  const relabel = relabelling(rules);
  if (relabel === null)
    collector.leave(
      `${name}: relabel_configs`,
      'only replace, keep, drop, labeldrop, lowercase and uppercase with plain patterns are read: look at the addresses',
    );
  else if (rules.length > 0) collector.carry();
  const used = new Set(rules.flatMap((rule) => listOf(rule.get('source_labels')).map(textOf)));
  for (const group of groups) {
    const own = textsIn(group.get('labels'));
    for (const given of listOf(group.get('targets')).map(textOf)) {
      const before = new Map([
        ...params.map(([param, value]) => [`__param_${param}`, value] as const),
        ['job', name],
        ['__address__', given],
        ...own,
      ]);
      const labels = (relabel ?? ((all: Labels) => all))(before);
      if (labels === null) {
        collector.pass(
          `${name}: ${withoutSecrets(withoutLogin(given))}`,
          'a rule in relabel_configs drops it',
        );
        continue;
      }
      const address = labels.get('__param_target') ?? given;
      const instance = labels.get('instance') ?? '';
      const isNamed = ![labels.get('__address__'), address, given].includes(instance) && instance !== '';
      const title = isNamed ? instance : (labels.get('name') ?? '');
      const draft = collector.target({ name: title, address });
      if (name !== '') draft.put('GROUP', literal(name.slice(0, 100)));
      for (const [label, value] of own) {
        if (label.startsWith('__') || used.has(label) || value === title) draft.carry();
        else
          draft.leave(
            `the label ${label}`,
            'there are no labels: write what people are to read as description',
          );
      }
      for (const [param] of params) {
        if (param === 'hostname')
          draft.leave('params.hostname', 'set the header Host, where it differs from the address');
        else if (param !== 'module' && param !== 'target')
          draft.pass(`params.${param}`, 'it is for the exporter');
      }
      setTiming(draft, job, timing);
      // The exporter takes this module where none is named.
      const named = labels.get('__param_module') ?? 'http_2xx';
      const module = modules.get(named) ?? fieldsOf(DEFAULT_MODULES.get(named));
      if (module.size > 0) draft.carry();
      else draft.leave(`the module ${named}`, 'put modules of blackbox.yml into the file: it is not there');
      readModule(
        collector,
        draft,
        module.size > 0 ? module : new Map([['prober', named.split('_')[0]]]),
        address,
      );
    }
  }
}

/** A job's own value, the one for all, or the default of Prometheus. */
function setTiming(draft: TargetDraft, job: ToolFields, timing: Timing): void {
  for (const [option, key, shared, fallback] of [
    ['INTERVAL', 'scrape_interval', timing.interval, '1m'],
    ['TIMEOUT', 'scrape_timeout', timing.timeout, '10s'],
  ] as const) {
    if (job.has(key)) draft.set(option, goDuration(textOf(job.get(key))), key);
    else if (shared !== '') draft.set(option, goDuration(shared), `global.${key}`);
    else draft.put(option, fallback);
  }
}

const ADVICE: ReadonlyMap<string, string> = new Map([
  ['icmp', NO_PING],
  ['unix', 'only what is reached over the network is watched'],
]);

function readModule(collector: Collector, draft: TargetDraft, module: ToolFields, address: string): void {
  const prober = textOf(module.get('prober'));
  const own = fieldsOf(module.get(prober));
  const isTls = isOn(own.get('tls'));
  const scheme = new Map([
    ['http', 'http'],
    ['tcp', isTls ? 'tls' : 'tcp'],
    ['dns', 'dns'],
    ['grpc', isTls ? 'grpcs' : 'grpc'],
    ['websocket', 'ws'],
  ]).get(prober);
  if (module.has('timeout')) readTimeout(draft, goDuration(textOf(module.get('timeout'))));
  if (scheme === undefined) {
    for (const key of own.keys()) draft.leave(key);
    const shown = /^[a-z_]{1,30}$/.test(prober) ? prober : 'unknown';
    collector.refuse(
      draft,
      `the prober ${shown}`,
      ADVICE.get(prober) ?? 'docs/kinds.md has the kinds of targets',
    );
    return;
  }
  const plain = address.includes('://') ? address : `${scheme}://${address}`;
  draft.put('URL', literal(prober === 'websocket' ? plain.replace(/^http/i, 'ws') : plain));
  for (const [key, value] of own) {
    const isDone =
      readCommon(collector, draft, own, key, value) ||
      (prober === 'http' && readHttp(draft, key, value)) ||
      (prober === 'dns' && readDns(draft, own, key, value)) ||
      ((prober === 'grpc' || prober === 'websocket') && readCall(collector, draft, key, value));
    if (!isDone) draft.leave(`${prober}.${key}`);
  }
  collector.add(draft);
}

/** The shorter of the time limits of the job and of the module holds. */
function readTimeout(draft: TargetDraft, timeout: string): void {
  const ofJob = parseDuration(textOf(draft.options.get('TIMEOUT'))) ?? Infinity;
  if ((parseDuration(timeout) ?? 0) > ofJob) draft.pass('timeout', 'the scrape_timeout is shorter');
  else draft.set('TIMEOUT', timeout);
}

/** @returns whether it is a setting that several probers have */
function readCommon(
  collector: Collector,
  draft: TargetDraft,
  own: ToolFields,
  key: string,
  value: unknown,
): boolean {
  switch (key) {
    case 'tls':
      draft.carry();
      return true;
    case 'tls_config':
      readTls(collector, draft, fieldsOf(value));
      return true;
    case 'query_response':
      readDialogue(draft, listOf(value).map(fieldsOf));
      return true;
    case 'preferred_ip_protocol':
    case 'ip_protocol_fallback': {
      const first = textOf(own.get('preferred_ip_protocol')) === 'ip4' ? '4' : '6';
      const isOnly = own.get('ip_protocol_fallback') === false;
      draft.set('IP_VERSION', isOnly ? first : first === '4' ? '4,6' : '6,4', key);
      return true;
    }
    case 'source_ip_address':
      draft.leave(key, 'the system chooses the address from which it connects');
      return true;
    default:
      return false;
  }
}

function readTls(collector: Collector, draft: TargetDraft, tls: ToolFields): void {
  for (const [setting, content] of tls) {
    const what = `tls_config.${setting}`;
    if (setting === 'insecure_skip_verify') draft.set('TLS_VERIFY', isOn(content) ? 'false' : 'true', what);
    else if (setting === 'ca_file' && isOn(tls.get('insecure_skip_verify')))
      draft.pass(what, 'any certificate is accepted');
    else if (setting === 'ca_file')
      collector.variable(
        AUTHORITY,
        'a file with the certificates of all ca_file, where you start Keepalive yourself',
        what,
      );
    else if (setting === 'min_version' && /^TLS1[0-2]$/.test(textOf(content)))
      draft.pass(what, 'nothing older than TLS 1.2 is spoken');
    else if (setting === 'cert_file' || setting === 'key_file') readClientFile(draft, tls, what);
    else draft.leave(what, 'the name in the address is the one that is asked for and checked');
  }
}

const TEXT = String.raw`"[^"\\]*"|'[^'\\]*'`;
/** A text, a number or word, an operator, or something of the body with a function of texts behind it. */
const CEL = new RegExp(
  String.raw`\s*(?:(${TEXT})|(\d{1,15}(?:\.\d{1,15})?|true|false|null)\b|(&&|\|\||[=!<>]=|[<>()])|` +
    String.raw`body((?:\.[A-Za-z_]\w*(?![\w(])|\[\d{1,9}\])*)(?![\w[])(?:\.(startsWith|endsWith|contains)\(\s*(${TEXT})\s*\))?)`,
  'y',
);
const OPERATORS: ReadonlyMap<string, string> = new Map([
  ['&&', 'and'],
  ['||', 'or'],
  ['==', '='],
]);

/** A CEL expression that compares what is in the body, as JSONata; null for one with anything else in it. */
function jsonataOf(cel: string): string | null {
  const words: string[] = [];
  const source = cel.trim();
  CEL.lastIndex = 0;
  while (CEL.lastIndex < source.length) {
    const found = CEL.exec(source);
    if (found === null) return null;
    const [, text, plain, operator, path = '', method, argument = ''] = found;
    const of =
      path
        .replace(/^\./, '')
        .replace(/[A-Za-z_]\w*/g, (name) =>
          /^(?:and|or|in|true|false|null)$/.test(name) ? `\`${name}\`` : name,
        )
        .replace(/^(?=\[)/, '$') || '$';
    const wanted = argument.slice(1, -1);
    if (text !== undefined) words.push(quoted(text.slice(1, -1)));
    else if (plain !== undefined) words.push(plain);
    else if (operator !== undefined) words.push(OPERATORS.get(operator) ?? operator);
    else if (method === undefined) words.push(of);
    else if (method === 'contains') words.push(`$contains(${of}, ${quoted(wanted)})`);
    else
      words.push(
        `$contains(${of}, /${method === 'startsWith' ? '^' : ''}${escaped(wanted)}${method === 'endsWith' ? '$' : ''}/)`,
      );
  }
  return words.length === 0 ? null : words.join(' ');
}

function readClientFile(draft: TargetDraft, tls: ToolFields, what: string): void {
  const files = ['cert_file', 'key_file'].map((name) => textOf(tls.get(name)));
  if (files.includes('')) draft.leave(what, 'tlsClientCert takes a certificate and its key');
  else {
    draft.useClientCertificate(files);
    draft.carry();
  }
}

/** @returns whether it is a setting of this prober */
function readHttp(draft: TargetDraft, key: string, value: unknown): boolean {
  const list = listOf(value);
  switch (key) {
    case 'method':
      draft.set('METHOD', textOf(value));
      return true;
    case 'body':
      draft.set('BODY', literal(textOf(value)));
      return true;
    case 'body_file':
      draft.set('BODY', draft.secret('BODY', `the text of the file ${textOf(value)}, the body`));
      return true;
    case 'body_size_limit':
      draft.set('MAX_BODY', textOf(value).toLowerCase());
      return true;
    case 'headers':
      addHeaders(draft, draft.headers(textsIn(value)));
      return true;
    case 'http_headers':
      addHeaders(draft, headersIn(draft, value));
      return true;
    case 'valid_status_codes':
      if (list.length > 0) draft.set('EXPECT_STATUS', list.map(textOf));
      else draft.carry();
      return true;
    case 'accept_any_response':
      if (isOn(value)) draft.set('EXPECT_STATUS', '100-599', key);
      else draft.carry();
      return true;
    case 'valid_http_versions':
      if (list.some((version) => textOf(version) === 'HTTP/1.1'))
        draft.pass(key, 'HTTP/1.1 is spoken, and is one of them');
      else draft.leave(key, 'HTTP/1.1 is spoken');
      return true;
    case 'enable_http2':
      draft.pass(key, 'HTTP/1.1 is spoken, which every such server understands');
      return true;
    case 'enable_http3':
      if (isOn(value)) draft.leave(key, 'HTTP/1.1 is spoken');
      else draft.pass(key, 'HTTP/1.1 is spoken');
      return true;
    case 'follow_redirects':
      draft.set('MAX_REDIRECTS', isOn(value) ? '10' : '0');
      return true;
    case 'no_follow_redirects':
      // Its older name.
      if (isOn(value)) draft.set('MAX_REDIRECTS', '0');
      else draft.carry();
      return true;
    case 'compression': {
      const coding = textOf(value);
      if (coding === 'identity') draft.expect('$not($exists($headers."content-encoding"))');
      else draft.expect(`$headers."content-encoding" = ${quoted(coding)}`);
      addHeaders(draft, { 'Accept-Encoding': coding }, false);
      return true;
    }
    case 'fail_if_ssl':
    case 'fail_if_not_ssl':
      if (!isOn(value)) draft.carry();
      else draft.expect(key === 'fail_if_ssl' ? '$not($exists($tls))' : '$exists($tls)');
      return true;
    case 'fail_if_body_matches_regexp':
      draft.set(
        'REJECT_BODY',
        regexOf(list.length === 1 ? textOf(list[0]) : list.map((each) => `(?:${textOf(each)})`).join('|')),
      );
      return true;
    case 'fail_if_body_not_matches_regexp':
      draft.set(
        'EXPECT_BODY',
        regexOf(
          list.length === 1 ? textOf(list[0]) : list.map((each) => `(?=[^]*(?:${textOf(each)}))`).join(''),
        ),
      );
      return true;
    case 'fail_if_header_matches':
    case 'fail_if_header_not_matches':
      readHeaderRule(draft, key, list.map(fieldsOf));
      return true;
    case 'fail_if_body_json_matches_cel':
    case 'fail_if_body_json_not_matches_cel': {
      const expression = jsonataOf(textOf(value));
      if (expression !== null)
        draft.expect(key === 'fail_if_body_json_matches_cel' ? `$not(${expression})` : `(${expression})`);
      else draft.leave(key, 'write it in JSONata as expectJson: body.a == "b" is a = "b" there');
      return true;
    }
    case 'oauth2':
      draft.leave(key, 'set the header Authorization, if a lasting token will do');
      return true;
    case 'proxy_url':
    case 'no_proxy':
    case 'proxy_from_environment':
    case 'proxy_connect_header':
    case 'skip_resolve_phase_with_proxy':
      draft.leave(key, NO_PROXY);
      return true;
    default:
      return readLogin(draft, key, value);
  }
}

/** @returns whether it is a setting about who asks */
function readLogin(draft: TargetDraft, key: string, value: unknown): boolean {
  if (key === 'basic_auth') draft.set('URL', withLogin(draft, textOf(draft.options.get('URL'))), key);
  else if (key === 'bearer_token' || key === 'bearer_token_file' || key === 'authorization') {
    const type = (key === 'authorization' && textOf(fieldsOf(value).get('type'))) || 'Bearer';
    const secret = draft.secret('TOKEN', 'the token');
    addHeaders(draft, { Authorization: `${type} ${secret}` });
  } else return false;
  return true;
}

/** Settings of gRPC and WebSocket. */
function readCall(collector: Collector, draft: TargetDraft, key: string, value: unknown): boolean {
  switch (key) {
    case 'service':
      draft.set(
        'URL',
        `${textOf(draft.options.get('URL')).replace(/\/$/, '')}/${encodeURIComponent(textOf(value))}`,
        key,
      );
      return true;
    case 'metadata':
      addHeaders(
        draft,
        draft.headers(
          [...fieldsOf(value)].map(([name, texts]) => [name, listOf(texts).map(textOf).join(', ')]),
        ),
      );
      return true;
    case 'headers':
      addHeaders(draft, headersIn(draft, value));
      return true;
    case 'http_config':
      for (const [setting, content] of fieldsOf(value)) {
        if (setting === 'tls_config') readTls(collector, draft, fieldsOf(content));
        else if (!readHttp(draft, setting, content)) draft.leave(`http_config.${setting}`);
      }
      return true;
    default:
      return false;
  }
}

/** @param mayReplace whether a header that is there already is written anew */
function addHeaders(draft: TargetDraft, headers: Readonly<Record<string, string>>, mayReplace = true): void {
  const before = (draft.options.get('HEADERS') ?? {}) as Readonly<Record<string, string>>;
  if (mayReplace) draft.set('HEADERS', { ...before, ...headers });
  else draft.put('HEADERS', { ...headers, ...before });
}

/** Headers as texts, or as lists of values, secrets and files, of which the last one is sent. */
function headersIn(draft: TargetDraft, value: unknown): Readonly<Record<string, string>> {
  const plain: [string, string][] = [];
  const others: [string, string][] = [];
  for (const [header, content] of fieldsOf(value)) {
    const kinds = fieldsOf(content);
    const file = textOf(listOf(kinds.get('files')).at(-1));
    const what = `the header ${header}`;
    if (kinds.size === 0) plain.push([header, textOf(content)]);
    else if (file !== '') others.push([header, draft.secret(header, `the text of ${file}, ${what}`)]);
    else if (kinds.has('secrets')) others.push([header, draft.secret(header, what)]);
    else plain.push([header, textOf(listOf(kinds.get('values')).at(-1))]);
  }
  return { ...draft.headers(plain), ...Object.fromEntries(others) };
}

function readHeaderRule(draft: TargetDraft, key: string, rules: readonly ToolFields[]): void {
  for (const rule of rules) {
    const header = `$headers.${quoted(textOf(rule.get('header')).toLowerCase())}`;
    const { source, flags } = regexParts(textOf(rule.get('regexp')));
    const found = `$contains(${header}, /${source}/${flags.replace(/[^im]/g, '')})`;
    const mayLack = isOn(rule.get('allow_missing'));
    if (key === 'fail_if_header_matches')
      draft.expect(
        mayLack ? `$not($exists(${header}) and ${found})` : `($exists(${header}) and $not(${found}))`,
      );
    else draft.expect(mayLack ? `($not($exists(${header})) or ${found})` : found);
  }
}

function regexOf(go: string, more = ''): string {
  const { source, flags } = regexParts(go);
  return literal(`/${source}/${flags}${more}`);
}

/** Questions and answers. Each send of the exporter ends in a line feed of its own. */
function readDialogue(draft: TargetDraft, steps: readonly ToolFields[]): void {
  const lines: string[] = [];
  const isWebSocket = textOf(draft.options.get('URL')).startsWith('ws');
  for (const step of steps) {
    if (step.has('labels')) draft.leave('query_response.labels', 'what an answer holds is in no metric');
    const expected = textOf(step.get('expect'));
    if (expected !== '') lines.push(`expect ${regexOf(expected)}`);
    if (step.has('expect_bytes')) lines.push(`expect ${literal(bytesText(step.get('expect_bytes')))}`);
    if (step.has('send')) lines.push(`send ${sendText(step.get('send'), isWebSocket)}`);
    if (isOn(step.get('starttls'))) lines.push('starttls');
  }
  const [first = '', second] = lines;
  if (lines.length === 0) draft.carry();
  else if (lines.length === 1 && first.startsWith('expect '))
    draft.set('EXPECT_BODY', linesRegex(first), 'query_response');
  else if (lines.length === 1 && first.startsWith('send '))
    draft.set('QUERY', literal(first.slice(5)), 'query_response');
  else if (lines.length === 2 && first.startsWith('send ') && second?.startsWith('expect ') && !isWebSocket) {
    draft.put('QUERY', literal(first.slice(5)));
    draft.set('EXPECT_BODY', linesRegex(second), 'query_response');
  } else draft.set('QUERY', lines.join('\n'), 'query_response');
}

/** Over all that comes, where the exporter looks at each line. */
function linesRegex(line: string): string {
  const text = line.slice('expect '.length);
  return /^\/.*\/[a-z]*$/s.test(text) && !/m[a-z]*$/.test(text) ? `${text}m` : text;
}

function bytesText(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : textOf(value);
}

/** A text to send: `${1}` stands for what the first group has found. */
function sendText(value: unknown, isMessage: boolean): string {
  if (value instanceof Uint8Array) {
    // A binary question is whole without a line feed.
    const hex = [...value].map((byte) => String.raw`\x${byte.toString(16).padStart(2, '0')}`).join('');
    return String.raw`${hex}\c`;
  }
  const text = textOf(value)
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('\t', String.raw`\t`)
    .replace(
      /\$(?:\{([1-9])\}|([1-9])(?!\d))/g,
      (_, braced?: string, bare?: string) => `\\${braced ?? bare ?? ''}`,
    );
  const plain = text.replaceAll('\r', String.raw`\r`).replaceAll('\n', String.raw`\n`);
  if (isMessage) return literal(plain);
  // Without an end, \r\n is sent.
  const line = `${plain}${String.raw`\n`}`;
  return literal(/^(.+)\\r\\n$/s.exec(line)?.[1] ?? line);
}

function readDns(draft: TargetDraft, own: ToolFields, key: string, value: unknown): boolean {
  switch (key) {
    case 'query_name': {
      const type = textOf(own.get('query_type'));
      draft.set('QUERY', `${type === '' ? 'A' : type} ${textOf(value)}`, key);
      if (type === '')
        draft.remarks.push({
          what: 'query_type ANY',
          of: draft.name,
          advice: 'name the type that matters: A is asked for now',
          count: 1,
        });
      return true;
    }
    case 'query_type':
      draft.carry();
      return true;
    case 'query_class':
      if (textOf(value) === 'IN') draft.carry();
      else draft.leave(key, 'only the class IN is asked for');
      return true;
    case 'recursion_desired':
      if (isOn(value)) draft.carry();
      else draft.leave(key, 'recursion is always asked for');
      return true;
    case 'valid_rcodes':
      if (listOf(value).every((code) => textOf(code) === 'NOERROR')) draft.carry();
      else draft.leave(key, 'only NOERROR is good');
      return true;
    case 'transport_protocol':
      if (textOf(value) === 'udp') draft.carry();
      else draft.leave(key, 'the question goes over UDP, and over TCP where the answer is truncated');
      return true;
    case 'validate_answer_rrs':
      for (const [rule, regexes] of fieldsOf(value)) readRecords(draft, rule, listOf(regexes).map(textOf));
      return true;
    case 'validate_authority_rrs':
    case 'validate_additional_rrs':
      draft.leave(key, 'records of the answer alone are judged');
      return true;
    default:
      return false;
  }
}

/** Expressions over the text of whole records, `name. ttl class type data`; ours have the data alone. */
function readRecords(draft: TargetDraft, rule: string, regexes: readonly string[]): void {
  const what = `validate_answer_rrs.${rule}`;
  const isAboutMore = regexes.some((regex) => /\t|\\t|\s|\bIN\b/.test(regex));
  if (isAboutMore || regexes.length === 0) {
    draft.leave(what, 'write it as expectJson, over the data of the records without name, TTL and type');
    return;
  }
  const isFound = regexes.map((regex) => `$exists($[$contains($, /${regexParts(regex).source}/)])`);
  const isEvery = regexes.map(
    (regex) => `$count($[$contains($, /${regexParts(regex).source}/)]) = $count($)`,
  );
  if (rule === 'fail_if_matches_regexp') draft.expect(`$not(${isFound.join(' or ')})`);
  else if (rule === 'fail_if_none_matches_regexp') draft.expect(`(${isFound.join(' or ')})`);
  else if (rule === 'fail_if_all_match_regexp') draft.expect(`$not(${isEvery.join(' and ')})`);
  else if (rule === 'fail_if_not_matches_regexp') draft.expect(isEvery.join(' and '));
  else draft.leave(what);
}
