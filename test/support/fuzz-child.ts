import { isDeepStrictEqual } from 'node:util';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Binary, BSONRegExp, Code, Decimal128, EJSON, Long, MinKey, ObjectId, Timestamp } from 'bson';
import fc from 'fast-check';
import { DELETE as endMaintenance, POST as beginMaintenance } from '../../api/maintenance/[change].js';
import { POST as signIn } from '../../api/page/[page].js';
import { setApp } from '../../lib/app.js';
import { formatProblems, parseConfig, textsOf } from '../../lib/config/config.js';
import { SYSTEM_OPTIONS, TARGET_OPTIONS } from '../../lib/config/options.js';
import { warningsOf } from '../../lib/config/warnings.js';
import { verifySignature } from '../../lib/http/signature.js';
import { HttpParser } from '../../lib/probe/http-parser.js';
import { ProbeFailure } from '../../lib/probe/failure.js';
import { MongoReader, messageOf, parse, pick } from '../../lib/probe/mongo-message.js';
import { nextHop, redirectOf } from '../../lib/probe/redirect.js';
import { deflate, inflate } from '../../lib/record/codec/envelope.js';
import { TextError } from '../../lib/record/codec/text-error.js';
import { readIncident } from '../../lib/record/incidents.js';
import { readChecks, readLog } from '../../lib/record/log.js';
import { readMaintenance } from '../../lib/record/maintenance.js';
import { readNotes } from '../../lib/record/notes.js';
import { snapshotTime, readSnapshot } from '../../lib/record/snapshots.js';
import { OUTBOX_DICTIONARY, readOutbox, writeOutbox } from '../../lib/record/outbox-text.js';
import { OUTBOX_V1_DICTIONARY } from '../../lib/record/outbox-v1.js';
import { readState, writeState } from '../../lib/record/state.js';
import { STATE_V2_DICTIONARY } from '../../lib/record/state-v2.js';
import { STATE_V1_DICTIONARY } from '../../lib/record/state-v1.js';
import { ROOT } from './root.js';
import { framed } from './mongo.js';
import { openSqlite } from './stores.js';
import { configOf } from './runs.js';
import { sign } from './signature.js';
import { tampered } from './tamper.js';

/** What a process is to read, and for how long. */
export interface FuzzOrder {
  readonly reader: FuzzReader;
  readonly seed: number;
  readonly seconds: number;
}

/** Sent now and then, and once more with `end`. */
export interface FuzzProgress {
  readonly inputs: number;
  /** In use after a collection, in bytes. */
  readonly heap: number;
  /** What an input did that none may do, as fast-check tells it with the seed and the smallest input; null: none did. */
  readonly end?: { readonly problem: string | null };
}

/** A reader of foreign bytes: what it is fed, and what must hold of each input (it throws where that does not). */
interface Fuzzed<T> {
  readonly inputs: fc.Arbitrary<T>;
  readonly read: (input: T) => void | Promise<void>;
}

let read = 0;
const fuzzed = <T>(each: Fuzzed<T>) =>
  fc.asyncProperty(each.inputs, async (input) => {
    read++;
    await progress();
    await each.read(input);
  });

const SECRET = 'canary-of-the-fuzzer-0123456789';
const PAGE = 'https://pinger.test';
const MAX_BODY = 1_000;
const LARGEST_ANSWER = 100_000;

const OK = 'HTTP/1.1 200 OK\r\n';
const ANSWERS = [
  `${OK}Content-Type: text/html; charset=utf-8\r\nContent-Length: 12\r\nServer: x\r\n\r\n<html></html>`,
  `${OK}Transfer-Encoding: chunked\r\n\r\n4\r\nwiki\r\nA;x="y"\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n`,
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.0 302 Found\r\nLocation: https://b.test/x\r\n\r\nbody until the end',
  'HTTP/1.1 503 Service Unavailable\nretry-after: 5\n folded: x\n\nbusy',
];
const ANSWER_PIECES = [
  ...[
    '\r\n',
    '\n',
    '\r',
    ' ',
    '\t',
    ':',
    ';',
    ',',
    '0',
    'ffffffff',
    '\0',
    '\xff',
    'HTTP/1.1 ',
    '99999999999',
  ],
  ...['content-length: ', 'transfer-encoding: ', 'chunked', '101', '1xx', '0\r\n\r\n', ' \r\n\t'],
];

