import type { TargetOptionName } from '../../config/options.js';
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

/** `$NAME` of Upptime is a secret of its repository. */
const withSecrets = (collector: Collector, text: string, what: string): string =>
  literal(text).replace(/(?<!\$)\$([A-Z_][A-Z0-9_]*)/g, (_, name: string) => collector.secret(name, what));

/** `.upptimerc.yml` */
export function fromUpptime(document: unknown): Imported {
  const collector = new Collector();
  const top = fieldsOf(document);
  for (const site of listOf(top.get('sites')).map(fieldsOf)) {
    const name = textOf(site.get('name')) || textOf(site.get('url'));
    const options = new Map<TargetOptionName, ToolValue>([['NAME', name]]);
    const kind = textOf(site.get('check'));
    for (const [key, value] of site) {
      const set = (option: TargetOptionName, text: ToolValue): void => {
        options.set(option, text);
        collector.count(true);
      };
      const text = textOf(value);
      switch (key) {
        case 'url': {
          const address = withSecrets(collector, text, `the address of ${name}`);
          const host = address.replace(/^[a-z]+:\/\//i, '').replace(/[/?#].*$/s, '');
          const port = textOf(site.get('port')) || '80';
          set('URL', kind === 'tcp-ping' ? `tcp://${host.replace(/:\d+$/, '')}:${port}` : address);
          break;
        }
        case 'name':
        case 'port':
        case 'check':
        case 'slug':
        case 'icon':
        case 'verbose':
          collector.count(
            key !== 'icon' && key !== 'slug',
            `${name}: ${key}`,
            'ids come from names here; there are no icons',
          );
          break;
        case 'method':
          set('METHOD', text);
          break;
        case 'body':
          set('BODY', withSecrets(collector, text, `the body of ${name}`));
          break;
        case 'headers':
          set(
            'HEADERS',
            headersFor(
              collector,
              name,
              listOf(value).map((each) => {
                const [header = '', ...rest] = textOf(each).split(':');
                return [header.trim(), rest.join(':').trim()] as const;
              }),
            ),
          );
          break;
        case 'expectedStatusCodes':
          set('EXPECT_STATUS', listOf(value).map(textOf));
          break;
        case 'maxResponseTime':
          set('DEGRADED_AFTER', `${text}ms`);
          break;
        case 'maxRedirects':
          set('MAX_REDIRECTS', text);
          break;
        case '__dangerous__insecure':
          set('TLS_VERIFY', text === 'true' ? 'false' : 'true');
          break;
        case '__dangerous__body_down':
        case '__dangerous__body_down_if_text_missing':
          set(key.endsWith('missing') ? 'EXPECT_BODY' : 'REJECT_BODY', searchText(text));
          break;
        default:
          collector.count(false, `${name}: ${key}`);
      }
    }
    collector.add(name, options);
  }
  for (const key of top.keys()) {
    if (key === 'sites' || key === 'owner' || key === 'repo') continue;
    collector.count(
      false,
      key,
      'a setting of the installation: the page, the schedule and alerts have variables of their own',
    );
  }
  return collector.result();
}
