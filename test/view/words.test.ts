import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Awake } from '../../lib/read/views.js';
import type { Status } from '../../lib/types.js';
import { awakeInWords } from '../../lib/view/components.js';
import { fewSamples, overallStatus } from '../../lib/view/words.js';
import { latencyInWords } from '../../lib/rules/durations.js';
import { ENGLISH } from '../support/views.js';

const percent = (ratio: number | null) => ENGLISH.percent(ratio);

const FRESH = {
  updatedAt: '2026-05-20T12:00:00.000Z',
  enabled: true,
  lastRunAt: '2026-05-20T11:59:30.000Z',
  isStale: false,
  recordedSince: '2026-05-01T00:00:00.000Z',
  lost: null,
};
const some = (...statuses: readonly (Status | 'maintenance')[]) =>
  statuses.map((status, i) => ({
    name: `s${i}`,
    status: status === 'maintenance' ? ('down' as const) : status,
    lastKnownStatus: null,
    maintenance: status === 'maintenance' ? { until: FRESH.updatedAt, reason: null } : null,
  }));

describe('the sentence about everything', () => {
  it.each([
    [['up'], 'up', 'All systems operational', null],
    [['up', 'up'], 'up', 'All systems operational', null],
    [['up', 'paused'], 'up', 'All active systems operational', '1 paused'],
    [['up', 'down'], 'down', 's1 is down', null],
    [['down'], 'down', 's0 is down', null],
    [['down', 'down', 'down'], 'down', 'All 3 services are down', null],
    [['down', 'degraded', 'down', 'up'], 'down', '2 of 4 services are down', '1 degraded'],
    [['degraded', 'up', 'sleeping'], 'degraded', 's0 is degraded', '1 off hours'],
    [['degraded', 'up', 'degraded'], 'degraded', 'Some systems are degraded', null],
    [['up', 'maintenance'], 'up', 'All active systems operational', '1 in maintenance'],
    [['maintenance'], 'maintenance', 'Maintenance is under way', null],
    [['pending', 'paused'], 'pending', 'Waiting for the first checks', '1 paused'],
    [['sleeping'], 'sleeping', 'Outside active hours', null],
    [['paused', 'paused'], 'paused', 'Everything is paused', null],
  ] as const)('of %j: %s, %s', (statuses, mood, sentence, remark) => {
    expect(overallStatus(FRESH, some(...statuses), ENGLISH)).toEqual({ mood, sentence, remark });
  });

  it('is about nothing that is out of date', () => {
    const stale = { ...FRESH, isStale: true, lastRunAt: '2026-05-20T10:40:00.000Z' };
    expect(overallStatus(stale, some('up', 'down'), ENGLISH)).toEqual({
      mood: 'unknown',
      sentence: 'Nothing has been checked for 1 h 20 m',
      remark: null,
    });
  });
});

describe('a share in percent', () => {
  it.each([
    [null, '–'],
    [1, '100%'],
    [0.999999, '99.99%'],
    [0.9998, '99.98%'],
    [0.5, '50%'],
    [0.29, '29%'],
    [0, '0%'],
  ])('%s is %s', (ratio, text) => {
    expect(percent(ratio)).toBe(text);
  });

  it('is 100% of nothing less than all', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999_999 }), (millionths) => {
        expect(percent(millionths / 1e6)).not.toBe('100%');
        expect(Number.parseFloat(percent(millionths / 1e6))).toBeLessThanOrEqual(millionths / 1e4 + 1e-9);
      }),
    );
  });
});

it.each([
  ['p50', 0, null],
  ['p50', 1, 'of 1 check'],
  ['p50', 9, 'of 9 checks'],
  ['p50', 10, null],
  ['p95', 19, 'of 19 checks'],
  ['p95', 20, null],
  ['p99', 99, 'of 99 checks'],
  ['p99', 100, null],
] as const)('the %s of %i checks says that it rests on little: %s', (name, samples, text) => {
  expect(fewSamples(name, samples, ENGLISH)).toBe(text);
});

describe('whether it was kept awake', () => {
  const awake = { sleepsAfter: 900_000, longestGap: 300_000, coldStarts: 0, proof: 'container' } as const;
  it.each<[string | null, Partial<Awake>]>([
    [null, { sleepsAfter: null, keptAwake: null }],
    ['Kept awake', { keptAwake: true }],
    // A wake that was no broken promise: the first ping, or one after a night off.
    ['Kept awake', { keptAwake: true, coldStarts: 1 }],
    ['Slept: 1 cold start', { keptAwake: false, coldStarts: 1 }],
    ['Slept: 2 cold starts', { keptAwake: false, coldStarts: 2, proof: 'edge' }],
    ['Must have slept', { keptAwake: false, longestGap: 1_000_000 }],
    ['Awake: not known yet', { keptAwake: null, longestGap: null, proof: null }],
    ['Not running, says its host', { keptAwake: null, longestGap: null, proof: 'host' }],
    ['Not running, says its host', { keptAwake: false, coldStarts: 1, proof: 'host' }],
    ['Awake: not known yet', { keptAwake: null }],
    ['Awake: not known, pings were missed', { keptAwake: null, longestGap: 1_000_000 }],
    ['Slept: pings were missed', { keptAwake: null, longestGap: 1_000_000, coldStarts: 1 }],
    ['Awake: not proven by its answers', { keptAwake: null, proof: 'edge' }],
  ])('%s', (text, changes) => {
    const shown = { host: 'render', awake: { ...awake, keptAwake: null, ...changes } } as const;
    expect(awakeInWords({ ...shown, waking: null }, ENGLISH)).toBe(text);
    const waking = { since: '2026-01-05T12:00:00.000Z', attempts: 9 };
    expect(awakeInWords({ ...shown, waking }, ENGLISH)).toBe('Waking');
  });
});

it.each([
  [null, '–'],
  [0.44, '0.4 ms'],
  [45.4, '45 ms'],
  [999, '999 ms'],
  [1240, '1.24 s'],
  [32_000, '32 s'],
])('a latency of %s is %s', (ms, text) => {
  expect(latencyInWords(ms)).toBe(text);
  expect(ENGLISH.latency(ms)).toBe(text);
});
