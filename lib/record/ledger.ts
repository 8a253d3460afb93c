import { ENOUGH_TO_TELL, monthOf, withUsage, type Account, type Usage } from '../rules/account.js';
import { NO_LIMITS, type Limits } from '../rules/allowances.js';
import { budgetOf, comesTo, exceeds } from '../rules/budget.js';
import type { DueState } from '../rules/due.js';
import { reachOf } from '../rules/counters.js';
import {
  isSlow,
  meanInterval,
  MISSED_AFTER_TICKS,
  missedToTell,
  tooSlowFor,
  triggerPace,
  withInterval,
} from '../rules/trigger-pace.js';
import { isSettling } from '../rules/status.js';
import { longestRounds, timeToSpend } from '../rules/throttle.js';
import {
  afterReading,
  isReadingDue,
  troubleToTell,
  type OthersReading,
  type PeerState,
} from '../rules/peer-watch.js';
import type { Waking } from '../rules/waking.js';
import type { CheckOrOpen, HostWord, Status, Target, Transition } from '../types.js';
import { Notifier, type NotifierSettings } from './notifier.js';
import { writeSlots } from './excerpt.js';
import { OUTBOX_FIELD, SLOTS_FIELD, STATE_FIELD } from './fields.js';
import { incidentField, writeIncident } from './incidents.js';
import type { LogRow } from './log.js';
import {
  type LogHead,
  type LastRun,
  type LostData,
  type OpenIncident,
  type RunGap,
  type State,
  type TargetState,
  endOf,
} from './state-model.js';
import { logName, NO_LOG, spanAt, writeRow } from './log.js';
import { DAYS_KEPT, HOURS_KEPT, snapshotField, writeSnapshot, writeSnapshotReference } from './snapshots.js';
import { rewound, withCountersBeforeGap } from './rewind.js';
import { readState, writeState } from './state.js';
import {
  addedBy,
  admit,
  advance,
  contradiction,
  countUpTo,
  isLogged,
  leaveOpen,
  snapshotAt,
  unobservedAfter,
} from './targets.js';
import { DAY, HOUR } from '../time.js';

const GAPS_KEPT = 20;
/** A run that comes this many ticks after the one before is late: pings may be missing between them. */
const LATE_AFTER_TICKS = 1.5;

/** The stored texts that a ledger is opened on; null: nothing is stored yet. */
export interface Stored {
  readonly state: string | null;
  readonly outbox: string | null;
}

export interface LedgerSettings extends NotifierSettings {
  readonly targets: readonly Target[];
  readonly tick: number;
  /** The allowances that are watched; absent: none. */
  readonly limits?: Limits;
  /**
   * The time span of data that this process has committed earlier; used where nothing is stored any more. Null: none.
   */
  readonly remembered?: LostData | null;
  /** When this process made its last run, also of those that could not be recorded; null: it made none. */
  readonly lastHeardAt?: number | null;
}

/** What a commit writes. */
export interface Changes {
  readonly fields: Readonly<Record<string, string>>;
  readonly append: { readonly log: string; readonly offset: number; readonly text: string } | null;
}

/**
 * The ledger of one run. It is opened on the stored texts, records every check in the order of time, and gives the changes
 * for a commit. It reads no clock and no store: opened on the same texts and given the same checks, it writes the same.
 */
export class Ledger {
  /** Makes alerts and restarts of what is recorded. */
  readonly notifier: Notifier;
  /** By id. */
  readonly targets: ReadonlyMap<string, Target>;
  private readonly slots: ReadonlyMap<string, number>;
  private readonly head: Omit<State, 'targets'>;
  /** By slot. */
  private readonly states: (TargetState | null)[];
  private readonly span: number;
  private log: LogHead;
  private snapshotHour: number;
  private peers: readonly PeerState[];
  private revision: number;
  /** The list of slots is written when the run ends. */
  private mustListSlots: boolean;
  private readonly fields = new Map<string, string>();
  /** When incidents ended in this run, by target and by when they began. */
  readonly ends = new Map<string, ReadonlyMap<number, number>>();

