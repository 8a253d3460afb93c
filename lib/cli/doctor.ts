import { existsSync } from 'node:fs';
import { DEFAULT_DATABASE, textsOf, type Config } from '../config/config.js';
import { controlTargets } from '../config/control.js';
import { MONTHLY_HOURS } from '../rules/hosts.js';
import { variablesOf } from '../config/store-choice.js';
import { ConfigError, validConfig, type Env } from '../config/valid.js';
import { warningsOf } from '../config/warnings.js';
import { DeliveryError, type Channel } from '../deliver/channel.js';
import { installationId } from '../peers/installation.js';
import { checkTarget } from '../probe/check-target.js';
import { checkTimes, health, healthSettings, paceOfRuns } from '../read/health.js';
import { SHARDS_FIELD, STORE_FIELDS } from '../record/fields.js';
import { SPREAD_FIELDS } from '../record/spread-fields.js';
import { loadMailing, loadPresent, type Present } from '../read/load.js';
import { RecentReader } from '../read/recent.js';
import { leastRecent, ofAllShards, ofEachShard } from '../read/shards.js';
import type { Mailing } from '../rules/mailing.js';
import { monthlyHours } from '../rules/host-hours.js';
import { limitsOf } from '../rules/allowances.js';
import { isActive } from '../rules/windows.js';
import { DELIVERY_TIMEOUT } from '../run/delivery.js';
import { sharedContext } from '../run/run-context.js';
import { machineOf } from '../run/turns.js';
import { openRemoteStores } from '../store/open.js';
import { StoreError, type Store } from '../store/store.js';
import type { Finding } from './finding.js';
import {
  ofChannels,
  ofFirstAlerts,
  ofMovedChat,
  ofNoChannels,
  ofSentTest,
  ofSubscribers,
} from './alert-findings.js';
import { examineDatabases } from './database-findings.js';
import { ofBudget } from './budget-findings.js';
import { ofProblems, ofTargetsConfigured, ofWarnings } from './configuration-findings.js';
import { examinePeers } from './peer-findings.js';
import { ofQStash, ofSchedule } from './schedule-findings.js';
import { ofSecrets } from './secret-findings.js';
import {
  ofHeldDatabase,
  ofNoFileYet,
  ofNoStore,
  ofReadOnlyVariable,
  ofStore,
  ofStoreError,
} from './store-findings.js';
import {
  ofHosts,
  ofHostWords,
  ofHours,
  ofOwnNetwork,
  ofRestarts,
  ofRestingTarget,
  ofTarget,
} from './target-findings.js';
import { COMMANDS } from './commands.js';
import { render } from './render.js';
import { jsonText, type Terminal } from './terminal.js';
import { readArguments } from './usage.js';

/**
 * `keepalive doctor`
 * @returns the exit code
 * @throws UsageError
 */
export async function doctor(args: readonly string[], terminal: Terminal): Promise<number> {
  const { has } = readArguments('doctor', COMMANDS.doctor, args);
  const examined = await validConfig(terminal.env).then(
    (config) => examine(config, terminal, { sendTest: has('send-test') }),
    (error: unknown) => {
      if (error instanceof ConfigError) return ofProblems(error.problems);
      throw error;
    },
  );
  const findings = [...ofWarnings(warningsOf(textsOf(terminal.env))), ...examined];
  const errors = findings.filter(({ level }) => level === 'error').length;
  const warnings = findings.filter(({ level }) => level === 'warning').length;
  if (has('json')) terminal.out(jsonText({ errors, warnings, findings }));
  else for (const line of render(findings, terminal.paint)) terminal.out(line);
  return errors > 0 ? 1 : 0;
}

