import { describe, expect, inject, it } from 'vitest';
import { stats, targetHistory } from '../../lib/read/stats.js';
import type { TargetHistory, TargetStats } from '../../lib/read/views.js';
import { readIncident, writeIncident } from '../../lib/record/incidents.js';
import type { Check, Target } from '../../lib/types.js';
import { Books } from '../support/books.js';
import { aTarget, failedCheck, goodCheck, type TargetOptions } from '../support/targets.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A Tuesday. */
const START = Date.UTC(2026, 2, 3, 8);

/** One target, its books, and what a reader sees of them. */
class Watched {
  readonly books: Books;
  constructor(
    private readonly tick: number,
    private options: TargetOptions = {},
  ) {
    this.books = new Books(tick, [this.target]);
  }

  get target(): Target {
    return aTarget('api', this.options);
  }

  configure(options: TargetOptions | null): void {
    if (options !== null) this.options = options;
    this.books.targets = options === null ? [] : [this.target];
  }

  /** A run at each of the times, every one with a check unless told otherwise. */
  run(from: number, to: number, every: number, check: (at: number) => Check | null = goodCheck): void {
    for (let at = from; at < to; at += every) {
      const made = check(at);
      this.books.run(at, made === null ? [] : [['api', made]]);
    }
  }

  async at(now: number): Promise<TargetStats> {
    const watch = { enabled: true, tick: this.tick, targets: [this.target] };
    return stats(watch, await this.books.overview(now), now).targets[0] ?? expect.unreachable();
  }

  async history(now: number): Promise<TargetHistory> {
    const watch = { enabled: true, tick: this.tick, targets: [this.target] };
    return targetHistory(watch, this.target, await this.books.history('api', now), now);
  }
}

const none = () => null;

describe('what a check speaks for', () => {
  it('is ten minutes of a day where a target of five minutes is pinged once a day', async () => {
    const watched = new Watched(DAY, { info: { interval: 5 * MINUTE } });
    watched.run(START, START + 10 * DAY, DAY);
    const { uptimeRatio, coverage } = await watched.at(START + 10 * DAY - 1);
    expect(uptimeRatio['7d']).toBe(1);
    // Seven times ten minutes, of seven days and eight hours.
    expect(coverage['7d']).toBeCloseTo(70 / (176 * 60), 4);
    expect(coverage['24h']).toBeLessThan(0.01);
  });

  it('is what follows the maintenance that it was made in, and not the maintenance itself', async () => {
    const watched = new Watched(5 * MINUTE, {
      info: { interval: 6 * HOUR },
      maintenance: [{ kind: 'once', from: START + 5 * HOUR, to: START + 7 * HOUR, reason: 'new disks' }],
    });
    watched.run(START, START + 11 * HOUR, 5 * MINUTE, (at) =>
      (at - START) % (6 * HOUR) === 0 ? (at === START ? goodCheck(at) : failedCheck(at)) : null,
    );
    expect((await watched.at(START + 6 * HOUR)).maintenance).toEqual({
      ...{ until: new Date(START + 7 * HOUR).toISOString(), reason: 'new disks' },
    });
    const now = START + 11 * HOUR;
    const { hours, uptimeRatio, coverage, pingCount } = await watched.history(now);
    expect(pingCount).toBe(1);
    expect(hours.map((hour) => [hour.uptimeRatio, hour.coverage])).toEqual([
      ...Array.from({ length: 5 }, () => [1, 1]),
      [null, null],
      [null, null],
      ...Array.from({ length: 4 }, () => [0, 1]),
    ]);
    expect([uptimeRatio['24h'], coverage['24h']]).toEqual([0.555556, 1]);
  });

  it('does not reach over a night outside its active hours, which counts on neither side', async () => {
    const activeHours = { days: [1, 2, 3, 4, 5], fromMinute: 480, toMinute: 1200, timeZone: 'UTC' };
    const watched = new Watched(MINUTE, { info: { interval: 5 * MINUTE }, activeHours });
    watched.run(START, START + 12 * HOUR, 5 * MINUTE, failedCheck);
    watched.run(START + 12 * HOUR, START + 24 * HOUR, 5 * MINUTE, none);
    watched.run(START + 24 * HOUR, START + 25 * HOUR, 5 * MINUTE);
    const { hours } = await watched.history(START + 25 * HOUR);
    const known = hours.filter(({ coverage }) => coverage !== null);
    expect(known.map((hour) => [hour.uptimeRatio, hour.coverage])).toEqual([
      ...Array.from({ length: 12 }, () => [0, 1]),
      [1, 1],
    ]);
  });

  it('follows its interval where that changes', async () => {
    const watched = new Watched(MINUTE, { info: { interval: 12 * HOUR } });
    watched.run(START, START + HOUR, MINUTE, (at) => (at === START ? goodCheck(at) : null));
    watched.configure({ info: { interval: 10 * MINUTE } });
    watched.run(START + HOUR, START + 2 * HOUR, MINUTE, none);
    const { hours } = await watched.history(START + 2 * HOUR);
    // The minute before the first run that knew of it counts by the new interval.
    expect(hours.map(({ coverage }) => coverage)).toEqual([expect.closeTo(59 / 60, 5), 0]);
  });
});

