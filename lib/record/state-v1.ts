import { EMPTY } from '../rules/histogram.js';
import { inflate } from './codec/envelope.js';
import { unflattenHistogram } from './codec/histogram-codec.js';
import {
  asList,
  asNumber,
  asNumbers,
  asObject,
  asText,
  asTime,
  itemAt,
  orNull,
  parseJson,
} from './codec/json.js';
import { TextError } from './codec/text-error.js';
import type { LogHead, LastRun, State, TargetState } from './state-model.js';

/**
 * Version 1 of the state, which Keepalive wrote up to 0.1.0 and for a time after it: a JSON list of 1, the head and the
 * columns, deflated, in base64. Each column has the values of one property of all targets. It grew while it was in use,
 * and kept its version: what a text may lack is optional here.
 */
export interface StateV1 extends Omit<
  State,
  'rewinds' | 'intervals' | 'lost' | 'log' | 'targets' | 'account' | 'peers'
> {
  readonly rewinds: number | null;
  readonly intervals: readonly number[] | null;
  readonly lost: State['lost'];
  readonly log: Omit<LogHead, 'version'>;
  readonly targets: readonly (TargetStateV1 | null)[];
}

type TargetStateV1 = Omit<
  TargetState,
  Added | 'provenAt' | 'brokenAt' | 'asleepAt' | 'waking' | 'hostWord'
> & {
  readonly [K in Added]: TargetState[K] | undefined;
};
/** Columns that came later; undefined: the text does not have them. */
type Added = 'awakeSince' | 'sleptAt' | 'pingsMissed' | 'idle' | 'unobserved' | 'beforeGap';

/**
 * What version 1 holds, as today's state. It did not always count what is asked for today: what a text does not say is
 * not known, and is never made up. The counters stay what they are.
 */
export function migrateState(old: StateV1): State {
  return {
    ...old,
    rewinds: old.rewinds ?? 0,
    intervals: old.intervals ?? [],
    // Its logs have no version: the one at hand goes on without.
    log: { version: 1, ...old.log },
    account: null,
    peers: [],
    targets: old.targets.map(
      (target): TargetState | null =>
        target && {
          ...target,
          // It did not ask who answered, and took each answer for the app's own.
          provenAt: target.awakeFrom,
          awakeSince: target.awakeSince ?? null,
          brokenAt: null,
          asleepAt: null,
          sleptAt: target.sleptAt ?? null,
          pingsMissed: target.pingsMissed ?? false,
          idle: target.idle ?? null,
          unobserved: target.unobserved ?? null,
          beforeGap: target.beforeGap ?? null,
          waking: null,
          hostWord: null,
        },
    ),
  };
}

export const STATE_V1_DICTIONARY = Buffer.from(
  ',"request timed out","connection refused","connection reset","name not found","certificate has expired"' +
    ',"status 404, expected 200-299","status 500, expected 200-299","status 502, expected 200-299","status 503, expected 200-299"' +
    ',[[0,60000,1,3600000]],[[39,38,1,74,1,18],[1000,0,60000000,0,0,0]],[1],[0],[0],[1800000000],[null],[null],[null],[200],[0],[0],[0]' +
    '[1,{"revision":100,"firstRunAt":1760000000000,"lastRun":{"id":"","at":1760000000000,"status":"partial","inconclusive","completed"' +
    ',"durationMs":100,"checked":1,"failed":0},"gaps":[{"from":1760000000000,"to":1760000000000}],"log":{"span":245000,"offset":1000' +
    ',"lastUnit":7000000000,"lastWidth":1},"markedHour":490000},[["api"],[60000],[null],[null],[1],[60000],[0],[0],[10],[10],[60000],[0],[0],[0],[200]',
);

/** @throws TextError for what is no state in version 1 */
export function readStateV1(source: string): StateV1 {
  const [version, headJson, columns] = asList(
    parseJson(inflate(source, STATE_V1_DICTIONARY, 'the state'), 'the state'),
  );
  if (version !== 1) throw new TextError('the state is in no version that ever was');
  const head = readHead(asObject(headJson));
  return { ...head, targets: readTargets(asList(columns).map(asList), head) };
}

type Properties = ReadonlyMap<string, unknown>;

function readHead(head: Properties): Omit<StateV1, 'targets'> {
  const log = asObject(head.get('log'));
  return {
    revision: asNumber(head.get('revision')),
    firstRunAt: asTime(head.get('firstRunAt')),
    rewinds: orNull(head.get('rewinds'), asNumber),
    lastRun: orNull(head.get('lastRun'), readLastRun),
    gaps: asList(head.get('gaps')).map((item) => {
      const gap = asObject(item);
      return { from: asTime(gap.get('from')), to: asTime(gap.get('to')) };
    }),
    intervals: orNull(head.get('intervals'), asNumbers),
    lost: orNull(head.get('lost'), (item) => {
      const lost = asObject(item);
      return { firstRunAt: asTime(lost.get('firstRunAt')), lastRunAt: asTime(lost.get('lastRunAt')) };
    }),
    log: {
      span: asNumber(log.get('span')),
      offset: asNumber(log.get('offset')),
      lastUnit: asNumber(log.get('lastUnit')),
      lastWidth: orNull(log.get('lastWidth'), asNumber),
      pending: asText(log.get('pending')),
    },
    snapshotHour: asNumber(head.get('markedHour')),
  };
}

