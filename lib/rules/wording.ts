import type { Alert, OverAllowance, Resource, SlowTargets, TargetAlert } from '../types.js';
import {
  dateInWords,
  intervalInWords,
  lengthInWords,
  paceInWords,
  spanInWords,
  timeInWords,
} from './durations.js';

/** How much an alert matters, the highest first. */
export const LEVELS = ['critical', 'warning', 'info', 'good'] as const;
export type Level = (typeof LEVELS)[number];

/** What an alert says, without markup: `<subject> <predicate> – <detail>; <detail>`. */
export interface Wording {
  readonly level: Level;
  /** `api`, `Peer b.example.com`, or `Keepalive` where the alert is about the pinger itself. */
  readonly subject: string;
  /** `is down`, `is up again after 12 m` */
  readonly predicate: string;
  /**
   * `status 503, expected 200-299`, `3 checks have failed since 12:03 UTC`; none may be missing for the alert to make
   * sense.
   */
  readonly details: readonly string[];
}

/** What an alert does not say itself. */
export interface WordingContext {
  /** What people call the target; unused where the alert is about the pinger itself. */
  readonly name: string;
  /** Runs are made by `npm start`; otherwise a trigger calls for them. */
  readonly isLocal: boolean;
  /** Of the times that it names: the name of a time zone. */
  readonly timeZone: string;
}

