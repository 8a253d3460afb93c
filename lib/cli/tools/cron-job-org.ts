import {
  Collector,
  fieldsOf,
  isOn,
  listOf,
  literal,
  seconds,
  textOf,
  textsIn,
  withLogin,
  type Imported,
  type TargetDraft,
  type ToolFields,
} from './tool.js';

/** Numbers of https://docs.cron-job.org/rest-api.html (RequestMethod). */
const METHODS = ['GET', 'POST', 'OPTIONS', 'HEAD', 'PUT', 'DELETE', 'TRACE', 'CONNECT', 'PATCH'];
const WITH_BODY = new Set(['POST', 'PUT', 'DELETE', 'PATCH']);
/** What the answer says of what was done, and numbers of its own. */
const NO_SETTING = /^(?:jobId|last.*|next.*|type|folderId)$/;
const MAIL = 'ALERT_SMTP_URL, ALERT_EMAIL_FROM and ALERT_EMAIL_TO';

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
      if (isTold) collector.variable(MAIL, 'the notifications of cron-job.org', key);
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

/** Times that come evenly over the day become INTERVAL; hours of the day and days of the week become ACTIVE_HOURS. */
function readSchedule(draft: TargetDraft, schedule: ToolFields): void {
  const of = (key: string): readonly number[] | null => {
    const times = listOf(schedule.get(key)).map(Number);
    return times.length === 0 || times[0] === -1 ? null : [...new Set(times)].sort((a, b) => a - b);
  };
  const [minutes, hours, days] = ['minutes', 'hours', 'wdays'].map(of);
  const every = minutes === null ? 1 : stepOf(minutes ?? [], 60);
  const advice = 'it is written with enabled: false: set interval, and activeHours where it rests';
  const isPlain =
    of('mdays') === null && of('months') === null && Number(textOf(schedule.get('expiresAt')) || 0) === 0;
  const zone = textOf(schedule.get('timezone')) || 'UTC';
  if (isPlain && days === null && every === null && minutes != null && hours !== undefined) {
    const pause = longestPause(minutes, hours);
    if (pause !== null) {
      draft.put('INTERVAL', `${pause}m`);
      draft.leave('schedule', `its times are not even: interval: ${pause}m, its longest pause, is written`);
      return;
    }
  }
  if (!isPlain || every === null || hours === undefined || days === undefined) {
    draft.leave('schedule', advice);
    draft.disable();
    return;
  }
  const step = hours === null ? 1 : stepOf(hours, 24);
  const isRow =
    hours !== null && hours.length > 1 && hours.every((hour, index) => hour === (hours[0] ?? 0) + index);
  const isOnce = every === 60 && step === 24;
  if (isOnce && days !== null && days.length === 1) draft.set('INTERVAL', '7d', 'schedule');
  else if (days === null && step !== null && (step === 1 || every === 60))
    draft.set('INTERVAL', step === 1 ? `${every}m` : `${step}h`, 'schedule');
  else if ((hours === null || isRow) && !(hours === null && days === null)) {
    const [first, last] = hours === null ? [0, 23] : [hours[0] ?? 0, hours.at(-1) ?? 23];
    const names = days === null ? 'Mon-Sun' : days.map((day) => DAYS[day % 7]).join(',');
    const two = (hour: number): string => String(hour).padStart(2, '0');
    draft.put('ACTIVE_HOURS', `${names} ${two(first)}:00-${two((last + 1) % 24)}:00 ${zone}`);
    draft.set('INTERVAL', `${every}m`, 'schedule');
  } else {
    draft.leave('schedule', advice);
    draft.disable();
  }
}

/** Minutes between two calls of a day at most; null for what is no time. @param hours null: all */
function longestPause(minutes: readonly number[], hours: readonly number[] | null): number | null {
  const isWithin = (times: readonly number[], whole: number): boolean =>
    times.every((time) => Number.isInteger(time) && time >= 0 && time < whole);
  const all = hours ?? Array.from({ length: 24 }, (_, hour) => hour);
  if (!isWithin(minutes, 60) || !isWithin(all, 24)) return null;
  const times = all.flatMap((hour) => minutes.map((minute) => 60 * hour + minute));
  const pauses = times.map((time, index) => (times[index + 1] ?? (times[0] ?? 0) + 24 * 60) - time);
  return Math.max(...pauses);
}

/** The time between two of these, which come again after `whole`; null where they do not come evenly. */
function stepOf(times: readonly number[], whole: number): number | null {
  const step = whole / times.length;
  const [first = 0] = times;
  return times.length > 0 && times.every((time, index) => time === first + index * step) ? step : null;
}
