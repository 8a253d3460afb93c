/**
 * What the figures of a target must be, computed in the plainest way from what its host was asked and answered: from the
 * text of the contract alone, all at once from the beginning, with no thought of cost. It shares nothing with the code.
 *
 * Where the contract leaves something open it follows what is documented, and says so ("Open:").
 */
import type { Announced, Answer, Day, Deployment, Settings, Span, Weekly } from './ninety-days.js';
import { DAY, HOUR, MINUTE } from './ninety-days.js';

/** One run that pinged, or could have. */
export interface RunMade {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly deployment: Deployment;
  /** In how many ms the next was expected. */
  readonly nextIn: number;
}

/** One request to a host in a run. */
export interface Asked {
  readonly at: number;
  readonly run: RunMade;
  readonly answer: Answer;
}

/** All that happened. */
export interface Record90 {
  readonly runs: readonly RunMade[];
  /** By target, in the order of time. */
  readonly asked: ReadonlyMap<string, readonly Asked[]>;
  /** Those in which the pinger's own network was found not to work. */
  readonly offline: ReadonlySet<RunMade>;
  readonly announced: readonly Announced[];
}

/** Several requests make one check: retries, and those while a host wakes. */
export interface PlainCheck {
  readonly at: number;
  /** When its last request was made. */
  readonly endedAt: number;
  readonly run: RunMade;
  readonly outcome: Outcome;
  readonly latency: number;
  readonly coldStart: boolean;
  /** False in maintenance: then it is neither a ping nor a failure. */
  readonly counts: boolean;
  /** It reached the host: it was answered, and not by a platform in the host's place. */
  readonly reached: boolean;
}

type Outcome = Answer['outcome'];
type PlainStatus = 'pending' | 'up' | 'degraded' | 'down';

interface Judged {
  readonly check: PlainCheck;
  readonly status: PlainStatus;
  readonly since: number;
  /** How many in a row have failed, or have not. */
  readonly inARow: number;
}

interface PlainIncident {
  /** The first failed check of the series that led to `down`. */
  readonly startedAt: number;
  /** When it was `down`. */
  readonly openedAt: number;
  /** The first good check of the series that ended it. */
  endedAt: number | null;
  /** When it was not `down` any more. */
  closedAt: number;
}

/** Time in which nothing changes: the last check speaks for it until `spokenUntil`. */
interface Piece extends Span {
  readonly spokenUntil: number;
}

interface Cell extends Span {
  expected: number;
  observed: number;
  good: number;
}

// --- The clock on the wall, minute by minute -----------------------------------------------------------------------

const NAMES: readonly Day[] = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** `Tue` and `08:05`, as read there. */
function wall(zone: string): (at: number) => { day: Day; time: string } {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  });
  return (at) => {
    const text = format.format(at);
    return { day: text.slice(0, 3) as Day, time: text.slice(-5) };
  };
}

/** A window belongs to the day on which it begins. */
function isInside({ days, from, to }: Weekly, { day, time }: { day: Day; time: string }): boolean {
  const isOn = (name: Day): boolean => days.includes(name);
  if (from < to) return isOn(day) && time >= from && time < to;
  const yesterday = NAMES[(NAMES.indexOf(day) + 6) % 7] ?? day;
  return (isOn(day) && time >= from) || (isOn(yesterday) && time < to);
}

/** When a weekly window was open between two times: each minute is looked up on the wall. */
function stretchesOf(weekly: Weekly, from: number, to: number): readonly Span[] {
  const read = wall(weekly.zone);
  const found: Span[] = [];
  let openedAt: number | null = null;
  for (let minute = Math.floor(from / MINUTE) * MINUTE; minute <= to; minute += MINUTE) {
    const isOpen = isInside(weekly, read(minute));
    if (isOpen) openedAt ??= minute;
    if (!isOpen && openedAt !== null) {
      found.push({ from: openedAt, to: minute });
      openedAt = null;
    }
  }
  if (openedAt !== null) found.push({ from: openedAt, to });
  return found;
}

const covers =
  (at: number) =>
  (span: Span): boolean =>
    at >= span.from && at < span.to;

// --- One target ------------------------------------------------------------------------------------------------------

