import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { ProbeFailure } from './failure.js';

export type ScramMechanism = 'SCRAM-SHA-1' | 'SCRAM-SHA-256';

/** The server says how often to hash; servers say 10,000 or 15,000. */
const FEWEST_ROUNDS = 4_096;
const MOST_ROUNDS = 200_000;

const HASHES = {
  'SCRAM-SHA-1': { name: 'sha1', length: 20 },
  'SCRAM-SHA-256': { name: 'sha256', length: 32 },
};
const derived = promisify(pbkdf2);

/** Spaces that count as one, and characters that count as none (RFC 4013). */
const SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;
// eslint-disable-next-line no-misleading-character-class -- one by one
const NOTHING = /[\u00ad\u034f\u1806\u180b-\u180d\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]/g;

/** A password as SASLprep has it, but for what it forbids. */
function prepared(password: string): string {
  return password.replace(SPACES, ' ').replace(NOTHING, '').normalize('NFKC');
}

/** One login by SCRAM (RFC 5802, 7677) as MongoDB does it: what the client says, and whether the server knows the password. */
export class Scram {
  readonly #nonce = randomBytes(24).toString('base64');
  readonly #bare: string;
  #serverSignature: Buffer | null = null;

  constructor(
    private readonly mechanism: ScramMechanism,
    user: string,
    private readonly password: string,
  ) {
    this.user = user;
    this.#bare = `n=${user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${this.#nonce}`;
  }

  private readonly user: string;

  get first(): string {
    return `n,,${this.#bare}`;
  }

  /** The client's proof. Rejects with a ProbeFailure where the server's message is none. */
  async prove(serverFirst: string): Promise<string> {
    const { name, length } = HASHES[this.mechanism];
    const [, nonce = '', salt = '', rounds = ''] =
      /^r=([^,]+),s=([A-Za-z0-9+/=]+),i=(\d{1,7})$/.exec(serverFirst) ?? [];
    const count = Number(rounds);
    if (!nonce.startsWith(this.#nonce) || !(count >= FEWEST_ROUNDS && count <= MOST_ROUNDS))
      throw invalidLogin();
    const secret =
      this.mechanism === 'SCRAM-SHA-256'
        ? prepared(this.password)
        : createHash('md5').update(`${this.user}:mongo:${this.password}`).digest('hex');
    const hmac = (key: Buffer, text: string) => createHmac(name, key).update(text).digest();
    const salted = await derived(secret, Buffer.from(salt, 'base64'), count, length, name);
    const clientKey = hmac(salted, 'Client Key');
    const final = `c=biws,r=${nonce}`;
    const all = `${this.#bare},${serverFirst},${final}`;
    const signature = hmac(createHash(name).update(clientKey).digest(), all);
    this.#serverSignature = hmac(hmac(salted, 'Server Key'), all);
    const proof = Buffer.from(clientKey.map((byte, index) => byte ^ (signature[index] ?? 0)));
    return `${final},p=${proof.toString('base64')}`;
  }

  /** @throws ProbeFailure where the server does not know the password itself */
  verify(serverFinal: string): void {
    const signature = Buffer.from(/^v=([A-Za-z0-9+/=]+)$/.exec(serverFinal)?.[1] ?? '', 'base64');
    const own = this.#serverSignature;
    if (own?.length !== signature.length || !timingSafeEqual(own, signature)) throw invalidLogin();
  }
}

function invalidLogin(): ProbeFailure {
  return new ProbeFailure('protocol', 'the server does not log in as MongoDB does: check host and port');
}
