import {
  Collector,
  fieldsOf,
  isOn,
  listOf,
  literal,
  milliseconds,
  seconds,
  textOf,
  textsIn,
  withLogin,
  type Imported,
  type TargetDraft,
  type ToolFields,
} from './tool.js';
import { CHANNEL_VARIABLES } from './channels.js';
import { HOUR, MINUTE } from '../../time.js';

/** Numbers of https://docs.cron-job.org/rest-api.html (RequestMethod). */
const METHODS = ['GET', 'POST', 'OPTIONS', 'HEAD', 'PUT', 'DELETE', 'TRACE', 'CONNECT', 'PATCH'];
const WITH_BODY = new Set(['POST', 'PUT', 'DELETE', 'PATCH']);
/** What the answer says of what was done, and numbers of its own. */
const NO_SETTING = /^(?:jobId|last.*|next.*|type|folderId)$/;

/** The answer of `GET /jobs`, or of `GET /jobs/<id>`, which has headers, body and login too. */
export function fromCronJobOrg(document: unknown): Imported {
  const collector = new Collector();
  const top = fieldsOf(document);
  const details = top.get('jobDetails');
  const jobs =
    details === undefined ? listOf(top.get('jobs')) : Array.isArray(details) ? listOf(details) : [details];
  for (const job of jobs.map(fieldsOf)) {
    const draft = collector.target({
      name: textOf(job.get('title')),
      address: textOf(job.get('url')),
    });
    // It follows no redirect.
    draft.put('MAX_REDIRECTS', '0');
    for (const [key, value] of job) if (!NO_SETTING.test(key)) readJob(collector, draft, job, key, value);
    collector.add(draft);
  }
  return collector.result();
}

