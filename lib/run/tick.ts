import { randomUUID } from 'node:crypto';
import type { Config } from '../config/config.js';
import { NO_USAGE } from '../rules/account.js';
import type { Among } from '../rules/allowances.js';
import { groupOf, StoreError, type Meter, type Store } from '../store/store.js';
import type { Target } from '../types.js';
import type { Backlog, Batch } from './backlog.js';
import type { KnownDirectory } from './directory-keeper.js';
import { patience } from './patience.js';
import { mergedReport, type RunReport } from './report.js';
import { NEW_TARGETS, UNPLACED, type SharedContext } from './run-context.js';
import { run, type RunRequest } from './run.js';
import type { Together } from './joint-delivery.js';
import { DAY, SECOND } from '../time.js';

/** What the runs of a process are made of. */
export type Installation = SharedContext & {
  readonly config: Config;
  readonly store: Store | null;
  /** The clock of the runs of a shard, where it is that of its database; absent: `now` is that of all. */
  readonly clockOf?: (store: Store) => () => number;
};

/** The targets that are configured and live in one shard. */
export interface Shard {
  readonly number: number;
  readonly targets: readonly Target[];
  /** It has lost its last target since yesterday. */
  readonly isEmptied?: boolean;
  /** Where there are several databases: the one that it is in, and with how many shards it shares what is allowed. */
  readonly spread?: { readonly database: number; readonly among: Among };
}

/** The shards of an installation that has more than one. */
export interface Shards {
  /** How many there are, those without a configured target included. */
  readonly count: number;
  /** Of the directory. */
  readonly hash: string;
  /** Why the store could not be asked, so that this is what the process remembers; null: it was. */
  readonly failure: StoreError | null;
  /** Targets without a place: no others than those that are new while the store cannot be asked. */
  readonly unplaced: readonly Target[];
  /** Those with a configured target, or without one since today or yesterday. */
  readonly shards: readonly Shard[];
}

/**
 * Gives every target a place, and says who lives where; null: there is one shard, as far as this process knows. While the
 * store cannot be read, what is known counts, and new targets have no place.
 * @throws StoreError where nothing is known
 */
export async function shardsOf(
  { config, store, directory, now }: Installation,
  meter: Meter,
  { mayBeOne } = { mayBeOne: true },
): Promise<Shards | null> {
  const { targets, shardSize } = config;
  if (store === null) return null;
  if (mayBeOne && directory.known === null && targets.length <= shardSize) return null;
  try {
    const ids = targets.map(({ info }) => info.id);
    const placing = { size: shardSize, now: now() };
    const known = await directory.place(store.metered(meter), ids, placing, patience(config.tick));
    return shardsIn(known, targets, { failure: null, now: now() });
  } catch (error) {
    if (!(error instanceof StoreError) || directory.known === null) throw error;
    return shardsIn(directory.known, targets, { failure: error, now: now() });
  }
}

/** One shard, by the directory of this hash or a later one. @throws StoreError */
export async function findShard(
  { config, store, directory, now }: Installation,
  { number, hash }: { readonly number: number; readonly hash: string },
): Promise<Shards & { readonly shard: Shard }> {
  if (store === null) throw new StoreError('store_unreachable', 'no store is configured');
  const known = await directory.find(store, hash, patience(config.tick));
  const found = shardsIn(known, config.targets, { failure: null, now: now() });
  const shard = found.shards.find((each) => each.number === number) ?? { number, targets: [] };
  return { ...found, shard };
}

function shardsIn(
  { directory, hash, shards: count, layout }: KnownDirectory,
  targets: readonly Target[],
  { failure, now }: { readonly failure: StoreError | null; readonly now: number },
): Shards {
  const members = new Map<number, Target[]>();
  const unplaced: Target[] = [];
  for (const target of targets) {
    const place = directory.get(target.info.id);
    if (place === undefined) {
      unplaced.push(target);
      continue;
    }
    const others = members.get(place.shard);
    if (others === undefined) members.set(place.shard, [target]);
    else others.push(target);
  }
  // One that has just lost its last target tells people so.
  const today = Math.floor(now / DAY);
  for (const { shard, gone } of directory.values())
    if (gone !== null && today - gone <= 1 && !members.has(shard)) members.set(shard, []);
  const spread = layout.origin === null ? () => ({}) : spreadOf(directory, layout);
  const shards = [...members].map(([number, its]): Shard => ({
    ...{ number, targets: its, isEmptied: its.length === 0 },
    ...spread(number),
  }));
  return { count, hash, failure, unplaced, shards: shards.sort((a, b) => a.number - b.number) };
}

