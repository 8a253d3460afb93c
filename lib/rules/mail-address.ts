/** Octets of an address, and of what stands before its `@` (RFC 5321, 4.5.3.1). */
const LONGEST = 254;
const LONGEST_LOCAL = 64;

/**
 * What may stand before the `@` without quotes (RFC 5322, 3.2.3), and beyond ASCII any letter, digit or mark (RFC 6531):
 * nothing that separates addresses, begins a header, or turns the direction of a text.
 */
const LOCAL = /^[\w!#$%&'*+/=?^`{|}~\p{L}\p{N}\p{M}-]+(?:\.[\w!#$%&'*+/=?^`{|}~\p{L}\p{N}\p{M}-]+)*$/u;
/** Names as DNS has them, with a last label that is no number: an address of IPv4 is none. */
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

const encoder = new TextEncoder();
const octets = (text: string): number => encoder.encode(text).length;

/**
 * A mail address as it is sent to: the part before the `@` as it was written, the domain in ASCII (`müller.example` is
 * `xn--mller-kva.example`). Undefined for what is none: one address, no name, no quotes, no comment.
 */
export function parseMailAddress(text: string): string | undefined {
  const trimmed = text.trim().normalize('NFC');
  if (octets(trimmed) > LONGEST) return undefined;
  const at = trimmed.lastIndexOf('@');
  const local = trimmed.slice(0, Math.max(0, at));
  const domain = asciiDomain(trimmed.slice(at + 1));
  if (domain === undefined || !LOCAL.test(local) || octets(local) > LONGEST_LOCAL) return undefined;
  const address = `${local}@${domain}`;
  return octets(address) > LONGEST ? undefined : address;
}

function asciiDomain(text: string): string | undefined {
  // URL would take a port, a path or a user name out of it.
  if (/[^\p{L}\p{N}\p{M}.-]/u.test(text) || !URL.canParse(`http://${text}`)) return undefined;
  const { hostname } = new URL(`http://${text}`);
  return hostname.length <= 253 && DOMAIN.test(hostname) ? hostname : undefined;
}

/** The same for two spellings of one address. No mail service of today tells `A@` from `a@`. */
export function mailIdentity(address: string): string {
  return address.toLowerCase();
}

/** The same for all addresses that lead to one mailbox by a tag: `ann+1@example.com` is `ann@example.com`. */
export function mailboxOf(address: string): string {
  return mailIdentity(address).replace(/\+[^@]*@/, '@');
}
