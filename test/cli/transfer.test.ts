import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { GET } from '../../api/keepalive/[id].js';
import { setApp } from '../../lib/app.js';
import { readDump, writeDump, type Dump } from '../../lib/cli/dump.js';
import { collect, restore } from '../../lib/cli/transfer.js';
import { writeMaintenance } from '../../lib/record/maintenance.js';
import { writeNotes } from '../../lib/record/notes.js';
import { writeOutbox } from '../../lib/record/outbox-text.js';
import { readState } from '../../lib/record/state.js';
import { EMPTY_OUTBOX } from '../../lib/rules/outbox.js';
import { openRemoteStore, openSqlite } from '../support/stores.js';
import type { Meter, Store } from '../../lib/store/store.js';
import { cases } from '../support/cases.js';
import { runChild } from '../support/child.js';
import { lived, type Life } from '../support/lives.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { manyTargets, Pinger } from '../support/runs.js';
import { startUpstashFront, type Fault, type UpstashFront } from '../support/upstash-front.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 20, 15, 30);
const CONFIG = manyTargets(4, { KEEP_ALIVE_PREFIX: 'k' });
const LIVES: readonly Life[] = [
  { latency: 45 },
  {
    latency: 120,
    outages: Array.from({ length: 105 }, (_, i) => ({ ago: (i + 1) * 18 * HOUR, length: 6 * HOUR })),
  },
  { latency: 300, outages: [{ ago: HOUR, length: HOUR, message: 'ünreachable 😀 <b>"\u202e' }] },
  { latency: 80, age: 40 * DAY, coldStarts: [3 * HOUR] },
];

let redis: RedisServer;
let front: UpstashFront;
let directory: string;
let data: Dump;
const opened: Store[] = [];

beforeAll(async () => {
  redis = await startRedis();
  front = await startUpstashFront({ redisPort: redis.port, token: 'canary-token' });
  directory = await mkdtemp(join(tmpdir(), 'keepalive-transfer-'));
  const { fields, logs } = lived(CONFIG, LIVES, NOW);
  const window = { target: null, from: NOW - HOUR, to: NOW + HOUR, reason: 'déploiement' };
  fields.set('maintenance', writeMaintenance([window]));
  fields.set(
    'notes',
    writeNotes([{ id: 'n1', at: NOW - HOUR, until: NOW + HOUR, target: null, text: 'Voilà.' }]),
  );
  fields.set(
    'outbox',
    writeOutbox({ ...EMPTY_OUTBOX, missed: { at: NOW - DAY / 2, length: 2 * HOUR } }, NOW),
  );
  data = { fields, logs };
});
afterAll(async () => {
  await front.close();
  await redis.stop();
  await rm(directory, { recursive: true });
});
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  await redis.flush();
  front.reset();
});
afterEach(async () => {
  vi.useRealTimers();
  setApp(null);
  for (const store of opened.splice(0)) await store.close();
});

let files = 0;
const OPEN = {
  redis: (prefix = 'k') => openRemoteStore({ kind: 'redis', url: redis.url }, { prefix }),
  upstash: (prefix = 'k') =>
    openRemoteStore({ kind: 'upstash', url: front.url, token: front.token }, { prefix, timeout: 20_000 }),
  sqlite: () => Promise.resolve(openSqlite(join(directory, `${++files}.db`))),
};
type Kind = keyof typeof OPEN;

async function open(kind: Kind, prefix?: string): Promise<Store> {
  const store = await OPEN[kind](prefix);
  opened.push(store);
  return store;
}

/** As a run would have left it, without what is tested here. */
async function fill(store: Store, { fields, logs }: Dump): Promise<void> {
  const token = 'fill';
  await store.claim({ token, ttl: 1, fields: [] });
  for (const [log, text] of logs) {
    await store.commit({ token, fields: {}, append: { log, offset: 0, text }, release: false });
  }
  await store.commit({ token, fields: Object.fromEntries(fields), append: null, release: true });
}

