import { isIPv6, type Socket } from 'node:net';
import { needsBody } from '../rules/assertions.js';
import { connect, secure } from './connect.js';
import { ByteCollector } from './bytes.js';
import { closedEarly, closingOf, failureOf, ProbeFailure } from './failure.js';
import type { Deadline, Stage } from './deadline.js';
import type { Probe } from './probe-context.js';

/** Bytes of one reply at most, all of its lines together; RFC 5321 allows 512 for a line. */
const LONGEST_REPLY = 16_384;
const NO_SMTP = 'no mail server answers there: check the address and the port';
/** Before TLS, it may be a command or an answer that somebody between us has put in. */
const TOO_MUCH = 'the mail server says more than it was asked';

interface SmtpReply {
  /** 200 to 599. */
  readonly code: number;
  /** Without the code. */
  readonly lines: readonly string[];
}

/**
 * SMTP: greeting, EHLO, STARTTLS where it is offered, log in where the address has a user name, QUIT. No mail is sent. The
 * body is JSON: `{ greeting, extensions, tls }`, the extensions as the last EHLO lists them.
 */
export const probeSmtp: Probe<'smtp:' | 'smtps:'> = async (target, url, context) => {
  const { deadline, trace } = context;
  const { socket } = await connect(url, Number(url.port), context, () => true);
  const secured = (plain: Socket) => secure(plain, url, target.tlsVerify, undefined, context);
  try {
    let stream = target.protocol === 'smtps:' ? await secured(socket) : socket;
    let isSecure = target.protocol === 'smtps:';
    const start = deadline.elapsed;
    const greeting = await exchange(stream, null, deadline, 'waiting for the greeting');
    trace.ttfb = deadline.elapsed - start;
    trace.reached = true;
    if (greeting.code !== 220) throw refusedGreeting(greeting.code);
    let extensions = await hello(stream, deadline);
    if (!isSecure && extensions.some((line) => /^STARTTLS$/i.test(line))) {
      const { code } = await exchange(stream, 'STARTTLS', deadline);
      if (code !== 220) throw refusal(code, 'the mail server refuses STARTTLS, which it offers');
      stream = await secured(socket);
      isSecure = true;
      // What was said before may have been said by anybody.
      extensions = await hello(stream, deadline);
    }
    if (url.username !== '') {
      if (!isSecure) {
        throw new ProbeFailure(
          'tls',
          'no log in: a password is sent over TLS only, and STARTTLS is not offered',
        );
      }
      await logIn(stream, url, extensions, deadline);
    }
    await quit(stream, deadline);
    if (!needsBody(target.assertions)) return null;
    const body = { greeting: greeting.lines.join('\n'), extensions, tls: isSecure };
    const json = Buffer.from(JSON.stringify(body));
    return { text: json.subarray(0, target.maxBody).toString(), cut: json.length > target.maxBody };
  } finally {
    socket.destroy();
  }
};

/** The server's extensions: `STARTTLS`, `SIZE 10240000`. */
async function hello(stream: Socket, deadline: Deadline): Promise<readonly string[]> {
  const { localAddress = '127.0.0.1' } = stream;
  const name = isIPv6(localAddress) ? `IPv6:${localAddress}` : localAddress;
  const { code, lines } = await exchange(stream, `EHLO [${name}]`, deadline);
  if (code !== 250) throw refusal(code, 'the mail server refuses EHLO');
  return lines.slice(1);
}

/** PLAIN where it is offered, else LOGIN. */
async function logIn(
  stream: Socket,
  url: URL,
  extensions: readonly string[],
  deadline: Deadline,
): Promise<void> {
  const user = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  const offered = extensions
    .filter((line) => /^AUTH[ =]/i.test(line))
    .flatMap((line) => line.toUpperCase().split(/[ =]/).slice(1));
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const say = (line: string) => exchange(stream, line, deadline);
  let code: number;
  if (offered.includes('PLAIN')) {
    ({ code } = await say(`AUTH PLAIN ${base64(`\0${user}\0${password}`)}`));
  } else if (offered.includes('LOGIN')) {
    ({ code } = await say('AUTH LOGIN'));
    for (const text of [user, password]) if (code === 334) ({ code } = await say(base64(text)));
  } else {
    throw new ProbeFailure('query', 'no log in: the mail server offers neither AUTH PLAIN nor AUTH LOGIN');
  }
  if (code === 535)
    throw new ProbeFailure('query', 'the mail server refuses the user name or password (535)');
  if (code !== 235) throw refusal(code, 'the mail server refuses the log in');
}

