import type { Alert, ChannelName, OverAllowance, SlowTargets } from '../types.js';
import { monthOf } from './account.js';
import { applyOutcome, type DeliveryOutcome } from './delivery-outcome.js';
import {
  EMPTY_OUTBOX,
  removedFor,
  undeliveredTo,
  without,
  type ByChannel,
  type DeliveryTrouble,
  type Moved,
  type Outbox,
} from './outbox.js';
import { SECOND } from '../time.js';

/** Ms after the beginning of a run in which other shards of the same tick may begin theirs, on other machines. */
export const BEGINNING = 5 * SECOND;
/**
 * Ms that a shard with something to tell waits at most, once all have begun: for those that have recorded nothing yet, and
 * for those that have recorded what was quick.
 */
export const LONGEST_WAIT = { undecided: 30 * SECOND, decided: 10 * SECOND };
/** From the beginning of a run until what it found is told for all shards, in ms. */
export const JOINT_WAIT = { least: BEGINNING, most: BEGINNING + LONGEST_WAIT.undecided };

/**
 * What came of the messages that were sent for all shards. Each shard takes it into its own outbox when its next run
 * begins. Times in ms since the epoch.
 */
export type JointRecord = ByChannel<ChannelRecord>;

export interface ChannelRecord {
  /** When a message was last sent or tried: alerts of later checks are news to the channel. */
  readonly attemptedAt: number;
  /** Null: the channel took the last message. */
  readonly trouble: DeliveryTrouble | null;
  readonly moved: Moved | null;
  /** What the channel took, as long as the outboxes of the shards still hold it. */
  readonly delivered: readonly DeliveredPart[];
}

/** What one message said of one shard. */
export interface DeliveredPart {
  readonly shard: number;
  /** Of alerts; at least one. */
  readonly ids: readonly string[];
  /** How many alerts it said to be undelivered. */
  readonly undelivered: number;
}

/** By shard. */
export type Outboxes = ReadonlyMap<number, Outbox>;

/**
 * The outbox of a shard with what came of messages that were sent for it. Doing it again changes nothing. A trouble that
 * began after the last of them stays.
 */
export function withJointRecord(outbox: Outbox, record: JointRecord, shard: number): Outbox {
  return entriesOf(record).reduce((left, [channel, { attemptedAt, trouble, moved, delivered }]) => {
    const taken = delivered.reduce((rest, part) => {
      const isNew = part.shard === shard && heldBy(rest, channel, part.ids).length > 0;
      return isNew ? withoutPart(rest, channel, part) : rest;
    }, left);
    const known = taken.troubles[channel];
    const isLater = known !== undefined && known.since > attemptedAt;
    return {
      ...taken,
      alerts: taken.alerts.map((pending) =>
        pending.to[channel] === 0 && pending.alert.at <= attemptedAt
          ? { ...pending, to: { ...pending.to, [channel]: 1 } }
          : pending,
      ),
      troubles: isLater ? taken.troubles : withValue(taken.troubles, channel, trouble),
      moved: withValue(taken.moved, channel, moved),
    };
  }, outbox);
}

/** What waits in the shards and was not delivered, as one outbox without alert states and restarts. */
export function jointOutbox(record: JointRecord, outboxes: Outboxes): Outbox {
  const current = [...outboxes].map(([shard, outbox]) => withJointRecord(outbox, record, shard));
  const joined: Outbox = {
    ...EMPTY_OUTBOX,
    alerts: current.flatMap(({ alerts }) => alerts).sort((a, b) => a.alert.at - b.alert.at),
    troubles: Object.assign({}, ...current.map(({ troubles }) => troubles)) as Outbox['troubles'],
    moved: Object.assign({}, ...current.map(({ moved }) => moved)) as Outbox['moved'],
  };
  const channels = new Set(joined.alerts.flatMap(({ to }) => Object.keys(to) as ChannelName[]));
  const counts = [...channels].map((channel) => {
    const its = current.map((outbox) => undeliveredBy(outbox, channel));
    return [channel, its.reduce((sum, count) => sum + count, 0)] as const;
  });
  return { ...joined, undelivered: Object.fromEntries(counts.filter(([, count]) => count > 0)) };
}

