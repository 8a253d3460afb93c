import type { Socket } from 'node:net';
import { needsBody } from '../rules/assertions.js';
import { loginOf, tlsChoice, type Login } from '../rules/database-address.js';
import { ByteReader } from './byte-reader.js';
import { connect, secure } from './connect.js';
import { isOfStatement, mysqlFailure, withAdvice } from './database-failure.js';
import { FramedDialogue, type Framing, type Message } from './framed-dialogue.js';
import { ProbeFailure } from './failure.js';
import { MysqlLogin, type Challenge } from './mysql-login.js';
import type { Probe, Trace } from './probe-context.js';
import { Rows, type Column, type ValueKind } from './rows.js';

const QUERY = 'SELECT 1';
const NOT_SPOKEN = 'the port does not speak MySQL';

/** Bytes of the packets before the query, and of those beside its rows. */
const OVERHEAD = 65_536;
/** MySQL's own limit of the columns of a table. */
const MOST_COLUMNS = 4_096;
/** Packets of a login that may follow each other; caching_sha2_password with a change of plugin makes five. */
const MOST_TURNS = 8;

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html */
const FRAMING: Framing = {
  headerLength: 4,
  payloadLength: (header) => header.readUIntLE(0, 3),
  notSpoken: NOT_SPOKEN,
};

/** First bytes of packets. */
const OK = 0x00;
const MORE = 0x01;
const FILE_WANTED = 0xfb;
const EOF = 0xfe;
const ERROR = 0xff;
const NULL = 0xfb;
/** An EOF packet is shorter than this, and a row that begins with the same byte longer. */
const LONGEST_EOF = 9;
const MORE_RESULTS = 0x0008;

/** Capabilities of a client. Not among them: several statements, files of the client, compression. */
const WITH_DATABASE = 0x8;
const WITH_TLS = 0x800;
const WITH_PLUGINS = 0x8_0000;
const ALWAYS = 0x1 | 0x4 | 0x200 | 0x2000 | 0x8000 | 0x2_0000;
const UTF8MB4 = 45;
const LARGEST_PACKET = 0xff_ffff;

const KINDS: ReadonlyMap<number, ValueKind> = new Map([
  ...[0, 1, 2, 3, 4, 5, 8, 9, 13, 246].map((type) => [type, 'number'] as const),
  [245, 'json'],
]);

interface Greeting extends Challenge {
  readonly capabilities: number;
}

/** MySQL, MariaDB and what speaks like them: logs in and sends one statement as text. */
export const probeMysql: Probe<'mysql:'> = async (target, url, context) => {
  const { deadline, trace } = context;
  const login = loginOf(url);
  const tls = tlsChoice(url);
  if (login === null || tls === null) throw new ProbeFailure('protocol', 'request cannot be sent');
  let socket: Socket | undefined;
  try {
    ({ socket } = await connect(url, Number(url.port), context, () => true));
    let dialogue = new FramedDialogue(socket, deadline, FRAMING, target.maxBody + OVERHEAD);
    const greeting = await dialogue.ask<Greeting>({
      stage: 'waiting for the greeting',
      send: null,
      budget: OVERHEAD,
      take: readGreeting,
      tooMuch: tooLong,
    });
    let sequence = 1;
    const hasTls = (greeting.capabilities & WITH_TLS) !== 0;
    if (!hasTls && tls.use === 'required') {
      throw new ProbeFailure('tls', 'the server has no TLS, and the address asks for it');
    }
    const isEncrypted = hasTls && tls.use !== 'never';
    const opening = openingOf(greeting, login, isEncrypted);
    if (isEncrypted) {
      if (dialogue.hasUnread) throw new ProbeFailure('protocol', NOT_SPOKEN);
      dialogue.tell(packet(sequence++, opening));
      const secured = await secure(socket, url, target.tlsVerify, undefined, context);
      dialogue = new FramedDialogue(secured, deadline, FRAMING, target.maxBody + OVERHEAD);
    }
    const answers = new MysqlLogin(login.password, { isEncrypted, trustsServer: tls.use === 'never' });
    await logIn(dialogue, packet(sequence, opening, loginOn(greeting, login, answers)), answers);
    const rows = new Rows(needsBody(target.assertions) ? target.maxBody : null);
    await ask(dialogue, target.query ?? QUERY, rows, target.maxBody, trace);
    dialogue.tell(packet(0, Buffer.from([1])));
    return rows.body;
  } catch (error) {
    throw withAdvice(error, url.hostname);
  } finally {
    socket?.destroy();
  }
};

