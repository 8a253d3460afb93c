import { describe, expect, test } from 'vitest';
import { readIncident } from '../../lib/record/incidents.js';
import { NO_LOG, readChecks, readLog, writeRow } from '../../lib/record/log.js';
import { readMaintenance } from '../../lib/record/maintenance.js';
import { readSnapshot, writeSnapshot } from '../../lib/record/snapshots.js';
import { readOutbox, writeOutbox } from '../../lib/record/outbox-text.js';
import { readState, writeState } from '../../lib/record/state.js';
import { newTarget } from '../../lib/record/state-model.js';
import { EMPTY_OUTBOX } from '../../lib/rules/outbox.js';
import { growth, LINEAR } from '../support/growth.js';
import { goodCheck } from '../support/targets.js';

const AT = Date.UTC(2026, 0, 5, 12);
const emptyState = {
  ...{ revision: 1, firstRunAt: AT, rewinds: 0, lastRun: null, gaps: [], intervals: [], lost: null },
  ...{ log: NO_LOG, snapshotHour: 0, account: null, peers: [] },
};
const counters = {
  pings: 9,
  failures: 0,
  expected: 0,
  observed: 0,
  good: 0,
  coldStarts: 0,
  awake: 0,
  slept: 0,
};
const listOf = <T>(size: number, item: (i: number) => T) => Array.from({ length: size }, (_, i) => item(i));

/** A log of so many rows of one check, in slot 3. */
const logOf = (size: number) =>
  listOf(size, (i) => i).reduce(
    (head, i) =>
      writeRow(head, 7, { at: AT + i * 60_000, checks: [{ slot: 3, check: goodCheck(0, { latency: i }) }] }),
    NO_LOG,
  ).pending;

describe('stored texts are read in linear time', () => {
  test.each<[string, number, (size: number) => () => unknown]>([
    [
      'a state of many targets',
      100,
      (size) => {
        const targets = listOf(size, (i) => ({ ...newTarget(`t${i}`, AT), message: `failed ${i}` }));
        const text = writeState({ ...emptyState, targets });
        return () => readState(text);
      },
    ],
    [
      'a state of many buckets and gaps',
      1_000,
      (size) => {
        const latencies = new Map(listOf(size, (i) => [i, 1] as const));
        const awakeGaps = listOf(size, (i) => ({ hour: i, length: 1 }));
        const text = writeState({
          ...emptyState,
          targets: [{ ...newTarget('t', AT), latencies, awakeGaps }],
        });
        return () => readState(text);
      },
    ],
    [
      'an outbox of many alerts',
      200,
      (size) => {
        const alerts = listOf(size, (i) => ({
          alert: { id: `a${i}`, at: AT, kind: 'degraded', target: `t${i}`, message: 'slow' } as const,
          to: { slack: i },
        }));
        const text = writeOutbox({ ...EMPTY_OUTBOX, alerts }, AT);
        return () => readOutbox(text);
      },
    ],
    [
      'a snapshot of many targets',
      500,
      (size) => {
        const slots = listOf(size, () => ({
          addedAt: AT,
          snapshot: { counters, latencies: new Map([[9, 9]]) },
        }));
        const text = writeSnapshot(AT, slots);
        return () => readSnapshot(text, AT, () => AT);
      },
    ],
    [
      'a log, for one target',
      500,
      (size) => {
        const log = logOf(size);
        return () => readChecks([log], 3, AT);
      },
    ],
    [
      'a log, for all',
      500,
      (size) => {
        const log = logOf(size);
        return () => readLog(log);
      },
    ],
    [
      'an incident of many events',
      1_000,
      (size) => {
        const text = ` 2${JSON.stringify([AT, AT, '', listOf(size, () => [AT, 0, 'down'])])}`;
        return () => readIncident(text);
      },
    ],
    [
      'maintenance of many windows',
      1_000,
      (size) => {
        const text = ` 2${JSON.stringify(listOf(size, () => [null, AT, 1]))}`;
        return () => readMaintenance(text);
      },
    ],
  ])('%s', (_name, size, prepare) => {
    expect(growth(prepare, size)).toBeLessThan(LINEAR);
  });
});
