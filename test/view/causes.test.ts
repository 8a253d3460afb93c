import { describe, expect, it } from 'vitest';
import { causeOf, type CauseKind } from '../../lib/view/causes.js';
import english from '../../lib/view/messages/en.js';
import { causeInWords } from '../../lib/view/words.js';
import { ENGLISH } from '../support/views.js';

/** Messages of checks, of every reason. */
const MESSAGES: readonly (readonly [message: string, kind: CauseKind])[] = [
  ['status 503, expected 200-299', 'error_status'],
  ['status 503, expected 200-299 (also from fra1 and syd1)', 'error_status'],
  ['JSON expression is not true (also from fly.example.com)', 'not_well'],
  ['answers from fra1 and render.example.com, not from here', 'local'],
  ['status 404, expected 200-299,301', 'error_status'],
  ['status 204, expected 200', 'other_status'],
  ['status 301, expected 200-299', 'other_status'],
  ['timed out waiting for the answer', 'timeout'],
  ['connection timed out', 'timeout'],
  ['JSON expression took too long', 'timeout'],
  ['the database stopped QUERY: it took too long, or was cancelled', 'timeout'],
  ['name not found', 'name'],
  ['name server did not answer', 'name'],
  ['the name does not exist (NXDOMAIN)', 'name'],
  ['name has no SRV record', 'name'],
  ['connection refused', 'refused'],
  ['connection reset', 'broken_off'],
  ['connection closed early', 'broken_off'],
  ['connection closed without an answer: for a server with TLS, write wss://', 'tls'],
  ['host unreachable', 'unreachable'],
  ['connection failed', 'unreachable'],
  ['the database has too many connections', 'unreachable'],
  [
    'certificate has expired: renew it (or the one that issued it), then reload the server',
    'expired_certificate',
  ],
  ['certificate ends in less than 14 days', 'expiring_certificate'],
  ['self-signed certificate: trust it by NODE_EXTRA_CA_CERTS, or set TLS_VERIFY=false', 'tls'],
  ['TLS handshake failed: see what openssl s_client says of this port', 'tls'],
  ['expected text not found', 'content'],
  ['rejected text found', 'content'],
  ['body is not JSON', 'content'],
  ['JSON expression is not true', 'not_well'],
  ['degraded by JSON expression', 'not_well'],
  ['the service says that it is NOT_SERVING', 'not_well'],
  ['body too large', 'too_large'],
  ['message larger than MAX_BODY', 'too_large'],
  ['too many redirects', 'redirect'],
  ['redirect to a private address', 'redirect'],
  ['no valid HTTP answer', 'invalid'],
  ['it does not answer as Redis does: check host and port', 'invalid'],
  ['the database refuses the user name or password', 'query'],
  ['QUERY has a syntax error', 'query'],
  ['Render has no service of this name: look whether it was deleted or renamed', 'host'],
  ['the Supabase project is paused: restore it in the dashboard', 'host'],
  ['the host answered in place of the app', 'host'],
  ['slower than 1000 ms', 'slow'],
  ['a message that no version has written', 'other'],
  ['', 'other'],
];

describe('why a check was not good, in plain words', () => {
  it.each(MESSAGES)('%s: %s', (message, kind) => {
    expect(causeOf(message).kind).toBe(kind);
  });

  it('names the status, and leaves no place empty', () => {
    const words = (message: string) => causeInWords(causeOf(message), ENGLISH);
    expect(words('status 503, expected 200-299')).toBe('Returned an error (503)');
    expect(words('status 204, expected 200')).toBe('Returned an unexpected status (204)');
    for (const [message] of MESSAGES) expect(words(message)).toMatch(/^[A-Z][^{}]+$/);
  });

  it('has a message for every kind in this table', () => {
    expect(new Set(MESSAGES.map(([, kind]) => kind))).toEqual(
      new Set(Object.keys(english).flatMap((name) => /^cause\.(.+)/.exec(name)?.[1] ?? [])),
    );
  });
});