describe('the first minutes', () => {
  const half = 30_000;
  it.each<[name: string, play: (watched: Watched) => number, uptime: number | null, coverage: number | null]>(
    [
      [
        'after the start',
        (watched) => {
          watched.run(START, START + 1, MINUTE);
          return START + half;
        },
        1,
        1,
      ],
      [
        'after the start, before the first check',
        (watched) => {
          watched.run(START, START + 1, MINUTE, none);
          return START + half;
        },
        null,
        0,
      ],
      ['before the first run', () => START, null, null],
      [
        'after a pause of a day',
        (watched) => {
          watched.run(START - 40 * HOUR, START - 26 * HOUR, MINUTE, failedCheck);
          watched.configure({ info: { enabled: false } });
          watched.run(START - 26 * HOUR, START, MINUTE, none);
          watched.configure({});
          watched.run(START, START + 1, MINUTE);
          return START + half;
        },
        1,
        // From the end of the last run that knew it as paused, a minute before.
        expect.closeTo(1 / 3, 2),
      ],
      [
        'after a maintenance of a day',
        (watched) => {
          watched.configure({ maintenance: [{ kind: 'once', from: START - 26 * HOUR, to: START }] });
          watched.run(START - 40 * HOUR, START + 1, MINUTE, (at) =>
            at < START ? failedCheck(at) : goodCheck(at),
          );
          return START + half;
        },
        1,
        1,
      ],
      [
        'after an hour without runs',
        (watched) => {
          watched.run(START, START + HOUR, MINUTE);
          watched.run(START + 2 * HOUR, START + 2 * HOUR + 1, MINUTE);
          return START + 2 * HOUR + half;
        },
        1,
        // Of the hour without runs, the last check speaks for the first minute.
        expect.closeTo((61 + 0.5) / 120.5, 2),
      ],
    ],
  )('%s', async (_, play, uptime, coverage) => {
    const watched = new Watched(MINUTE);
    const found = await watched.at(play(watched));
    expect({ uptime: found.uptimeRatio['24h'], coverage: found.coverage['24h'] }).toEqual({
      uptime,
      coverage,
    });
  });
});

describe('a target that is removed, and added again', () => {
  it('counts from its first run on, though hours were missed while it was gone', async () => {
    const watched = new Watched(MINUTE);
    watched.run(START, START + 2 * HOUR, MINUTE);
    watched.configure(null);
    watched.run(START + 2 * HOUR, START + 2 * HOUR + 3 * MINUTE, MINUTE, none);
    // No run for 30 hours, then one that knows the target again, and more an hour later.
    const back = START + 32 * HOUR + 30 * MINUTE;
    watched.configure({});
    const unseen = await watched.at(back - MINUTE);
    expect([unseen.uptimeRatio['24h'], unseen.coverage['24h']]).toEqual([null, null]);
    watched.run(back, back + 2 * HOUR, MINUTE);
    const now = back + 2 * HOUR - MINUTE;
    const { uptimeRatio, coverage, hours } = await watched.history(now);
    expect([uptimeRatio['24h'], coverage['24h']]).toEqual([1, 1]);
    expect([uptimeRatio['7d'], coverage['7d']]).toEqual([1, 1]);
    expect(hours.map((hour) => hour.coverage)).toEqual([
      1,
      1,
      ...Array.from({ length: 30 }, () => null),
      1,
      1,
      1,
    ]);
  });

  it('is paused in the hours that are missed, and what was expected of it before stays', async () => {
    const watched = new Watched(MINUTE);
    watched.run(START, START + 2 * HOUR, MINUTE);
    // No run for ten hours; the target is paused at once after the first that comes.
    const back = START + 12 * HOUR + 30 * MINUTE;
    watched.run(back, back + 5 * MINUTE, MINUTE);
    watched.configure({ info: { enabled: false } });
    watched.run(back + 5 * MINUTE, back + HOUR, MINUTE, none);
    const { hours } = await watched.history(back + HOUR);
    expect(hours.map(({ coverage }) => coverage)).toEqual([
      1,
      1,
      expect.closeTo(0.02, 1),
      ...Array.from({ length: 9 }, () => 0),
      expect.closeTo(0.15, 1),
      null,
    ]);
  });
});

