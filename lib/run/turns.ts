import { createHash, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { STATE_FIELD } from '../record/fields.js';
import { TextError } from '../record/codec/text-error.js';
import { readState } from '../record/state.js';
import { nameInShard, StoreError, type Store } from '../store/store.js';
import type { RunReport } from './report.js';

/** Periods without a run until the machine that made the last one is taken for dead: the second that it misses. */
const DEAD_AFTER = 0.9;
/** Ms that its release of the leases may take a machine that stops. */
const LEASE_TO_LEAVE = 5_000;
/** In the place of the 4 of a random UUID: a run of a machine that shares its work with others. */
const MARK = '8';
const MARK_AT = 14;

/** Of the kernel that runs, on Linux: containers of two machines may have the same name and network addresses. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** Names this machine and port: eight hexadecimal digits. No two processes have the same at one time. */
export function machineId(port: number): string {
  const boot = existsSync(BOOT_ID) ? readFileSync(BOOT_ID, 'utf8') : '';
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ mac }) => mac) ?? []);
  const text = JSON.stringify([hostname(), boot, [...new Set(addresses)].sort(), port]);
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}

/** The id of a run: a UUID, that begins with the machine where several share the work. */
export function runIdOf(machine: string | undefined): string {
  const id = randomUUID();
  return machine === undefined ? id : `${machine}${id.slice(8, MARK_AT)}${MARK}${id.slice(MARK_AT + 1)}`;
}

/** The machine of a run; null: it was none that shares the work (a function, a request, an earlier version). */
export function machineOf(runId: string): string | null {
  return runId.charAt(MARK_AT) === MARK ? runId.slice(0, 8) : null;
}

/** Of a claim that is no run's. */
export function newToken(): string {
  return tokenOf(randomUUID());
}

/** The same in 22 characters instead of 36: it goes over the line several times in a run. */
export function tokenOf(runId: string): string {
  return Buffer.from(runId.replaceAll('-', ''), 'hex').toString('base64url');
}

