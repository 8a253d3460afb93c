import type { Socket } from 'node:net';
import { needsBody } from '../rules/assertions.js';
import { loginOf, tlsChoice, type Login } from '../rules/database-address.js';
import { ByteReader } from './byte-reader.js';
import { connect, secure, type Connection } from './connect.js';
import { isOfStatement, postgresFailure, withAdvice } from './database-failure.js';
import { Deadline } from './deadline.js';
import { FramedDialogue, type Framing, type Message } from './framed-dialogue.js';
import { ProbeFailure } from './failure.js';
import { PostgresLogin } from './postgres-login.js';
import { newTrace, type Probe, type ProbeContext, type Trace } from './probe-context.js';
import { Rows, type ValueKind } from './rows.js';

/** https://www.postgresql.org/docs/current/protocol-message-formats.html */
const VERSION = 3 << 16;
const SSL_REQUEST = (1234 << 16) | 5679;
const CANCEL_REQUEST = (1234 << 16) | 5678;
/** Bytes of the key for cancelling: the number of the server's process and a secret. */
const KEY_LENGTH = 8;
/** How long the cancelling of a query may take, in ms. It is no part of the latency. */
const CANCELLING = 1_000;

const QUERY = 'SELECT 1';
const NOT_SPOKEN = 'the port does not speak PostgreSQL';
const NO_COPY = 'QUERY copies data: expected a statement whose answer is rows';

/** Bytes of the messages before the query, and of those beside its rows. */
const OVERHEAD = 65_536;
/** A message of a server is at most this long. */
const LONGEST_MESSAGE = 2 ** 30;
/** Requests for a password that may follow each other; SCRAM makes three. */
const MOST_REQUESTS = 5;

const FRAMING: Framing = {
  headerLength: 5,
  payloadLength(header) {
    const length = header.readInt32BE(1) - 4;
    if (length < 0 || length > LONGEST_MESSAGE) throw new RangeError('no length');
    return length;
  },
  notSpoken: NOT_SPOKEN,
};

/** By the number of a type in pg_type. All others are texts. */
const KINDS: ReadonlyMap<number, ValueKind> = new Map([
  [16, 'boolean'],
  ...[20, 21, 23, 26, 700, 701, 1700].map((type) => [type, 'number'] as const),
  [114, 'json'],
  [3802, 'json'],
]);

/**
 * PostgreSQL, and poolers in front of it: logs in and sends one query by the simple protocol, which poolers that know no
 * prepared statements speak too. Several statements are allowed: the answer of the last one counts.
 */
export const probePostgres: Probe<'postgres:'> = async (target, url, context) => {
  const login = loginOf(url);
  const tls = tlsChoice(url);
  if (login === null || tls === null) throw new ProbeFailure('protocol', 'request cannot be sent');
  let connection: Connection | undefined;
  try {
    connection = await connect(url, Number(url.port), context, () => true);
    const { socket, address } = connection;
    const stream =
      tls.use !== 'never' && (await offersTls(socket, context, tls.use === 'required'))
        ? await secure(socket, url, target.tlsVerify, undefined, context)
        : null;
    const dialogue = new FramedDialogue(
      stream ?? socket,
      context.deadline,
      FRAMING,
      target.maxBody + OVERHEAD,
    );
    const key = await logIn(
      dialogue,
      startup(login, url),
      new PostgresLogin(login, stream !== null || tls.use === 'never'),
      context.deadline,
    );
    const rows = new Rows(needsBody(target.assertions) ? target.maxBody : null);
    await ask(dialogue, target.query ?? QUERY, rows, target.maxBody, context.trace).catch(
      async (error: unknown) => {
        if (context.deadline.isOver && key !== null) {
          const encrypted = stream === null ? null : { verify: target.tlsVerify };
          await context.deadline.waitFor(cancel(key, url, address, encrypted, context), CANCELLING);
        }
        throw error;
      },
    );
    dialogue.tell(message('X'));
    return rows.body;
  } catch (error) {
    throw withAdvice(error, url.hostname);
  } finally {
    connection?.socket.destroy();
  }
};

