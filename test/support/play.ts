import { vi } from 'vitest';
import { DELETE, POST } from '../../api/maintenance/[change].js';
import { setApp } from '../../lib/app.js';
import type { Config } from '../../lib/config/config.js';
import { loadHistory, loadOverview } from '../../lib/read/load.js';
import { stats, targetHistory } from '../../lib/read/stats.js';
import type { Stats, TargetHistory } from '../../lib/read/views.js';
import type { RunReport } from '../../lib/run/report.js';
import type { Meter, Store } from '../../lib/store/store.js';
import type { Attempt } from '../../lib/types.js';
import type { Announced, Answer, Deployment, Settings, Trigger, Weekly } from './ninety-days.js';
import { ANNOUNCED, deployments, MINUTE, READS, triggers, World } from './ninety-days.js';
import type { Asked, RunMade } from './plain.js';
import type { RedisServer } from './redis.js';
import { configOf, GOOD, Pinger } from './runs.js';

const SECRET = 'a-secret-of-32-characters-length';
const CONTROL = 'http://control.example.com/';
/** Commands of a call that finds another run under way. */
const SKIPPED = 3;

/** What a run cost the store. */
export interface Cost {
  readonly at: number;
  readonly commands: number;
  readonly bytes: number;
  readonly delivered: boolean;
  readonly targets: number;
  /** Whole ticks that the run lasted. */
  readonly ticks: number;
}

/** What a reader found. */
export interface Look {
  readonly name: string;
  readonly now: number;
  readonly stats: Stats;
  /** By target. */
  readonly histories: ReadonlyMap<string, TargetHistory>;
  /** Store commands of the answer for all targets. */
  readonly commands: number;
  /** Bytes a target, incidents apart. */
  readonly stored: number;
}

/** The script of 90 days, played by real runs on a clock of its own; notes what was asked, answered, spent and found. */
export class Play {
  readonly runs: RunMade[] = [];
  readonly asked = new Map<string, Asked[]>();
  readonly offline = new Set<RunMade>();
  readonly announced: Announced[] = [];
  readonly costs: Cost[] = [];
  readonly looks: Look[] = [];
  /** What was not as it should be while it was played. */
  readonly wrong: string[] = [];
  doubled = 0;
  private readonly world = new World();
  private readonly plan: readonly Deployment[];
  private readonly configs: ReadonlyMap<Deployment, Config>;
  private readonly pinger: Pinger;
  private meters: Meter[] = [];
  private deliveries = 0;
  private calls = 0;

  constructor(
    private readonly redis: RedisServer,
    private readonly store: Store,
  ) {
    this.plan = deployments();
    this.configs = new Map(this.plan.map((each) => [each, configured(each)]));
    this.pinger = new Pinger(this.configOf(this.deploymentAt(Infinity)), this.watched());
    const deliver = () => {
      this.deliveries += 1;
      return Promise.resolve();
    };
    this.pinger.channels = new Map([['slack', { name: 'slack', deliver }]]);
  }

  async all(): Promise<void> {
    const events = [
      ...triggers(this.plan).map((each) => ({ at: each.at, happens: () => this.trigger(each) })),
      ...READS.map(([name, at]) => ({ at, happens: () => this.uncosted(() => this.look(name)) })),
      ...ANNOUNCED.flatMap((each) => [
        { at: each.from, happens: () => this.uncosted(() => this.beginMaintenance(each)) },
        { at: each.to, happens: () => this.uncosted(() => this.endMaintenance(each)) },
      ]),
    ].sort((a, b) => a.at - b.at);
    this.pinger.now = 0;
    for (const { at, happens } of events) {
      // What comes while a run goes its rounds comes after it.
      this.pinger.now = Math.max(at, this.pinger.now + 1);
      await happens();
    }
  }

  private get now(): number {
    return this.pinger.now;
  }

  private deploymentAt(time: number): Deployment {
    const found = this.plan.findLast(({ at }) => at <= time) ?? this.plan[0];
    if (found === undefined) throw new Error('nothing is deployed');
    return found;
  }

  private configOf(deployment: Deployment): Config {
    const config = this.configs.get(deployment);
    if (config === undefined) throw new Error('an unknown deployment');
    return config;
  }

  // Runs ---

