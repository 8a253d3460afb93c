import type { Socket } from 'node:net';
import type { SMTPServerOptions } from 'smtp-server';
import { afterAll, describe, expect, test } from 'vitest';
import { createProber } from '../../lib/probe/probe.js';
import { createAuthority } from '../support/certificates.js';
import { closedPort, serveHttp, serveTcp, serveTls } from '../support/servers.js';
import { refusal, serveMail } from '../support/smtp.js';
import { someTarget, type TargetOptions } from '../support/targets.js';

const never = new AbortController().signal;
const authority = createAuthority('Test CA');
const pair = authority.issue(['127.0.0.1']);
const old = authority.issue(['127.0.0.1'], -30, -1);
const foreign = authority.issue(['other.test']);
const prober = createProber({ ca: [authority.ca] });
afterAll(() => prober.close());
const attempt = (url: string, options?: TargetOptions, signal = never) =>
  prober.attempt(someTarget(url, options), signal);

const LOGIN = 'user:s3cr3t%40x@';
/** STARTTLS is offered, and no certificate is asked for by default. */
const STARTTLS = { disabledCommands: [], hidePIPELINING: true, ...pair } satisfies SMTPServerOptions;
const SMTPS = { secure: true, ...pair } satisfies SMTPServerOptions;
const NO_TLS = {} satisfies SMTPServerOptions;
const GOOD = { outcome: 'good', reached: true, statusCode: null };
const failed = (reason: string, message: string) => ({ outcome: 'failed', reason, message });
const json = (expectJson: string) => ({ assertions: { expectJson } });
const OTHER_NAME = 'certificate is for another name: check the address, or get a certificate for this name';
const EXPIRED = 'certificate has expired: renew it (or the one that issued it), then reload the server';

describe('a real mail server', () => {
  const password: SMTPServerOptions['onAuth'] = ({ username, password: said }, _session, done) => {
    if (username === 'user' && said === 's3cr3t@x') done(null, { user: 'user' });
    else done(new Error('no'));
  };
  test.each<[string, 'smtp' | 'smtps', SMTPServerOptions, string, TargetOptions, object]>([
    ['without TLS', 'smtp', NO_TLS, '', json('tls = false'), { ...GOOD, tlsExpiresAt: null }],
    ['STARTTLS', 'smtp', STARTTLS, '', json('tls = true'), { ...GOOD, tlsExpiresAt: pair.expiresAt }],
    ['TLS', 'smtps', SMTPS, '', json('tls = true'), { ...GOOD, tlsExpiresAt: pair.expiresAt }],
    ['extensions', 'smtp', { ...STARTTLS, size: 1_000 }, '', json('"SIZE 1000" in extensions'), GOOD],
    [
      'a greeting',
      'smtps',
      { ...SMTPS, banner: 'Welcome' },
      '',
      { assertions: { expectBody: { kind: 'text', text: 'Welcome' } } },
      GOOD,
    ],
    ['an expectation', 'smtp', NO_TLS, '', json('tls'), failed('json', 'JSON expression is not true')],
    ['STARTTLS, expired', 'smtp', { ...STARTTLS, ...old }, '', {}, failed('tls', EXPIRED)],
    ['STARTTLS, expired', 'smtp', { ...STARTTLS, ...old }, '', { tlsVerify: false }, { outcome: 'degraded' }],
    ['STARTTLS, another name', 'smtp', { ...STARTTLS, ...foreign }, '', {}, failed('tls', OTHER_NAME)],
    ['TLS, another name', 'smtps', { ...SMTPS, ...foreign }, '', {}, failed('tls', OTHER_NAME)],
    ['TLS, expired', 'smtps', { ...SMTPS, ...old }, '', {}, failed('tls', EXPIRED)],
    ['a log in', 'smtp', { ...STARTTLS, onAuth: password }, LOGIN, {}, GOOD],
    ['a log in', 'smtps', { ...SMTPS, onAuth: password, authMethods: ['LOGIN'] }, LOGIN, {}, GOOD],
    [
      'a wrong password',
      'smtp',
      { ...STARTTLS, onAuth: password },
      'user:wrong@',
      {},
      failed('query', 'the mail server refuses the user name or password (535)'),
    ],
    [
      'a log in by other means',
      'smtps',
      { ...SMTPS, authMethods: ['XOAUTH2'] },
      LOGIN,
      {},
      failed('query', 'no log in: the mail server offers neither AUTH PLAIN nor AUTH LOGIN'),
    ],
    [
      'a log in without TLS',
      'smtp',
      NO_TLS,
      LOGIN,
      {},
      failed('tls', 'no log in: a password is sent over TLS only, and STARTTLS is not offered'),
    ],
    [
      'a block list',
      'smtp',
      { ...STARTTLS, onConnect: (_session, done) => done(refusal(554)) },
      '',
      {},
      failed('query', 'the mail server refuses the connection (554): our address may be on a block list'),
    ],
    [
      'greylisting',
      'smtps',
      { ...SMTPS, onConnect: (_session, done) => done(refusal(450)) },
      '',
      {},
      failed(
        'query',
        'the mail server refuses the connection temporarily (450): greylisting, or too many connections',
      ),
    ],
  ])('with %s', async (_name, scheme, options, login, targetOptions, expected) => {
    let logins = 0;
    const server = await serveMail({
      ...options,
      onAuth: (auth, session, done) => {
        logins++;
        if (options.onAuth) options.onAuth(auth, session, done);
        else done(null, { user: 'user' });
      },
    });
    const result = await attempt(`${scheme}://${login}127.0.0.1:${new URL(server.url).port}`, targetOptions);
    expect(result).toMatchObject(expected);
    expect(server.mails).toEqual([]);
    expect(logins).toBeLessThanOrEqual(login === '' ? 0 : 1);
    expect(JSON.stringify(result)).not.toMatch(/s3cr3t|wrong|dXNlcg/);
  });
});

