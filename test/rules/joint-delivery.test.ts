import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestsOf } from '../../lib/record/notifier.js';
import { readJointRecord, writeJointRecord } from '../../lib/record/joint-record-text.js';
import { TextError } from '../../lib/record/codec/text-error.js';
import { applyOutcome, type DeliveryOutcome } from '../../lib/rules/delivery-outcome.js';
import {
  afterJointDelivery,
  jointOutbox,
  merged,
  withCopy,
  withJointRecord,
  withoutRepetitions,
  type JointRecord,
} from '../../lib/rules/joint-delivery.js';
import { dueFor, EMPTY_OUTBOX, enqueued, pendingFor, type Outbox } from '../../lib/rules/outbox.js';
import { CHANNEL_NAMES, type Alert, type ChannelName } from '../../lib/types.js';
import { cases } from '../support/cases.js';

const NOON = Date.UTC(2026, 0, 5, 12);
const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;
const CHANNELS: readonly ChannelName[] = ['slack', 'ntfy'];
const SHARDS = 3;

const alertOf = (id: string, at = NOON): Alert => ({
  id,
  at,
  kind: 'slept',
  target: id,
  gap: 1,
  wakeMs: null,
});
const outboxOf = (ids: readonly string[], more: Partial<Outbox> = {}): Outbox => ({
  ...enqueued(
    EMPTY_OUTBOX,
    ids.map((id) => pendingFor(alertOf(id), CHANNELS)),
  ),
  ...more,
});

/** What a run of an installation with several shards does, without the run. */
class Installation {
  readonly outboxes = new Map<number, Outbox>();
  record: JointRecord = {};
  now = NOON;
  /** `channel id`, for each time that it was delivered. */
  readonly told: string[] = [];
  readonly made: string[] = [];
  saidUndelivered = 0;

  /** A run of a shard that has something to tell. */
  run(shard: number, more: number): void {
    const before = withJointRecord(this.outboxes.get(shard) ?? EMPTY_OUTBOX, this.record, shard);
    const alerts = Array.from({ length: more }, (_, i) =>
      alertOf(`${shard}-${this.made.length + i}`, this.now),
    );
    this.made.push(...alerts.map(({ id }) => id));
    this.outboxes.set(
      shard,
      enqueued(
        before,
        alerts.map((alert) => pendingFor(alert, CHANNELS)),
      ),
    );
    this.now += 1_000;
  }

  /** @param taken how many of its alerts each channel takes before it fails; null: all */
  deliver(taken: Readonly<Record<string, number | null>>): void {
    const { outboxes, record, now } = this;
    const joint = jointOutbox(record, outboxes);
    const outcomes = digestsOf(joint, CHANNELS, now).flatMap(({ channel, alerts, undelivered }) => {
      const most = taken[channel] ?? null;
      const ids = alerts.map(({ id }) => id);
      const gone = most === null ? ids : ids.slice(0, most);
      for (const id of gone) this.told.push(`${channel} ${id}`);
      if (most === null) this.saidUndelivered += undelivered;
      const delivered: DeliveryOutcome = {
        ...{ kind: 'delivered', channel, ids: gone },
        undelivered: most === null ? undelivered : 0,
      };
      const left = ids.slice(gone.length);
      if (most === null) return [delivered];
      const failed: DeliveryOutcome = {
        ...{ kind: 'failed', channel, ids: left, at: now },
        ...{ permanent: false, message: 'answered 503', retryAfter: null },
      };
      return gone.length > 0 ? [delivered, failed] : [failed];
    });
    const after = afterJointDelivery(record, { outboxes, joint, outcomes, now });
    this.record = readJointRecord(writeJointRecord(after, now));
    this.now += 1_000;
  }
}

