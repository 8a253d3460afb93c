import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { xor } from './xor.js';

export type ScramMechanism = 'SCRAM-SHA-1' | 'SCRAM-SHA-256';

/** The server says how often to hash (4,096 to 15,000 by default). Each round takes a microsecond of our own time. */
const MOST_ROUNDS = 200_000;

const HASHES = {
  'SCRAM-SHA-1': { name: 'sha1', length: 20 },
  'SCRAM-SHA-256': { name: 'sha256', length: 32 },
} as const;
const derived = promisify(pbkdf2);

/** Spaces that count as one, and characters that count as none (RFC 4013). */
const SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;
// eslint-disable-next-line no-misleading-character-class -- one by one
const NOTHING = /[\u00ad\u034f\u1806\u180b-\u180d\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]/g;

/** A password as SASLprep has it, but for what it forbids. */
export function prepared(password: string): string {
  return password.replace(SPACES, ' ').replace(NOTHING, '').normalize('NFKC');
}

export interface ScramLogin {
  readonly mechanism: ScramMechanism;
  /** Empty where the server knows it already. */
  readonly user: string;
  /** What is hashed: the password in the form that the server keeps. */
  readonly secret: string;
  /** A server that asks for fewer rounds is refused. */
  readonly fewestRounds: number;
}

/** One login by SCRAM (RFC 5802, 7677): what the client says, and whether the server knows the password. */
export class Scram {
  readonly #nonce = randomBytes(24).toString('base64');
  readonly #bare: string;
  /** The rounds are our own time: one login makes us do them once. */
  #hasHashed = false;
  #serverSignature: Buffer | null = null;

  constructor(private readonly login: ScramLogin) {
    const user = login.user.replaceAll('=', '=3D').replaceAll(',', '=2C');
    this.#bare = `n=${user},r=${this.#nonce}`;
  }

  get first(): string {
    return `n,,${this.#bare}`;
  }

  /**
   * The client's proof.
   * @param serverFirst the server's answer to `first`
   * @throws RangeError where that is no such answer
   */
  async prove(serverFirst: string): Promise<string> {
    const { mechanism, secret, fewestRounds } = this.login;
    const { name, length } = HASHES[mechanism];
    const [, nonce = '', salt = '', rounds = ''] =
      /^r=([^,]+),s=([A-Za-z0-9+/=]+),i=(\d{1,7})(?:,|$)/.exec(serverFirst) ?? [];
    const count = Number(rounds);
    const isRight = nonce.startsWith(this.#nonce) && count >= fewestRounds && count <= MOST_ROUNDS;
    if (this.#hasHashed || !isRight) throw new RangeError('no first message of SCRAM');
    this.#hasHashed = true;
    const hmac = (key: Buffer, text: string) => createHmac(name, key).update(text).digest();
    const salted = await derived(secret, Buffer.from(salt, 'base64'), count, length, name);
    const clientKey = hmac(salted, 'Client Key');
    const final = `c=biws,r=${nonce}`;
    const all = `${this.#bare},${serverFirst},${final}`;
    const signature = hmac(createHash(name).update(clientKey).digest(), all);
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), all);
    return `${final},p=${xor(clientKey, signature).toString('base64')}`;
  }

  /** Whether the server's last message proves that it knows the password itself. */
  isProvenBy(serverFinal: string): boolean {
    const signature = Buffer.from(/^v=([A-Za-z0-9+/=]+)(?:,|$)/.exec(serverFinal)?.[1] ?? '', 'base64');
    const own = this.#serverSignature;
    return own?.length === signature.length && timingSafeEqual(own, signature);
  }
}