export class PlainTarget {
  /** Those of the runs that count. */
  readonly checks: readonly PlainCheck[];
  /** When its first run saw it. */
  readonly addedAt: number;
  /** What is configured, and when. */
  private readonly periods: readonly (Span & { readonly tick: number; readonly settings: Settings | null })[];
  /** Time in which it was not to be pinged: paused, not configured, outside its active hours. */
  private readonly rests: readonly Span[];
  private readonly muted: readonly Span[];
  private readonly begin: number;
  private readonly end: number;
  private readonly stretches = new Map<Weekly, readonly Span[]>();
  private readonly cells: readonly Cell[];
  private readonly all: readonly PlainCheck[];
  private readonly good: readonly PlainCheck[];
  /** Those that reached the host. */
  private readonly reached: readonly PlainCheck[];
  private readonly pieces: Piece[] = [];
  private readonly judged: Judged[] = [];
  private readonly incidents: PlainIncident[] = [];

  /** @param reads the times for which figures will be asked; after the last there is nothing */
  constructor(
    private readonly id: string,
    private readonly record: Record90,
    reads: readonly number[],
  ) {
    const begin = (this.begin = record.runs[0]?.startedAt ?? 0);
    const end = (this.end = Math.max(...reads) + MINUTE);
    this.addedAt = record.runs.find(({ deployment }) => id in deployment.targets)?.startedAt ?? end;
    this.periods = this.configured(end);
    const segments = this.cut([
      begin,
      end,
      ...reads,
      ...Array.from(
        { length: Math.ceil((end - begin) / HOUR) + 1 },
        (_, i) => (Math.floor(begin / HOUR) + i) * HOUR,
      ),
      ...this.periods.map(({ from }) => from),
      ...this.windows().flatMap(({ from, to }) => [from, to]),
    ]);
    this.rests = segments.filter(({ from }) => this.isResting(from));
    this.muted = segments.filter(({ from }) => {
      const settings = this.periodAt(from)?.settings;
      return settings != null && this.isInMaintenance(settings, from);
    });
    this.all = this.toChecks(record.asked.get(id) ?? []);
    // A run in which nothing succeeded while the pinger's own network was away counts for nothing.
    this.checks = this.all.filter(({ run }) => !record.offline.has(run));
    this.cells = this.weigh(segments);
    this.good = this.checks.filter(({ outcome }) => !isFailed(outcome));
    this.reached = this.checks.filter(({ reached }) => reached);
    this.judgeAll();
  }

  // What was configured ---

  /**
   * Open: a change holds from the end of the last run that did not know of it. A target that comes, or comes again, is
   * expected from its first run on.
   */
  private configured(end: number): PlainTarget['periods'] {
    const { runs } = this.record;
    const periods: (Span & { tick: number; settings: Settings | null })[] = [];
    for (const [i, { startedAt, deployment }] of runs.entries()) {
      const before = runs[i - 1];
      if (before?.deployment === deployment) continue;
      const settings = deployment.targets[this.id] ?? null;
      const isNew = settings !== null && !(this.id in (before?.deployment.targets ?? {}));
      const from = isNew || before === undefined ? startedAt : before.endedAt;
      const last = periods.at(-1);
      if (last !== undefined) periods[periods.length - 1] = { ...last, to: from };
      periods.push({ from, to: end + 1, tick: deployment.tick, settings });
    }
    return periods;
  }

  private periodAt(at: number): PlainTarget['periods'][number] | undefined {
    return this.periods.find(covers(at));
  }

  /** All windows that ever were configured. */
  private windows(): readonly Span[] {
    return this.periods.flatMap(({ settings }) => {
      if (settings === null) return [];
      const weekly = [...settings.weekly, ...(settings.hours === null ? [] : [settings.hours])];
      return [
        ...weekly.flatMap((each) => this.stretchesOf(each)),
        ...settings.once,
        ...this.record.announced,
      ];
    });
  }

  private isResting(at: number): boolean {
    const settings = this.periodAt(at)?.settings;
    if (!settings?.enabled) return true;
    return settings.hours !== null && !this.isOpen(settings.hours, at);
  }

  private isOpen(weekly: Weekly, at: number): boolean {
    return this.stretchesOf(weekly).some(covers(at));
  }

  private stretchesOf(weekly: Weekly): readonly Span[] {
    const found = this.stretches.get(weekly) ?? stretchesOf(weekly, this.begin, this.end);
    this.stretches.set(weekly, found);
    return found;
  }

