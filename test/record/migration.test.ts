import { copyFileSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDump, writeDump } from '../../lib/cli/dump.js';
import { collect, restore } from '../../lib/cli/transfer.js';
import { loadHistory, loadOverview } from '../../lib/read/load.js';
import { OUTBOX_FIELD } from '../../lib/record/fields.js';
import { readOutbox } from '../../lib/record/outbox-text.js';
import type { Counters } from '../../lib/rules/counters.js';
import { openSqlite } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { ROOT } from '../support/root.js';
import { configOf, FAILED, GOOD, Pinger } from '../support/runs.js';

const MINUTE = 60_000;
const GOLDEN = join(ROOT, 'test/record/golden');
/** The configuration of the runs that commit 4a4b62e made. */
const CONFIG = configOf({
  TARGET_API_URL: 'https://api.example.com/health',
  TARGET_API_SLEEPS_AFTER: '15m',
  TARGET_API_WAKE_TIMEOUT: '90s',
  TARGET_SHOP_URL: 'https://shop.example.com/',
  TARGET_WORKER_URL: 'https://worker.example.com/',
  TARGET_WORKER_RECOVERY_URL: 'https://hooks.example.com/restart',
  KEEP_ALIVE_INTERVAL: '5m',
  KEEP_ALIVE_TICK: '5m',
  KEEP_ALIVE_RETRIES: '0',
  KEEP_ALIVE_CONTROL_URLS: 'off',
  CRON_SECRET: 'a-secret-of-the-fixture',
  ALERT_SLACK_URL: 'https://hooks.slack.com/services/T/B/fixture',
});

interface TargetThen {
  readonly state: Record<string, unknown> & { counters: Counters; latencies: unknown };
  readonly checks: number;
  readonly firstCheck: unknown;
  readonly lastCheck: unknown;
  readonly failedChecks: readonly unknown[];
  readonly incidents: readonly object[];
  /** Time, when it was taken, and the counters then. */
  readonly snapshots: readonly (readonly [at: number, takenAt: number, counters: Counters | null])[];
}

/** What commit 4a4b62e read of its own data, by the names that properties have today. */
const then = JSON.parse(readFileSync(join(GOLDEN, '4a4b62e.json'), 'utf8')) as {
  readonly now: number;
  readonly head: Record<string, unknown> & { log: object; revision: number };
  readonly targets: Readonly<Record<string, TargetThen>>;
};

/** The same of a store, as it is read today. */
async function readAt(store: Store, id: string, now: number): Promise<TargetThen> {
  const { state, snapshots, checks, incidents } = await loadHistory(store, id, now);
  const slot = state?.targets.findIndex((target) => target?.id === id) ?? -1;
  const { latencies, ...target } = state?.targets[slot] ?? expect.unreachable();
  return {
    state: { ...target, latencies: [...latencies] },
    checks: checks.length,
    firstCheck: checks[0],
    lastCheck: checks.at(-1),
    failedChecks: checks.filter(({ outcome }) => outcome === 'failed'),
    incidents,
    snapshots: [...snapshots].flatMap(([at, snapshot]) =>
      snapshot === null ? [] : [[at, snapshot.takenAt, snapshot.targets[slot]?.counters ?? null] as const],
    ),
  };
}

async function expectContinued(store: Store): Promise<void> {
  const { state } = await loadOverview(store, then.now);
  expect(state).toMatchObject({ ...then.head, log: { ...then.head.log, version: 1 } });
  for (const [id, { state: before, incidents, snapshots, ...rest }] of Object.entries(then.targets)) {
    const known = Object.fromEntries(Object.entries(before).filter(([name]) => name !== 'counted'));
    const read = await readAt(store, id, then.now);
    expect(read).toMatchObject({ ...rest, state: known });
    expect(read.snapshots).toMatchObject(snapshots);
    // Which part of an incident was observed was not counted then, and is not known.
    expect(read.incidents).toEqual(incidents.map((each) => ({ ...each, unobserved: null })));
    expect(read.state).toMatchObject({ idle: null, unobserved: null, beforeGap: null, awakeSince: null });
  }

  const pinger = new Pinger(CONFIG, store);
  let deliveries = 0;
  const deliver = () => {
    deliveries += 1;
    return Promise.resolve();
  };
  pinger.channels = new Map([['slack', { name: 'slack', deliver }]]);
  pinger.now = then.now + 4 * MINUTE;
  pinger.attempt = ({ info }) => (info.id === 'worker' ? FAILED : GOOD);
  // Over the end of the span of the log, and over an hour.
  for (let run = 0; run < 30; run += 1) {
    expect(await pinger.run()).toMatchObject({ status: 'completed', stored: true, checked: 3 });
    pinger.now += 5 * MINUTE;
  }
  // What slack had not taken is delivered, and the outbox is as good as empty.
  expect(deliveries).toBeGreaterThan(0);
  const { outbox } = await loadOverview(store, pinger.now);
  expect(outbox).toMatchObject({ alerts: [], troubles: {} });
  for (const [id, before] of Object.entries(then.targets)) {
    const after = await readAt(store, id, pinger.now);
    const { pings, failures, expected } = before.state.counters;
    expect(after.state.counters).toMatchObject({
      pings: pings + 30,
      failures: failures + (id === 'worker' ? 30 : 0),
    });
    expect(after.state.counters.expected - expected).toBeGreaterThan(29 * 5 * MINUTE);
    // Earlier snapshots are what they were, and there are more of them.
    expect(after.snapshots.length).toBeGreaterThan(before.snapshots.length);
    const kept = new Map(after.snapshots.map(([at, , counters]) => [at, counters]));
    for (const [at, , counters] of before.snapshots)
      if (kept.has(at)) expect(kept.get(at)).toMatchObject(counters ?? {});
    // The checks of version 1 and those since are one list, in one log where the span goes on.
    const checks = before.checks + 30;
    expect(after.checks).toBeGreaterThan(checks - 40);
    expect(after.failedChecks.length).toBeGreaterThanOrEqual(id === 'worker' ? 30 : 0);
  }
  const { state: last } = await loadOverview(store, pinger.now);
  expect(last?.log.version).toBe(2);
  // An export of it is read again, with both versions of snapshots and logs in it.
  const { fields, logs } = await collect(store);
  const dump = { fields, logs };
  expect(readDump([...writeDump(dump, pinger.now)].join(''))).toEqual(dump);
}

describe('data of commit 4a4b62e', () => {
  it('in a database file are opened, migrated and continued, with the same figures', async () => {
    const path = resolve('4a4b62e.sqlite');
    copyFileSync(join(GOLDEN, '4a4b62e.sqlite'), path);
    const store = openSqlite(path);
    await expectContinued(store);
    await store.close();
  });

  it('in an export are imported, migrated and continued, with the same figures', async () => {
    const store = openSqlite(resolve('import.sqlite'));
    const dump = readDump(readFileSync(join(GOLDEN, '4a4b62e.jsonl'), 'utf8'));
    expect(await restore(store, dump, { force: false })).toBe('written');
    // The alert that slack refused waits still.
    const { alerts, troubles } = readOutbox(dump.fields.get(OUTBOX_FIELD) ?? '');
    expect(alerts.map(({ alert }) => alert.kind)).toEqual(['down', 'restart', 'restart', 'restart']);
    expect(troubles).toMatchObject({ slack: { permanent: false } });
    await expectContinued(store);
    await store.close();
  });
});