/**
 * The record after a delivery.
 * @param delivery `joint` is what `jointOutbox` made of this record and these outboxes
 */
export function afterJointDelivery(
  record: JointRecord,
  delivery: {
    readonly outboxes: Outboxes;
    readonly joint: Outbox;
    readonly outcomes: readonly DeliveryOutcome[];
    readonly now: number;
  },
): JointRecord {
  const { outboxes, joint, outcomes, now } = delivery;
  const after = outcomes.reduce(applyOutcome, joint);
  const attempted = outcomes.flatMap((outcome) =>
    outcome.kind === 'delivered' || outcome.kind === 'failed' ? [outcome.channel] : [],
  );
  const before = entriesOf(record).map(([channel]) => channel);
  const channels = new Set([...before, ...attempted]);
  return Object.fromEntries(
    [...channels].map((channel): [ChannelName, ChannelRecord] => {
      const isAttempted = attempted.includes(channel);
      const left = new Set(
        after.alerts.flatMap(({ alert, to }) => (to[channel] === undefined ? [] : alert.id)),
      );
      const gone = joint.alerts.flatMap(({ alert, to }) =>
        to[channel] === undefined || left.has(alert.id) ? [] : alert.id,
      );
      const saysUndelivered = undeliveredTo(after, channel) < undeliveredTo(joint, channel);
      const added = [...outboxes].flatMap(([shard, outbox]): DeliveredPart[] => {
        const ids = heldBy(outbox, channel, gone);
        const its = saysUndelivered ? undeliveredBy(withJointRecord(outbox, record, shard), channel) : 0;
        return ids.length === 0 ? [] : [{ shard, ids, undelivered: its }];
      });
      const kept = (record[channel]?.delivered ?? []).filter(({ shard, ids }) => {
        const outbox = outboxes.get(shard);
        // An outbox that could not be read may hold them.
        return outbox === undefined || heldBy(outbox, channel, ids).length > 0;
      });
      return [
        channel,
        {
          attemptedAt: isAttempted ? now : (record[channel]?.attemptedAt ?? now),
          trouble: after.troubles[channel] ?? null,
          moved: after.moved[channel] ?? null,
          delivered: [...kept, ...added],
        },
      ];
    }),
  );
}

/** What is stored, with what a process has delivered since and could not store. */
export function merged(stored: JointRecord, unsaved: JointRecord): JointRecord {
  const mine = entriesOf(unsaved).map(([channel, own]): [ChannelName, ChannelRecord] => {
    const other = stored[channel];
    if (other === undefined) return [channel, own];
    const known = new Set(other.delivered.flatMap(({ ids }) => ids));
    const delivered = own.delivered.filter(({ ids }) => !ids.some((id) => known.has(id)));
    const later = own.attemptedAt > other.attemptedAt ? own : other;
    return [channel, { ...later, delivered: [...other.delivered, ...delivered] }];
  });
  return { ...stored, ...Object.fromEntries(mine) };
}

/**
 * What a process knows, with a copy of the record that may be older or newer. The later of both counts for each channel; a
 * trouble of which only the copy tells may be over since, and holds nothing back.
 */
export function withCopy(known: JointRecord, copy: JointRecord): JointRecord {
  const trusted = entriesOf(copy).map(([channel, its]) => [channel, { ...its, trouble: null }] as const);
  return merged(known, Object.fromEntries(trusted));
}

const REPEATED: ReadonlySet<Alert['kind']> = new Set(['missed', 'pace', 'allowances', 'unrecorded']);

/**
 * The alerts of several shards, where each tells of the pinger itself: missed runs of the same time are one gap, a slow pace
 * is that of the slowest, allowances of one month are added up, and a store that takes no records is one. What one shard tells is left as it is.
 */
