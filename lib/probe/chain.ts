import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';

/** Certificates of a chain that are looked at; real ones have three or four. */
const LONGEST_CHAIN = 10;

/** Ms; to look at a whole chain costs a tenth of a handshake, and servers send the same one every time. */
const KNOWN_FOR = 600_000;
const MOST_KNOWN = 1_000;
const ends = new Map<string, { readonly end: number | null; readonly at: number }>();

/**
 * The earliest end among a certificate and those it is traced back to, in ms since the epoch; null: it says none. What the
 * server sends besides does not count, nor does a root or what lies behind a trusted one: no client looks at their end.
 */
export function endOfChain(certificate: X509Certificate): number | null {
  const key = certificate.fingerprint256;
  const now = performance.now();
  const known = ends.get(key);
  if (known !== undefined && now - known.at < KNOWN_FOR) return known.end;
  const end = earliestEnd(certificate);
  ends.delete(key);
  ends.set(key, { end, at: now });
  const [oldest = ''] = ends.keys();
  if (ends.size > MOST_KNOWN) ends.delete(oldest);
  return end;
}

function earliestEnd(certificate: X509Certificate): number | null {
  const sent = sentWith(certificate);
  let earliest = endOf(certificate);
  for (let current = certificate; sent.size > 0;) {
    const issuer = issuerOf(current, sent);
    if (issuer === null) break;
    sent.delete(issuer);
    const end = endOf(issuer);
    // Whether it is a root that is trusted takes a while to find out, and matters only here.
    if (end !== null && (earliest === null || end < earliest)) {
      if (isTrusted(issuer)) break;
      earliest = end;
    }
    current = issuer;
  }
  return earliest;
}

/** What came with a certificate. Node links it in the order in which it was sent, whoever has signed whom. */
function sentWith(certificate: X509Certificate): Set<X509Certificate> {
  const sent = new Set<X509Certificate>();
  for (
    let next = certificate.issuerCertificate;
    next !== undefined && sent.size < LONGEST_CHAIN;
    next = next.issuerCertificate
  ) {
    sent.add(next);
  }
  return sent;
}

/** Of several that fit, the one that lasts longest: a client needs only one. */
function issuerOf(certificate: X509Certificate, sent: ReadonlySet<X509Certificate>): X509Certificate | null {
  const fit = [...sent].filter((each) => certificate.checkIssued(each));
  return fit.sort((a, b) => (endOf(b) ?? 0) - (endOf(a) ?? 0))[0] ?? null;
}

function endOf({ validTo }: X509Certificate): number | null {
  const end = Date.parse(validTo);
  return Number.isFinite(end) ? end : null;
}

let trustedKeys: ReadonlySet<string> | null = null;

/** A root, or a copy of one that another root has signed: it is trusted for its key, whatever its end. */
function isTrusted(certificate: X509Certificate): boolean {
  if (certificate.issuer === certificate.subject) return true;
  trustedKeys ??= new Set(rootCertificates.map((pem) => keyOf(new X509Certificate(pem))));
  return trustedKeys.has(keyOf(certificate));
}

function keyOf({ subject, publicKey }: X509Certificate): string {
  return `${subject} ${publicKey.export({ type: 'spki', format: 'der' }).toString('base64')}`;
}
