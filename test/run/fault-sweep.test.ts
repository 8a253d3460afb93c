import { once } from 'node:events';
import { renameSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadHistory, loadState } from '../../lib/read/load.js';
import { openRemoteStore, openSqlite } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { runChild } from '../support/child.js';
import { meddled } from '../support/meddle.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import type { ChildStore, ChildTask } from '../support/run-child.js';
import { NEWS, RUNS_AT, Storyteller, TARGETS } from '../support/story.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { startUpstashFront, type Fault as FrontFault } from '../support/upstash-front.js';

const MINUTE = 60_000;
/** Long after the run that was killed. */
const LATER = 10 * MINUTE;
/** Ms that one request to the store may take: no limit to healthy ones, on a busy machine either. */
const PATIENT = 60_000;
/** Where some are not answered at all. Many tests wait for that at once, and others work meanwhile. */
const PATIENCE = 10_000;
/** Longer than a store leaves a server alone that it could not reach. */
const POLL = { timeout: 60_000, interval: 50 };

let redis: RedisServer;
let directory: string;
let rigs = 0;

beforeAll(async () => {
  redis = await startRedis();
  directory = await mkdtemp(join(tmpdir(), 'keepalive-sweep-'));
});
afterAll(async () => {
  await redis.stop();
  await rm(directory, { recursive: true });
});

/** A store of its own for one test, and what can go wrong with it. */
interface Rig {
  readonly store: Store;
  /** How a child process opens the same data. */
  readonly child: ChildStore;
  /** Lets all calls suffer until `lift`. */
  suffer(fault: string): void;
  lift(): void;
  /** Does what the fault kept back. */
  settle(): Promise<void>;
  /** Lets the time of the lease be over, whoever holds it. */
  expireLease(): Promise<unknown>;
  /** As another process would open it. */
  another(): Promise<Store>;
  close(): Promise<void>;
}

const HTML = '<html><body>502 Bad Gateway</body></html>';
const KEPT_BACK = 'request executed when the run is over';
const KEPT_BACK_LONGER = 'request executed when the next run is over';
const LATE = ['late answer', KEPT_BACK, KEPT_BACK_LONGER];
const answer = (status: number, body: string): FrontFault => ({ kind: 'answer', status, body });
const REST: Readonly<Record<string, FrontFault>> = {
  'connection broken before': { kind: 'refuse' },
  'connection broken after': { kind: 'lose-answer' },
  'half an answer': { kind: 'half-answer' },
  'no answer': { kind: 'hang' },
  'an HTML error page': answer(502, HTML),
  'an HTML page as success': answer(200, HTML),
  garbage: answer(200, '[{"resu'),
  'another answer': answer(200, '[{"result":"OK"}]'),
};

async function restRig(patience: number): Promise<Rig> {
  const prefix = `rest-${rigs++}`;
  const front = await startUpstashFront({ redisPort: redis.port, token: 'token' });
  const config = { kind: 'upstash', url: front.url, token: front.token } as const;
  const store = await openRemoteStore(config, { prefix, timeout: patience });
  let letGo = (): void => undefined;
  const until = new Promise<void>((resolve) => (letGo = resolve));
  return {
    store,
    child: { ...config, prefix },
    suffer: (fault) => {
      const kind = fault === 'late answer' ? 'late' : 'late-execution';
      front.fault = () => (LATE.includes(fault) ? { kind, until } : (REST[fault] ?? null));
    },
    lift: () => (front.fault = () => null),
    settle: async () => {
      letGo();
      await new Promise(setImmediate);
      // Its answer comes after those of what was kept back: the front has one connection.
      await vi.waitFor(() => store.ping(), POLL);
    },
    expireLease: () => redis.command('DEL', `${prefix}:lease`),
    another: () => openRemoteStore(config, { prefix, timeout: PATIENT }),
    close: () => front.close(),
  };
}

const TCP: Readonly<Record<string, Buffer | 'swallow' | 'break'>> = {
  'connection broken after': 'break',
  'no answer': 'swallow',
  'an HTML page': Buffer.from(`HTTP/1.1 400 Bad Request\r\n\r\n${HTML}`),
  garbage: Buffer.from([0, 255, 13, 10, 7]),
  'another answer': Buffer.from('+OK\r\n'),
};

