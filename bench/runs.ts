import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { restore } from '../lib/cli/transfer.js';
import { parseConfig } from '../lib/config/config.js';
import { STATE_FIELD } from '../lib/record/fields.js';
import { readState, writeState } from '../lib/record/state.js';
import { type State } from '../lib/record/state-model.js';
import type { RunReport } from '../lib/run/report.js';
import type { Store } from '../lib/store/store.js';
import { startFunction, type RunningFunction } from '../test/support/deployable.js';
import { costOf, openGround, targetsEnv, type Cost, type Ground } from './built/ground.js';
import { lived } from './built/history.js';
import { startProfiled } from './built/profile.js';
import { peakMemory } from './process.js';
import { median, type Table } from './table.js';

const COUNTS = [1, 10, 100, 500];
/** Ms after which the targets answer. */
const DELAYS = [50, 0];
const LATER = 12;
const WARM_UP = 5;
const PROFILED = 20;
const MINUTE = 60_000;
const SECRET = 'a-secret-of-the-benchmark';

/** Whole runs of the built function, after a day of runs. */
export async function* measure(): AsyncGenerator<Table> {
  const ground = await openGround(['api/cron.ts']);
  const targets = fork(new URL('built/targets-child.js', import.meta.url));
  try {
    const [port] = (await once(targets, 'message')) as [number];
    const found = [];
    for (const count of COUNTS) {
      for (const delay of DELAYS) found.push(await runsOf(ground, count, delay, port));
    }
    yield {
      title: 'A run of the built function: time',
      note: `Targets at addresses of their own, checked over new connections; Upstash's REST API on loopback; a day of history. The first run of a process, then the median of ${LATER}.`,
      columns: [
        ...['targets', 'they answer after', 'first run, ms', 'CPU, ms', 'later runs, ms', 'caller waits, ms'],
        ...['CPU, ms', 'CPU a target, ms', 'memory before, MB', 'at its peak'],
      ],
      rows: found.map(({ count, delay, first, later, idle, peak }) => [
        String(count),
        `${delay} ms`,
        String(first.report.durationMs),
        first.cpu.toFixed(0),
        median(later.map(({ report }) => report.durationMs)).toFixed(0),
        median(later.map(({ wall }) => wall)).toFixed(0),
        median(later.map(({ cpu }) => cpu)).toFixed(1),
        (median(later.map(({ cpu }) => cpu)) / count).toFixed(2),
        (idle / 2 ** 20).toFixed(0),
        (peak / 2 ** 20).toFixed(0),
      ]),
    };
    yield {
      title: 'A run of the built function: store',
      note: 'Commands as the run reports them, and as Redis counts them; bodies of the requests and answers. Between the runs another process writes (it lets a minute pass), so that each has to read the state.',
      columns: ['targets', 'commands', 'counted', 'bytes sent', 'received', 'both, a target'],
      rows: found
        .filter(({ delay }) => delay === DELAYS[0])
        .map(({ count, later }) => {
          const sent = median(later.map((run) => run.sent));
          const received = median(later.map((run) => run.received));
          return [
            String(count),
            String(median(later.map(({ report }) => report.commands))),
            String(median(later.map(({ commands }) => commands))),
            String(sent),
            String(received),
            ((sent + received) / count).toFixed(0),
          ];
        }),
    };
    yield await profileOf(ground, port);
  } finally {
    targets.disconnect();
    await ground.close();
  }
}

type Run = Cost & { readonly report: RunReport };

async function runsOf(ground: Ground, count: number, delay: number, port: number) {
  const { built, env } = await prepare(ground, count, delay, port);
  const running = await startFunction(built, env);
  try {
    const idle = await peakMemory(running.pid);
    const first = await runOnce(ground, running, count);
    const later: Run[] = [];
    while (later.length < LATER) later.push(await runOnce(ground, running, count));
    return { count, delay, first, later, idle, peak: await peakMemory(running.pid) };
  } finally {
    await running.stop();
  }
}

async function profileOf(ground: Ground, port: number): Promise<Table> {
  const count = Math.max(...COUNTS);
  const { built, env } = await prepare(ground, count, 0, port);
  const profiled = await startProfiled(built, env);
  try {
    for (let i = 0; i < WARM_UP; i += 1) await runOnce(ground, profiled.running, count);
    const parts = await profiled.during(async () => {
      for (let i = 0; i < PROFILED; i += 1) await runOnce(ground, profiled.running, count);
    });
    const total = [...parts.values()].reduce((sum, ms) => sum + ms, 0);
    const rows = [...parts].sort(([, a], [, b]) => b - a);
    const shown = rows.filter(([, ms]) => ms / total >= 0.01);
    const rest = rows.slice(shown.length).reduce((sum, [, ms]) => sum + ms, 0);
    return {
      title: 'Where the time of a run goes',
      note: `${count} targets that answer at once, ${PROFILED} runs after ${WARM_UP}; a sample counts for the module of ours that is nearest on the stack, with what it calls of Node.`,
      columns: ['', 'ms a run', '%'],
      rows: [...shown, ['the rest', rest] as const].map(([part, ms]) => [
        part,
        (ms / PROFILED).toFixed(1),
        ((100 * ms) / total).toFixed(1),
      ]),
    };
  } finally {
    await profiled.stop();
  }
}

/** So many targets, all due, with a day behind them. */
async function prepare(ground: Ground, count: number, delay: number, port: number) {
  const env = {
    ...ground.env,
    ...targetsEnv(count, (i) => `http://127.1.${Math.floor(i / 250)}.${(i % 250) + 1}:${port}/${delay}`),
    CRON_SECRET: SECRET,
    KEEP_ALIVE_CONTROL_URLS: 'off',
  };
  const config = parseConfig(env);
  const built = ground.functions.get('api/cron.ts');
  if (!config.ok || built === undefined) throw new Error('nothing to measure');
  await restore(ground.store, lived(config.config, 1, Date.now() - MINUTE), { force: true });
  return { built, env };
}

async function runOnce(ground: Ground, running: RunningFunction, count: number): Promise<Run> {
  await letMinutePass(ground.store);
  const cost = await costOf(ground, running, '/api/cron', { authorization: `Bearer ${SECRET}` });
  const report = JSON.parse(cost.body) as RunReport;
  if (report.succeeded !== count || !report.stored) throw new Error(`a bad run: ${cost.body.slice(0, 500)}`);
  return { ...cost, report };
}

/** Makes the stored checks those of a minute ago, so that each is due. */
async function letMinutePass(store: Store): Promise<void> {
  const token = randomUUID();
  const now = Date.now();
  const claim = await store.claim({ token, ttl: MINUTE, fields: [STATE_FIELD] });
  const state = claim.claimed ? (claim.fields.get(STATE_FIELD) ?? null) : null;
  if (state === null) throw new Error('no state to age');
  const fields = { [STATE_FIELD]: writeState(aged(readState(state), now - MINUTE)) };
  await store.commit({ token, fields, append: null, release: true });
}

function aged({ lastRun, targets, ...rest }: State, at: number): State {
  return {
    ...rest,
    lastRun: lastRun && { ...lastRun, at },
    targets: targets.map(
      (target) => target && { ...target, lastCheckAt: at, lastSuccessAt: at, awakeFrom: at },
    ),
  };
}
