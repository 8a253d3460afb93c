import { expect, it } from 'vitest';
import { PAGE_SIZE, pageOf, STATUS_FILTERS, type Filterable } from '../../lib/read/paging.js';
import type { Status } from '../../lib/types.js';

const ALL = { status: null, group: null, after: null };
const STATUSES: readonly Status[] = ['up', 'down', 'degraded', 'pending'];

const targetsOf = (count: number) =>
  Array.from({ length: count }, (_, i) => ({
    id: `t${i}`,
    status: STATUSES[i % 4] ?? 'up',
    // What cannot be read looks as if it were pending.
    ...(i % 8 === 3 && { unread: true as const }),
    group: i % 3 === 0 ? null : `g${i % 3}`,
  }));

function pages(targets: readonly Filterable[], query: string): string[] {
  const found: string[] = [];
  for (let next: string | null = query; next !== null;) {
    const { searchParams }: URL = new URL(next, 'http://x');
    const page: ReturnType<typeof pageOf> = pageOf(targets, {
      status: STATUS_FILTERS.find((each) => each === searchParams.get('status')) ?? null,
      group: searchParams.get('group'),
      after: searchParams.get('after'),
    });
    expect(page.targets.length).toBeLessThanOrEqual(PAGE_SIZE);
    found.push(...page.targets.map(({ id }) => id));
    ({ next } = page);
  }
  return found;
}

it.each([0, 1, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 3 * PAGE_SIZE])(
  'all of %i targets are on the pages, each once',
  (count) => {
    const targets = targetsOf(count);
    expect(pages(targets, '/api/keepalive')).toEqual(targets.map(({ id }) => id));
    expect(pageOf(targets, ALL).next === null).toBe(count <= PAGE_SIZE);
  },
);

it.each([
  ['status=down', ({ status }: Filterable) => status === 'down'],
  ['status=pending', ({ status, unread }: Filterable) => status === 'pending' && unread !== true],
  ['status=unread', ({ unread }: Filterable) => unread === true],
  ['group=g1', ({ group }: Filterable) => group === 'g1'],
  ['group=', ({ group }: Filterable) => group === null],
  ['status=up&group=g2', ({ status, group }: Filterable) => status === 'up' && group === 'g2'],
  ['group=none', () => false],
])('%s goes on from page to page', (query, isAsked) => {
  const targets = targetsOf(5_000);
  expect(pages(targets, `/api/keepalive?${query}`)).toEqual(targets.filter(isAsked).map(({ id }) => id));
});

it('goes on behind a target that is gone meanwhile', () => {
  const targets = targetsOf(2 * PAGE_SIZE).filter(({ id }) => id !== 't99');
  expect(pages(targets, '/api/keepalive?after=t99')).toEqual(targets.slice(99).map(({ id }) => id));
});