function answerOf(text: string, cuts: readonly number[], keepBody: boolean): unknown {
  const reader = new HttpParser({ method: 'GET', maxBody: MAX_BODY, keepBody, onHead: () => true });
  const bytes = Buffer.from(text, 'latin1');
  try {
    let from = 0;
    for (const cut of [...cuts].sort((a, b) => a - b)) {
      const to = Math.min(bytes.length, cut);
      if (to > from) reader.read(bytes.subarray(from, to));
      from = Math.max(from, to);
    }
    if (from < bytes.length) reader.read(bytes.subarray(from));
    reader.end();
  } catch (error) {
    if (error instanceof ProbeFailure) return error.message;
    throw error;
  }
  if (reader.body.length > MAX_BODY) throw new Error('the body is longer than its cap');
  return [reader.statusCode, [...reader.headers], reader.cut || reader.body.toString('latin1')];
}

const BSON_VALUES = {
  ...{
    text: 'x',
    number: 1.5,
    whole: 7,
    long: Long.fromNumber(2 ** 40),
    is: true,
    none: null,
    date: new Date(0),
  },
  ...{ expression: new BSONRegExp('a+', 'i'), bytes: new Binary(Buffer.from('abc')), code: new Code('f()') },
  ...{ scoped: new Code('f()', { a: 1 }), id: new ObjectId('0123456789abcdef01234567'), least: new MinKey() },
  ...{ decimal: Decimal128.fromString('1.5'), at: Timestamp.fromBits(1, 2), list: [1, ['x', {}]] },
};
const MONGO_QUESTION = messageOf({ ping: 1 }, 1);
const MONGO_ANSWERS = [
  { ok: 1 },
  { ok: 0, code: 13, errmsg: 'not authorized' },
  { ok: 1, cursor: { id: Long.ZERO, ns: 'a.b', firstBatch: [BSON_VALUES, { a: 1 }] } },
  { ...BSON_VALUES, ok: 1 },
].map((answer) => framed(answer, MONGO_QUESTION).toString('latin1'));
const BSON_PIECES = [
  '\0',
  '\x01',
  '\x02',
  '\x03',
  '\x04',
  '\x05',
  '\x0b',
  '\x0f',
  '\xff',
  '\x7f',
  '\0\0\0\0',
  '\xff\xff\xff\xff',
];

function mongoAnswerOf(bytes: Buffer, cuts: readonly number[]): void {
  const reader = new MongoReader(1, LARGEST_ANSWER);
  try {
    const ends = [...cuts.filter((cut) => cut < bytes.length), bytes.length].sort((a, b) => a - b);
    ends.forEach((end, index) => {
      if (!reader.isOver) reader.read(bytes.subarray(ends[index - 1] ?? 0, end));
    });
    if (!reader.isOver) return;
    EJSON.stringify(parse(pick(reader.document, new Set(['ok', 'cursor'])), 'firstBatch'));
    EJSON.stringify(parse(reader.document));
  } catch (error) {
    if (!(error instanceof ProbeFailure)) throw error;
  }
}

const LOCATIONS = [
  ...[
    '/',
    '',
    '//b.test/x',
    '../..',
    '?q=1#f',
    'https://user:password@b.test:8443/a%20b?c',
    'http://[::1]:80/',
  ],
  ...['http://127.1/', 'https://xn--bcher-kva.test/', 'javascript:alert(1)', 'file:///etc/passwd', 'data:,x'],
];
const LOCATION_PIECES = [
  ...['://', '@', ':', '/', '\\', '#', '?', '%', '%00', '%2e%2e', '\t', '\0', '\xc3\xbc', '[', ']', '..'],
  ...['http', 'https', 'ftp', '0x7f', '４', '⑨', ' '],
];

