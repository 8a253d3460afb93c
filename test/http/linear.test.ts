import { request as ask } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GET as badge } from '../../api/badge/[id].js';
import { GET as cron, POST as signedCron } from '../../api/cron.js';
import { GET as feed } from '../../api/feed/[format].js';
import { GET as keepalive } from '../../api/keepalive/[id].js';
import { POST as maintenance } from '../../api/maintenance/[change].js';
import { GET as metrics } from '../../api/metrics.js';
import { GET as page, POST as signIn } from '../../api/page/[page].js';
import { setApp } from '../../lib/app.js';
import { serve } from '../../lib/local/server.js';
import { readMaintenance, writeMaintenance } from '../../lib/record/maintenance.js';
import { Books } from '../support/books.js';
import { configOf } from '../support/runs.js';
import { sign } from '../support/signature.js';

const SECRET = 'a-secret-of-32-characters-length';
const TOKEN = 'token-of-readers';
const KEY = 'sig_of_32_characters_for_the_tests';
const KB = 1024;
/** Of the long input to the short one. */
const GROWTH = 8;
/** Eight times the input takes eight times the work, and 64 times where the work is quadratic. */
const MOST = 24;
/**
 * Ms of CPU that the short input counts for at least: below it there is only noise. Quadratic work on the long input
 * takes seconds.
 */
const LEAST = 2;

type Work = (text: string) => Promise<unknown>;
type Handler = (request: Request) => Promise<Response>;

const to =
  (
    handler: Handler,
    path: (text: string) => string,
    init: (text: string) => RequestInit = () => ({}),
  ): Work =>
  (text) =>
    handler(new Request(`https://pinger.test${path(text)}`, init(text)));

const header = (handler: Handler, path: string, name: string, prefix = ''): Work =>
  to(
    handler,
    () => path,
    (text) => ({ headers: { [name]: prefix + text } }),
  );
const inPath = (handler: Handler, path: string): Work => to(handler, (text) => path + text);
const form = (body: (text: string) => string): Work =>
  to(
    signIn,
    () => '/sign-in',
    (text) => ({
      method: 'POST',
      body: body(text),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    }),
  );
const json: Work = to(
  maintenance,
  () => '/api/maintenance',
  (body) => ({ method: 'POST', body, headers: { authorization: `Bearer ${SECRET}` } }),
);

/** What a stranger fills a header, a path or a body with, of a length. */
const FILLINGS: Readonly<Record<string, (length: number) => string>> = {
  blanks: (length) => `x${' '.repeat(length - 2)}x`,
  tabs: (length) => `x${'\t'.repeat(length - 2)}x`,
  commas: (length) => ','.repeat(length),
  'commas and blanks': (length) => ' , '.repeat(length / 3),
  'weak tags': (length) => 'W/"x", '.repeat(length / 7),
  quotes: (length) => '"'.repeat(length),
  semicolons: (length) => ';'.repeat(length),
  'equals signs': (length) => `${'='.repeat(length - 1)}x`,
  pairs: (length) => 'keepalive_session=1; '.repeat(length / 21),
  dots: (length) => '.'.repeat(length),
  digits: (length) => '9'.repeat(length),
  letters: (length) => 'a'.repeat(length),
  slashes: (length) => '/'.repeat(length),
  'steps up': (length) => '/a/..'.repeat(length / 5),
  'percent signs': (length) => '%'.repeat(length),
  'parameters of one name': (length) => 'target=a&'.repeat(length / 9),
  brackets: (length) => '['.repeat(length),
  keys: (length) => `{${Array.from({ length: length / 16 }, (_, i) => `"k${i}":${1e7 + i}`).join()}}`,
  accents: (length) => Array.from({ length }, (_, i) => String.fromCharCode(0xe0 + (i % 30))).join(''),
  escapes: (length) => `{"reason":"${'\\u0020'.repeat(length / 6)}"}`,
};

/** What whoever signs in may send. */
const PRIVATE_READERS: Readonly<Record<string, Work>> = {
  'a bearer': header(keepalive, '/api/keepalive', 'authorization', 'Bearer '),
  cookies: header(keepalive, '/api/keepalive', 'cookie'),
  'a session': header(keepalive, '/api/keepalive', 'cookie', 'keepalive_session='),
  'a form': form((text) => text),
  "a form's token": form((text) => `token=${text}`),
  "a form's next page": form((text) => `token=x&next=/t/${text}`),
  'an origin': to(
    signIn,
    () => '/sign-in',
    (text) => ({ method: 'POST', body: 'token=x', headers: { origin: `https://${text}` } }),
  ),
};