it.each([
  ['an hour', START + 5 * HOUR],
  ['a midnight', START + 16 * HOUR],
])('a read in the very millisecond of %s tells what the ones beside it tell', async (_, full) => {
  const watched = new Watched(MINUTE, { info: { sleepsAfter: 15 * MINUTE, host: 'render' } });
  watched.run(START, full, MINUTE, (at) => (at === START + HOUR ? failedCheck(at) : goodCheck(at)));
  const before = await watched.at(full - 1);
  watched.run(full, full + 1, MINUTE);
  const [on, after] = await Promise.all([full, full + 1].map((now) => watched.at(now)));
  for (const found of [on, after]) {
    for (const window of ['24h', '7d'] as const) {
      expect(found?.uptimeRatio[window]).toBeCloseTo(before.uptimeRatio[window] ?? Number.NaN, 5);
      expect(found?.coverage[window]).toBeCloseTo(before.coverage[window] ?? Number.NaN, 5);
    }
    expect(Math.abs((found?.latencyMs.samples ?? 0) - before.latencyMs.samples)).toBeLessThanOrEqual(1);
    expect(found?.awake).toMatchObject({ keptAwake: true, longestGap: 2 * MINUTE });
  }
  const { hours, days } = await watched.history(full);
  for (const { from, to, coverage } of [...hours, ...days]) {
    expect([from < to, coverage]).toEqual([true, 1]);
  }
});

