/**
 * The script of 90 days: which targets there are, how their hosts answer, and when runs are triggered. All of it is made
 * from a seed. Written for the test, it shares nothing with the code.
 */

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A Tuesday. Clocks change in New York on March 8, in Paris on March 29 and (back) in Sydney on April 4, UTC. */
const START = Date.UTC(2026, 1, 10, 5, 17, 23, 137);
const END = START + 90 * DAY;
const SEED = 20_260_210;

export type Day = 'Mon' | 'Tue' | 'Wed' | 'Thu' | 'Fri' | 'Sat' | 'Sun';

/** From and to as the clock on the wall of `zone` reads; where `to` is not later, it ends on the next day. */
export interface Weekly {
  readonly days: readonly Day[];
  readonly from: string;
  readonly to: string;
  readonly zone: string;
}

/** From (included) to (excluded). */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Settings {
  readonly enabled: boolean;
  readonly host: 'none' | 'railway' | 'render' | 'koyeb' | 'streamlit';
  readonly interval: number;
  readonly retries: number;
  readonly failureThreshold: number;
  readonly successThreshold: number;
  readonly degradedAfter: number | null;
  readonly sleepsAfter: number | null;
  readonly wakeTimeout: number;
  readonly hours: Weekly | null;
  readonly weekly: readonly Weekly[];
  readonly once: readonly Span[];
}

/** What runs work with from `at` on. */
export interface Deployment {
  readonly at: number;
  readonly tick: number;
  readonly targets: Readonly<Record<string, Settings>>;
}

/** Maintenance that a deploy script begins at `from` and ends (early) at `to`. */
export interface Announced extends Span {
  /** Null: all. */
  readonly target: string | null;
  readonly minutes: number;
}

/** A call of the pinger. */
export interface Trigger {
  readonly at: number;
  /** What comes of a second call: `again`: moments later; `together`: at once; `overlapping`: while the first checks. */
  readonly kind: 'single' | 'again' | 'together' | 'overlapping';
  /** In how many ms the next is expected. */
  readonly nextIn: number;
}

export interface Answer {
  readonly outcome: 'good' | 'degraded' | 'failed';
  readonly latency: number;
  readonly statusCode: number | null;
  readonly message: string | null;
}

