import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Login } from '../rules/database-address.js';
import type { ByteReader } from './byte-reader.js';
import { ProbeFailure } from './failure.js';

const derive = promisify(pbkdf2);

/** Requests of the server by their number; 0 is that the login is complete. */
const CLEARTEXT = 3;
const MD5 = 5;
const SASL = 10;
const SASL_CONTINUE = 11;
const SASL_FINAL = 12;

const SCRAM = 'SCRAM-SHA-256';
const GS2_HEADER = 'n,,';
/** PostgreSQL's default is 4,096. Each takes a microsecond of our own time. */
const MOST_ITERATIONS = 200_000;

interface LoginExchange {
  readonly authMessage: string;
  readonly serverKey: Buffer;
}

/** Answers the requests of one login. Every method throws a ProbeFailure where it cannot. */
export class PostgresLogin {
  readonly #nonce = randomBytes(18).toString('base64');
  #exchange: LoginExchange | null = null;
  #isProven = true;
  /** The rounds are our own time: one login makes us do them once. */
  #hasHashed = false;

  /** @param mayShowPassword the password may be sent as it is */
  constructor(
    private readonly login: Login,
    private readonly mayShowPassword: boolean,
  ) {}

  /**
   * The bytes of the answer; null: none is expected.
   * @param request the number of the request
   * @param reader what follows the number
   */
  async answer(request: number, reader: ByteReader): Promise<Buffer | null> {
    if (request === SASL_CONTINUE) return this.#prove(reader.rest().toString());
    if (request === SASL_FINAL) return this.#checkServer(reader.rest().toString());
    if (![CLEARTEXT, MD5, SASL].includes(request)) {
      throw new ProbeFailure(
        'query',
        'the database wants another login than by password, which is not supported',
      );
    }
    if (this.login.password === '') {
      throw new ProbeFailure('query', 'the database asks for a password, and the address has none');
    }
    if (request === SASL) return this.#beginScram(reader);
    if (request === MD5) return this.#md5(reader.take(4));
    return this.#cleartext();
  }

  /** Whether the server may say that the login is complete: not in the middle of an exchange in which it proves itself. */
  get isProven(): boolean {
    return this.#isProven;
  }

  #cleartext(): Buffer {
    if (!this.mayShowPassword) {
      throw new ProbeFailure(
        'tls',
        'the database wants the password as it is, and has no TLS: sslmode=disable would send it',
      );
    }
    return Buffer.from(`${this.login.password}\0`);
  }

  #md5(salt: Buffer): Buffer {
    const { user, password } = this.login;
    return Buffer.from(`md5${md5(md5(password + user), salt)}\0`);
  }

  #beginScram(reader: ByteReader): Buffer {
    const offered: string[] = [];
    while (reader.left > 1) offered.push(reader.untilNul().toString());
    if (!offered.includes(SCRAM)) {
      throw new ProbeFailure(
        'query',
        'the database wants another login than by password, which is not supported',
      );
    }
    this.#isProven = false;
    const first = Buffer.from(GS2_HEADER + this.#firstBare);
    const length = Buffer.alloc(4);
    length.writeInt32BE(first.length);
    return Buffer.concat([Buffer.from(`${SCRAM}\0`), length, first]);
  }

  get #firstBare(): string {
    return `n=,r=${this.#nonce}`;
  }

  /** RFC 5802, section 3. */
  async #prove(serverFirst: string): Promise<Buffer> {
    if (this.#isProven || this.#hasHashed) throw new RangeError('no step of SCRAM');
    this.#hasHashed = true;
    const [, nonce = '', salt = '', count] =
      /^r=([^,]+),s=([^,]+),i=(\d{1,9})(?:,|$)/.exec(serverFirst) ?? [];
    const iterations = Number(count);
    if (!nonce.startsWith(this.#nonce) || !(iterations >= 1) || iterations > MOST_ITERATIONS) {
      throw new RangeError('no first message of SCRAM');
    }
    // SASLprep normalizes like this; the characters that it forbids besides are not in passwords that it was set with.
    const password = this.login.password.normalize('NFKC');
    const salted = await derive(password, Buffer.from(salt, 'base64'), iterations, 32, 'sha256');
    const clientKey = hmac(salted, 'Client Key');
    const withoutProof = `c=${Buffer.from(GS2_HEADER).toString('base64')},r=${nonce}`;
    const authMessage = `${this.#firstBare},${serverFirst},${withoutProof}`;
    const signature = hmac(createHash('sha256').update(clientKey).digest(), authMessage);
    const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
    this.#exchange = { authMessage, serverKey: hmac(salted, 'Server Key') };
    return Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`);
  }

  #checkServer(serverFinal: string): null {
    const { authMessage, serverKey } = this.#exchange ?? {};
    const expected = serverKey && authMessage && hmac(serverKey, authMessage).toString('base64');
    if (expected === undefined || !serverFinal.split(',').includes(`v=${expected}`)) {
      throw new ProbeFailure('protocol', 'the server does not prove that it knows the password');
    }
    this.#isProven = true;
    return null;
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function md5(...parts: (string | Buffer)[]): string {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