function readJob(
  collector: Collector,
  draft: TargetDraft,
  job: ToolFields,
  key: string,
  value: unknown,
): void {
  const text = textOf(value);
  switch (key) {
    case 'title':
      if (text !== '') draft.carry();
      break;
    case 'url': {
      const auth = fieldsOf(job.get('auth'));
      const address = literal(text);
      draft.set('URL', isOn(auth.get('enable')) ? withLogin(draft, address) : address);
      break;
    }
    case 'auth':
      if (isOn(fieldsOf(value).get('enable'))) draft.carry();
      break;
    case 'enabled':
      draft.set('ENABLED', text);
      break;
    case 'saveResponses':
      if (isOn(value)) draft.leave(key, 'answers are judged, and not kept');
      else draft.pass(key, 'answers are not kept');
      break;
    case 'requestTimeout':
      if (Number(text) > 0) draft.set('TIMEOUT', seconds(text));
      break;
    case 'requestMethod':
      draft.set('METHOD', METHODS[Number(text)] ?? 'GET');
      break;
    case 'redirectSuccess':
      draft.set('EXPECT_STATUS', isOn(value) ? '200-299,301-303,307,308' : '200-299');
      break;
    case 'schedule':
      readSchedule(draft, fieldsOf(value));
      break;
    case 'extendedData': {
      const data = fieldsOf(value);
      const headers = textsIn(data.get('headers'));
      const body = textOf(data.get('body'));
      const method = Number(textOf(job.get('requestMethod')));
      if (headers.length > 0) draft.set('HEADERS', draft.headers(headers));
      if (body !== '' && !WITH_BODY.has(METHODS[method] ?? ''))
        draft.pass('extendedData.body', 'cron-job.org sends none with this method');
      else if (body !== '') draft.set('BODY', literal(body));
      break;
    }
    case 'notification': {
      const told = fieldsOf(value);
      const isTold = isOn(told.get('onFailure'));
      if (isTold) collector.variable(CHANNEL_VARIABLES.email, 'the notifications of cron-job.org', key);
      else draft.set('ALERTS', 'off', key);
      const count = Number(textOf(told.get('onFailureCount')));
      if (isTold && count > 0) draft.set('FAILURE_THRESHOLD', String(count));
      if (isTold && told.get('onSuccess') === false)
        draft.leave('notification.onSuccess', 'the end of an outage is always told');
      else if (isTold) draft.carry();
      break;
    }
    default:
      draft.leave(key);
  }
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const NO_LIMIT = 'no option has it: the rest is written with enabled: false';

/** When a job runs. Null: at all times of a kind. */
interface Times {
  readonly minutes: readonly number[] | null;
  readonly hours: readonly number[] | null;
  /** 0 is Sunday. */
  readonly weekdays: readonly number[] | null;
  readonly zone: string;
}

/** Times that come evenly over the day become INTERVAL; hours of the day and days of the week become ACTIVE_HOURS. */
function readSchedule(draft: TargetDraft, schedule: ToolFields): void {
  const of = (key: string, first: number, count: number): readonly number[] | null => {
    const times = [...new Set(listOf(schedule.get(key)).map(Number))].sort((a, b) => a - b);
    const isWithin = times.every((time) => Number.isInteger(time) && time >= first && time < first + count);
    return times.length === 0 || times[0] === -1 || (isWithin && times.length === count) ? null : times;
  };
  const [days, months] = [of('mdays', 1, 31), of('months', 1, 12)];
  const times = {
    ...{ minutes: of('minutes', 0, 60), hours: of('hours', 0, 24), weekdays: of('wdays', 0, 7) },
    zone: textOf(schedule.get('timezone')) || 'UTC',
  };
  const advice = writeTimes(draft, times);
  const hasEnd = Number(textOf(schedule.get('expiresAt')) || 0) !== 0;
  const limits = [
    ...(months === null ? [] : ['months']),
    ...(days === null ? [] : ['days of the month']),
    ...(hasEnd ? ['an end'] : []),
  ];
  const pace = days !== null && months === null && !hasEnd && isDaily(times) ? paceOf(days) : null;
  if (pace !== null && pace <= 7) {
    draft.put('INTERVAL', `${pace}d`);
    draft.leave('schedule', `its days begin anew each month: interval: ${pace}d is written`);
  } else if (limits.length > 0) {
    draft.leave('schedule', `it has ${limits.join(' and ')}, and ${NO_LIMIT}`);
    draft.disable();
  } else if (advice === null) draft.carry();
  else draft.leave('schedule', advice);
}

/** Days from one of these to the next, of those that go through the whole month; null where they do not come evenly. */
function paceOf(days: readonly number[]): number | null {
  const [first = 0, second = Infinity] = days;
  const pace = second - first;
  const isWhole = first <= pace && (days.at(-1) ?? 0) + pace > 31;
  return isWhole && days.every((day, index) => day === first + index * pace) ? pace : null;
}

const isDaily = ({ minutes, hours, weekdays }: Times): boolean =>
  minutes?.length === 1 && hours?.length === 1 && weekdays === null;

/** @returns what to do about times that have no such form; null: nothing */
function writeTimes(draft: TargetDraft, { minutes, hours, weekdays, zone }: Times): string | null {
  const every = minutes === null ? 1 : stepOf(minutes, 60);
  const step = hours === null ? 1 : stepOf(hours, 24);
  const isOnce = every === 60 && step === 24;
  const row = hours === null ? { first: 0, last: 23, step: 1 } : rowOf(hours, { mayWrap: weekdays === null });
  if (isOnce && weekdays?.length === 1) draft.put('INTERVAL', '7d');
  else if (weekdays === null && every !== null && step !== null && (step === 1 || every === 60))
    draft.put('INTERVAL', milliseconds(step === 1 ? every * MINUTE : step * HOUR));
  else if (every !== null && row !== null && (row.step === 1 || every === 60)) {
    const days = weekdays?.map((day) => DAYS[day % 7]).join(',') ?? 'Mon-Sun';
    const time = (hour: number): string => `${String(hour).padStart(2, '0')}:00`;
    const end = row.last === 23 ? 24 : row.last + 1;
    draft.put('ACTIVE_HOURS', `${days} ${time(row.first)}-${time(end)} ${zone}`);
    draft.put('INTERVAL', milliseconds(row.step === 1 ? every * MINUTE : row.step * HOUR));
  } else {
    const pause = weekdays === null ? longestPause(minutes, hours) : null;
    if (pause !== null) {
      const interval = milliseconds(pause * MINUTE);
      draft.put('INTERVAL', interval);
      return `its times are not even: interval: ${interval}, its longest pause, is written`;
    }
    draft.disable();
    return 'it is written with enabled: false: set interval, and activeHours where it rests';
  }
  return null;
}

/** Hours of which each comes as long after the one before; null where they do not. @param mayWrap over midnight */
function rowOf(
  hours: readonly number[],
  { mayWrap }: { readonly mayWrap: boolean },
): { readonly first: number; readonly last: number; readonly step: number } | null {
  const [first = 0, second = first + 1] = hours;
  const step = second - first;
  const last = hours.at(-1) ?? first;
  const isEven = hours.every((hour, index) => hour === first + index * step);
  // Otherwise the day after would begin too late.
  if (isEven && 24 - last + first >= step) return { first, last, step };
  const gap = hours.findIndex((hour, index) => index > 0 && hour !== (hours[index - 1] ?? 0) + 1);
  const isWrapped =
    first === 0 &&
    last === 23 &&
    hours.slice(gap).every((hour, index) => hour === 24 - hours.length + gap + index);
  return mayWrap && isWrapped ? { first: hours[gap] ?? 0, last: hours[gap - 1] ?? 0, step: 1 } : null;
}

/** Minutes between two calls of a day at most; null for what is no time. */
function longestPause(minutes: readonly number[] | null, hours: readonly number[] | null): number | null {
  const within = (times: readonly number[] | null, whole: number): readonly number[] | null =>
    times?.every((time) => Number.isInteger(time) && time >= 0 && time < whole) === false
      ? null
      : (times ?? Array.from({ length: whole }, (_, time) => time));
  const [each, all] = [within(minutes, 60), within(hours, 24)];
  if (each === null || all === null) return null;
  const times = all.flatMap((hour) => each.map((minute) => 60 * hour + minute));
  const pauses = times.map((time, index) => (times[index + 1] ?? (times[0] ?? 0) + 24 * 60) - time);
  return Math.max(...pauses);
}

/** The time between two of these, which come again after `whole`; null where they do not come evenly. */
function stepOf(times: readonly number[], whole: number): number | null {
  const step = whole / times.length;
  const [first = 0] = times;
  return times.length > 0 && times.every((time, index) => time === first + index * step) ? step : null;
}