/** A reproducible stand-in for chance, 0 to 1 (Park and Miller's minimal standard). */
function chance(seed: number): () => number {
  let state = seed % 2_147_483_647;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

const WEEKDAYS: readonly Day[] = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri'];
const ALL_DAYS: readonly Day[] = [...WEEKDAYS, 'Sat', 'Sun'];
const day = (number: number): number => START + number * DAY;
const span = (from: number, length: number): Span => ({ from, to: from + length });

const USUAL: Settings = {
  enabled: true,
  host: 'none',
  interval: 5 * MINUTE,
  retries: 2,
  failureThreshold: 3,
  successThreshold: 2,
  degradedAfter: null,
  sleepsAfter: null,
  wakeTimeout: 0,
  hours: null,
  weekly: [],
  once: [],
};
const asleepAfter = (sleepsAfter: number, interval: number, wakeTimeout = 90_000): Partial<Settings> => ({
  sleepsAfter,
  interval,
  wakeTimeout,
});

/** Those with a story of their own; 27 more follow. */
const NAMED: Readonly<Record<string, Partial<Settings>>> = {
  minutely: { interval: MINUTE, retries: 0, failureThreshold: 5, successThreshold: 3 },
  twominutely: { interval: 2 * MINUTE, retries: 1, degradedAfter: 700 },
  railway: { ...asleepAfter(10 * MINUTE, 5 * MINUTE), host: 'railway' },
  render: { ...asleepAfter(15 * MINUTE, 7 * MINUTE, 60_000), host: 'render' },
  koyeb: { ...asleepAfter(HOUR, 30 * MINUTE), host: 'koyeb' },
  streamlit: { ...asleepAfter(12 * HOUR, 6 * HOUR), host: 'streamlit' },
  paris: {
    ...asleepAfter(15 * MINUTE, 5 * MINUTE),
    host: 'render',
    hours: { days: WEEKDAYS, from: '08:00', to: '20:00', zone: 'Europe/Paris' },
  },
  york: {
    interval: 10 * MINUTE,
    hours: { days: WEEKDAYS, from: '09:00', to: '18:00', zone: 'America/New_York' },
  },
  nightly: {
    ...asleepAfter(30 * MINUTE, 15 * MINUTE),
    hours: { days: ['Thu', 'Fri', 'Sat', 'Sun'], from: '22:00', to: '02:30', zone: 'America/New_York' },
  },
  sydney: {
    interval: 10 * MINUTE,
    failureThreshold: 2,
    hours: { days: ALL_DAYS, from: '02:15', to: '14:00', zone: 'Australia/Sydney' },
  },
  parisserviced: {
    weekly: [{ days: ['Sun'], from: '01:30', to: '04:00', zone: 'Europe/Paris' }],
    once: [
      span(Date.UTC(2026, 1, 22, 12, 17, 23), 5 * HOUR),
      span(Date.UTC(2026, 2, 5, 18, 17, 23), 30 * HOUR),
    ],
  },
  yorkserviced: {
    interval: 15 * MINUTE,
    successThreshold: 1,
    weekly: [
      { days: ['Sun'], from: '01:30', to: '03:30', zone: 'America/New_York' },
      { days: ['Wed'], from: '23:00', to: '01:00', zone: 'UTC' },
    ],
  },
  deployed: { degradedAfter: 900 },
  flapping: { retries: 0, failureThreshold: 1, successThreshold: 1 },
  slow: { interval: 10 * MINUTE, degradedAfter: 600, failureThreshold: 2 },
  pausedrare: { interval: 12 * HOUR },
  pausedoften: { retries: 0, hours: { days: ALL_DAYS, from: '06:00', to: '23:00', zone: 'UTC' } },
  gone: { interval: 6 * HOUR, failureThreshold: 1 },
  latecomer: { retries: 1, failureThreshold: 4 },
  changed: { interval: 12 * HOUR, retries: 0 },
  pulse: { interval: 10_000, retries: 0, failureThreshold: 5, successThreshold: 5 },
};

const INTERVALS = [5, 7, 10, 15, 30, 60, 10, 20, 15, 360, 5, 720].map((minutes) => minutes * MINUTE);

function allTargets(): Record<string, Settings> {
  const targets: Record<string, Settings> = {};
  for (const [id, own] of Object.entries(NAMED)) targets[id] = { ...USUAL, ...own };
  for (let i = Object.keys(targets).length; i < 50; i += 1) {
    targets[`site${i}`] = {
      ...USUAL,
      interval: INTERVALS[i % INTERVALS.length] ?? HOUR,
      retries: i % 3,
      failureThreshold: 1 + (i % 5),
      successThreshold: 1 + (i % 3),
      degradedAfter: i % 4 === 0 ? 1_000 : null,
    };
  }
  return targets;
}

type Changes = Readonly<Record<string, Partial<Settings> | null>>;

/** Ascending. Null removes a target, what is new comes with its own settings. */
export function deployments(): Deployment[] {
  const known = allTargets();
  const found: Deployment[] = [];
  const deploy = (at: number, changes: Changes, tick = found.at(-1)?.tick ?? 10 * MINUTE): void => {
    const targets = new Map(Object.entries(found.at(-1)?.targets ?? known));
    for (const [id, change] of Object.entries(changes)) {
      const settings = targets.get(id) ?? known[id];
      if (change === null) targets.delete(id);
      else if (settings !== undefined) targets.set(id, { ...settings, ...change });
    }
    found.push({ at, tick, targets: Object.fromEntries(targets) });
  };
  const everyDay: Weekly = { days: ALL_DAYS, from: '07:30', to: '18:00', zone: 'America/New_York' };
  deploy(START, { latecomer: null, pulse: null });
  deploy(day(20) + 11 * HOUR, { pausedrare: { enabled: false }, pausedoften: { enabled: false } });
  deploy(day(27) + 2 * HOUR, { pausedrare: { enabled: true }, pausedoften: { enabled: true } });
  deploy(day(33) + 4 * HOUR, { latecomer: {} });
  deploy(day(40) + 5 * HOUR, { gone: null }, 5 * MINUTE);
  deploy(day(45) + 9 * HOUR, { changed: { interval: 10 * MINUTE } });
  deploy(day(52) + 3 * HOUR, { gone: {} });
  deploy(day(56), { york: { hours: everyDay } }, 10 * MINUTE);
  deploy(day(70), { pulse: {} }, MINUTE);
  deploy(day(70) + 12 * HOUR, { pulse: null }, 10 * MINUTE);
  return found;
}

export const ANNOUNCED: readonly Announced[] = [
  { target: 'deployed', from: day(15) + HOUR, to: day(15) + 3 * HOUR, minutes: 120 },
  { target: null, from: day(36) + 5 * HOUR, to: day(36) + 6 * HOUR, minutes: 240 },
  { target: 'deployed', from: day(66), to: day(67), minutes: 24 * 60 },
];

/** No trigger came. */
const GAPS: readonly Span[] = [
  span(day(6) + 3 * HOUR, 5 * HOUR),
  span(Date.UTC(2026, 1, 26, 18, 30), 9 * HOUR),
  // Two days, from within the office hours of Paris to within those of another day.
  span(Date.UTC(2026, 2, 17, 15, 2), 2 * DAY),
  // While clocks change in Paris.
  span(Date.UTC(2026, 2, 29, 0, 20), 2 * HOUR),
  span(Date.UTC(2026, 3, 4, 15, 30), 1.5 * HOUR),
  span(day(80), 26 * HOUR),
];
const IRREGULAR: Span = span(day(62), 2 * DAY);
/** The pinger's own network does not work. */
const OFFLINE: readonly Span[] = [
  span(day(9) + 4 * HOUR, 80 * MINUTE),
  span(day(48) + 9 * HOUR, 12 * MINUTE),
  span(day(70) + 6 * HOUR, 7 * MINUTE),
];

const isIn = (spans: readonly Span[], at: number): boolean =>
  spans.some(({ from, to }) => at >= from && at < to);

/** Ascending. */
export function triggers(plan: readonly Deployment[]): Trigger[] {
  const random = chance(SEED + 1);
  const found: Trigger[] = [];
  for (let slot = START; slot < END;) {
    const { tick } = plan.findLast(({ at }) => at <= slot) ?? { tick: HOUR };
    const luck = random();
    const isMissed = luck < 0.012 || isIn(GAPS, slot);
    const late = luck > 0.96 ? random() * 0.8 * tick : random() * 1_500;
    const at = Math.round(slot + late);
    const second = random();
    const kind =
      second < 0.006 ? 'again' : second < 0.012 ? 'together' : second < 0.018 ? 'overlapping' : 'single';
    const irregular = isIn([IRREGULAR], slot);
    const nextIn = irregular || kind === 'again' ? 0 : tick;
    if (!isMissed || slot === START) found.push({ at, kind, nextIn });
    slot += irregular ? 20_000 + random() * 14 * MINUTE : tick;
  }
  return found;
}

/** When it is looked at. */
export const READS: readonly (readonly [name: string, at: number])[] = [
  ['after three hours', day(0) + 3 * HOUR],
  ['after a gap of hours', day(6) + 9 * HOUR],
  ['while the pinger is offline', day(9) + 5 * HOUR],
  ['at a full hour, to the ms', Date.UTC(2026, 1, 24, 14)],
  ['in a gap, at night', Date.UTC(2026, 1, 27, 2, 11)],
  ['while some are paused', day(21) + 7 * HOUR],
  ['on the day of New York', Date.UTC(2026, 2, 8, 13, 44)],
  ['in a gap of two days, by day', Date.UTC(2026, 2, 18, 9, 12)],
  ['in a gap of two days, by night', Date.UTC(2026, 2, 18, 23, 1)],
  ['after a gap of two days', Date.UTC(2026, 2, 19, 16, 2)],
  ['in maintenance of all', day(36) + 5.5 * HOUR],
  ['the night after clocks changed in Paris', Date.UTC(2026, 2, 29, 23, 59, 59, 999)],
  ['at midnight, to the ms', Date.UTC(2026, 3, 3)],
  ['after clocks changed in Sydney', Date.UTC(2026, 3, 5, 1, 17)],
  ['after one was added again', day(53)],
  ['with a tick of one minute', day(70) + 11 * HOUR],
  ['in a gap of a day', day(80) + 20 * HOUR],
  ['at the end', END],
  ['some minutes later', END + 8 * MINUTE],
  ['some hours later', END + 7 * HOUR],
  ['some days later', END + 9 * DAY],
  ['when all is over', END + 100 * DAY],
];

/** How one host answers over the days. */
interface Nature {
  /** Usual latency in ms. */
  readonly usual: number;
  readonly outages: readonly Span[];
  readonly slowSpells: readonly Span[];
  readonly flappingSpells: readonly Span[];
  /** It falls asleep at such times although it is asked. */
  readonly dozes: number[];
}

function natureOf(id: string, interval: number, random: () => number): Nature {
  const spells = (count: number, shortest: number, longest: number): Span[] =>
    Array.from({ length: count }, () =>
      span(START + random() * 90 * DAY, shortest + random() ** 2 * (longest - shortest)),
    );
  return {
    usual: 12 + random() ** 2 * 500,
    outages: [
      ...spells(12, 0.5 * interval, 2 * interval),
      ...spells(4, 20 * MINUTE, 5 * HOUR),
      ...(random() < 0.3 ? spells(1, DAY, 4 * DAY) : []),
      ...(id === 'pulse' ? [span(day(70) + 3 * HOUR, 4 * MINUTE)] : []),
      ...(id === 'deployed' ? [span(day(15) + 2 * HOUR, 2 * HOUR)] : []),
      ...(id === 'parisserviced' ? [span(Date.UTC(2026, 2, 29, 1, 30), HOUR)] : []),
      // Over the pause, the removal and a change of the interval.
      ...(id === 'pausedoften' ? [span(day(20) + 9 * HOUR, 8 * DAY)] : []),
      ...(id === 'gone' ? [span(day(39), DAY)] : []),
      ...(id === 'changed' ? [span(day(44), 2 * DAY)] : []),
    ],
    slowSpells: spells(8, HOUR, 20 * HOUR),
    flappingSpells: id === 'flapping' ? spells(5, 5 * HOUR, 30 * HOUR) : spells(1, HOUR, 4 * HOUR),
    dozes: spells(6, 0, 1)
      .map(({ from }) => from)
      .sort((a, b) => a - b),
  };
}

const failed = (statusCode: number | null, message: string): Answer => ({
  outcome: 'failed',
  latency: 5,
  statusCode,
  message,
});

/** The hosts. Those that sleep do so when nobody asked them for long enough, and take their time to wake. */
export class World {
  private readonly natures = new Map<string, Nature>();
  private readonly lastAsked = new Map<string, number>();
  private readonly awakeAt = new Map<string, number>();
  private readonly random = chance(SEED + 3);

  constructor() {
    const random = chance(SEED + 2);
    for (const [id, { interval }] of Object.entries(allTargets())) {
      this.natures.set(id, natureOf(id, interval, random));
    }
  }

  /** The address that tells whether the pinger's own network works. */
  askControl(at: number): Answer {
    return isIn(OFFLINE, at) ? failed(null, 'name not found') : this.good(20);
  }

  ask(id: string, settings: Settings, at: number): Answer {
    const nature = this.natures.get(id);
    if (nature === undefined) throw new Error(`no host ${id}`);
    if (isIn(OFFLINE, at)) return failed(null, 'connection refused');
    if (this.isAsleep(id, settings, nature, at)) return failed(503, 'status 503, expected 200-299');
    if (isIn(nature.outages, at)) return failed(500, 'status 500, expected 200-299');
    if (isIn(nature.flappingSpells, at) && this.random() < 0.45) {
      return failed(502, 'status 502, expected 200-299');
    }
    if (this.random() < 0.003) return failed(404, 'status 404, expected 200-299');
    const spread = Math.exp(0.35 * (this.random() + this.random() + this.random() - 1.5) * 2);
    const hiccup = this.random() < 0.02 ? 4 : 1;
    const slowness = isIn(nature.slowSpells, at) ? 6 : 1;
    const latency = Math.round(nature.usual * spread * hiccup * slowness);
    const { degradedAfter } = settings;
    if (degradedAfter === null || latency <= degradedAfter) return this.good(latency);
    const message = `answered in ${latency} ms, expected at most ${degradedAfter}`;
    return { ...this.good(latency), outcome: 'degraded', message };
  }

  private good(latency: number): Answer {
    return { outcome: 'good', latency, statusCode: 200, message: null };
  }

  private isAsleep(id: string, { sleepsAfter }: Settings, { dozes }: Nature, at: number): boolean {
    if (sleepsAfter === null) return false;
    const idle = at - (this.lastAsked.get(id) ?? at);
    this.lastAsked.set(id, at);
    const dozed = (dozes[0] ?? Infinity) <= at;
    if (dozed) dozes.shift();
    // One in ten wakes slower than anybody waits.
    if (dozed || idle > sleepsAfter) this.awakeAt.set(id, at + 5_000 + this.random() * 95_000);
    return at < (this.awakeAt.get(id) ?? 0);
  }
}