/** What `Shard.spread` is, by the number of the shard. */
function spreadOf(
  directory: KnownDirectory['directory'],
  { stores }: KnownDirectory['layout'],
): (shard: number) => Required<Pick<Shard, 'spread'>> {
  const numbers = new Set([...directory.values()].map(({ shard }) => shard));
  const databaseOf = (shard: number): number => stores[groupOf(shard)] ?? 1;
  const together = new Map<number, number>();
  for (const shard of numbers) together.set(databaseOf(shard), (together.get(databaseOf(shard)) ?? 0) + 1);
  return (shard) => {
    const database = databaseOf(shard);
    const among = { all: Math.max(1, numbers.size), together: together.get(database) ?? 1 };
    return { spread: { database, among } };
  };
}

/**
 * The run of one shard.
 * @param count of all shards
 * @param begun as in `Together`
 */
export function runShard(
  installation: Installation,
  { number, targets, spread, isEmptied = false }: Shard,
  { count, begun = () => Promise.resolve() }: { readonly count: number; readonly begun?: Together['begun'] },
  request: RunRequest,
): Promise<RunReport> {
  const { config, store: all, jointDelivery: delivery, now, clockOf } = installation;
  const store = all?.shard(number) ?? null;
  const database = config.stores.find((each) => each.number === spread?.database)?.store ?? config.store;
  const together = all && count > 1 && { delivery, store: all, shards: count, begun, targets: byId(config) };
  return run(
    {
      ...installation,
      config: { ...config, targets, store: database },
      store,
      now: store === null ? now : (clockOf?.(store) ?? now),
      backlog: installation.backlogOf(number),
      shards: count,
      ...(spread && { among: spread.among }),
      shard: number,
      isEmptied,
      ...(together && { together }),
    },
    request,
  );
}

/** By the configuration that they are of. */
const targetsById = new WeakMap<Config, ReadonlyMap<string, Target>>();

function byId(config: Config): ReadonlyMap<string, Target> {
  const found = targetsById.get(config) ?? new Map(config.targets.map((target) => [target.info.id, target]));
  targetsById.set(config, found);
  return found;
}

/** Ms after which the run of the next shard begins although the database has not answered the one before. */
const NEXT_RUN_AFTER = SECOND / 2;

/**
 * The runs of these shards in this process. Each begins when the one before has started its attempts, or waits for its
 * database: so a run lasts no longer than if it were alone, and none waits for what is slow in another, nor for another database.
 */
export async function runShards(
  installation: Installation,
  { shards, count }: Pick<Shards, 'shards' | 'count'>,
  request: RunRequest,
): Promise<RunReport[]> {
  const databases = [...new Set(shards.map(({ spread }) => spread?.database))];
  const reports = new Map<Shard, RunReport>();
  await Promise.all(
    databases.map(async (database) => {
      const its = shards.filter(({ spread }) => spread?.database === database);
      const found = await runInTurn(installation, { shards: its, count }, request);
      for (const [i, shard] of its.entries()) {
        const report = found[i];
        if (report !== undefined) reports.set(shard, report);
      }
    }),
  );
  return shards.flatMap((shard) => reports.get(shard) ?? []);
}

async function runInTurn(
  installation: Installation,
  { shards, count }: Pick<Shards, 'shards' | 'count'>,
  request: RunRequest,
): Promise<RunReport[]> {
  const { prober } = installation;
  const runs: Promise<RunReport>[] = [];
  let allBegan = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    allBegan = resolve;
  });
  for (const shard of shards) {
    let waiting: NodeJS.Timeout | undefined;
    await new Promise<void>((onBegun) => {
      waiting = setTimeout(onBegun, NEXT_RUN_AFTER);
      const watched = {
        ...prober,
        attempt: (...of: Parameters<typeof prober.attempt>) => {
          onBegun();
          return prober.attempt(...of);
        },
      };
      // Whoever waits for the others has begun.
      const whenBegun = (): Promise<void> => {
        onBegun();
        return begun;
      };
      const watching = { ...installation, prober: watched };
      const run = runShard(watching, shard, { count, begun: whenBegun }, request);
      run.then(
        () => onBegun(),
        () => onBegun(),
      );
      runs.push(run);
    });
    clearTimeout(waiting);
    await installation.whenStarted();
  }
  allBegan();
  return Promise.all(runs);
}

