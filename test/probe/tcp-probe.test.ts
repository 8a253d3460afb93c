import type { Socket } from 'node:net';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { createProber } from '../../lib/probe/probe.js';
import { startRedis } from '../support/redis.js';
import { closedPort, serveTcp } from '../support/servers.js';
import { someTarget, type TargetOptions } from '../support/targets.js';

const never = new AbortController().signal;
const prober = createProber();
afterAll(() => prober.close());
const attempt = (port: number, options?: TargetOptions, signal = never) =>
  prober.attempt(someTarget(`tcp://127.0.0.1:${port}`, options), signal);

const text = (wanted: string) => ({ kind: 'text', text: wanted }) as const;
const regex = (source: string) => ({ kind: 'regex', source, flags: '' }) as const;

/** Sends each piece when so many ms have gone by. */
const slowly =
  (...pieces: readonly (readonly [after: number, piece: string])[]) =>
  (socket: Socket) =>
    void pieces.reduce((before, [after, piece]) => {
      setTimeout(() => socket.writable && socket.write(piece, 'latin1'), before + after);
      return before + after;
    }, 0);

/** Answers every line by what is said of it. */
const dialogue =
  (greeting: string, answers: Readonly<Record<string, string>>) =>
  (socket: Socket): void => {
    socket.write(greeting);
    socket.on('data', (bytes) => {
      const known = new Map(Object.entries(answers)).get(bytes.toString('latin1'));
      if (known !== undefined) socket.write(known);
    });
  };

const GOOD = { outcome: 'good', statusCode: null, reached: true };
const hello = dialogue('220 ready\r\n', { 'VERSION\r\n': 'v1.2\r\n', '\xff\0': 'bytes', 'a\nb\n': 'two' });
const failed = (reason: string, message: string) => ({ outcome: 'failed', reason, message });

describe('what is sent, and what comes back', () => {
  test.each<[string, (socket: Socket) => void, TargetOptions, object]>([
    ['a greeting', hello, { assertions: { expectBody: text('220') } }, GOOD],
    ['a greeting and an answer', hello, { query: 'VERSION', assertions: { expectBody: text('v1.2') } }, GOOD],
    ['bytes', hello, { query: '\\xff\\0\\n', assertions: { expectBody: text('220') } }, GOOD],
    ['two lines', hello, { query: 'a\\nb\\n', assertions: { expectBody: text('two') } }, GOOD],
    ['a line, and anything', hello, { query: 'VERSION' }, GOOD],
    [
      'an expression, after a pause',
      slowly([0, '220 wait\r\n'], [250, 'v1'], [250, '.2\r\n']),
      { assertions: { expectBody: regex('v\\d\\.\\d') } },
      GOOD,
    ],
    [
      'a text that comes byte by byte',
      slowly(...Array.from('hello world', (char) => [5, char] as const)),
      { assertions: { expectBody: text('o wor') } },
      GOOD,
    ],
    [
      'an expression, byte by byte',
      slowly(...Array.from('hello world', (char) => [20, char] as const)),
      { assertions: { expectBody: regex('o w.r') } },
      GOOD,
    ],
    [
      'JSON',
      slowly([0, '{"status":'], [20, '"ok"}\n']),
      { assertions: { expectJson: 'status = "ok"' } },
      GOOD,
    ],
    [
      'JSON that degrades',
      slowly([0, '{"load":9}\n']),
      { assertions: { degradedJson: 'load > 5' } },
      { outcome: 'degraded', message: 'degraded by JSON expression' },
    ],
    ['nothing that is rejected', hello, { assertions: { rejectBody: text('error') } }, GOOD],
    [
      'what is rejected, behind what is expected',
      slowly([0, 'OK\r\n'], [50, 'error\r\n']),
      { assertions: { expectBody: text('OK'), rejectBody: text('error') } },
      failed('body', 'rejected text found'),
    ],
    [
      'what is rejected, behind an expression',
      slowly([0, 'OK\r\n'], [300, 'error\r\n']),
      { assertions: { expectBody: regex('OK'), rejectBody: text('error') } },
      failed('body', 'rejected text found'),
    ],
    [
      'another text, and an end',
      (socket) => socket.end('SSH-2.0\r\n'),
      { assertions: { expectBody: text('220') } },
      failed('body', 'expected text not found'),
    ],
    [
      'the expected text, and a reset',
      (socket) => socket.write('220', () => setTimeout(() => socket.resetAndDestroy(), 100)),
      { assertions: { expectBody: text('220'), rejectBody: text('x') } },
      GOOD,
    ],
    [
      'no UTF-8',
      (socket) => socket.end(Buffer.from([0xff, 0xfe, 0x4f, 0x4b])),
      { assertions: { expectBody: text('OK') } },
      GOOD,
    ],
  ])('%s', async (_name, serve, options, expected) => {
    const result = await attempt((await serveTcp(serve)).port, options);
    expect(result).toMatchObject(expected);
    const { connect, ttfb, total } = result.timings;
    expect((connect ?? 0) + (ttfb ?? NaN)).toBeLessThanOrEqual(total + 0.2);
  });

  const waiting = { assertions: { expectBody: text('220') }, timeout: 700 };
  const endless = (socket: Socket) => {
    const more = () => {
      while (socket.writable && socket.write(Buffer.alloc(65_536, 'x')));
    };
    socket.on('drain', more);
    more();
  };
  test.each<[string, (socket: Socket) => void, TargetOptions, object]>([
    ['silence', () => undefined, waiting, failed('timeout', 'timed out waiting for the answer')],
    [
      'another text',
      (socket) => socket.write('hello\r\n'),
      waiting,
      failed('timeout', 'timed out waiting for the expected text'),
    ],
    [
      'bytes without a pause',
      slowly(...Array.from({ length: 400 }, () => [10, 'x'] as const)),
      { ...waiting, assertions: { expectBody: regex('y$') } },
      failed('timeout', 'timed out waiting for the expected text'),
    ],
    ['no end', endless, { ...waiting, timeout: 20_000 }, failed('too_large', 'body too large')],
    [
      'no end, though rejected',
      endless,
      { assertions: { rejectBody: text('y') }, timeout: 20_000 },
      failed('too_large', 'body too large'),
    ],
    ['a close', (socket) => socket.destroy(), { query: 'x' }, { outcome: 'failed', reason: 'reset' }],
    ['an end', (socket) => socket.end(), { query: 'x' }, failed('reset', 'connection closed early')],
    ['a reset', (socket) => socket.resetAndDestroy(), { query: 'x' }, { outcome: 'failed', reason: 'reset' }],
  ])('a server that answers with %s', async (_name, serve, options, expected) => {
    expect(await attempt((await serveTcp(serve)).port, options)).toMatchObject(expected);
  });
});

