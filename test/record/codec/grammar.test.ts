import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCheckCode, writeCheckCode } from '../../../lib/record/check-code.js';
import { deflate, inflate, readEnvelope, writeEnvelope } from '../../../lib/record/codec/envelope.js';
import {
  code,
  count,
  flag,
  list,
  nullable,
  optional,
  record,
  text,
  time,
  timeIn,
  variants,
  whole,
  type Field,
} from '../../../lib/record/codec/field-codecs.js';
import { NewerTextError, TextError } from '../../../lib/record/codec/text-error.js';
import { VarintReader, VarintWriter, writePair, writeVarint } from '../../../lib/record/codec/varint.js';
import { NO_LOG, readLog, writeRow } from '../../../lib/record/log.js';
import { writeSnapshot } from '../../../lib/record/snapshots.js';
import { failedCheck, goodCheck } from '../../support/targets.js';

const BASE = Date.UTC(2026, 0, 5, 12);
const MINUTE = 60_000;

function written<T>(field: Field<T>, values: readonly T[]): string {
  const out = new VarintWriter(BASE);
  field.write(values, out);
  return out.text;
}

describe('the worked values of the comments', () => {
  it('are what is written', () => {
    expect(writeVarint(100)).toBe('X$');
    expect(writePair(writeCheckCode(goodCheck(0, { latency: 45 })))).toBe('*B');
    expect(writePair(writeCheckCode(failedCheck(0, { statusCode: 503 })))).toBe('vh');
    const rows = [
      { at: BASE - 1, ok: true },
      { at: BASE, ok: true },
    ];
    expect(written(record({ at: time, ok: flag }), rows)).toBe('$!##');
    const span = Math.floor(BASE / 7_200_000);
    const checks = [{ slot: 0, check: goodCheck(0, { latency: 45 }) }];
    const log = writeRow(writeRow(NO_LOG, span, { at: BASE, checks }), span, { at: BASE + MINUTE, checks });
    expect(log.pending).toBe(' 2!PTqU`D$*B$*B');
    const hours = 10 * 60 * MINUTE;
    const counters = {
      ...{ pings: 60, failures: 0, expected: hours, observed: hours, good: hours, coldStarts: 0 },
      ...{ awake: hours, slept: 0 },
    };
    const snapshot = { counters, latencies: new Map([[39, 60]]) };
    expect(writeSnapshot(BASE, [{ addedAt: BASE - hours, snapshot }])).toBe(' 4kr$0`#!!!!!R/!#I_#');
  });
});

describe('a field', () => {
  const words = { one: 0, two: 1 } as const;
  type Event = { kind: 'one'; at: number } | { kind: 'two'; text: string; more: readonly number[] };
  const row = record({
    count,
    whole,
    flag,
    time,
    hour: timeIn(3_600_000),
    code: code(words, 'word'),
    nullable: nullable(time),
    text,
    optional: optional(text),
    list: list(list(count)),
    events: list(
      variants<Event>(code(words, 'word'), { one: { at: time }, two: { text, more: list(whole) } }),
    ),
  });
  const times = fc.integer({ min: -2e15, max: 2e15 });
  const rows = fc.array(
    fc.record({
      count: fc.nat(2 ** 31),
      whole: fc.integer(),
      flag: fc.boolean(),
      time: times,
      hour: fc.integer({ min: -5e8, max: 5e8 }),
      code: fc.constantFrom('one', 'two'),
      nullable: fc.option(times),
      text: fc.string({ unit: 'grapheme' }),
      optional: fc.option(fc.string()),
      list: fc.array(fc.array(fc.nat())),
      events: fc.array(
        fc.oneof(
          fc.record({ kind: fc.constant('one' as const), at: times }),
          fc.record({ kind: fc.constant('two' as const), text: fc.string(), more: fc.array(fc.integer()) }),
        ),
      ),
    }),
  );

  it('reads what it has written, whatever the values', () => {
    fc.assert(
      fc.property(rows, (values) => {
        const reader = new VarintReader(written(row, values as never), BASE);
        expect(row.read(values.length, reader)).toEqual(values);
        expect(reader.done).toBe(true);
      }),
    );
  });

  it('says of a code that it does not know that it is newer', () => {
    expect(() => code(words, 'word').read(1, new VarintReader(writeVarint(2)))).toThrow(NewerTextError);
  });

  it.each<[string, Field<unknown>, number]>([
    ['a list', list(count), 1],
    ['texts', list(text), 1],
    ['records', list(record({ a: optional(text), b: list(flag) })), 1],
    ['a column', count, Number.MAX_SAFE_INTEGER],
  ])('of %s takes no memory for what is not there', (_, field, total) => {
    const huge = new VarintReader(writeVarint(Number.MAX_SAFE_INTEGER));
    expect(() => field.read(total, huge)).toThrow(TextError);
  });
});