  private isInMaintenance(settings: Settings, at: number): boolean {
    return (
      settings.once.some(covers(at)) ||
      settings.weekly.some((weekly) => this.isOpen(weekly, at)) ||
      this.record.announced.some((each) => (each.target ?? this.id) === this.id && covers(at)(each))
    );
  }

  // What was checked ---

  /** Requests of one run that are less than an interval apart are one check; its last answer decides. */
  private toChecks(asked: readonly Asked[]): PlainCheck[] {
    const checks: PlainCheck[] = [];
    for (let i = 0; i < asked.length;) {
      const first = asked[i];
      const settings = first?.run.deployment.targets[this.id];
      if (first === undefined || settings === undefined)
        throw new Error(`${this.id} was asked and not configured`);
      let next = i + 1;
      while (asked[next]?.run === first.run && (asked[next]?.at ?? 0) < first.at + settings.interval)
        next += 1;
      const answers = asked.slice(i, next).map(({ answer }) => answer);
      i = next;
      const last = asked[next - 1];
      if (last === undefined) continue;
      const isGood = !isFailed(last.answer.outcome);
      const coldStart = isGood && settings.wakeTimeout > 0 && answers.some(mayBeAsleep);
      checks.push({
        at: first.at,
        endedAt: last.at,
        run: first.run,
        outcome: coldStart ? 'good' : last.answer.outcome,
        latency: last.answer.latency,
        coldStart,
        counts: !this.isInMaintenance(settings, first.at),
        reached: isGood || (last.answer.statusCode !== null && !GATEWAY.includes(last.answer.statusCode)),
      });
    }
    return checks;
  }

  private restedWithin(from: number, to: number): boolean {
    return this.rests.some((rest) => rest.from < to && rest.to > from);
  }

  // What time weighs ---

  private cut(times: readonly number[]): Span[] {
    const sorted = [...new Set(times)].sort((a, b) => a - b);
    return sorted.flatMap((from, i): Span[] => {
      const to = sorted[i + 1];
      return to === undefined ? [] : [{ from, to }];
    });
  }

  /** In each of the segments nothing changes but what the last check says. */
  private weigh(segments: readonly Span[]): Cell[] {
    let next = 0;
    let last: PlainCheck | undefined;
    return segments.map(({ from, to }) => {
      const cell = { from, to, expected: 0, observed: 0, good: 0 };
      const period = this.periodAt(from);
      const settings = period?.settings;
      const isExpected = settings != null && !this.isResting(from) && !this.isInMaintenance(settings, from);
      for (let at = from; at < to;) {
        while ((this.checks[next]?.at ?? Infinity) <= at) last = this.checks[next++];
        // Until the next check, at most for its interval and a grace of one tick or one interval, whichever is shorter.
        const until = Math.min(to, this.checks[next]?.at ?? Infinity);
        const { interval = 0, enabled = false } = settings ?? {};
        const spokenUntil =
          last === undefined || !enabled ? at : last.at + interval + Math.min(period?.tick ?? 0, interval);
        this.pieces.push({ from: at, to: until, spokenUntil });
        if (isExpected) {
          const spoken = Math.max(0, Math.min(until, spokenUntil) - at);
          cell.expected += until - at;
          cell.observed += spoken;
          if (last?.outcome !== 'failed') cell.good += spoken;
        }
        at = until;
      }
      return cell;
    });
  }

  // What was found, as it was at a time ---

  /** Of the time and the checks from `from` to `to`. */
  within(from: number, to: number) {
    const cells = between(this.cells, from, to, (cell) => cell.from);
    const sum = (of: (cell: Cell) => number) => cells.reduce((total, cell) => total + of(cell), 0);
    const observed = sum((cell) => cell.observed);
    const good = sum((cell) => cell.good);
    const counted = between(this.checks, from, to, ({ at }) => at).filter(({ counts }) => counts);
    return {
      pings: counted.length,
      failures: counted.filter(({ outcome }) => isFailed(outcome)).length,
      coldStarts: counted.filter(({ coldStart }) => coldStart).length,
      uptimeRatio: ratio(good, observed),
      coverage: ratio(
        observed,
        sum(({ expected }) => expected),
      ),
      downtimeMs: observed - good,
      latencies: counted
        .filter(({ outcome, coldStart }) => !isFailed(outcome) && !coldStart)
        .map(({ latency }) => latency)
        .sort((a, b) => a - b),
    };
  }

