import { expect, it } from 'vitest';
import { ofHosts } from '../../lib/cli/target-findings.js';
import type { Freshness, TargetHistory } from '../../lib/read/views.js';
import { targetPage } from '../../lib/view/target-page.js';
import { someTarget } from '../support/targets.js';
import { someTargetStats } from '../support/views.js';

const AT = '2026-01-05T12:00:00.000Z';
const freshness: Freshness = {
  ...{ updatedAt: AT, enabled: true, lastRunAt: AT, isStale: false, recordedSince: AT, lost: null },
};
const history: TargetHistory = {
  ...someTargetStats({ host: 'neon', healthUrl: 'https://x.neon.tech/' }),
  ...{
    stale: false,
    recordedSince: AT,
    lost: null,
    phases: null,
    checks: [],
    hours: [],
    days: [],
    incidents: [],
  },
};

it('what to know of a host is on the page of a target, for the operator alone', () => {
  expect(targetPage(history, freshness, { isPrivate: true })).toContain('need not be kept awake');
  expect(targetPage(history, freshness, { isPrivate: false })).not.toContain('need not be kept awake');
  expect(targetPage({ ...history, status: 'paused' }, freshness, { isPrivate: true })).not.toContain(
    'need not be kept',
  );
});

it('the doctor says it with what to do', () => {
  const info = { id: 'data', host: 'neon', healthUrl: 'https://x.neon.tech/' } as const;
  const [finding, ...more] = ofHosts([someTarget('https://x.neon.tech/', { info })]);
  expect(more).toEqual([]);
  expect(finding).toMatchObject({ level: 'warning', area: 'hosts' });
  expect(JSON.stringify(finding)).toMatch(/data: Neon need not .*Ping it seldom/);
});
