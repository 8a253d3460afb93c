import { DELIVERIES_COPY_FIELD, DELIVERIES_FIELD, OUTBOX_FIELD } from '../record/fields.js';
import { TextError } from '../record/codec/text-error.js';
import { readJointRecord, writeJointRecord } from '../record/joint-record-text.js';
import { readOutbox } from '../record/outbox-text.js';
import { digestsOf, type PendingDigest } from '../record/notifier.js';
import {
  afterJointDelivery,
  BEGINNING,
  jointOutbox,
  LONGEST_WAIT,
  merged,
  withCopy,
  type JointRecord,
  type Outboxes,
} from '../rules/joint-delivery.js';
import type { DeliveryOutcome } from '../rules/delivery-outcome.js';
import type { Outbox } from '../rules/outbox.js';
import { ALL_SHARDS, groupOf, nameInShard, SHARDS_TOGETHER, StoreError, type Store } from '../store/store.js';
import { SECOND } from '../time.js';
import type { Target } from '../types.js';
import { DELIVERY_TIMEOUT, sendDigests, type DeliveryContext } from './delivery.js';
import { keepLease } from './lease.js';
import { newToken } from './turns.js';

/** Ms that the lease lasts; it is renewed while it is held. */
const LEASE = 20 * SECOND;
/** Ms between two looks at them: the first, and the longest. */
const LOOKS = { first: SECOND / 2, longest: 5 * SECOND };
/** Ms for recording what came of a message, and for it with the message itself. */
const RECORDING = 10 * SECOND;
const DELIVERING = DELIVERY_TIMEOUT + RECORDING;
/** Ms that a channel may take that gets each alert by itself, of many shards, where there is time. */
const LONGEST_DELIVERY = 30 * SECOND;
/** Ms for which a run waits until the other databases have their copies of the record. */
const COPYING = 2 * SECOND;
/** How often one run delivers at most; alerts that come still later are left to the next run. */
const MOST_DELIVERIES = 3;

/** The shards that tell people together. */
export interface Together {
  readonly delivery: JointDelivery;
  /** That of the installation. */
  readonly store: Store;
  /** How many there are. */
  readonly shards: number;
  /**
   * Says that this run waits for the others. Resolves when those of this tick have begun, as far as this process makes them
   * in the same database.
   */
  readonly begun: () => Promise<unknown>;
  /** Those of all shards, by id. */
  readonly targets: ReadonlyMap<string, Target>;
}

export interface JointDeliveryContext extends DeliveryContext {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** That of the run. */
  readonly shard: number;
  /** Whether all that the run has found is on record. */
  readonly isOver: () => boolean;
  /** When the run began. */
  readonly startedAt: number;
  /** When the process has to be done. */
  readonly end: number;
  /** Aborts when the process is to end soon. */
  readonly stopping: AbortSignal;
}

/**
 * Delivers what waits in the outboxes of all shards: one message a channel. Whichever shard has something to tell first
 * takes the lease for it, waits until the other runs of the tick are over, and tells it for all. The others find the lease
 * taken, and need not wait: whoever delivers looks at their outboxes again after it has given the lease back.
 *
 * What came of it is recorded beside the shards, since each of their outboxes is written under the lease of its own run.
 */
export class JointDelivery {
  /** As this process knows it. */
  #record: JointRecord = {};
  /** It could not be stored. */
  #isUnsaved = false;
  /** What shards that cannot record anything have to tell, and the message that will tell it. */
  readonly #unrecorded: (readonly PendingDigest[])[] = [];
  #sending: Promise<DeliveryOutcome[]> | null = null;

  /** What came of the deliveries so far, as far as this process knows. */
  get record(): JointRecord {
    return this.#record;
  }

  /**
   * What came of the deliveries so far.
   * @param within ms that the database may take
   * @throws StoreError
   */
  async read(store: Store, log: (line: string) => void, within?: number): Promise<JointRecord> {
    const name = nameInShard(DELIVERIES_FIELD, ALL_SHARDS);
    const { fields } = await store.read({ fields: [name], logs: [], within });
    return this.#know(fields.get(name) ?? null, log);
  }