/** The machine of who wrote last, as the store names it (`lease`, store/scripts.ts). */
function machineOfWriter(writer: string): string | null {
  const hex = Buffer.from(writer.split('|')[0] ?? '', 'base64url').toString('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12)];
  return machineOf(parts.join('-'));
}

interface Time {
  /** Ms since the epoch. */
  readonly now: number;
  /** Ms between two runs. */
  readonly period: number;
  /** Ms that the store may take to answer. */
  readonly within: number;
}

/**
 * Which shards this machine makes the runs of, where several machines share one Redis. A shard belongs to whoever made its
 * last run. The others look in each period whether somebody has written, which costs one command for eight shards; where
 * nobody has, they compete for the lease. A machine with fewer shards than its share takes some from the one with the most:
 * it claims them at the beginning of a period, before their owner comes to them. The lease and what a claim finds (a run of
 * another machine just now) keep two of them from pinging the same targets, whatever they believe.
 */
export class Turns {
  readonly #mine = new Set<number>();
  /** Who wrote last, and since when that is known, by shard. */
  readonly #seen = new Map<number, { readonly writer: string; readonly since: number }>();

  constructor(readonly machine: string) {}

  /** Those of the shards whose runs this machine has to make now. No command where it makes all of them. */
  async choose(store: Store, shards: readonly number[], time: Time): Promise<number[]> {
    const others = shards.filter((shard) => !this.#mine.has(shard));
    if (others.length === 0) return [...shards];
    try {
      const { found, unread } = await ofShards(store, 'lease', others, time.within);
      const away = new Set(unread);
      const readable = others.filter((shard) => !away.has(shard));
      const taken = new Set(
        readable.length === 0 ? [] : await this.#takeable(store, { shards: readable, writers: found }, time),
      );
      // Of a database that is away, who was seen at work goes on.
      const isLeft = (shard: number): boolean => away.has(shard) && !this.#seen.has(shard);
      return shards.filter((shard) => this.#mine.has(shard) || taken.has(shard) || isLeft(shard));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      // Who was seen at work goes on.
      return shards.filter((shard) => this.#mine.has(shard) || !this.#seen.has(shard));
    }
  }

  async #takeable(
    store: Store,
    {
      shards,
      writers,
    }: { readonly shards: readonly number[]; readonly writers: ReadonlyMap<number, string> },
    time: Time,
  ): Promise<number[]> {
    const isFree = (shard: number): boolean => {
      const writer = writers.get(shard) ?? '';
      if (this.#seen.get(shard)?.writer === writer) return false;
      const machine = machineOfWriter(writer);
      return machine === null || machine === this.machine;
    };
    const held = shards.filter((shard) => !isFree(shard));
    const unknown = held.filter((shard) => !this.#seen.has(shard));
    const states =
      unknown.length === 0 ? null : (await ofShards(store, STATE_FIELD, unknown, time.within)).found;
    const owners = new Map<string, number[]>();
    const taken = shards.filter(isFree);
    for (const shard of held) {
      const writer = writers.get(shard) ?? '';
      const before = this.#seen.get(shard);
      const since =
        before === undefined
          ? // It would have been noticed a period later.
            lastRunIn(states?.get(shard), time.now) + time.period
          : before.writer === writer
            ? before.since
            : time.now;
      this.#seen.set(shard, { writer, since });
      if (time.now - since >= DEAD_AFTER * time.period) taken.push(shard);
      else {
        const machine = machineOfWriter(writer) ?? '';
        owners.set(machine, [...(owners.get(machine) ?? []), shard]);
      }
    }
    return [...taken, ...this.#share(owners, taken.length)];
  }

  /** Those that this machine takes from others, so that all have as many. */
  #share(owners: ReadonlyMap<string, number[]>, taken: number): number[] {
    const own = this.#mine.size + taken;
    const lists = [...owners.values()].map((list) => [...list]);
    const total = own + lists.reduce((sum, list) => sum + list.length, 0);
    const wanted = Math.floor(total / (lists.length + 1)) - own;
    const found: number[] = [];
    while (found.length < wanted) {
      const [most] = lists.sort((a, b) => b.length - a.length);
      const shard = most?.pop();
      if (shard === undefined) break;
      found.push(shard);
    }
    return found;
  }

  /** What came of a run. */
  onReport(shard: number, { stored, reason, runId }: RunReport, now: number): void {
    if (stored) {
      this.#mine.add(shard);
      this.#seen.delete(shard);
    } else if (reason === 'taken' || reason === 'locked' || reason === 'lease_lost') {
      this.#mine.delete(shard);
      // The lease of what was taken was given back, which says that we wrote. Otherwise somebody is at work who may not have
      // written yet.
      const writer = reason === 'taken' ? `${tokenOf(runId)}|0` : (this.#seen.get(shard)?.writer ?? '');
      this.#seen.set(shard, { writer, since: now });
    }
  }

  /** Leaves the shards to whoever comes next, who need not wait. Never rejects. */
  async leave(store: Store): Promise<void> {
    const leaving = [...this.#mine].map(async (shard) => {
      const its = store.shard(shard);
      const token = newToken();
      const claim = await its.claim({ token, ttl: LEASE_TO_LEAVE, fields: [] });
      if (claim.claimed) await its.commit({ token, fields: {}, append: null, release: true });
    });
    await Promise.allSettled(leaving);
  }
}

async function ofShards(
  store: Store,
  field: string,
  shards: readonly number[],
  within: number,
): Promise<{ readonly found: ReadonlyMap<number, string>; readonly unread: readonly number[] }> {
  const nameOf = (shard: number): string => nameInShard(field, shard);
  const request = { fields: shards.map(nameOf), logs: [], partly: true, within };
  const { fields, unread } = await store.read(request);
  const found = shards.flatMap((shard): [number, string][] => {
    const text = fields.get(nameOf(shard));
    return text === undefined ? [] : [[shard, text]];
  });
  return { found: new Map(found), unread: shards.filter((shard) => unread?.has(nameOf(shard)) === true) };
}

/** When the last run began. What cannot be read says nothing. */
function lastRunIn(state: string | undefined, now: number): number {
  try {
    return (state === undefined ? null : readState(state).lastRun?.at) ?? now;
  } catch (error) {
    if (error instanceof TextError) return now;
    throw error;
  }
}