test('what comes while an expression is being looked for is looked at too', async () => {
  // Its first expression starts a process, which takes longer than the second piece.
  const other = createProber();
  onTestFinished(() => other.close());
  const { port } = await serveTcp(slowly([0, 'x'], [70, 'OK\r\n']));
  const target = someTarget(`tcp://127.0.0.1:${port}`, { assertions: { expectBody: regex('OK') } });
  expect(await other.attempt(target, never)).toMatchObject(GOOD);
});

test('the latency is the time of the bytes that decided', async () => {
  let decidedAfter = Infinity;
  const { port } = await serveTcp((socket) => {
    const begin = performance.now();
    // A timer counts from the beginning of its turn, and so may end early.
    setTimeout(() => {
      decidedAfter = performance.now() - begin;
      socket.write('OK\r\n');
    }, 100);
    setTimeout(() => socket.writable && socket.write('more\r\n'), 1_600);
  });
  const { timings } = await attempt(port, { assertions: { expectBody: text('OK'), rejectBody: text('x') } });
  expect(timings.total).toBeGreaterThanOrEqual(decidedAfter - 1);
  // It was over after a pause of half a second, which does not count.
  expect(timings.total - (timings.ttfb ?? 0) - (timings.connect ?? 0)).toBeLessThan(95);
});

test('where nothing is asked, nothing is waited for', async () => {
  const { port } = await serveTcp(() => undefined);
  expect(await attempt(port)).toMatchObject({ ...GOOD, timings: { ttfb: null } });
  expect(await attempt(await closedPort(), { query: 'x' })).toMatchObject({ reason: 'connect' });
});

test('an attempt that is cut short leaves nothing behind', async () => {
  const open = () =>
    process.getActiveResourcesInfo().filter((name) => /^(TCP|Timeout|Immediate)/.test(name)).length;
  const { port } = await serveTcp((socket) => socket.write('hello'));
  const before = open();
  const controller = new AbortController();
  const attempts = [text('y'), regex('y')].map((expectBody) =>
    attempt(port, { assertions: { expectBody } }, controller.signal),
  );
  setTimeout(() => controller.abort(), 30);
  for (const result of await Promise.all(attempts)) expect(result.interrupted).toBe(true);
  await expect.poll(open, { timeout: 5_000 }).toBeLessThanOrEqual(before);
});

test('a real server', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  for (const [query, source] of [
    ['PING', '^\\+PONG'],
    ['NONSENSE', '^-ERR'],
  ] as const) {
    expect(await attempt(redis.port, { query, assertions: { expectBody: regex(source) } })).toMatchObject(
      GOOD,
    );
  }
});