  private readonly tick: number;
  private readonly limits: Limits;
  /** As in `Account`. */
  private toldIn: number | null;

  /** @throws TextError when a stored text is not one of ours. */
  constructor(
    stored: Stored,
    settings: LedgerSettings,
    private readonly now: number,
  ) {
    const { targets, tick, limits = NO_LIMITS, lastHeardAt = null } = settings;
    const state =
      stored.state === null ? emptyState(now, settings.remembered ?? null) : readState(stored.state);
    const { targets: states, ...head } = rewound(state, now);
    this.tick = tick;
    this.limits = limits;
    const gap = missedRuns(head, lastHeardAt, now, tick);
    this.head = {
      ...head,
      gaps: gap === null ? head.gaps : [...head.gaps, gap].slice(-GAPS_KEPT),
      intervals: head.lastRun === null ? [] : withInterval(head.intervals, head.lastRun.at, now),
    };
    this.log = head.log;
    this.span = spanAt(head.log, now);
    this.snapshotHour = head.snapshotHour;
    this.revision = head.revision;
    const watched = settings.peers ?? [];
    this.peers = head.peers.filter(({ peer }) => watched.includes(peer));
    this.toldIn = head.account?.toldIn ?? null;
    this.targets = new Map(targets.map((target) => [target.info.id, target]));
    this.states = admit(withCountersBeforeGap(states, gap, now), targets, {
      now,
      pingsMissed: mayMissPings(head.lastRun, { now, tick }),
    });
    this.mustListSlots = this.states.some((state, slot) => state?.id !== states[slot]?.id);
    const known = new Set(this.states.flatMap((state) => state?.id ?? []));
    // A run that could not commit may have sent its alerts, and the next run begins on the same revision.
    const run = `${head.firstRunAt.toString(36)}-${head.revision}-${(now - head.firstRunAt).toString(36)}`;
    this.notifier = new Notifier(stored.outbox, { targets: this.targets, known, settings, run, now });
    this.evaluateRuns(head, gap);
    this.evaluateAllowances(head);
    this.slots = new Map(this.states.flatMap((state, slot) => (state === null ? [] : [[state.id, slot]])));
  }

  /** Null: there was none. */
  get lastRun(): LastRun | null {
    return this.head.lastRun;
  }

  get firstRunAt(): number {
    return this.head.firstRunAt;
  }

  /** How long after the start of this run rounds may begin, and anything may be waited for at all, in ms. */
  get throttle(): { readonly rounds: number; readonly waits: number } {
    const { limits, now, head } = this;
    const waits = timeToSpend(head.account, limits, now);
    return { rounds: Math.min(waits, longestRounds(limits, this.pace)), waits };
  }

  /** Ms between two runs on average, as they come; by the tick, until enough have come. */
  get pace(): number {
    return meanInterval(this.head.intervals, this.tick);
  }

  /** Reports once a month that an allowance will be exceeded. */
  private evaluateAllowances({ account, lastRun }: Omit<State, 'targets'>): void {
    const { now, limits, notifier, pace } = this;
    if (account === null || lastRun === null || this.toldIn === monthOf(now)) return;
    const last = { at: lastRun.at, pace };
    const over = budgetOf(account, limits, { now, last, enough: ENOUGH_TO_TELL }).filter(exceeds);
    const told = over.map((line) => ({ ...line, projected: comesTo(line) }));
    if (told.length > 0 && notifier.onAllowances(told)) this.toldIn = monthOf(now);
  }

