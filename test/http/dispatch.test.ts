import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { GET, POST } from '../../api/cron.js';
import { setApp } from '../../lib/app.js';
import { loadState } from '../../lib/read/load.js';
import type { DispatchReport } from '../../lib/run/dispatch.js';
import type { RunReport } from '../../lib/run/report.js';
import type { Store } from '../../lib/store/store.js';
import { Qstash, type Message } from '../support/qstash.js';
import { manyTargets } from '../support/runs.js';
import { serveHttp, type Listening } from '../support/servers.js';
import { sign } from '../support/signature.js';
import { openSqlite } from '../support/stores.js';

const SECRET = 'a-secret-of-32-characters-length';
const KEY = 'sig_current_of_qstash';
const TARGETS = 10;
const SHARDS = 4;
const MINUTE = 60_000;
const AT = Date.UTC(2026, 10, 20, 12);
const POLL = { timeout: 30_000, interval: 20 };

let folder: string;
let files = 0;
let store: Store;
let qstash: Qstash;
/** The deployment, as it is called from outside. */
let deployment: Listening;
let target: Listening;
/** What a call of the deployment by itself is answered; null: as it is. */
let refusal: number | null = null;
const calls: { path: string; bypass: string | undefined }[] = [];
let pings = new Map<string, number>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keepalive-dispatch-'));
  qstash = await Qstash.start();
  target = await serveHttp(({ url = '' }, response) => {
    pings.set(url, (pings.get(url) ?? 0) + 1);
    response.end('ok');
  });
  deployment = await serveHttp((request, response) => {
    const { url = '', headers } = request;
    calls.push({ path: url, bypass: headers['x-vercel-protection-bypass'] as string | undefined });
    const { authorization = '' } = headers;
    void (
      refusal === null
        ? GET(new Request(`http://127.0.0.1:${deployment.port}${url}`, { headers: { authorization } }))
        : Promise.resolve(new Response('', { status: refusal }))
    ).then(async (answer) => response.writeHead(answer.status).end(await answer.text()));
  });
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: AT });
  vi.spyOn(console, 'log').mockReturnValue();
  // Its time is that of this process, so that it can be set.
  store = openSqlite(join(folder, `${++files}.db`));
  qstash.reset();
  refusal = null;
  calls.length = 0;
  pings = new Map();
});
afterEach(async () => {
  setApp(null);
  await store.close();
  vi.restoreAllMocks();
  vi.useRealTimers();
});

function deploy(env: Readonly<Record<string, string>> = {}): void {
  const urls = Array.from({ length: TARGETS }, (_, i) => [
    `TARGET_SERVICE_${i}_URL`,
    `http://127.0.0.1:${target.port}/${i}`,
  ]);
  const config = manyTargets(0, {
    ...(Object.fromEntries(urls) as Record<string, string>),
    CRON_SECRET: SECRET,
    KEEP_ALIVE_SHARD_SIZE: '3',
    KEEP_ALIVE_TICK: '1m',
    KEEP_ALIVE_PUBLIC_URL: `http://127.0.0.1:${deployment.port}`,
    ...env,
  });
  setApp({ config, store });
}

const byQstash = () =>
  deploy({ QSTASH_TOKEN: 'token', QSTASH_URL: qstash.url, QSTASH_CURRENT_SIGNING_KEY: KEY });

async function trigger(): Promise<DispatchReport | RunReport> {
  const headers = { authorization: `Bearer ${SECRET}` };
  const answer = await GET(new Request(`http://127.0.0.1:${deployment.port}/api/cron`, { headers }));
  expect(answer.status).toBe(200);
  return (await answer.json()) as DispatchReport | RunReport;
}

let tokens = 0;
/** Delivers a message as QStash does. */
async function deliver({ destination }: Message): Promise<RunReport> {
  const claims = { jti: `jwt_${++tokens}` };
  const signature = sign({ key: KEY, url: destination, at: Math.floor(Date.now() / 1000), claims });
  const headers = { 'upstash-signature': signature };
  const answer = await POST(new Request(destination, { method: 'POST', headers }));
  return (await answer.json()) as RunReport;
}

/** Pings of each target, as its state counts them. */
async function counted(): Promise<number[]> {
  const states = await Promise.all(
    Array.from({ length: SHARDS }, (_, shard) => loadState(store.shard(shard))),
  );
  return states.flatMap((state) => (state?.targets ?? []).map((each) => each?.counters.pings ?? 0));
}

const all = (count: number) => Array.from({ length: TARGETS }, () => count);
const whenCounted = (count: number) =>
  vi.waitFor(async () => expect(await counted()).toEqual(all(count)), POLL);

