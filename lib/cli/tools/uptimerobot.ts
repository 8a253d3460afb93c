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
  type ToolValue,
} from './tool.js';

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
const BOOKKEEPING =
  /^(?:id|status|create_datetime|sub_type|keyword_.*|http_.*|port|logs|.*response_time.*|.*uptime.*|ssl|is_group_main|friendly_name|url|type|alert_contacts|mwindows|average.*)$/;

/** The answer of getMonitors. */
export function fromUptimeRobot(document: unknown): Imported {
  const collector = new Collector();
  for (const monitor of listOf(fieldsOf(document).get('monitors')).map(fieldsOf)) {
    const name = textOf(monitor.get('friendly_name'));
    const url = textOf(monitor.get('url'));
    const kind = KINDS.get(textOf(monitor.get('type')));
    if (kind === undefined || kind === 'ping' || kind === 'heartbeat') {
      const todo = 'there is no such kind of target: watch a port with tcp://host:port instead';
      collector.count(false, `${name}: a monitor of type ${kind ?? 'unknown'}`, todo);
      continue;
    }
    const options = new Map<TargetOptionName, ToolValue>([['NAME', name]]);
    const set = (option: TargetOptionName, value: ToolValue): void => {
      options.set(option, value);
      collector.count(true);
    };
    const port = textOf(monitor.get('port')) || PORTS.get(textOf(monitor.get('sub_type'))) || '80';
    const address =
      kind === 'port' ? `tcp://${url.replace(/^\w+:\/\//, '').replace(/\/.*$/s, '')}:${port}` : literal(url);
    set('URL', textOf(monitor.get('http_username')) === '' ? address : withLogin(collector, name, address));
    if (kind === 'keyword') {
      const isExpected = textOf(monitor.get('keyword_type')) === '2';
      set(isExpected ? 'EXPECT_BODY' : 'REJECT_BODY', searchText(textOf(monitor.get('keyword_value'))));
    }
    const method = METHODS.get(textOf(monitor.get('http_method')));
    if (method !== undefined && kind !== 'port') set('METHOD', method);
    if (textOf(monitor.get('status')) === '0') set('ENABLED', 'false');
    for (const [key, value] of monitor) {
      const text = textOf(value);
      if (text === '' && !(typeof value === 'object' && value !== null)) continue;
      if (key === 'interval') set('INTERVAL', seconds(text));
      else if (key === 'timeout') set('TIMEOUT', seconds(text));
      else if (key === 'custom_http_headers') {
        set(
          'HEADERS',
          headersFor(
            collector,
            name,
            [...fieldsOf(value)].map(([header, content]) => [header, textOf(content)]),
          ),
        );
      } else if (key === 'post_value')
        set('BODY', literal(typeof value === 'object' ? JSON.stringify(value) : text));
      else if (!BOOKKEEPING.test(key)) collector.count(false, `${name}: ${key}`);
    }
    for (const contact of listOf(monitor.get('alert_contacts'))) {
      if (fieldsOf(contact).size > 0) collector.channel('ALERT_…', 'the alert contacts (see .env.example)');
    }
    collector.add(name, options);
  }
  return collector.result();
}
