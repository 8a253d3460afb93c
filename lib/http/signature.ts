import { createHash } from 'node:crypto';
import { readText } from './request-body.js';
import { isSame } from './responses.js';

/** Seconds by which QStash's clock and ours may differ. */
const CLOCK_TOLERANCE = 10;
/** Bytes of a signed body at most; ours is empty. */
const BODY_LIMIT = 64 * 1024;

/** What must hold of a request that QStash signed. */
export interface Expected {
  /** Where it may have been sent, exactly as it is called there, without a slash at the end of the path. */
  readonly urls: readonly string[];
  /** Those that are in force; with none, everything is refused. */
  readonly keys: readonly string[];
}

/**
 * Why a signature is refused, or the token that was accepted. A caller without a key learns nothing from the reason.
 */
export type SignatureResult =
  { readonly problem: string } | { readonly problem: null; readonly token: SignedToken };

export interface SignedToken {
  /** The same for each copy of the token, and for no other token. */
  readonly id: string;
  /** Until when it is accepted, ms since the epoch. */
  readonly until: number;
}

/**
 * Checks an `Upstash-Signature`: a JWT (HS256) over the URL, the time and the SHA-256 of the body. The body is read only
 * where the rest holds.
 */
export async function verifySignature(
  request: Request,
  signature: string,
  { urls, keys }: Expected,
): Promise<SignatureResult> {
  const { jwtVerify } = await import('jose/jwt/verify');
  const options = {
    algorithms: ['HS256'],
    issuer: 'Upstash',
    requiredClaims: ['sub', 'exp', 'nbf', 'body'],
    clockTolerance: CLOCK_TOLERANCE,
  };
  let problem = 'made with none of the signing keys';
  for (const key of keys) {
    try {
      const { payload } = await jwtVerify(signature, new TextEncoder().encode(key), options);
      if (!urls.includes(withoutSlash(payload.sub ?? ''))) return { problem: claimProblem('sub', urls) };
      const wrongBody = await bodyProblem(request, payload.body);
      if (wrongBody !== null) return { problem: wrongBody };
      if (payload.exp === undefined) return { problem: claimProblem('exp', urls) };
      const until = (payload.exp + CLOCK_TOLERANCE) * 1000;
      return { problem: null, token: { id: idOf(signature), until } };
    } catch (error) {
      const claim = error instanceof Error && 'claim' in error ? error.claim : undefined;
      if (typeof claim === 'string') problem = claimProblem(claim, urls);
    }
  }
  return { problem };
}

/** Of what is signed: the signature behind it can be written in more than one way. */
function idOf(token: string): string {
  return createHash('sha256')
    .update(token.slice(0, token.lastIndexOf('.')))
    .digest('base64url');
}

/** Tokens that are remembered at most; QStash makes one for each call. */
const TOKENS_KEPT = 1_000;

/** The tokens that a process has accepted and that are still valid: each is good for one run. */
export class UsedTokens {
  readonly #until = new Map<string, number>();

  /** Whether it is used for the first time. */
  use({ id, until }: SignedToken, now: number): boolean {
    if (this.#until.has(id)) return false;
    for (const [used, end] of this.#until) {
      if (end <= now || this.#until.size >= TOKENS_KEPT) this.#until.delete(used);
    }
    this.#until.set(id, until);
    return true;
  }
}

async function bodyProblem(request: Request, digest: unknown): Promise<string | null> {
  const body = await readText(request, BODY_LIMIT).catch(() => null);
  if (body === null) return `the body broke off, or is longer than ${BODY_LIMIT} bytes`;
  const found = createHash('sha256').update(body).digest('base64url');
  const isRight = typeof digest === 'string' && (isSame(digest, `${found}=`) || isSame(digest, found));
  return isRight ? null : 'for another body';
}

/** Names the claim that is wrong: the caller knows a signing key, since the signature was valid. */
/** A slash at the end of the path makes no other address. */
function withoutSlash(url: string): string {
  return url.replace(/^([^?]*)\/(?=\?|$)/, '$1');
}

function claimProblem(claim: string, urls: readonly string[]): string {
  switch (claim) {
    case 'sub':
      return `for another address than ${urls.join(' or ')}`;
    case 'exp':
      return 'expired';
    case 'nbf':
      return 'not valid yet';
    default:
      return `"${claim}" is not as QStash has it`;
  }
}
