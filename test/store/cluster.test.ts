import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { doctor } from '../../lib/cli/doctor.js';
import { openRemoteStore, texts } from '../support/stores.js';
import type { Store } from '../../lib/store/store.js';
import { freePort, startRedis, type RedisServer } from '../support/redis.js';
import { recordingTerminal } from '../support/terminal.js';
import { newMeter, storeContract } from './contract.js';

const PREFIX = '{keepalive}';
const CLAIM = { token: 'a', now: 1_800_000_000_000, ttl: 300_000, fields: ['x'] };

const open = ({ url }: RedisServer, prefix = PREFIX) => openRemoteStore({ kind: 'redis', url }, { prefix });
/** Until all slots have a node, as this one sees it. */
const untilWhole = (node: RedisServer) =>
  vi.waitFor(
    async () => {
      const info = (await node.command('CLUSTER', 'INFO')) as string;
      expect(info).toMatch(/cluster_state:ok[^]*cluster_slots_ok:16384/);
    },
    { timeout: 60_000, interval: 50 },
  );

describe('a cluster of one node', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis({ clusterPort: await freePort() });
    await redis.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
    await untilWhole(redis);
  }, 90_000);
  afterAll(() => redis.stop());
  beforeEach(() => redis.flush());

  describe('contract, with a prefix in braces', () => {
    storeContract(() => open(redis));
  });

  test('keeps all keys in one slot', async () => {
    const store = await open(redis, 'shop:{keepalive}.1');
    await store.claim(CLAIM);
    const append = { log: 'l', offset: 0, text: 'text' };
    await store.commit({ token: 'a', fields: { x: '1' }, append, release: true });
    await store.close();
    const keys = (await redis.command('KEYS', '*')) as string[];
    expect(keys.length).toBeGreaterThanOrEqual(2);
    const slots = await Promise.all(keys.map((key) => redis.command('CLUSTER', 'KEYSLOT', key)));
    expect(new Set(slots).size).toBe(1);
  });

  test('says what to set where the prefix has no braces', async () => {
    const store = await open(redis, 'keepalive');
    const refusal = {
      code: 'store_answer',
      message:
        'Redis runs in cluster mode: set KEEP_ALIVE_PREFIX to a name in braces, such as {keepalive} (CROSSSLOT)',
    };
    await expect(store.read({ fields: [], logs: ['a', 'b'] })).rejects.toMatchObject(refusal);
    const append = { log: 'l', offset: 0, text: 'text' };
    const run = store
      .claim(CLAIM)
      .then(() => store.commit({ token: 'a', fields: {}, append, release: true }));
    await expect(run).rejects.toMatchObject(refusal);
    await store.close();
  });

  test('is examined by the doctor', async () => {
    const examine = async (env: Record<string, string>) => {
      const terminal = recordingTerminal({ REDIS_URL: redis.url, ...env });
      await doctor([], terminal);
      return terminal.lines.join('\n');
    };
    expect(await examine({})).toContain('REDIS_URL: Redis runs in cluster mode: set KEEP_ALIVE_PREFIX');
    expect(await examine({ KEEP_ALIVE_PREFIX: PREFIX })).toMatch(/redis answers in \d+ ms, reads and writes/);
  });
});

describe('a cluster of two nodes', () => {
  let nodes: RedisServer[];
  let store: Store;
  beforeAll(async () => {
    const ports = [await freePort(), await freePort()];
    nodes = await Promise.all(ports.map((clusterPort) => startRedis({ clusterPort })));
    const [first, second] = nodes;
    await first?.command('CLUSTER', 'ADDSLOTSRANGE', '0', '8191');
    await second?.command('CLUSTER', 'ADDSLOTSRANGE', '8192', '16383');
    await first?.command('CLUSTER', 'MEET', '127.0.0.1', String(second?.port), String(ports[1]));
    for (const node of nodes) await untilWhole(node);
  }, 180_000);
  afterAll(() => Promise.all(nodes.map((node) => node.stop())));
  afterEach(() => store.close());

  // Slots 2258 and 15495: one on each node.
  const PREFIXES = ['{keepalive}', '{a}'];

  test.each(PREFIXES.flatMap((prefix) => [0, 1].map((asked) => [prefix, asked] as const)))(
    'has the keys of %s, whichever node is asked (%i)',
    async (prefix, asked) => {
      const node = nodes[asked];
      if (node === undefined) throw new Error('no such node');
      store = await open(node, prefix);
      const token = `run of ${asked}`;
      expect(await store.claim({ ...CLAIM, token })).toMatchObject({ claimed: true });
      const append = { log: 'l', offset: 0, text: 'text' };
      await store.commit({ token, fields: { x: token }, append, release: true });
      const meter = newMeter();
      const both = await Promise.all([
        store.metered(meter).read({ fields: ['x'], logs: ['l', 'm'] }),
        store.read({ fields: ['x'], logs: [] }),
      ]);
      expect(both).toEqual([
        { fields: texts({ x: token }), logs: texts({ l: 'text' }) },
        { fields: texts({ x: token }), logs: texts({}) },
      ]);
      expect(meter.commands).toBe(2);
    },
  );
});
