import { createHash } from 'node:crypto';
import { readText } from './body.js';
import { isSame } from './answer.js';

/** Seconds by which QStash's clock and ours may differ. */
const CLOCK_TOLERANCE = 10;
/** Bytes of a signed body at most; ours is empty. */
const BODY_LIMIT = 64 * 1024;

/** What must hold of a request that QStash signed. */
export interface Expected {
  /** Where it was sent, exactly as it is called there. */
  readonly url: string;
  /** Those that are in force; with none, everything is refused. */
  readonly keys: readonly string[];
}

/**
 * Checks an `Upstash-Signature`: a JWT (HS256) over the URL, the time and the SHA-256 of the body. The body is read only
 * where the rest holds. Null: it is valid; otherwise why not, which says nothing to whoever does not know a key.
 */
export async function signatureProblem(
  request: Request,
  signature: string,
  { url, keys }: Expected,
): Promise<string | null> {
  const { jwtVerify } = await import('jose/jwt/verify');
  const options = {
    algorithms: ['HS256'],
    issuer: 'Upstash',
    subject: url,
    requiredClaims: ['exp', 'nbf', 'body'],
    clockTolerance: CLOCK_TOLERANCE,
  };
  let problem = 'made with none of the signing keys';
  for (const key of keys) {
    try {
      const { payload } = await jwtVerify(signature, new TextEncoder().encode(key), options);
      return await bodyProblem(request, payload.body);
    } catch (error) {
      const claim = error instanceof Error && 'claim' in error ? error.claim : undefined;
      if (typeof claim === 'string') problem = claimProblem(claim, url);
    }
  }
  return problem;
}

async function bodyProblem(request: Request, digest: unknown): Promise<string | null> {
  const body = await readText(request, BODY_LIMIT).catch(() => null);
  if (body === null) return `the body broke off, or is longer than ${BODY_LIMIT} bytes`;
  const found = createHash('sha256').update(body).digest('base64url');
  return typeof digest === 'string' && isSame(digest.replace(/=+$/, ''), found) ? null : 'for another body';
}

/** Only who knows a key gets this far. */
function claimProblem(claim: string, url: string): string {
  switch (claim) {
    case 'sub':
      return `for another address than ${url}`;
    case 'exp':
      return 'expired';
    case 'nbf':
      return 'not valid yet';
    default:
      return `"${claim}" is not as QStash has it`;
  }
}
