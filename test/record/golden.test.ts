import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inflate, readEnvelope } from '../../lib/record/codec/envelope.js';
import { readIncident, writeIncident } from '../../lib/record/incidents.js';
import { readLog } from '../../lib/record/log.js';
import { readMaintenance, writeMaintenance } from '../../lib/record/maintenance.js';
import {
  snapshotField,
  snapshotTime,
  readSnapshot,
  writeSnapshot,
  writeSnapshotReference,
} from '../../lib/record/snapshots.js';
import { readOutbox, writeOutbox } from '../../lib/record/outbox-text.js';
import { readState, writeState } from '../../lib/record/state.js';
import { STATE_V2_DICTIONARY } from '../../lib/record/state-v2.js';
import { type State } from '../../lib/record/state-model.js';
import type { Counters } from '../../lib/rules/counters.js';
import { ROOT } from '../support/root.js';

const at = Date.UTC(2026, 0, 5, 12);

type SnapshotSlot = {
  addedAt: number;
  snapshot: { counters: Counters; latencies: [number, number][] };
} | null;

/** Texts of the formats that were new in version 3, and what they were written from; Maps as lists of entries. */
interface GoldenV3 {
  readonly state: { readonly text: string; readonly value: State };
  readonly snapshots: readonly { at: number; field: string; text: string; value: SnapshotSlot[] }[];
  readonly reference: { at: number; see: number; field: string; text: string };
}

/** Texts of the formats that were new in version 4. */
type GoldenV4 = Pick<GoldenV3, 'state' | 'snapshots' | 'reference'>;

/** Texts of each format in one of the versions before. */
interface Golden extends GoldenV3 {
  readonly outbox: { readonly text: string; readonly value: unknown };
  readonly log: { readonly text: string; readonly value: Record<string, unknown>[] };
  readonly incidents: readonly { text: string; value: unknown }[];
  readonly maintenance: { text: string; value: unknown };
}

const goldenOf = <V extends 1 | 2 | 3 | 4 | 5>(version: V) =>
  JSON.parse(readFileSync(join(ROOT, `test/record/golden/version-${version}.json`), 'utf8')) as V extends 5
    ? Pick<GoldenV3, 'state'>
    : V extends 4
      ? GoldenV4
      : V extends 3
        ? GoldenV3
        : Golden;

/** What a version before 4 says, as it is read today: it had no account, and a wake ended with its run. */
const withoutAccount = (state: State): unknown => ({
  ...state,
  account: null,
  peers: [],
  targets: state.targets.map((target) => target && { ...target, waking: null, hostWord: null }),
});

/** What a version before 3 says, as it is read today: it took each answer for the app's own, and counted no time awake. */
const withAwake = (counters: Counters): Counters => ({ ...counters, awake: 0, slept: 0 });
const asReadToday = (state: State): unknown =>
  withoutAccount({
    ...state,
    targets: state.targets.map(
      (target) =>
        target && {
          ...target,
          counters: withAwake(target.counters),
          beforeGap: target.beforeGap && {
            ...target.beforeGap,
            counters: withAwake(target.beforeGap.counters),
          },
          provenAt: target.awakeFrom,
          brokenAt: null,
          asleepAt: null,
        },
    ),
  });

