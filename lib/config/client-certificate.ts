import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { ClientCertificate } from '../types.js';
import { InvalidValue, value } from './values.js';

const BLOCK = /-----BEGIN ([A-Z ]{1,40})-----([A-Za-z0-9+/=\s]*)-----END \1-----/g;
const WIDTH = 64;

/**
 * A certificate, those that vouch for it, and its key: PEM, one behind the other. Places that take one line only may have
 * `\n` or blanks for line breaks.
 */
export const clientCertificate = value(
  'a certificate and its private key without a password, both as PEM (-----BEGIN …), one behind the other',
  (text): ClientCertificate | undefined => {
    const blocks = [...text.replaceAll(String.raw`\n`, '\n').matchAll(BLOCK)].map(
      ([, kind = '', content = '']) => ({ kind, pem: pemOf(kind, content) }),
    );
    const certificates = blocks.filter(({ kind }) => kind === 'CERTIFICATE').map(({ pem }) => pem);
    const keys = blocks.filter(({ kind }) => /^(?:[A-Z]+ )?PRIVATE KEY$/.test(kind)).map(({ pem }) => pem);
    const [first] = certificates;
    const [key, second] = keys;
    if (first === undefined || key === undefined || second !== undefined) return undefined;
    if (!new X509Certificate(first).checkPrivateKey(createPrivateKey(key)))
      throw new InvalidValue('the private key belongs to another certificate');
    const both = { cert: certificates.join(''), key };
    // OpenSSL refuses keys that are too short, which would fail each check.
    createSecureContext(both);
    return both;
  },
);

/** In lines, as it is read everywhere. */
function pemOf(kind: string, content: string): string {
  const lines = content.replace(/\s/g, '').match(new RegExp(`.{1,${WIDTH}}`, 'g')) ?? [];
  return [`-----BEGIN ${kind}-----`, ...lines, `-----END ${kind}-----`, ''].join('\n');
}
