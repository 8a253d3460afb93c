import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { Config } from '../config/config.js';
import { CONFIRMATION_TTL, type Subscriber } from '../record/subscribers.js';
import { MINUTE } from '../time.js';

/** What the link in the mail that asks for a confirmation stands for. */
export interface Confirmation extends Subscriber {
  /** When the mail was asked for, ms since the epoch. */
  readonly asked: number;
}

type Settings = Pick<Config, 'cronSecret' | 'prefix'>;

const CIPHER = 'aes-256-gcm';
const NONCE = 12;
const TAG = 16;
/** Of an address of 254 characters, with room to spare. */
const TOKEN = /^[\w-]{40,800}$/;
/** How far the clocks of two processes may be apart. */
const SKEW = 10 * MINUTE;

/**
 * A confirmation as a text for a link. It is sealed, so that nobody else can make one, and encrypted, so that logs of
 * requests hold no addresses. Whoever has it can read the mail that it was sent with: nothing has to be stored until it comes
 * back.
 */
export function confirmationToken(settings: Settings, { address, language, asked }: Confirmation): string {
  const nonce = randomBytes(NONCE);
  const cipher = createCipheriv(CIPHER, keyOf(settings), nonce);
  const sealed = Buffer.concat([cipher.update(JSON.stringify([address, language, asked])), cipher.final()]);
  return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64url');
}

/** What a text stands for, or what is wrong with it. */
export function readConfirmation(
  settings: Settings,
  token: string,
  now: number,
): Confirmation | 'forged' | 'expired' {
  if (!TOKEN.test(token)) return 'forged';
  const bytes = Buffer.from(token, 'base64url');
  // One text for each link: decoding overlooks what stands behind the last whole byte.
  if (bytes.toString('base64url') !== token) return 'forged';
  let opened: unknown;
  try {
    const decipher = createDecipheriv(CIPHER, keyOf(settings), bytes.subarray(0, NONCE), {
      authTagLength: TAG,
    });
    decipher.setAuthTag(bytes.subarray(-TAG));
    const text = Buffer.concat([decipher.update(bytes.subarray(NONCE, -TAG)), decipher.final()]);
    opened = JSON.parse(text.toString());
  } catch {
    return 'forged';
  }
  const [address, language, asked] = opened as [string, string, number];
  return now - asked >= CONFIRMATION_TTL || asked - now > SKEW ? 'expired' : { address, language, asked };
}

/** For this use alone, and for this installation alone. */
function keyOf({ cronSecret, prefix }: Settings): Buffer {
  return createHmac('sha256', cronSecret ?? randomBytes(32))
    .update(`keepalive confirmation of ${prefix}`)
    .digest();
}

/** Hides what it stands for from who reads the store. */
export function keyedHash({ cronSecret, prefix }: Settings, text: string): string {
  return createHmac('sha256', cronSecret ?? randomBytes(32))
    .update(`keepalive request to ${prefix}: ${text}`)
    .digest()
    .subarray(0, 6)
    .toString('base64url');
}
