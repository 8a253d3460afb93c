import type { TargetOptionName } from '../../config/options.js';
import { CHANNEL_NAMES } from '../../types.js';
import {
  Collector,
  fieldsOf,
  headersFor,
  listOf,
  literal,
  searchText,
  textOf,
  type Imported,
  type ToolValue,
} from './tool.js';

type Options = Map<TargetOptionName, ToolValue>;

/** A configuration of Gatus: `endpoints`, or `services` as older versions call them. */
export function fromGatus(document: unknown): Imported {
  const collector = new Collector();
  const top = fieldsOf(document);
  for (const endpoint of [...listOf(top.get('endpoints')), ...listOf(top.get('services'))].map(fieldsOf)) {
    const name = textOf(endpoint.get('name')) || textOf(endpoint.get('url'));
    collector.add(name, endpointOptions(collector, name, endpoint));
  }
  for (const provider of fieldsOf(top.get('alerting')).keys()) {
    const channel = CHANNEL_NAMES.find((each) => each === provider.replace('googlechat', 'google_chat'));
    if (channel !== undefined)
      collector.channel(`ALERT_${channel.toUpperCase()}_…`, `alerting.${provider} (see .env.example)`);
    collector.count(
      channel !== undefined,
      `alerting.${provider}`,
      'set up another channel, or ALERT_APPRISE_URL',
    );
  }
  for (const key of top.keys()) {
    if (['endpoints', 'services', 'alerting'].includes(key)) continue;
    collector.count(false, key, 'a setting of the installation: see .env.example');
  }
  return collector.result();
}

function endpointOptions(
  collector: Collector,
  name: string,
  endpoint: ReadonlyMap<string, unknown>,
): Options {
  const options: Options = new Map([['NAME', name]]);
  const set = (option: TargetOptionName, value: ToolValue): void => {
    options.set(option, value);
    collector.count(true);
  };
  for (const [key, value] of endpoint) {
    const text = textOf(value);
    switch (key) {
      case 'name':
        collector.count(true);
        break;
      case 'url': {
        const isDns = endpoint.has('dns');
        const address = text.replace(/^starttls:\/\//, 'smtp://').replace(/\$\{?(\w+)\}?/g, '${$1}');
        set('URL', isDns ? `dns://${text.replace(/^\w+:\/\//, '')}` : address);
        break;
      }
      case 'group':
        set('GROUP', text);
        break;
      case 'enabled':
        set('ENABLED', text);
        break;
      case 'method':
        set('METHOD', text);
        break;
      case 'body':
        set('BODY', literal(text));
        break;
      case 'interval':
        set('INTERVAL', text);
        break;
      case 'headers':
        set(
          'HEADERS',
          headersFor(
            collector,
            name,
            [...fieldsOf(value)].map(([header, content]) => [header, textOf(content)]),
          ),
        );
        break;
      case 'conditions':
        for (const condition of listOf(value)) {
          const isCarried = readCondition(textOf(condition), options);
          collector.count(
            isCarried,
            `${name}: a condition`,
            'write it as expectJson, expectBody or degradedAfter',
          );
        }
        break;
      case 'dns': {
        const dns = fieldsOf(value);
        set('QUERY', `${textOf(dns.get('query-type'))} ${textOf(dns.get('query-name'))}`);
        break;
      }
      case 'client':
        for (const [setting, content] of fieldsOf(value)) {
          if (setting === 'timeout') set('TIMEOUT', textOf(content));
          else if (setting === 'insecure') set('TLS_VERIFY', textOf(content) === 'true' ? 'false' : 'true');
          else if (setting === 'ignore-redirect')
            set('MAX_REDIRECTS', textOf(content) === 'true' ? '0' : '5');
          else collector.count(false, `${name}: client.${setting}`);
        }
        break;
      case 'alerts':
        for (const alert of listOf(value).map(fieldsOf)) {
          for (const [setting, content] of alert) {
            if (setting === 'failure-threshold') set('FAILURE_THRESHOLD', textOf(content));
            else if (setting === 'success-threshold') set('SUCCESS_THRESHOLD', textOf(content));
            else
              collector.count(
                ['type', 'enabled', 'send-on-resolved'].includes(setting),
                `${name}: alerts.${setting}`,
              );
          }
        }
        break;
      default:
        collector.count(false, `${name}: ${key}`);
    }
  }
  return options;
}

/** @returns whether the condition is carried over */
function readCondition(condition: string, options: Options): boolean {
  const [, left = '', operator = '', right = ''] =
    /^(.+?)\s+(==|!=|<=|>=|<|>)\s+(.+)$/s.exec(condition) ?? [];
  if (left === '[CONNECTED]' || left === '[DNS_RCODE]')
    return operator === '==' && /^(?:true|NOERROR)$/.test(right);
  if (left === '[STATUS]') {
    const code = Number(right);
    const any = /^any\(([\d, ]+)\)$/.exec(right)?.[1];
    if (operator === '==' && any !== undefined) options.set('EXPECT_STATUS', any.split(/[, ]+/));
    else if (!(code >= 100 && code <= 999)) return false;
    else if (operator === '==') options.set('EXPECT_STATUS', right);
    else if (operator === '<') options.set('EXPECT_STATUS', `100-${code - 1}`);
    else if (operator === '<=') options.set('EXPECT_STATUS', `100-${code}`);
    else return false;
    return true;
  }
  if (left === '[RESPONSE_TIME]' && operator.startsWith('<')) {
    options.set('DEGRADED_AFTER', /^\d+$/.test(right) ? `${right}ms` : right);
    return true;
  }
  if (left === '[CERTIFICATE_EXPIRATION]' && operator.startsWith('>')) {
    options.set('TLS_EXPIRY', right);
    return true;
  }
  if (left === '[BODY]' && operator === '==') {
    const pattern = /^pat\((.*)\)$/s.exec(right)?.[1];
    const text = pattern === undefined ? right : pattern.replace(/^\*+|\*+$/g, '');
    if (text.includes('*') || options.has('EXPECT_BODY')) return false;
    options.set('EXPECT_BODY', searchText(text));
    return true;
  }
  const path = /^\[BODY\]\.([\w.[\]]+)$/.exec(left)?.[1] ?? /^len\(\[BODY\]\.([\w.[\]]+)\)$/.exec(left)?.[1];
  if (path === undefined || /^(?:pat|any|has)\(/.test(right)) return false;
  const value = /^(?:-?\d+(?:\.\d+)?|true|false|null)$/.test(right) ? right : JSON.stringify(right);
  const subject = left.startsWith('len(')
    ? `($type(${path}) = "string" ? $length(${path}) : $count(${path}))`
    : path;
  const expression = `${subject} ${operator === '==' ? '=' : operator} ${value}`;
  const before = options.get('EXPECT_JSON');
  options.set(
    'EXPECT_JSON',
    typeof before === 'string' ? `${before} and ${literal(expression)}` : literal(expression),
  );
  return true;
}
