import { createHash } from 'node:crypto';
import type { ChannelSettings } from '../config/alerts.js';
import { codeOf, tlsProblem } from '../probe/failure.js';
import { DeliveryError, type Channel } from './channel.js';
import { compose, escapeHtml, PLAIN, titleOf, utf16Length, type Markup } from './compose.js';

/** Characters of one part; ours: Gmail shows about 102 KB of a message. */
export const EMAIL_LIMIT = 65_536;
/** Code points; mail programs show about half of it. */
const LONGEST_SUBJECT = 150;
/** Mailbox full, or too little space (RFC 5321, 4.2.3): it passes. */
const FULL = 552;

export const HTML: Markup = {
  escape: escapeHtml,
  bold: (text) => `<b>${text}</b>`,
  link: (url) => `<a href="${escapeHtml(url)}">${escapeHtml(url)}</a>`,
  size: utf16Length,
};

/** One message to all recipients over SMTP; taken once the server took it for any of them. */
export function email(settings: ChannelSettings['email']): Channel {
  return {
    name: 'email',
    async deliver(digest, signal) {
      const { createTransport } = await import('nodemailer');
      const transport = createTransport({
        url: settings.smtpUrl,
        logger: false,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      try {
        const { text } = compose(digest, { markup: PLAIN, limit: EMAIL_LIMIT, titled: true });
        const lines = compose(digest, { markup: HTML, limit: EMAIL_LIMIT, titled: true }).text.replaceAll(
          '\n',
          '<br>\n',
        );
        await transport.sendMail({
          from: settings.from,
          to: [...settings.to],
          subject: `[Keepalive] ${titleOf(digest, LONGEST_SUBJECT)}`,
          text,
          html: `<p style="font-family: sans-serif; line-height: 1.6">${lines}</p>\n`,
          date: new Date(digest.at),
          messageId: messageId(digest.id, settings.from),
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal,
        });
      } catch (error) {
        throw deliveryErrorOf(error, signal);
      } finally {
        transport.close();
      }
    },
  };
}

/**
 * The same for the same mail, so that mail programs can tell a repetition.
 * @param id of the mail @param from `Name <address>`, or an address alone
 */
export function messageId(id: string, from: string): string {
  const domain = /@([^\s@<>]+)>?$/.exec(from)?.[1] ?? 'localhost';
  return `<${createHash('sha256').update(id).digest('hex').slice(0, 32)}.keepalive@${domain}>`;
}

/** By codes alone: messages may quote addresses and what was sent. */
export function deliveryErrorOf(error: unknown, signal: AbortSignal): DeliveryError {
  const cause = codeOf(error);
  if (signal.aborted) return new DeliveryError('temporary', 'no answer in time', { cause });
  const certificate = certificateProblemOf(error);
  if (certificate !== null) return new DeliveryError('permanent', certificate, { cause });
  const status = statusOf(error);
  if (status === null) {
    const code = UNFIT.has(cause) ? 'permanent' : 'temporary';
    return new DeliveryError(code, MESSAGES.get(cause) ?? 'mail not sent', { cause });
  }
  const permanent = status >= 500 && status !== FULL;
  return new DeliveryError(permanent ? 'permanent' : 'temporary', `answered ${status}`, { cause });
}

/**
 * What is wrong with the server's certificate, by Node's code, which nodemailer keeps beside its own; null: nothing.
 */
function certificateProblemOf(error: unknown): string | null {
  if (typeof error !== 'object' || error === null || !('originalCode' in error)) return null;
  return tlsProblem(String(error.originalCode));
}

/** The SMTP reply code; null where it was not a reply that failed. */
export function statusOf(error: unknown): number | null {
  const isReply = typeof error === 'object' && error !== null && 'responseCode' in error;
  return isReply && typeof error.responseCode === 'number' ? error.responseCode : null;
}

/** What nodemailer will not send, however often it is asked to. */
const UNFIT: ReadonlySet<string> = new Set(['EENVELOPE', 'EMESSAGE', 'ECONFIG']);

const MESSAGES: ReadonlyMap<string, string> = new Map(
  Object.entries<string>({
    ECONNECTION: 'connection closed early',
    ESOCKET: 'connection failed',
    ETIMEDOUT: 'connection timed out',
    EDNS: 'name not resolved',
    ETLS: 'TLS handshake failed',
    EPROTOCOL: 'no valid SMTP answer',
    EAUTH: 'log in failed',
  }),
);