export function withoutRepetitions(alerts: readonly Alert[]): Alert[] {
  const missed = ofKind(alerts, 'missed').sort((a, b) => a.from - b.from);
  const gaps = missed.reduce<(typeof missed)[number][]>((soFar, gap) => {
    const last = soFar.at(-1);
    if (last === undefined || gap.from > last.to) return [...soFar, gap];
    return [...soFar.slice(0, -1), { ...last, to: Math.max(last.to, gap.to), at: Math.max(last.at, gap.at) }];
  }, []);
  const [slowest, ...others] = ofKind(alerts, 'pace').sort((a, b) => b.actual - a.actual);
  const pace = slowest && {
    ...slowest,
    slowFor: [slowest, ...others].map((each) => each.slowFor).reduce(both),
  };
  const allowances = ofKind(alerts, 'allowances').reduce<
    Map<number, Alert & { readonly kind: 'allowances' }>
  >((months, each) => {
    const month = monthOf(each.at);
    const others = months.get(month);
    const over = others === undefined ? each.over : added(others.over, each.over);
    return months.set(month, { ...(others ?? each), over });
  }, new Map());
  const [unrecorded] = ofKind(alerts, 'unrecorded').sort((a, b) => a.from - b.from);
  const rest = alerts.filter(({ kind }) => !REPEATED.has(kind));
  return [
    ...rest,
    ...gaps,
    ...[pace, ...allowances.values(), unrecorded].filter((alert) => alert !== undefined),
  ];
}

function ofKind<K extends Alert['kind']>(
  alerts: readonly Alert[],
  kind: K,
): (Alert & { readonly kind: K })[] {
  return alerts.filter((alert): alert is Alert & { readonly kind: K } => alert.kind === kind);
}

function both(a: SlowTargets, b: SlowTargets): SlowTargets {
  const most = Math.max(a.targets.length, b.targets.length);
  return { count: a.count + b.count, targets: [...a.targets, ...b.targets].slice(0, most) };
}

function added(a: readonly OverAllowance[], b: readonly OverAllowance[]): OverAllowance[] {
  return b.reduce<OverAllowance[]>(
    (sums, each) => {
      const { resource, projected, allowed } = each;
      const isKnown = sums.some((sum) => sum.resource === resource);
      if (!isKnown) return [...sums, each];
      return sums.map((sum) =>
        sum.resource === resource
          ? { resource, projected: sum.projected + projected, allowed: sum.allowed + allowed }
          : sum,
      );
    },
    [...a],
  );
}

function entriesOf(record: JointRecord): [ChannelName, ChannelRecord][] {
  return Object.entries(record) as [ChannelName, ChannelRecord][];
}

/** Those of the alerts that an outbox holds for a channel. */
function heldBy({ alerts }: Outbox, channel: ChannelName, ids: readonly string[]): string[] {
  const sought = new Set(ids);
  return alerts.flatMap(({ alert, to }) =>
    to[channel] !== undefined && sought.has(alert.id) ? alert.id : [],
  );
}

/** What a message to the channel says to be undelivered of a shard; it is said only beside its alerts. */
function undeliveredBy(outbox: Outbox, channel: ChannelName): number {
  const hasAlerts = outbox.alerts.some(({ to }) => to[channel] !== undefined);
  return hasAlerts ? undeliveredTo(outbox, channel) : 0;
}

function withoutPart(outbox: Outbox, channel: ChannelName, { ids, undelivered }: DeliveredPart): Outbox {
  const left = undeliveredTo(outbox, channel) - undelivered;
  return {
    ...outbox,
    alerts: removedFor(outbox.alerts, channel, new Set(ids)),
    undelivered: withValue(outbox.undelivered, channel, left > 0 ? left : null),
  };
}

function withValue<T>(values: ByChannel<T>, channel: ChannelName, value: T | null): ByChannel<T> {
  const others = without(values, channel);
  return value === null ? others : { ...others, [channel]: value };
}