export function wordingOf(alert: Alert, { name, isLocal, timeZone }: WordingContext): Wording {
  if (alert.kind === 'missed') {
    return {
      level: 'warning',
      subject: 'Keepalive',
      predicate: `recorded no runs for ${lengthInWords(alert.to - alert.from)}`,
      details: [
        spanInWords(alert.from, alert.to, alert.at, timeZone),
        isLocal
          ? 'npm start was not running, its machine was asleep, or it could not reach its database'
          : 'check the trigger and the database; if the trigger is meant to call that rarely, set KEEP_ALIVE_TICK to its interval',
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
        isLocal
          ? 'its runs take longer than that; set KEEP_ALIVE_TICK to the interval it can keep'
          : 'let the trigger call more often; if it is meant to call that rarely, set KEEP_ALIVE_TICK to its interval',
      ],
    };
  }
  if (alert.kind === 'allowances') {
    return {
      level: 'warning',
      subject: 'Keepalive',
      predicate: 'will use more than its plan allows this month',
      details: [
        ...alert.over.map(overInWords),
        'waits and rounds are shortened already; let the trigger call less often, check fewer targets, or take a larger plan',
      ],
    };
  }
  if (alert.kind === 'unrecorded') {
    return {
      level: 'warning',
      subject: 'Keepalive',
      predicate: 'cannot record what it finds',
      details: [
        `since ${timeInWords(alert.from, alert.at, timeZone)}`,
        alert.message,
        'targets are still pinged and outages still reported, but no statistics are kept and nothing is restarted',
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
      details: ['this channel did not accept them for a day'],
    };
  }
  if (alert.kind === 'peer_down' || alert.kind === 'peer_up') return ofPeer(alert, timeZone);
  if (alert.kind === 'test') {
    return {
      level: 'info',
      subject: 'Keepalive',
      predicate: 'sent a test message',
      details: ['nothing is wrong; this channel works'],
    };
  }
  return { subject: name, ...ofTarget(alert, alert.at, timeZone) };
}

/** What is wrong with a peer, behind its name. */
export const PEER_TROUBLES: Readonly<Record<(Alert & { kind: 'peer_down' })['how'], string>> = {
  stopped: 'has stopped making runs',
  unclear: 'does not say whether it makes runs',
  silent: 'does not answer',
};

function ofPeer(alert: Extract<Alert, { readonly peer: string }>, timeZone: string): Wording {
  const subject = `Peer ${alert.peer}`;
  const { at, startedAt } = alert;
  if (alert.kind === 'peer_down') {
    const since = timeInWords(startedAt, at, timeZone);
    return {
      level: 'warning',
      subject,
      predicate: PEER_TROUBLES[alert.how],
      details: [
        ...(alert.message === null ? [] : [alert.message]),
        alert.how === 'stopped' ? `it answers, and its last run was at ${since}` : `since ${since}`,
        'nobody may be watching its targets',
      ],
    };
  }
  if (alert.now === 'removed') {
    const details = ['it is not in KEEP_ALIVE_PEERS any more'];
    return { level: 'info', subject, predicate: 'is no longer watched', details };
  }
  return {
    level: 'good',
    subject,
    predicate: `is back after ${lengthInWords(alert.endedAt - startedAt)}`,
    details: [`it could not be seen to make runs ${spanInWords(startedAt, alert.endedAt, at, timeZone)}`],
  };
}

function ofTarget(alert: TargetAlert, at: number, timeZone: string): Omit<Wording, 'subject'> {
  switch (alert.kind) {
    case 'down':
      return {
        level: 'critical',
        predicate: 'is down',
        details: [alert.message, failedChecks(alert, at, timeZone)],
      };
    case 'reminder':
      return {
        level: 'critical',
        predicate: `is still down after ${lengthInWords(at - alert.startedAt)}`,
        details: [alert.message, failedChecks(alert, at, timeZone)],
      };
    case 'up':
      return { level: alert.now === 'up' ? 'good' : 'warning', ...ofUp(alert, at, timeZone) };
    case 'unwatched':
      return {
        level: 'info',
        predicate: `is no longer watched (${alert.because})`,
        details: [
          alert.endedAt === null
            ? `it had been ${alert.was} since ${timeInWords(alert.startedAt, at, timeZone)}`
            : `it was ${alert.was} ${spanInWords(alert.startedAt, alert.endedAt, at, timeZone)}`,
        ],
      };
    case 'degraded':
      return { level: 'warning', predicate: 'is degraded', details: [alert.message] };
    case 'flapping':
      return {
        level: 'warning',
        predicate: `is flapping, currently ${alert.status}`,
        details: [
          `its status changed ${times(alert.transitions)} within an hour`,
          'the next message comes once it has been stable for an hour',
        ],
      };
    case 'slept':
      return {
        level: 'warning',
        predicate: `fell asleep although it was pinged ${lengthInWords(alert.gap)} earlier`,
        details: [
          ...(alert.wakeMs === null ? [] : [`it took ${lengthInWords(alert.wakeMs)} to wake`]),
          'the host sleeps sooner than SLEEPS_AFTER says, or it restarted',
        ],
      };
    case 'contradicted':
      return {
        level: 'warning',
        predicate: 'answers, but its host says that it does not run',
        details: [alert.message, 'something else may answer in its place: nothing shows that it is awake'],
      };
    case 'certificate':
      return {
        level: 'warning',
        predicate:
          alert.expiresAt > at
            ? `has a certificate that expires in ${lengthInWords(alert.expiresAt - at)}`
            : 'has an expired certificate',
        details: [
          `${alert.expiresAt > at ? 'it is' : 'it was'} valid until ${dateInWords(alert.expiresAt, timeZone)}`,
        ],
      };
    case 'restart':
      return {
        level: 'info',
        predicate: `is being restarted (${alert.number} of ${alert.max})`,
        details: [`restart request: ${alert.answer}`],
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
  timeZone: string,
): Omit<Wording, 'subject' | 'level'> {
  const length = lengthInWords(endedAt - startedAt);
  const span = spanInWords(startedAt, endedAt, at, timeZone);
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
      return {
        predicate: `is back to normal after ${length}`,
        details: [`it was degraded ${span}`, ...remarks],
      };
    case 'flapping':
      return { predicate: `is stable again and ${now}`, details: [`it was flapping ${span}`, ...remarks] };
  }
}

/** `api is down`, `2 down, 1 up again`: what a digest says in a few words. */
export function headline(items: readonly (WordingContext & { readonly alert: Alert })[]): string {
  const [first] = items;
  if (first !== undefined && items.length === 1) {
    const { subject, predicate } = wordingOf(first.alert, first);
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
  peer_down: 'peer out of order',
  pace: 'warning about the pace of the runs',
  missed: 'gap in the runs',
  unrecorded: 'store that cannot be written to',
  allowances: 'warning about an allowance',
  degraded: 'degraded',
  slept: 'fell asleep',
  contradicted: 'not running by the word of the host',
  certificate: 'with a certificate near its expiry',
  restart: 'being restarted',
  up: 'up again',
  peer_up: 'peer back in order',
  unwatched: 'no longer watched',
  undelivered: 'not delivered',
  test: 'test',
};

const IMPORTANCE = Object.keys(SHORT);

/** Sorts alerts by importance, the most important first, and equal ones by time. */
export function byImportance(a: Alert, b: Alert): number {
  return IMPORTANCE.indexOf(a.kind) - IMPORTANCE.indexOf(b.kind) || a.at - b.at;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

/** `3 checks have failed since 12:03 UTC`, `one check failed at 12:03 UTC` */
function failedChecks(
  { failures, startedAt }: TargetAlert & { kind: 'down' | 'reminder' },
  at: number,
  timeZone: string,
): string {
  const time = timeInWords(startedAt, at, timeZone);
  return failures === 1 ? `one check failed at ${time}` : `${failures} checks have failed since ${time}`;
}

/** What resources are called, where the month is named beside them. */
export const RESOURCE_WORDS: Readonly<Record<Resource, string>> = {
  storeCommands: 'Upstash commands',
  functionMemoryGbHours: 'Vercel memory hours (GB-h)',
  functionCpuHours: 'Vercel CPU hours',
  invocations: 'Vercel invocations',
  qstashMessages: 'QStash messages',
};

/** `620,000 of 500,000 Upstash commands` */
export function overInWords({ resource, projected, allowed }: OverAllowance): string {
  const [used, of] = [projected, allowed].map((amount) => Math.round(amount).toLocaleString('en-US'));
  return `${used} of ${of} ${RESOURCE_WORDS[resource]}`;
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
