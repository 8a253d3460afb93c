import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_NOTES } from '../../lib/rules/announce.js';
import {
  dueFor,
  EMPTY_OUTBOX,
  pendingFor,
  settle,
  withoutStale,
  type Outbox,
  type Outcome,
} from '../../lib/rules/outbox.js';
import type { Alert, ChannelName } from '../../lib/types.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.UTC(2026, 0, 5, 12);

const down = (id: string, at = START): Alert => ({
  id,
  at,
  kind: 'down',
  target: 'api',
  startedAt: at,
  failures: 3,
  message: 'connection refused',
});
const idsFor = (outbox: Outbox, channel: ChannelName, now: number) =>
  dueFor(outbox, channel, now).map(({ id }) => id);
const delivered = (channel: ChannelName, ...ids: string[]): Outcome => ({ kind: 'delivered', channel, ids });
const failed = (channel: ChannelName, at: number, ids: readonly string[], changes: object = {}): Outcome => ({
  kind: 'failed',
  channel,
  ids,
  at,
  permanent: false,
  message: 'answered 500',
  retryAfter: null,
  ...changes,
});
const enqueue = (outbox: Outbox, alert: Alert, to: readonly ChannelName[]): Outbox => ({
  ...outbox,
  alerts: [...outbox.alerts, pendingFor(alert, to)],
});
const withAlerts = (...ids: string[]): Outbox =>
  ids.reduce((outbox, id) => enqueue(outbox, down(id), ['slack', 'email']), EMPTY_OUTBOX);

describe('an outbox', () => {
  it('holds an alert for each channel until that one has taken it', () => {
    let outbox = settle(withAlerts('a', 'b'), delivered('slack', 'a', 'b'));
    expect([idsFor(outbox, 'slack', START), idsFor(outbox, 'email', START)]).toEqual([[], ['a', 'b']]);
    outbox = settle(outbox, delivered('email', 'a'));
    expect(idsFor(outbox, 'email', START)).toEqual(['b']);
    expect(settle(outbox, delivered('email', 'b'))).toEqual(EMPTY_OUTBOX);
  });

  it('leaves a channel alone for longer after each failure, up to an hour, and gives up at the 20th', () => {
    let outbox = withAlerts('a');
    let now = START;
    const waits: number[] = [];
    while (idsFor(outbox, 'slack', now).length > 0) {
      outbox = settle(outbox, failed('slack', now, ['a']));
      const failedAt = now;
      const left = () => outbox.alerts.some(({ to }) => to.slack !== undefined);
      while (left() && idsFor(outbox, 'slack', now).length === 0) now += 30_000;
      if (left()) waits.push((now - failedAt) / MINUTE);
    }
    expect(waits).toEqual([0.5, 1, 2, 4, 8, 16, 32, ...Array.from({ length: 12 }, () => 60)]);
    expect(outbox.troubles.slack).toMatchObject({ failures: 20, dropped: 1, since: START, permanent: false });
    expect(idsFor(outbox, 'email', now)).toEqual(['a']);
  });

  it.each([
    ['as long as the channel asks', 10 * MINUTE, 10 * MINUTE],
    ['no less than it would anyway', 1000, 30_000],
    ['a day at most', 1e12, 24 * HOUR],
  ])('waits %s', (_, retryAfter, expected) => {
    const outbox = settle(withAlerts('a'), failed('slack', START, ['a'], { retryAfter }));
    expect(idsFor(outbox, 'slack', START + expected - 1)).toEqual([]);
    expect(idsFor(outbox, 'slack', START + expected)).toEqual(['a']);
  });

  it('waits no longer than a day after the clock was set back', () => {
    const outbox = settle(withAlerts('a'), failed('slack', START + 100 * HOUR, ['a']));
    expect(idsFor(outbox, 'slack', START)).toEqual(['a']);
  });

  it('gives up at once what a channel refuses for good, remembers it, and tries the next alert at once', () => {
    const refused = settle(
      withAlerts('a'),
      failed('slack', START, ['a'], { permanent: true, message: 'answered 404' }),
    );
    const outbox = enqueue(refused, down('b', START + 1), ['slack']);
    expect(outbox.troubles.slack).toMatchObject({ permanent: true, message: 'answered 404', dropped: 1 });
    expect(idsFor(outbox, 'slack', START + 1)).toEqual(['b']);
    expect(settle(outbox, delivered('slack', 'b')).troubles).toEqual({});
  });

  it('gives up what is older than a day, and what waits for a channel that is set up no longer', () => {
    const outbox = settle(withAlerts('a'), failed('email', START, ['a']));
    const fresh = enqueue(outbox, down('b', START + 23 * HOUR), ['slack', 'email']);
    const later = withoutStale(fresh, ['slack'], START + 25 * HOUR);
    expect(later.alerts).toEqual([{ alert: down('b', START + 23 * HOUR), to: { slack: 0 } }]);
    expect(later.troubles).toEqual({});
  });

  it('tells of the end of a trouble only those who got the news of it', () => {
    const told = {
      status: 'down',
      startedAt: START,
      endedAt: null,
      saidAt: START,
      to: ['slack', 'email'],
      remindedAt: START,
    } as const;
    const outbox = { ...withAlerts('a'), notes: { api: { ...NO_NOTES, told } } };
    const refused = settle(outbox, failed('slack', START, ['a'], { permanent: true }));
    expect(refused.notes.api?.told?.to).toEqual(['email']);
  });

  it('turns a restart that was made into news, and into a part of the record', () => {
    const order = { id: 'r', target: 'api', at: START, number: 1, max: 3, to: ['slack'] } as const;
    const notes = { ...NO_NOTES, events: [{ kind: 'restart', at: START, answer: null }] } as const;
    const outbox: Outbox = { ...EMPTY_OUTBOX, restarts: [order], notes: { api: notes } };
    const made = settle(outbox, {
      kind: 'restarted',
      target: 'api',
      orderedAt: START,
      answer: 'answered 200',
    });
    expect(made.restarts).toEqual([]);
    expect(made.notes.api?.events).toEqual([{ kind: 'restart', at: START, answer: 'answered 200' }]);
    expect(dueFor(made, 'slack', START)).toEqual([
      { id: 'r', at: START, kind: 'restart', target: 'api', number: 1, max: 3, answer: 'answered 200' },
    ]);
    const dropped = settle(outbox, { kind: 'not_restarted', target: 'api', orderedAt: START });
    expect([dropped.restarts, dropped.alerts]).toEqual([[], []]);
  });

  it('stays the same when it is told twice of a success', () => {
    const ids = ['a', 'b', 'c'];
    const outcome = fc.record({
      kind: fc.constant('delivered' as const),
      channel: fc.constantFrom<ChannelName>('slack', 'email'),
      ids: fc.subarray(ids),
    });
    fc.assert(
      fc.property(fc.array(outcome), (outcomes) => {
        const once = outcomes.reduce(settle, withAlerts(...ids));
        expect(outcomes.reduce(settle, once)).toEqual(once);
      }),
    );
  });
});
