import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTls, type TlsOptions } from 'node:tls';
import { Binary, deserialize, Long, serialize, type Document } from 'bson';
import { afterAll } from 'vitest';

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;

export interface MongoOptions {
  /** Mechanisms that its user may log in with, and the password as SASLprep has it. No user: no login is needed. */
  readonly user?: {
    readonly name: string;
    readonly password: string;
    readonly mechanisms: readonly string[];
  };
  /** Answers to commands, by their name; undefined: the usual one. */
  readonly answers?: (command: Document) => Document | undefined;
  /** In its greeting. */
  readonly greeting?: Document;
  /** What happens instead of the nth answer of a connection, from 0; undefined: the answer. */
  readonly meddle?: (socket: Socket, nth: number, message: Buffer) => boolean;
  readonly tls?: TlsOptions;
}

export interface MongoServer {
  readonly port: number;
  /** Commands so far. */
  readonly commands: Document[];
}

const denied = {
  ok: 0,
  code: 18,
  codeName: 'AuthenticationFailed',
  errmsg: 'canary: Authentication failed.',
};

/**
 * A server that speaks MongoDB's protocol as far as one command needs it, with SCRAM. The official driver logs in to it and
 * gets its answers, which the tests show.
 */
export async function serveMongo(options: MongoOptions = {}): Promise<MongoServer> {
  const commands: Document[] = [];
  const sockets = new Set<Socket>();
  const onSocket = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    const state: LoginState = { isIn: options.user === undefined, step: null };
    let buffered = Buffer.alloc(0);
    let nth = 0;
    socket.on('data', (bytes: Buffer) => {
      buffered = Buffer.concat([buffered, bytes]);
      while (buffered.length >= 16 && buffered.length >= buffered.readInt32LE(0)) {
        const length = buffered.readInt32LE(0);
        const message = buffered.subarray(0, length);
        buffered = buffered.subarray(length);
        const command = commandOf(message);
        commands.push(command);
        const answer = framed(answerTo(command, options, state), message);
        if (options.meddle?.(socket, nth++, answer) !== true) socket.write(answer);
      }
    });
  };
  const server = options.tls ? createTls(options.tls, onSocket) : createServer(onSocket);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { port: (server.address() as AddressInfo).port, commands };
}

function commandOf(message: Buffer): Document {
  if (message.readInt32LE(12) === OP_MSG) return deserialize(message.subarray(21));
  const end = message.indexOf(0, 20) + 1;
  return deserialize(message.subarray(end + 8));
}

/** An answer in the form of its question. */
export function framed(answer: Document, question: Buffer): Buffer {
  const document = serialize(answer);
  const isQuery = question.readInt32LE(12) === OP_QUERY;
  const middle = Buffer.alloc(isQuery ? 20 : 5);
  if (isQuery) middle.writeInt32LE(1, 16);
  const header = Buffer.alloc(16);
  header.writeInt32LE(16 + middle.length + document.length, 0);
  header.writeInt32LE(1, 4);
  header.writeInt32LE(question.readInt32LE(4), 8);
  header.writeInt32LE(isQuery ? OP_REPLY : OP_MSG, 12);
  return Buffer.concat([header, middle, document]);
}

interface LoginState {
  isIn: boolean;
  step: ((payload: string) => Document) | null;
}

function answerTo(command: Document, { user, answers, greeting }: MongoOptions, state: LoginState): Document {
  const name = Object.keys(command)[0] ?? '';
  if (/^(?:hello|ismaster)$/i.test(name)) {
    return {
      ...{ isWritablePrimary: true, ismaster: true, helloOk: true, maxBsonObjectSize: 16_777_216 },
      ...{
        maxMessageSizeBytes: 48_000_000,
        maxWriteBatchSize: 100_000,
        minWireVersion: 0,
        maxWireVersion: 25,
      },
      ...{ localTime: new Date(), logicalSessionTimeoutMinutes: 30, connectionId: 1, readOnly: false },
      ...(command.saslSupportedMechs === `admin.${user?.name}` && { saslSupportedMechs: user?.mechanisms }),
      ...greeting,
      ok: 1,
    };
  }
  if (name === 'saslStart' && user) {
    const mechanism = String(command.mechanism);
    if (!user.mechanisms.includes(mechanism) || command.$db !== 'admin') return denied;
    return scramStart(mechanism, user, textOf(command.payload), state);
  }
  if (name === 'saslContinue') return state.step?.(textOf(command.payload)) ?? denied;
  if (!state.isIn)
    return { ok: 0, code: 13, codeName: 'Unauthorized', errmsg: 'canary requires authentication' };
  const own = answers?.(command);
  if (own !== undefined) return own;
  if (name === 'find') {
    const firstBatch = [
      { _id: 1, name: 'grün' },
      { _id: 2, big: 2 ** 40 },
    ].slice(0, Number(command.limit ?? 2));
    return { cursor: { firstBatch, id: Long.ZERO, ns: `${command.$db}.${command.find}` }, ok: 1 };
  }
  if (name === 'ping' || name === 'endSessions') return { ok: 1 };
  return { ok: 0, code: 59, codeName: 'CommandNotFound', errmsg: `canary: no such command: '${name}'` };
}

function textOf(payload: unknown): string {
  return payload instanceof Binary ? Buffer.from(payload.value()).toString() : '';
}

/** RFC 5802, from the side of the server. */
function scramStart(
  mechanism: string,
  user: { readonly name: string; readonly password: string },
  clientFirst: string,
  state: LoginState,
): Document {
  const hash = mechanism === 'SCRAM-SHA-1' ? 'sha1' : 'sha256';
  const secret =
    hash === 'sha1'
      ? createHash('md5').update(`${user.name}:mongo:${user.password}`).digest('hex')
      : user.password;
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(secret, salt, 4_096, hash === 'sha1' ? 20 : 32, hash);
  const hmac = (key: Buffer, text: string) => createHmac(hash, key).update(text).digest();
  const storedKey = createHash(hash).update(hmac(salted, 'Client Key')).digest();
  const bare = clientFirst.slice(3);
  const [, name = '', nonce = ''] = /^n=(.*),r=(.*)$/.exec(bare) ?? [];
  if (name.replaceAll('=2C', ',').replaceAll('=3D', '=') !== user.name) return denied;
  const first = `r=${nonce}server,s=${salt.toString('base64')},i=4096`;
  const reply = (text: string, done: boolean) => ({
    ok: 1,
    conversationId: 1,
    done,
    payload: new Binary(Buffer.from(text)),
  });
  state.step = (final) => {
    const [, without = '', proof = ''] = /^(.*),p=(.*)$/.exec(final) ?? [];
    const all = `${bare},${first},${without}`;
    const signature = hmac(storedKey, all);
    const key = Buffer.from(
      Buffer.from(proof, 'base64').map((byte, index) => byte ^ (signature[index] ?? 0)),
    );
    if (!createHash(hash).update(key).digest().equals(storedKey)) return denied;
    state.isIn = true;
    return reply(`v=${hmac(hmac(salted, 'Server Key'), all).toString('base64')}`, true);
  };
  return reply(first, false);
}
