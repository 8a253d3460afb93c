import { describe, expect, it } from 'vitest';
import { readIncident } from '../../lib/record/incidents.js';
import { STATE_FIELD } from '../../lib/record/fields.js';
import { Ledger } from '../../lib/record/ledger.js';
import { readState, writeState } from '../../lib/record/state.js';
import { TextError } from '../../lib/record/codec/text-error.js';
import type { Target } from '../../lib/types.js';
import { Books } from '../support/books.js';
import { aTarget, failedCheck, goodCheck } from '../support/targets.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 0, 5, 12);
const ledgerOn = (state: string | null, targets: readonly Target[], now: number) =>
  new Ledger({ state, outbox: null }, { targets, tick: MINUTE, channels: [], reminder: null }, now);
/** Three targets after six runs: one is up, one down since the fourth, and one in maintenance (written by 0.1.0). */
const BEFORE =
  'jZTNDoIwDMffhXMP3egAfRWygwnGeACJxvj6pl3Zxpd4oWm3jvb337oQpFrJUVeGaEeOp0uC8L56Kcge95x6mVEXpfrL0L2Kc50k2CDL9z+SpdOca43kmmbBtYRivA7dfbjxRVpBNogkkN8jF/v4DAUU/Ztr99CWobOZUfQQP1sBAyWYdICx8wMQLATrxFb85sQ6sZpmaZmGmqYbVo5FBB4h4QGSC0WRm2o8GDN5Oy0e7Pa73Yd8rf7PQ3g25T0a9YXN1KGuMaYY0t/E3DSzWgpUCUULCelsYxeiwwtSs1FeUeQfAe/9Fw==';
const stateOf = (books: Books) => readState(books.fields.get(STATE_FIELD) ?? '');

