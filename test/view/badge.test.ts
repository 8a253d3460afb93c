import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Window } from '../../lib/read/load.js';
import type { TargetStats } from '../../lib/read/views.js';
import type { Status } from '../../lib/types.js';
import type { Metric } from '../../lib/view/badge-image.js';
import { badgeOf, errorBadge, renderShields, renderSvg } from '../../lib/view/badge-image.js';
import { HOSTILE, NOW, someTargetStats, unseenTargetStats } from '../support/views.js';
import { elementsOf } from '../support/xml.js';

const DAY = 86_400_000;

const badge = (
  target: TargetStats,
  metric: Metric = 'status',
  {
    window = '30d',
    latency = null,
    label = null,
  }: Partial<{
    window: Window;
    latency: number | null;
    label: string | null;
  }> = {},
) => badgeOf({ target, metric, window, latency, now: NOW, label });

const uptime = (ratio: number | null) =>
  badge(someTargetStats({ uptimeRatio: { '24h': 1, '7d': 1, '30d': ratio, '90d': 1 } }), 'uptime');
const latency = (ms: number | null) => badge(someTargetStats(), 'latency', { latency: ms });

it('says that nothing is known where no run came for three ticks', () => {
  const target = someTargetStats({ status: 'pending', lastKnownStatus: 'up' });
  const of = (metric: Metric) => {
    const { message, color } = badgeOf({ target, metric, window: '30d', latency: 20, now: NOW, label: null });
    return [message, color];
  };
  expect(of('status')).toEqual(['unknown', 'lightgrey']);
  expect(of('uptime')).toEqual(['100% (stale)', 'lightgrey']);
  expect(of('latency')).toEqual(['20 ms (stale)', 'lightgrey']);
});

describe('the status badge', () => {
  it.each<[Status, string]>([
    ['up', 'brightgreen'],
    ['degraded', 'yellow'],
    ['down', 'red'],
    ['pending', 'lightgrey'],
    ['paused', 'lightgrey'],
    ['sleeping', 'blue'],
  ])('says %s in %s', (status, color) => {
    expect(badge(someTargetStats({ status }))).toEqual({
      label: 'api',
      message: status,
      color,
      isError: false,
    });
  });

  it('says no data before the first check', () => {
    expect(badge(unseenTargetStats())).toMatchObject({ message: 'no data', color: 'lightgrey' });
  });

  it.each<[string, Status, number, string]>([
    ['a day and the interval ago', 'up', DAY + 60_000, 'up'],
    ['longer ago', 'up', DAY + 60_001, 'no data'],
    ['longer ago, when it was down', 'down', DAY + 60_001, 'no data'],
    ['long ago, and it is paused', 'paused', 90 * DAY, 'paused'],
    ['long ago, and it may sleep', 'sleeping', 3 * DAY, 'sleeping'],
  ])('of a target that was checked %s', (_, status, age, message) => {
    const lastCheckAt = new Date(NOW - age).toISOString();
    expect(badge(someTargetStats({ status, lastCheckAt })).message).toBe(message);
  });
});

describe('the uptime badge', () => {
  it.each<[number | null, string, string]>([
    [null, 'no data', 'lightgrey'],
    [1, '100%', 'brightgreen'],
    [0.9999999, '99.99%', 'brightgreen'],
    [0.999999, '99.99%', 'brightgreen'],
    [0.99999, '99.99%', 'brightgreen'],
    [0.99995, '99.99%', 'brightgreen'],
    [0.9999, '99.99%', 'brightgreen'],
    [0.999, '99.9%', 'brightgreen'],
    [0.998999, '99.89%', 'green'],
    [0.99, '99%', 'green'],
    [0.989999, '98.99%', 'yellow'],
    [0.97, '97%', 'yellow'],
    [0.969999, '96.99%', 'orange'],
    [0.9, '90%', 'orange'],
    [0.899999, '89.99%', 'red'],
    [0.5803, '58.03%', 'red'],
    [0.000001, '0%', 'red'],
    [0, '0%', 'red'],
  ])('of %d says %s in %s', (ratio, message, color) => {
    expect(uptime(ratio)).toMatchObject({ message, color });
  });

  it.each([
    [0.5, { message: '100%', color: 'brightgreen' }],
    [0.49999, { message: '100%, 49% observed', color: 'lightgrey' }],
    [0.001, { message: '100%, 0% observed', color: 'lightgrey' }],
  ])('has its coverage instead of a colour where less than half was observed: %s', (covered, expected) => {
    const coverage = { '24h': 1, '7d': 1, '30d': covered, '90d': 1 };
    expect(badge(someTargetStats({ coverage }), 'uptime')).toMatchObject(expected);
  });

  it('never says more than there was, and 100 only where nothing was missed', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (ratio) => {
        const said = Number.parseFloat(uptime(ratio).message);
        expect(said).toBeLessThanOrEqual(ratio * 100 + 1e-4);
        expect(said).toBeGreaterThan(ratio * 100 - 0.0101);
        expect(said === 100).toBe(ratio === 1);
      }),
    );
  });

  it('is that of its window, and says which', () => {
    const target = someTargetStats({ uptimeRatio: { '24h': null, '7d': 0.5, '30d': 0.6, '90d': 0.7 } });
    const windows = ['24h', '7d', '30d', '90d'] as const;
    expect(windows.map((window) => badge(target, 'uptime', { window }))).toMatchObject([
      { label: 'api uptime 24h', message: 'no data' },
      { label: 'api uptime 7d', message: '50%' },
      { label: 'api uptime 30d', message: '60%' },
      { label: 'api uptime 90d', message: '70%' },
    ]);
  });
});

