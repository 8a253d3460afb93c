import { describe, expect, it } from 'vitest';
import type { DeliveryError, Digest } from '../../lib/deliver/channel.js';
import { byImportance } from '../../lib/rules/wording.js';
import type { Alert } from '../../lib/types.js';
import { channelTo } from '../support/channels.js';
import { ALERTS, digestOf, downAlert, itemOf, NOON } from '../support/digests.js';
import { receive, type Received } from '../support/receiver.js';

const NEVER = new AbortController().signal;

interface Event {
  readonly routing_key: string;
  readonly event_action: string;
  readonly dedup_key: string;
  readonly payload?: { readonly severity: string; readonly class: string; readonly summary: string };
}
const eventOf = ({ body }: Received) => JSON.parse(body) as Event;

/** An alert by its name in the table, some minutes after noon, on a target. */
const said = (name: string, minutes = 0, target = 'api'): Alert => {
  const alert = ALERTS[name];
  if (alert === undefined) throw new Error(`no alert ${name}`);
  const id = `${name}@${minutes} ${target}`;
  return { ...alert, id, at: NOON + minutes * 60_000, ...('target' in alert && { target }) };
};
const digest = (...alerts: Alert[]): Digest =>
  digestOf(alerts.toSorted(byImportance).map((alert) => itemOf(alert)));

async function eventsFor(given: Digest): Promise<string[]> {
  const receiver = await receive((response) => response.writeHead(202).end('{}'));
  await channelTo('pagerduty', receiver.url).deliver(given, NEVER);
  return receiver.received
    .map(eventOf)
    .map(({ event_action, dedup_key, payload }) =>
      [event_action, dedup_key, payload?.severity, payload?.class]
        .filter((word) => word !== undefined)
        .join(' '),
    )
    .toSorted();
}

describe('an event', () => {
  it.each([
    ['down', 'trigger keepalive:test:api critical down'],
    ['reminder', 'trigger keepalive:test:api critical reminder'],
    ['person_needed', 'trigger keepalive:test:api critical person_needed'],
    ['flapping', 'trigger keepalive:test:api error flapping'],
    ['degraded', 'trigger keepalive:test:api warning degraded'],
    ['certificate', 'trigger keepalive:test:api warning certificate'],
    ['up after down', 'resolve keepalive:test:api'],
    ['up, but degraded', 'resolve keepalive:test:api'],
    ['unwatched', 'resolve keepalive:test:api'],
    ['up after flapping', 'resolve keepalive:test:api'],
    ['test', 'resolve keepalive:test:TEST'],
  ])('for %s: %s', async (name, expected) => {
    expect(await eventsFor(digest(said(name)))).toEqual([expected]);
  });

  it.each(['slept', 'missed', 'pace', 'restart', 'unrecorded', 'undelivered', 'allowances'])(
    'is not sent for %s',
    async (name) => {
      expect(await eventsFor(digest(said(name)))).toEqual([]);
    },
  );

  it.each([
    [['down', 0, 'up after down', 5], 'resolve keepalive:test:api'],
    [['down', 0, 'unwatched', 5], 'resolve keepalive:test:api'],
    [['unwatched', 0, 'down', 5], 'trigger keepalive:test:api critical down'],
    [['up after down', 0, 'down', 5], 'trigger keepalive:test:api critical down'],
    [['down', 0, 'certificate', 5], 'trigger keepalive:test:api critical down'],
    [['up after down', 5, 'certificate', 5], 'trigger keepalive:test:api warning certificate'],
    [['certificate', 0, 'up after down', 5], 'resolve keepalive:test:api'],
    [['down', 5, 'person_needed', 5], 'trigger keepalive:test:api critical person_needed'],
    [['down', 0, 'restart', 5], 'trigger keepalive:test:api critical down'],
    [['up after down', 0, 'slept', 5], 'resolve keepalive:test:api'],
  ] as const)('of several says what is true in the end: %j', async ([a, atA, b, atB], expected) => {
    expect(await eventsFor(digest(said(a, atA), said(b, atB)))).toEqual([expected]);
  });

  it('goes out for each target under its own key', async () => {
    expect(await eventsFor(digest(said('down', 0, 'a'), said('up after down', 0, 'b')))).toEqual([
      'resolve keepalive:test:b',
      'trigger keepalive:test:a critical down',
    ]);
  });

  it('holds the key, and what it is about', async () => {
    const receiver = await receive();
    await channelTo('pagerduty', receiver.url).deliver(digest(said('down')), NEVER);
    expect(receiver.received.map(eventOf)).toEqual([
      {
        routing_key: 'pagerduty-routing-key',
        dedup_key: 'keepalive:test:api',
        event_action: 'trigger',
        client: 'Keepalive',
        client_url: 'https://status.example.com/',
        payload: {
          summary: 'api is down – status 503, expected 200-299; 3 checks have failed since 11:50 UTC',
          severity: 'critical',
          source: 'https://api.example.com/health',
          timestamp: '2026-11-20T12:00:00.000Z',
          class: 'down',
          component: 'api',
        },
      },
    ]);
  });
});

