import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_ALERT_STATE } from '../../lib/rules/alert-evaluation.js';
import {
  dueFor,
  EMPTY_OUTBOX,
  enqueued,
  pendingFor,
  withoutStale,
  type Outbox,
} from '../../lib/rules/outbox.js';
import { applyOutcome, reconciled, type DeliveryOutcome } from '../../lib/rules/delivery-outcome.js';
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
const delivered = (channel: ChannelName, ...ids: string[]): DeliveryOutcome => ({
  kind: 'delivered',
  channel,
  ids,
  undelivered: 0,
});
const failed = (
  channel: ChannelName,
  at: number,
  ids: readonly string[],
  changes: object = {},
): DeliveryOutcome => ({
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
    let outbox = applyOutcome(withAlerts('a', 'b'), delivered('slack', 'a', 'b'));
    expect([idsFor(outbox, 'slack', START), idsFor(outbox, 'email', START)]).toEqual([[], ['a', 'b']]);
    outbox = applyOutcome(outbox, delivered('email', 'a'));
    expect(idsFor(outbox, 'email', START)).toEqual(['b']);
    expect(applyOutcome(outbox, delivered('email', 'b'))).toEqual(EMPTY_OUTBOX);
  });

  it.each([
    ['what passes by itself: up to an hour', false, [0.5, 1, 2, 4, 8, 16, 32, 60, 60]],
    ['a refusal: up to two hours', true, [2, 4, 8, 16, 32, 64, 120, 120]],
  ])('leaves a channel alone for longer after each failure, %s', (_, permanent, expected) => {
    let outbox = withAlerts('a');
    let now = START;
    const waits = expected.map(() => {
      outbox = applyOutcome(outbox, failed('slack', now, ['a'], { permanent }));
      const failedAt = now;
      while (idsFor(outbox, 'slack', now).length === 0) now += 30_000;
      return (now - failedAt) / MINUTE;
    });
    expect(waits).toEqual(expected);
    expect(outbox.troubles.slack).toMatchObject({ failures: expected.length, since: START, permanent });
    expect(idsFor(outbox, 'email', now)).toEqual(['a']);
  });

  it.each([
    ['as long as the channel asks', 10 * MINUTE, 10 * MINUTE],
    ['no less than it would anyway', 1000, 30_000],
    ['a day at most', 1e12, 24 * HOUR],
  ])('waits %s', (_, retryAfter, expected) => {
    const outbox = applyOutcome(withAlerts('a'), failed('slack', START, ['a'], { retryAfter }));
    expect(idsFor(outbox, 'slack', START + expected - 1)).toEqual([]);
    expect(idsFor(outbox, 'slack', START + expected)).toEqual(['a']);
  });

  it('waits no longer than a day after the clock was set back', () => {
    const outbox = applyOutcome(withAlerts('a'), failed('slack', START + 100 * HOUR, ['a']));
    expect(idsFor(outbox, 'slack', START)).toEqual(['a']);
  });

  it('asks a channel that refuses again as soon as there is news, and one that is away not', () => {
    for (const permanent of [true, false]) {
      const refused = applyOutcome(withAlerts('a'), failed('slack', START, ['a'], { permanent }));
      const outbox = enqueue(refused, down('b', START + 1), ['slack']);
      expect(idsFor(outbox, 'slack', START + 1)).toEqual(permanent ? ['a', 'b'] : []);
      expect(applyOutcome(outbox, delivered('slack', 'a', 'b')).troubles).toEqual({});
    }
  });

  const toldTo = (...to: ChannelName[]) => {
    const active = {
      status: 'down',
      startedAt: START,
      endedAt: null,
      saidAt: START,
      to,
      remindedAt: START,
    } as const;
    return new Map([['api', { ...NO_ALERT_STATE, active }]]);
  };
  const up = (id: string, at: number, more: object = {}): Alert => {
    const common = { id, at, kind: 'up', target: 'api', was: 'down', now: 'up', startedAt: START } as const;
    return { ...common, endedAt: at, restarts: 0, message: null, ...more };
  };
  const isWanted = (_: Alert, channel: ChannelName) => channel === 'slack';
  const after = (outbox: Outbox, hours: number) =>
    withoutStale(outbox, isWanted, ['slack'], START + hours * HOUR);
  const left = ({ alerts, undelivered }: Outbox) => [
    alerts.map(({ alert }) => alert.id).join(),
    undelivered.slack,
  ];
  const queue = (...alerts: Alert[]): Outbox =>
    alerts.reduce((outbox, alert) => enqueue(outbox, alert, ['slack']), EMPTY_OUTBOX);

  it.each([
    [
      'an outage that lasts, ever',
      { ...queue(down('a')), alertStates: toldTo('slack') },
      1000,
      ['a', undefined],
    ],
    ['one of which nothing is known any more, a day', queue(down('a')), 25, ['', 1]],
    ['one that is over, a day', queue(down('a'), up('b', START + HOUR)), 25, ['', 2]],
    ['one that is over, within the day', queue(down('a'), up('b', START + HOUR)), 23, ['a,b', undefined]],
    ['no end without its beginning', queue(down('a'), up('b', START + 20 * HOUR)), 25, ['', 2]],
    [
      'no end of what came after it either',
      queue(down('a'), up('b', START + HOUR, { now: 'degraded' }), up('c', START + 20 * HOUR)),
      25,
      ['', 3],
    ],
    [
      'the next outage',
      {
        ...queue(down('a'), up('b', START + HOUR), down('c', START + 2 * HOUR)),
        alertStates: toldTo('slack'),
      },
      30,
      ['c', 2],
    ],
    ['the end of what a channel was told of, a week', queue(up('b', START)), 7 * 24, ['b', undefined]],
    ['not longer', queue(up('b', START)), 7 * 24 + 1, ['', 1]],
    [
      'what is about the pinger, a day',
      queue({ id: 'm', at: START, kind: 'missed', from: 0, to: 1 }),
      25,
      ['', 1],
    ],
  ] as const)('keeps %s', (_, outbox, hours, expected) => {
    expect(left(after(outbox, hours))).toEqual(expected);
  });

  it('counts what a channel never gets until the channel is told', () => {
    const outbox = after(queue(down('a'), up('b', START + HOUR)), 25);
    const told = applyOutcome(outbox, { ...delivered('slack'), undelivered: 1 } as DeliveryOutcome);
    expect([outbox.undelivered, told.undelivered]).toEqual([{ slack: 2 }, { slack: 1 }]);
    expect(
      applyOutcome(outbox, { ...delivered('slack'), undelivered: 2 } as DeliveryOutcome).undelivered,
    ).toEqual({});
  });

  it('drops what nobody wants sent any more, uncounted: the channel does not know of the outage', () => {
    const outbox = {
      ...applyOutcome(withAlerts('a'), failed('email', START, ['a'])),
      alertStates: toldTo('slack', 'email'),
    };
    const later = after(outbox, 1);
    expect(later.alerts).toEqual([{ alert: down('a'), to: { slack: 0 } }]);
    expect([later.troubles, later.undelivered]).toEqual([{}, {}]);
    expect(later.alertStates.get('api')?.active?.to).toEqual(['slack']);
  });

  it('holds one reminder of a target', () => {
    const reminder = (id: string, target: string): Alert =>
      ({ ...down(id), kind: 'reminder', target }) as Alert;
    const outbox = enqueued(withAlerts('a'), [
      pendingFor(reminder('b', 'api'), ['slack', 'email']),
      pendingFor(reminder('c', 'other'), ['slack']),
      pendingFor(reminder('d', 'api'), ['slack']),
    ]);
    expect(idsFor(outbox, 'slack', START)).toEqual(['a', 'c', 'd']);
    expect(idsFor(outbox, 'email', START)).toEqual(['a', 'b']);
  });

  it('remembers where a channel said that its receiver moved to', () => {
    const moved = { from: '-1', to: '-1001' };
    const outbox = applyOutcome(EMPTY_OUTBOX, { kind: 'moved', channel: 'telegram', moved });
    expect(outbox.moved).toEqual({ telegram: moved });
    expect(applyOutcome(outbox, { kind: 'moved', channel: 'telegram', moved: null }).moved).toEqual({});
  });

  describe('after a time in which nothing could be recorded', () => {
    const sentTo = (alert: Alert) => [{ channel: 'slack', alert }] as const;

    it('does not send again what was sent', () => {
      expect(reconciled(queue(down('a')), sentTo(down('x'))).alerts).toEqual([]);
      const dated = { ...down('a', START + HOUR), startedAt: START } as Alert;
      expect(
        reconciled(queue(dated), sentTo({ ...down('x', START + HOUR), startedAt: START + 1 } as Alert))
          .alerts,
      ).toEqual([]);
      const other = enqueue(EMPTY_OUTBOX, down('a'), ['slack', 'email']);
      expect(idsFor(reconciled(other, sentTo(down('x'))), 'email', START)).toEqual(['a']);
    });

    it('sends what is another outage', () => {
      const later = down('a', START + HOUR);
      expect(left(reconciled(queue(later), sentTo(down('x'))))).toEqual(['a', undefined]);
    });

    it('knows who was told of an outage, and who of its end', () => {
      const { alertStates } = reconciled(EMPTY_OUTBOX, sentTo(down('x')));
      expect(alertStates.get('api')?.active).toMatchObject({
        status: 'down',
        startedAt: START,
        to: ['slack'],
      });
      const ended = [...sentTo(down('x')), ...sentTo(up('y', START + HOUR))];
      expect(reconciled(EMPTY_OUTBOX, ended).alertStates.get('api')?.active?.to).toEqual([]);
    });
  });

  it('turns a restart that was made into news, and into a part of the record', () => {
    const order = { id: 'r', target: 'api', at: START, number: 1, max: 3, to: ['slack'] } as const;
    const state = { ...NO_ALERT_STATE, events: [{ kind: 'restart', at: START, answer: null }] } as const;
    const outbox: Outbox = { ...EMPTY_OUTBOX, restarts: [order], alertStates: new Map([['api', state]]) };
    const made = applyOutcome(outbox, {
      kind: 'restarted',
      target: 'api',
      orderedAt: START,
      answer: 'answered 200',
    });
    expect(made.restarts).toEqual([]);
    expect(made.alertStates.get('api')?.events).toEqual([
      { kind: 'restart', at: START, answer: 'answered 200' },
    ]);
    expect(dueFor(made, 'slack', START)).toEqual([
      { id: 'r', at: START, kind: 'restart', target: 'api', number: 1, max: 3, answer: 'answered 200' },
    ]);
    const dropped = applyOutcome(outbox, { kind: 'not_restarted', target: 'api', orderedAt: START });
    expect([dropped.restarts, dropped.alerts]).toEqual([[], []]);
  });

  it('stays the same when it is told twice of a success', () => {
    const ids = ['a', 'b', 'c'];
    const outcome = fc.record({
      kind: fc.constant('delivered' as const),
      channel: fc.constantFrom<ChannelName>('slack', 'email'),
      ids: fc.subarray(ids),
      undelivered: fc.constant(0),
    });
    fc.assert(
      fc.property(fc.array(outcome), (outcomes) => {
        const once = outcomes.reduce(applyOutcome, withAlerts(...ids));
        expect(outcomes.reduce(applyOutcome, once)).toEqual(once);
      }),
    );
  });
});
