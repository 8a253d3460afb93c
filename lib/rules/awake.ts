import type { Check } from '../types.js';
import { withGap, type Gaps } from './gaps.js';

/** What is known of whether a host stayed awake. Times are ms since the epoch. */
export interface AwakeState {
  /** The last ping that reached the host, unless the target rested since: the next that does ends a gap that began here. */
  readonly awakeFrom: number | null;
  readonly awakeGaps: Gaps;
  /** The last answer of the app itself; null: none since it was found asleep, or since the proof broke off. */
  readonly provenAt: number | null;
  /** Since when the app itself has answered, without a gap as long as its limit and without a cold start; rests apart. */
  readonly awakeSince: number | null;
  /** When that last broke off although it was to be kept awake. */
  readonly brokenAt: number | null;
  /** When the host last said that it sleeps or cannot be woken, unless it was reached since. */
  readonly asleepAt: number | null;
  /** When it was last found to have slept although it was to be kept awake. */
  readonly sleptAt: number | null;
  /** Pings since `awakeFrom` that we missed: no run came in time, or it did not check everything. */
  readonly pingsMissed: boolean;
}

export interface AwakeRules {
  /** Ms; null: it does not sleep. */
  readonly sleepsAfter: number | null;
  /** An answer of the app itself is a proof of activity. */
  readonly answersCount: boolean;
  /** Whether nothing was promised for some of the time from `from` to `to`, the latter included. */
  readonly isExempt: (from: number, to: number) => boolean;
}

export interface AwakeStep {
  readonly state: AwakeState;
  /** Ms before the check in which it was awake, as is known now. */
  readonly awake: number;
  /** Ms before the check in which it slept, as is known now. */
  readonly slept: number;
}

type Seen = Pick<Check, 'at' | 'coldStart' | 'reached' | 'origin' | 'latency' | 'wakeMs'>;

/**
 * What one more check tells. Only an answer of the app itself proves anything; an answer that may be the edge's keeps the
 * host from being called asleep, and proves nothing. Time is `awake` where two such answers are closer together than the
 * host's limit, with neither a cold start nor a ping that did not arrive between them; it is `slept` where the host says so or woke, up to the ping before.
 * @param before `lastCheckAt`: when the check before was made
 */
export function awakeAfter(
  before: AwakeState & { readonly lastCheckAt: number | null },
  rules: AwakeRules,
  check: Seen,
): AwakeStep {
  const { at, reached, origin } = check;
  const { sleepsAfter } = rules;
  if (sleepsAfter === null) {
    return { state: reached ? { ...withReach(before, at), ...NOTHING_PROVEN } : before, awake: 0, slept: 0 };
  }
  const current = withoutStaleProof(before, sleepsAfter, at);
  if (origin === 'asleep' || origin === 'unwakeable') return foundAsleep(current, rules, sleepsAfter, at);
  if (reached) return answered(current, rules, sleepsAfter, check);
  // It may have stopped, and run again before the next ping: the proof begins anew.
  return { state: { ...current, provenAt: null, awakeSince: null }, awake: 0, slept: 0 };
}

const NOTHING_PROVEN = { provenAt: null, awakeSince: null, asleepAt: null } as const;

/** The proof breaks off as soon as the last one is as old as the limit. After a rest it is not looked at. */
function withoutStaleProof<S extends AwakeState>(state: S, sleepsAfter: number, at: number): S {
  const { provenAt, awakeFrom } = state;
  const isStale = awakeFrom !== null && provenAt !== null && at - provenAt >= sleepsAfter;
  return isStale ? { ...state, provenAt: null, awakeSince: null, brokenAt: at } : state;
}

/** Since the last ping that reached it; null: there was none, or it rested since. */
function gapTo({ awakeFrom }: AwakeState, at: number): number | null {
  return awakeFrom === null || awakeFrom > at ? null : at - awakeFrom;
}

function withReach(state: AwakeState, at: number): AwakeState {
  const gap = gapTo(state, at);
  const awakeGaps = gap === null ? state.awakeGaps : withGap(state.awakeGaps, at, gap);
  return { ...state, awakeFrom: at, awakeGaps, pingsMissed: false };
}

/** Whether it slept although it was to be kept awake: not after pings that we missed, or where nothing was promised. */
function isBroken({ pingsMissed }: AwakeState, { isExempt }: AwakeRules, gap: AwakeGap): boolean {
  return (!gap.isTooLong || !pingsMissed) && !isExempt(gap.to - gap.length, gap.to);
}

interface AwakeGap {
  readonly to: number;
  readonly length: number;
  readonly isTooLong: boolean;
}

/** How much of a gap it slept: all that its limit leaves; the whole gap where it slept before its limit. */
function sleptIn({ length, isTooLong }: AwakeGap, sleepsAfter: number): number {
  return isTooLong ? length - sleepsAfter : length;
}

function foundAsleep(state: AwakeState, rules: AwakeRules, sleepsAfter: number, at: number): AwakeStep {
  const found = { ...state, ...NOTHING_PROVEN, asleepAt: at };
  if (state.asleepAt !== null) return { state: found, awake: 0, slept: Math.max(0, at - state.asleepAt) };
  const length = gapTo(state, at);
  if (length === null) return { state: found, awake: 0, slept: 0 };
  const gap = { to: at, length, isTooLong: length >= sleepsAfter };
  const broken = isBroken(state, rules, gap) ? { sleptAt: at, brokenAt: at } : {};
  return { state: { ...found, ...broken }, awake: 0, slept: sleptIn(gap, sleepsAfter) };
}

function answered(
  before: AwakeState & { readonly lastCheckAt: number | null },
  rules: AwakeRules,
  sleepsAfter: number,
  { at, coldStart, origin, latency, wakeMs }: Seen,
): AwakeStep {
  const state = withReach(before, at);
  const length = gapTo(before, at);
  const gap = length === null ? null : { to: at, length, isTooLong: length >= sleepsAfter };
  const wasAsleep = before.asleepAt !== null;
  const slept = wasAsleep
    ? Math.max(0, at - before.asleepAt)
    : gap !== null && coldStart
      ? sleptIn(gap, sleepsAfter)
      : 0;
  const breaks = gap !== null && !wasAsleep && (gap.isTooLong || coldStart);
  const isPromiseBroken = breaks && isBroken(before, rules, gap);
  const proofBefore = gap === null || wasAsleep || breaks ? null : before.provenAt;
  const isOwn = origin === 'container';
  // It is known to run from its answer on: the request may have waited for it to wake.
  const answeredAt = at + (wakeMs ?? latency ?? 0);
  const awake = isOwn && rules.answersCount && proofBefore !== null ? Math.max(0, at - proofBefore) : 0;
  return {
    state: {
      ...state,
      asleepAt: null,
      sleptAt: isPromiseBroken ? at : before.sleptAt,
      brokenAt: isPromiseBroken ? at : before.brokenAt,
      provenAt: isOwn ? answeredAt : proofBefore,
      awakeSince: isOwn
        ? breaks || wasAsleep
          ? at
          : sinceWhen(before, at, gap)
        : proofBefore === null
          ? null
          : before.awakeSince,
    },
    awake,
    slept,
  };
}

/** A rest does not count as time in which it was pinged: what follows is added to what was before. */
function sinceWhen(
  { awakeSince, provenAt, lastCheckAt }: AwakeState & { readonly lastCheckAt: number | null },
  at: number,
  gap: AwakeGap | null,
): number {
  if (gap !== null) return awakeSince ?? provenAt ?? at;
  if (awakeSince === null || lastCheckAt === null) return at;
  return at - Math.max(0, lastCheckAt - awakeSince);
}