describe('awake', () => {
  const render = { info: { host: 'render', sleepsAfter: 15 * MINUTE, interval: 5 * MINUTE } } as const;
  const cold = (at: number) => goodCheck(at, { coldStart: true, wakeMs: 30_000 });
  const own = (at: number) => failedCheck(at, { statusCode: 500, reached: true, origin: 'container' });
  const unknown = (at: number) => goodCheck(at, { origin: 'unknown' });
  const every = 5 * MINUTE;

  it.each<
    [
      name: string,
      options: TargetOptions,
      play: (watched: Watched) => number,
      expected: Partial<TargetStats['awake']>,
    ]
  >([
    [
      'is not known before it was pinged for as long as the host stays awake',
      render,
      (watched) => {
        watched.run(START, START + 15 * MINUTE, every);
        return START + 15 * MINUTE - 1;
      },
      { keptAwake: null, longestGap: 5 * MINUTE, proof: 'container' },
    ],
    [
      'is proven then',
      render,
      (watched) => {
        watched.run(START, START + 15 * MINUTE + 1, every);
        return START + 15 * MINUTE;
      },
      { keptAwake: true, longestGap: 5 * MINUTE, coldStarts: 0, proof: 'container' },
    ],
    [
      'is no broken promise at the first ping ever, which counts as a wake',
      render,
      (watched) => {
        watched.run(START, START + HOUR, every, (at) => (at === START ? cold(at) : goodCheck(at)));
        return START + HOUR;
      },
      { keptAwake: true, coldStarts: 1 },
    ],
    [
      'is broken by a cold start although it was pinged',
      render,
      (watched) => {
        watched.run(START, START + HOUR, every, (at) =>
          at === START + 10 * MINUTE ? cold(at) : goodCheck(at),
        );
        return START + HOUR;
      },
      { keptAwake: false, coldStarts: 1 },
    ],
    [
      'lasts through an outage in which the host itself answers',
      render,
      (watched) => {
        watched.run(START, START + HOUR, every);
        watched.run(START + HOUR, START + 3 * HOUR, every, own);
        return START + 3 * HOUR;
      },
      { keptAwake: true, longestGap: 5 * MINUTE },
    ],
    [
      'does not last through an outage in which only a gateway answers',
      render,
      (watched) => {
        watched.run(START, START + HOUR, every);
        watched.run(START + HOUR, START + 3 * HOUR, every, failedCheck);
        return START + 3 * HOUR;
      },
      { keptAwake: false, longestGap: 2 * HOUR + 5 * MINUTE },
    ],
    [
      'is not known after pings that we missed, and the wake after them is no broken promise',
      render,
      (watched) => {
        watched.run(START, START + HOUR, every);
        watched.run(START + 3 * HOUR, START + 4 * HOUR, every, (at) =>
          at === START + 3 * HOUR ? cold(at) : goodCheck(at),
        );
        return START + 4 * HOUR;
      },
      { keptAwake: null, longestGap: 2 * HOUR + 5 * MINUTE, coldStarts: 1 },
    ],
    [
      'is not known while no run comes',
      render,
      (watched) => {
        watched.run(START, START + HOUR, every);
        return START + 3 * HOUR;
      },
      { keptAwake: null, longestGap: 2 * HOUR + 5 * MINUTE },
    ],
    [
      'is known to be broken where runs come too seldom by plan',
      { info: { ...render.info, interval: 12 * HOUR } },
      (watched) => {
        watched.run(START, START + 13 * HOUR, every, (at) =>
          (at - START) % (12 * HOUR) === 0 ? goodCheck(at) : null,
        );
        return START + 13 * HOUR;
      },
      { keptAwake: false, longestGap: 12 * HOUR },
    ],
    [
      'is never proven by answers that prove nothing',
      render,
      (watched) => {
        watched.run(START, START + 5 * HOUR, every, unknown);
        return START + 5 * HOUR;
      },
      { keptAwake: null, longestGap: 5 * MINUTE, proof: 'edge' },
    ],
    [
      'is known to be broken by such a host all the same',
      { info: { ...render.info, host: 'streamlit' } },
      (watched) => {
        watched.run(START, START + HOUR, every, (at) =>
          at === START + 20 * MINUTE ? cold(at) : unknown(at),
        );
        return START + HOUR;
      },
      { keptAwake: false, proof: 'edge' },
    ],
    [
      'is not proven where nobody knows whether a request counts',
      { info: { ...render.info, host: 'streamlit' } },
      (watched) => {
        watched.run(START, START + 5 * HOUR, every);
        return START + 5 * HOUR;
      },
      { keptAwake: null, longestGap: 5 * MINUTE, proof: 'container' },
    ],
    [
      'is not proven any more once no answer is the app’s own, and not broken either',
      render,
      (watched) => {
        watched.run(START, START + HOUR, every);
        watched.run(START + HOUR, START + 3 * HOUR, every, unknown);
        return START + 3 * HOUR;
      },
      { keptAwake: null, longestGap: 5 * MINUTE, proof: 'edge' },
    ],
    [
      'is broken as soon as the host says that it sleeps',
      render,
      (watched) => {
        watched.run(START, START + HOUR, every);
        watched.run(START + HOUR, START + HOUR + every, every, (at) => failedCheck(at, { origin: 'asleep' }));
        return START + HOUR;
      },
      { keptAwake: false, proof: 'host' },
    ],
    [
      'rests on the host where it has said so since the first ping',
      render,
      (watched) => {
        watched.run(START, START + HOUR, every, (at) => failedCheck(at, { origin: 'asleep' }));
        return START + HOUR;
      },
      { keptAwake: null, longestGap: null, proof: 'host' },
    ],
    [
      'is no matter where the host does not sleep',
      {},
      (watched) => {
        watched.run(START, START + HOUR, every);
        return START + HOUR;
      },
      { keptAwake: null, proof: null, longestGap: 5 * MINUTE },
    ],
    [
      'is not asked of a maintenance',
      { ...render, maintenance: [{ kind: 'once', from: START + 30 * MINUTE, to: START + HOUR }] },
      (watched) => {
        watched.run(START, START + 2 * HOUR, every, (at) =>
          at === START + 40 * MINUTE ? cold(at) : goodCheck(at),
        );
        return START + 2 * HOUR;
      },
      { keptAwake: true, coldStarts: 0 },
    ],
  ])('%s', async (_, options, play, expected) => {
    const watched = new Watched(5 * MINUTE, options);
    expect((await watched.at(play(watched))).awake).toMatchObject(expected);
  });
});

