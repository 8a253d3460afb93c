import type { ChannelSettings } from '../config/alerts.js';
import { wordingOf } from '../rules/wording.js';
import type { PublicTarget } from '../types.js';
import type { Channel, Digest, DigestItem } from './channel.js';
import { byteLength, contextOf, sentenceOf, pageOf, PLAIN, titleOf } from './compose.js';
import { accept, post } from './send.js';
import { shorten } from '../single-line.js';

/** Bytes; ours: what receivers take without being told to (a body of 1 MB is a common limit, 256 KB a queue's). */
export const WEBHOOK_LIMIT = 262_144;
/** Code points of one text; checks and names stay far below. */
const LONGEST_TEXT = 500;

const TIMES: ReadonlySet<string> = new Set(['startedAt', 'endedAt', 'expiresAt', 'from', 'to']);

/**
 * A receiver of the operator's own, which gets the facts as JSON. With a secret, requests are signed by the Standard Webhooks
 * convention:
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function webhook(settings: ChannelSettings['webhook']): Channel {
  return {
    name: 'webhook',
    async deliver(digest, signal) {
      const body = bodyOf(digest);
      const now = new Date();
      const headers = {
        'webhook-id': digest.id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        ...(settings.secret !== null && {
          'webhook-signature': await sign(settings.secret, digest.id, now, body),
        }),
      };
      accept(await post(settings, body, signal, headers));
    },
  };
}

async function sign(secret: string, id: string, at: Date, body: string): Promise<string> {
  const { Webhook } = await import('standardwebhooks');
  // The library insists on the padding, the configuration does not.
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64').toString('base64');
  return new Webhook(key).sign(id, at, body);
}

/** JSON of at most `WEBHOOK_LIMIT` bytes; `omitted` counts the alerts that found no room. */
function bodyOf(digest: Digest): string {
  const whole = (alerts: readonly string[]) => {
    const head = JSON.stringify({
      type: 'keepalive.digest',
      timestamp: isoTime(digest.at),
      id: digest.id,
      headline: titleOf(digest, LONGEST_TEXT),
      pageUrl: pageOf(digest),
      omitted: digest.items.length - alerts.length,
    });
    return `${head.slice(0, -1)},"alerts":[${alerts.join(',')}]}`;
  };
  const alerts: string[] = [];
  // Counting without the alerts at its longest: `omitted` loses digits as they are put in.
  let size = byteLength(whole([]));
  for (const item of digest.items) {
    const alert = JSON.stringify(factsOf(item));
    size += byteLength(alert) + 1;
    if (size > WEBHOOK_LIMIT) break;
    alerts.push(alert);
  }
  return whole(alerts);
}

function factsOf(item: DigestItem): Record<string, unknown> {
  const { id, kind, at, ...alert } = item.alert;
  const { target } = item;
  const facts = Object.entries(alert)
    .filter(([name]) => name !== 'target')
    .map(([name, value]) => [name, fact(name, value)]);
  return {
    id,
    kind,
    at: isoTime(at),
    level: wordingOf(item.alert, contextOf(item)).level,
    target: target === null ? removedTarget(item) : knownTarget(target),
    text: sentenceOf(item, PLAIN, LONGEST_TEXT),
    ...(Object.fromEntries(facts) as Record<string, unknown>),
  };
}

function knownTarget(target: PublicTarget): Record<string, unknown> {
  return {
    id: target.id,
    name: shorten(target.name, LONGEST_TEXT),
    group: target.group && shorten(target.group, LONGEST_TEXT),
    healthUrl: shorten(target.healthUrl, 2_000),
    host: target.host,
  };
}

/** All that is known of a target that is configured no longer is its id; null: the alert is about none. */
function removedTarget({ alert }: DigestItem): Record<string, unknown> | null {
  if (!('target' in alert)) return null;
  return { id: alert.target, name: alert.target, group: null, healthUrl: null, host: null };
}

function fact(name: string, value: unknown): unknown {
  if (typeof value === 'number') return TIMES.has(name) ? isoTime(value) : value;
  return typeof value === 'string' ? shorten(value, LONGEST_TEXT) : value;
}

function isoTime(at: number): string {
  return new Date(at).toISOString();
}
