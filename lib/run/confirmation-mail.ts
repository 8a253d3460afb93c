import type { Config } from '../config/config.js';
import { createMailer } from '../deliver/mailer.js';
import type { MailOutcome } from '../rules/mailing.js';
import type { MailText } from '../view/subscriber-mail.js';

/** Ms; somebody waits for the page. */
const MAIL_TIMEOUT = 8_000;

/** Sends one mail that is no news, to somebody who is no subscriber yet. Never rejects. */
export async function sendConfirmation(
  { alerts }: Pick<Config, 'alerts'>,
  to: string,
  { mail, at, id }: { readonly mail: MailText; readonly at: number; readonly id: string },
): Promise<MailOutcome> {
  if (alerts.email === null) return { kind: 'nothing' };
  const session = await createMailer(alerts.email).open();
  try {
    const outgoing = { to, ...mail, at, id, unsubscribeUrl: null, listId: null };
    return await session.send(outgoing, AbortSignal.timeout(MAIL_TIMEOUT));
  } finally {
    session.close();
  }
}