  /**
   * Open: of those that ended in the running hour or the 24 before it, and of the one under way. A gap in which it was not
   * to be pinged is none.
   */
  awake(now: number): { longestGap: number | null; keptAwake: boolean | null } {
    const pings = between(this.reached, -Infinity, now, ({ at }) => at);
    const gaps: number[] = [];
    let slept = false;
    // For how long it was pinged without a break, up to the ping before.
    let pingedFor = 0;
    for (const [i, ping] of pings.entries()) {
      const before = pings[i - 1];
      const isLate = ping.at >= windowBegin(1, now);
      const sleepsAfter = ping.run.deployment.targets[this.id]?.sleepsAfter ?? null;
      if (before === undefined || this.restedWithin(before.at, ping.at)) {
        if (before !== undefined && this.isUnreachedWithin(before.at, ping.at)) pingedFor = 0;
        continue;
      }
      const gap = ping.at - before.at;
      if (isLate) gaps.push(gap);
      const isTooLong = sleepsAfter !== null && gap >= sleepsAfter;
      const isExcused =
        this.wasInMaintenance(before.at, ping.at + 1) || (isTooLong && this.missedWithin(before.at, ping.at));
      const isBroken = sleepsAfter !== null && (isTooLong || ping.coldStart) && !isExcused;
      if (isBroken && isLate) slept = true;
      // A ping that did not arrive between two that did proves nothing of the time around it.
      const isProof = !isBroken && !isTooLong && !this.isUnreachedWithin(before.at, ping.at);
      pingedFor = isProof ? pingedFor + gap : 0;
    }
    const settings = this.periodAt(now)?.settings;
    const last = pings.at(-1);
    const limit = settings?.sleepsAfter ?? null;
    if (last !== undefined && !this.restedWithin(last.at, now)) {
      const gap = now - last.at;
      gaps.push(gap);
      pingedFor = this.isUnreachedWithin(last.at, now + 1) ? 0 : pingedFor + gap;
      const isExcused = this.wasInMaintenance(last.at, now) || this.missedWithin(last.at, now);
      if (limit !== null && gap >= limit && !isExcused) slept = true;
    } else if (last !== undefined && this.isUnreachedWithin(last.at, now + 1)) {
      pingedFor = 0;
    }
    const longestGap = gaps.length === 0 ? null : Math.max(...gaps);
    if (limit === null || longestGap === null) return { longestGap, keptAwake: null };
    if (slept) return { longestGap, keptAwake: false };
    const isProven = PROVING.includes(settings?.host ?? 'none') && longestGap < limit && pingedFor >= limit;
    return { longestGap, keptAwake: isProven ? true : null };
  }

  /** Whether a check was made in between that did not reach the host. */
  private isUnreachedWithin(from: number, to: number): boolean {
    return between(this.checks, from + 1, to, ({ at }) => at).some(({ reached }) => !reached);
  }

  private wasInMaintenance(from: number, to: number): boolean {
    return this.muted.some((span) => span.from < to && span.to > from);
  }

  /**
   * Whether pings may have been missed in the time after `from`: no run came in time (open: within a tick and a half after
   * the one before), or the network was away.
   */
  private missedWithin(from: number, to: number): boolean {
    const { runs, offline } = this.record;
    const isMissed = (before: RunMade, at: number, tick: number): boolean =>
      offline.has(before) || at - before.endedAt > 1.5 * tick;
    const first = countBefore(runs, from + 1, ({ startedAt }) => startedAt);
    const end = countBefore(runs, to + 1, ({ startedAt }) => startedAt);
    for (let i = Math.max(1, first); i < end; i += 1) {
      const [before, run] = [runs[i - 1], runs[i]];
      if (before && run && isMissed(before, run.startedAt, run.deployment.tick)) return true;
    }
    const last = runs[end - 1];
    const isPing = last?.startedAt === to;
    return last !== undefined && !isPing && isMissed(last, to, this.periodAt(to)?.tick ?? 0);
  }

  /** How much of [from, to) nobody watched. */
  private unobserved(from: number, to: number): number {
    return between(this.pieces, from, to, (piece) => piece.from).reduce(
      (total, piece) => total + Math.max(0, piece.to - Math.max(piece.from, piece.spokenUntil)),
      0,
    );
  }

