import { HOUR, DAY } from '../time.js';
import { readEnvelope, writeEnvelope } from './codec/envelope.js';
import { asList, asText, asTime, parseJson } from './codec/json.js';
import { TextError } from './codec/text-error.js';

/** Of the format of this field. It is the first: version 1 is a text without a mark, and none was stored as one. */
const VERSION = 2;

/**
 * A mail that was asked for with the form. `mailbox` and `network` are keyed hashes: whose they are cannot be found out
 * from what is stored.
 */
export interface MailRequest {
  readonly mailbox: string;
  readonly network: string;
  /** Ms since the epoch. */
  readonly at: number;
}

/** Mails that the form sends in a day: to one mailbox, and asked for from one network. */
const TO_ONE = 3;
const FROM_ONE = 20;
/** Mails in a day to all together: a fifth of what subscribers may get, so many at least and at most. */
const TO_ALL = { least: 50, most: 1_000 };
/** Ms between two mails to one mailbox: a form that is sent twice sends one. */
const PAUSE = HOUR / 60;

/** `to`: this mailbox gets no more for now. `from`: its network asks for too many. `all`: all together do. */
export type MailRefusal = 'to' | 'from' | 'all';

/** Mails that the form sends in a day; in an hour, half of them. */
export function mostRequests(mailsPerDay: number): number {
  return Math.min(TO_ALL.most, Math.max(TO_ALL.least, Math.floor(mailsPerDay / 5)));
}

/**
 * The requests with one more, or why it is refused.
 * @param most as `mostRequests` gives it
 */
export function withRequest(
  before: readonly MailRequest[],
  asked: MailRequest,
  most: number,
): { readonly requests: readonly MailRequest[] } | { readonly refused: MailRefusal } {
  const { at, mailbox, network } = asked;
  // What lies ahead is from before the clock was set back.
  const recent = before.filter((each) => at - each.at < DAY && each.at <= at);
  const to = recent.filter((each) => each.mailbox === mailbox);
  if (to.length >= TO_ONE || to.some((each) => at - each.at < PAUSE)) return { refused: 'to' };
  if (recent.filter((each) => each.network === network).length >= FROM_ONE) return { refused: 'from' };
  const lately = recent.filter((each) => at - each.at < HOUR).length;
  if (2 * lately >= most || recent.length >= most) return { refused: 'all' };
  return { requests: [...recent, asked] };
}

/** What cannot be read counts as none: it holds nothing but the last day. */
export function readMailRequests(text: string | null): readonly MailRequest[] {
  if (text === null) return [];
  try {
    const { version, body } = readEnvelope(text, 'the requests for mails', VERSION);
    if (version < VERSION) return [];
    return asList(parseJson(body, 'the requests for mails')).map((item) => {
      const [mailbox, network, at] = asList(item);
      return { mailbox: asText(mailbox), network: asText(network), at: asTime(at) };
    });
  } catch (error) {
    if (error instanceof TextError) return [];
    throw error;
  }
}

/**
 * The envelope with the version (codec/envelope.ts), then a JSON list with a list for each request, oldest first: mailbox,
 * network, time.
 *
 * Worked value: ` 2[["k3Jd8s_A","x2-9fQpL",1767614400000]]`.
 */
export function writeMailRequests(requests: readonly MailRequest[]): string {
  return writeEnvelope(
    VERSION,
    JSON.stringify(requests.map(({ mailbox, network, at }) => [mailbox, network, at])),
  );
}
