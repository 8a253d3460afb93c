import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCheckCode, writeCheckCode } from '../../lib/record/check-code.js';
import type { LogRow } from '../../lib/record/log.js';
import { logName, NO_LOG, readChecks, recentLogs, spanAt, writeRow } from '../../lib/record/log.js';
import { PAIR } from '../../lib/record/codec/varint.js';
import { failedCheck, goodCheck } from '../support/targets.js';

const MINUTE = 60_000;
const START = Date.UTC(2026, 0, 1, 12);

/** The logs after these rows, each written by a run of its own. */
function written(rows: readonly LogRow[]): Map<string, string> {
  const logs = new Map<string, string>();
  let head = NO_LOG;
  for (const row of rows) {
    const { pending, ...rest } = writeRow(head, spanAt(head, row.at), row);
    const name = logName(rest.span);
    logs.set(name, (logs.get(name) ?? '').slice(0, rest.offset - pending.length) + pending);
    head = { ...rest, pending: '' };
  }
  return logs;
}

const read = (logs: Map<string, string>, slot: number, now: number) =>
  readChecks(
    recentLogs(now).map((name) => logs.get(name) ?? null),
    slot,
    now,
  );

describe('a check code', () => {
  it('keeps latencies below 200 ms exactly, and others within half a percent', () => {
    for (let latency = 0; latency <= 180_000; latency += latency < 300 ? 1 : 97) {
      const kept = readCheckCode(writeCheckCode(goodCheck(0, { latency }))).latency ?? Number.NaN;
      expect(Math.abs(kept - latency)).toBeLessThanOrEqual(latency < 200 ? 0 : latency * 0.005);
    }
  });

  it('keeps every reason, and the code of an unexpected status', () => {
    for (const reason of ['dns', 'timeout', 'json', 'too_large', 'blocked'] as const) {
      expect(readCheckCode(writeCheckCode(failedCheck(0, { reason, statusCode: 200 })))).toMatchObject({
        outcome: 'failed',
        reason,
        statusCode: null,
      });
    }
    expect(readCheckCode(writeCheckCode(failedCheck(0, { statusCode: 418 })))).toMatchObject({
      reason: 'status',
      statusCode: 418,
    });
  });

  it('keeps that a check failed here alone, which is no failure', () => {
    const check = failedCheck(0, { outcome: 'degraded', reason: 'local', statusCode: 503 });
    expect(writeCheckCode(check)).toBe(7_804);
    expect(readCheckCode(7_804)).toEqual({
      ...{ outcome: 'degraded', reason: 'local', statusCode: null, latency: null, coldStart: false },
    });
  });

  it('tells degraded checks and cold starts from good ones', () => {
    expect(readCheckCode(writeCheckCode(goodCheck(0, { outcome: 'degraded' })))).toMatchObject({
      outcome: 'degraded',
    });
    const cold = readCheckCode(writeCheckCode(goodCheck(0, { coldStart: true, wakeMs: 40_000 })));
    expect(cold).toMatchObject({ outcome: 'good', coldStart: true });
    expect(cold.latency).toBeGreaterThan(39_900);
  });

  it('fits in a pair of characters', () => {
    for (const check of [
      goodCheck(0, { latency: 1e9 }),
      goodCheck(0, { coldStart: true, wakeMs: 1e9 }),
      failedCheck(0, { statusCode: 599 }),
      failedCheck(0, { statusCode: 999 }),
    ]) {
      expect(writeCheckCode(check)).toBeLessThan(PAIR);
    }
  });
});

describe('the log of recent checks', () => {
  it('gives each slot its checks of 24 hours in order, whatever the rows look like', () => {
    const rowsOf = fc.array(
      fc.record({
        wait: fc.integer({ min: 250, max: 3 * 3_600_000 }),
        slots: fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 12 }),
      }),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(rowsOf, (steps) => {
        let at = START;
        const rows = steps.map(({ wait, slots }) => {
          at += Math.round(wait / 250) * 250;
          const checks = [...slots]
            .sort((a, b) => a - b)
            .map((slot) => ({ slot, check: goodCheck(at, { latency: slot }) }));
          return { at, checks };
        });
        const logs = written(rows);
        for (const slot of [0, 1, 40]) {
          const expected = rows
            .filter((row) => row.at > at - 86_400_000 && row.checks.some((check) => check.slot === slot))
            .map((row) => row.at);
          expect(read(logs, slot, at).map((check) => check.at)).toEqual(expected);
        }
      }),
    );
  });

  it('takes three characters for a target alone, two among many, where the trigger is punctual', () => {
    const day = (width: number) =>
      Array.from({ length: 1440 }, (_, i) => ({
        at: START + i * MINUTE,
        checks: Array.from({ length: width }, (__, slot) => ({ slot, check: goodCheck(0) })),
      }));
    const size = (width: number) =>
      [...written(day(width)).values()].reduce((sum, log) => sum + log.length, 0) / 1440 / width;
    expect(size(1)).toBeLessThan(3.1);
    expect(size(100)).toBeLessThan(2.02);
  });

  it('never holds more than 26 hours', () => {
    const rows = Array.from({ length: 4 * 1440 }, (_, i) => ({
      at: START + i * MINUTE,
      checks: [{ slot: 0, check: goodCheck(0) }],
    }));
    const logs = written(rows);
    expect(logs.size).toBe(13);
    expect([...logs.values()].join('').length).toBeLessThanOrEqual(26 * 60 * 3 + 13 * 10);
  });

  it('goes on in the log at hand when the clock steps back over its beginning', () => {
    const rows = [0, MINUTE, -30_000, 2 * MINUTE].map((offset) => ({
      at: START + offset,
      checks: [{ slot: 0, check: goodCheck(0) }],
    }));
    expect(read(written(rows), 0, START + 5 * MINUTE)).toHaveLength(4);
  });

  it('leaves out what an earlier turn of the ring left behind', () => {
    const rows = [START, START + 30 * 3_600_000].map((at) => ({
      at,
      checks: [{ slot: 0, check: goodCheck(0) }],
    }));
    expect(read(written(rows), 0, START + 30 * 3_600_000)).toHaveLength(1);
  });
});
