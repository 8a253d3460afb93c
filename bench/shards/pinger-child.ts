import { parseConfig } from '../../lib/config/config.js';
import { loadTargets } from '../../lib/config/targets-source.js';
import { loadOverview } from '../../lib/read/load.js';
import { RecentReader } from '../../lib/read/recent.js';
import { ofAllShards } from '../../lib/read/shards.js';
import { stats } from '../../lib/read/stats.js';
import { sharedContext } from '../../lib/run/run-context.js';
import { runTick } from '../../lib/run/tick.js';
import { openRemoteStore } from '../../test/support/stores.js';

export interface Tick {
  readonly wall: number;
  readonly cpu: number;
  readonly checked: number;
  readonly stored: boolean;
  /** By target, of the good ones. */
  readonly latencies: readonly (readonly [id: string, ms: number])[];
}

export interface Start {
  /** Ms to read the targets file, and to make a configuration of it. */
  readonly read: number;
  readonly parsed: number;
}

/** Makes a tick at each message, a minute after the one before; `read` makes the answer of `GET /api/keepalive`. */
const { env } = process;
const begun = performance.now();
const file = await loadTargets(env);
const read = performance.now() - begun;
const result = parseConfig(env, file);
if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join());
const { config } = result;
const parsed = performance.now() - begun - read;
const store = await openRemoteStore(
  { kind: 'upstash', url: env.FRONT_URL ?? '', token: env.FRONT_TOKEN ?? '' },
  { prefix: 'bench' },
);
const reader = new RecentReader(store);
let ahead = 0;
const cpuTime = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

async function tick(): Promise<Tick> {
  const context = { ...sharedContext(config), log: () => undefined };
  const [wall, cpu] = [performance.now(), cpuTime()];
  const { results, checked, stored } = await runTick(
    { ...context, config, store, now: () => Date.now() + ahead },
    { trigger: 'bench', limit: 300_000, nextRunIn: 60_000 },
  );
  ahead += 60_000;
  return {
    ...{ wall: performance.now() - wall, cpu: cpuTime() - cpu, checked, stored },
    latencies: results.flatMap(({ id, ok, latency }) => (ok === true ? [[id, latency] as const] : [])),
  };
}

async function readAll(): Promise<{ readonly wall: number; readonly cpu: number; readonly bytes: number }> {
  const [wall, cpu] = [performance.now(), cpuTime()];
  const now = Date.now() + ahead;
  const found = stats(config, await ofAllShards(reader, config, (each) => loadOverview(each, now)), now);
  const bytes = JSON.stringify(found).length;
  return { wall: performance.now() - wall, cpu: cpuTime() - cpu, bytes };
}

process.send?.({ read, parsed } satisfies Start);
process.on('message', (message) => {
  void (message === 'read' ? readAll() : tick()).then((found) => process.send?.(found));
});