const textOf = (dump: Dump): string => [...writeDump(dump, NOW)].join('');
const sorted = (map: ReadonlyMap<string, string>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
const plain = ({ fields, logs }: Dump) => ({ fields: sorted(fields), logs: sorted(logs) });

async function overview(store: Store): Promise<unknown> {
  // The server's own clock goes on in earnest.
  vi.spyOn(store, 'now').mockReturnValue(NOW);
  setApp({ config: CONFIG, store });
  return (await GET(new Request('http://localhost/api/keepalive'))).json();
}

/** What the database itself says there is, the lease apart. */
async function held(prefix: string): Promise<unknown> {
  const keys = ((await redis.command('KEYS', `${prefix}:*`)) as string[]).sort();
  const hash = (await redis.command('HGETALL', `${prefix}:data`)) as string[];
  const fields = hash.flatMap((name, i) => (i % 2 === 0 && name !== 'lease' ? [[name, hash[i + 1]]] : []));
  const logs = keys.filter((key) => key !== `${prefix}:data`);
  return {
    fields: fields.sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
    logs: await Promise.all(
      logs.map(async (key) => [key.slice(prefix.length), await redis.command('GET', key)]),
    ),
    expiring: (await Promise.all(keys.map((key) => redis.command('TTL', key)))).filter((ttl) => ttl !== -1),
  };
}

describe('90 days', () => {
  it('hold what is to be moved', () => {
    const state = readState(data.fields.get('state') ?? '');
    expect(state.targets.map((target) => target?.incidents)).toEqual([0, 105, 1, 0]);
    expect(data.fields.size).toBeGreaterThan(262 + 100);
    expect(data.logs.size).toBe(13);
    expect(data.fields.get('outbox')).toMatch(/./);
  });

  it.each<[Kind, Kind, Kind]>([
    ['redis', 'sqlite', 'upstash'],
    ['upstash', 'sqlite', 'redis'],
    ['sqlite', 'redis', 'sqlite'],
  ])('are the same in %s, %s and %s', async (from, via, to) => {
    const first = await open(from, 'a');
    await fill(first, data);
    const exported = textOf(await collect(first));
    expect(plain(readDump(exported))).toEqual(plain(data));

    const second = await open(via, 'b');
    expect(await restore(second, readDump(exported), { force: false })).toBe('written');
    expect(textOf(await collect(second))).toBe(exported);

    const third = await open(to, 'c');
    await restore(third, readDump(textOf(await collect(second))), { force: false });
    expect(plain(await collect(third))).toEqual(plain(data));
    if (from !== 'sqlite') expect(await held('c')).toEqual(await held('a'));

    const shown = await overview(first);
    expect(shown).toMatchObject({ summary: { down: 1 } });
    expect(await overview(second)).toEqual(shown);
    expect(await overview(third)).toEqual(shown);
  });

  it.each<Kind>(['redis', 'upstash'])('cost few commands in %s, and they are counted', async (kind) => {
    const meter = (): Meter => ({ commands: 0, bytesSent: 0, bytesReceived: 0 });
    const store = await open(kind);
    // The scripts are known after the first time.
    await restore(store, data, { force: true });
    await redis.flush();
    const writing = meter();
    await restore(store.metered(writing), data, { force: true });
    expect(await redis.callsMade()).toBe(writing.commands);
    // How many shards there are, a claim, two for a piece of fields, and six for each of 13 logs and the fields: piece, time limit, and the swap.
    expect(writing.commands).toBeLessThanOrEqual(78);
    const reading = meter();
    await collect(store.metered(reading));
    expect(await redis.callsMade()).toBe(writing.commands + reading.commands);
    expect(reading.commands).toBeLessThanOrEqual(15);
  });
});

describe('a repeated import', () => {
  it.each<Kind>(['redis', 'upstash', 'sqlite'])('into %s writes nothing', async (kind) => {
    const store = await open(kind);
    await restore(store, data, { force: false });
    const before = plain(await collect(store));
    expect(await restore(store, data, { force: false })).toBe('same');
    expect(await restore(store, data, { force: true })).toBe('written');
    expect(plain(await collect(store))).toEqual(before);
  });
});

describe('an installation that holds other data', () => {
  const other = () => {
    const lives = [{ latency: 10, outages: [{ ago: DAY, length: 5 * HOUR }] }];
    const { fields, logs } = lived(manyTargets(9), lives, NOW, { step: 6 * HOUR, lately: HOUR });
    return { fields, logs };
  };

  it.each<Kind>(['redis', 'sqlite'])('in %s is kept, and with force nothing of it is left', async (kind) => {
    const store = await open(kind);
    const before = other();
    await fill(store, before);
    await expect(restore(store, data, { force: false })).rejects.toMatchObject({ name: 'TransferError' });
    expect(plain(await collect(store))).toEqual(plain(before));
    await restore(store, data, { force: true });
    expect(plain(await collect(store))).toEqual(plain(data));
    if (kind === 'redis') {
      await fill(await open('redis', 'fresh'), data);
      expect(await held('k')).toEqual(await held('fresh'));
    }
  });

  it('is replaced even where its state cannot be read', async () => {
    const store = await open('sqlite');
    await fill(store, { fields: new Map([['state', 'nonsense']]), logs: new Map() });
    await expect(restore(store, data, { force: false })).rejects.toMatchObject({ code: 'store_corrupt' });
    await restore(store, data, { force: true });
    expect(plain(await collect(store))).toEqual(plain(data));
  });

  it('lets runs go on after an import was refused', async () => {
    const store = await open('redis');
    const before = other();
    await fill(store, { ...before, fields: new Map([['maintenance', '[]']]) });
    await expect(restore(store, data, { force: false })).rejects.toThrow('--force');
    const pinger = new Pinger(CONFIG, store);
    pinger.now = NOW;
    expect(await pinger.run()).toMatchObject({ status: 'completed', stored: true });
  });
});

describe('runs', () => {
  const pingerOn = (store: Store, now = NOW) => {
    const pinger = new Pinger(CONFIG, store);
    pinger.now = now;
    return pinger;
  };

  it('are skipped while an import is written, and go on with what it wrote', async () => {
    const importing = await open('upstash');
    const running = pingerOn(await open('redis'), NOW + 60_000);
    const reports: Promise<unknown>[] = [];
    front.fault = ({ commands: [command = []] }): Fault | null => {
      if (command[0] !== 'SET' || reports.length > 0) return null;
      const report = running.run({ limit: 300_000 });
      reports.push(report);
      return { kind: 'late-execution', until: report };
    };
    await restore(importing, data, { force: false });
    expect(await Promise.all(reports)).toMatchObject([{ status: 'skipped', reason: 'locked' }]);
    expect(plain(await collect(importing))).toEqual(plain(data));
    expect(await running.run({ limit: 300_000 })).toMatchObject({ status: 'completed', stored: true });
    const { fields } = await collect(importing);
    const revision = (text = '') => readState(text).revision;
    expect(revision(fields.get('state'))).toBe(revision(data.fields.get('state')) + 1);
  });

  it('that took the lease over while an import was written keep what they wrote', async () => {
    const importing = await open('upstash');
    const running = pingerOn(await open('redis'), NOW + 10 * 60_000);
    const reports: Promise<unknown>[] = [];
    front.fault = ({ commands: [command = []] }): Fault | null => {
      if (command[0] !== 'SET' || reports.length > 0) return null;
      const report = redis.expireLeases().then(() => running.run({ limit: 300_000 }));
      reports.push(report);
      return { kind: 'late-execution', until: report };
    };
    await expect(restore(importing, data, { force: false })).rejects.toThrow('came between');
    expect(await Promise.all(reports)).toMatchObject([{ status: 'completed', stored: true }]);
    const { fields } = await collect(importing);
    expect(readState(fields.get('state') ?? '').targets[0]?.counters.pings).toBe(1);
  });

  it('that are under way keep an import from beginning', async () => {
    const store = await open('redis');
    await (await open('redis')).claim({ token: 'run', ttl: 330_000, fields: [] });
    await expect(restore(store, data, { force: false })).rejects.toThrow('under way');
  });

  it('that commit while all is read do not tear the export', async () => {
    const store = await open('redis');
    await fill(store, data);
    const pinger = pingerOn(await open('redis'), NOW + HOUR);
    let reads = 0;
    const interrupted: Store = Object.create(store, {
      read: {
        value: async (request: Parameters<Store['read']>[0]) => {
          reads += 1;
          if (reads === 3) await pinger.run();
          return store.read(request);
        },
      },
    }) as Store;
    expect(plain(await collect(interrupted))).toEqual(plain(await collect(store)));
    expect(reads).toBeGreaterThan(20);
  });

  it('that never cease to commit end the export with an error', async () => {
    const store = await open('redis');
    await fill(store, data);
    const pinger = pingerOn(await open('redis'));
    const restless: Store = Object.create(store, {
      read: {
        value: async (request: Parameters<Store['read']>[0]) => {
          pinger.now += 60_000;
          await pinger.run();
          return store.read(request);
        },
      },
    }) as Store;
    await expect(collect(restless)).rejects.toThrow('Runs committed all the while');
  });
});

describe.runIf(inject('long'))('a fault at every call of an import', () => {
  const small = (): Dump => {
    const { fields, logs } = lived(manyTargets(1), [{ latency: 10 }], NOW, { step: DAY, lately: HOUR });
    return { fields, logs: new Map([...logs].slice(0, 3)) };
  };

  it.each<[string, boolean, Fault]>([
    ['nothing, refused', false, { kind: 'refuse' }],
    ['nothing, done without an answer', false, { kind: 'lose-answer' }],
    ['other data, refused', true, { kind: 'refuse' }],
    ['other data, done without an answer', true, { kind: 'lose-answer' }],
    ['other data, an error of the store', true, { kind: 'answer', status: 500, body: '{"error":"ERR no"}' }],
  ])(
    'over %s leaves the old or the new',
    async (_, force, fault) => {
      const old: Dump = force ? data : { fields: new Map(), logs: new Map() };
      const fresh = small();
      const store = await open('upstash');
      const seen = new Set<string>();
      for (let at = 1, done = false; !done; at += 1) {
        await redis.flush();
        if (force) await fill(await open('redis'), old);
        front.reset();
        let calls = 0;
        front.fault = () => (++calls >= at ? fault : null);
        const outcome = await restore(store, fresh, { force }).catch((error: unknown) => error);
        done = calls < at;
        front.fault = () => null;
        const there = JSON.stringify(plain(await collect(store)));
        const isNew = there === JSON.stringify(plain(fresh));
        expect(isNew || there === JSON.stringify(plain(old))).toBe(true);
        if (outcome === 'written') expect(isNew).toBe(true);
        seen.add(isNew ? 'new' : 'old');
        // Repeated by the same process, it ends well.
        await restore(store, fresh, { force });
        expect(plain(await collect(store))).toEqual(plain(fresh));
        expect(at).toBeLessThan(40);
      }
      expect([...seen].sort()).toEqual(['new', 'old']);
    },
    120_000,
  );

  it('or the loss of what was staged leaves the old', async () => {
    const store = await open('upstash');
    await fill(await open('redis'), data);
    for (const part of ['k:data:staged', 'k:log:']) {
      front.fault = ({ commands: [command = []] }) => {
        const keys = command.filter((word) => word.startsWith(part) && word.includes(':staged:'));
        const isLast = command[0]?.startsWith('EVAL') === true && keys.length > 0;
        return isLast ? { kind: 'late-execution', until: redis.command('DEL', ...keys) } : null;
      };
      await expect(restore(store, small(), { force: true })).rejects.toMatchObject({ code: 'store_answer' });
      expect(plain(await collect(store))).toEqual(plain(data));
    }
  });

  it('that passes is not noticed', async () => {
    const store = await open('upstash');
    const fresh = small();
    for (const kind of ['refuse', 'lose-answer', 'half-answer'] as const) {
      for (let at = 1, calls = at; calls >= at; at += 1) {
        await redis.flush();
        calls = 0;
        front.fault = () => (++calls === at ? { kind } : null);
        expect(await restore(store, fresh, { force: false })).toBe('written');
        front.fault = () => null;
        expect(plain(await collect(store))).toEqual(plain(fresh));
      }
    }
  }, 120_000);
});

describe('an export', () => {
  const lines = () => textOf(data).trimEnd().split('\n');
  const refused = expect.objectContaining({ name: 'TransferError' }) as Error;
  const reading = (changed: readonly string[]) => () => readDump(changed.join('\n'));

  it('is JSON Lines that begin with what they are and end with how many they are', () => {
    const [first = '', ...rest] = lines();
    expect(JSON.parse(first)).toEqual({
      keepalive: 'export',
      version: 1,
      exportedAt: new Date(NOW).toISOString(),
    });
    expect(JSON.parse(rest.at(-1) ?? '')).toEqual({ end: true, fields: data.fields.size, logs: 13 });
  });

  it('that is cut off is noticed, after whichever line', () => {
    const all = lines();
    for (let kept = 1; kept < all.length; kept += 1) {
      expect(reading(all.slice(0, kept))).toThrow(`cut off at line ${kept}.`);
    }
    expect(() => readDump('')).toThrow('no export');
  });

  it('that is cut off is noticed, after whichever character', () => {
    const whole = textOf(data).trimEnd();
    fc.assert(
      fc.property(fc.nat(whole.length - 1), (kept) => {
        expect(() => readDump(whole.slice(0, kept))).toThrow(refused);
      }),
      cases(200),
    );
  });

  it('that misses any line, or holds one twice, is noticed', () => {
    const all = lines();
    fc.assert(
      fc.property(fc.nat(all.length - 1), (at) => {
        expect(reading(all.toSpliced(at, 1))).toThrow(refused);
        expect(reading(all.toSpliced(at, 0, all[at] ?? ''))).toThrow(refused);
      }),
      cases(100),
    );
  });

  it.each<[string, (all: string[]) => string[], string]>([
    ['a later version', (all) => ['{"keepalive":"export","version":2}', ...all.slice(1)], 'another version'],
    ['another program', (all) => ['{"a":1}', ...all.slice(1)], 'no export'],
    ['a state of another version', (all) => replaced(all, 'state', 'AAAA'), 'cannot be read'],
    ['maintenance that is none', (all) => replaced(all, 'maintenance', '{}'), 'cannot be read'],
    ['notes that are none', (all) => replaced(all, 'notes', ' 2{}'), 'cannot be read'],
    ['a snapshot that is none', (all) => replaced(all, 'h1', 'ä'), 'cannot be read'],
    ['a snapshot that is empty', (all) => replaced(all, 'd1', ''), 'cannot be read'],
    ['an incident that is none', (all) => replaced(all, 'i1.7', '"x"'), 'cannot be read'],
    ['an outbox that is none', (all) => replaced(all, 'outbox', 'x'), 'cannot be read'],
    ['a text with NUL', (all) => replaced(all, 'maintenance', '[]\0'), 'not a line'],
    ['half a character', (all) => replaced(all, 'maintenance', '"\ud800"'), 'not a line'],
    ['a text too long', (all) => replaced(all, 'maintenance', 'x'.repeat(1_500_001)), 'too long'],
    ['the lease', (all) => renamed(all, 'maintenance', 'lease'), 'no such field'],
    ['an unknown field', (all) => renamed(all, 'i1.7', 'i77.7'), 'no such field'],
    ['a field named like a builtin', (all) => renamed(all, 'maintenance', '__proto__'), 'no such field'],
    ['an unknown log', (all) => all.map((line) => line.replace('{"log":"3"', '{"log":"13"')), 'no such log'],
    ['a line of something else', (all) => all.toSpliced(5, 0, '[]'), 'Line 6'],
    ['a line behind the end', (all) => [...all, '{"field":"x","value":""}'], 'nothing may follow'],
  ])('with %s is refused', (_, change, message) => {
    expect(reading(change(lines()))).toThrow(message);
    expect(reading(change(lines()))).toThrow(refused);
  });

  it('may hold logs that were never written in part, and Windows line ends', () => {
    const logs = new Map([...data.logs, ['3', '\0\0!']]);
    const found = readDump(textOf({ ...data, logs }).replaceAll('\n', '\r\n'));
    expect(found.logs.get('3')).toBe('\0\0!');
  });
});

function changed(lines: readonly string[], name: string, change: (value: string) => object): string[] {
  return lines.map((line) => {
    const { field, value } = JSON.parse(line) as { field?: string; value: string };
    return field === name ? JSON.stringify(change(value)) : line;
  });
}
function replaced(lines: readonly string[], field: string, value: string): string[] {
  return changed(lines, field, () => ({ field, value }));
}
function renamed(lines: readonly string[], name: string, field: string): string[] {
  return changed(lines, name, (value) => ({ field, value }));
}

describe('the command', () => {
  const keepalive = async (env: Record<string, string>, args: readonly string[], input = '') => {
    const child = runChild(new URL('../../bin/keepalive.ts', import.meta.url), args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: directory,
      env: { PATH: process.env.PATH, ...env },
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
    const ended = new Promise<number | null>((done) => child.once('close', done));
    const read = (stream: Readable | null) => (stream === null ? Promise.resolve('') : text(stream));
    const [stdout, stderr] = await Promise.all([read(child.stdout), read(child.stderr)]);
    return { code: await ended, stdout, stderr };
  };
  const sqlite = (name: string) => ({ KEEP_ALIVE_DATABASE: join(directory, name) });
  const rest = () => ({ UPSTASH_REDIS_REST_URL: front.url, UPSTASH_REDIS_REST_TOKEN: front.token });
  const ignoringTime = (exported: string) => exported.split('\n').slice(1);
  beforeEach(() => vi.useRealTimers());

  it('moves all data from Upstash through a file and a pipe into an embedded database and a Redis', async () => {
    await fill(await open('upstash', 'keepalive'), data);
    const file = join(directory, 'all.jsonl');
    const exported = await keepalive(rest(), ['export', file]);
    expect(exported).toMatchObject({ code: 0, stdout: '' });
    expect(exported.stderr).toContain('Read 100 %');
    const content = await readFile(file, 'utf8');
    expect(plain(readDump(content))).toEqual(plain(data));
    expect((await readdir(directory)).filter((name) => name.includes('partial'))).toEqual([]);

    expect(await keepalive(sqlite('moved.db'), ['import', file])).toMatchObject({ code: 0, stdout: '' });
    const piped = await keepalive(sqlite('moved.db'), ['export']);
    expect(ignoringTime(piped.stdout)).toEqual(ignoringTime(content));

    const url = { REDIS_URL: redis.url, KEEP_ALIVE_PREFIX: 'other' };
    expect(await keepalive(url, ['import'], piped.stdout)).toMatchObject({ code: 0 });
    expect(await held('other')).toEqual(await held('keepalive'));
    const again = await keepalive(url, ['import', file]);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stderr).toContain('nothing was written');
  });

  it('exports and imports an installation without data', async () => {
    const { code, stdout } = await keepalive({ REDIS_URL: redis.url }, ['export']);
    expect(code).toBe(0);
    expect(ignoringTime(stdout)).toEqual(['{"end":true,"fields":0,"logs":0}', '']);
    const imported = await keepalive({ REDIS_URL: redis.url }, ['import', '--force'], stdout);
    expect(imported).toMatchObject({ code: 0 });
    expect(await redis.command('DBSIZE')).toBe(0);
  });

  it('exports with a token that may only read', async () => {
    await fill(await open('upstash', 'keepalive'), data);
    const env = { ...rest(), UPSTASH_REDIS_REST_TOKEN: front.readOnlyToken };
    expect(await keepalive(env, ['export'])).toMatchObject({ code: 0 });
    const imported = await keepalive(env, ['import', '--force'], textOf(data));
    expect(imported.code).toBe(1);
    expect(imported.stderr).toContain('The store: the store refused access');
  });

  it.each<[string, () => Record<string, string>, string[], string]>([
    ['a file that is not there', () => sqlite('x.db'), ['import', 'none.jsonl'], 'does not exist'],
    ['a place that cannot be written', () => sqlite('held.db'), ['export', 'none/x.jsonl'], 'ENOENT'],
    ['a database that is not there', () => sqlite('none.db'), ['export'], 'does not exist'],
    ['no store at all', () => ({}), ['export'], 'No store is set'],
    ['a wrong token', () => ({ ...rest(), UPSTASH_REDIS_REST_TOKEN: 'canary-wrong' }), ['export'], 'refused'],
    [
      'nobody there',
      () => ({ REDIS_URL: 'redis://:canary-word@127.0.0.1:1' }),
      ['export'],
      'cannot be reached',
    ],
    ['a wrong configuration', () => ({ REDIS_URL: 'canary-url' }), ['export'], 'REDIS_URL'],
  ])('fails with exit code 1 for %s', async (_, env, args, message) => {
    const store = openSqlite(join(directory, 'held.db'));
    await store.close();
    const result = await keepalive(env(), args);
    expect(result).toMatchObject({ code: 1, stdout: '' });
    expect(result.stderr).toContain(message);
    expect(result.stderr).not.toMatch(/canary|127\.0\.0\.1|\n\s+at /);
    expect(await readdir(directory)).not.toContain('none.db');
  });

  it('fails for a database that a runner uses', async () => {
    const store = openSqlite(join(directory, 'busy.db'));
    const result = await keepalive(sqlite('busy.db'), ['import'], textOf(data));
    await store.close();
    expect(result.code).toBe(1);
    expect(result.stderr).toContain('another process uses the database. Stop the runner');
  });

  it('writes nothing of an export that is cut off or not text', async () => {
    const file = join(directory, 'bytes.jsonl');
    await writeFile(file, Buffer.from([0xff, 0xfe]));
    expect((await keepalive({ REDIS_URL: redis.url }, ['import', file])).stderr).toContain('not UTF-8');
    const cut = textOf(data).slice(0, 20_000);
    const result = await keepalive({ REDIS_URL: redis.url }, ['import'], cut);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/^The export is cut off at line \d+\.\n$/);
    expect(await redis.command('DBSIZE')).toBe(0);
  });

  it('says how the configuration of another tool is read', async () => {
    const backup = JSON.stringify({ version: '1.23', monitorList: [{ name: 'a' }] });
    for (const args of [['import'], ['import', '-']]) {
      const result = await keepalive({ REDIS_URL: redis.url }, args, backup);
      expect(result.code).toBe(1);
      expect(result.stderr).toContain('keepalive import --from uptime-kuma` reads it.');
    }
  });

  it('exports what a runner that owns the database has written', async () => {
    const store = openSqlite(join(directory, 'busy-export.db'));
    await fill(store, data);
    const result = await keepalive(sqlite('busy-export.db'), ['export']);
    expect(result).toMatchObject({ code: 0 });
    expect(plain(readDump(result.stdout))).toEqual(plain(data));
    await store.close();
  });

  it('replaces a file only with --force, and nothing that is no file', async () => {
    await fill(await open('redis', 'keepalive'), data);
    const file = join(directory, 'kept.jsonl');
    await writeFile(file, 'precious');
    const env = { REDIS_URL: redis.url };
    const refused = await keepalive(env, ['export', file]);
    expect(refused).toMatchObject({ code: 1, stderr: 'The file exists already: --force replaces it.\n' });
    expect(await readFile(file, 'utf8')).toBe('precious');
    expect(await keepalive(env, ['export', file, '--force'])).toMatchObject({ code: 0 });
    expect(plain(readDump(await readFile(file, 'utf8')))).toEqual(plain(data));
    const folder = await keepalive(env, ['export', directory, '--force']);
    expect(folder.stderr).toContain('something else than a file');
  });
});
