import { constants, createHash, publicEncrypt } from 'node:crypto';
import { ProbeFailure } from './failure.js';
import { xor } from './xor.js';

/** A way to log in, and the server's random bytes for it. */
export interface Challenge {
  readonly plugin: string;
  readonly salt: Buffer;
}

const NATIVE = 'mysql_native_password';
const CACHING = 'caching_sha2_password';
const CLEAR = 'mysql_clear_password';
/** Bytes of a challenge; a NUL may follow. */
const SALT_LENGTH = 20;

/** What caching_sha2_password goes on with. */
const IS_CACHED = 3;
const WANTS_PASSWORD = 4;
const ASKS_FOR_KEY = Buffer.from([2]);

const NO_ANSWER = Buffer.alloc(0);

export interface LoginChannel {
  readonly isEncrypted: boolean;
  /** The address does without TLS: the password may be sent under a key of whoever answers. */
  readonly trustsServer: boolean;
}

/** Answers the challenges of one login. Every method throws a ProbeFailure where it cannot. */
export class MysqlLogin {
  #challenge: Challenge = { plugin: '', salt: NO_ANSWER };

  constructor(
    private readonly password: string,
    private readonly channel: LoginChannel,
  ) {}

  /** Whether a server's first choice can be answered at once. If not, it is asked to name another. */
  static knows(plugin: string): boolean {
    return [NATIVE, CACHING].includes(plugin);
  }

  answer({ plugin, salt }: Challenge): Buffer {
    this.#challenge = { plugin, salt: Buffer.from(salt.subarray(0, SALT_LENGTH)) };
    if (plugin === NATIVE) return this.#native();
    if (plugin === CACHING) return this.#caching();
    if (plugin === CLEAR) return this.#clear();
    throw new ProbeFailure(
      'query',
      `the database wants a login that is not supported: ${NATIVE} and ${CACHING} are`,
    );
  }

  /** Goes on with caching_sha2_password; null: the server's verdict is all that is missing. */
  continueLogin(data: Buffer): Buffer | null {
    if (this.#challenge.plugin !== CACHING) throw new RangeError('unexpected packet');
    if (data.length === 1 && data[0] === IS_CACHED) return null;
    if (data.length === 1 && data[0] === WANTS_PASSWORD) {
      if (this.channel.isEncrypted) return this.#clear();
      if (this.channel.trustsServer) return ASKS_FOR_KEY;
      throw new ProbeFailure('tls', 'the database wants the password as it is, and has no TLS');
    }
    // Only a server that was asked for its key sends one.
    if (this.channel.isEncrypted || !this.channel.trustsServer)
      throw new RangeError('a key that nobody asked for');
    return this.#encrypted(data.toString('latin1'));
  }

  #native(): Buffer {
    if (this.password === '') return NO_ANSWER;
    const once = digest('sha1', this.password);
    return xor(once, digest('sha1', this.#challenge.salt, digest('sha1', once)));
  }

  #caching(): Buffer {
    if (this.password === '') return NO_ANSWER;
    const once = digest('sha256', this.password);
    return xor(once, digest('sha256', digest('sha256', once), this.#challenge.salt));
  }

  #clear(): Buffer {
    if (!this.channel.isEncrypted) {
      throw new ProbeFailure('tls', 'the database wants the password as it is, and has no TLS');
    }
    return Buffer.from(`${this.password}\0`);
  }

  #encrypted(key: string): Buffer {
    const text = Buffer.from(`${this.password}\0`);
    const { salt } = this.#challenge;
    try {
      return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING }, xor(text, salt));
    } catch {
      throw new RangeError('no key');
    }
  }
}

function digest(algorithm: 'sha1' | 'sha256', ...parts: (string | Buffer)[]): Buffer {
  const hash = createHash(algorithm);
  for (const part of parts) hash.update(part);
  return hash.digest();
}