describe('how much of an incident nobody watched', () => {
  const failing = (watched: Watched, from: number, to: number) => watched.run(from, to, MINUTE, failedCheck);

  it('is nothing where every check came in time', async () => {
    const watched = new Watched(MINUTE);
    failing(watched, START, START + HOUR);
    expect((await watched.at(START + HOUR)).incident).toMatchObject({ durationMs: HOUR, unobservedMs: 0 });
  });

  it('is what no check speaks for, while it is open and when it is over', async () => {
    const watched = new Watched(MINUTE);
    failing(watched, START, START + 10 * MINUTE);
    failing(watched, START + HOUR, START + HOUR + 10 * MINUTE);
    // After the check at 0:09 an hour without runs: two minutes of it are spoken for.
    const first = 49 * MINUTE;
    const later = START + 3 * HOUR;
    expect((await watched.at(later)).incident).toMatchObject({
      durationMs: 3 * HOUR,
      unobservedMs: first + 109 * MINUTE,
    });
    watched.run(later, later + 5 * MINUTE, MINUTE);
    const { incidents } = await watched.history(later + 5 * MINUTE);
    expect(incidents).toMatchObject([{ durationMs: 3 * HOUR, unobservedMs: first + 109 * MINUTE }]);
  });

  it('ends with the first good check of the row that ended it', async () => {
    const watched = new Watched(MINUTE, { successThreshold: 3 });
    failing(watched, START, START + 5 * MINUTE);
    watched.run(START + 5 * MINUTE, START + 6 * MINUTE, MINUTE);
    // An hour in which nobody looks belongs to what follows its end.
    watched.run(START + HOUR, START + HOUR + 5 * MINUTE, MINUTE);
    const { incidents } = await watched.history(START + HOUR + 5 * MINUTE);
    expect(incidents).toMatchObject([{ durationMs: 5 * MINUTE, unobservedMs: 0 }]);
  });

  it('holds all of a pause', async () => {
    const watched = new Watched(MINUTE);
    failing(watched, START, START + 10 * MINUTE);
    watched.configure({ info: { enabled: false } });
    watched.run(START + 10 * MINUTE, START + HOUR, MINUTE, none);
    watched.configure({});
    failing(watched, START + HOUR, START + HOUR + 2 * MINUTE);
    const { incident } = await watched.at(START + HOUR + MINUTE);
    expect(incident).toMatchObject({ durationMs: HOUR + MINUTE, unobservedMs: 51 * MINUTE });
  });

  it('is not known of an incident that an earlier version stored', () => {
    const old = JSON.stringify([START, START + HOUR, 'status 503', [[START, 0, 'down']]]);
    const read = readIncident(old);
    expect(read).toMatchObject({ unobserved: null, events: [{ kind: 'alert', alert: 'down' }] });
    expect(writeIncident(read)).toBe(` 2${old}`);
    expect(readIncident(JSON.stringify([START, START + HOUR, 'status 503'])).unobserved).toBeNull();
    const now = { ...read, unobserved: 7 };
    expect(readIncident(writeIncident(now))).toEqual(now);
  });
});

it('percentiles tell how many latencies they rest on', async () => {
  const watched = new Watched(MINUTE);
  watched.run(START, START + 7 * MINUTE, MINUTE, (at) => (at === START ? failedCheck(at) : goodCheck(at)));
  const { latencyMs, hours, days } = await watched.history(START + 7 * MINUTE);
  expect([latencyMs, hours[0]?.latencyMs, days[0]?.latencyMs].map((found) => found?.samples)).toEqual([
    6, 6, 6,
  ]);
});