describe('the envelope', () => {
  it('tells the version; texts of version 1 have none', () => {
    expect(writeEnvelope(2, 'x')).toBe(' 2x');
    expect(readEnvelope(' 2x', 'it', 2)).toEqual({ version: 2, body: 'x' });
    expect(readEnvelope('x', 'it', 2)).toEqual({ version: 1, body: 'x' });
    expect(readEnvelope(writeEnvelope(10, 'x'), 'it', 12)).toEqual({ version: 10, body: 'x' });
  });

  it('refuses a newer version, names both, and says what to do', () => {
    const refused = () => readEnvelope(' 7x', 'the state', 2);
    expect(refused).toThrow(NewerTextError);
    expect(refused).toThrow(
      'the state is in version 7 of its format, and this Keepalive knows versions up to 2: deploy the Keepalive that wrote it, or a later one',
    );
  });

  it.each([' ', ' 1x', ' 0', '  ', ' !'])('refuses %j', (source) => {
    expect(() => readEnvelope(source, 'it', 2)).toThrow(TextError);
  });
});

describe('deflated text', () => {
  const dictionary = Buffer.from('what most of them hold');

  it('comes back', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (source) => {
        expect(inflate(deflate(source, dictionary), dictionary, 'it')).toBe(source);
      }),
    );
  });

  it('is refused where it inflates to gigabytes', () => {
    const bomb = deflateRawSync(Buffer.alloc(64 * 1024 * 1024), { dictionary }).toString('base64');
    const before = process.memoryUsage().arrayBuffers;
    expect(() => inflate(bomb, dictionary, 'it')).toThrow(TextError);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
  });
});

describe('a log', () => {
  const checks = [{ slot: 0, check: goodCheck(0) }];
  const span = Math.floor(BASE / 7_200_000);

  it('that version 1 began goes on in version 1 until its span ends', () => {
    // The row before was written by version 1: ` 2` is what version 2 put in front of the same row.
    const first = writeRow(NO_LOG, span, { at: BASE, checks });
    const old = first.pending.slice(2);
    const head = { ...first, version: 1, offset: old.length, pending: '' };
    const second = writeRow(head, span, { at: BASE + MINUTE, checks });
    expect(readLog(old + second.pending).map(({ at }) => at - BASE)).toEqual([0, MINUTE]);
    const next = writeRow({ ...second, pending: '' }, span + 1, { at: BASE + 120 * MINUTE, checks });
    expect([second.version, next.version, next.pending.slice(0, 2)]).toEqual([1, 2, ' 2']);
  });

  it('of a version that is not known is begun anew, and nothing is appended to it', () => {
    const head = { ...NO_LOG, version: 3, span, offset: 99, lastWidth: 1, pending: '??' };
    const row = writeRow(head, span, { at: BASE, checks });
    expect([row.version, row.offset]).toEqual([2, row.pending.length]);
    expect(readLog(row.pending)).toHaveLength(1);
  });
});

describe('a check code', () => {
  it('that is not used yet is no other outcome', () => {
    for (const unused of [7_805, 8_000, 8_207]) expect(() => readCheckCode(unused)).toThrow(NewerTextError);
  });

  it('of a wake between two runs says how long it took at least, and never more', () => {
    fc.assert(
      fc.property(fc.nat(3_600_000), (wakeMsAtLeast) => {
        const check = goodCheck(0, { coldStart: true, wakeMs: wakeMsAtLeast + 60_000, wakeMsAtLeast });
        const read = readCheckCode(writeCheckCode(check));
        expect(read).toMatchObject({ outcome: 'good', coldStart: true, latency: null });
        expect(read.wakeMsAtLeast).toBeLessThanOrEqual(wakeMsAtLeast);
        expect(read.wakeMsAtLeast).toBeGreaterThanOrEqual(Math.min(240_000, 0.95 * wakeMsAtLeast - 1));
      }),
    );
  });

  it('is not made for a reason that has none', () => {
    const check = failedCheck(0, { reason: 'gone' as never });
    expect(() => writeCheckCode(check)).toThrow(RangeError);
  });
});