  /** Reports missing runs and runs that come too seldom. */
  private evaluateRuns(before: Omit<State, 'targets'>, gap: RunGap | null): void {
    const { tick, now, notifier } = this;
    const { lastRun } = before;
    if (lastRun === null) return;
    const missed = missedToTell({ ...before, lastAt: lastRun.at }, gap, tick, now);
    if (missed !== null) notifier.onMissedRuns(missed);
    const pace = triggerPace({ intervals: this.head.intervals, lastAt: now }, tick, now);
    if (pace.actual === null) return;
    const targets = [...this.targets.values()].map(({ info }) => info);
    const { actual, expected } = pace;
    const slowFor = tooSlowFor(targets, {
      pace: actual,
      tick,
      lastRunMs: lastRun.durationMs,
      longestRounds: longestRounds(this.limits, this.pace),
    });
    const isMissing = actual > MISSED_AFTER_TICKS * tick && targets.some(({ enabled }) => enabled);
    notifier.onPace(isSlow(pace) && (slowFor.count > 0 || isMissing) ? { expected, actual, slowFor } : null);
  }

  /** The peers whose health is to be read in this run, of those that are watched. */
  peersToRead(watched: readonly string[]): readonly string[] {
    return watched.filter((peer) => isReadingDue(this.peerStateOf(peer), this.tick, this.now));
  }

  /**
   * Records what was read of peers, and reports what is wrong with them.
   * @returns those that went out of order by it, or that are well again
   */
  recordPeers(readings: ReadonlyMap<string, OthersReading>): readonly PeerState[] {
    const isOut = (known: PeerState | null): boolean =>
      known !== null && troubleToTell(known, this.tick) !== null;
    const before = this.peers;
    const read = [...readings].map(([peer, reading]) =>
      afterReading(peer, this.peerStateOf(peer), reading, this.now),
    );
    this.peers = [...before.filter(({ peer }) => !readings.has(peer)), ...read];
    for (const known of read) {
      const trouble = troubleToTell(known, this.tick);
      if (trouble !== null || known.trouble === null) this.notifier.onPeer(known.peer, trouble);
    }
    return read.filter((known) => {
      const was = before.find(({ peer }) => peer === known.peer) ?? null;
      return isOut(was) ? known.trouble === null : isOut(known);
    });
  }

  private peerStateOf(name: string): PeerState | null {
    return this.peers.find(({ peer }) => peer === name) ?? null;
  }

  dueStateOf(target: Target): DueState {
    const state = this.stateOf(target.info.id);
    return {
      lastCheckAt: state.lastCheckAt,
      interval: target.info.interval,
      settling: isSettling(state),
      isOpen: state.waking !== null,
    };
  }

  /** What the API of its host last said, as far as runs before have recorded it. */
  hostWordOf(id: string): HostWord | null {
    return this.stateOf(id).hostWord;
  }

  statusOf(id: string): Status {
    return this.stateOf(id).status;
  }

  /** Null: none is open. */
  incidentOf(id: string): OpenIncident | null {
    return this.stateOf(id).incident;
  }

  /** A check that an earlier run left open; null: there is none. */
  openCheckOf(id: string): Waking | null {
    return this.stateOf(id).waking;
  }

  /** Failed checks until a target is down; 0 where it is. */
  failuresUntilDown({ info, failureThreshold }: Target): number {
    const { status, consecutiveFailures } = this.stateOf(info.id);
    return status === 'down' ? 0 : Math.max(1, failureThreshold - consecutiveFailures);
  }

  pingsOf(id: string): number {
    return this.stateOf(id).counters.pings;
  }

