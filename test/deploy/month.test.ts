import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { Budget } from '../../lib/read/health.js';
import type { RunReport } from '../../lib/run/report.js';
import { RESOURCES } from '../../lib/types.js';
import { ClockDriver } from '../support/clock-driver.js';
import { buildFunctions, startFunction, type Deployable } from '../support/deployable.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { ROOT } from '../support/root.js';
import { sign } from '../support/signature.js';
import { startUpstashFront, type UpstashFront } from '../support/upstash-front.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TICK = 2 * MINUTE;
/** The first of a month of 31 days. */
const START = Date.UTC(2026, 11, 1);
/** A day takes about a minute. */
const DAYS = Number(process.env.MONTH_DAYS ?? 2);
const LATENCY = 150;
/** A host falls asleep after so long, and takes so long to wake. */
const SLEEPS_AFTER = 15 * MINUTE;
const WAKES_IN = 12 * SECOND;
const PUBLIC = 'https://keepalive.vercel.app';
const KEY = 'sig_current_of_qstash';
const CRON = 'api/cron.ts';
const HEALTH = 'api/health.ts';

let redis: RedisServer;
let front: UpstashFront;
let deployable: Deployable;
const table: string[] = [];

beforeAll(async () => {
  if (!inject('long')) return;
  redis = await startRedis();
  front = await startUpstashFront({ redisPort: redis.port, token: 'front-token' });
  deployable = await buildFunctions([CRON, HEALTH], ROOT);
});
afterAll(async () => {
  if (!inject('long')) return;
  console.log(table.join('\n'));
  await deployable.remove();
  await front.close();
  await redis.stop();
});

interface Month {
  readonly plan: string;
  /** One target asks for a check every 10 s. */
  readonly quick: boolean;
}

/** The 25 targets of test/run/month.test.ts: ten sleep, of which two are dead. */
class Targets {
  attempts = 0;
  /** When hosts that sleep were last awake, by target. */
  readonly #active = new Map<string, number>();
  readonly #server = createServer(({ url = '', socket }, response) => {
    this.attempts += 1;
    const id = url.slice(1);
    void this.clock.sleep(socket, id === 's1' ? null : LATENCY).then(() => {
      const status = this.#statusOf(id);
      response.writeHead(status, status === 200 ? { 'x-render-origin-server': 'Render' } : {}).end('ok');
    });
  });

  constructor(private readonly clock: ClockDriver) {}

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #statusOf(id: string): number {
    if (id === 's0') return 503;
    if (Number(id.slice(1)) >= 10) return 200;
    const { now } = this.clock;
    const since = this.#active.get(id) ?? START;
    if (now < since) return 503;
    const sleeps = now - since > SLEEPS_AFTER;
    this.#active.set(id, sleeps ? now + WAKES_IN : now);
    return sleeps ? 503 : 200;
  }
}

function targetVariables(port: number, { quick }: Month): Record<string, string> {
  const variables = Array.from({ length: 25 }, (_, i): [string, string][] => [
    [`TARGET_S${i}_URL`, `http://127.0.0.1:${port}/s${i}`],
    ...(i < 10 ? [[`TARGET_S${i}_HOST`, 'render'] as [string, string]] : []),
    // The last of the sleepers are pinged too seldom to be kept awake.
    ...(i >= 8 && i < 10 ? [[`TARGET_S${i}_INTERVAL`, '30m'] as [string, string]] : []),
    ...(quick && i === 24 ? [[`TARGET_S${i}_INTERVAL`, '10s'] as [string, string]] : []),
  ]);
  return Object.fromEntries(variables.flat());
}