/**
 * The run of all targets where there is one shard, else the runs of all shards in this process, at the same time. Rejects
 * only where Keepalive itself is broken.
 */
export async function runTick(installation: Installation, request: RunRequest): Promise<RunReport> {
  const meter: Meter = { commands: 0, bytesSent: 0, bytesReceived: 0 };
  let found: Shards | null;
  try {
    found = await shardsOf(installation, meter);
    if (found === null) {
      const [report = standby(request, installation, meter)] = await inTurn(
        installation,
        { request, meter },
        [{ number: 0, targets: installation.config.targets }],
        async () => [await run(installation, request)],
      );
      if (report.reason !== 'sharded') return report;
      found = await shardsOf(installation, meter, { mayBeOne: false });
      if (found === null) return report;
    }
    if (found.shards.length === 0) return await run({ ...installation, shards: 1 }, request);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    // Nobody knows who lives where, and the pings still go out.
    return runUnplaced(installation, UNPLACED, error, request);
  }
  installation.backlog.giveBack({ ...NO_USAGE, commands: meter.commands });
  rehome(installation, found);
  const { count, failure, unplaced } = found;
  const config = { ...installation.config, targets: unplaced };
  const [placed, ...others] = await Promise.all([
    inTurn(installation, { request, meter }, found.shards, (shards) =>
      runShards(installation, { shards, count }, request),
    ),
    ...(failure === null || unplaced.length === 0
      ? []
      : [runUnplaced({ ...installation, config }, NEW_TARGETS, failure, request)]),
  ]);
  const reports = [...placed, ...others];
  return reports.length === 0 ? standby(request, installation, meter) : mergedReport(reports, meter.commands);
}

/** The run of targets without a place, which cannot be recorded. Several machines make it each. */
function runUnplaced(
  installation: Installation,
  number: typeof UNPLACED | typeof NEW_TARGETS,
  storeFailure: StoreError,
  request: RunRequest,
): Promise<RunReport> {
  const backlog = installation.backlogOf(number);
  // What one shard does for all is not done for new targets again.
  const shard = number === NEW_TARGETS ? { shard: number } : {};
  return run({ ...installation, backlog, store: null, storeFailure, shards: 1, ...shard }, request);
}

/** The runs of those shards that this machine has to make. */
async function inTurn(
  { config, store, turns, now }: Installation,
  { request, meter }: { readonly request: RunRequest; readonly meter: Meter },
  shards: readonly Shard[],
  make: (shards: readonly Shard[]) => Promise<RunReport[]>,
): Promise<RunReport[]> {
  if (turns === undefined || store === null) return make(shards);
  const numbers = shards.map(({ number }) => number);
  const time = { now: now(), period: request.nextRunIn, within: patience(config.tick) };
  const chosen = new Set(await turns.choose(store.metered(meter), numbers, time));
  const its = shards.filter(({ number }) => chosen.has(number));
  const reports = its.length === 0 ? [] : await make(its);
  for (const [i, { number }] of its.entries()) {
    const report = reports[i];
    if (report !== undefined) turns.onReport(number, report, now());
  }
  return reports;
}

/** The report of a machine that has no run to make. */
function standby({ trigger }: RunRequest, { now }: Installation, { commands }: Meter): RunReport {
  return {
    ...{ runId: randomUUID(), trigger, status: 'skipped', reason: 'standby', stored: false, commands },
    ...{
      startedAt: new Date(now()).toISOString(),
      durationMs: 0,
      due: 0,
      checked: 0,
      succeeded: 0,
      failed: 0,
    },
    ...{ transitions: [], results: [] },
  };
}

/** Gives the checks that were made while nobody knew who lives where to the backlogs of their shards. */
function rehome(installation: Installation, { shards, unplaced }: Shards): void {
  for (const number of [UNPLACED, NEW_TARGETS]) {
    const backlog = installation.backlogOf(number);
    const batches = backlog.all;
    if (batches.length === 0) continue;
    const give = (to: Backlog, targets: readonly Target[]): void => {
      const its = new Set(targets.map(({ info }) => info.id));
      const parts = batches.flatMap(({ at, checks }): Batch[] => {
        const part = new Map([...checks].filter(([id]) => its.has(id)));
        return part.size === 0 ? [] : [{ at, checks: part }];
      });
      if (parts.length > 0) to.keep(parts);
    };
    for (const shard of shards) give(installation.backlogOf(shard.number), shard.targets);
    backlog.drop(batches);
    give(backlog, unplaced);
  }
}
