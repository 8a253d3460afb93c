import { expect, it } from 'vitest';
import { loadSummary } from '../../lib/read/load.js';
import { summary } from '../../lib/read/stats.js';
import type { ReadRequest } from '../../lib/store/store.js';
import { lived } from '../support/lives.js';
import { configOf } from '../support/runs.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 20, 12, 30);

const config = configOf({
  TARGET_A_URL: 'https://a.example.com',
  TARGET_B_URL: 'https://b.example.com',
  TARGET_B_MAINTENANCE: '2026-11-18T02:00Z/2h; Sun 02:00-03:00 UTC',
});
const outages = [40, 20, 3].map((days) => ({ ago: days * DAY, length: 8 * HOUR }));
const books = lived(config, [{ latency: 40, outages }, { latency: 20 }], NOW, { lately: HOUR });

it('the incidents and the maintenance of 90 days are read with two commands, and then with one', async () => {
  const requests: ReadRequest[] = [];
  const store = {
    read: (request: ReadRequest) => {
      requests.push(request);
      return books.store.read(request);
    },
  };
  const first = summary(config, await loadSummary(store, NOW), NOW);
  expect(requests).toHaveLength(2);
  expect(
    first.past.incidents.map(({ target, incident }) => [target.id, incident.startedAt.slice(0, 10)]),
  ).toEqual([
    ['a', '2026-11-17'],
    ['a', '2026-10-31'],
    ['a', '2026-10-11'],
  ]);
  expect(first.past.cutOff).toEqual([]);
  expect(first.past.maintenance).toEqual([
    {
      from: '2026-11-18T02:00:00.000Z',
      to: '2026-11-18T04:00:00.000Z',
      reason: null,
      targets: [{ id: 'b', name: 'b' }],
    },
  ]);
  expect(summary(config, await loadSummary(store, NOW), NOW)).toEqual(first);
  expect(requests).toHaveLength(3);
});

it('an incident of more than 90 days ago is not told', async () => {
  const later = summary(
    config,
    await loadSummary({ read: (request) => books.store.read(request) }, NOW + 68 * DAY),
    NOW + 68 * DAY,
  );
  expect(later.past.incidents.map(({ incident }) => incident.startedAt.slice(0, 10))).toEqual([
    '2026-11-17',
    '2026-10-31',
  ]);
});
