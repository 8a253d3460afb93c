import { parseConfig, type Config } from '../../lib/config/config.js';
import type { Channel } from '../../lib/deliver/channel.js';
import type { Mailer } from '../../lib/deliver/mailer.js';
import type { Send } from '../../lib/deliver/send.js';
import type { Prober } from '../../lib/probe/probe.js';
import { Backlog } from '../../lib/run/backlog.js';
import type { RunReport } from '../../lib/run/report.js';
import { run, type RunRequest } from '../../lib/run/run.js';
import type { Store } from '../../lib/store/store.js';
import type { Attempt, ChannelName, Target } from '../../lib/types.js';
import { VirtualClock } from './clock.js';

export function configOf(env: Readonly<Record<string, string>>): Config {
  const result = parseConfig(env);
  if (!result.ok) throw new Error(result.problems.map(({ variable }) => variable).join());
  return result.config;
}

/** So many targets, checked every minute. */
export function manyTargets(count: number, env: Readonly<Record<string, string>> = {}): Config {
  const urls = Array.from({ length: count }, (_, i) => [
    `TARGET_SERVICE_${i}_URL`,
    `https://service-${i}.example.com/health`,
  ]);
  return configOf({
    KEEP_ALIVE_INTERVAL: '1m',
    KEEP_ALIVE_RETRIES: '0',
    KEEP_ALIVE_CONTROL_URLS: 'off',
    ...(Object.fromEntries(urls) as Record<string, string>),
    ...env,
  });
}

export const GOOD = {
  outcome: 'good',
  reason: null,
  message: null,
  statusCode: 200,
  timings: { dns: 1, connect: 1, tls: null, ttfb: 40, total: 45.2 },
  tlsExpiresAt: null,
  origin: 'container',
  askFor: 0,
  word: null,
  reached: true,
} as const satisfies Attempt;
export const FAILED = {
  ...GOOD,
  outcome: 'failed',
  reason: 'status',
  message: 'status 503, expected 200-299',
  statusCode: 503,
  origin: 'unknown',
  reached: false,
} as const satisfies Attempt;

/** A process that makes runs on a clock of its own, whose attempts end as told. */
export class Pinger {
  readonly clock = new VirtualClock(Date.UTC(2026, 0, 5, 12, 0, 0, 100));
  attempt: (target: Target, signal: AbortSignal) => Attempt | Promise<Attempt> = () => GOOD;
  readonly asked: string[] = [];
  readonly lines: string[] = [];
  /** CPU of the process so far, in ms. */
  cpu = 0;
  readonly backlog = new Backlog();
  channels: ReadonlyMap<ChannelName, Channel> = new Map();
  mailer: Mailer | null = null;
  send: Send = () => Promise.resolve({ status: 200, headers: {}, text: '' });

  constructor(
    public config: Config,
    public store: Store | null,
  ) {}

  get now(): number {
    return this.clock.now;
  }

  set now(time: number) {
    this.clock.now = time;
  }

  run(request: Partial<RunRequest> = {}): Promise<RunReport> {
    const prober: Prober = {
      attempt: async (target, signal) => {
        this.asked.push(target.info.id);
        return this.attempt(target, signal);
      },
      close: () => Promise.resolve(),
    };
    const { config, store, backlog, channels, mailer, send } = this;
    return run(
      {
        config,
        store,
        backlog,
        channels,
        mailer,
        send,
        prober,
        now: () => this.now,
        cpu: () => this.cpu,
        random: () => 0.5,
        sleep: (ms, signal) => this.clock.sleep(ms, signal),
        log: (text) => this.lines.push(...text.split('\n')),
      },
      { trigger: 'test', limit: 60_000, nextRunIn: 0, ...request },
    );
  }
}
