import { randomInt } from 'node:crypto';
import { request } from 'node:http';
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, inject, test } from 'vitest';
import { HttpParser } from '../../lib/probe/http-parser.js';
import { ProbeFailure } from '../../lib/probe/failure.js';

interface Seen {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What is read of an answer that comes in these pieces, and then ends; the message of the failure where it fails. */
function readPieces(pieces: readonly Buffer[], method = 'GET', maxBody = 1_000_000): Seen | string {
  const reader = new HttpParser({ method, maxBody, keepBody: true, onHead: () => true });
  try {
    for (const piece of pieces) reader.read(piece);
    reader.end();
  } catch (error) {
    if (error instanceof ProbeFailure) return error.message;
    throw error;
  }
  const { statusCode, headers, body } = reader;
  return {
    status: statusCode,
    headers: Object.fromEntries(headers),
    body: body.toString('latin1'),
  };
}

const read = (text: string, method?: string) => readPieces([Buffer.from(text, 'latin1')], method);

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;
const noAnswer = 'no valid HTTP answer';
const early = 'connection closed early';
const tooLarge = 'headers too large';

describe('an answer', () => {
  test.each<[string, string, Partial<Seen>]>([
    ['with a length', `${OK}content-length: 2\r\n\r\nok`, { status: 200, body: 'ok' }],
    ['with a length, and more behind it', `${OK}content-length: 2\r\n\r\nokmore`, { body: 'ok' }],
    ['with the same length twice', `${OK}content-length: 2\r\ncontent-length: 2\r\n\r\nok`, { body: 'ok' }],
    ['after empty lines', `\r\n\n${OK}content-length: 2\r\n\r\nok`, { body: 'ok' }],
    ['of length 0', `${OK}content-length: 0\r\n\r\nmore`, { body: '' }],
    ['that ends with its connection', `${OK}\r\nok`, { body: 'ok' }],
    ['in chunks', `${CHUNKED}2\r\nok\r\nA;x="y"\r\n0123456789\r\n0\r\n\r\n`, { body: 'ok0123456789' }],
    ['in chunks, with trailers', `${CHUNKED}2\r\nok\r\n0\r\nx: y\r\n\r\nmore`, { body: 'ok' }],
    [
      'in chunks that are encoded',
      `${OK}transfer-encoding: gzip, Chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
      { body: 'ok' },
    ],
    [
      'in chunks, though it has a length',
      `${OK}content-length: 9\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`,
      { body: 'ok' },
    ],
    [
      'that is encoded but not in chunks',
      `${OK}transfer-encoding: chunked, gzip\r\n\r\nanything`,
      { body: 'anything' },
    ],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\n\r\nok', { body: 'ok' }],
    ['with a reason of any bytes', 'HTTP/1.1 200 \0\xff\r\ncontent-length: 0\r\n\r\n', { status: 200 }],
    ['without a reason', 'HTTP/1.1 503\r\ncontent-length: 0\r\n\r\n', { status: 503 }],
    ['whose lines end without CR', 'HTTP/1.1 200 OK\nx: y\ncontent-length: 2\n\nok', { body: 'ok' }],
    ['with a line without a colon', `${OK}header\r\na: b\r\n\r\n`, { headers: { a: 'b' } }],
    ['with a header without a name', `${OK}: x\r\n\r\n`, { headers: {} }],
    ['with a space before a colon', `${OK}content-length : 2\r\n\r\nok!`, { body: 'ok' }],
    ['with a space in a name', `${OK}a b: x\r\n c\r\n\r\n`, { headers: {} }],
    ['whose first header is folded', `${OK} a: x\r\n\r\n`, { headers: {} }],
    [
      'with cookies and places, which are not joined by commas',
      `${OK}set-cookie: a\r\nSet-Cookie: b, c\r\nlocation: /x\r\nlocation: /y\r\n\r\n`,
      { headers: { 'set-cookie': 'a\nb, c', location: '/x\n/y' } },
    ],
    [
      'after others that are interim',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n${OK}content-length: 2\r\n\r\nok`,
      { status: 200, body: 'ok', headers: { 'content-length': '2' } },
    ],
    ['204, which has no body', 'HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\n', { body: '' }],
    ['304, which has no body', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\n', { body: '' }],
    [
      'whose headers repeat, are folded, empty and odd',
      `${OK}X-A:1\r\nx-a: 2 \r\nB: \t\r\nc:d:e\r\n\tf\r\n$!: \xfc\r\ncontent-length:0\r\n\r\n`,
      { headers: { 'x-a': '1, 2', b: '', c: 'd:e f', '$!': '\xfc', 'content-length': '0' } },
    ],
  ])('%s', (_name, text, expected) => {
    expect(read(text)).toMatchObject(expected);
  });

  test('to HEAD ends with its head', () => {
    expect(read(`${OK}content-length: 5\r\n\r\n`, 'HEAD')).toMatchObject({ status: 200, body: '' });
    expect(read(CHUNKED, 'HEAD')).toMatchObject({ status: 200, body: '' });
  });

  test.each([
    ['nothing', '', early],
    ['half a status line', 'HTTP/1.1 20', early],
    ['half a head', `${OK}a: b\r\n`, early],
    ['half a body', `${OK}content-length: 9\r\n\r\nok`, early],
    ['half a chunk', `${CHUNKED}9\r\nok`, early],
    ['no last chunk', `${CHUNKED}2\r\nok\r\n`, early],
    ['no end of the trailers', `${CHUNKED}0\r\nx: y\r\n`, early],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', noAnswer],
    ['another protocol that says little', 'S', noAnswer],
    ['HTTP/0.9', '<html>ok</html>', noAnswer],
    ['HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n', noAnswer],
    ['a short status', 'HTTP/1.1 20 OK\r\n\r\n', noAnswer],
    ['a long status', 'HTTP/1.1 2000 OK\r\n\r\n', noAnswer],
    ['status 0', 'HTTP/1.1 000 OK\r\n\r\n', noAnswer],
    ['a status that is no number', 'HTTP/1.1 abc OK\r\n\r\n', noAnswer],
    ['NUL in a header', `${OK}a: \0\r\n\r\n`, noAnswer],
    ['a lone CR in a header', `${OK}a: b\rc: d\r\n\r\n`, noAnswer],
    ['a length that is no number', `${OK}content-length: 2x\r\n\r\nok`, 'wrong content length'],
    ['a negative length', `${OK}content-length: -2\r\n\r\nok`, 'wrong content length'],
    ['an empty length', `${OK}content-length:\r\n\r\nok`, 'wrong content length'],
    ['a length beyond numbers', `${OK}content-length: ${'9'.repeat(20)}\r\n\r\nok`, 'wrong content length'],
    ['two lengths', `${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nok`, 'wrong content length'],
    ['a chunk of no size', `${CHUNKED}\r\nok\r\n`, noAnswer],
    ['a chunk of negative size', `${CHUNKED}-2\r\nok\r\n`, noAnswer],
    ['a chunk whose size has a prefix', `${CHUNKED}0x2\r\nok\r\n`, noAnswer],
    ['a chunk beyond numbers', `${CHUNKED}${'f'.repeat(20)}\r\nok\r\n`, noAnswer],
    ['a chunk longer than its size', `${CHUNKED}2\r\nokay\r\n0\r\n\r\n`, noAnswer],
    ['a switch of protocols', 'HTTP/1.1 101 x\r\nupgrade: x\r\n\r\n', 'unexpected answer'],
    [
      'interim answers without end',
      'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(17),
      'too many interim answers',
    ],
    ['a huge status line', `HTTP/1.1 200 ${'x'.repeat(262_144)}`, tooLarge],
    ['a huge header', `${OK}x: ${'x'.repeat(262_144)}\r\n\r\n`, tooLarge],
    ['a huge extension of a chunk', `${CHUNKED}2;${'x'.repeat(16_384)}`, tooLarge],
    ['huge trailers', `${CHUNKED}0\r\n${'x: y\r\n'.repeat(4_000)}`, tooLarge],
  ])('that is none: %s', (_name, text, message) => {
    expect(read(text)).toBe(message);
    const bytes = Buffer.from(text, 'latin1');
    expect(readPieces(Array.from(bytes, (byte) => Buffer.of(byte)))).toBe(message);
  });

  test('is read as far as it is wanted', () => {
    const reader = (maxBody: number, onHead = () => true) =>
      new HttpParser({ method: 'GET', maxBody, keepBody: true, onHead });
    for (const body of ['', 'content-length: 5\r\n', 'transfer-encoding: chunked\r\n']) {
      const text = body.startsWith('t') ? '2\r\n01\r\n3\r\n234\r\n0\r\n\r\n' : '01234';
      const bytes = Buffer.from(`${OK}${body}\r\n${text}`);
      const whole = reader(5);
      whole.read(bytes);
      if (body === '') whole.end();
      expect({ isOver: whole.isOver, cut: whole.cut, body: whole.body.toString() }).toEqual({
        isOver: true,
        cut: false,
        body: '01234',
      });
      const cut = reader(4);
      cut.read(bytes);
      expect([cut.isOver, cut.cut]).toEqual([true, true]);
      const unwanted = reader(5, () => false);
      unwanted.read(bytes);
      expect([unwanted.isOver, unwanted.cut, unwanted.body.length]).toEqual([true, false, 0]);
    }
  });

  test('whose body nobody looks at is read and not kept', () => {
    const reader = new HttpParser({ method: 'GET', maxBody: 5, keepBody: false, onHead: () => true });
    reader.read(Buffer.from(`${OK}\r\n012`));
    reader.read(Buffer.from('34'));
    expect([reader.isOver, reader.cut, reader.body.length]).toEqual([false, false, 0]);
    reader.read(Buffer.from('5'));
    expect([reader.isOver, reader.cut, reader.body.length]).toEqual([true, true, 0]);
  });

  test('takes the memory of its body, however small its pieces are', () => {
    const size = 4_000_000;
    const reader = new HttpParser({ method: 'GET', maxBody: size, keepBody: true, onHead: () => true });
    const inUse = () => process.memoryUsage().heapUsed + process.memoryUsage().arrayBuffers;
    const before = inUse();
    reader.read(Buffer.from(CHUNKED));
    const chunks = Buffer.from('1\r\na\r\n'.repeat(10_000));
    for (let read = 0; read < size; read += 10_000) reader.read(chunks);
    const used = inUse() - before;
    expect(reader.body.length).toBe(size);
    // A Buffer for each piece would take more than 300 MB.
    expect(used).toBeLessThan(60_000_000);
  });
});

/** The same bytes, read by Node's own client. */
function readByNode(bytes: Buffer, method: string): Promise<Seen | null> {
  return new Promise((resolve) => {
    const connection = new Duplex({
      read: () => undefined,
      write(_chunk, _encoding, done) {
        done();
      },
    });
    const sent = request({ createConnection: () => connection, method, headers: { host: 'x' } });
    sent.on('error', () => resolve(null));
    sent.on('upgrade', () => resolve(null));
    sent.on('response', (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', () => resolve(null));
      answer.on('end', () => {
        const headers = new Map<string, string>();
        for (let i = 0; i < answer.rawHeaders.length; i += 2) {
          const name = answer.rawHeaders[i]?.toLowerCase() ?? '';
          const value = answer.rawHeaders[i + 1] ?? '';
          const before = headers.get(name);
          headers.set(name, before === undefined ? value : `${before}, ${value}`);
        }
        resolve({
          status: answer.statusCode ?? 0,
          headers: Object.fromEntries(headers),
          body: Buffer.concat(chunks).toString('latin1'),
        });
      });
    });
    sent.end();
    connection.push(bytes);
    connection.push(null);
  });
}

const bytesOf = (fits: RegExp, maxLength: number, minLength = 0) => {
  const units = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
  return fc.string({
    unit: fc.constantFrom(...units.filter((unit) => fits.test(unit))),
    minLength,
    maxLength,
  });
};
const token = bytesOf(/[A-Za-z0-9!#$%&'*+.^_`|~-]/, 12, 1);
const content = bytesOf(/[\t\x20-\x7e\x80-\xff]/, 20).map((text) => text.replace(/^[\t ]+|[\t ]+$/g, ''));
const framing = new Set(['content-length', 'transfer-encoding', 'connection', 'upgrade', 'trailer']);
const answers = fc
  .record({
    version: fc.constantFrom('1.0', '1.1'),
    status: fc.integer({ min: 200, max: 999 }),
    reason: content,
    fields: fc.array(fc.tuple(token, content), { maxLength: 6 }),
    body: fc.array(bytesOf(/^/, 30, 1), { maxLength: 5 }),
    end: fc.constantFrom('length', 'chunks', 'close'),
    interim: fc.integer({ min: 0, max: 2 }),
    method: fc.constantFrom('GET', 'GET', 'HEAD', 'POST'),
  })
  .map(({ version, status, reason, fields, body, end, interim, method }) => {
    const own = fields.filter(([name]) => !framing.has(name.toLowerCase()));
    const lines = own.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const whole = body.join('');
    const chunks = body.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('');
    const rest = {
      length: `content-length: ${whole.length}\r\n\r\n${whole}`,
      chunks: `transfer-encoding: chunked\r\n\r\n${chunks}0\r\n\r\n`,
      close: `\r\n${whole}`,
    }[end];
    const before = 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n'.repeat(interim);
    const hasBody = method !== 'HEAD' && status !== 204 && status !== 304;
    const head = `HTTP/${version} ${status} ${reason}\r\n${lines}`;
    return { method, text: `${before}${head}${hasBody ? rest : '\r\n'}` };
  });

test('an answer is read the same however it is cut', () => {
  fc.assert(
    fc.property(answers, fc.array(fc.nat(400)), ({ text, method }, cuts) => {
      const bytes = Buffer.from(text, 'latin1');
      const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
      const pieces = [0, ...at].map((from, i) => bytes.subarray(from, at[i]));
      expect(readPieces(pieces, method)).toEqual(readPieces([bytes], method));
    }),
  );
});

const isLong = inject('long');
/** FUZZ_SEED to see again what was seen with it. */
const seed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31));
/** Ms for each comparison with Node's parser in `npm run test:long`. */
const LONG_RUN = 10_000;

/** So many runs; in `npm run test:long`, as many as the time lets through. */
function runs(numRuns: number): fc.Parameters<unknown> {
  if (isLong) console.log(`compared with Node's parser for ${LONG_RUN / 1_000} s, seed ${seed}`);
  return isLong
    ? { seed, numRuns: 1_000_000_000, plugins: [fc.interruptAfterTimeLimit(LONG_RUN)] }
    : { seed, numRuns };
}

test('an answer is read as Node reads it', async () => {
  await fc.assert(
    fc.asyncProperty(answers, async ({ text, method }) => {
      const bytes = Buffer.from(text, 'latin1');
      expect(readPieces([bytes], method)).toEqual(await readByNode(bytes, method));
    }),
    runs(400),
  );
});

test('what Node reads of bytes that were tampered with is read the same, and the rest is a failure', async () => {
  const pieces = ['\r\n', '\n', ' ', ':', '\0', ',', ';', '0', 'HTTP/1.1 ', '\xff', 'chunked'];
  await fc.assert(
    fc.asyncProperty(
      answers,
      fc.array(fc.tuple(fc.nat(300), fc.nat(3), fc.constantFrom('', ...pieces)), {
        minLength: 1,
        maxLength: 3,
      }),
      async ({ text, method }, changes) => {
        const changed = changes.reduce(
          (before, [at, length, piece]) => before.slice(0, at) + piece + before.slice(at + length),
          text,
        );
        const bytes = Buffer.from(changed, 'latin1');
        const byNode = await readByNode(bytes, method);
        const found = readPieces([bytes], method);
        // Node takes a status of 000 to 099 too, and a lone CR for the end of some lines.
        if (byNode === null || byNode.status < 100 || /\r(?!\n)/.test(changed)) return;
        expect(found).toEqual(byNode);
      },
    ),
    runs(2_000),
  );
});
