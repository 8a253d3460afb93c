import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import { resolve } from 'node:path';
import type { RunReport } from '../../lib/run/report.js';
import { seal } from '../../lib/peers/token.js';
import { startFunction, type BuiltFunction, type RunningFunction } from './deployable.js';
import { startRedis } from './redis.js';
import { startUpstashFront } from './upstash-front.js';

const SECRET = 'a-secret-of-32-characters-length';
const PEER_SECRET = 'another-secret-of-32-characters-or-more';
/** A trigger within half a tick is doubled. */
const HALF_A_TICK = 6_000;

/** What the test sends: the functions that Vercel's builder made, by their files under api/. */
export interface MeshOrder {
  /** An address of the internet, which the network of this process has to itself. */
  readonly address: string;
  readonly functions: Readonly<Record<'cron' | 'health' | 'probe', BuiltFunction>>;
  /** `bin/keepalive.js` */
  readonly program: string;
}

/** What came of it. */
export interface MeshOutcome {
  /** What the run of the first installation said of each target, by what its peers were doing. */
  readonly runs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Ms that the run took. */
  readonly took: Readonly<Record<string, number>>;
  /** Statuses of requests to `POST /api/probe`. */
  readonly statuses: Readonly<Record<string, number>>;
  /** To a server on this machine, where a target redirects to. */
  readonly innerRequests: number;
  readonly alerts: readonly string[];
}

/** What the second installation does when it is asked. */
type Mood = 'well' | 'down' | 'slow' | 'lying' | 'other version';

process.once('message', (order) => {
  void work(order as MeshOrder).then(
    (outcome) => process.send?.(outcome, () => process.exit()),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});

const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));

async function listen(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  host: string,
): Promise<number> {
  const server = createServer(answer);
  await new Promise<void>((done) => server.listen(0, host, done));
  return (server.address() as AddressInfo).port;
}