/**
 * Has the server stop the query, by a connection of its own: it would go on although nobody waits for its answer, and each
 * attempt would add one (https://www.postgresql.org/docs/current/protocol-flow.html). The connection of the query has to be
 * open still: poolers forget the key with it. Never rejects. It goes on when the run is over.
 */
async function cancel(
  key: Buffer,
  url: URL,
  address: string,
  encrypted: { readonly verify: boolean } | null,
  shared: ProbeContext,
): Promise<void> {
  const deadline = new Deadline(CANCELLING, new AbortController().signal);
  const context = { ...shared, deadline, trace: newTrace() };
  const place = new URL(url);
  place.hostname = address.includes(':') ? `[${address}]` : address;
  let socket: Socket | undefined;
  try {
    ({ socket } = await connect(place, Number(url.port), context, () => true));
    const stream =
      encrypted !== null && (await offersTls(socket, context, true))
        ? await secure(socket, url, encrypted.verify, undefined, context)
        : socket;
    await deadline.guard<undefined>('waiting for the answer', (resolve) => {
      const done = () => resolve(undefined);
      // The server closes when it has passed the request on.
      stream.once('close', done).once('error', done).resume();
      stream.write(withLength(uint32(CANCEL_REQUEST), key));
      return () => undefined;
    });
  } catch {
    // The query ends by itself, or by the database's own limit.
  } finally {
    socket?.destroy();
    deadline.close();
  }
}

/** Asks whether the server goes on with TLS. It answers with one byte, so that nothing unencrypted can follow. */
async function offersTls(socket: Socket, { deadline }: ProbeContext, isRequired: boolean): Promise<boolean> {
  const framing: Framing = { headerLength: 1, payloadLength: () => 0, notSpoken: NOT_SPOKEN };
  const dialogue = new FramedDialogue(socket, deadline, framing, 1);
  const answer = await dialogue.ask({
    stage: 'asking for TLS',
    send: withLength(uint32(SSL_REQUEST)),
    budget: 1,
    take: ({ header }) => header.toString('latin1'),
    tooMuch: () => '',
  });
  if (!'SN'.includes(answer) || dialogue.hasUnread) throw new ProbeFailure('protocol', NOT_SPOKEN);
  if (answer === 'N' && isRequired) {
    throw new ProbeFailure('tls', 'the server has no TLS, and the address asks for it');
  }
  return answer === 'S';
}

/**
 * Goes through the login until the server is ready for a query.
 * @returns the key for cancelling; null: none came, as from some poolers
 */
async function logIn(
  dialogue: FramedDialogue,
  first: Buffer,
  login: PostgresLogin,
  deadline: Deadline,
): Promise<Buffer | null> {
  let send: Buffer | null = first;
  let key: Buffer | null = null;
  for (let requests = 0; requests <= MOST_REQUESTS; requests++) {
    const request: Buffer | 'ready' = await dialogue.ask<Buffer | 'ready'>({
      stage: 'logging in',
      send,
      budget: OVERHEAD,
      take: (found) => {
        const isKey = found.header.toString('latin1', 0, 1) === 'K' && found.payload.length === KEY_LENGTH;
        if (isKey) key = Buffer.from(found.payload);
        return readLogin(found, login);
      },
      tooMuch: tooLong,
    });
    if (request === 'ready') return key;
    const reader: ByteReader = new ByteReader(request);
    const answer: Buffer | null = await deadline
      .work('logging in', () => login.answer(reader.uint32BE(), reader))
      .catch((error: unknown) => {
        throw error instanceof RangeError ? new ProbeFailure('protocol', NOT_SPOKEN) : error;
      });
    send = answer && message('p', answer);
  }
  throw new ProbeFailure('protocol', NOT_SPOKEN);
}

/** A request for a password, or that the server is ready. */
function readLogin({ header, payload }: Message, login: PostgresLogin): Buffer | 'ready' | undefined {
  const type = header.toString('latin1', 0, 1);
  if (type === 'E') throw failureIn(payload);
  if (type === 'R') {
    if (payload.readUInt32BE() !== 0) return Buffer.from(payload);
    if (!login.isProven) throw new RangeError('the login ends before its end');
    return undefined;
  }
  if (type === 'Z' && login.isProven) return 'ready';
  // Parameters, the key for cancelling, notices, and what the server does not know of our version of the protocol.
  if ('SKNv'.includes(type)) return undefined;
  throw new RangeError('no message of a login');
}