function readGreeting({ payload }: Message): Greeting {
  const reader = new ByteReader(payload);
  const version = reader.uint8();
  if (version === ERROR) throw failureIn(payload);
  if (version !== 10) throw new RangeError('no greeting');
  reader.untilNul();
  reader.take(4);
  const first = reader.take(8);
  reader.take(1);
  const low = reader.uintLE(2);
  if (reader.left === 0) return { capabilities: low, plugin: '', salt: Buffer.from(first) };
  reader.take(3);
  const capabilities = low | (reader.uintLE(2) << 16);
  const saltLength = reader.uint8();
  reader.take(10);
  const salt = Buffer.concat([first, reader.take(Math.min(reader.left, Math.max(13, saltLength - 8)))]);
  const plugin = (capabilities & WITH_PLUGINS) !== 0 ? nameOf(reader.rest()) : '';
  return { capabilities, plugin, salt };
}

/** The beginning of a login, which stands alone where TLS follows. */
function openingOf({ capabilities }: Greeting, { database }: Login, isEncrypted: boolean): Buffer {
  const bytes = Buffer.alloc(32);
  bytes.writeUInt32LE(
    ALWAYS |
      (capabilities & WITH_PLUGINS) |
      (isEncrypted ? WITH_TLS : 0) |
      (database === '' ? 0 : WITH_DATABASE),
  );
  bytes.writeUInt32LE(LARGEST_PACKET, 4);
  bytes.writeUInt8(UTF8MB4, 8);
  return bytes;
}

function loginOn(greeting: Greeting, { user, database }: Login, answers: MysqlLogin): Buffer {
  // One that is not known is left to the server: it asks again, and by name.
  const plugin = MysqlLogin.knows(greeting.plugin) ? greeting.plugin : 'mysql_native_password';
  const answer = answers.answer({ plugin, salt: greeting.salt });
  return Buffer.concat([
    Buffer.from(`${user}\0`),
    Buffer.from([answer.length]),
    answer,
    Buffer.from(database === '' ? '' : `${database}\0`),
    Buffer.from((greeting.capabilities & WITH_PLUGINS) !== 0 ? `${plugin}\0` : ''),
  ]);
}

/** Goes through the login until the server lets us in. */
async function logIn(dialogue: FramedDialogue, first: Buffer, answers: MysqlLogin): Promise<void> {
  let send: Buffer | null = first;
  for (let turns = 0; turns < MOST_TURNS; turns++) {
    const turn: { sequence: number; reply: Buffer | null } | 'in' = await dialogue.ask<
      { sequence: number; reply: Buffer | null } | 'in'
    >({
      stage: 'logging in',
      send,
      budget: OVERHEAD,
      take: ({ header, payload }) => {
        const reader = new ByteReader(payload);
        const type = reader.uint8();
        const sequence = header.readUInt8(3) + 1;
        if (type === OK) return 'in';
        if (type === ERROR) throw failureIn(payload);
        if (type === MORE) return { sequence, reply: answers.continueLogin(reader.rest()) };
        if (type !== EOF) throw new RangeError('no packet of a login');
        // Without a name it asks for the login of MySQL 4.
        const plugin = reader.left === 0 ? 'mysql_old_password' : reader.untilNul().toString('latin1');
        return { sequence, reply: answers.answer({ plugin, salt: reader.rest() }) };
      },
      tooMuch: tooLong,
    });
    if (turn === 'in') return;
    send = turn.reply && packet(turn.sequence, turn.reply);
  }
  throw new ProbeFailure('protocol', NOT_SPOKEN);
}

