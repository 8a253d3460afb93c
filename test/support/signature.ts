import { createHash, createHmac } from 'node:crypto';

export interface Signing {
  readonly key: string;
  readonly url: string;
  readonly body?: string;
  /** Seconds since 1970. */
  readonly at: number;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** A signature as QStash makes it, by hand, with whatever is to be wrong with it. */
export function sign({ key, url, body = '', at, header, claims }: Signing): string {
  const digest = createHash('sha256').update(body).digest('base64url');
  const payload = {
    ...{ iss: 'Upstash', sub: url, iat: at, nbf: at, exp: at + 300, jti: 'jwt_1', body: `${digest}=` },
    ...claims,
  };
  const text = [{ alg: 'HS256', typ: 'JWT', ...header }, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const hash = { HS384: 'sha384', HS512: 'sha512' }[String(header?.alg)] ?? 'sha256';
  return `${text}.${createHmac(hash, key).update(text).digest('base64url')}`;
}