/** Sends the query and reads its answer, at most as much of it as MAX_BODY lets through. */
async function ask(
  dialogue: FramedDialogue,
  query: string,
  rows: Rows,
  maxBody: number,
  trace: Trace,
): Promise<void> {
  let hasColumns = false;
  const take = ({ header, payload }: Message): true | undefined => {
    const type = header.toString('latin1', 0, 1);
    if (type === 'E') {
      if (isOfStatement(fieldsOf(payload).sqlState)) trace.reached = true;
      throw failureIn(payload);
    }
    if (type === 'D') return rows.add(valuesOf(payload, rows.columnCount)) ? undefined : true;
    if (type === 'T') {
      trace.reached = true;
      hasColumns = true;
      rows.begin(columnsOf(payload));
    } else if (type === 'C' || type === 'I') {
      trace.reached = true;
      if (!hasColumns) rows.begin([]);
      hasColumns = false;
    } else if (type === 'Z') {
      return true;
    } else if ('GHW'.includes(type)) {
      throw new ProbeFailure('query', NO_COPY);
    } else if (!'NSA'.includes(type)) {
      throw new RangeError('no message of an answer');
    }
    return undefined;
  };
  await dialogue.ask({
    stage: 'waiting for the answer',
    send: message('Q', cString(query)),
    budget: maxBody + OVERHEAD,
    take,
    tooMuch: () => {
      rows.cut();
      return true;
    },
  });
  trace.ttfb = dialogue.firstByteAfter;
}

function columnsOf(payload: Buffer) {
  const reader = new ByteReader(payload);
  return Array.from({ length: reader.uint16BE() }, () => {
    const name = reader.untilNul().toString();
    // The table's number and the column's.
    reader.take(6);
    const kind = KINDS.get(reader.uint32BE()) ?? 'text';
    // The type's size and modifier, and the format, which is text.
    reader.take(8);
    return { name, kind };
  });
}

function valuesOf(payload: Buffer, expected: number): (Buffer | null)[] {
  const reader = new ByteReader(payload);
  const count = reader.uint16BE();
  if (count !== expected) throw new RangeError('a row without its columns');
  return Array.from({ length: count }, () => {
    const length = reader.int32BE();
    return length < 0 ? null : reader.take(length);
  });
}

function failureIn(payload: Buffer): ProbeFailure {
  const { sqlState, text } = fieldsOf(payload);
  return postgresFailure(sqlState, text);
}

/** Of an error's fields, its code and message. */
function fieldsOf(payload: Buffer): { sqlState: string; text: string } {
  const reader = new ByteReader(payload);
  let [sqlState, text] = ['', ''];
  while (reader.left > 1) {
    const field = reader.take(1).toString('latin1');
    const value = reader.untilNul();
    if (field === 'C') sqlState = value.toString('latin1');
    if (field === 'M') text = value.toString('latin1');
  }
  return { sqlState, text };
}

function tooLong(): never {
  throw new ProbeFailure('protocol', NOT_SPOKEN);
}

/**
 * The parameters that libpq would send. `options` is from the address: hosts that do not see the name in TLS take the
 * project from it (Neon, Supabase).
 */
function startup({ user, database }: Login, url: URL): Buffer {
  const options = url.searchParams.get('options') ?? '';
  const parameters = [
    ['user', user],
    ['database', database],
    ['client_encoding', 'UTF8'],
    ['application_name', 'keepalive'],
    ['options', options],
  ].filter(([, value]) => value !== '');
  return withLength(uint32(VERSION), ...parameters.flat().map(cString), Buffer.alloc(1));
}

function message(type: string, ...parts: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from(type), withLength(...parts)]);
}

function withLength(...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([uint32(content.length + 4), content]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function cString(text: string): Buffer {
  if (text.includes('\0')) throw new ProbeFailure('protocol', 'request cannot be sent');
  return Buffer.from(`${text}\0`);
}