/** Says goodbye; what the server answers is not waited for. */
function quit(stream: Socket, deadline: Deadline): Promise<undefined> {
  return deadline.guard<undefined>('waiting for the answer', (resolve) => {
    // Called with an error too, which is none of the target any more.
    stream.write('QUIT\r\n', () => resolve(undefined));
    return () => undefined;
  });
}

/** Sends a line, or none, and reads one reply. Rejects with a ProbeFailure. */
function exchange(
  stream: Socket,
  line: string | null,
  deadline: Deadline,
  stage: Stage = 'waiting for the answer',
): Promise<SmtpReply> {
  return deadline.guard<SmtpReply>(stage, (resolve, reject) => {
    const received = new ByteCollector(LONGEST_REPLY);
    const stop = () => {
      stream.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', fail);
      // What comes next belongs to the next reply, or to TLS.
      stream.pause();
    };
    const fail = (error: Error) => {
      reject(failureOf(error, 'connect'));
      stop();
    };
    const onData = (bytes: Buffer) => {
      if (received.length + bytes.length > LONGEST_REPLY) {
        fail(new ProbeFailure('protocol', NO_SMTP));
        return;
      }
      received.append(bytes, 0, bytes.length);
      const reply = readReply(received.bytes.toString(), bytes.includes(0x0a));
      if (typeof reply === 'object') {
        resolve(reply);
        stop();
      } else if (reply !== 'more') {
        fail(new ProbeFailure('protocol', reply === 'none' ? NO_SMTP : TOO_MUCH));
      }
    };
    const onEnd = () => fail(closedEarly());
    if (stream.destroyed) {
      fail(closingOf(stream, 'connect'));
      return stop;
    }
    stream.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', fail);
    stream.resume();
    if (line === null) deadline.continueStep();
    else {
      deadline.beginStep();
      stream.write(`${line}\r\n`);
    }
    return stop;
  });
}

/** The one reply that a text holds, or what it is instead. `too much`: there is something behind the reply. */
function readReply(text: string, hasNewLine: boolean): SmtpReply | 'more' | 'none' | 'too much' {
  if (!/^[2-5]?$|^[2-5]\d?$|^[2-5]\d\d(?:$|[ \r\n-])/.test(text)) return 'none';
  if (!hasNewLine) return 'more';
  const lines = text.split(/\r?\n/);
  const rest = lines.pop();
  const code = text.slice(0, 3);
  const end = lines.findIndex((each) => each[3] !== '-');
  const reply = end === -1 ? lines : lines.slice(0, end + 1);
  if (!reply.every((each) => /^\d{3}(?:[ -]|$)/.test(each) && each.startsWith(code))) return 'none';
  if (end === -1) return 'more';
  return end === lines.length - 1 && rest === ''
    ? { code: Number(code), lines: reply.map((each) => each.slice(4)) }
    : 'too much';
}

/** `what` the server does. */
function refusal(code: number, what: string, why = ''): ProbeFailure {
  if (code < 400) return new ProbeFailure('protocol', NO_SMTP);
  // It may be the answer to anything (RFC 5321, 3.8).
  if (code === 421) return new ProbeFailure('query', 'the mail server is overloaded or shuts down (421)');
  return new ProbeFailure('query', `${what} (${code})${why}`);
}

function refusedGreeting(code: number): ProbeFailure {
  return code < 500
    ? refusal(
        code,
        'the mail server refuses the connection temporarily',
        ': greylisting, or too many connections',
      )
    : refusal(code, 'the mail server refuses the connection', ': our address may be on a block list');
}
