import type { TargetOptionName } from '../../config/options.js';
import {
  Collector,
  fieldsOf,
  headersFor,
  listOf,
  literal,
  seconds,
  textOf,
  withLogin,
  type Imported,
  type ToolValue,
} from './tool.js';

/** Numbers of https://docs.cron-job.org/rest-api.html (RequestMethod). */
const METHODS = ['GET', 'POST', 'OPTIONS', 'HEAD', 'PUT', 'DELETE', 'TRACE', 'CONNECT', 'PATCH'];
const BOOKKEEPING = /^(?:jobId|last.*|next.*|type|folderId|saveResponses|title|url)$/;

/** The answer of `GET /jobs`, or of `GET /jobs/<id>`, which has headers, body and login too. */
export function fromCronJobOrg(document: unknown): Imported {
  const collector = new Collector();
  const top = fieldsOf(document);
  const jobs = top.has('jobDetails') ? [top.get('jobDetails')] : listOf(top.get('jobs'));
  for (const job of jobs.map(fieldsOf)) {
    const url = textOf(job.get('url'));
    const name = textOf(job.get('title')) || url.replace(/^\w+:\/\//, '');
    const options = new Map<TargetOptionName, ToolValue>([['NAME', name.slice(0, 100)]]);
    const set = (option: TargetOptionName, value: ToolValue): void => {
      options.set(option, value);
      collector.count(true);
    };
    const auth = fieldsOf(job.get('auth'));
    set('URL', auth.get('enable') === true ? withLogin(collector, name, literal(url)) : literal(url));
    for (const [key, value] of job) {
      const text = textOf(value);
      switch (key) {
        case 'enabled':
          set('ENABLED', text);
          break;
        case 'requestTimeout':
          if (Number(text) > 0) set('TIMEOUT', seconds(Math.min(120, Number(text))));
          break;
        case 'requestMethod':
          set('METHOD', METHODS[Number(text)] ?? 'GET');
          break;
        case 'redirectSuccess':
          set('EXPECT_STATUS', value === true ? '200-399' : '200-299');
          break;
        case 'schedule': {
          const interval = intervalOf(fieldsOf(value));
          if (interval === null)
            collector.count(false, `${name}: the schedule`, 'set interval, and activeHours where it rests');
          else set('INTERVAL', interval);
          break;
        }
        case 'extendedData': {
          const data = fieldsOf(value);
          const headers = [...fieldsOf(data.get('headers'))].map(
            ([header, content]) => [header, textOf(content)] as const,
          );
          if (headers.length > 0) set('HEADERS', headersFor(collector, name, headers));
          if (textOf(data.get('body')) !== '') set('BODY', literal(textOf(data.get('body'))));
          break;
        }
        case 'notification':
          collector.channel(
            'ALERT_SMTP_URL, ALERT_EMAIL_FROM and ALERT_EMAIL_TO',
            'the notifications of cron-job.org',
          );
          break;
        default:
          if (key !== 'auth' && !BOOKKEEPING.test(key)) collector.count(false, `${name}: ${key}`);
      }
    }
    collector.add(name, options);
  }
  return collector.result();
}

/** The time between two calls of a schedule that goes on all day; null for any other. */
function intervalOf(schedule: ReadonlyMap<string, unknown>): string | null {
  const isAlways = (key: string): boolean =>
    listOf(schedule.get(key)).length === 0 || listOf(schedule.get(key))[0] === -1;
  if (!['mdays', 'months', 'wdays'].every(isAlways)) return null;
  const evenly = (key: string, whole: number): number | null => {
    const times = listOf(schedule.get(key))
      .map(Number)
      .sort((a, b) => a - b);
    const [first] = times;
    if (first === undefined) return null;
    if (first === -1) return 1;
    const step = whole / times.length;
    return times.every((time, index) => time === first + index * step) ? step : null;
  };
  const [minutes, hours] = [evenly('minutes', 60), evenly('hours', 24)];
  if (minutes === null || hours === null) return null;
  return hours === 1 ? `${minutes}m` : minutes === 60 ? `${hours}h` : null;
}