async function tcpRig(patience: number): Promise<Rig> {
  const prefix = `tcp-${rigs++}`;
  const proxy = await startTcpProxy(redis.port);
  const config = { kind: 'redis', url: `redis://127.0.0.1:${proxy.port}` } as const;
  const store = await openRemoteStore(config, { prefix, timeout: patience });
  return {
    store,
    child: { ...config, prefix },
    suffer: (fault) => {
      if (fault in TCP) proxy.answers = TCP[fault] ?? 'pass';
      else proxy.requests = 'break';
    },
    lift: () => {
      proxy.answers = 'pass';
      proxy.requests = 'pass';
    },
    settle: () => Promise.resolve(),
    expireLease: () => redis.command('DEL', `${prefix}:lease`),
    another: () => openRemoteStore({ kind: 'redis', url: redis.url }, { prefix, timeout: PATIENT }),
    close: async () => {
      await store.close();
      await proxy.close();
    },
  };
}

/** The client of Redis takes these for no answer, and waits. */
const NOT_ANSWERS = ['no answer', 'an HTML page', 'garbage'];

const FAILS_AFTER = 'the disk failing when all is written';

function sqliteRig(): Promise<Rig> {
  const path = join(directory, `${rigs++}.db`);
  let suffered: string | null = null;
  let file = openSqlite(path);
  const store = meddled(file, async ({ name }, work) => {
    if (suffered === null) return work();
    // Written, and then not known to be.
    if (suffered === FAILS_AFTER && name === 'commit') await work();
    renameSync(path, `${path}-away`);
    return work().finally(() => renameSync(`${path}-away`, path));
  });
  return Promise.resolve({
    store,
    child: { kind: 'sqlite', path },
    suffer: (fault) => (suffered = fault),
    lift: () => (suffered = null),
    settle: () => Promise.resolve(),
    // It ended with the process that held it.
    expireLease: () => Promise.resolve(),
    another: async () => {
      await file.close();
      file = openSqlite(path);
      return file;
    },
    close: () => file.close(),
  });
}

interface StoreKind {
  readonly build: (patience: number) => Promise<Rig>;
  readonly faults: readonly string[];
  /** Those of the faults under which a call waits for its time limit. */
  readonly silent: readonly string[];
}

const STORES: Readonly<Record<string, StoreKind>> = {
  'Upstash over REST': {
    build: restRig,
    faults: [...Object.keys(REST), ...LATE],
    silent: ['no answer', ...LATE],
  },
  'Redis over TCP': {
    build: tcpRig,
    faults: ['connection broken before', ...Object.keys(TCP)],
    silent: NOT_ANSWERS,
  },
  'the embedded database': { build: sqliteRig, faults: ['the file moved away', FAILS_AFTER], silent: [] },
};
const stores = Object.entries(STORES);

/** How often a run calls its store when nothing goes wrong. */
async function callsOfARun(): Promise<number> {
  const home = await mkdtemp(join(tmpdir(), 'keepalive-sweep-'));
  const store = openSqlite(join(home, 'keepalive.db'));
  await new Storyteller(store).tell(0);
  let calls = 0;
  const counted = meddled(store, ({ number }, work) => {
    calls = number;
    return work();
  });
  await new Storyteller(counted).tell(1);
  await store.close();
  await rm(home, { recursive: true });
  return calls;
}

const CALLS = await callsOfARun();
const each = Array.from({ length: CALLS }, (_, i) => i + 1);
const stretches = [
  ...each.map((call) => [`call ${call}`, call, call] as const),
  ...each.slice(1, -1).map((call) => [`call ${call} and all after it`, call, CALLS] as const),
];

/** Pings on record, by target. */
async function recorded(store: Store): Promise<Record<string, number>> {
  const state = await loadState(store);
  return Object.fromEntries((state?.targets ?? []).map((t) => [t?.id ?? '', t?.counters.pings ?? 0]));
}

const notStored = ({ lines }: Storyteller): string[] =>
  lines
    .filter((line) => line.includes('"check_not_stored"'))
    .map((line) => (JSON.parse(line) as { id: string }).id);

/** All that must hold in the end, whatever went wrong: `seen` are the targets whose second check is on record. */
async function expectTruth(store: Store, seen: ReadonlySet<string>, now: number): Promise<void> {
  const [first, second] = RUNS_AT.map((at) => new Date(at).getTime());
  const state = await loadState(store);
  for (const id of TARGETS) {
    const target = state?.targets.find((candidate) => candidate?.id === id);
    const { checks, incidents } = await loadHistory(store, id, now);
    const changedAt = seen.has(id) ? second : state?.lastRun?.at;
    const times = checks.map(({ at }) => at);
    expect(new Set(times).size, `${id}: a check twice in the log`).toBe(times.length);
    expect(times, `${id}: a check missing in the log`).toEqual(
      expect.arrayContaining([first, state?.lastRun?.at]),
    );
    expect(target, id).toMatchObject({
      status: id === 'falls' ? 'down' : 'up',
      counters: {
        pings: seen.has(id) ? 3 : 2,
        failures: id === 'falls' && seen.has(id) ? 2 : 1 - +(id !== 'falls' && id !== 'rises'),
      },
      incidents: id === 'falls' || id === 'rises' ? 1 : 0,
      incident: id === 'falls' ? { startedAt: changedAt } : null,
    });
    expect(incidents, id).toMatchObject(id === 'rises' ? [{ startedAt: first, endedAt: changedAt }] : []);
  }
}