  /** Status and counts after the last check, and the incidents so far. */
  standing(now: number) {
    const last = lastBefore(this.judged, now, ({ check }) => check.at);
    const incidents = this.incidents
      .filter(({ openedAt }) => openedAt < now)
      .map(({ startedAt, endedAt, closedAt }) => {
        const end = closedAt < now ? endedAt : null;
        return { startedAt, endedAt: end, unobservedMs: this.unobserved(startedAt, end ?? now) };
      });
    return {
      status: last?.status ?? 'pending',
      since: last?.since ?? this.addedAt,
      failuresInARow: last && isFailed(last.check.outcome) ? last.inARow : 0,
      successesInARow: last && !isFailed(last.check.outcome) ? last.inARow : 0,
      last: last?.check ?? null,
      lastSuccessAt: lastBefore(this.good, now, ({ at }) => at)?.at ?? null,
      incidents,
    };
  }

  /** Check by check. Degraded is good; a check in maintenance tells of the target like any other (Open). */
  private judgeAll(): void {
    let status: PlainStatus = 'pending';
    let since = this.addedAt;
    let series = { failed: false, from: 0, startedAt: 0 };
    for (const [i, check] of this.checks.entries()) {
      const settings = check.run.deployment.targets[this.id];
      if (settings === undefined) throw new Error(`${this.id} was checked and not configured`);
      const failed = isFailed(check.outcome);
      if (i === 0 || series.failed !== failed) series = { failed, from: i, startedAt: check.at };
      // Whether the last so many, this one included, were all like that.
      const lastAll = (count: number, like: (outcome: Outcome) => boolean): boolean =>
        i + 1 >= count && this.checks.slice(i + 1 - count, i + 1).every(({ outcome }) => like(outcome));
      const { failureThreshold: failures, successThreshold: successes } = settings;
      const before: PlainStatus = status;
      if (lastAll(failures, isFailed)) status = 'down';
      // Open: a first check that fails leaves it pending: neither up nor, below the threshold, down would be true.
      else if (before === 'pending' && !failed) status = isClean(check.outcome) ? 'up' : 'degraded';
      else if (before === 'up' && lastAll(failures, isNotClean)) status = 'degraded';
      else if (before === 'degraded' && lastAll(successes, isClean)) status = 'up';
      else if (before === 'down' && lastAll(successes, isNotFailed)) {
        status = lastAll(successes, isClean) ? 'up' : 'degraded';
      }
      if (status !== before) since = check.at;
      if (status === 'down' && before !== 'down') {
        const { startedAt } = series;
        this.incidents.push({ startedAt, openedAt: check.at, endedAt: null, closedAt: Infinity });
      }
      const open = this.incidents.at(-1);
      if (status !== 'down' && before === 'down' && open !== undefined) {
        open.endedAt = series.startedAt;
        open.closedAt = check.at;
      }
      this.judged.push({ check, status, since, inARow: i + 1 - series.from });
    }
  }

  /** What was wrong with whom the runs chose to check, and when. */
  misjudgedDue(): string[] {
    const found: string[] = [];
    const complain = (run: RunMade, what: string) =>
      found.push(`${this.id} ${new Date(run.startedAt).toISOString()}: ${what}`);
    const madeIn = new Map<RunMade, PlainCheck[]>();
    for (const check of this.all) {
      const made = madeIn.get(check.run);
      if (made === undefined) madeIn.set(check.run, [check]);
      else made.push(check);
    }
    for (const run of this.record.runs) {
      const made = madeIn.get(run) ?? [];
      const { tick, targets } = run.deployment;
      const settings = targets[this.id];
      const mayRest =
        !settings?.enabled || (settings.hours !== null && !this.isOpen(settings.hours, run.startedAt));
      if (settings === undefined || mayRest) {
        if (made.length > 0) complain(run, 'checked while it rests');
        continue;
      }
      const last = lastBefore(this.judged, run.startedAt, ({ check }) => check.at);
      const age = last === undefined ? Infinity : run.startedAt - last.check.at;
      // While a count toward another status is under way it is due at every run.
      const wanted = isSettled(last) ? settings.interval : Math.min(settings.interval, tick);
      if (age >= wanted && made.length === 0) complain(run, `not checked ${age} ms after the last`);
      // Open: the run that is nearest to the wanted time makes the check.
      if (age < wanted - Math.min(wanted, tick) / 2 && made.length > 0)
        complain(run, `checked ${age} ms after the last`);
      for (const [i, check] of made.entries()) {
        const at = made[i - 1]?.at ?? run.startedAt - settings.interval;
        if (check.at - at < settings.interval) complain(run, `a round ${check.at - at} ms after the last`);
      }
      if (made[0] !== undefined && made[0].at !== run.startedAt) complain(run, 'checked late');
      // Rounds go on until the next run is near.
      const end = run.startedAt + run.nextIn - 2_000;
      const round = made.at(-1);
      if (round && Math.max(round.at + settings.interval, round.endedAt) < end)
        complain(run, 'too few rounds');
    }
    return found;
  }

