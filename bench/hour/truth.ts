import { readOutbox } from '../../lib/record/outbox-text.js';
import { OUTBOX_FIELD, STATE_FIELD } from '../../lib/record/fields.js';
import { logNames, readLog } from '../../lib/record/log.js';
import { readState } from '../../lib/record/state.js';
import { withPending } from '../../lib/read/load.js';
import type { Store } from '../../lib/store/store.js';
import type { Answers } from '../shards/servers-child.js';

/** A check as the server of a target saw it: all requests that came within `TOGETHER` of one another. */
export interface Ping {
  /** When the first request came, ms since the epoch. */
  readonly at: number;
  /** When the last one came. */
  readonly until: number;
  /** Ms that the last answer took. */
  readonly ms: number;
  /** Of the last answer. */
  readonly isWell: boolean;
}

/**
 * Ms between two requests of one check at most: a further attempt comes 14 s after the one before, where all runs begin at
 * once in one process. Two checks of a target are further apart, unless a run is very late.
 */
const TOGETHER = 25_000;
/** Ms by which the time of a check in the log is rounded, and then some. */
const ROUNDED = 500;
/** As the defaults are. */
const THRESHOLDS = { failures: 3, successes: 2 };

/** What the servers saw, by the number of the target. */
export class Seen {
  readonly #requests = new Map<number, { at: number; ms: number; isWell: boolean }[]>();

  add(answers: Answers): void {
    for (let i = 0; i + 3 < answers.length; i += 4) {
      const [target = 0, at = 0, ms = 0, well = 0] = answers.slice(i, i + 4);
      const its = this.#requests.get(target) ?? [];
      this.#requests.set(target, its);
      its.push({ at, ms, isWell: well === 1 });
    }
  }

  pingsOf(target: number): Ping[] {
    const pings: Ping[] = [];
    const requests = [...(this.#requests.get(target) ?? [])].sort((a, b) => a.at - b.at);
    for (const { at, ms, isWell } of requests) {
      const last = pings.at(-1);
      const goesOn = last !== undefined && at - last.until <= TOGETHER;
      if (goesOn) pings.pop();
      pings.push({ at: goesOn ? last.at : at, until: at, ms, isWell });
    }
    return pings;
  }
}

/** A check as it is on record. */
export interface RecordedCheck {
  readonly at: number;
  readonly isFailed: boolean;
  /** It failed for another reason than the answer: a target's server may not have seen it. */
  readonly isBroken: boolean;
  readonly latency: number | null;
}

/** All that is stored of one target. */
export interface Recorded {
  readonly shard: number;
  readonly checks: readonly RecordedCheck[];
  readonly pings: number;
  readonly failures: number;
}

/** An alert; `target`: the id of the one that it is about. */
export interface Told {
  readonly id: string;
  readonly kind: string;
  readonly target: string | null;
}

/** What is stored of all targets, by id, and the alerts that are still to be sent. */
export async function readRecorded(
  store: Store,
  shards: number,
): Promise<{ readonly targets: ReadonlyMap<string, Recorded>; readonly waiting: readonly Told[] }> {
  const targets = new Map<string, Recorded>();
  const waiting: Told[] = [];
  for (let shard = 0; shard < shards; shard += 1) {
    const found = await store.shard(shard).read({ fields: [STATE_FIELD, OUTBOX_FIELD], logs: logNames() });
    const text = found.fields.get(STATE_FIELD);
    if (text === undefined) continue;
    for (const { alert } of readOutbox(found.fields.get(OUTBOX_FIELD) ?? null).alerts) {
      const { id, kind } = alert;
      waiting.push({ id, kind, target: 'target' in alert ? alert.target : null });
    }
    const state = readState(text);
    const bySlot = new Map<number, RecordedCheck[]>();
    for (const log of withPending(found.logs, state.log).values()) {
      for (const { slot, at, outcome, reason, latency } of readLog(log)) {
        const its = bySlot.get(slot) ?? [];
        bySlot.set(slot, its);
        const isFailed = outcome === 'failed';
        its.push({ at, isFailed, isBroken: isFailed && reason !== 'status', latency });
      }
    }
    for (const [slot, target] of state.targets.entries()) {
      if (target === null) continue;
      const { pings, failures } = target.counters;
      const checks = (bySlot.get(slot) ?? []).sort((a, b) => a.at - b.at);
      targets.set(target.id, { shard, checks, pings, failures });
    }
  }
  return { targets, waiting };
}

/** What the record of one target has to do with what its server saw. */
export interface Comparison {
  /** Checks on record that the server saw as well. */
  readonly matched: number;
  /** The latency on record and that of the server, ms. */
  readonly latencies: readonly (readonly [recorded: number, real: number])[];
  /** Checks that the server saw and that are not on record. */
  readonly unrecorded: readonly Ping[];
  /** Checks on record that the server did not see. */
  readonly unseen: readonly RecordedCheck[];
  /** Checks on record that found something else than the server answered. */
  readonly different: readonly RecordedCheck[];
}

/** Each check on record belongs to the first ping since its run began that no check before it belongs to. */
export function compare(pings: readonly Ping[], checks: readonly RecordedCheck[]): Comparison {
  const left = [...pings];
  const unrecorded: Ping[] = [];
  const unseen: RecordedCheck[] = [];
  const different: RecordedCheck[] = [];
  const latencies: [number, number][] = [];
  let matched = 0;
  for (const [i, check] of checks.entries()) {
    const end = (checks[i + 1]?.at ?? Infinity) - ROUNDED;
    while ((left[0]?.at ?? Infinity) < check.at - ROUNDED) unrecorded.push(...left.splice(0, 1));
    const [ping] = left;
    if (ping === undefined || ping.at >= end) {
      unseen.push(check);
      continue;
    }
    left.shift();
    matched += 1;
    if (check.isFailed === ping.isWell) different.push(check);
    else if (check.latency !== null) latencies.push([check.latency, ping.ms]);
  }
  return { matched, latencies, unrecorded: [...unrecorded, ...left], unseen, different };
}

/** How often people are to be told of a target that it is down, and that it is up, by its checks on record. */
export function alertsDue(checks: readonly RecordedCheck[]): { readonly down: number; readonly up: number } {
  let [failures, successes, down, up, isDown] = [0, 0, 0, 0, false];
  for (const { isFailed } of checks) {
    [failures, successes] = isFailed ? [failures + 1, 0] : [0, successes + 1];
    if (!isDown && failures >= THRESHOLDS.failures) {
      isDown = true;
      down += 1;
    } else if (isDown && successes >= THRESHOLDS.successes) {
      isDown = false;
      up += 1;
    }
  }
  return { down, up };
}
