import type { Config } from '../config/config.js';
import { ANSWER_LIMIT } from '../config/vercel.js';

/** How many bytes an answer has that Vercel would not pass on. */
export interface TooLarge {
  readonly bytes: number;
  /** It is compressed already. */
  readonly isCompressed: boolean;
}

/**
 * The answer as it gets through. Vercel compresses what it passes on, and refuses before that what is too large: such an answer
 * is compressed here, where the client takes it like that.
 */
export async function fitted(
  { headers }: Request,
  answer: Response,
  { isOnVercel }: Pick<Config, 'isOnVercel'>,
): Promise<Response | TooLarge> {
  if (!isOnVercel || answer.body === null) return answer;
  const { status } = answer;
  const whole = Buffer.from(await answer.arrayBuffer());
  if (whole.length <= ANSWER_LIMIT) return new Response(whole, { status, headers: answer.headers });
  const { compressed } = await import('./compression.js');
  const found = await compressed(answer, whole, headers.get('accept-encoding') ?? undefined);
  const { length } = found.body;
  return length <= ANSWER_LIMIT
    ? new Response(new Uint8Array(found.body), { status, headers: found.headers })
    : { bytes: length, isCompressed: found.headers.has('content-encoding') };
}

/** @param filters parameters of the address that ask for less; empty: it has none */
export function tooLargeText({ bytes, isCompressed }: TooLarge, filters: string): string {
  const megabytes = (bytes / 1e6).toFixed(1);
  const ways = [
    ...(isCompressed ? [] : ['send "Accept-Encoding: gzip"']),
    ...(filters === '' ? [] : [`ask for some of the targets with ${filters}`]),
  ];
  const advice = ways.length === 0 ? '' : `: ${ways.join(', or ')}`;
  return `The answer has ${megabytes} MB, and Vercel passes on ${ANSWER_LIMIT / 1e6} MB at most${advice}.`;
}
