import { describe, expect, it } from 'vitest';
import { freshness, targetHistory } from '../../lib/read/stats.js';
import { targetPage } from '../../lib/view/target-page.js';
import type { Check, HostName } from '../../lib/types.js';
import { Books } from '../support/books.js';
import { PUBLIC_SITE } from '../support/views.js';
import { aTarget, failedCheck, goodCheck } from '../support/targets.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 0, 5, 8);

/** The history and the page of a target that is pinged every five minutes for six hours. */
async function seen(host: HostName, check: (at: number) => Check) {
  const interval = 5 * MINUTE;
  const target = aTarget('app', { info: { host, sleepsAfter: 15 * MINUTE, interval } });
  const watch = { enabled: true, tick: interval, targets: [target] };
  const books = new Books(interval, [target]);
  const now = START + 6 * HOUR;
  for (let at = START; at <= now; at += interval) books.run(at, [['app', check(at)]]);
  const found = await books.history('app', now);
  const history = targetHistory(watch, target, found, now);
  const text = targetPage(history, freshness(watch, found, now), PUBLIC_SITE).replace(/<[^>]+>/g, ' ');
  return { history, text: text.replace(/\s+/g, ' ') };
}

const minutes = (hours: readonly { awakeMs: number; sleptMs: number }[]) =>
  hours.map(({ awakeMs, sleptMs }) => [Math.round(awakeMs / MINUTE), Math.round(sleptMs / MINUTE)]);

describe('the last seven days of a host that sleeps', () => {
  it('are awake as far as its own answers prove it', async () => {
    const { history, text } = await seen('render', (at) => goodCheck(at));
    // What lies before the end of an hour is counted with the ping after it.
    expect(minutes(history.hours)).toEqual([[55, 0], ...Array.from({ length: 5 }, () => [60, 0])]);
    expect(text).toContain('Kept awake');
    expect(text).toContain('Rests on answers that only the app itself can send');
    expect(text).toMatch(/Last 7 days: awake 5 h 5\d m, slept 0 s, not known \d/);
  });

  it('slept where it had to be woken, and say how long that took', async () => {
    const { history, text } = await seen('render', (at) =>
      goodCheck(
        at,
        at === START + 2 * HOUR + 30 * MINUTE ? { coldStart: true, wakeMs: 40_000, latency: 40 } : {},
      ),
    );
    expect(minutes(history.hours)[2]).toEqual([54, 5]);
    expect(text).toContain('Slept: 1 cold start');
    expect(text).toMatch(/Cold starts 1 · 10:30 UTC \(woke in 40 s\)/);
  });

  it('slept as long as the host said so', async () => {
    const { history, text } = await seen('render', (at) =>
      at > START + 3 * HOUR ? failedCheck(at, { origin: 'unwakeable', reason: 'host' }) : goodCheck(at),
    );
    expect(minutes(history.hours).slice(4)).toEqual([
      [0, 60],
      [0, 60],
    ]);
    expect(text).toContain('Rests on what its host says: that it is not running');
  });

  it('are not known where its answers prove nothing', async () => {
    const { history, text } = await seen('heroku', (at) => goodCheck(at, { origin: 'unknown' }));
    expect(minutes(history.hours)).toEqual(Array.from({ length: 6 }, () => [0, 0]));
    expect(text).toContain('Awake: not proven by its answers');
    expect(text).toContain('not known 6 h');
  });

  it('are not known where nobody knows whether its answers keep it awake', async () => {
    const { text } = await seen('streamlit', (at) => goodCheck(at));
    expect(text).toContain('Awake at its last answer');
    expect(text).toContain('nobody knows whether they keep it awake');
  });
});