describe('a clock that was wrong for ten runs', () => {
  const every = 5 * MINUTE;
  const options: TargetOptions = {
    info: { interval: every, host: 'render', sleepsAfter: 15 * MINUTE },
  };
  /** Every ratio, count and length that a reader gets is possible, and no time is one to come. */
  const impossible = (value: unknown, now: number, path = ''): string[] => {
    if (typeof value === 'number') {
      const isRatio = /(?:uptimeRatio|coverage)/.test(path);
      return value < 0 || (isRatio && value > 1) ? [`${path} = ${value}`] : [];
    }
    if (typeof value === 'string') {
      const isLater = /^\d{4}-\d\d-\d\dT/.test(value) && Date.parse(value) > now + MINUTE;
      return isLater ? [`${path} = ${value}`] : [];
    }
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([name, part]) => impossible(part, now, `${path}.${name}`));
  };
  const look = async (watched: Watched, now: number): Promise<TargetHistory> => {
    const found = await watched.history(now);
    expect(impossible(found, now)).toEqual([]);
    return found;
  };
  const before = START + 100 * HOUR;
  /** 100 hours as they should be, ten runs by a clock that is off, and then the right time. */
  const played = async (
    off: number,
    check: (at: number) => Check = goodCheck,
  ): Promise<[Watched, number]> => {
    const watched = new Watched(every, options);
    watched.run(START, before, every);
    watched.run(before + off, before + off + 10 * every, every, check);
    // While it is behind, what is on record lies in its future.
    if (off > 0) await look(watched, before + off + 10 * every);
    return [watched, before + 10 * every];
  };

  const offsets: [string, number][] = [
    ['30 days ahead', 30 * DAY],
    ['two hours behind', -2 * HOUR],
    ['a day ahead', DAY],
    ['two hours ahead', 2 * HOUR],
    ['30 days behind', -30 * DAY],
    ['a day behind', -DAY],
  ];
  // `npm test` has one ahead and one behind.
  it.each(offsets.slice(0, inject('long') ? undefined : 2))(
    '%s: what comes after it is counted at once',
    async (_, off) => {
      const [watched, now] = await played(off);
      for (const hour of [0, 1, 2, 3]) {
        watched.run(now + hour * HOUR, now + (hour + 1) * HOUR, every);
        const { pingCount, hours, latencyMs } = await look(watched, now + (hour + 1) * HOUR);
        expect(pingCount).toBe(1200 + 10 + 12 * (hour + 1));
        expect(latencyMs.samples).toBeGreaterThanOrEqual(12 * (hour + 1));
        const last = hours.filter(({ from }) => Date.parse(from) > now);
        expect(last.map((each) => each.uptimeRatio)).toEqual(last.map(() => 1));
        expect(last.map((each) => each.coverage)).toEqual(last.map(() => 1));
      }
      watched.run(now + 4 * HOUR, now + 30 * HOUR, every, (at) =>
        at < now + 28 * HOUR
          ? goodCheck(at)
          : failedCheck(at, { statusCode: 500, reached: true, origin: 'container' }),
      );
      const later = now + 30 * HOUR;
      const { uptimeRatio, coverage, awake, incident } = await look(watched, later);
      expect(coverage['24h']).toBe(1);
      expect(uptimeRatio['24h']).toBeCloseTo(1 - 120 / (24 * 60 + 50), 2);
      expect(awake).toMatchObject({ keptAwake: true, longestGap: every });
      expect(incident).toMatchObject({ durationMs: 2 * HOUR, unobservedMs: 0 });
      // Of the week, the wrong time alone may be missing.
      expect(coverage['7d']).toBeGreaterThan(0.95);
      expect(uptimeRatio['7d']).toBeCloseTo(1 - 2 / 130, 2);
    },
  );

  it('30 days ahead in an outage: it is no longer than it was', async () => {
    const [watched, now] = await played(30 * DAY, failedCheck);
    watched.run(now, now + HOUR, every, failedCheck);
    const { incident } = await look(watched, now + HOUR);
    expect(incident?.durationMs).toBeLessThanOrEqual(110 * MINUTE);
    watched.run(now + HOUR, now + 2 * HOUR, every);
    const { incidents, status } = await look(watched, now + 2 * HOUR);
    expect(status).toBe('up');
    expect(incidents.map(({ durationMs }) => durationMs <= 2 * HOUR)).toEqual([true]);
  });

  it('30 days ahead from the first run on: it begins again', async () => {
    const watched = new Watched(every, options);
    watched.run(before + 30 * DAY, before + 30 * DAY + 10 * every, every);
    watched.run(before, before + 5 * HOUR, every);
    const { uptimeRatio, coverage, pingCount } = await look(watched, before + 5 * HOUR);
    expect([uptimeRatio['24h'], coverage['24h'], pingCount]).toEqual([1, 1, 70]);
  });
});
