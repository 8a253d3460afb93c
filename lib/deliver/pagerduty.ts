import { subjectOf } from '../rules/outbox.js';
import type { Alert } from '../types.js';
import { DeliveryError, type Channel, type Digest, type DigestItem } from './channel.js';
import { nameOf, pageOf, PLAIN, sentenceOf } from './compose.js';
import { accept, post } from './send.js';
import { shorten, singleLine } from '../single-line.js';

/** https://developer.pagerduty.com/api-reference/send-an-event: `summary`, up to 1,024 characters. */
export const SUMMARY_LIMIT = 1_024;
const MAX_IN_FLIGHT = 4;
/**
 * No target has this id. Resolving an alert that was never opened shows that the routing key works, and wakes nobody.
 */
const TEST_KEY = 'TEST';

/** What each kind of alert is to PagerDuty; null: nobody is woken for it, and it ends nothing. */
const MEANING: Readonly<Record<Alert['kind'], 'critical' | 'error' | 'warning' | 'resolve' | null>> = {
  down: 'critical',
  reminder: 'critical',
  person_needed: 'critical',
  flapping: 'error',
  degraded: 'warning',
  certificate: 'warning',
  up: 'resolve',
  unwatched: 'resolve',
  peer_down: 'warning',
  peer_up: 'resolve',
  slept: null,
  contradicted: null,
  missed: null,
  allowances: null,
  pace: null,
  unrecorded: null,
  undelivered: null,
  restart: null,
  test: 'resolve',
};

interface Event {
  /** Those that it speaks for. */
  readonly alerts: readonly string[];
  readonly payload: unknown;
}

/** Events API v2: one event a target, all of one target under one key, so that what `down` opens, `up` closes. */
export function pagerduty(settings: { readonly key: string }, prefix: string, api: string): Channel {
  const endpoint = { url: `${api}/v2/enqueue`, authorization: null };
  return {
    name: 'pagerduty',
    async deliver(digest, signal) {
      const { events, silent } = eventsOf(digest, settings.key, prefix);
      const queue = [...events];
      const delivered = [...silent];
      const failures: DeliveryError[] = [];
      const work = async () => {
        // A refusal may concern one event only. After any other failure the next event would fail too.
        while (failures.every(({ code }) => code === 'permanent')) {
          const event = queue.shift();
          if (event === undefined) return;
          try {
            accept(await post(endpoint, event.payload, signal));
            delivered.push(...event.alerts);
          } catch (error) {
            if (!(error instanceof DeliveryError)) throw error;
            failures.push(error);
          }
        }
      };
      await Promise.all(Array.from({ length: MAX_IN_FLIGHT }, work));
      const [worst] = failures.toSorted((a, b) => WORTH.indexOf(a.code) - WORTH.indexOf(b.code));
      if (worst === undefined) return;
      const waits = failures.map(({ retryAfter }) => retryAfter).filter((wait) => wait !== null);
      throw new DeliveryError(worst.code, worst.message, {
        cause: worst.cause,
        retryAfter: waits.length === 0 ? null : Math.max(...waits),
        delivered,
      });
    },
  };
}

/** What another try is worth, most first. */
const WORTH: readonly DeliveryError['code'][] = ['rate_limited', 'temporary', 'permanent'];

function eventsOf(digest: Digest, key: string, prefix: string): { events: Event[]; silent: string[] } {
  const byTarget = new Map<string, DigestItem[]>();
  const silent: string[] = [];
  for (const item of digest.items) {
    const { alert } = item;
    const about = subjectOf(alert) ?? TEST_KEY;
    if (MEANING[alert.kind] === null) silent.push(alert.id);
    else byTarget.set(about, [...(byTarget.get(about) ?? []), item]);
  }
  const events = [...byTarget].flatMap(([target, items]) => {
    const said = lastWord(items);
    if (said === undefined) return [];
    const meaning = MEANING[said.alert.kind];
    const common = { routing_key: key, dedup_key: `keepalive:${prefix}:${target}` };
    const payload =
      meaning === 'resolve'
        ? { ...common, event_action: 'resolve' }
        : { ...common, event_action: 'trigger', ...triggerOf(said, meaning, pageOf(digest)) };
    return [{ alerts: items.map(({ alert }) => alert.id), payload }];
  });
  return { events, silent };
}

/** The alert that describes a target now: the most important one since its last end, or that end. */
function lastWord(items: readonly DigestItem[]): DigestItem | undefined {
  const isEnd = ({ alert }: DigestItem): boolean => MEANING[alert.kind] === 'resolve';
  const end = items.filter(isEnd).toSorted((a, b) => b.alert.at - a.alert.at)[0];
  return items.find((item) => !isEnd(item) && (end === undefined || item.alert.at >= end.alert.at)) ?? end;
}

function triggerOf(item: DigestItem, severity: string | null, page: string | null) {
  const { alert, target } = item;
  return {
    client: 'Keepalive',
    ...(page !== null && { client_url: page }),
    payload: {
      // A code point is at most two characters.
      summary: shorten(sentenceOf(item, PLAIN, 200), SUMMARY_LIMIT / 2),
      severity,
      source: shorten(target?.healthUrl ?? nameOf(item), SUMMARY_LIMIT),
      timestamp: new Date(alert.at).toISOString(),
      class: alert.kind,
      ...(target !== null && { component: target.id }),
      ...(target?.group != null && { group: singleLine(target.group, 200) }),
    },
  };
}
