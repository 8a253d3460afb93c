import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { historyPage } from '../../lib/view/history-page.js';
import { readFilter } from '../../lib/view/filter.js';
import { statusPage } from '../../lib/view/status-page.js';
import { PUBLIC_SITE as PUBLIC } from '../support/views.js';
import { madeUpSummary } from '../support/summaries.js';

const NOW = Date.UTC(2026, 10, 20, 12, 30);
const query = (text: string) => readFilter(new URLSearchParams(text));
const count = (html: string, part: RegExp) => html.match(new RegExp(part, 'g'))?.length ?? 0;

describe('pages of many services', () => {
  const thousand = madeUpSummary(1_000, NOW);

  it.each([
    [30, 20],
    [200, 40],
    [1_000, 100],
  ])('of %i have at most %i KB compressed', (services, limit) => {
    const found = services === 1_000 ? thousand : madeUpSummary(services, NOW);
    const status = statusPage(found, PUBLIC);
    const history = historyPage(found, PUBLIC);
    expect(count(status, /class="target"/)).toBe(services);
    expect(gzipSync(status).length / 1024).toBeLessThan(limit);
    expect(gzipSync(history).length / 1024).toBeLessThan(limit);
  });

  it('fold the groups in which nothing is wrong', () => {
    const found = madeUpSummary(200, NOW);
    const fine = found.targets.map((target) =>
      target.group === 'Web' ? { ...target, status: 'up' as const } : target,
    );
    const html = statusPage({ ...found, targets: fine }, PUBLIC);
    const groups = [...html.matchAll(/<details class="group" id="group-([^"]*)"( open)?/g)];
    expect(groups).toHaveLength(10);
    expect(groups.find(([, name]) => name === 'Web')?.[2]).toBeUndefined();
    expect(groups[0]?.[2]).toBe(' open');
    expect(html).toMatch(/All up/);
  });

  it('fold open incidents of one cause and time, and name a few of their services', () => {
    const html = statusPage(thousand, PUBLIC);
    expect(count(html, /<article class="incident open/)).toBeLessThanOrEqual(6);
    expect(html).toContain('28 of 1,000 services are down');
    expect(html).toMatch(/and \d+ more services/);
  });

  it.each([
    ['status=down', 28],
    ['q=queue+9', 76],
    ['q=QUEUE+9&status=degraded', 3],
    ['status=nonsense', 1_000],
    [`q=${'x'.repeat(5_000)}`, 0],
  ])('of a query ?%s', (text, expected) => {
    const html = statusPage(thousand, PUBLIC, query(text));
    expect(count(html, /class="target"/)).toBe(expected);
    expect(html).not.toContain('x'.repeat(101));
  });
});

it('a day on which an incident began that is still open is not said to have none', () => {
  const found = madeUpSummary(5, NOW);
  const open = found.past.incidents.filter(({ incident }) => incident.endedAt === null);
  const html = statusPage({ ...found, past: { ...found.past, incidents: open } }, PUBLIC);
  expect(html).toContain('No incidents but those above');
  expect(historyPage(found, PUBLIC)).not.toContain('but those above');
});

it('the day of two moments is named once, in the viewer’s zone too', () => {
  const html = historyPage(madeUpSummary(5, NOW), PUBLIC);
  const spans = [
    ...html.matchAll(
      /<time datetime="([^"]*)"[^>]*>[^<]*<\/time> to <time datetime="[^"]*"([^>]*)>([^<]*)</g,
    ),
  ];
  expect(spans.length).toBeGreaterThan(3);
  for (const [, from, attributes] of spans) expect(attributes).toContain(`data-after="${from}"`);
  expect(spans.some(([, , , to]) => /^\d\d:\d\d UTC$/.test(to ?? ''))).toBe(true);
});

describe('the history', () => {
  const found = madeUpSummary(5, NOW);

  it('lists the incidents of 90 days by day, and the quiet days between them together', () => {
    const html = historyPage(found, PUBLIC);
    const shown = count(html, /<article class="incident line(?: open down)?"/);
    // The two open ones began together for one cause.
    expect(shown).toBe(found.past.incidents.length - 1);
    expect(html).toContain('No incidents');
    expect(html).toContain('Database upgrade');
    expect(html).toContain('Restarted once.');
    expect(html).toMatch(/Did not answer in time/);
  });

  it('ends where recording began, and says so', () => {
    const recordedSince = new Date(NOW - 20 * 86_400_000).toISOString();
    const html = historyPage({ ...found, freshness: { ...found.freshness, recordedSince } }, PUBLIC);
    expect(html).toContain('31 Oct');
    expect(html).not.toContain('29 Oct');
    expect(html).toContain('recording began');
  });

  it('says of days that nobody watched that nothing was recorded', () => {
    const targets = found.targets.map((target) => ({
      ...target,
      days: target.days.map((day, i) => (i < 60 ? { ...day, uptimeRatio: null, coverage: 0 } : day)),
    }));
    const past = { ...found.past, incidents: [] };
    const html = historyPage({ ...found, targets, past }, PUBLIC);
    expect(html).toMatch(/Nothing was recorded/);
    expect(count(html, /No incidents/)).toBeLessThanOrEqual(3);
  });

  it('denies no incident of a service that cannot be read now', () => {
    const html = historyPage({ ...found, freshness: { ...found.freshness, unread: 1 } }, PUBLIC);
    expect(html).toContain('No known incidents');
    expect(html).not.toContain('>No incidents<');
  });

  it('says where it does not list all', () => {
    const html = historyPage({ ...found, past: { ...found.past, cutOff: ['a', 'b'] } }, PUBLIC);
    expect(html).toContain('2 services had more incidents than are listed here.');
  });
});

it('a page that anybody may read says nothing that is for its operator', () => {
  const found = madeUpSummary(5, NOW);
  const stale = { ...found.freshness, isStale: true };
  const empty = { ...found.freshness, lastRunAt: null };
  for (const freshness of [found.freshness, stale, empty]) {
    for (const page of [statusPage, historyPage]) {
      expect(page({ ...found, freshness }, PUBLIC)).not.toMatch(/api\/cron|Bearer|STATS_TOKEN|CRON_SECRET/);
    }
  }
});