/** With Maps as lists of entries, as the golden files have them. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, each: unknown) => (each instanceof Map ? [...each] : each)));

describe.each([1, 2] as const)('texts of version %i', (version) => {
  const golden = goldenOf(version);

  it('of the state are read, and written today they say the same', () => {
    const state = readState(golden.state.text);
    // Logs of version 1 go on without a version.
    const { log } = golden.state.value;
    expect(plain(state)).toEqual(asReadToday({ ...golden.state.value, log: { ...log, version } }));
    expect(readState(writeState(state))).toEqual(state);
  });

  it('of the outbox are read, and written today they say the same', () => {
    const outbox = readOutbox(golden.outbox.text);
    expect(plain(outbox)).toEqual(golden.outbox.value);
    expect(readOutbox(writeOutbox(outbox, at))).toEqual(outbox);
  });

  it('of snapshots are read', () => {
    for (const { at, field, text, value } of golden.snapshots) {
      const snapshot = readSnapshot(text, at, (slot) => value[slot]?.addedAt ?? null);
      const found = snapshot !== null && 'targets' in snapshot ? snapshot.targets : [];
      const seen = found.map((each) => each && { counters: each.counters, latencies: [...each.latencies] });
      expect(seen).toEqual(
        value.map((each) => each && { ...each.snapshot, counters: withAwake(each.snapshot.counters) }),
      );
      expect([field, snapshotTime(field, text)]).toEqual([snapshotField(at), at]);
      // That of another turn of the ring is none.
      expect(readSnapshot(text, at + 170 * 3_600_000, () => null)).toBeNull();
    }
    const { at, see, field, text } = golden.reference;
    expect(readSnapshot(text, at, () => null)).toEqual({ see });
    expect(snapshotTime(field, text)).toBe(at);
  });

  it('of the log are read', () => {
    const { value } = golden.log;
    expect(readLog(golden.log.text)).toEqual(value.map(({ at, ...check }) => ({ at, ...check })));
  });

  it('of incidents and maintenance are read', () => {
    for (const { text, value } of golden.incidents) expect(readIncident(text)).toEqual(value);
    expect(readMaintenance(golden.maintenance.text)).toEqual(golden.maintenance.value);
  });
});

it('texts of the state in version 3 are read', () => {
  const golden = goldenOf(3);
  const state = readState(golden.state.text);
  expect(plain(state)).toEqual(withoutAccount(golden.state.value));
  expect(readState(writeState(state))).toEqual(state);
});

it.each([3, 4] as const)('snapshots of version %i are read, and written so today in version 4', (version) => {
  const golden = goldenOf(version);
  for (const { at, field, text, value } of golden.snapshots) {
    const snapshot = readSnapshot(text, at, (slot) => value[slot]?.addedAt ?? null);
    const found = snapshot !== null && 'targets' in snapshot ? snapshot.targets : [];
    const seen = found.map((each) => each && { counters: each.counters, latencies: [...each.latencies] });
    expect(seen).toEqual(value.map((each) => each && each.snapshot));
    expect([field, snapshotTime(field, text)]).toEqual([snapshotField(at), at]);
    const slots = value.map(
      (each) =>
        each && { ...each, snapshot: { ...each.snapshot, latencies: new Map(each.snapshot.latencies) } },
    );
    if (version === 4) expect(writeSnapshot(at, slots)).toBe(text);
  }
  const { at, see, text } = golden.reference;
  expect(readSnapshot(text, at, () => null)).toEqual({ see });
  if (version === 4) expect(writeSnapshotReference(at, see)).toBe(text);
});

it('the state of version 4 is read, and had no peers', () => {
  const { text, value } = goldenOf(4).state;
  const state = readState(text);
  expect(plain(state)).toEqual({ ...value, peers: [] });
  expect(readState(writeState(state))).toEqual(state);
});

it('the state is read and written in version 5 today, to the character before it is deflated', () => {
  const { text, value } = goldenOf(5).state;
  const state = readState(text);
  expect(plain(state)).toEqual(value);
  const inflated = (source: string): string =>
    inflate(readEnvelope(source, 'the state', 5).body, STATE_V2_DICTIONARY, 'the state');
  expect(inflated(writeState(state))).toBe(inflated(text));
});

it('incidents and maintenance are written in version 2 today, to the character', () => {
  const golden = goldenOf(2);
  const incidents = golden.incidents.map(({ text }) => readIncident(text));
  expect(incidents.map(writeIncident)).toEqual(golden.incidents.map(({ text }) => text));
  expect(writeMaintenance(readMaintenance(golden.maintenance.text))).toBe(golden.maintenance.text);
});
