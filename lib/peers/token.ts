import { hkdfSync, randomUUID } from 'node:crypto';

/** Of what peers send each other. A peer of another version has no opinion. */
export const PEER_VERSION = 1;

/** How long a token is good, in seconds, and by how much clocks may differ. */
const LIFETIME = 60;
const CLOCK_TOLERANCE = 10;

/** Each purpose has a key of its own: no token can be passed off as one of another purpose. */
type Purpose = 'request' | 'answer' | 'health';

/** `clock`: it is authentic, and its time is too far from ours. `forged`: it is none that was made with the secret. */
export type TokenProblem = 'forged' | 'clock' | { readonly version: number };

export type Opened =
  | {
      readonly problem: null;
      readonly id: string;
      readonly content: unknown;
      /** The installation that made it; null: it does not say. */
      readonly from: string | null;
      /** Ms since the epoch from which on it is refused. */
      readonly until: number;
    }
  | { readonly problem: TokenProblem };

/**
 * Encrypts and authenticates what is sent to a peer, as a JWT (dir, A256GCM) that is good for a minute: who only has the
 * address learns nothing of it, and nobody can change it.
 * @param time ms since the epoch, by the clock of who will open it
 */
export async function seal(
  content: unknown,
  { secret, purpose, time, id = randomUUID(), from = null }: SealTerms,
): Promise<{ readonly token: string; readonly id: string }> {
  const { EncryptJWT } = await import('jose/jwt/encrypt');
  const now = Math.floor(time / 1000);
  const sealing = new EncryptJWT({ version: PEER_VERSION, content })
    .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
    .setIssuedAt(now)
    .setExpirationTime(now + LIFETIME)
    .setJti(id);
  if (from !== null) sealing.setIssuer(from);
  const token = await sealing.encrypt(keyFor(secret, purpose));
  return { token, id };
}

interface SealTerms extends TokenTerms {
  readonly time: number;
  readonly id?: string;
  /** The installation that makes it. */
  readonly from?: string | null;
}

export interface TokenTerms {
  readonly secret: string;
  readonly purpose: Purpose;
}

/** @param now ms since the epoch */
export async function open(
  token: string,
  { secret, purpose, now }: TokenTerms & { readonly now: number },
): Promise<Opened> {
  const { jwtDecrypt } = await import('jose/jwt/decrypt');
  try {
    const { payload } = await jwtDecrypt(token, keyFor(secret, purpose), {
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM'],
      requiredClaims: ['iat', 'exp', 'jti', 'version'],
      maxTokenAge: LIFETIME,
      clockTolerance: CLOCK_TOLERANCE,
      currentDate: new Date(now),
    });
    const { version, jti, iat, iss: from = null, content } = payload;
    if (typeof version !== 'number' || jti === undefined || iat === undefined) return { problem: 'forged' };
    if (version !== PEER_VERSION) return { problem: { version } };
    return { problem: null, id: jti, content, from, until: (iat + LIFETIME + CLOCK_TOLERANCE) * 1000 };
  } catch (error) {
    // Both are thrown of a token that was decrypted.
    const isTime =
      error instanceof Error &&
      'claim' in error &&
      (error.claim === 'iat' || error.claim === 'exp' || error.claim === 'nbf');
    return { problem: isTime ? 'clock' : 'forged' };
  }
}

const keys = new Map<string, Uint8Array>();

/** Derived once a process. */
function keyFor(secret: string, purpose: Purpose): Uint8Array {
  const name = `${purpose} ${secret}`;
  const known = keys.get(name);
  if (known !== undefined) return known;
  const key = new Uint8Array(hkdfSync('sha256', secret, '', `keepalive peers: ${purpose}`, 32));
  keys.set(name, key);
  return key;
}