const VALUES = [
  ...[
    'https://user:secret@example.com:8443/path?query=1#fragment',
    'redis://default:secret@host:6379/2',
    'off',
  ],
  ...['{"Authorization":"Bearer secret"}', '200-299,404', 'Mon-Fri 08:00-18:00 Europe/Berlin', '5m', '1d12h'],
  ...[
    '/^ok$/i',
    'status = "ok"',
    'smtps://user:secret@mail.example.com:465',
    'a@example.com, B <b@example.com>',
  ],
  ...['slack,telegram', 'true', '10', '1mb', '2026-01-01T00:00/2026-01-02T00:00'],
];
const NAMES = [
  ...['TARGET_A_URL', 'KEEP_ALIVE_URLS', 'REDIS_URL', 'CRON_SECRET', 'ALERT_SLACK_URL', 'P_KV_REST_API_URL'],
  ...Object.keys(SYSTEM_OPTIONS),
  ...Object.keys(TARGET_OPTIONS).flatMap((option) => [`TARGET_A_${option}`, `KEEP_ALIVE_${option}`]),
  ...['TARGET_CONSTRUCTOR_URL', '__proto__', 'TARGET___PROTO___URL', 'toString'],
];
const TEXT_PIECES = [
  ...[
    ' ',
    ',',
    ';',
    ':',
    '/',
    '@',
    '%',
    '"',
    '{',
    '}',
    '[',
    ']',
    '\\',
    '-',
    '_',
    '0',
    '9',
    'e',
    '\n',
    '\0',
    '(',
  ],
  ...['TARGET_', 'KEEP_ALIVE_', '_URL', '://', '\xe9', '\u2028', '*', '+', '(a+)+'],
];

const BODIES = [
  ...['{"minutes":30,"reason":"deploy"}', '{"target":"a","minutes":1e3}', '{"target":null}', '{}', ''],
  ...['token=wrong&next=/t/a', 'action=sign-out', `{"minutes":5,"reason":"\u202e"}`, '[[[]]]', '"x"'],
];
const BODY_PIECES = [
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    ':',
    ',',
    '\\u0000',
    '\\ud800',
    '1e999',
    '-0',
    'null',
    '&',
    '=',
    '%',
    '%ff',
    '+',
  ],
  ...['"__proto__":{}', '"constructor":1', '"target":"b"', '\xff\xfe'],
];

const KEY = 'sig_of_32_characters_for_the_fuzz';
const CRON = `${PAGE}/api/cron`;
const GENUINE = sign({ key: KEY, url: CRON, at: Math.floor(Date.now() / 1000), claims: { exp: 4e9 } });
const SIGNATURES = [
  GENUINE,
  sign({ key: KEY, url: `${PAGE}/elsewhere`, at: 1, claims: { exp: 4e9 } }),
  sign({ key: 'another', url: CRON, at: 1, claims: { exp: 4e9 } }),
  sign({ key: KEY, url: CRON, at: 1, claims: { exp: 4e9 }, header: { alg: 'none' } }),
  sign({ key: KEY, url: CRON, at: 1, claims: { exp: 4e9 }, header: { crit: ['exp'], b64: false } }),
];
const signed = (token: string) => token.slice(0, token.lastIndexOf('.'));

const DICTIONARIES = [STATE_V2_DICTIONARY, OUTBOX_DICTIONARY, STATE_V1_DICTIONARY, OUTBOX_V1_DICTIONARY];

/** Texts of all versions from the golden files. */
const STORED = [1, 2, 3, 4].flatMap((version) => {
  const file = join(ROOT, `test/record/golden/version-${version}.json`);
  const texts: string[] = [];
  JSON.parse(readFileSync(file, 'utf8'), (name, value: unknown) => {
    if (name === 'text' && typeof value === 'string') texts.push(value);
    return value;
  });
  return texts;
});
const STORED_PIECES = [
  ' 2',
  ' 3',
  ' 4',
  ' 5',
  ' ',
  '!',
  '~~~~~~~~~',
  '[',
  ']',
  '0',
  '1e15',
  'null',
  '"__proto__":',
  '{}',
  ',',
];
const STORED_READERS: Readonly<Record<string, (text: string) => unknown>> = {
  state: (text) => writeState(readState(text)),
  outbox: (text) => writeOutbox(readOutbox(text), 1_767_614_400_000),
  snapshots: (text) => {
    const snapshot = readSnapshot(text, snapshotTime('h48', text), () => 0);
    return snapshot !== null && 'targets' in snapshot
      ? snapshot.targets.map((target) => target?.latencies.size)
      : snapshot;
  },
  log: (text) => [readLog(text), readChecks([text], 1, 1_767_614_400_000)],
  incident: readIncident,
  maintenance: readMaintenance,
  notes: readNotes,
};