async function examine(
  config: Config,
  { env, progress }: Terminal,
  { sendTest }: { readonly sendTest: boolean },
): Promise<Finding[]> {
  const now = Date.now();
  progress('Looking at the store.');
  const { findings: storeFindings, kind, found } = await examineStore(config, env);
  const state = found?.state ?? null;
  const lastRun = state?.lastRun ?? null;
  /** Whether `npm start` makes the runs. On a Redis, the last of them says so. */
  const isLocal = databaseOf(config) !== null || (lastRun !== null && machineOf(lastRun.id) !== null);
  // What runs on Vercel is looked at from here, where VERCEL is not set.
  const limits = limitsOf({ ...config, plan: config.plan ?? 'hobby' }, { isLocal });
  const { checks } = health({
    ...healthSettings(config, limits),
    audience: 'trusted',
    now,
    store: found === null ? { ok: false, kind, message: '' } : { ok: true, ...found },
    memory: { usedBytes: 0, limitBytes: 1 },
    processStartedAt: now,
  });
  const schedule =
    found === null || !config.enabled || config.targets.length === 0
      ? []
      : ofSchedule(checks.schedule, state, config, { now, isLocal });
  const times = checkTimes(state, paceOfRuns(state, config.tick, now), limits);
  const hours = monthlyHours(config.targets, MONTHLY_HOURS, now, times);
  return [
    ...ofTargetsConfigured(config),
    ...ofSecrets(config, { isLocal }),
    ...storeFindings,
    ...(found === null ? [] : ofBudget(checks.budget)),
    ...schedule,
    ...(await examineTargets(config, progress)),
    ...(await examinePeers(config, installationId(config))),
    ...(config.targets.length > 0 && checks.alerts.channels.length === 0 ? [ofNoChannels()] : []),
    ...(sendTest ? await sendTests(config) : ofChannels(checks.alerts)),
    ...ofSubscribers(checks.alerts),
    ...ofFirstAlerts(config.targets, times, { hasChannels: checks.alerts.channels.length > 0 }),
    ...ofMovedChat(config.alerts.telegram?.chat ?? null, found?.outbox.moved.telegram),
    ...ofRestarts(config.targets),
    ...ofHosts(config.targets),
    ...ofHours(hours),
    ...ofQStash(config.qstash),
  ];
}

/** The file of the embedded database; null where another store is used, or none and no file is there either. */
function databaseOf({ store }: Config): string | null {
  if (store.kind === 'sqlite') return store.path;
  return store.kind === 'none' && existsSync(DEFAULT_DATABASE) ? DEFAULT_DATABASE : null;
}

interface Mailings {
  readonly mailings: readonly (Mailing | null)[];
}

interface Examined {
  readonly findings: readonly Finding[];
  /** Null: none is configured. */
  readonly kind: Store['kind'] | null;
  /** Null: it could not be read, or is not the one that counts. */
  readonly found: (Present & Mailings & { readonly kind: Store['kind']; readonly latencyMs: number }) | null;
}

const PINGS = 5;
/** Nobody reads it: writing it proves that the store can be written to. */
const DOCTOR_FIELD = 'doctor';

/** Of all shards; the state of the one that was heard of least recently. */
async function presentOf(store: Store, config: Config): Promise<Present & Mailings> {
  // It goes without a database that is away.
  const reader = new RecentReader(store);
  const found = await ofAllShards(reader, config, loadPresent);
  const mailings = config.subscriptions === null ? [] : await ofEachShard(reader, config, loadMailing);
  return { ...found, state: leastRecent(found), mailings };
}

async function examineStore(config: Config, env: Env): Promise<Examined> {
  const path = databaseOf(config);
  if (config.store.kind === 'none' && path === null) {
    return { findings: [ofNoStore()], kind: null, found: null };
  }
  if (path !== null && !existsSync(path)) {
    return { findings: [ofNoFileYet()], kind: 'sqlite', found: null };
  }
  const kind = config.store.kind === 'none' ? 'sqlite' : config.store.kind;
  const variables = variablesOf(config.store, env);
  let store: Store | null = null;
  let found: Examined['found'] = null;
  try {
    store = await open(config, path);
    const first = store.databases?.database(1) ?? store;
    const latencyMs = await medianLatency(first);
    found = { kind, latencyMs, ...(await presentOf(store, config)) };
    await write(store);
    const readOnly = Object.keys(env).filter((name) => name.endsWith('KV_REST_API_READ_ONLY_TOKEN'));
    const others = await examineOthers(store, config);
    const findings = [
      ...ofStore({ kind, variables, latency: latencyMs }),
      ...(kind === 'upstash' ? ofReadOnlyVariable(readOnly) : []),
      ...others.findings,
    ];
    return { findings, kind, found: others.isFirstEmpty ? null : found };
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const copied = path === null ? null : await examineCopy(path, config, error);
    if (copied !== null) return copied;
    const isOneOfSeveral = config.stores.length > 1;
    const finding = ofStoreError(error, { kind, variables, writing: found !== null, isOneOfSeveral });
    const others = store === null ? null : await examineOthers(store, config);
    return {
      findings: [finding, ...(others?.findings ?? [])],
      kind,
      found: others?.isFirstEmpty === true ? null : found,
    };
  } finally {
    await store?.close();
  }
}