  /**
   * Records the checks that were made at one time. A check that is not newer than the last one of its target is left out:
   * it was recorded already. The exception is this run's first check after the clock was set back.
   * @param restartable whether restarts can be made because of them
   */
  record(
    at: number,
    checks: ReadonlyMap<string, CheckOrOpen>,
    { restartable } = { restartable: true },
  ): Transition[] {
    this.takeSnapshots(at);
    const transitions: Transition[] = [];
    const row: LogRow['checks'][number][] = [];
    for (const [id, check] of checks) {
      const target = this.targets.get(id);
      const slot = this.slots.get(id);
      if (target === undefined || slot === undefined) continue;
      const found = addedBy(this.stateOf(id), at, this.now);
      if (this.isRecorded(found, at)) continue;
      // An open check that was begun before this one is not decided any more.
      const last = found.waking !== null && found.waking.since < at ? { ...found, waking: null } : found;
      const before = countUpTo(last, target, at, this.tick);
      if (check.outcome === 'waking') {
        this.states[slot] = leaveOpen(before, check);
        continue;
      }
      const after = advance(before, target, check);
      this.states[slot] = after;
      if (isLogged(before, check)) row.push({ slot, check });
      const against = contradiction(before, target, check);
      this.notifier.onCheck(target, { check, before, after, contradiction: against, restartable });
      if (before.incident !== null && after.incident === null) {
        const { startedAt } = before.incident;
        const endedAt = Math.max(startedAt, after.seriesAt ?? at);
        this.ends.set(id, new Map([...(this.ends.get(id) ?? []), [startedAt, endedAt]]));
        const unobserved = unobservedAfter(before, check)?.atSeries ?? null;
        const incident = { ...before.incident, endedAt, events: this.notifier.eventsOf(id), unobserved };
        this.fields.set(incidentField(slot, after.incidents - 1), writeIncident(incident));
      }
      if (before.status !== after.status) {
        transitions.push({
          target: id,
          from: before.status,
          to: after.status,
          at,
          reason: check.message,
        });
      }
    }
    if (row.length > 0) {
      const checks = row.sort((a, b) => a.slot - b.slot);
      this.log = writeRow(this.log, this.span, { at, checks });
    }
    return transitions;
  }

  /**
   * What to commit at the end of a run, which has used so much so far; null: that is not counted. Time is counted up to it, by the configuration that it knew: the next may know
   * another one, and snapshots must never hold more than the state.
   */
  close(lastRun: LastRun, used: Usage | null = null): Changes {
    this.countUpToEnd(lastRun);
    const { span, offset, pending } = this.log;
    return {
      fields: this.fieldsWith(lastRun, used, { ...this.log, pending: '' }),
      append: pending === '' ? null : { log: logName(span), offset: offset - pending.length, text: pending },
    };
  }

  /** The same, but the rows of the log stay pending in the state, which costs a command less. */
  closeWithoutAppending(lastRun: LastRun, used: Usage | null): Changes {
    this.countUpToEnd(lastRun);
    return this.checkpoint(lastRun, used);
  }

  /** What to commit while a run goes on. The rows of the log stay pending in the state, which costs a command less. */
  checkpoint(lastRun: LastRun, used: Usage | null = null): Changes {
    return { fields: this.fieldsWith(lastRun, used, this.log), append: null };
  }

  /** What to commit when it is known what came of deliveries, and nothing was recorded since the last commit. */
  acknowledgement(): Changes {
    return { fields: this.outboxField(), append: null };
  }

  private countUpToEnd(lastRun: LastRun): void {
    const end = endOf(lastRun);
    this.takeSnapshots(end);
    for (const [slot, state] of this.states.entries()) {
      if (state === null || state.removedAt !== null) continue;
      this.states[slot] = countUpTo(state, this.targets.get(state.id), end, this.tick);
    }
    if (this.mustListSlots) this.fields.set(SLOTS_FIELD, writeSlots(this.states));
  }

  private fieldsWith(lastRun: LastRun, used: Usage | null, log: LogHead): Changes['fields'] {
    this.takeSnapshots(lastRun.at);
    this.revision += 1;
    const state = writeState({
      ...this.head,
      revision: this.revision,
      lastRun,
      log,
      snapshotHour: this.snapshotHour,
      account: this.accountWith(used, lastRun.at),
      peers: this.peers,
      targets: this.states,
    });
    return { ...Object.fromEntries(this.fields), ...this.outboxField(), [STATE_FIELD]: state };
  }

