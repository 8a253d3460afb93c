import { calledAs } from '../called-as.js';
import type { App } from '../app.js';
import { setApp, withConfig } from '../app.js';
import type { Config } from '../config/config.js';
import { DEFAULT_DATABASE } from '../config/config.js';
import { adviceByText } from '../rules/host-advice.js';
import { MONTHLY_HOURS } from '../rules/hosts.js';
import { configWarnings, validConfig, type Env } from '../config/valid.js';
import { LiveConfig } from '../config/live-config.js';
import { loadState } from '../read/load.js';
import { RecentReader } from '../read/recent.js';
import { ofEachShard } from '../read/shards.js';
import { STORE_FIELDS } from '../record/fields.js';
import { SPREAD_FIELDS } from '../record/spread-fields.js';
import { OperatorError } from '../operator-error.js';
import { monthlyHours } from '../rules/host-hours.js';
import { tooSlowFor } from '../rules/trigger-pace.js';
import { tooSlowInWords } from '../rules/wording.js';
import { sharedContext } from '../run/run-context.js';
import { runTick } from '../run/tick.js';
import { machineId, Turns } from '../run/turns.js';
import { RunsUnderWay } from '../run/under-way.js';
import { openRemoteStores } from '../store/open.js';
import { openSqlite } from '../store/sqlite.js';
import type { Store } from '../store/store.js';
import { StoreError } from '../store/store.js';
import { periodOf, Scheduler, untilFullPeriod } from './scheduler.js';
import { closeServer, serve } from './server.js';
import { StatisticsClock, statisticsLine } from './statistics.js';
import { intervalInWords } from '../rules/durations.js';

/** Ms that a run may last; checks that are left over come first in the next run. */
const RUN_LIMIT = 300_000;
/** Ms that the lease of a machine that shares a Redis lasts at least; a period where that is longer. */
const SHORTEST_LEASE = 15_000;

/** Why Keepalive cannot start; the message is for the operator. */
class StartError extends OperatorError {
  override readonly name = 'StartError';
}

export interface Running {
  readonly port: number;
  /** Finishes the runs under way, then closes the server and the store. */
  stop(): Promise<void>;
}

/**
 * Everything on one machine: the functions over HTTP, a scheduler, the embedded database (or the Redis that is set).
 * @throws ConfigError with all that is wrong with the configuration; StartError for the port or the database.
 */
export async function start(env: Env, print: (line: string) => void): Promise<Running> {
  for (const warning of configWarnings(env)) print(warning);
  const configured = await validConfig(env);
  const { server, port } = await serve(configured.port).catch((error: unknown) => {
    throw new StartError(portProblem(error, configured.port), { cause: error });
  });
  let store: Store | null = null;
  try {
    const config = configured.targets.length > 0 ? configured : await validConfig(watchingItself(env, port));
    store = await openStore(config, print);
    const runs = new RunsUnderWay();
    setApp({ config, store, runs });
    for (const line of introduce(config, store, { port, isAlone: configured.targets.length === 0 }))
      print(line);
    // The embedded database belongs to one process.
    const turns = store.kind === 'sqlite' ? undefined : new Turns(machineId(port));
    const scheduler = schedule(
      { config, store, runs },
      new LiveConfig(env, { ok: true, config }, { log: print }),
      { turns, print },
    );
    return {
      port,
      stop: async () => {
        await Promise.all([scheduler.stop(), runs.finish()]);
        await closeServer(server);
        if (store !== null) await turns?.leave(store);
        await store?.close();
      },
    };
  } catch (error) {
    server.close();
    await store?.close();
    throw error instanceof StoreError ? new StartError(storeProblem(error), { cause: error }) : error;
  }
}

function portProblem(error: unknown, port: number): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return `Port ${port} is in use: stop what uses it, or set PORT.`;
  if (code === 'EACCES') return `Port ${port} may not be used: set PORT to one above 1023.`;
  return `Port ${port} cannot be listened on: set PORT to another.`;
}

/** Only the embedded database can fail at the start; a remote store that is away is tried again by every run. */
function storeProblem({ code, message }: StoreError): string {
  const advice =
    code === 'store_corrupt' ? ' Move the file away to begin anew; nothing was changed in it.' : '';
  return `KEEP_ALIVE_DATABASE (default ${DEFAULT_DATABASE}): ${message}.${advice}`;
}

/** With no target configured, Keepalive watches its own health endpoint. */
function watchingItself(env: Env, port: number): Env {
  const token = env.STATS_TOKEN?.trim();
  return {
    ...env,
    TARGET_SELF_URL: `http://127.0.0.1:${port}/api/health`,
    TARGET_SELF_INTERVAL: '1m',
    ...(token ? { TARGET_SELF_HEADERS: JSON.stringify({ authorization: `Bearer ${token}` }) } : {}),
  };
}