/** What deflated texts hold, as it is before it is deflated: tampered, it is packed again. */
const PACKED = STORED.flatMap((text) => {
  const isDeflated = text.length > 300 && !text.includes('[');
  return isDeflated ? [unpacked(text)].filter((found) => found !== null) : [];
});

function unpacked(text: string): { dictionary: Buffer; head: string; inner: string } | null {
  const head = text.startsWith(' ') ? text.slice(0, 2) : '';
  for (const dictionary of DICTIONARIES) {
    try {
      const inner = inflate(text.slice(head.length), dictionary, 'it');
      if (/^(\[1,\{"revision"|1 \d+ \{|[!-~]{7}\S)/.test(inner)) return { dictionary, head, inner };
    } catch {
      // Deflated with another one.
    }
  }
  return null;
}

const cuts = fc.array(fc.oneof(fc.nat(60), fc.nat(2_000)), { maxLength: 8 });
const request = (path: string, init: RequestInit) => new Request(PAGE + path, init);

const READERS = {
  'HTTP answer': fuzzed({
    inputs: fc.tuple(tampered(ANSWERS, ANSWER_PIECES), cuts, fc.boolean()),
    read([text, at, keepBody]) {
      const [whole, pieces] = [answerOf(text, [], keepBody), answerOf(text, at, keepBody)];
      if (!isDeepStrictEqual(whole, pieces)) throw new Error('it depends on how the bytes are cut');
    },
  }),
  'MongoDB answer': fuzzed({
    inputs: fc.tuple(tampered(MONGO_ANSWERS, BSON_PIECES), fc.boolean(), cuts),
    read([text, isWhole, at]) {
      const bytes = Buffer.from(text, 'latin1');
      // With its true lengths, more of what follows is read.
      if (isWhole && bytes.length > 25) {
        bytes.writeInt32LE(bytes.length, 0);
        bytes.writeInt32LE(bytes.length - 21, 21);
      }
      mongoAnswerOf(bytes, at);
    },
  }),
  'redirect target': fuzzed({
    inputs: fc.tuple(tampered(LOCATIONS, LOCATION_PIECES), fc.constantFrom(301, 302, 303, 307, 308, 200)),
    read([text, status]) {
      const from = {
        url: new URL('https://a.test/x?y'),
        method: 'POST',
        body: SECRET,
        headers: { cookie: SECRET },
      };
      try {
        const location = redirectOf(status, new Map([['location', text]]));
        if (location === null) return;
        const to = nextHop(from, location, status);
        if (!/^https?:$/.test(to.url.protocol)) throw new Error('it leads to another protocol');
        const isSameName = to.url.hostname === from.url.hostname;
        if (to.body === SECRET && !isSameName) throw new Error('the body goes to another name');
        const leaks = Object.values(to.headers).includes(SECRET);
        if (leaks && to.url.origin !== from.url.origin) throw new Error('a header goes to another origin');
      } catch (error) {
        if (!(error instanceof ProbeFailure)) throw error;
      }
    },
  }),
  configuration: fuzzed({
    inputs: fc.array(
      fc.tuple(
        fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...NAMES) }, tampered(NAMES, TEXT_PIECES)),
        tampered(VALUES, TEXT_PIECES),
        fc.boolean(),
      ),
      { maxLength: 12 },
    ),
    read(entries) {
      const env = Object.fromEntries(
        entries.map(([name, value, isSecret]) => [name, isSecret ? value + SECRET : value]),
      );
      const result = parseConfig(env);
      const warnings = warningsOf(textsOf(env)).map(({ message }) => message);
      const problems = result.ok ? '' : formatProblems(result.problems);
      const values = new Set(
        entries.flatMap(([name]) => (name.includes(SECRET) ? [] : [problems, ...warnings])),
      );
      if ([...values].some((text) => text.includes(SECRET))) throw new Error('a message shows a value');
    },
  }),
  'request body': fuzzed({
    inputs: fc.tuple(
      fc.constantFrom('begin', 'end', 'note', 'sign in'),
      tampered(BODIES, BODY_PIECES),
      fc.boolean(),
    ),
    async read([call, text, isForm]) {
      const body = Buffer.from(text, 'latin1');
      const headers = {
        authorization: `Bearer ${SECRET}`,
        'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json',
      };
      const answer = await {
        begin: () => beginMaintenance(request('/api/maintenance', { method: 'POST', body, headers })),
        end: () => endMaintenance(request('/api/maintenance', { method: 'DELETE', body, headers })),
        note: () => beginMaintenance(request('/api/notes', { method: 'POST', body, headers })),
        'sign in': () => signIn(request('/sign-in', { method: 'POST', body, headers })),
      }[call]();
      if (answer.status >= 500) throw new Error(`it answers ${answer.status}`);
      if ((await answer.text()).includes(SECRET)) throw new Error('it shows the secret');
    },
  }),
  'stored text': fuzzed({
    inputs: fc.tuple(
      fc.constantFrom(...Object.keys(STORED_READERS)),
      fc.oneof(
        tampered(STORED, STORED_PIECES),
        fc
          .constantFrom(...PACKED)
          .chain(({ dictionary, head, inner }) =>
            tampered([inner], STORED_PIECES).map((text) => head + deflate(text, dictionary, 1)),
          ),
      ),
    ),
    read([format, text]) {
      try {
        new Map(Object.entries(STORED_READERS)).get(format)?.(text);
      } catch (error) {
        if (!(error instanceof TextError)) throw error;
      }
    },
  }),
  signature: fuzzed({
    inputs: tampered(SIGNATURES, ['.', '=', '-', '_', 'e30', 'eyJhbGciOiJub25lIn0', 'A', ' ', '\0', '\xff']),
    async read(text) {
      const called = request('/api/cron', { method: 'POST' });
      const verdict = await verifySignature(called, text, { urls: [CRON], keys: [KEY] });
      if (verdict.problem === null && signed(text) !== signed(GENUINE)) throw new Error('it was not signed');
    },
  }),
};