async function work({ address, functions, program }: MeshOrder): Promise<MeshOutcome> {
  let innerRequests = 0;
  const inner = await listen((_, response) => {
    innerRequests += 1;
    response.end('inner');
  }, '127.0.0.1');
  const alerts: string[] = [];
  const hook = await listen((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const { alerts: told } = JSON.parse(body) as { alerts: { text: string }[] };
      alerts.push(...told.map(({ text }) => text));
      response.end('ok');
    });
  }, '127.0.0.1');
  // Who asks is told by the user agent, which names the page of an installation.
  const target = await listen(({ url = '', headers }, response) => {
    const isFirst = headers['user-agent']?.includes('first.example.com') ?? false;
    if (url === '/inner') response.writeHead(302, { location: `http://127.0.0.1:${inner}/` }).end();
    else response.writeHead(url === '/good' || (url === '/local' && !isFirst) ? 200 : 503).end();
  }, address);

  const redises = await Promise.all([startRedis(), startRedis()]);
  const stores = await Promise.all(
    redises.map(({ port }) => startUpstashFront({ redisPort: port, token: 'token' })),
  );
  const common = {
    CRON_SECRET: SECRET,
    KEEP_ALIVE_PEER_SECRET: PEER_SECRET,
    KEEP_ALIVE_TICK: '10s',
    KEEP_ALIVE_INTERVAL: '10s',
    KEEP_ALIVE_TIMEOUT: '2s',
    KEEP_ALIVE_RETRIES: '0',
    KEEP_ALIVE_FAILURE_THRESHOLD: '50',
    KEEP_ALIVE_CONTROL_URLS: 'off',
    KEEP_ALIVE_PLAN: 'none',
  };
  const storeOf = (index: number) => ({
    UPSTASH_REDIS_REST_URL: stores[index]?.url ?? '',
    UPSTASH_REDIS_REST_TOKEN: 'token',
  });

  // The second deployment, behind a front as Vercel has one.
  const second = {
    ...{
      ...common,
      ...storeOf(1),
      VERCEL_REGION: 'fra1',
      TARGET_OWN_URL: `http://${address}:${target}/good`,
    },
    KEEP_ALIVE_PUBLIC_URL: 'https://second.example.com',
  };
  const ahead = resolve('ahead.mjs');
  writeFileSync(
    ahead,
    `const Real = Date;
globalThis.Date = class extends Real {
  constructor(...of) { of.length === 0 ? super(Real.now() + 600000) : super(...of); }
  static now() { return Real.now() + 600000; }
};`,
  );
  let probe = await startFunction(functions.probe, second);
  const statuses = await refusals(probe, inner);
  const [health, secondCron] = [
    await startFunction(functions.health, second),
    await startFunction(functions.cron, second),
  ];
  let mood: Mood = 'well';
  let keptAnswer = '';
  const fronts = await listen((request, response) => {
    if (mood === 'down') return void request.socket.destroy();
    if (mood === 'slow') return;
    if (mood === 'other version') {
      const message = 'This is version 1 of a request; version 2 is spoken here.';
      return void response.writeHead(400).end(JSON.stringify({ error: { code: 'bad_request', message } }));
    }
    const isProbe = request.url === '/api/probe';
    if (isProbe && mood === 'lying') return void response.end(keptAnswer);
    const { method, url, headers } = request;
    const { origin } = isProbe ? probe : health;
    const passed = httpRequest(`${origin}${url ?? ''}`, { method, headers }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => (text += String(chunk)));
      answer.on('end', () => {
        if (isProbe) keptAnswer = text;
        response.writeHead(answer.statusCode ?? 500, answer.headers).end(text);
      });
    });
    request.pipe(passed);
  }, '127.0.0.1');

  // The third, on a machine.
  const port = await listen(() => undefined, '127.0.0.1').then((used) => used + 1);
  const third = spawn(process.execPath, [program, 'start'], {
    env: {
      ...{ PATH: process.env.PATH, ...common, PORT: String(port), KEEP_ALIVE_STORE: 'sqlite' },
      KEEP_ALIVE_PUBLIC_URL: 'https://third.example.com',
      TARGET_OWN_URL: `http://${address}:${target}/good`,
    },
    stdio: 'inherit',
  });
  process.once('exit', () => third.kill('SIGKILL'));

  const targets = ['good', 'local', 'bad', 'inner'];
  const cron = await startFunction(functions.cron, {
    ...{ ...common, ...storeOf(0), KEEP_ALIVE_PUBLIC_URL: 'https://first.example.com' },
    KEEP_ALIVE_PEERS: `http://127.0.0.1:${fronts},http://127.0.0.1:${port}`,
    ALERT_WEBHOOK_URL: `http://127.0.0.1:${hook}/`,
    ...Object.fromEntries(
      targets.map((id) => [`TARGET_${id.toUpperCase()}_URL`, `http://${address}:${target}/${id}`]),
    ),
  });
  const call = async ({ origin }: RunningFunction): Promise<RunReport> => {
    const headers = { authorization: `Bearer ${SECRET}` };
    return (await (await fetch(`${origin}/api/cron`, { headers })).json()) as RunReport;
  };

  await call(secondCron);
  for (let tries = 0; tries < 100; tries += 1) {
    const isThere = await fetch(`http://127.0.0.1:${port}/api/health`).then(
      ({ status }) => status === 200,
      () => false,
    );
    if (isThere) break;
    await sleep(200);
  }
  const runs: Record<string, Record<string, string>> = {};
  const took: Record<string, number> = {};
  const observe = async (what: string): Promise<void> => {
    const report = await call(cron);
    took[what] = report.durationMs;
    runs[what] = Object.fromEntries(
      report.results.map(({ id, ok, message = '' }) => [
        id,
        `${ok} ${message}`.replace(`127.0.0.1:${port}`, 'the third').trim(),
      ]),
    );
    await sleep(HALF_A_TICK);
  };
  await observe('both peers well');
  for (const each of ['down', 'slow', 'lying', 'other version'] as const) {
    mood = each;
    await observe(`one peer ${each}`);
  }
  mood = 'well';
  await probe.stop();
  probe = await startFunction(functions.probe, second, ['--import', pathToFileURL(ahead).href]);
  await observe('one peer with a clock ten minutes ahead');
  await observe('both again');
  // The second deployment made one run, and is asked at most once a minute.
  for (let tries = 0; tries < 20 && !alerts.some((text) => text.startsWith('Peer ')); tries += 1) {
    await observe('later');
  }
  await Promise.all([probe, health, secondCron, cron].map((each) => each.stop()));
  third.kill('SIGKILL');
  await Promise.all(stores.map((each) => each.close()));
  await Promise.all(redises.map((each) => each.stop()));
  return { runs, took, statuses, innerRequests, alerts };
}

/** What an installation answers to requests that no peer makes, after a good one. */
async function refusals({ origin }: RunningFunction, inner: number): Promise<MeshOutcome['statuses']> {
  const post = async (body: string): Promise<number> =>
    (await fetch(`${origin}/api/probe`, { method: 'POST', body })).status;
  const sealed = async (secret = PEER_SECRET, content: unknown = null): Promise<string> =>
    (await seal(content, { secret, purpose: 'request', time: Date.now() })).token;
  const good = await sealed();
  return {
    answered: await post(good),
    replayed: await post(good),
    forged: await post(await sealed('x'.repeat(32))),
    oversized: await post('x'.repeat(70_000)),
    'no question': await post(await sealed(PEER_SECRET, { url: `http://127.0.0.1:${inner}/` })),
  };
}