describe('the latency badge', () => {
  it.each<[number | null, string, string]>([
    [null, 'no data', 'lightgrey'],
    [0, '0 ms', 'brightgreen'],
    [44.6, '45 ms', 'brightgreen'],
    [200, '200 ms', 'brightgreen'],
    [200.1, '200 ms', 'green'],
    [500, '500 ms', 'green'],
    [500.1, '500 ms', 'yellow'],
    [999.6, '1.0 s', 'yellow'],
    [1_000, '1.0 s', 'yellow'],
    [1_000.1, '1.0 s', 'orange'],
    [3_000, '3.0 s', 'orange'],
    [3_000.1, '3.0 s', 'red'],
    [120_000, '120.0 s', 'red'],
  ])('of %d ms says %s in %s', (ms, message, color) => {
    expect(latency(ms)).toMatchObject({ label: 'api latency 30d', message, color });
  });
});

describe('the label', () => {
  it.each([
    [null, 'api'],
    ['my service', 'my service'],
    ['', ''],
    [' two\nlines ', 'two lines'],
  ])('%j gives %j', (label, shown) => {
    expect(badge(someTargetStats(), 'status', { label }).label).toBe(shown);
  });

  it('is the id where nothing is left of the name', () => {
    expect(badge(someTargetStats({ name: '\u202e\u2066' })).label).toBe('api');
  });

  it('is cut where it is long, and keeps its metric', () => {
    const target = someTargetStats({ name: 'x'.repeat(200) });
    expect(badge(target, 'uptime').label).toBe(`${'x'.repeat(39)}… uptime 30d`);
    expect(badge(target, 'uptime', { label: '界'.repeat(200) }).label).toBe(`${'界'.repeat(59)}…`);
  });
});

/** What the library draws, and nothing that a name could add. */
const ELEMENTS = [
  'clipPath',
  'feGaussianBlur',
  'filter',
  'g',
  'linearGradient',
  'rect',
  'stop',
  'svg',
  'text',
  'title',
];

function expectInert(svg: string): void {
  const elements = elementsOf(svg);
  expect(elements.at(-1)).toMatchObject({ name: 'svg', attributes: { role: 'img' } });
  expect(Number(elements.at(-1)?.attributes.width)).toBeLessThan(1_500);
  for (const { name, attributes } of elements) {
    expect(ELEMENTS).toContain(name);
    expect(Object.keys(attributes).filter((each) => /^on|href/i.test(each))).toEqual([]);
  }
  expect(svg).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
}

describe('the SVG', () => {
  it.each(HOSTILE)('is inert and well-formed where the name and the label are %j', async (text) => {
    expectInert(await renderSvg(badge(someTargetStats({ name: text }))));
    expectInert(await renderSvg(badge(someTargetStats(), 'uptime', { label: text })));
    expectInert(await renderSvg(errorBadge('not found', text)));
  });

  it('is inert and well-formed whatever the name', async () => {
    const units = fc.string({ unit: 'binary', maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(units, async (name) => {
        expectInert(await renderSvg(badge(someTargetStats({ name }))));
      }),
      { numRuns: 200 },
    );
  });

  it('shows label and message, and is the same each time', async () => {
    const target = someTargetStats({ name: 'R&D <api>' });
    const svg = await renderSvg(badge(target));
    expect(elementsOf(svg).find(({ name }) => name === 'title')?.text).toBe('R&D <api>: up');
    expect(svg).toContain('#4b0');
    expect(await renderSvg(badge(target))).toBe(svg);
  });
});

describe("Shields' JSON", () => {
  it('has the fields of its endpoint badge', () => {
    expect(JSON.parse(renderShields(badge(someTargetStats())))).toEqual({
      schemaVersion: 1,
      label: 'api',
      message: 'up',
      color: 'brightgreen',
    });
  });

  it('says what is an error: not a target that is down', () => {
    expect(JSON.parse(renderShields(errorBadge('not found', null)))).toMatchObject({
      label: 'keepalive',
      message: 'not found',
      isError: true,
    });
    expect(renderShields(badge(someTargetStats({ status: 'down' })))).not.toContain('isError');
  });
});