  private async trigger({ kind, nextIn }: Trigger): Promise<void> {
    await this.costed(() => this.run(nextIn, kind));
    if (kind !== 'single') this.doubled += 1;
    if (kind !== 'again') return;
    this.pinger.now += 4_000;
    await this.costed(() => this.run(nextIn, 'single'));
  }

  /** What the store counts is what the runs say. */
  private async costed(work: () => Promise<RunReport[]>): Promise<void> {
    const delivered = this.deliveries;
    this.meters = [];
    const at = this.now;
    const reports = await work();
    const counted = await this.counted();
    const told = sum(reports.map(({ commands }) => commands));
    if (told !== counted) this.complain(`Redis ran ${counted} commands, the run tells of ${told}`);
    const skipped = reports.length - 1;
    this.costs.push({
      at,
      commands: counted - SKIPPED * skipped,
      bytes: sum(this.meters.map(({ bytesSent, bytesReceived }) => bytesSent + bytesReceived)),
      delivered: this.deliveries > delivered,
      ticks: Math.floor((reports[0]?.durationMs ?? 0) / this.pinger.config.tick),
      targets: this.pinger.config.targets.length,
    });
  }

  private async uncosted(work: () => Promise<void>): Promise<void> {
    await work();
    await this.counted();
  }

  /** Commands as Redis counts them, since it was asked last. */
  private async counted(): Promise<number> {
    const before = this.calls;
    this.calls = await this.redis.callsMade();
    return this.calls - before;
  }

  /** One run, and with it a second that finds it under way. */
  private async run(nextIn: number, kind: Trigger['kind']): Promise<RunReport[]> {
    const { pinger } = this;
    const startedAt = this.now;
    const deployment = this.deploymentAt(startedAt);
    const asked: { id: string; at: number; answer: Answer }[] = [];
    const control: Answer[] = [];
    const call = () => pinger.run({ nextRunIn: nextIn, limit: 10 * MINUTE });
    let second: Promise<RunReport> | undefined;
    pinger.config = this.configOf(deployment);
    pinger.attempt = ({ info: { id }, url }) => {
      if (kind === 'overlapping') second ??= call();
      if (url === CONTROL) control.push(this.world.askControl(this.now));
      else asked.push({ id, at: this.now, answer: this.world.ask(id, settingsOf(deployment, id), this.now) });
      const answer = url === CONTROL ? control.at(-1) : asked.at(-1)?.answer;
      return answer === undefined ? GOOD : attemptOf(answer);
    };
    const first = call();
    if (kind === 'together') second = call();
    const reports = [await first, ...(second === undefined ? [] : [await second])];
    pinger.asked.length = 0;
    pinger.lines.length = 0;

    const run: RunMade = { startedAt, endedAt: this.now, deployment, nextIn };
    this.runs.push(run);
    for (const { id, at, answer } of asked) {
      const list = this.asked.get(id) ?? [];
      list.push({ at, run, answer });
      this.asked.set(id, list);
    }
    const offline =
      asked.length > 0 &&
      [...asked.map(({ answer }) => answer), ...control].every(hasFailed) &&
      control.length > 0;
    if (offline) this.offline.add(run);
    const expected = [offline ? 'inconclusive' : 'completed', ...(reports.length > 1 ? ['skipped'] : [])];
    const found = reports.map(({ status }) => status).sort();
    if (found.join() !== expected.sort().join()) this.complain(`runs are ${found.join()}`);
    if (reports.some(({ status, checked }) => status === 'skipped' && checked > 0))
      this.complain('it pinged');
    return reports;
  }

  // What else happens ---

  private async beginMaintenance({ target, minutes }: Announced): Promise<void> {
    const body = JSON.stringify({ target: target ?? undefined, minutes });
    await this.ask(POST, body);
    this.announced.push({ target, minutes, from: this.now, to: this.now + minutes * MINUTE });
  }

  private async endMaintenance({ target }: Announced): Promise<void> {
    await this.ask(DELETE, JSON.stringify({ target: target ?? undefined }));
    const open = this.announced.findLast((each) => each.target === target);
    if (open === undefined) throw new Error('nothing was announced');
    this.announced[this.announced.indexOf(open)] = { ...open, to: Math.min(open.to, this.now) };
  }

