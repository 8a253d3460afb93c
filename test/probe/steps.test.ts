import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { createProber } from '../../lib/probe/probe.js';
import { createAuthority } from '../support/certificates.js';
import { serveTcp, serveTls } from '../support/servers.js';
import { someTarget, type TargetOptions } from '../support/targets.js';

const never = new AbortController().signal;
const authority = createAuthority('Test CA');
const pair = authority.issue(['127.0.0.1']);
const prober = createProber({ ca: [authority.ca] });
afterAll(() => prober.close());
const attempt = (url: string, options: TargetOptions = {}) => prober.attempt(someTarget(url, options), never);

const good = { outcome: 'good', message: null };
const missed = (line: number) => ({
  outcome: 'failed',
  reason: 'query',
  message: `what line ${line} of QUERY expects did not come`,
});
const lines = (...all: string[]) => all.join('\n');

/** A server that greets, and answers each line; `null` closes. */
const server = (greeting: string, answers: Readonly<Record<string, string | null>>) => {
  const known = new Map(Object.entries(answers));
  return (socket: Socket): void => {
    socket.write(greeting);
    let rest = '';
    socket.on('data', (bytes) => {
      rest += bytes.toString('latin1');
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
        const answer = known.get(rest.slice(0, end + 1));
        rest = rest.slice(end + 1);
        if (answer === null) socket.end();
        else if (answer !== undefined) socket.write(answer);
      }
    });
  };
};

const irc = server('', {
  'NICK a\n': '',
  'USER a\n': ':x NOTICE\r\nPING :8f21\r\n',
  'PONG 8f21\r\n': ':x 001 a\r\n',
});

describe('a dialogue over TCP', () => {
  test.each<[string, (socket: Socket) => void, string, object]>([
    [
      'with what was found',
      irc,
      lines(
        'send NICK a\\n',
        'send USER a\\n',
        'expect /^PING :([^ ]+)/',
        'send PONG \\1',
        'expect /^:[^ ]+ 001/',
      ),
      good,
    ],
    [
      'by texts',
      server('220 hi\r\n', { 'EHLO a\r\n': '250-SIZE\r\n250 OK\r\n' }),
      lines('expect 220', 'send EHLO a', 'expect 250 OK'),
      good,
    ],
    [
      'with lines in one piece',
      server('220 a\r\n250 b\r\n', {}),
      lines('expect /^220/', 'expect /^250/'),
      good,
    ],
    [
      'of which an expression is in one line alone',
      server('220 a\r\n250 b\r\n', {}),
      lines('expect /^220/', 'expect /220.*250/'),
      { reason: 'timeout' },
    ],
    [
      'with a line that has no end',
      server('login: ', { 'me\r\n': 'welcome' }),
      lines('expect /login: $/', 'send me', 'expect welcome'),
      good,
    ],
    [
      'whose server goes',
      server('220 a\r\n', { 'QUIT\r\n': null }),
      lines('expect 220', 'send QUIT', 'expect 221'),
      missed(3),
    ],
    ['whose last line is sent', server('220 a\r\n', {}), lines('expect 220', 'send QUIT'), good],
    [
      'that floods',
      (socket) => socket.write('x'.repeat(5_000)),
      lines('expect 220', 'send a'),
      { reason: 'too_large' },
    ],
    [
      'that floods with lines',
      (socket) => socket.write(`${'x'.repeat(99)}\n`.repeat(50)),
      lines('expect /^220/', 'send a'),
      { reason: 'too_large' },
    ],
  ])('%s', async (_name, talk, query, expected) => {
    const { port } = await serveTcp(talk);
    const options = {
      query,
      maxBody: 4_096,
      timeout: 'reason' in expected && expected.reason === 'timeout' ? 900 : 10_000,
    };
    expect(await attempt(`tcp://127.0.0.1:${port}`, options)).toMatchObject(expected);
  });

  test('is judged by the other options too', async () => {
    const { port } = await serveTcp(server('220 hi\r\n', { 'a\r\n': 'b\r\n' }));
    const query = lines('expect 220', 'send a', 'expect b');
    const reject = { assertions: { rejectBody: { kind: 'text', text: '220 hi' } as const } };
    expect(await attempt(`tcp://127.0.0.1:${port}`, { query, ...reject })).toMatchObject({ reason: 'body' });
  });

  const startTls = (socket: Socket): void => {
    socket.write('220 hi\r\n');
    socket.once('data', (bytes) => {
      if (bytes.toString() !== 'STARTTLS\r\n') return;
      socket.write('220 go\r\n');
      const secured = new TLSSocket(socket, { isServer: true, key: pair.key, cert: pair.cert });
      secured.on('error', () => undefined).on('data', (line: Buffer) => secured.write(`250 ${String(line)}`));
    });
  };
  const mail = lines(
    'expect /^220/',
    'send STARTTLS',
    'expect /^220 go/',
    'starttls',
    'send EHLO a',
    'expect /^250 EHLO a$/',
  );

  test('goes on with TLS, whose certificate is judged', async () => {
    const { port } = await serveTcp(startTls);
    const address = `tcp://127.0.0.1:${port}`;
    const attempted = await attempt(address, { query: mail });
    expect(attempted).toMatchObject(good);
    expect(attempted.tlsExpiresAt).not.toBeNull();
    const stranger = createProber();
    onTestFinished(() => stranger.close());
    const strange = (tlsVerify: boolean) =>
      stranger.attempt(someTarget(address, { query: mail, tlsVerify }), never);
    expect(await strange(true)).toMatchObject({ reason: 'tls' });
    expect(await strange(false)).toMatchObject(good);
  });
});

describe('what is asked behind a TLS handshake', () => {
  test.each<[TargetOptions, object]>([
    [{}, good],
    [{ assertions: { expectBody: { kind: 'regex', source: '^\\+OK', flags: '' } } }, good],
    [{ assertions: { expectBody: { kind: 'text', text: 'no' } }, timeout: 600 }, { outcome: 'failed' }],
    [{ query: 'a', assertions: { expectBody: { kind: 'text', text: 'b' } } }, good],
    [{ query: lines('expect +OK', 'send a', 'expect /^b/') }, good],
  ])('%j', async (options, expected) => {
    const { port } = await serveTls(pair, server('+OK ready\r\n', { 'a\r\n': 'b\r\n' }));
    expect(await attempt(`tls://127.0.0.1:${port}`, options)).toMatchObject(expected);
  });
});

describe('a dialogue over WebSocket', () => {
  test.each<[string, string, object]>([
    ['that fits', lines('expect /^Hello, (.+)$/', 'send I am \\1', 'expect /^Welcome you/'), good],
    ['that begins with a message', lines('send a', 'send b\\x21', 'expect /^got b!$/'), good],
    ['that does not fit', lines('expect /^Hello/', 'send x', 'expect /^Welcome/'), missed(3)],
  ])('%s', async (_name, query, expected) => {
    const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    sockets.on('connection', (client) => {
      client.send('Hello, you');
      client.on('message', (data: Buffer) => {
        const text = String(data);
        client.send(text === 'I am you' ? 'Welcome you' : `got ${text}`);
      });
    });
    await new Promise((resolve) => sockets.once('listening', resolve));
    onTestFinished(() => sockets.close());
    const { port } = sockets.address() as AddressInfo;
    const timeout = expected === good ? 10_000 : 600;
    expect(await attempt(`ws://127.0.0.1:${port}/`, { query, timeout })).toMatchObject(expected);
  });
});
