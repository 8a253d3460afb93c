import { expect, it } from 'vitest';
import { ofHosts } from '../../lib/cli/target-findings.js';
import type { Freshness, TargetHistory } from '../../lib/read/views.js';
import type { HostWord } from '../../lib/types.js';
import { targetPage } from '../../lib/view/target-page.js';
import { someTarget } from '../support/targets.js';
import { PRIVATE_SITE, PUBLIC_SITE, someTargetStats } from '../support/views.js';

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
    upcomingMaintenance: [],
    notes: [],
  },
};

it('what to know of a host is on the page of a target, for the operator alone', () => {
  const by = (isPrivate: boolean) => (isPrivate ? PRIVATE_SITE : PUBLIC_SITE);
  expect(targetPage(history, freshness, by(true))).toContain('need not be kept awake');
  expect(targetPage(history, freshness, by(false))).not.toContain('need not be kept awake');
  expect(targetPage({ ...history, status: 'paused' }, freshness, by(true))).not.toContain('need not be kept');
});

it('the doctor says it with what to do', () => {
  const info = { id: 'data', host: 'neon', healthUrl: 'https://x.neon.tech/' } as const;
  const [finding, ...more] = ofHosts([someTarget('https://x.neon.tech/', { info })]);
  expect(more).toEqual([]);
  expect(finding).toMatchObject({ level: 'warning', area: 'hosts' });
  expect(JSON.stringify(finding)).toMatch(/data: Neon need not .*Ping it seldom/);
});

it('what the API of the host said is there too, without the token’s own variable', () => {
  const at = Date.parse(AT) - 60_000;
  const ofRender = { ...history, host: 'render', healthUrl: 'https://x.onrender.com/' } as const;
  const page = (isPrivate: boolean, hostWord: HostWord) =>
    targetPage(ofRender, freshness, isPrivate ? PRIVATE_SITE : PUBLIC_SITE, hostWord);
  const refused = { at, says: 'refused', message: null } as const;
  expect(page(true, refused)).toContain('Render free refuses HOST_TOKEN: it has to be an API key');
  expect(page(false, refused)).not.toContain('HOST_TOKEN');
  const said = {
    at,
    says: 'unwakeable',
    message: 'suspended on Render by its owner: resume it there',
  } as const;
  expect(page(true, said)).toContain('suspended on Render by its owner');
  const asleep = {
    ...ofRender,
    awake: { ...ofRender.awake, proof: 'host' },
    consecutiveFailures: 0,
  } as const;
  expect(targetPage(asleep, freshness, PRIVATE_SITE, said)).toContain(
    'It answers, but: <span lang="en">suspended on Render',
  );
});