async function openStore({ store, stores, prefix }: Config, print: (line: string) => void): Promise<Store> {
  switch (store.kind) {
    case 'upstash':
    case 'redis':
      return openRemoteStores(stores, { prefix, ...SPREAD_FIELDS });
    case 'sqlite':
      return openSqlite(store.path, { ...STORE_FIELDS, print });
    case 'none':
      return openSqlite(DEFAULT_DATABASE, { ...STORE_FIELDS, print });
  }
}

function schedule(
  opened: App & { readonly store: Store; readonly runs: RunsUnderWay },
  live: LiveConfig,
  { turns, print }: { readonly turns: Turns | undefined; readonly print: (line: string) => void },
): Scheduler {
  const { store, runs } = opened;
  let app: App = opened;
  const period = (): number => timeBetweenRuns(app.config, store);
  const parts = { ...sharedContext(app.config), ...(turns && { turns }), log: print };
  const statistics = new StatisticsClock();
  let wasHeldUp = false;
  const untilNext = (): number => (turns ? untilFullPeriod(store.now(), period()) : period());
  return new Scheduler(untilNext, async () => {
    try {
      const { stopping } = runs;
      const newest = await live.current(0);
      if (newest.ok && newest.config !== app.config) {
        app = withConfig(app, newest.config);
        setApp(app);
      }
      const { reason, results } = await runs.track(
        runTick(
          { ...parts, ...app, now: () => store.now(), clockOf: (its) => () => its.now() },
          {
            ...{ trigger: 'local', limit: RUN_LIMIT, nextRunIn: period(), stopping },
            ...(turns && {
              machine: { id: turns.machine, lease: Math.max(SHORTEST_LEASE, period()) },
            }),
          },
        ),
      );
      const isHeldUp = reason === 'locked' || reason === 'standby' || reason === 'taken';
      if (isHeldUp && !wasHeldUp) print(HELD_UP);
      wasHeldUp = isHeldUp;
      if (statistics.isDue(results.length, performance.now())) {
        const states = await ofEachShard(new RecentReader(store), app.config, loadState);
        const known = states.flatMap((state) => state?.targets ?? []);
        if (known.length > 0) print(statisticsLine(app.config.targets, known));
      }
    } catch (error) {
      // Whatever is wrong with the store, the run has said it.
      if (error instanceof StoreError) return;
      console.error(error);
    }
  });
}

const HELD_UP =
  'No run now: another process makes them on the same data. If it stops, this one takes over, after a crash within two ticks.';

/** In ms. */
function timeBetweenRuns({ targets, tick }: Config, { kind }: Store): number {
  const intervals = targets.filter(({ info }) => info.enabled).map(({ info }) => info.interval);
  return periodOf(kind, tick, intervals);
}

/** @param isAlone no target is configured, so that Keepalive watches itself */
function introduce(
  config: Config,
  store: Store,
  { port, isAlone }: { readonly port: number; readonly isAlone: boolean },
): string[] {
  const pace = timeBetweenRuns(config, store);
  const times = { pace, tick: config.tick, lastRunMs: 0 };
  const slow = tooSlowInWords(
    tooSlowFor(
      config.targets.map(({ info }) => info),
      times,
    ),
  );
  const targets = config.targets.map(
    ({ info }) =>
      `  ${info.id}  ${info.healthUrl}  ${info.enabled ? `every ${intervalInWords(info.interval)}` : 'paused'}`,
  );
  const warnings = monthlyHours(config.targets, MONTHLY_HOURS, Date.now(), times).flatMap(
    ({ message }) => message ?? [],
  );
  const hint = `No target is set, so Keepalive watches itself. Add one: ${calledAs()} init, or TARGET_MY_API_URL=https://… npm start`;
  return [
    `Keepalive serves http://localhost:${port} and keeps its data in ${storeName(config, store)}.`,
    ...targets,
    `Runs come every ${intervalInWords(pace)}${slow.length === 0 ? '' : `: ${slow.join('; ')}`}.`,
    ...warnings,
    ...adviceByText(config.targets).map(({ what, todo }) => `${what} ${todo}`),
    ...(isAlone ? [hint] : []),
  ];
}

function storeName({ store, stores }: Config, { kind }: Store): string {
  if (stores.length > 1)
    return `${stores.length} databases (${stores.map(({ variables: [name] }) => name).join(', ')})`;
  if (kind === 'upstash') return 'Upstash Redis';
  if (kind === 'redis') return 'Redis';
  return store.kind === 'sqlite' ? store.path : DEFAULT_DATABASE;
}