describe('the record of deliveries for all shards', () => {
  it('lets each alert be delivered to each channel once, whatever fails between', () => {
    const shard = fc.nat(SHARDS - 1);
    const step = fc.oneof(
      fc.record({ shard, more: fc.nat(3) }),
      fc.record({ taken: fc.dictionary(fc.constantFrom(...CHANNELS), fc.option(fc.nat(2))) }),
    );
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.array(fc.nat(5), { maxLength: SHARDS }),
        (steps, lost) => {
          const all = new Installation();
          for (const [i, count] of lost.entries()) {
            all.outboxes.set(i, outboxOf([], { undelivered: count === 0 ? {} : { slack: count } }));
          }
          for (const each of steps) {
            if ('more' in each) all.run(each.shard, each.more);
            else all.deliver(each.taken);
          }
          // Everything works again, and no channel waits any more.
          all.now += 2 * 24 * 60 * MINUTE;
          for (let i = 0; i < SHARDS; i += 1) all.run(i, 1);
          all.deliver({});
          expect(all.told.sort()).toEqual(
            CHANNELS.flatMap((channel) => all.made.map((id) => `${channel} ${id}`)).sort(),
          );
          expect(all.saidUndelivered).toBe(lost.reduce((sum, count) => sum + count, 0));
          // Nothing is left of it, neither in the shards nor beside them.
          for (let i = 0; i < SHARDS; i += 1) all.run(i, 0);
          expect([...all.outboxes.values()].every(({ alerts }) => alerts.length === 0)).toBe(true);
          expect(all.outboxes.get(0)).toMatchObject({ troubles: {}, undelivered: {} });
          all.deliver({});
          expect(Object.values(all.record).flatMap(({ delivered }) => delivered)).toEqual([]);
        },
      ),
      cases(100),
    );
  });

  it('is applied once, however often it is read', () => {
    const shards = new Map([
      [0, outboxOf(['a', 'b'], { undelivered: { slack: 2 } })],
      [1, outboxOf(['c'])],
    ]);
    const joint = jointOutbox({}, shards);
    expect(joint.undelivered).toEqual({ slack: 2 });
    const outcomes: DeliveryOutcome[] = [
      { kind: 'delivered', channel: 'slack', ids: ['a', 'b', 'c'], undelivered: 2 },
      {
        ...{ kind: 'failed', channel: 'ntfy', ids: ['a', 'b', 'c'], at: NOON + 5, permanent: true },
        ...{ message: 'answered 403', retryAfter: null },
      },
    ];
    const record = afterJointDelivery({}, { outboxes: shards, joint, outcomes, now: NOON + 5 });
    const once = withJointRecord(outboxOf(['a', 'b'], { undelivered: { slack: 2 } }), record, 0);
    expect(once).toMatchObject({
      alerts: [{ to: { ntfy: 1 } }, { to: { ntfy: 1 } }],
      undelivered: {},
      troubles: { ntfy: { failures: 1, permanent: true, message: 'answered 403' } },
    });
    expect(withJointRecord(once, record, 0)).toEqual(once);
    // What was dropped since is told of another time.
    const later = { ...once, undelivered: { slack: 1 } };
    expect(withJointRecord(later, record, 0)).toEqual(later);
    // A refusal is tried again as soon as there is news.
    expect(digestsOf(once, CHANNELS, NOON + 10)).toEqual([]);
    const news = enqueued(once, [pendingFor(alertOf('d', NOON + 9), CHANNELS)]);
    expect(digestsOf(withJointRecord(news, record, 0), ['ntfy'], NOON + 10)).toHaveLength(1);
  });

  it('keeps what could not be stored', () => {
    const shards = new Map([[0, outboxOf(['a'])]]);
    const delivered = (id: string): DeliveryOutcome[] => [
      { kind: 'delivered', channel: 'slack', ids: [id], undelivered: 0 },
    ];
    const of = (outboxes: ReadonlyMap<number, Outbox>, id: string, now: number) =>
      afterJointDelivery({}, { outboxes, joint: jointOutbox({}, outboxes), outcomes: delivered(id), now });
    const unsaved = of(shards, 'a', NOON);
    const stored = of(new Map([[1, outboxOf(['b'])]]), 'b', NOON + 1);
    const both = merged(stored, unsaved);
    expect(both.slack).toMatchObject({ attemptedAt: NOON + 1 });
    expect(both.slack?.delivered.map(({ ids }) => ids)).toEqual([['b'], ['a']]);
    expect(merged(both, unsaved)).toEqual(both);
  });

  it('leaves a trouble that began after it', () => {
    const outbox = outboxOf(['a']);
    const failed = (at: number): DeliveryOutcome => ({
      ...{ kind: 'failed', channel: 'slack', ids: ['a'], at, permanent: false },
      ...{ message: 'answered 503', retryAfter: null },
    });
    const record: JointRecord = {
      slack: { attemptedAt: NOON, trouble: null, moved: null, delivered: [] },
    };
    const later = applyOutcome(outbox, failed(NOON + 1));
    expect(withJointRecord(later, record, 0).troubles).toEqual(later.troubles);
    expect(withJointRecord(applyOutcome(outbox, failed(NOON)), record, 0).troubles).toEqual({});
  });

  it('of which a process reads an old copy hides nothing that waits, and no delivery', () => {
    const shard = fc.nat(SHARDS - 1);
    const step = fc.oneof(
      fc.record({ shard, more: fc.nat(3) }),
      fc.record({ taken: fc.dictionary(fc.constantFrom(...CHANNELS), fc.option(fc.nat(2))) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.nat(30), fc.nat(30), (steps, copied, known) => {
        const all = new Installation();
        const records = [all.record];
        for (const each of steps) {
          if ('more' in each) all.run(each.shard, each.more);
          else all.deliver(each.taken);
          records.push(all.record);
        }
        const at = (i: number): JointRecord => records[Math.min(i, records.length - 1)] ?? {};
        const record = withCopy(at(known), at(copied));
        const delivered = [at(copied), at(known)].flatMap(({ slack }) =>
          (slack?.delivered ?? []).flatMap(({ ids }) => ids),
        );
        for (const [number, outbox] of all.outboxes) {
          const after = withJointRecord(outbox, record, number);
          const waiting = (box: Outbox) =>
            box.alerts.flatMap(({ alert, to }) => (to.slack === undefined ? [] : [alert.id]));
          expect(waiting(after)).toEqual(waiting(outbox).filter((id) => !delivered.includes(id)));
          // Whatever the copy says, nothing waits for longer than it would by what the process knows.
          const before = withJointRecord(outbox, at(known), number);
          const due = (box: Outbox) => new Set(dueFor(box, 'slack', all.now).map(({ id }) => id));
          for (const id of due(before)) expect(due(after).has(id) || delivered.includes(id)).toBe(true);
        }
      }),
      cases(200),
    );
  });

  it('counts as a process knows it where a copy is no later', () => {
    const trouble = { since: NOON, failures: 3, nextAt: NOON + DAY, permanent: true, message: 'no' };
    const of = (attemptedAt: number, more: object = {}) => ({
      slack: { ...{ attemptedAt, trouble, moved: null, delivered: [] }, ...more },
    });
    expect(withCopy(of(NOON), of(NOON))).toEqual(of(NOON));
    expect(withCopy(of(NOON), of(NOON - 1, { trouble: null }))).toEqual(of(NOON));
    expect(withCopy(of(NOON), of(NOON + 1))).toEqual(of(NOON + 1, { trouble: null }));
    expect(withCopy({}, of(NOON))).toEqual(of(NOON, { trouble: null }));
    const part = { shard: 1, ids: ['a'], undelivered: 0 };
    expect(withCopy(of(NOON), of(NOON - 1, { delivered: [part] }))).toEqual(of(NOON, { delivered: [part] }));
  });

  it('is read as it was written, and nothing else is', () => {
    const id = fc.oneof(
      fc.string(),
      fc.tuple(fc.constantFrom('', 'a', 'a-1'), fc.nat(20)).map(([run, number]) => `${run}-${number}`),
    );
    const channel = fc.record({
      attemptedAt: fc.nat(2 ** 41),
      trouble: fc.option(
        fc.record({
          ...{ since: fc.nat(2 ** 41), failures: fc.nat(9), nextAt: fc.nat(2 ** 41) },
          ...{ permanent: fc.boolean(), message: fc.string() },
        }),
      ),
      moved: fc.option(fc.record({ from: fc.string(), to: fc.string() })),
      delivered: fc.array(fc.record({ shard: fc.nat(2_000), ids: fc.array(id), undelivered: fc.nat(99) })),
    });
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom(...CHANNELS), channel, { noNullPrototype: true }),
        fc.nat(2 ** 41),
        (record, now) => {
          const sorted = (each: JointRecord) =>
            Object.entries(each).map(([name, { delivered, ...rest }]) => [
              name,
              { ...rest, delivered: delivered.map((part) => ({ ...part, ids: [...part.ids].sort() })) },
            ]);
          expect(sorted(readJointRecord(writeJointRecord(record, now)))).toEqual(sorted(record));
        },
      ),
      cases(100),
    );
    expect(readJointRecord(null)).toEqual({});
    for (const text of ['', 'x', ' ', ' 2', ' 2x', ' 9x', ` 2${'A'.repeat(1_000)}`]) {
      expect(() => readJointRecord(text)).toThrow(TextError);
    }
  });

  it('takes an outage of 20,000 targets on all channels', () => {
    const delivered = Array.from({ length: 40 }, (_, shard) => ({
      ...{ shard, undelivered: 0 },
      ids: Array.from({ length: 500 }, (_each, i) => `mwyh24jh-4-2m${shard}-${i}`),
    }));
    const channel = { attemptedAt: NOON, trouble: null, moved: null, delivered };
    const record = Object.fromEntries(CHANNEL_NAMES.map((name) => [name, channel]));
    const text = writeJointRecord(record, NOON);
    expect(text.length).toBeLessThan(100_000);
    expect(readJointRecord(text)).toEqual(record);
  });
});