it('the story has a checkpoint between claim and commit, and an acknowledgement, so that the sweep sees them', () => {
  expect(CALLS).toBe(4);
});

describe.concurrent.each(stores)('%s', (_, { build, faults, silent }) => {
  describe.each(faults.map((fault) => [fault] as const))('%s', (fault) => {
    describe.each(stretches)('at %s of a run', (__, from, to) => {
      const faultyRun = async (): Promise<{ rig: Rig; teller: Storyteller; stored: boolean }> => {
        const rig = await build(silent.includes(fault) ? PATIENCE : PATIENT);
        const teller = new Storyteller(rig.store);
        expect(await teller.tell(0)).toMatchObject({ stored: true });
        teller.lines.length = 0;
        teller.store = meddled(rig.store, async ({ number }, work) => {
          if (number >= from && number <= to) rig.suffer(fault);
          return work().finally(() => rig.lift());
        });
        const { status, checked, stored } = await teller.tell(1);
        expect({ status, checked }).toEqual({ status: 'completed', checked: TARGETS.length });
        if (fault !== KEPT_BACK_LONGER) await rig.settle();
        // A connection that failed is not tried again at once.
        await vi.waitFor(() => rig.store.ping(), POLL);
        teller.store = rig.store;
        return { rig, teller, stored };
      };

      it('the next run of the process records everything once', async () => {
        const { rig, teller, stored } = await faultyRun();
        expect(notStored(teller).length > 0).toBe(!stored);
        expect(await teller.tell(2)).toMatchObject({ status: 'completed', stored: true, checked: 4 });
        expect(teller.told.filter((news) => news !== ' missed').sort(), 'told once').toEqual(NEWS);
        await rig.settle();
        const store = await rig.another();
        await expectTruth(store, new Set(TARGETS), teller.now);
        expect(teller.backlog.all).toEqual([]);
        // A claim that was executed late holds the lease now.
        await rig.expireLease();
        expect(await new Storyteller(store).tell(2, teller.now + MINUTE)).toMatchObject({ stored: true });
        await rig.close();
      });

      it('what another process goes on from is what was said to be stored', async () => {
        const { rig, teller, stored } = await faultyRun();
        const store = await rig.another();
        const pings = await recorded(store);
        const seen = new Set(TARGETS.filter((id) => pings[id] === 2));
        const missing = notStored(teller);
        for (const id of TARGETS) {
          expect(seen.has(id) || missing.includes(id), `${id}: neither on record nor reported`).toBe(true);
          const printed = teller.lines.some((line) => line.startsWith(`ping #2 ${id} `));
          expect(printed && !seen.has(id), `${id}: printed and not on record`).toBe(false);
        }
        if (stored) expect(seen.size).toBe(TARGETS.length);
        const heir = new Storyteller(store);
        const next = await heir.tell(2);
        if (next.reason === 'locked') {
          await rig.expireLease();
          expect(await heir.tell(2, heir.now + LATER)).toMatchObject({ stored: true });
        }
        await rig.settle();
        await expectTruth(store, seen, heir.now);
        const told = new Set([...teller.told, ...heir.told]);
        // What was not recorded did not happen, but for what comes of the heir's own checks.
        const news = NEWS.filter((each) => !each.startsWith('wakes') || seen.has('wakes'));
        expect([...told], 'told at least once').toEqual(expect.arrayContaining(news));
        await rig.close();
      });
    });
  });

  describe.each(each)('killed in call %i of a run', { concurrent: false }, (call) => {
    it.each(['during', 'after'] as const)('%s it', async (when) => {
      const rig = await build(PATIENT);
      expect(await new Storyteller(rig.store).tell(0)).toMatchObject({ stored: true });
      // A process that holds the embedded database keeps others out.
      await (await rig.another()).close();
      const task: ChildTask = { task: 'die', store: rig.child, call, when };
      const child = runChild(new URL('../support/run-child.ts', import.meta.url), [JSON.stringify(task)]);
      expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
      const store = await rig.another();
      const pings = await recorded(store);
      const seen = new Set(TARGETS.filter((id) => pings[id] === 2));
      const heir = new Storyteller(store);
      let next = await heir.tell(2);
      if (next.status === 'skipped') {
        await rig.expireLease();
        next = await heir.tell(2, heir.now + LATER);
      }
      expect(next).toMatchObject({ status: 'completed', stored: true });
      await expectTruth(store, seen, heir.now);
      await rig.close();
    });
  });
});