export type FuzzReader = keyof typeof READERS;

/** Between two looks at the memory, in ms. */
const LOOKS_EVERY = 1_000;
let nextLook = 0;

async function progress(): Promise<void> {
  if (performance.now() < nextLook) return;
  nextLook = performance.now() + LOOKS_EVERY;
  // Node frees what zlib holds only in a turn of the event loop.
  global.gc?.();
  await new Promise(setImmediate);
  tell();
}

function tell(end?: FuzzProgress['end']): void {
  global.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.({ inputs: read, heap: heapUsed + external, ...(end && { end }) } satisfies FuzzProgress);
}

process.once('message', (order) => void work(order as FuzzOrder));

async function work({ reader, seed, seconds }: FuzzOrder): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'keepalive-fuzz-'));
  const store = openSqlite(join(home, 'keepalive.db'));
  const config = configOf({
    TARGET_A_URL: 'https://a.test/',
    CRON_SECRET: SECRET,
    STATS_TOKEN: `${SECRET}-2`,
  });
  setApp({ config, store });
  const property = READERS[reader] as fc.IAsyncProperty<unknown>;
  const { failed, ...found } = await fc.check(property, {
    seed,
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: seconds * 1_000,
  });
  tell({
    problem: failed ? (fc.defaultReportMessage({ failed, ...found } as fc.RunDetails<unknown>) ?? '') : null,
  });
  await store.close();
  rmSync(home, { recursive: true });
  process.disconnect();
}