function readLastRun(json: unknown): LastRun {
  const run = asObject(json);
  return {
    id: asText(run.get('id')),
    at: asTime(run.get('at')),
    status: oneOf(['completed', 'partial', 'inconclusive'], run.get('status')),
    durationMs: asNumber(run.get('durationMs')),
    checked: asNumber(run.get('checked')),
    failed: asNumber(run.get('failed')),
    commands: asNumber(run.get('commands')),
  };
}

/** Times are distances from the base, hours from the hour of the last snapshot. */
function readTargets(
  columns: readonly (readonly unknown[])[],
  { lastRun, firstRunAt, snapshotHour }: Pick<StateV1, 'lastRun' | 'firstRunAt' | 'snapshotHour'>,
): StateV1['targets'] {
  const base = lastRun?.at ?? firstRunAt;
  const time = (value: unknown): number => asTime(base - asNumber(value));
  const timeOrNull = (value: unknown): number | null => orNull(value, time);
  return (columns[0] ?? []).map((id, slot): TargetStateV1 | null => {
    if (id === null) return null;
    const at = (column: number): unknown => columns[column]?.[slot];
    const added = <T>(column: number, read: (value: unknown) => T): T | undefined =>
      columns[column] === undefined ? undefined : read(at(column));
    return {
      id: asText(id),
      addedAt: time(at(1)),
      removedAt: timeOrNull(at(2)),
      restingSince: timeOrNull(at(3)),
      status: byNumber(['pending', 'up', 'degraded', 'down'], at(4)),
      since: time(at(5)),
      lastOutcome: orNull(at(6), (value) => byNumber(['good', 'degraded', 'failed'], value)),
      consecutiveFailures: asNumber(at(7)),
      consecutiveSuccesses: asNumber(at(8)),
      streak: asNumber(at(9)),
      seriesAt: timeOrNull(at(10)),
      lastCheckAt: timeOrNull(at(11)),
      lastSuccessAt: timeOrNull(at(12)),
      awakeFrom: timeOrNull(at(13)),
      lastStatusCode: orNull(at(14), asNumber),
      latency: orNull(at(15), asNumber),
      message: orNull(at(16), asText),
      lastError: orNull(at(17), (value) => {
        const [since, message] = asList(value);
        return { at: time(since), message: asText(message) };
      }),
      tlsExpiresAt: orNull(at(18), (value) => asTime(asNumber(value) * 1000)),
      incident: orNull(at(19), (value) => {
        const [since, message] = asList(value);
        return { startedAt: time(since), message: asText(message) };
      }),
      incidents: asNumber(at(20)),
      countedTo: time(at(21)),
      // Column 22 said whether the last check was made in maintenance.
      counters: readCounters(at(23)),
      latencies: columns[24] === undefined ? EMPTY : unflattenHistogram(asNumbers(at(24))),
      awakeGaps: pairs(asNumbers(at(25))).map(([ago, length]) => ({ hour: snapshotHour - ago, length })),
      phases: orNull(at(26), (value) => asList(value).map((phase) => orNull(phase, asNumber))),
      awakeSince: added(27, timeOrNull),
      sleptAt: added(28, timeOrNull),
      pingsMissed: added(29, (value) => value === 1),
      idle: added(30, (value) =>
        orNull(value, (stretch) => {
          const [from, to] = asList(stretch);
          return { from: time(from), to: time(to) };
        }),
      ),
      unobserved: added(31, (value) =>
        orNull(value, (counted) => {
          const [total, atSeries] = asList(counted);
          return { total: asNumber(total), atSeries: asNumber(atSeries) };
        }),
      ),
      beforeGap: added(32, (value) =>
        orNull(value, (before) => {
          const [countedTo, endedAt, counters] = asList(before);
          return { countedTo: time(countedTo), endedAt: time(endedAt), counters: readCounters(counters) };
        }),
      ),
    };
  });
}

function readCounters(value: unknown): TargetState['counters'] {
  const [pings = 0, failures = 0, expected = 0, missed = 0, bad = 0, coldStarts = 0] = asNumbers(value);
  const observed = expected - missed;
  return { pings, failures, expected, observed, good: observed - bad, coldStarts, awake: 0, slept: 0 };
}

function pairs(flat: readonly number[]): [number, number][] {
  return Array.from({ length: Math.floor(flat.length / 2) }, (_, i) => [
    itemAt(flat, 2 * i),
    itemAt(flat, 2 * i + 1),
  ]);
}

/** Version 1 wrote statuses and outcomes as their places in these lists. */
function byNumber<T extends string>(values: readonly T[], value: unknown): T {
  const found = values[asNumber(value)];
  if (found === undefined) throw new TextError('the state holds an unknown value');
  return found;
}

function oneOf<T extends string>(values: readonly T[], value: unknown): T {
  const found = values.find((each) => each === value);
  if (found === undefined) throw new TextError('the state holds an unknown value');
  return found;
}
