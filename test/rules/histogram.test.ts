import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add, EMPTY, observe, percentiles, subtract } from '../../lib/rules/histogram.js';

const latencies = fc.array(fc.integer({ min: 1, max: 120_000 }), { minLength: 1, maxLength: 300 });
const counted = (values: readonly number[]) => values.reduce((sum, value) => observe(sum, value), EMPTY);

describe('latency histogram', () => {
  it('gives every percentile within 5 % of the nearest rank', () => {
    fc.assert(
      fc.property(latencies, (values) => {
        const sorted = [...values].sort((a, b) => a - b);
        const found = percentiles(counted(values));
        for (const [quantile, value] of [
          [0.5, found.p50],
          [0.95, found.p95],
          [0.99, found.p99],
        ] as const) {
          const exact = sorted[Math.ceil(quantile * sorted.length) - 1] ?? 0;
          expect(Math.abs((value ?? Number.NaN) - exact)).toBeLessThanOrEqual(exact * 0.05);
        }
      }),
    );
  });

  it('subtracts what it added', () => {
    fc.assert(
      fc.property(latencies, latencies, (a, b) => {
        expect(subtract(add(counted(a), counted(b)), counted(a))).toEqual(counted(b));
      }),
    );
  });

  it('knows nothing without observations', () => {
    expect(percentiles(EMPTY)).toEqual({ samples: 0, p50: null, p95: null, p99: null });
  });
});