  /** What a reader sees of the status: a pause, and the hours in which it may sleep, lie over it. */
  shown(now: number): { status: string; since: number | null } {
    const settings = this.periodAt(now)?.settings;
    if (settings?.enabled && !this.isResting(now)) {
      const standing = this.standing(now);
      const last = this.record.runs.findLast(({ endedAt }) => endedAt <= now);
      const isStale = last !== undefined && now - last.endedAt > 3 * last.deployment.tick;
      // When no run came for three ticks, nothing is known.
      return isStale ? { status: 'pending', since: last.endedAt } : standing;
    }
    // Open: it rests since the first of the row of runs that found it so.
    const isResting = ({ startedAt, deployment }: RunMade): boolean => {
      const own = deployment.targets[this.id];
      return !own?.enabled || (own.hours !== null && !this.isOpen(own.hours, startedAt));
    };
    const runs = this.record.runs.filter(({ endedAt }) => endedAt <= now);
    const lastAwake = runs.findLastIndex((run) => !isResting(run));
    return {
      status: settings?.enabled ? 'sleeping' : 'paused',
      since: runs[lastAwake + 1]?.startedAt ?? null,
    };
  }
}

const isFailed = (outcome: Outcome): boolean => outcome === 'failed';
const isNotFailed = (outcome: Outcome): boolean => outcome !== 'failed';
const isClean = (outcome: Outcome): boolean => outcome === 'good';
const isNotClean = (outcome: Outcome): boolean => outcome !== 'good';

/** What the last check said is what the status says. */
function isSettled(judged: Judged | undefined): boolean {
  const fitting = { good: 'up', degraded: 'degraded', failed: 'down' };
  return judged !== undefined && fitting[judged.check.outcome] === judged.status;
}

/** What a platform's edge answers in the place of a server. Open: from a server it proves nothing either. */
const GATEWAY: readonly number[] = [502, 503, 504];
/** Hosts whose answers prove that the app itself was awake. */
const PROVING: readonly string[] = ['railway', 'render', 'koyeb', 'huggingface'];

/** Refused, or answered as hosts do that wake. */
function mayBeAsleep({ outcome, statusCode }: Answer): boolean {
  return outcome === 'failed' && (statusCode === null || GATEWAY.includes(statusCode));
}

/** How many of a list in the order of time come before a time. */
function countBefore<T>(list: readonly T[], time: number, timeOf: (item: T) => number): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const item = list[middle];
    if (item !== undefined && timeOf(item) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Those from `from` (included) to `to` (excluded). */
function between<T>(list: readonly T[], from: number, to: number, timeOf: (item: T) => number): readonly T[] {
  return list.slice(countBefore(list, from, timeOf), countBefore(list, to, timeOf));
}

function lastBefore<T>(list: readonly T[], time: number, timeOf: (item: T) => number): T | undefined {
  return list[countBefore(list, time, timeOf) - 1];
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((part / whole) * 1e6) / 1e6;
}

/** By nearest rank. */
export function quantile(sorted: readonly number[], part: number): number | null {
  return sorted[Math.ceil(part * sorted.length) - 1] ?? null;
}

/** Open: as documented, windows begin on the full hour 24 hours ago, or at midnight (UTC) so many days ago. */
export function windowBegin(days: number, now: number): number {
  return days === 1 ? Math.floor(now / HOUR) * HOUR - DAY : Math.floor(now / DAY) * DAY - days * DAY;
}