describe('several events', () => {
  const many = digestOf([
    ...Array.from({ length: 40 }, (_, i) => itemOf(downAlert(`t-${i}`, 'x'))),
    itemOf(said('missed')),
  ]);
  const failureOf = async (statusOf: (event: Event, before: number) => number | null) => {
    const receiver = await receive((response, request, before) => {
      const status = statusOf(eventOf(request), before);
      if (status === null) response.destroy();
      else response.writeHead(status, status === 429 ? { 'retry-after': String(before) } : {}).end();
    });
    const failure = await channelTo('pagerduty', receiver.url)
      .deliver(many, NEVER)
      .then(
        () => null,
        (error: unknown) => error as DeliveryError,
      );
    return { failure, asked: receiver.received.length };
  };

  it('are in flight four at a time', async () => {
    let inFlight = 0;
    let most = 0;
    const receiver = await receive((response) => {
      most = Math.max(most, ++inFlight);
      setTimeout(() => {
        inFlight--;
        response.writeHead(202).end();
      }, 5);
    });
    await channelTo('pagerduty', receiver.url).deliver(many, NEVER);
    expect(receiver.received).toHaveLength(40);
    expect(most).toBe(4);
  });

  it('go on after a refused one, which is named by its absence', async () => {
    const { failure, asked } = await failureOf(({ dedup_key }) => (dedup_key.endsWith(':t-3') ? 400 : 202));
    expect(asked).toBe(40);
    expect(failure).toMatchObject({ code: 'permanent', message: 'answered 400' });
    expect(failure?.delivered.toSorted()).toEqual(
      many.items
        .map(({ alert }) => alert.id)
        .filter((id) => id !== 'down-t-3')
        .toSorted(),
    );
  });

  it.each([
    [500, 'temporary'],
    [429, 'rate_limited'],
    [null, 'temporary'],
  ] as const)('stop at %j, and name those that were taken', async (status, code) => {
    const { failure, asked } = await failureOf((_event, before) => (before < 8 ? 202 : status));
    expect(asked).toBeLessThanOrEqual(8 + 4);
    expect(failure).toMatchObject({ name: 'DeliveryError', code });
    expect(failure?.delivered).toHaveLength(8 + 1);
    expect(failure?.delivered).toContain('missed@0 api');
    if (status === 429) expect(failure?.retryAfter).toBeGreaterThanOrEqual(8_000);
  });

  it('are worth another try where one was refused for good and another for now', async () => {
    const { failure } = await failureOf((_event, before) => (before === 0 ? 400 : before === 5 ? 503 : 202));
    expect(failure).toMatchObject({ code: 'temporary', message: 'answered 503' });
  });

  it('end with the signal', async () => {
    const receiver = await receive((response, _request, before) => {
      if (before < 5) response.writeHead(202).end();
    });
    const delivery = channelTo('pagerduty', receiver.url).deliver(many, AbortSignal.timeout(300));
    await expect(delivery).rejects.toMatchObject({ code: 'temporary', message: 'no answer in time' });
    expect(receiver.received.length).toBeLessThanOrEqual(9);
  });
});
