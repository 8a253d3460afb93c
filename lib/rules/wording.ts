import type { Alert, SlowTargets, TargetAlert } from '../types.js';
import { intervalInWords, lengthInWords, paceInWords, timeInWords } from './durations.js';

/** How much an alert matters, most first. */
export const LEVELS = ['critical', 'warning', 'info', 'good'] as const;
export type Level = (typeof LEVELS)[number];

/** What an alert says, without markup: `<subject> <predicate> – <detail>; <detail>`. */
export interface Wording {
  readonly level: Level;
  /** `api`, or `Keepalive` where the alert is about the pinger itself. */
  readonly subject: string;
  /** `is down`, `is up again after 12 m` */
  readonly predicate: string;
  /** `status 503, expected 200-299`, `3 checks failed since 12:03 UTC`; none may be missing for the alert to make sense. */
  readonly details: readonly string[];
}

/** @param name what people call the target; not looked at where the alert is about the pinger itself */
export function wordingOf(alert: Alert, name: string): Wording {
  if (alert.kind === 'missed') {
    return {
      level: 'warning',
      subject: 'Keepalive',
      predicate: `made no run for ${lengthInWords(alert.to - alert.from)}`,
      details: [
        `from ${timeInWords(alert.from, alert.at)} to ${timeInWords(alert.to, alert.at)}`,
        'look at the trigger; if it comes that seldom, say so with KEEP_ALIVE_TICK',
      ],
    };
  }
  if (alert.kind === 'pace') {
    return {
      level: 'warning',
      subject: 'Keepalive',
      predicate: `runs every ${paceInWords(alert.actual)}, expected every ${intervalInWords(alert.expected)}`,
      details: [
        ...tooSlowInWords(alert.slowFor),
        'let the trigger come more often; if it is to come that seldom, say so with KEEP_ALIVE_TICK',
      ],
    };
  }
  if (alert.kind === 'unrecorded') {
    return {
      level: 'warning',
      subject: 'Keepalive',
      predicate: 'cannot record what it finds',
      details: [
        `since ${timeInWords(alert.from, alert.at)}`,
        alert.message,
        'pings go out and outages are told, but figures stand still and nothing is restarted',
      ],
    };
  }
  if (alert.kind === 'undelivered') {
    const { count } = alert;
    return {
      level: 'info',
      subject: 'Keepalive',
      predicate:
        count === 1 ? 'could not deliver one earlier message' : `could not deliver ${count} earlier messages`,
      details: ['this channel did not take them for a day'],
    };
  }
  if (alert.kind === 'test') {
    return {
      level: 'info',
      subject: 'Keepalive',
      predicate: 'sends a test',
      details: ['nothing happened; this channel works'],
    };
  }
  return { subject: name, ...ofTarget(alert, alert.at) };
}

function ofTarget(alert: TargetAlert, at: number): Omit<Wording, 'subject'> {
  switch (alert.kind) {
    case 'down':
      return {
        level: 'critical',
        predicate: 'is down',
        details: [
          alert.message,
          `${checks(alert.failures)} failed since ${timeInWords(alert.startedAt, at)}`,
        ],
      };
    case 'reminder':
      return {
        level: 'critical',
        predicate: `is still down after ${lengthInWords(at - alert.startedAt)}`,
        details: [
          alert.message,
          `${checks(alert.failures)} failed since ${timeInWords(alert.startedAt, at)}`,
        ],
      };
    case 'up':
      return { level: alert.now === 'up' ? 'good' : 'warning', ...ofUp(alert, at) };
    case 'unwatched':
      return {
        level: 'info',
        predicate: `is no longer watched (${alert.because})`,
        details: [
          alert.endedAt === null
            ? `it was ${alert.was} since ${timeInWords(alert.startedAt, at)}`
            : `it was ${alert.was} from ${timeInWords(alert.startedAt, at)} to ${timeInWords(alert.endedAt, at)}`,
        ],
      };
    case 'degraded':
      return { level: 'warning', predicate: 'is degraded', details: [alert.message] };
    case 'flapping':
      return {
        level: 'warning',
        predicate: `is flapping, at the moment ${alert.status}`,
        details: [
          `its status changed ${times(alert.transitions)} within an hour`,
          'the next message comes when it has been steady for an hour',
        ],
      };
    case 'slept':
      return {
        level: 'warning',
        predicate: `slept although it was pinged ${lengthInWords(alert.gap)} before`,
        details: [
          `it took ${lengthInWords(alert.wakeMs)} to wake`,
          'the host sleeps sooner than SLEEPS_AFTER says, or it restarted',
        ],
      };
    case 'certificate':
      return {
        level: 'warning',
        predicate:
          alert.expiresAt > at
            ? `has a certificate that ends in ${lengthInWords(alert.expiresAt - at)}`
            : 'has a certificate that has ended',
        details: [`valid until ${new Date(alert.expiresAt).toISOString().slice(0, 10)}`],
      };
    case 'restart':
      return {
        level: 'info',
        predicate: `is being restarted, ${alert.number} of ${alert.max}`,
        details: [`the restart request: ${alert.answer}`],
      };
    case 'person_needed':
      return {
        level: 'critical',
        predicate: 'needs a person',
        details: [
          ...(alert.restarts === 0
            ? []
            : [`${alert.restarts === 1 ? 'one restart' : `${alert.restarts} restarts`} did not help`]),
          `down for ${lengthInWords(at - alert.startedAt)}: ${alert.message}`,
        ],
      };
  }
}