const READERS: Readonly<Record<string, Work>> = {
  'If-None-Match of the metrics': header(metrics, '/api/metrics', 'if-none-match'),
  'If-None-Match of the feed': header(feed, '/api/feed', 'if-none-match'),
  'If-None-Match of a badge': header(badge, '/api/badge/a', 'if-none-match'),
  'an authorization': header(cron, '/api/cron', 'authorization'),
  "a signature's text": header(cron, '/api/cron', 'upstash-signature'),
  "a signature's digest": async (text) => {
    const url = 'https://pinger.test/api/cron';
    const claims = { body: text };
    const signature = sign({ key: KEY, url, at: Math.floor(Date.now() / 1000), claims });
    return signedCron(new Request(url, { method: 'POST', headers: { 'upstash-signature': signature } }));
  },
  "a target's id": inPath(keepalive, '/api/keepalive/'),
  "a page's path": inPath(page, '/t/'),
  "a badge's path": inPath(badge, '/api/badge/'),
  "a badge's label": inPath(badge, '/api/badge/a?label='),
  "a badge's window": inPath(badge, '/api/badge/a?window='),
  'a query': inPath(keepalive, '/api/keepalive?'),
  "maintenance's query": to(
    maintenance,
    (text) => `/api/maintenance?${text}`,
    () => ({ method: 'POST', body: '{"minutes":5}', headers: { authorization: `Bearer ${SECRET}` } }),
  ),
  "maintenance's body": json,
  "maintenance's reason": (text) => json(JSON.stringify({ minutes: 5, reason: text })),
  'stored maintenance': (text) => {
    const windows = [{ target: text, from: 0, to: 1, reason: text }];
    return Promise.resolve(readMaintenance(writeMaintenance(windows)));
  },
};

/** Ms of CPU that this process spends on it: what other processes do does not count. */
async function costOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Ms of CPU that no collector takes: what costs more is not measured again. */
const PLAIN = 1_000;

/** How much more work eight times the input is: the least of five measurements, since a collector may come between. */
async function growthOf(work: Work, filling: (length: number) => string): Promise<number> {
  const [short, long] = [filling(16 * KB), filling(16 * KB * GROWTH)];
  let least = Infinity;
  for (let i = 0; i < 5 && least >= MOST; i += 1) {
    const before = await costOf(() => work(short));
    const after = await costOf(() => work(long));
    least = Math.min(least, after / Math.max(LEAST, before));
    if (after > PLAIN) break;
  }
  return least;
}

function setUp(env: Record<string, string> = {}): void {
  const config = configOf({
    CRON_SECRET: SECRET,
    QSTASH_CURRENT_SIGNING_KEY: KEY,
    TARGET_A_URL: 'https://a.test/',
    ...env,
  });
  const { store } = new Books(60_000, config.targets);
  setApp({ config, store: { ...store, swap: () => Promise.resolve(true) } });
}
afterEach(() => setApp(null));

async function expectLinear(name: string, work: Work | undefined): Promise<void> {
  if (work === undefined) throw new Error('no such reader');
  for (const [what, filling] of Object.entries(FILLINGS)) {
    expect(await growthOf(work, filling), `${name} of ${what}`).toBeLessThan(MOST);
  }
}

describe('eight times the bytes are about eight times the work in', () => {
  it.each(Object.keys(READERS))('%s', async (name) => {
    setUp();
    await expectLinear(name, READERS[name]);
  });

  it.each(Object.keys(PRIVATE_READERS))('%s, where the status is private', async (name) => {
    setUp({ STATS_TOKEN: TOKEN });
    await expectLinear(name, PRIVATE_READERS[name]);
  });
});

describe('the server on one machine', () => {
  let server: Awaited<ReturnType<typeof serve>>;
  beforeAll(async () => {
    server = await serve(0);
  });
  afterAll(() => server.server.close());

  beforeEach(() => setUp({ STATS_TOKEN: TOKEN }));

  const send = (path: string, host: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const { port } = server;
      ask({ port, path, agent: false, setHost: false, headers: { host } }, (answer) => {
        answer.resume().once('end', () => resolve(answer.statusCode));
      })
        .once('error', reject)
        .end();
    });

  it.each([
    ['a name with a letter that no name has', '/', 'é.test', 400],
    ['a name longer than any', '/', `${'a.'.repeat(200)}test`, 400],
    ['a name in a path', `//${'é'.repeat(10)}/api/keepalive`.replaceAll('é', '%C3%A9'), 'a.test', 404],
    ['an address as a proxy gets it', 'http://xn--bcher-kva.test/api/health?x=1', 'a.test', 401],
    ['an IPv6 address', '/api/health', '[::1]:3000', 401],
    ['a path that no URL has', '/%', 'a.test', 404],
    ['a port that is none', '/', 'a.test:99999', 400],
  ])('answers %s', async (_, path, host, status) => {
    expect(await send(path, host)).toBe(status);
  });
});
