import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { closedPort } from '../support/servers.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { FAILED, manyTargets } from '../support/runs.js';
import { ShardedPinger } from '../support/shards.js';
import { openRemoteStores, openSqlite } from '../support/stores.js';
import { runChild } from '../support/child.js';
import { ROOT } from '../support/root.js';

const GOLDEN = join(ROOT, 'test/record/golden');
const EXPORT = join(GOLDEN, '4a4b62e.jsonl');

interface Row {
  readonly version: number;
  readonly at: string;
  readonly unreadable?: string;
}
interface Inspected {
  readonly state: { version: number; unreadable?: string; value?: { targets: { id: string }[] } };
  readonly outbox: { version: number; value: { alerts: unknown[]; alertStates: { id: string }[] } };
  readonly maintenance: null;
  readonly marks: (Row & { field: string; targets?: { target: string; pings: number }[] })[];
  readonly log: (Row & { target: string; outcome: string })[];
  readonly incidents: (Row & { target: string; startedAt: string })[];
}

async function inspect(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const child = runChild(new URL('../../bin/keepalive.ts', import.meta.url), ['inspect', ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const [out, err] = await Promise.all([
    text(child.stdout as Readable),
    text(child.stderr as Readable),
    new Promise((done) => child.once('close', done)),
  ]);
  return { code: child.exitCode, out, err };
}

const read = async (...args: Parameters<typeof inspect>) =>
  JSON.parse((await inspect(...args)).out) as unknown;

describe('keepalive inspect', () => {
  it('prints all that an export holds, with times as people read them', async () => {
    const { state, outbox, maintenance, marks, log, incidents } = (await read([
      '--file',
      EXPORT,
    ])) as Inspected;
    expect(state).toMatchObject({
      version: 1,
      value: { firstRunAt: '2026-01-05T12:00:00.100Z', log: { lastUnit: '2026-01-06T17:55:00.750Z' } },
    });
    expect(state.value?.targets.map(({ id }) => id)).toEqual(['api', 'shop', 'worker']);
    expect(outbox.value.alerts).toHaveLength(4);
    expect(outbox.value.alertStates).toMatchObject([
      { id: 'worker', active: { status: 'down', endedAt: null } },
    ]);
    expect(maintenance).toBeNull();
    expect(marks.find(({ field }) => field === 'd35')).toMatchObject({ at: '2026-01-06T00:00:00.000Z' });
    expect(log.filter(({ outcome }) => outcome === 'failed')).toHaveLength(18);
    expect(incidents).toMatchObject([{ target: 'shop', startedAt: '2026-01-06T04:45:00.654Z' }]);
  });

  it('prints each part alone as it prints it among all', async () => {
    const all = (await read(['--file', EXPORT])) as Record<string, unknown>;
    for (const part of ['state', 'outbox', 'maintenance', 'notes', 'marks', 'log', 'incidents'])
      expect([part, await read([part, '--file', EXPORT])]).toEqual([part, all[part]]);
  });

  it('shows a part that cannot be read with the reason, and the others all the same', async () => {
    const file = resolve('newer.jsonl');
    const lines = readFileSync(EXPORT, 'utf8').replace(
      /\{"field":"d35","value":"/,
      '{"field":"d35","value":" 9',
    );
    writeFileSync(file, lines.replace(/"i1\.0","value":"\[/, '"i1.0","value":"'));
    const { state, marks, incidents } = (await read(['--file', file])) as Inspected;
    expect(state.value?.targets).toHaveLength(3);
    expect(marks.find(({ field }) => field === 'd35')).toEqual({
      field: 'd35',
      version: 9,
      unreadable: expect.stringContaining('version 9 of its format') as string,
    });
    expect(incidents).toMatchObject([{ unreadable: 'an incident is not JSON' }]);
  });

  it('shows what can be read without the state', async () => {
    const file = resolve('broken.jsonl');
    writeFileSync(file, readFileSync(EXPORT, 'utf8').replace('"state","value":"', '"state","value":" 8'));
    const { state, outbox, marks, log } = (await read(['--file', file])) as Inspected;
    expect(state).toMatchObject({ version: 8, unreadable: expect.stringContaining('up to 5') as string });
    expect(outbox.value.alerts).toHaveLength(4);
    expect(marks[0]?.unreadable).toContain('the state');
    expect(log.length).toBeGreaterThan(800);
  });

  it('tells how it is used', async () => {
    const { code, err, out } = await inspect(['figures']);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('Usage: keepalive inspect [part] [--file <file>]');
  });

  it('says where there is nothing to read', async () => {
    const nowhere = await inspect([], { KEEP_ALIVE_DATABASE: resolve('none.db') });
    expect(nowhere).toMatchObject({ code: 1, out: '' });
    expect(nowhere.err).toContain('KEEP_ALIVE_DATABASE');
    expect((await inspect(['--file', 'none'])).err).toBe('none does not exist.\n');
  });
});

describe('keepalive inspect of the embedded database', () => {
  let path: string;
  beforeEach(() => {
    path = resolve('database.sqlite');
    copyFileSync(join(GOLDEN, '4a4b62e.sqlite'), path);
  });

  const stamp = () => [readFileSync(path).toString('base64'), statSync(path).mtimeMs, statSync(path).mode];

  it('leaves the file as it is', async () => {
    const before = stamp();
    const { value } = (await read(['state'], { KEEP_ALIVE_DATABASE: path })) as Inspected['state'];
    expect(value?.targets).toHaveLength(3);
    expect(stamp()).toEqual(before);
  });

  it('reads what a runner that owns the file has written last, and takes nothing from it', async () => {
    const store = openSqlite(path);
    const commit = async (value: string) => {
      await store.claim({ token: 'runner', ttl: 60_000, fields: [] });
      const fields = { maintenance: value };
      return store.commit({ token: 'runner', fields, append: null, release: true });
    };
    await commit(' 2[["api",1767614400000,1800000,"deploy"]]');
    expect(await read(['maintenance'], { KEEP_ALIVE_DATABASE: path })).toEqual({
      version: 2,
      value: [
        { target: 'api', from: '2026-01-05T12:00:00.000Z', to: '2026-01-05T12:30:00.000Z', reason: 'deploy' },
      ],
    });
    const note = [['n1', 1_767_614_400_000, 3_600_000, null, 'Hello.']];
    await store.swap({ field: 'notes', expected: null, value: ` 2${JSON.stringify(note)}` });
    const times = { at: '2026-01-05T12:00:00.000Z', until: '2026-01-05T13:00:00.000Z' };
    expect(await read(['notes'], { KEEP_ALIVE_DATABASE: path })).toEqual({
      version: 2,
      value: [{ id: 'n1', ...times, target: null, text: 'Hello.' }],
    });
    await store.claim({ token: 'runner', ttl: 60_000, fields: [] });
    await store.commit({ token: 'runner', fields: { mailing: ' 9x' }, append: null, release: true });
    expect(await read(['mailing'], { KEEP_ALIVE_DATABASE: path })).toMatchObject({ version: 9 });
    expect(await commit(' 2[]')).toBe('committed');
    expect(await read(['maintenance'], { KEEP_ALIVE_DATABASE: path })).toEqual({ version: 2, value: [] });
    await store.close();
  });
});

describe('keepalive inspect of two databases', () => {
  interface Item {
    readonly shard: number;
    readonly unreadable?: string;
  }
  let servers: RedisServer[];
  let env: Readonly<Record<string, string>>;
  beforeAll(async () => {
    servers = await Promise.all([startRedis(), startRedis()]);
    const [first = '', second = ''] = servers.map(({ url }) => url);
    env = { REDIS_URL: first, REDIS_URL_2: second, KEEP_ALIVE_SHARD_SIZE: '3' };
    const store = await openRemoteStores(
      { 1: { kind: 'redis', url: first }, 2: { kind: 'redis', url: second } },
      { prefix: 'keepalive' },
    );
    const pinger = new ShardedPinger(manyTargets(6, { KEEP_ALIVE_SHARD_SIZE: '3' }), store);
    pinger.attempt = () => FAILED;
    for (let i = 0; i < 4; i += 1) {
      await pinger.tick();
      pinger.clock.now += 60_000;
    }
    await store.close();
  });
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  /** Which shards are in a part, and why others are not. */
  const shardsIn = (out: string) => {
    const items = JSON.parse(out) as Item[];
    const reasons = items.flatMap(({ shard, unreadable }) =>
      unreadable === undefined ? [] : [{ shard, unreadable }],
    );
    return { shards: [...new Set(items.map(({ shard }) => shard))], reasons };
  };

  it.each([
    ['second', 'REDIS_URL_2', 8],
    ['first', 'REDIS_URL', 0],
  ])('says what is in the %s, which is away, and prints the rest', async (_, name, gone) => {
    const whole = await inspect(['log'], env);
    expect(whole).toMatchObject({ code: 0, err: '' });
    expect(shardsIn(whole.out)).toEqual({ shards: [0, 8], reasons: [] });
    const left = { ...env, [name]: `redis://127.0.0.1:${await closedPort()}` };
    const message = expect.stringMatching(new RegExp(`^${name}: `)) as string;
    for (const part of ['state', 'log']) {
      const { code, out, err } = await inspect([part], left);
      expect([part, code]).toEqual([part, 1]);
      expect(err).toMatch(new RegExp(`^The store: ${name}: .*\\.\\n$`));
      expect(shardsIn(out)).toEqual({ shards: [0, 8], reasons: [{ shard: gone, unreadable: message }] });
    }
    const all = await inspect([], left);
    expect(all.code).toBe(1);
    expect(JSON.parse(all.out)).toMatchObject({ maintenance: null, places: { version: 3 } });
  });
});