function ofUp(
  { was, now, startedAt, endedAt, restarts, message }: TargetAlert & { kind: 'up' },
  at: number,
): Omit<Wording, 'subject' | 'level'> {
  const length = lengthInWords(endedAt - startedAt);
  const span = `from ${timeInWords(startedAt, at)} to ${timeInWords(endedAt, at)}`;
  const remarks = [
    ...(message === null ? [] : [message]),
    ...(restarts === 0 ? [] : [`restarted ${times(restarts)}`]),
  ];
  switch (was) {
    case 'down':
      return {
        predicate:
          now === 'up' ? `is up again after ${length}` : `answers again after ${length}, but is degraded`,
        details: [`it was down ${span}`, ...remarks],
      };
    case 'degraded':
      return { predicate: `is fine again after ${length}`, details: [`it was degraded ${span}`, ...remarks] };
    case 'flapping':
      return { predicate: `is steady again, and ${now}`, details: [`it was flapping ${span}`, ...remarks] };
  }
}

/** `api is down`, `2 down, 1 up again`: what a digest says in a few words. */
export function headline(items: readonly { readonly alert: Alert; readonly name: string }[]): string {
  const [first] = items;
  if (first !== undefined && items.length === 1) {
    const { subject, predicate } = wordingOf(first.alert, first.name);
    return `${subject} ${predicate}`;
  }
  const counts = new Map<Alert['kind'], number>();
  for (const { alert } of items) {
    const more = alert.kind === 'undelivered' ? alert.count : 1;
    counts.set(alert.kind, (counts.get(alert.kind) ?? 0) + more);
  }
  return [...counts]
    .map(([kind, count]) =>
      kind === 'missed' && count > 1 ? `${count} gaps in the runs` : `${count} ${SHORT[kind]}`,
    )
    .join(', ');
}

const SHORT: Readonly<Record<Alert['kind'], string>> = {
  person_needed: 'waiting for a person',
  down: 'down',
  reminder: 'still down',
  flapping: 'flapping',
  pace: 'warning about the pace of the runs',
  missed: 'gap in the runs',
  unrecorded: 'store that takes no records',
  degraded: 'degraded',
  slept: 'slept',
  certificate: 'with a certificate near its end',
  restart: 'being restarted',
  up: 'up again',
  unwatched: 'no longer watched',
  undelivered: 'not delivered',
  test: 'test',
};

const IMPORTANCE = Object.keys(SHORT);

/** Orders alerts: what matters most first, and what happened first before what came later. */
export function byImportance(a: Alert, b: Alert): number {
  return IMPORTANCE.indexOf(a.kind) - IMPORTANCE.indexOf(b.kind) || a.at - b.at;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function checks(count: number): string {
  return count === 1 ? 'one check' : `${count} checks`;
}

/** `too slow for api (every 5 m)`, `too slow to keep app awake (it sleeps after 15 m)`: a part for each kind. */
export function tooSlowInWords({ count, targets }: SlowTargets): string[] {
  const asleep = targets.flatMap(({ target, sleepsAfter }) =>
    sleepsAfter === null ? [] : [`${target} (sleeps after ${intervalInWords(sleepsAfter)})`],
  );
  const late = targets.flatMap(({ target, interval, sleepsAfter }) =>
    sleepsAfter === null ? [`${target} (every ${intervalInWords(interval)})`] : [],
  );
  const left = count - targets.length;
  const more = left === 0 ? '' : ` and ${left} more`;
  return [
    ...(asleep.length === 0
      ? []
      : [`too slow to keep awake: ${asleep.join(', ')}${late.length === 0 ? more : ''}`]),
    ...(late.length === 0 ? [] : [`too slow for the interval of ${late.join(', ')}${more}`]),
  ];
}