async function play(month: Month) {
  await redis.flush();
  const clock = new ClockDriver();
  const targets = new Targets(clock);
  const port = await targets.listen();
  const env = {
    ...targetVariables(port, month),
    VERCEL: '1',
    KEEP_ALIVE_PLAN: month.plan,
    KEEP_ALIVE_PUBLIC_URL: PUBLIC,
    QSTASH_TOKEN: 'token',
    QSTASH_CURRENT_SIGNING_KEY: KEY,
    QSTASH_NEXT_SIGNING_KEY: KEY,
    UPSTASH_REDIS_REST_URL: front.url,
    UPSTASH_REDIS_REST_TOKEN: front.token,
  };
  const of = { targets: port, store: front.url };
  const preload = ['--import', join(inject('transpiled'), 'test/support/jumping-clock.js')];
  const start = async (entrypoint: string, at: ClockDriver, more: Record<string, string> = {}) => {
    const built = deployable.functions.get(entrypoint) ?? expect.unreachable();
    return startFunction(built, { ...env, ...more, ...(await at.environment(clock.now, of)) }, preload);
  };
  const budget = async (): Promise<Budget> => {
    const ownClock = new ClockDriver();
    const health = await start(HEALTH, ownClock, { KEEP_ALIVE_PLAN: 'hobby' });
    const answer = await fetch(`${health.origin}/api/health`);
    const { checks } = (await answer.json()) as { checks: { budget: Budget } };
    await health.stop();
    ownClock.close();
    return checks.budget;
  };

  clock.now = START;
  const cron = await start(CRON, clock);
  const truth = { wallMs: 0, commands: 0, runs: 0, cpuMs: 0 };
  let told = 0;
  const answerTime = () => {
    front.reset();
    front.fault = ({ commands }) => {
      if (commands[0]?.[0] !== 'TIME') return null;
      told += 1;
      const body = JSON.stringify([{ result: [String(Math.floor(clock.now / SECOND)), '0'] }]);
      return { kind: 'answer', status: 200, body };
    };
  };
  let forecast: Budget | null = null;
  for (let at = START; at < START + DAYS * DAY; at += TICK) {
    // A run that lasts longer than the tick makes the next call find the lease taken.
    if (clock.now > at) continue;
    await clock.set(at);
    // What the front remembers of its requests grows otherwise.
    if (truth.runs % 1_000 === 0) answerTime();
    const signature = sign({ key: KEY, url: `${PUBLIC}/api/cron`, at: Math.floor(at / SECOND) });
    const headers = { 'upstash-signature': signature };
    const answer = await fetch(`${cron.origin}/api/cron`, { method: 'POST', headers });
    const report = (await answer.json()) as RunReport;
    expect(report).toMatchObject({ trigger: 'qstash', stored: true });
    truth.wallMs += report.durationMs;
    truth.runs += 1;
    if (at === START + DAY - TICK) forecast = await budget();
  }
  truth.commands = (await redis.callsMade()) + told;
  truth.cpuMs = cpuOf(cron.pid);
  const end = await budget();
  await cron.stop();
  clock.close();
  targets.close();
  return { end, forecast, truth, attempts: targets.attempts };
}

/** Of a process since its start, in ms: the kernel counts hundredths of a second. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const MONTHS: readonly (readonly [name: string, month: Month])[] = [
  ['with a target every 10 s, throttled', { plan: 'hobby', quick: true }],
  ['without it, not throttled', { plan: 'none', quick: false }],
];

it.runIf(inject('long')).each(MONTHS)(
  'the built functions keep to the free plans, count what they use, and know the month after a day: %s',
  async (name, month) => {
    const { end, forecast, truth, attempts } = await play(month);
    table.push(`${name}: ${DAYS} days, ${truth.runs} runs, ${attempts} attempts`);
    for (const resource of RESOURCES) {
      const { used, projected, allowed } = end[resource] ?? expect.unreachable();
      const { projected: early } = forecast?.[resource] ?? expect.unreachable();
      const comesTo = projected ?? NaN;
      const share = (100 * comesTo) / allowed;
      table.push(
        `  ${resource.padEnd(22)} ${String(used).padStart(10)}, in the month ${comesTo} of ${allowed} (${share.toFixed(1)} %), forecast ${early}`,
      );
      // QStash's calls follow from the tick alone.
      expect(share, resource).toBeLessThanOrEqual(resource === 'qstashMessages' ? 73 : 50);
      // What CPU a run takes is the machine's affair: another program may slow down one of two days.
      if (resource === 'functionCpuHours') continue;
      expect(Math.abs((early ?? NaN) / comesTo - 1), `${resource} after a day`).toBeLessThan(0.1);
    }
    const used = (resource: (typeof RESOURCES)[number]) => end[resource]?.used ?? NaN;
    expect(used('invocations')).toBe(truth.runs);
    expect(used('qstashMessages')).toBe(truth.runs);
    expect(used('storeCommands') / truth.commands).toBeCloseTo(1, 2);
    expect(used('functionMemoryGbHours')).toBeCloseTo((2 * truth.wallMs) / HOUR, 0);
    // Hours are shown to the hundredth.
    expect(Math.abs(used('functionCpuHours') - truth.cpuMs / HOUR)).toBeLessThanOrEqual(0.0055);
  },
  7_200_000,
);