/** Says the greeting, then the next answer for every line. Null ends the connection, a function takes it over. */
type Says = string | null | ((socket: Socket) => void);
const script =
  (...answers: readonly Says[]) =>
  (socket: Socket): void => {
    let nth = 0;
    const say = () => {
      const says = answers[nth++];
      if (says === null) socket.end();
      else if (typeof says === 'function') says(socket);
      else if (says !== undefined) socket.write(says);
    };
    say();
    socket.on('data', say);
  };
const bytewise = (text: string) => (socket: Socket) =>
  void [...Buffer.from(text)].reduce((after, byte) => {
    setTimeout(() => socket.writable && socket.write(Buffer.from([byte])), after);
    return after + 2;
  }, 0);
const endless = (text: string) => (socket: Socket) => {
  const more = () => {
    while (socket.writable && socket.write(text.repeat(1_000)));
  };
  socket.on('drain', more);
  more();
};

describe('a server that', () => {
  const hi = '220 mail.test ESMTP\r\n';
  const offers = '250-mail.test\r\n250-8BITMIME\r\n250 STARTTLS\r\n';
  const none = failed('protocol', 'no mail server answers there: check the address and the port');
  const closed = failed('reset', 'connection closed early');
  const answer = failed('timeout', 'timed out waiting for the answer');
  test.each<[string, (socket: Socket) => void, object]>([
    ['greets in one line, and offers nothing', script(hi, '250 mail.test\r\n'), GOOD],
    ['ends lines in LF', script('220 mail.test\n', '250-mail.test\n250 SIZE\n'), GOOD],
    [
      'has a greeting of many lines',
      script('220-mail.test\r\n220-no spam\r\n220 hello\r\n', '250 a\r\n'),
      GOOD,
    ],
    ['says codes alone', script('220\r\n', '250\r\n'), GOOD],
    ['speaks byte by byte', script(bytewise(hi), bytewise('250-a\r\n250 b\r\n')), GOOD],
    ['says nothing', script(), failed('timeout', 'timed out waiting for the greeting')],
    [
      'hangs within the greeting',
      script('220 mail.t'),
      failed('timeout', 'timed out waiting for the greeting'),
    ],
    ['hangs at EHLO', script(hi), answer],
    ['hangs at STARTTLS', script(hi, offers), answer],
    [
      'hangs in the handshake',
      script(hi, offers, '220 go\r\n'),
      failed('timeout', 'timed out in the TLS handshake'),
    ],
    ['closes at once', script(null), closed],
    ['closes at EHLO', script(hi, null), closed],
    ['closes at STARTTLS', script(hi, offers, null), closed],
    [
      'closes in the handshake',
      script(hi, offers, '220 go\r\n', null),
      { outcome: 'failed', reason: 'reset' },
    ],
    [
      'resets at EHLO',
      script(hi, (socket) => socket.resetAndDestroy()),
      { outcome: 'failed', reason: 'reset' },
    ],
    [
      'is overloaded',
      script('421 mail.test busy\r\n'),
      failed('query', 'the mail server is overloaded or shuts down (421)'),
    ],
    ['refuses EHLO', script(hi, '502 what\r\n'), failed('query', 'the mail server refuses EHLO (502)')],
    [
      'refuses STARTTLS',
      script(hi, offers, '454 no TLS now\r\n'),
      failed('query', 'the mail server refuses STARTTLS, which it offers (454)'),
    ],
    [
      'puts an answer before the handshake',
      script(hi, offers, '220 go\r\n250-evil\r\n250 AUTH PLAIN\r\n'),
      failed('protocol', 'the mail server says more than it was asked'),
    ],
    [
      'puts half a line before the handshake',
      script(hi, offers, '220 go\r\n250'),
      failed('protocol', 'the mail server says more than it was asked'),
    ],
    [
      'has no TLS behind STARTTLS',
      script(hi, offers, '220 go\r\n', 'HTTP/1.1 400 Bad Request\r\n\r\n'),
      failed(
        'tls',
        'the port does not speak TLS: check the port, or use the same kind of address without TLS',
      ),
    ],
    ['is an SSH server', script('SSH-2.0-OpenSSH_9.2\r\n'), none],
    ['is an IMAP server', script('* OK ready\r\n'), none],
    ['mixes codes', script('220-a\r\n221 b\r\n'), none],
    ['answers with an odd code', script('999 a\r\n'), none],
    ['answers EHLO with 354', script(hi, '354 a\r\n'), none],
    ['never ends a line', script(endless('220 x')), none],
    ['never ends a reply', script(endless('220-x\r\n')), none],
    ['speaks without end', script(hi, endless('250 x\r\n')), { outcome: 'failed', reason: 'protocol' }],
  ])('%s', async (_name, serve, expected) => {
    const { port } = await serveTcp(serve);
    const result = await attempt(`smtp://127.0.0.1:${port}`, { timeout: 1_500 });
    expect(result).toMatchObject(expected);
  });

  test('is a web server', async () => {
    const { port } = await serveHttp((_request, response) => response.end());
    expect(await attempt(`smtp://127.0.0.1:${port}`, { timeout: 600 })).toMatchObject({
      message: 'timed out waiting for the greeting',
    });
    expect(await attempt(`smtps://127.0.0.1:${port}`)).toMatchObject({
      message: 'the port does not speak TLS: check the port, or use the same kind of address without TLS',
    });
  });

  test('begins with TLS, or is not there', async () => {
    const { port } = await serveTls(pair);
    expect(await attempt(`smtp://127.0.0.1:${port}`, { timeout: 600 })).toMatchObject({
      message: 'timed out waiting for the greeting',
    });
    expect(await attempt(`smtp://127.0.0.1:${await closedPort()}`)).toMatchObject({ reason: 'connect' });
  });
});