/** Sends the query and reads its answer, at most as much of it as MAX_BODY lets through. */
async function ask(
  dialogue: FramedDialogue,
  query: string,
  rows: Rows,
  maxBody: number,
  trace: Trace,
): Promise<void> {
  const columns: Column[] = [];
  /** Columns that are still to be described; null: a result begins; -1: its rows come. */
  let left: number | null = null;

  const endOf = (status: number): true | undefined => {
    left = null;
    return (status & MORE_RESULTS) === 0 ? true : undefined;
  };
  const take = ({ payload }: Message): true | undefined => {
    const reader = new ByteReader(payload);
    const type = payload.readUInt8();
    if (type === ERROR) {
      if (isOfStatement(errorOf(payload).sqlState)) trace.reached = true;
      throw failureIn(payload);
    }
    if (left === null) {
      trace.reached = true;
      columns.length = 0;
      if (type === FILE_WANTED) {
        throw new ProbeFailure('query', 'QUERY loads a file: expected a statement whose answer is rows');
      }
      if (type === OK) {
        // What came before it stays: a procedure ends like this.
        reader.take(1);
        lengthOf(reader);
        lengthOf(reader);
        return endOf(reader.uintLE(2));
      }
      left = lengthOf(reader) ?? 0;
      if (left === 0 || left > MOST_COLUMNS || reader.left > 0) throw new RangeError('no number of columns');
      return undefined;
    }
    const isEnd = type === EOF && payload.length < LONGEST_EOF;
    if (left > 0) {
      if (isEnd) throw new RangeError('a column is missing');
      columns.push(columnOf(reader));
      left--;
      return undefined;
    }
    if (left === 0) {
      if (!isEnd) throw new RangeError('no end of the columns');
      rows.begin(columns);
      left = -1;
      return undefined;
    }
    if (isEnd) {
      reader.take(3);
      return endOf(reader.uintLE(2));
    }
    const values = columns.map(() => bytesOf(reader));
    if (reader.left > 0) throw new RangeError('a row that does not fit its columns');
    return rows.add(values) ? undefined : true;
  };
  await dialogue.ask({
    stage: 'waiting for the answer',
    send: packet(0, Buffer.from([3]), Buffer.from(query)),
    budget: maxBody + OVERHEAD,
    take,
    tooMuch: () => {
      rows.cut();
      return true;
    },
  });
  trace.ttfb = dialogue.firstByteAfter;
}

function columnOf(reader: ByteReader): Column {
  // Catalog, schema, table and the table's own name.
  for (let i = 0; i < 4; i++) bytesOf(reader);
  const name = (bytesOf(reader) ?? '').toString();
  bytesOf(reader);
  // The length of what follows, the charset and the column's length.
  reader.take(7);
  return { name, kind: KINDS.get(reader.uint8()) ?? 'text' };
}

/** A length as MySQL packs it; null stands for NULL. */
function lengthOf(reader: ByteReader): number | null {
  const first = reader.uint8();
  if (first < NULL) return first;
  if (first === NULL) return null;
  if (first === 0xfc) return reader.uintLE(2);
  if (first === 0xfd) return reader.uintLE(3);
  if (first === EOF) return Number(reader.take(8).readBigUInt64LE());
  throw new RangeError('no length');
}

function bytesOf(reader: ByteReader): Buffer | null {
  const length = lengthOf(reader);
  return length === null ? null : reader.take(length);
}

function failureIn(payload: Buffer): ProbeFailure {
  const { number, text } = errorOf(payload);
  return mysqlFailure(number, text);
}

function errorOf(payload: Buffer): { number: number; sqlState: string; text: string } {
  const reader = new ByteReader(payload);
  reader.take(1);
  const number = reader.uintLE(2);
  const rest = reader.rest().toString('latin1');
  // Before the login, an error has no SQLSTATE.
  const [, sqlState = '', text = ''] = /^(?:#(.{5}))?(.*)$/s.exec(rest) ?? [];
  return { number, sqlState, text };
}

/** A name that ends with a NUL or with the packet. */
function nameOf(bytes: Buffer): string {
  return bytes.toString('latin1').replace(/\0.*$/s, '');
}

function tooLong(): never {
  throw new ProbeFailure('protocol', NOT_SPOKEN);
}

/** A packet holds less than 16 MB: QUERY is a variable of the environment, which is shorter. */
function packet(sequence: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const header = Buffer.alloc(4);
  header.writeUIntLE(content.length, 0, 3);
  header.writeUInt8(sequence & 0xff, 3);
  return Buffer.concat([header, content]);
}
