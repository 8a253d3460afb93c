import type { ChannelSettings } from '../config/alerts.js';
import type { MailOutcome } from '../rules/mailing.js';
import { deliveryErrorOf, messageId, statusOf } from './email.js';

/** A mail to one person, in plain text. */
export interface OutgoingMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** Ms since the epoch. */
  readonly at: number;
  /** The same for the same mail, so that mail programs can tell a repetition. */
  readonly id: string;
  /** Where the person unsubscribes with one click (RFC 8058); null: they are not subscribed. */
  readonly unsubscribeUrl: string | null;
  /** What the mails of one list have in common (RFC 2919), such as `status.example.com`. */
  readonly listId: string | null;
}

export interface MailSession {
  /** Resolves when the server has taken or refused it, within moments of the signal at the latest. Never rejects. */
  send(mail: OutgoingMail, signal: AbortSignal): Promise<MailOutcome>;
  /** Gives up what is under way. */
  close(): void;
}

export interface Mailer {
  /** Makes no connection yet. */
  open(): Promise<MailSession>;
}

/** Mails that are under way at the same time, each over a connection of its own. Mail services allow that many. */
export const MAILS_AT_ONCE = 4;
/** Mails over one connection: services end longer ones. */
const MAILS_A_CONNECTION = 100;

/** Sends many mails over a few connections. */
export function createMailer(settings: ChannelSettings['email']): Mailer {
  return {
    async open() {
      const { createTransport } = await import('nodemailer');
      const transport = createTransport({
        url: settings.smtpUrl,
        pool: true,
        maxConnections: MAILS_AT_ONCE,
        maxMessages: MAILS_A_CONNECTION,
        // A connection that breaks may have taken the mail: to send it again is decided elsewhere.
        maxRequeues: 0,
        logger: false,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      return {
        async send({ to, subject, text, at, id, unsubscribeUrl, listId }, signal) {
          try {
            await transport.sendMail({
              from: settings.from,
              to: { name: '', address: to },
              subject,
              text,
              date: new Date(at),
              messageId: messageId(id, settings.from),
              headers: {
                'Auto-Submitted': 'auto-generated',
                ...(listId !== null && { 'List-Id': `<${listId}>` }),
                ...(unsubscribeUrl !== null && {
                  'List-Unsubscribe': `<${unsubscribeUrl}>`,
                  'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
                }),
              },
              signal,
            });
            return { kind: 'sent' };
          } catch (error) {
            const { code, message } = deliveryErrorOf(error, signal);
            if (isRefusedForGood(error)) return { kind: 'refused', isUnknown: isUnknown(error), message };
            return {
              kind: 'failed',
              permanent: code === 'permanent',
              byReply: isOfRecipient(error),
              message,
            };
          }
        },
        close: () => transport.close({ force: true }),
      };
    },
  };
}

/** Replies to these concern one recipient; those to all others concern the sender. */
const OF_RECIPIENT: ReadonlySet<string> = new Set(['RCPT TO', 'DATA']);

function isOfRecipient(error: unknown): boolean {
  return (
    statusOf(error) !== null &&
    typeof error === 'object' &&
    error !== null &&
    'command' in error &&
    OF_RECIPIENT.has(String(error.command))
  );
}

/** 5xx for this recipient, or an address that the server cannot be given (it takes no letters beyond ASCII). */
function isRefusedForGood(error: unknown): boolean {
  const status = statusOf(error);
  if (status !== null) return status >= 500 && isOfRecipient(error);
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'EENVELOPE';
}

/** Replies to RCPT that may say that there is no such mailbox (RFC 5321, 4.2.3). */
const NO_MAILBOX: ReadonlySet<number> = new Set([550, 551, 553]);
/** What enhanced codes say of a mailbox that is none or is closed: X.1.X and X.2.1 (RFC 3463). Others are about the sender. */
const OF_MAILBOX = /\b5\.(?:1\.\d+|2\.1)\b/;
const ENHANCED = /\b5\.\d+\.\d+\b/;

/** Whether the server says that there is no such mailbox. Without an enhanced code, 550, 551 and 553 do. */
function isUnknown(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('command' in error)) return false;
  const status = statusOf(error);
  if (error.command !== 'RCPT TO' || status === null || !NO_MAILBOX.has(status)) return false;
  const response = 'response' in error ? String(error.response) : '';
  return OF_MAILBOX.test(response) || !ENHANCED.test(response);
}