  /**
   * The same where the first database is away: what this process knows, and what the copy in the database of the shard says.
   * Never rejects. One command, where the shard is in another database.
   */
  async readCopy(
    store: Store,
    shard: number,
    log: (line: string) => void,
    within?: number,
  ): Promise<JointRecord> {
    const place = placeOfCopy(store, store.databases?.layout?.stores[groupOf(shard)] ?? 1);
    try {
      const answer = await place?.read({ fields: [DELIVERIES_COPY_FIELD], logs: [], within });
      const copy = readJointRecord(answer?.fields.get(DELIVERIES_COPY_FIELD) ?? null);
      this.#record = withCopy(this.#record, copy);
    } catch (error) {
      if (!(error instanceof StoreError || error instanceof TextError)) throw error;
      log(JSON.stringify({ event: 'deliveries_unreadable', message: error.message }));
    }
    return this.#record;
  }

  /**
   * Delivers what waits, unless another run is doing so.
   * @throws StoreError where it cannot be known what waits. `record` says what was delivered before that.
   */
  async deliver(together: Together, context: JointDeliveryContext): Promise<void> {
    const { now, end } = context;
    const lease = together.store.shard(ALL_SHARDS);
    let outboxes: Outboxes | null = null;
    let copying: Promise<void> | null = null;
    try {
      for (let i = 0; i < MOST_DELIVERIES && now() + DELIVERING < end; i += 1) {
        const token = newToken();
        const claim = await lease.claim({ token, ttl: LEASE, fields: [DELIVERIES_FIELD] });
        if (!claim.claimed) return;
        const renewing = keepLease(lease, LEASE, end - now());
        try {
          const record = this.#know(claim.fields.get(DELIVERIES_FIELD) ?? null, context.log);
          if (outboxes === null) {
            await waitForOthers(together, context);
            outboxes = await this.#outboxes(together, context);
          }
          const text = await this.#deliverOnce(lease, token, { record, outboxes }, context);
          if (text !== null)
            copying = (copying ?? Promise.resolve()).then(() => copyRecord(together.store, text));
        } catch (error) {
          // Where this fails as well, the lease expires.
          await lease.commit({ token, fields: {}, append: null, release: true }).catch(() => undefined);
          throw error;
        } finally {
          clearInterval(renewing);
        }
        // Who found the lease taken has left its alerts to us.
        outboxes = await this.#outboxes(together, context);
        if (digestsOf(jointOutbox(this.#record, outboxes), [...context.channels.keys()], now()).length === 0)
          return;
      }
    } finally {
      if (copying !== null) await within(COPYING, copying);
    }
  }

  /**
   * Delivers what these shards of this process cannot record: one message a channel, as long as their runs end at about the
   * same time. Never rejects.
   * @param digests of one shard
   * @returns what came of those
   */
  async deliverUnrecorded(
    { begun }: Together,
    digests: readonly PendingDigest[],
    context: JointDeliveryContext,
  ): Promise<DeliveryOutcome[]> {
    if (digests.length === 0) return [];
    this.#unrecorded.push(digests);
    this.#sending ??= (async () => {
      await within(context.end - DELIVERING - context.now(), begun());
      await context.sleep(BEGINNING, context.stopping);
      this.#sending = null;
      return sendDigests(joinedDigests(this.#unrecorded.splice(0)), context);
    })();
    return partOf(await this.#sending, digests);
  }

  /** @returns the text of the record; null: no channel was to be told anything */
  async #deliverOnce(
    lease: Store,
    token: string,
    { record, outboxes }: { readonly record: JointRecord; readonly outboxes: Outboxes },
    context: JointDeliveryContext,
  ): Promise<string | null> {
    const { channels, now, log } = context;
    const joint = jointOutbox(record, outboxes);
    const spare = context.end - now() - RECORDING;
    const time = Math.max(DELIVERY_TIMEOUT, Math.min(LONGEST_DELIVERY, spare));
    const outcomes = await sendDigests(digestsOf(joint, [...channels.keys()], now()), context, time);
    this.#record = afterJointDelivery(record, { outboxes, joint, outcomes, now: now() });
    const text = writeJointRecord(this.#record, now());
    try {
      const fields = { [DELIVERIES_FIELD]: text };
      const answer = await lease.commit({ token, fields, append: null, release: true });
      this.#isUnsaved = answer === 'lost';
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#isUnsaved = true;
    }
    if (this.#isUnsaved && outcomes.length > 0) log(JSON.stringify({ event: 'delivery_not_acknowledged' }));
    return outcomes.length === 0 ? null : text;
  }

  /** @param text what was read just now. What cannot be read is written anew, by what this process knows. */
  #know(text: string | null, log: (line: string) => void): JointRecord {
    try {
      const stored = readJointRecord(text);
      this.#record = this.#isUnsaved ? merged(stored, this.#record) : stored;
    } catch (error) {
      if (!(error instanceof TextError)) throw error;
      log(JSON.stringify({ event: 'deliveries_unreadable', message: error.message }));
    }
    return this.#record;
  }

  async #outboxes({ store, shards }: Together, { log }: JointDeliveryContext): Promise<Outboxes> {
    const numbers = Array.from({ length: shards }, (_, shard) => shard);
    const fields = numbers.map((shard) => nameInShard(OUTBOX_FIELD, shard));
    // Those of a database that is away wait; nothing new is in them, and what is in them is not known.
    const { fields: texts, unread } = await store.read({ fields, logs: [], partly: true });
    return new Map(
      numbers.flatMap((shard): [number, Outbox][] => {
        const name = nameInShard(OUTBOX_FIELD, shard);
        if (unread?.has(name) === true) return [];
        try {
          return [[shard, readOutbox(texts.get(name) ?? null)]];
        } catch (error) {
          if (!(error instanceof TextError)) throw error;
          // Its own run says so.
          log(JSON.stringify({ event: 'outbox_unreadable', shard, message: error.message }));
          return [];
        }
      }),
    );
  }
}

/** Where the copy of the record is in one of several databases: with the first of its shards. Null: it has none. */
function placeOfCopy(store: Store, database: number): Store | null {
  const group = store.databases?.layout?.stores.indexOf(database) ?? 0;
  return group > 0 ? store.shard(group * SHARDS_TOGETHER) : null;
}

/** Gives every other database that holds shards a copy. One that is away keeps an older one. Never rejects. */
async function copyRecord(store: Store, value: string): Promise<void> {
  const databases = new Set(store.databases?.layout?.stores);
  await Promise.all(
    [...databases].map(async (database) => {
      const field = DELIVERIES_COPY_FIELD;
      try {
        const place = placeOfCopy(store, database);
        const held = await place?.read({ fields: [field], logs: [], within: COPYING });
        await place?.swap({ field, expected: held?.fields.get(field) ?? null, value });
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
      }
    }),
  );
}

/** One digest a channel. */
function joinedDigests(digests: readonly (readonly PendingDigest[])[]): PendingDigest[] {
  const all = digests.flat();
  return [...new Set(all.map(({ channel }) => channel))].map((channel) => {
    const its = all.filter((digest) => digest.channel === channel);
    return {
      channel,
      alerts: its.flatMap(({ alerts }) => alerts),
      undelivered: its.reduce((sum, { undelivered }) => sum + undelivered, 0),
      moved: its.find(({ moved }) => moved !== null)?.moved ?? null,
    };
  });
}

/** What came of the digests of one shard, of what came of those of several. */
function partOf(outcomes: readonly DeliveryOutcome[], digests: readonly PendingDigest[]): DeliveryOutcome[] {
  return digests.flatMap(({ channel, alerts, undelivered }) => {
    const own = new Set(alerts.map(({ id }) => id));
    return outcomes.flatMap((outcome): DeliveryOutcome[] => {
      if (!('channel' in outcome) || outcome.channel !== channel) return [];
      if (outcome.kind === 'moved') return [outcome];
      const ids = outcome.ids.filter((id) => own.has(id));
      if (ids.length === 0) return [];
      if (outcome.kind === 'failed') return [{ ...outcome, ids }];
      return [{ ...outcome, ids, undelivered: outcome.undelivered > 0 ? undelivered : 0 }];
    });
  });
}

/** Resolves with the promise, or after so many ms. */
async function within(ms: number, promise: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise, limit]);
  clearTimeout(timer);
}

/** Until the runs of this tick are over, or for as long as people can wait for it. */
async function waitForOthers(
  { store, shards, begun }: Together,
  context: JointDeliveryContext,
): Promise<void> {
  const { now, sleep, startedAt, end, stopping, shard, isOver } = context;
  const last = end - DELIVERING;
  await within(last - now(), begun());
  await sleep(Math.min(startedAt + BEGINNING, last) - now(), stopping);
  const since = now();
  const others = Array.from({ length: shards }, (_, number) => number).filter((number) => number !== shard);
  let pause: number = LOOKS.first;
  while (!stopping.aborted) {
    const underWay = [...(await store.underWay(others)).values()];
    if (underWay.length === 0 && isOver()) return;
    const { undecided, decided } = LONGEST_WAIT;
    const longest = underWay.every(({ hasCommitted }) => hasCommitted) ? decided : undecided;
    const left = Math.min(since + longest, last) - now();
    if (left <= 0) return;
    await sleep(Math.min(pause, left), stopping);
    pause = Math.min(2 * pause, LOOKS.longest);
  }
}