/** The databases beside the first, which say what is to be there where the first does not. */
async function examineOthers(store: Store, { stores }: Config): ReturnType<typeof examineDatabases> {
  if (stores.length > 1 && store.databases?.layout == null)
    await store.read({ fields: [SHARDS_FIELD], logs: [], partly: true }).catch(() => undefined);
  const { databases } = store;
  return databases === undefined
    ? { findings: [], isFirstEmpty: false }
    : examineDatabases(databases, stores, { latency: medianLatency, write });
}

/** What is in a database that another process holds; null: that is not what kept it from being opened. */
async function examineCopy(path: string, config: Config, { message }: StoreError): Promise<Examined | null> {
  const { DATABASE_IN_USE } = await import('../store/sqlite-failure.js');
  if (!message.endsWith(DATABASE_IN_USE)) return null;
  const { withCopyOf } = await import('../store/sqlite-copy.js');
  try {
    const present = await withCopyOf(path, STORE_FIELDS, (copy) => presentOf(copy, config));
    return {
      findings: [ofHeldDatabase()],
      kind: 'sqlite',
      found: { kind: 'sqlite', latencyMs: 0, ...present },
    };
  } catch (error) {
    if (error instanceof StoreError) return null;
    throw error;
  }
}

async function open({ store, stores, prefix }: Config, path: string | null): Promise<Store> {
  if (store.kind === 'upstash' || store.kind === 'redis')
    return openRemoteStores(stores, { prefix, ...SPREAD_FIELDS });
  const { openSqlite } = await import('../store/sqlite.js');
  return openSqlite(path ?? DEFAULT_DATABASE, { ...STORE_FIELDS });
}

async function medianLatency(store: Store): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < PINGS; i += 1) {
    const startedAt = performance.now();
    await store.ping();
    times.push(performance.now() - startedAt);
  }
  const median = times.toSorted((a, b) => a - b)[Math.floor(PINGS / 2)];
  if (median === undefined) throw new Error('no ping of the store was timed');
  return Math.round(median);
}

/**
 * Changes one field that nobody reads: when the doctor was here last. The logs do not exist: a Redis cluster refuses to
 * look for two at once if the prefix of the keys is not fit for it, as it would refuse a run.
 */
async function write(store: Store): Promise<void> {
  const { fields } = await store.read({ fields: [DOCTOR_FIELD], logs: ['doctor-1', 'doctor-2'] });
  await store.swap({
    field: DOCTOR_FIELD,
    expected: fields.get(DOCTOR_FIELD) ?? null,
    value: new Date().toISOString(),
  });
}

async function examineTargets(config: Config, progress: (line: string) => void): Promise<Finding[]> {
  const { prober, now, random, sleep } = sharedContext(config);
  const { signal } = new AbortController();
  let done = 0;
  try {
    const looked = await Promise.all(
      config.targets.map(async (target) => {
        const { info, activeHours } = target;
        const at = now();
        const rests = !info.enabled || !isActive(activeHours, at);
        const check = rests ? null : await checkTarget(target, { at, prober, signal, now, random, sleep });
        done += 1;
        progress(`${done} of ${config.targets.length} targets looked at: ${info.id}`);
        return { target, check };
      }),
    );
    const checks = looked.flatMap(({ check }) => check ?? []);
    const controls = controlTargets(config);
    if (checks.length > 0 && controls.length > 0 && checks.every(({ outcome }) => outcome === 'failed')) {
      const answers = await Promise.all(controls.map((control) => prober.attempt(control, signal)));
      if (answers.every(({ outcome }) => outcome === 'failed')) return [ofOwnNetwork()];
    }
    return [
      ...looked.map(({ target, check }) =>
        check === null ? ofRestingTarget(target) : ofTarget(target, check),
      ),
      ...ofHostWords(looked),
    ];
  } finally {
    await prober.close();
  }
}

async function sendTests(config: Config): Promise<Finding[]> {
  return Promise.all(
    [...sharedContext(config).channels.values()].map(async (channel) =>
      ofSentTest(channel.name, await failureOfTest(channel, config.publicUrl)),
    ),
  );
}

/** Null: the channel has taken it. */
async function failureOfTest(
  channel: Channel,
  pageUrl: string | null,
): Promise<{ message: string; permanent: boolean } | null> {
  const at = Date.now();
  const alert = { id: `test-${at.toString(36)}`, at, kind: 'test' } as const;
  try {
    const digest = { id: `${alert.id}.1`, at, items: [{ alert, target: null }], pageUrl };
    await channel.deliver(digest, AbortSignal.timeout(DELIVERY_TIMEOUT));
    return null;
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    return { message: error.message, permanent: error.code === 'permanent' };
  }
}
