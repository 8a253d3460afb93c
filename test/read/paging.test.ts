import { expect, it } from 'vitest';
import { PAGE_SIZE, pageOf } from '../../lib/read/paging.js';
import type { Stats, TargetStats } from '../../lib/read/views.js';
import type { Status } from '../../lib/types.js';

const ALL = { status: null, group: null, after: null };
const STATUSES: readonly Status[] = ['up', 'down', 'degraded'];

/** Only what paging looks at. */
const statsOf = (count: number) =>
  ({
    pingCount: 7,
    targets: Array.from({ length: count }, (_, i) => ({
      id: `t${String(i).padStart(5, '0')}`,
      status: STATUSES[i % 3],
      group: i % 4 === 0 ? null : `g${i % 4}`,
    })) as TargetStats[],
  }) as unknown as Stats;

function pages(stats: Stats, query: string): string[] {
  const found: string[] = [];
  for (let next: string | undefined = query; next !== undefined;) {
    const { searchParams } = new URL(next, 'http://x');
    const page = pageOf(stats, {
      status: (searchParams.get('status') as Status | null) ?? null,
      group: searchParams.get('group'),
      after: searchParams.get('after'),
    });
    expect(page.targets.length).toBeLessThanOrEqual(PAGE_SIZE);
    expect(page.pingCount).toBe(7);
    found.push(...page.targets.map(({ id }) => id));
    ({ next } = page);
  }
  return found;
}

it.each([0, 1, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 3 * PAGE_SIZE])(
  'all of %i targets are on the pages, each once',
  (count) => {
    const stats = statsOf(count);
    expect(pages(stats, '/api/keepalive')).toEqual(stats.targets.map(({ id }) => id));
    expect(pageOf(stats, ALL).next === undefined).toBe(count <= PAGE_SIZE);
  },
);

it.each([
  ['status=down', ({ status }: TargetStats) => status === 'down'],
  ['group=g1', ({ group }: TargetStats) => group === 'g1'],
  ['group=', ({ group }: TargetStats) => group === null],
  ['status=up&group=g2', ({ status, group }: TargetStats) => status === 'up' && group === 'g2'],
  ['group=none', () => false],
])('%s goes on from page to page', (query, isAsked) => {
  const stats = statsOf(5_000);
  expect(pages(stats, `/api/keepalive?${query}`)).toEqual(stats.targets.filter(isAsked).map(({ id }) => id));
});
