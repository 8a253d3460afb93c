import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StatusState } from '../../lib/rules/status.js';
import { isSettling, judge, newcomer } from '../../lib/rules/status.js';
import type { Outcome } from '../../lib/types.js';

const OUTCOMES: Record<string, Outcome> = { g: 'good', d: 'degraded', f: 'failed' };
const outcomeOf = (letter: string): Outcome => OUTCOMES[letter] ?? 'good';
const thresholds = { failureThreshold: 3, successThreshold: 2 };

/** One check a second. */
function after(letters: string, limits = thresholds): StatusState {
  return Array.from(letters).reduce(
    (standing, letter, i) => judge(standing, { at: (i + 1) * 1000, outcome: outcomeOf(letter) }, limits),
    newcomer(0),
  );
}

describe('status after a row of checks (good, degraded, failed), thresholds 3 and 2', () => {
  it.each([
    ['', 'pending'],
    ['g', 'up'],
    ['d', 'degraded'],
    ['f', 'pending'],
    ['ff', 'pending'],
    ['fff', 'down'],
    ['ffg', 'up'],
    ['gff', 'up'],
    ['gfff', 'down'],
    ['gffgff', 'up'],
    ['gd', 'up'],
    ['gdd', 'up'],
    ['gddd', 'degraded'],
    ['gdfd', 'degraded'],
    ['gdff', 'degraded'],
    ['gdgdgd', 'up'],
    ['gdddg', 'degraded'],
    ['gdddgg', 'up'],
    ['gdddfff', 'down'],
    ['gfffg', 'down'],
    ['gfffgf', 'down'],
    ['gfffgg', 'up'],
    ['gfffdd', 'degraded'],
    ['gfffgd', 'degraded'],
    ['gfffdg', 'degraded'],
    ['gfffdgg', 'up'],
  ])('%s → %s', (letters, status) => {
    expect(after(letters).status).toBe(status);
  });

  it('is decided by one check where both thresholds are 1', () => {
    const one = { failureThreshold: 1, successThreshold: 1 };
    expect(after('gf', one).status).toBe('down');
    expect(after('gd', one).status).toBe('degraded');
    expect(after('gfg', one).status).toBe('up');
    expect(after('f', one).status).toBe('down');
  });

  it('counts rows, and knows where the row began', () => {
    expect(after('gfff')).toMatchObject({
      consecutiveFailures: 3,
      consecutiveSuccesses: 0,
      seriesAt: 2000,
      since: 4000,
    });
    expect(after('gfffdg')).toMatchObject({
      consecutiveFailures: 0,
      consecutiveSuccesses: 2,
      streak: 1,
      seriesAt: 5000,
      since: 6000,
    });
  });
});

describe('laws of the status', () => {
  const letters = fc.array(fc.constantFrom('g', 'd', 'f'), { maxLength: 40 }).map((all) => all.join(''));
  const limits = fc.record({
    failureThreshold: fc.integer({ min: 1, max: 5 }),
    successThreshold: fc.integer({ min: 1, max: 5 }),
  });

  it('is down only after as many failures in a row as the threshold, and leaves it only after as many successes', () => {
    fc.assert(
      fc.property(letters, limits, (row, limit) => {
        for (let i = 1; i <= row.length; i += 1) {
          const [before, now] = [after(row.slice(0, i - 1), limit), after(row.slice(0, i), limit)];
          const failing = row.slice(0, i).match(/f*$/)?.[0].length ?? 0;
          const succeeding = row.slice(0, i).match(/[gd]*$/)?.[0].length ?? 0;
          if (before.status !== 'down') {
            expect(now.status === 'down').toBe(failing >= limit.failureThreshold);
          } else {
            expect(now.status !== 'down').toBe(succeeding >= limit.successThreshold);
          }
        }
      }),
    );
  });

  it('settles: enough equal checks lead to their status, and no count is under way then', () => {
    fc.assert(
      fc.property(letters, limits, fc.constantFrom('g', 'd', 'f'), (row, limit, last) => {
        const standing = after(row + last.repeat(5), limit);
        expect(standing.status).toBe({ good: 'up', degraded: 'degraded', failed: 'down' }[outcomeOf(last)]);
        expect(isSettling(standing)).toBe(false);
      }),
    );
  });
});