describe('over HTTP', () => {
  it('starts the run of each shard by a call with the secret', async () => {
    deploy();
    expect(await trigger()).toMatchObject({ status: 'dispatched', by: 'http', shards: SHARDS });
    await whenCounted(1);
    expect(calls.map(({ path }) => path.replace(/directory=[\w-]+/, 'directory=x')).sort()).toEqual(
      Array.from({ length: SHARDS }, (_, shard) => `/api/cron?shard=${shard}&directory=x&async=1`),
    );
    // A second trigger at the same time pings nobody again.
    await trigger();
    vi.setSystemTime(AT + MINUTE);
    await vi.waitFor(async () => {
      await trigger();
      expect(await counted()).toEqual(all(2));
    }, POLL);
    expect([...pings.values()]).toEqual(all(2));
  });

  it('passes the protection of deployments where it is told how', async () => {
    deploy({ VERCEL_AUTOMATION_BYPASS_SECRET: 'bypass' });
    await trigger();
    await whenCounted(1);
    expect(new Set(calls.map(({ bypass }) => bypass))).toEqual(new Set(['bypass']));
  });

  it.each([401, 500, 302])('makes the runs itself where the calls are answered by %i', async (status) => {
    deploy();
    refusal = status;
    expect(await trigger()).toMatchObject({ status: 'dispatched', shards: SHARDS });
    expect(await counted()).toEqual(all(1));
  });
});

describe('through QStash', () => {
  it('sends one batch, of which copies within half a tick are none', async () => {
    byQstash();
    await Promise.all([trigger(), trigger()]);
    expect(qstash.calls.filter(({ call }) => call === 'POST /v2/batch')).toHaveLength(2);
    expect(qstash.messages).toHaveLength(SHARDS);
    expect(qstash.messages[0]?.headers).toMatchObject({ 'Upstash-Retries': '0', 'Upstash-Method': 'POST' });
    const reports = await Promise.all(qstash.messages.map(deliver));
    expect(reports.map(({ status, trigger: by }) => [status, by])).toEqual(
      Array.from({ length: SHARDS }, () => ['completed', 'qstash']),
    );
    vi.setSystemTime(AT + MINUTE);
    await trigger();
    expect(qstash.messages).toHaveLength(2 * SHARDS);
  });

  it('makes the runs itself where QStash refuses them', async () => {
    byQstash();
    qstash.refusal = { status: 429, body: '{"error":"quota exceeded"}' };
    expect(await trigger()).toMatchObject({ status: 'dispatched', shards: SHARDS });
    expect(await counted()).toEqual(all(1));
  });

  it('messages that are lost, doubled or late: each target is pinged once a tick, or in the next', async () => {
    byQstash();
    let random = 3;
    const chance = () => (random = (random * 16_807) % 2_147_483_647) / 2_147_483_647;
    let late: Message[] = [];
    const ticks = 12;
    for (let tick = 0; tick < ticks; tick += 1) {
      vi.setSystemTime(AT + tick * MINUTE);
      qstash.messages = [];
      await trigger();
      const sent = [...late, ...qstash.messages];
      late = [];
      const before = new Map(pings);
      const delivered = sent.flatMap((message) => {
        const fate = tick === ticks - 1 ? 1 : chance();
        if (fate < 0.15) return [];
        if (fate < 0.3) {
          late.push(message);
          return [];
        }
        return fate < 0.6 ? [message, message] : [message];
      });
      await Promise.all(delivered.map(deliver));
      for (const [url, count] of pings) expect(count - (before.get(url) ?? 0)).toBeLessThanOrEqual(1);
    }
    const found = [...pings].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, count]) => count);
    const states = await Promise.all(
      Array.from({ length: SHARDS }, (_, shard) => loadState(store.shard(shard))),
    );
    const recorded = states
      .flatMap((state) => state?.targets ?? [])
      .sort((a, b) => ((a?.id ?? '') < (b?.id ?? '') ? -1 : 1))
      .map((each) => each?.counters.pings);
    // Nothing that was pinged is lost or counted twice.
    expect(recorded).toEqual(found);
    expect(Math.min(...found)).toBeGreaterThanOrEqual(ticks / 2);
  });

  it('a shard of a directory that this process has not read yet, and one that is not there', async () => {
    byQstash();
    await trigger();
    const [first] = qstash.messages;
    if (first === undefined) throw new Error('no message');
    byQstash();
    expect(await deliver(first)).toMatchObject({ status: 'completed', checked: 3 });
    const nobody = { ...first, destination: first.destination.replace(/shard=\d+/, 'shard=77') };
    expect(await deliver(nobody)).toMatchObject({ status: 'skipped', reason: 'no_targets' });
  });
});

it('makes all runs itself where its own address is not known', async () => {
  deploy({ KEEP_ALIVE_PUBLIC_URL: '' });
  expect(await trigger()).toMatchObject({ status: 'completed', checked: TARGETS });
  expect(await counted()).toEqual(all(1));
});