test('what is said: EHLO with our address, QUIT, and nothing else', async () => {
  const heard: string[] = [];
  let hasEnded = false;
  const { port } = await serveTcp((socket) => {
    socket.write('220 a\r\n');
    socket.on('data', (bytes) => {
      heard.push(bytes.toString());
      if (heard.length === 1) socket.write('250 a\r\n');
    });
    socket.on('close', () => (hasEnded = true));
  });
  await attempt(`smtp://127.0.0.1:${port}`);
  await expect.poll(() => hasEnded, { timeout: 5_000 }).toBe(true);
  expect(heard).toEqual(['EHLO [127.0.0.1]\r\n', 'QUIT\r\n']);
});

test('an attempt that is cut short leaves nothing behind', async () => {
  const open = () =>
    process.getActiveResourcesInfo().filter((name) => /^(TCP|TLS|Timeout)/.test(name)).length;
  const { port } = await serveTcp(script('220 a\r\n'));
  const before = open();
  const controller = new AbortController();
  const running = attempt(`smtp://127.0.0.1:${port}`, {}, controller.signal);
  setTimeout(() => controller.abort(), 50);
  expect(await running).toMatchObject({ interrupted: true });
  await expect.poll(open, { timeout: 5_000 }).toBeLessThanOrEqual(before);
});
