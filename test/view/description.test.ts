import { expect, it } from 'vitest';
import type { Freshness, TargetHistory } from '../../lib/read/views.js';
import { targetPage } from '../../lib/view/target-page.js';
import { PUBLIC_SITE, someTargetStats } from '../support/views.js';

const AT = '2026-01-05T12:00:00.000Z';
const freshness: Freshness = {
  ...{ updatedAt: AT, enabled: true, lastRunAt: AT, isStale: false, recordedSince: AT, lost: null },
};
const history: TargetHistory = {
  ...someTargetStats(),
  ...{ stale: false, recordedSince: AT, lost: null, phases: null, upcomingMaintenance: [] },
  ...{ checks: [], hours: [], days: [], incidents: [], notes: [] },
};

it('the description of a target is on its page as a text, with links', () => {
  const description = 'Orders <b>& bills</b>, see https://a.test/orders.';
  const page = targetPage({ ...history, description }, freshness, PUBLIC_SITE);
  expect(page).toContain('Orders &lt;b>&amp; bills&lt;/b>, see ');
  expect(page).toContain('<a href="https://a.test/orders"');
  expect(targetPage(history, freshness, PUBLIC_SITE)).not.toContain('note-text');
});
