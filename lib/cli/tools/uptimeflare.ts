import type { TargetOptionName } from '../../config/options.js';
import { constantOf, NOT_LITERAL } from './literal-reader.js';
import {
  Collector,
  fieldsOf,
  headersFor,
  listOf,
  literal,
  searchText,
  textOf,
  ToolError,
  type Imported,
  type ToolValue,
} from './tool.js';

/** `uptime.config.ts`: its constants are read, and nothing of it is run. */
export function fromUptimeFlare(document: unknown): Imported {
  const collector = new Collector();
  const source = textOf(document);
  const worker = fieldsOf(constantOf(source, 'workerConfig'));
  if (!worker.has('monitors')) throw new ToolError('expected const workerConfig with monitors');
  const page = fieldsOf(constantOf(source, 'pageConfig'));
  const groups = new Map(
    [...fieldsOf(page.get('group'))].flatMap(([group, ids]) =>
      listOf(ids).map((id) => [textOf(id), group] as const),
    ),
  );
  if (groups.size > 0) collector.count(true);
  for (const monitor of listOf(worker.get('monitors')).map(fieldsOf)) {
    const id = textOf(monitor.get('id'));
    const options = new Map<TargetOptionName, ToolValue>();
    const group = groups.get(id);
    if (group !== undefined) options.set('GROUP', group);
    const isTcp = textOf(monitor.get('method')) === 'TCP_PING';
    for (const [key, value] of monitor) {
      const text = textOf(value);
      const set = (option: TargetOptionName, content: ToolValue): void => {
        options.set(option, content);
        collector.count(true);
      };
      if (value === NOT_LITERAL) {
        collector.count(false, `${id}: ${key}`, 'it is computed: write its value');
        continue;
      }
      switch (key) {
        case 'id':
        case 'tooltip':
        case 'statusPageLink':
        case 'hideLatencyChart':
          collector.count(key === 'id', `${id}: ${key}`, 'the page shows name and address');
          break;
        case 'name':
          set('NAME', text);
          break;
        case 'target':
          set('URL', literal(isTcp ? `tcp://${text}` : text));
          break;
        case 'method':
          if (isTcp) collector.count(true);
          else set('METHOD', text);
          break;
        case 'expectedCodes':
          set('EXPECT_STATUS', listOf(value).map(textOf));
          break;
        case 'timeout':
          set('TIMEOUT', `${text}ms`);
          break;
        case 'headers':
          set(
            'HEADERS',
            headersFor(
              collector,
              id,
              [...fieldsOf(value)].map(([header, content]) => [header, textOf(content)]),
            ),
          );
          break;
        case 'body':
          set('BODY', literal(text));
          break;
        case 'responseKeyword':
          set('EXPECT_BODY', searchText(text));
          break;
        case 'responseForbiddenKeyword':
          set('REJECT_BODY', searchText(text));
          break;
        default:
          collector.count(false, `${id}: ${key}`);
      }
    }
    collector.add(id, options);
  }
  for (const key of fieldsOf(worker.get('notification')).keys()) {
    if (key === 'appriseApiServer')
      collector.channel('ALERT_APPRISE_URL', 'notification.appriseApiServer and recipientUrl');
    const isCarried = key === 'appriseApiServer' || key === 'recipientUrl';
    collector.count(
      isCarried,
      `notification.${key}`,
      'failureThreshold and alerts of a target say when and who is told',
    );
  }
  if (worker.has('callbacks'))
    collector.count(false, 'callbacks', 'ALERT_WEBHOOK_URL calls a program of yours');
  return collector.result();
}
