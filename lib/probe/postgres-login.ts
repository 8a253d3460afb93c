import { createHash } from 'node:crypto';
import type { Login } from '../rules/database-address.js';
import type { ByteReader } from './byte-reader.js';
import { ProbeFailure } from './failure.js';
import { prepared, Scram } from './scram.js';

/** Requests of the server by their number; 0 is that the login is complete. */
const CLEARTEXT = 3;
const MD5 = 5;
const SASL = 10;
const SASL_CONTINUE = 11;
const SASL_FINAL = 12;

const SCRAM = 'SCRAM-SHA-256';

/** Answers the requests of one login. Every method throws a ProbeFailure where it cannot. */
export class PostgresLogin {
  /** Null until the server asks for it. The rounds are our own time: one login begins it once. */
  #scram: Scram | null = null;
  #isProven = true;

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
    if (this.#scram !== null) throw new RangeError('a second login');
    this.#isProven = false;
    const { password } = this.login;
    // The server has the user's name from the first message.
    this.#scram = new Scram({ mechanism: SCRAM, user: '', secret: prepared(password), fewestRounds: 1 });
    const first = Buffer.from(this.#scram.first);
    const length = Buffer.alloc(4);
    length.writeInt32BE(first.length);
    return Buffer.concat([Buffer.from(`${SCRAM}\0`), length, first]);
  }

  async #prove(serverFirst: string): Promise<Buffer> {
    if (this.#scram === null) throw new RangeError('no step of SCRAM');
    return Buffer.from(await this.#scram.prove(serverFirst));
  }

  #checkServer(serverFinal: string): null {
    if (this.#scram?.isProvenBy(serverFinal) !== true) {
      throw new ProbeFailure('protocol', 'the server does not prove that it knows the password');
    }
    this.#isProven = true;
    return null;
  }
}

function md5(...parts: (string | Buffer)[]): string {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}