  private accountWith(used: Usage | null, at: number): Account | null {
    const { account } = this.head;
    return used === null ? account : { ...withUsage(account, used, at), toldIn: this.toldIn };
  }

  private outboxField(): Changes['fields'] {
    const text = this.notifier.text();
    return text === null ? {} : { [OUTBOX_FIELD]: text };
  }

  private isRecorded({ lastCheckAt }: TargetState, at: number): boolean {
    if (lastCheckAt === null || at > lastCheckAt) return false;
    const wasSetBack = lastCheckAt > this.now + this.tick;
    return !(wasSetBack && at === this.now);
  }

  private stateOf(id: string): TargetState {
    const state = this.states[this.slots.get(id) ?? -1];
    if (!state) throw new Error('a target without a slot');
    return state;
  }

  /**
   * Writes the snapshots of the full hours up to `until`. After missed runs an hour at which no check spoke any more is a reference to the
   * snapshot before it; a midnight is always written out, since it is kept for longer than the hours around it.
   */
  private takeSnapshots(until: number): void {
    const last = Math.floor(until / HOUR);
    if (this.states.length === 0) this.snapshotHour = Math.max(this.snapshotHour, last);
    const spokenUntil = Math.max(
      ...this.states.map((state) => (state === null ? 0 : this.speaksUntil(state))),
    );
    let written: number | null = null;
    for (; this.snapshotHour < last; this.snapshotHour += 1) {
      const at = (this.snapshotHour + 1) * HOUR;
      const isMidnight = at % DAY === 0;
      if (at < until - (isMidnight ? DAYS_KEPT + 1 : HOURS_KEPT / 24 + 1) * DAY) continue;
      if (written === null || isMidnight || at - HOUR < spokenUntil) {
        written = at;
        this.fields.set(snapshotField(at), writeSnapshot(at, this.snapshotsOfAll(at)));
        this.mustListSlots = true;
      } else {
        this.fields.set(snapshotField(at), writeSnapshotReference(at, written));
      }
    }
  }

  private speaksUntil(state: TargetState): number {
    if (state.lastCheckAt === null) return 0;
    const target = this.targets.get(state.id);
    // Of a target that is not configured any more, nothing is expected after its last check.
    return state.lastCheckAt + (target === undefined ? 0 : reachOf(target.info.interval, this.tick));
  }

  private snapshotsOfAll(at: number): Parameters<typeof writeSnapshot>[1] {
    return this.states.map((state) => {
      if (state === null || state.addedAt > at) return null;
      return {
        addedAt: state.addedAt,
        snapshot: snapshotAt(state, this.targets.get(state.id), at, this.tick),
      };
    });
  }
}

function emptyState(now: number, lost: LostData | null): State {
  return {
    revision: 0,
    firstRunAt: now,
    rewinds: 0,
    lastRun: null,
    gaps: [],
    intervals: [],
    lost,
    log: NO_LOG,
    snapshotHour: Math.floor(now / HOUR),
    account: null,
    peers: [],
    targets: [],
  };
}

/** Whether pings may have been missed since the last run: none came in time, or it did not check everything. */
export function mayMissPings(
  lastRun: LastRun | null,
  { now, tick }: { readonly now: number; readonly tick: number },
): boolean {
  if (lastRun === null) return false;
  return lastRun.status !== 'completed' || now - endOf(lastRun) > LATE_AFTER_TICKS * tick;
}

function missedRuns(
  { lastRun }: Pick<State, 'lastRun'>,
  lastHeardAt: number | null,
  now: number,
  tick: number,
): RunGap | null {
  if (lastRun === null) return null;
  const end = endOf(lastRun);
  const from = lastHeardAt === null ? end : Math.max(end, lastHeardAt);
  return now - from <= MISSED_AFTER_TICKS * tick ? null : { from, to: now };
}