  private async ask(handler: (request: Request) => Promise<Response>, body: string): Promise<void> {
    vi.setSystemTime(this.now);
    setApp({ config: this.configOf(this.deploymentAt(this.now)), store: this.store });
    const headers = { authorization: `Bearer ${SECRET}`, 'content-type': 'application/json' };
    const method = handler === POST ? 'POST' : 'DELETE';
    const answer = await handler(
      new Request('http://pinger.test/api/maintenance', { method, headers, body }),
    );
    setApp(null);
    if (!answer.ok) this.complain(`${method} answered ${answer.status}: ${await answer.text()}`);
  }

  private async look(name: string): Promise<void> {
    const { now, store } = this;
    const config = this.configOf(this.deploymentAt(now));
    const meter: Meter = { commands: 0, bytesSent: 0, bytesReceived: 0 };
    const found = stats(config, await loadOverview(store.metered(meter), now), now);
    const histories = new Map<string, TargetHistory>();
    for (const target of config.targets) {
      const { id } = target.info;
      histories.set(id, targetHistory(config, target, await loadHistory(store, id, now), now));
    }
    const stored = (await this.stored()) / config.targets.length;
    this.looks.push({ name, now, stats: found, histories, commands: meter.commands, stored });
  }

  /** Bytes, incidents apart. */
  private async stored(): Promise<number> {
    const flat = (await this.redis.command('HGETALL', 'k:data')) as string[];
    const fields = sum(
      flat.map((name, i) =>
        i % 2 === 1 || /^i\d/.test(name) ? 0 : name.length + (flat[i + 1]?.length ?? 0),
      ),
    );
    const logs = (await this.redis.command('KEYS', 'k:log:*')) as string[];
    const lengths = await Promise.all(logs.map((key) => this.redis.command('STRLEN', key)));
    return fields + sum(lengths.map(Number));
  }

  private complain(what: string): void {
    this.wrong.push(`${new Date(this.now).toISOString()} ${what}`);
  }

  /** The store of the runs, whose meters can be read. */
  private watched(): Store {
    return new Proxy(this.store, {
      get: (store, name) => {
        if (name !== 'metered') throw new Error('a run meters what it costs');
        return (meter: Meter) => {
          this.meters.push(meter);
          return store.metered(meter);
        };
      },
    });
  }
}

function settingsOf({ targets }: Deployment, id: string): Settings {
  const settings = targets[id];
  if (settings === undefined) throw new Error(`${id} is not configured`);
  return settings;
}

const hasFailed = ({ outcome }: Answer): boolean => outcome === 'failed';
const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

/** The script in the words of the configuration. */
function configured({ tick, targets }: Deployment): Config {
  const env: Record<string, string> = {
    CRON_SECRET: SECRET,
    KEEP_ALIVE_TICK: String(tick),
    KEEP_ALIVE_CONTROL_URLS: CONTROL,
  };
  for (const [id, own] of Object.entries(targets)) {
    const once = own.once.map(({ from, to }) => `${new Date(from).toISOString().slice(0, 19)}Z/${to - from}`);
    const options: Record<string, string | number | boolean | null> = {
      URL: `http://${id}.example.com/`,
      ENABLED: own.enabled,
      HOST: own.host,
      INTERVAL: own.interval,
      RETRIES: own.retries,
      FAILURE_THRESHOLD: own.failureThreshold,
      SUCCESS_THRESHOLD: own.successThreshold,
      DEGRADED_AFTER: own.degradedAfter,
      SLEEPS_AFTER: own.sleepsAfter,
      WAKE_TIMEOUT: own.wakeTimeout,
      ACTIVE_HOURS: own.hours && weeklyText(own.hours),
      MAINTENANCE: [...own.weekly.map(weeklyText), ...once].join('; ') || null,
    };
    for (const [option, value] of Object.entries(options)) {
      if (value !== null) env[`TARGET_${id.toUpperCase()}_${option}`] = String(value);
    }
  }
  return configOf(env);
}

const weeklyText = ({ days, from, to, zone }: Weekly): string => `${days.join(',')} ${from}-${to} ${zone}`;

/** What the probe would have made of a host's answer. */
function attemptOf({ outcome, latency, statusCode, message }: Answer): Attempt {
  const reason = outcome !== 'failed' ? null : statusCode === null ? 'connect' : 'status';
  const reached = outcome !== 'failed' || (statusCode !== null && ![502, 503, 504].includes(statusCode));
  const timings = { ...GOOD.timings, total: latency };
  return { ...GOOD, outcome, reason, message, statusCode, reached, timings } as Attempt;
}