describe('the books of a run', () => {
  it('count what they are told, and keep the outage from its first failed to its first good check', () => {
    const books = new Books(MINUTE, [aTarget('api')]);
    const transitions = Array.from('gffffgg').flatMap((letter, i) => {
      const at = START + i * MINUTE;
      return books.run(at, [['api', letter === 'g' ? goodCheck(at) : failedCheck(at)]]);
    });
    expect(transitions.map(({ from, to, at }) => [from, to, (at - START) / MINUTE])).toEqual([
      ['pending', 'up', 0],
      ['up', 'down', 3],
      ['down', 'up', 6],
    ]);
    expect(transitions[1]?.reason).toBe('status 503, expected 200-299');
    expect(readIncident(books.fields.get('i0.0') ?? '')).toEqual({
      startedAt: START + MINUTE,
      endedAt: START + 5 * MINUTE,
      message: 'status 503, expected 200-299',
      events: [],
      unobserved: 0,
    });
    expect(stateOf(books).targets[0]).toMatchObject({
      status: 'up',
      incident: null,
      incidents: 1,
      counters: { pings: 7, failures: 4, expected: 6 * MINUTE, observed: 6 * MINUTE, good: 2 * MINUTE },
    });
  });

  it('go on with a state that the version before stored', () => {
    const info = { host: 'render', sleepsAfter: 15 * MINUTE } as const;
    const window = { kind: 'once', from: START, to: START + 10 * MINUTE } as const;
    const targets = [
      aTarget('up', { info }),
      aTarget('down', { info }),
      aTarget('muted', { info, maintenance: [window] }),
    ];
    const books = new Books(MINUTE, targets);
    books.fields.set(STATE_FIELD, BEFORE);
    const own = { statusCode: 500, reached: true };
    for (let i = 6; i <= 20; i += 1) {
      const at = START + i * MINUTE;
      books.run(at, [
        ['up', goodCheck(at)],
        ['down', i < 19 ? failedCheck(at, own) : goodCheck(at)],
        ['muted', goodCheck(at)],
      ]);
    }
    const [up, down, muted] = stateOf(books).targets;
    const time = 20 * MINUTE;
    const counters = { pings: 21, expected: time, observed: time };
    expect(up).toMatchObject({ counters, awakeSince: START + 5 * MINUTE, sleptAt: null });
    expect(down).toMatchObject({ status: 'up', counters: { ...counters, failures: 18 } });
    // How much of an outage nobody watched is not known where the version before saw its beginning.
    const incident = readIncident(books.fields.get('i1.0') ?? '');
    expect(incident).toMatchObject({
      startedAt: START + MINUTE,
      endedAt: START + 19 * MINUTE,
      unobserved: null,
    });
    expect(muted?.counters).toMatchObject({ pings: 11, expected: 10 * MINUTE, observed: 10 * MINUTE });
  });

  it('write the same when a run is recorded again on the same text', () => {
    const books = new Books(MINUTE, [aTarget('api')]);
    books.run(START, [['api', goodCheck(START)]]);
    const stored = books.fields.get(STATE_FIELD) ?? null;
    const once = () => {
      const ledger = ledgerOn(stored, books.targets, START + HOUR);
      ledger.record(START + HOUR, new Map([['api', failedCheck(START + HOUR)]]));
      return ledger.close({
        id: 'x',
        at: START + HOUR,
        status: 'completed',
        durationMs: 5,
        checked: 1,
        failed: 1,
        commands: 7,
      });
    };
    expect(once()).toEqual(once());
  });

  it('leave out a check that is not newer than the one on record', () => {
    const books = new Books(MINUTE, [aTarget('api')]);
    books.run(START + MINUTE, [['api', goodCheck(START + MINUTE)]]);
    const stored = books.fields.get(STATE_FIELD) ?? null;
    const ledger = ledgerOn(stored, books.targets, START + 2 * MINUTE);
    ledger.record(START + MINUTE, new Map([['api', goodCheck(START + MINUTE)]]));
    ledger.record(START, new Map([['api', goodCheck(START)]]));
    expect(ledger.pingsOf('api')).toBe(1);
  });

  it('record the runs that are missing, once', () => {
    const books = new Books(MINUTE, [aTarget('api')]);
    for (const at of [0, 1, 3, 9, 10]) books.run(START + at * MINUTE, []);
    expect(stateOf(books).gaps).toEqual([{ from: START + 3 * MINUTE, to: START + 9 * MINUTE }]);
  });

  it('keep the place of a target that leaves the configuration, and go on when it comes back', () => {
    const [a, b] = [aTarget('a'), aTarget('b')];
    const books = new Books(MINUTE, [a, b]);
    const check = (at: number) =>
      books.run(
        at,
        books.targets.map(({ info }) => [info.id, goodCheck(at)] as const),
      );
    check(START);
    books.targets = [b];
    check(START + MINUTE);
    books.targets = [b, aTarget('c'), a];
    check(START + 2 * MINUTE);
    const { targets } = stateOf(books);
    expect(targets.map((target) => [target?.id, target?.counters.pings])).toEqual([
      ['a', 2],
      ['b', 3],
      ['c', 1],
    ]);
  });

  it('give a place away when no snapshot can hold anything of its target any more', () => {
    const books = new Books(MINUTE, [aTarget('old'), aTarget('b')]);
    books.run(START, []);
    books.targets = [aTarget('b')];
    books.run(START + MINUTE, []);
    books.run(START + 93 * 24 * HOUR, []);
    books.targets = [aTarget('b'), aTarget('new')];
    books.run(START + 93 * 24 * HOUR + MINUTE, []);
    expect(stateOf(books).targets.map((target) => target?.id)).toEqual(['new', 'b']);
  });

  it('count no time while a target is paused', () => {
    const books = new Books(MINUTE, [aTarget('api')]);
    books.run(START, [['api', goodCheck(START)]]);
    books.targets = [aTarget('api', { info: { enabled: false } })];
    for (let i = 1; i < 60; i += 1) books.run(START + i * MINUTE, []);
    books.targets = [aTarget('api')];
    const at = START + HOUR;
    books.run(at, [['api', goodCheck(at)]]);
    expect(stateOf(books).targets[0]).toMatchObject({
      counters: { pings: 2, expected: MINUTE, observed: 0 },
      awakeGaps: [],
      restingSince: null,
    });
  });

  it('count no time twice where a target left and came back while the clock was set back', () => {
    const books = new Books(MINUTE, [aTarget('api')]);
    const run = (minute: number) =>
      books.run(
        START + minute * MINUTE,
        books.targets.map(({ info }) => [info.id, goodCheck(START + minute * MINUTE)] as const),
      );
    for (let minute = 0; minute <= 120; minute += 1) run(minute);
    books.targets = [];
    run(60);
    books.targets = [aTarget('api')];
    for (let minute = 61; minute <= 240; minute += 1) run(minute);
    expect(stateOf(books).targets[0]?.counters).toMatchObject({
      pings: 301,
      expected: 4 * HOUR,
      observed: 4 * HOUR,
    });
  });

  it('count checks in maintenance on neither side, while the status goes on', () => {
    const maintenance = [{ kind: 'once', from: START + MINUTE, to: START + 4 * MINUTE }] as const;
    const books = new Books(MINUTE, [aTarget('api', { maintenance })]);
    for (let i = 0; i <= 5; i += 1) {
      const at = START + i * MINUTE;
      books.run(at, [['api', i >= 1 && i <= 3 ? failedCheck(at) : goodCheck(at)]]);
    }
    expect(stateOf(books).targets[0]).toMatchObject({
      status: 'up',
      counters: { pings: 3, failures: 0, expected: 2 * MINUTE, observed: 2 * MINUTE, good: 2 * MINUTE },
    });
  });

  it('log one check a minute, and besides it the one with which a failure begins', async () => {
    const books = new Books(MINUTE, [aTarget('api', { info: { interval: 10_000 } })]);
    for (let i = 0; i < 12; i += 1) {
      const at = START + i * 10_000;
      books.run(at, [['api', i === 4 || i === 5 ? failedCheck(at) : goodCheck(at)]]);
    }
    const history = await books.history('api', START + 2 * MINUTE);
    expect(history.checks.map(({ at, outcome }) => [(at - START) / 1000, outcome])).toEqual([
      [0, 'good'],
      [40, 'failed'],
      [60, 'good'],
    ]);
  });
});

describe('the text of the state', () => {
  const books = new Books(MINUTE, [aTarget('api'), aTarget('web')]);
  for (let i = 0; i < 200; i += 1) {
    const at = START + i * MINUTE;
    books.run(at, [
      ['api', i % 7 === 0 ? failedCheck(at) : goodCheck(at, { tlsExpiresAt: START + 1000 * HOUR })],
      ['web', i > 190 ? failedCheck(at) : goodCheck(at, { latency: i })],
    ]);
  }

  it('reads as what was written', () => {
    const state = stateOf(books);
    expect(readState(writeState(state))).toEqual(state);
    expect(state.targets[1]?.incident).not.toBeNull();
  });

  it.each(['', 'x', 'AAAA', '{"a":1}', Buffer.from('{}').toString('base64')])('refuses %j', (text) => {
    expect(() => readState(text)).toThrow(TextError);
  });
});