describe('what every shard tells of the pinger itself', () => {
  const missed = (from: number, to: number): Alert => ({
    ...{ id: `${from}`, at: NOON, kind: 'missed', from: NOON + from * MINUTE, to: NOON + to * MINUTE },
  });

  it('is said once: gaps of the same time, the slowest pace, the sum of allowances', () => {
    const pace = (actual: number, ...slow: string[]): Alert => ({
      ...{ id: `${actual}`, at: NOON, kind: 'pace', expected: MINUTE, actual },
      slowFor: {
        count: slow.length,
        targets: slow.map((target) => ({ target, interval: 1, checkedEvery: 2, sleepsAfter: null })),
      },
    });
    const over = (projected: number, at = NOON): Alert => ({
      ...{ id: `${projected}`, at, kind: 'allowances' },
      over: [{ resource: 'storeCommands', projected, allowed: 10 }],
    });
    const found = withoutRepetitions([
      ...[alertOf('api'), missed(3, 9), missed(0, 5), missed(20, 30)],
      ...[pace(2, 'a'), pace(3, 'b'), over(11), over(12), over(13, NOON + 31 * DAY)],
    ]);
    expect(found).toMatchObject([
      { kind: 'slept' },
      { kind: 'missed', from: NOON, to: NOON + 9 * MINUTE },
      { kind: 'missed', from: NOON + 20 * MINUTE },
      { kind: 'pace', actual: 3, slowFor: { count: 2, targets: [{ target: 'b' }] } },
      { kind: 'allowances', over: [{ resource: 'storeCommands', projected: 23, allowed: 20 }] },
      // Of the next month.
      { kind: 'allowances', over: [{ resource: 'storeCommands', projected: 13, allowed: 10 }] },
    ]);
  });

  it('and what one shard tells stays as it is', () => {
    const alerts = [alertOf('api'), missed(0, 5), missed(7, 9), alertOf('web')];
    expect(new Set(withoutRepetitions(alerts))).toEqual(new Set(alerts));
  });
});
