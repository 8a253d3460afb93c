import { calledAs } from '../called-as.js';
import { DEFAULT_TICKS, type Config } from '../config/config.js';
import { NO_USAGE, type Usage } from '../rules/account.js';
import { limitsOf, NO_LIMITS, watched, type Limits } from '../rules/allowances.js';
import { HOSTS, MONTHLY_HOURS } from '../rules/hosts.js';
import { validConfig } from '../config/valid.js';
import { peerHosts } from '../config/peers.js';
import { TESTS_A_QUESTION, TRAVEL } from '../rules/opinions.js';
import { readingPace } from '../rules/peer-watch.js';
import { cadenceOf } from '../rules/cadence.js';
import { intervalInWords, lengthInWords } from '../rules/durations.js';
import { monthlyHours } from '../rules/host-hours.js';
import { longestRounds } from '../rules/throttle.js';
import { RESOURCE_WORDS } from '../rules/wording.js';
import { JOINT_WAIT } from '../rules/joint-delivery.js';
import {
  GITHUB_GAPS,
  meanPace,
  outlook,
  roundsLength,
  runsAMonth,
  type Outlook,
  type PlannedTrigger,
} from '../rules/plan.js';
import { DAY, MINUTE, SECOND } from '../time.js';
import type { RoundLimits } from '../rules/trigger-pace.js';
import type { HostName, Target } from '../types.js';
import { COMMANDS, TRIGGERS } from './commands.js';
import { thousands } from './numbers.js';
import { table } from './table.js';
import { jsonText, type Paint, type Terminal } from './terminal.js';
import { readArguments, UsageError } from './usage.js';
import { isLinkedToVercel } from './vercel-command.js';

type TriggerName = (typeof TRIGGERS)[number];

interface PlannedRow extends Outlook {
  readonly id: string;
  readonly host: HostName;
  readonly interval: number;
  readonly sleepsAfter: number | null;
  readonly enabled: boolean;
}

interface Share {
  readonly what: string;
  readonly used: number;
  readonly allowed: number;
  /** It is the host's of the targets: it does not limit the deployment. */
  readonly isHosts?: true;
  /** It is of Vercel's functions, and nothing shows whether the runs will be made there. */
  readonly onVercelOnly?: true;
}

interface Plan {
  readonly trigger: TriggerName;
  readonly triggerInWords: string;
  readonly targets: readonly PlannedRow[];
  /** What a month uses of each allowance, while all targets are well. */
  readonly allowances: readonly Share[];
  /** Null: nobody is asked for second opinions. */
  readonly peers: PeerCosts | null;
  readonly shards: number;
  /** From the beginning of a run until people are told what it found for all shards together, in ms; null: there is one. */
  readonly toldAfter: typeof JOINT_WAIT | null;
}

/** What second opinions cost. What peers use is in their own accounts. */
interface PeerCosts {
  readonly peers: number;
  readonly globalping: boolean;
  /** Failed checks that are put to them until a target is down, at most. */
  readonly checksUntilDown: number;
  /** Ms by which one of them makes its run longer, at most. */
  readonly longerBy: number;
  /** Of one failed check, at each peer. Ms, at most. */
  readonly atEachPeer: { readonly invocations: number; readonly commands: number; readonly wallMs: number };
  /** Free tests of Globalping, of one failed check. */
  readonly tests: number;
  /** Of a month in which a peer is watched, at that peer. Commands at most. */
  readonly watching: { readonly invocations: number; readonly commands: number };
}

/** Store commands of a peer's answer about its health, where nobody has read it within the last seconds. */
const COMMANDS_A_READ = 2;
/** CPU of such an answer, in ms (docs/measurements.md). */
const READ_CPU = 10;

/** Store commands of a run in which little happens (test/run/budget.test.ts). */
const COMMANDS_A_RUN = 7;
/** How long a run lasts besides its rounds, in ms: slow answers of healthy targets included. */
const RUN_LENGTH = 2 * SECOND;
/** CPU of a run, now and then with the start of its process, and of a check over HTTPS, in ms (docs/measurements.md). */
const RUN_CPU = 80;
const CHECK_CPU = 1.6;
const MONTH = 30 * DAY;

/**
 * `keepalive plan`: what a configuration will do and use, from the configuration alone.
 * @returns the exit code: 1 where an allowance is exceeded
 * @throws UsageError ConfigError
 */
export async function plan(args: readonly string[], terminal: Terminal): Promise<number> {
  const { has, value } = readArguments('plan', COMMANDS.plan, args);
  const wanted = value('trigger');
  const trigger = TRIGGERS.find((name) => name === wanted);
  if (wanted !== undefined && trigger === undefined) {
    throw new UsageError(`keepalive plan: --trigger is one of ${TRIGGERS.join(', ')}.`);
  }
  const planned = planOf(await validConfig(terminal.env), trigger);
  if (has('json')) terminal.out(jsonText(planned));
  else for (const line of planLines(planned, terminal.paint)) terminal.out(line);
  return planned.allowances.some(isExceeded) ? 1 : 0;
}

/** Why a deployment of this configuration would use up its plan; null: it fits, or no plan is watched. */
export function misfit(config: Config): string | null {
  const over = planOf(config).allowances.filter((share) => share.isHosts !== true && isOver(share));
  if (config.plan === null || over.length === 0) return null;
  const figures = over.map(
    ({ what, used, allowed }) => `${thousands(used)} of ${thousands(allowed)} ${what}`,
  );
  return `The configuration does not fit its plan: ${figures.join(', ')}. Let the trigger come less often (KEEP_ALIVE_TICK), check fewer targets, or set KEEP_ALIVE_PLAN: pro, or none to deploy it all the same.`;
}

function isOver({ used, allowed }: Share): boolean {
  return used > allowed;
}

/** An allowance that may not be the user's at all is not exceeded. */
function isExceeded(share: Share): boolean {
  return isOver(share) && share.onVercelOnly !== true;
}

/** @param named the trigger; without, the one that the configuration shows */
export function planOf(config: Config, named?: TriggerName): Plan {
  const name = named ?? triggerOf(config);
  const { trigger, words, tick } = describe(name, config);
  const limits = limitsFor(config, name);
  const rounds = { tick, longestRounds: longestRounds(limits, meanPace(trigger)) };
  const known = new Map<string, Outlook>();
  const outlookOf = ({ info: { interval, sleepsAfter }, failureThreshold }: Target): Outlook => {
    const key = `${interval} ${sleepsAfter ?? ''} ${failureThreshold}`;
    const found = known.get(key) ?? outlook({ interval, sleepsAfter, failureThreshold }, trigger, rounds);
    known.set(key, found);
    return found;
  };
  const targets = config.targets.map((target) => {
    const { id, host, interval, sleepsAfter, enabled } = target.info;
    return { id, host, interval, sleepsAfter, enabled, ...outlookOf(target) };
  });
  const awakeShares = new Map(targets.map(({ id, awakeShare }) => [id, awakeShare]));
  const usage = monthOfRuns(config, trigger, rounds);
  const hours = monthlyHours(config.targets, MONTHLY_HOURS, Date.now(), ({ id }) => awakeShares.get(id) ?? 1);
  const ofFunctions = watched({ ...NO_LIMITS, functions: limits.functions }, MONTH);
  const onVercelOnly = new Set(
    mayBeElsewhere(config, name) ? ofFunctions.map(({ resource }) => resource) : [],
  );
  const allowances = [
    ...watched(limits, MONTH).map(({ resource, amount, allowed }) => ({
      what: `${RESOURCE_WORDS[resource]} a month`,
      used: rounded(amount(usage)),
      allowed,
      ...(onVercelOnly.has(resource) && { onVercelOnly: true as const }),
    })),
    ...hours.map(({ host, hours: used, allowance }) => ({
      what: `${host} hours this month`,
      used,
      allowed: allowance,
      isHosts: true as const,
    })),
  ];
  const peers = peerCosts(config, meanPace(trigger), tick);
  const shards = shardsOf(config);
  const toldAfter = shards === 1 ? null : JOINT_WAIT;
  return { trigger: name, triggerInWords: words, targets, allowances, peers, shards, toldAfter };
}

function peerCosts(
  { peers, targets }: Pick<Config, 'peers' | 'targets'>,
  pace: number,
  tick: number,
): PeerCosts | null {
  const count = peerHosts(peers).length;
  const asked = targets.filter(({ info, confirm }) => info.enabled && confirm);
  if (asked.length === 0 || (count === 0 && peers.globalping === null)) return null;
  const timeout = Math.max(...asked.map((each) => each.timeout));
  const readings = Math.round(readingsAMonth(pace, tick));
  return {
    peers: count,
    globalping: peers.globalping !== null,
    checksUntilDown: Math.max(...asked.map(({ failureThreshold }) => failureThreshold)),
    longerBy: timeout + TRAVEL,
    atEachPeer: { invocations: 1, commands: 0, wallMs: timeout },
    tests: peers.globalping === null ? 0 : TESTS_A_QUESTION,
    watching: { invocations: readings, commands: COMMANDS_A_READ * readings },
  };
}

/** How often a peer's health is read in 30 days. */
function readingsAMonth(pace: number, tick: number): number {
  return MONTH / Math.max(pace, readingPace(tick));
}

/** What a month of a configuration uses, while all targets are well. */
export interface Month {
  readonly targets: number;
  readonly pings: number;
  readonly runs: number;
  readonly commands: number;
}

export function monthOf(config: Config): Month {
  const { trigger } = describe(triggerOf(config), config);
  const runs = Math.round(runsAMonth(trigger));
  const { targets } = planOf(config);
  const pings = targets.reduce((sum, { enabled, checksAMonth }) => sum + (enabled ? checksAMonth : 0), 0);
  const shards = shardsOf(config);
  const commands = runs * (shards * COMMANDS_A_RUN + (shards === 1 ? 0 : 1));
  return { targets: targets.length, pings, runs: runs * shards, commands };
}

function shardsOf({ targets, shardSize }: Config): number {
  return Math.max(1, Math.ceil(targets.length / shardSize));
}

/** On Vercel without QStash, vercel.json starts runs; where KEEP_ALIVE_TICK is set, somebody else who keeps it may too. */
function triggerOf({ qstash, store, isOnVercel, namedTick }: Config): TriggerName {
  if (qstash.token !== null) return 'qstash';
  if (store.kind === 'sqlite' || store.kind === 'none') return 'local';
  return isOnVercel && namedTick === null ? 'crons' : 'tick';
}

/**
 * Whether `npm start` may make the runs as well as functions: a Redis is set, which both take, and nothing that only a
 * deployment has.
 */
function mayBeElsewhere({ plan: named }: Config, name: TriggerName): boolean {
  return name === 'tick' && named === null && !isLinkedToVercel();
}

interface Described {
  readonly trigger: PlannedTrigger;
  readonly words: string;
  /** What KEEP_ALIVE_TICK has to be, or is by default, where this trigger starts the runs; ms. */
  readonly tick: number;
}

function describe(name: TriggerName, { tick, namedTick, targets }: Config): Described {
  const every = (period: number, who: string, expected: number): Described => ({
    trigger: { kind: 'every', period },
    words: `${who} every ${intervalInWords(period)}`,
    tick: expected,
  });
  switch (name) {
    case 'qstash': {
      const wanted = namedTick ?? DEFAULT_TICKS.qstash;
      return every(cadenceOf(wanted).period, 'QStash starts a run', wanted);
    }
    case 'tick':
      return every(tick, 'KEEP_ALIVE_TICK expects a run', tick);
    case 'local': {
      const wanted = namedTick ?? DEFAULT_TICKS.local;
      return every(
        Math.min(wanted, ...targets.map(({ info }) => info.interval)),
        'npm start makes a run',
        wanted,
      );
    }
    case 'github':
      return {
        trigger: { kind: 'irregular', gaps: GITHUB_GAPS },
        words:
          'GitHub Actions start a run about every 20 minutes, an hour apart at most, if they come as measured in 2026',
        tick: namedTick ?? DEFAULT_TICKS.crons,
      };
    case 'cron-job':
      return every(MINUTE, 'cron-job.org starts a run', namedTick ?? MINUTE);
    case 'crons':
      return {
        trigger: { kind: 'daily-crons', anHour: 4 },
        words: '96 daily crons of Vercel start a run four times an hour, at any minute on the Hobby plan',
        tick: namedTick ?? DEFAULT_TICKS.crons,
      };
  }
}

/**
 * A function is paid for where it is not this machine that makes the runs, whatever VERCEL says here. What is deployed has
 * a Redis: where none is set yet, it is that of the deploy button.
 */
function limitsFor(config: Config, name: TriggerName): Limits {
  const isLocal = name === 'local';
  const hasStore = config.store.kind === 'upstash' || config.store.kind === 'redis';
  const store = isLocal || hasStore ? config.store : { kind: 'upstash' };
  const qstash = { token: name === 'qstash' ? '' : null };
  return limitsOf({ ...config, store, qstash, plan: config.plan ?? 'hobby' }, { isLocal });
}

/** What 30 days use while all targets are well, with the trigger that the configuration shows. */
export function usageOf(config: Config): Usage {
  const name = triggerOf(config);
  const { trigger, tick } = describe(name, config);
  const longest = longestRounds(limitsFor(config, name), meanPace(trigger));
  return monthOfRuns(config, trigger, { tick, longestRounds: longest });
}

/** What the runs of 30 days use while all targets are well. */
function monthOfRuns(config: Config, trigger: PlannedTrigger, rounds: RoundLimits): Usage {
  const ticks = runsAMonth(trigger);
  const pace = meanPace(trigger);
  // With several shards, a call starts the runs of all, and costs a command.
  const shards = shardsOf(config);
  const runs = ticks * shards;
  const calls = shards === 1 ? 0 : ticks;
  const intervals = config.targets.filter(({ info }) => info.enabled).map(({ info }) => info.interval);
  const lengths = intervals.map((interval) => roundsLength(interval, pace, rounds));
  const checks = intervals.reduce(
    (sum, interval, index) =>
      sum + Math.min(1, pace / interval) + Math.floor((lengths[index] ?? 0) / interval),
    0,
  );
  // Each peer is taken to watch this installation as often as this one watches it.
  const reads = peerHosts(config.peers).length * readingsAMonth(pace, rounds.tick);
  return {
    ...NO_USAGE,
    wallMs: runs * (RUN_LENGTH + lengths.reduce((longest, each) => Math.max(longest, each), 0)),
    cpuMs: runs * RUN_CPU + ticks * checks * CHECK_CPU + reads * READ_CPU,
    commands: runs * COMMANDS_A_RUN + calls + reads * COMMANDS_A_READ,
    invocations: runs + calls + reads,
    messages: runs + calls,
  };
}

/** Hours to a tenth, counts as they are. */
function rounded(amount: number): number {
  return amount < 100 ? Math.round(amount * 10) / 10 : Math.round(amount);
}

/** The plan as tables for people. */
export function planLines(
  { triggerInWords, targets, allowances, peers, shards, toldAfter }: Plan,
  paint: Paint,
): string[] {
  const rows = targets.map((row) => [
    row.id,
    row.host,
    spacingInWords(row),
    ...(row.enabled
      ? [awakeInWords(row), `${lengthInWords(row.downAfter)}, ${lengthInWords(row.downAfterAtMost)} at most`]
      : ['paused', '–']),
  ]);
  const shares = allowances.map((each) => {
    const { what, used, allowed } = each;
    const share = `${Math.round((100 * used) / allowed)} %`;
    return [what, thousands(used), thousands(allowed), isExceeded(each) ? paint('red', share) : share];
  });
  if (targets.length === 0) return [`No target is configured: ${calledAs()} init adds one.`];
  return [
    `${triggerInWords}.`,
    '',
    ...table(['target', 'host', 'interval', 'kept awake', 'down after'], rows, paint),
    ...(toldAfter === null ? [] : ['', toldTogether(shards, toldAfter)]),
    ...(shares.length === 0 ? [] : ['', ...table(['allowance', 'used', 'allowed', 'share'], shares, paint)]),
    ...(shares.length === 0
      ? []
      : ['', 'Used while all targets are well: failing and waking ones make runs longer.']),
    ...(allowances.some((each) => each.onVercelOnly === true) ? [forWhichPlace()] : []),
    ...(peers === null ? [] : ['', ...peerLines(peers, paint)]),
  ];
}

function forWhichPlace(): string {
  return `Vercel's figures are for a deployment to its Hobby plan (KEEP_ALIVE_PLAN=hobby, pro or none). On one machine with npm start: ${calledAs()} plan --trigger local.`;
}

function toldTogether(shards: number, { least, most }: typeof JOINT_WAIT): string {
  return `${shards} shards tell their alerts together, ${lengthInWords(least)} to ${lengthInWords(most)} after a run begins.`;
}

function peerLines(costs: PeerCosts, paint: Paint): string[] {
  const { peers, globalping, checksUntilDown, longerBy, atEachPeer, tests, watching } = costs;
  const opinions = (checks: number): string[] => [
    checks === 1 ? 'a failed check' : `a target until it is down (${checks} checks)`,
    `runs longer by up to ${lengthInWords(checks * longerBy)}`,
    ...(peers === 0
      ? []
      : [
          `${checks === 1 ? '1 invocation' : `${checks} invocations`} of up to ${lengthInWords(checks * atEachPeer.wallMs)}, no command`,
        ]),
    ...(globalping ? [`${checks * tests} free tests`] : []),
  ];
  const watched = [
    'watching, a month',
    'nothing',
    `${thousands(watching.invocations)} invocations, ${thousands(watching.commands)} commands at most`,
    ...(globalping ? ['–'] : []),
  ];
  return [
    ...table(
      [
        'second opinions',
        'here',
        ...(peers === 0 ? [] : [peers === 1 ? 'at the peer' : `at each of ${peers} peers`]),
        ...(globalping ? ['at Globalping'] : []),
      ],
      [
        opinions(1),
        ...(checksUntilDown === 1 ? [] : [opinions(checksUntilDown)]),
        ...(peers === 0 ? [] : [watched]),
      ],
      paint,
    ),
    '',
    peers === 0
      ? 'Each failing target is asked about, as long as free tests are left in the hour.'
      : 'Each failing target is put to every peer. What peers use is in their accounts, and above is what they use here if they watch this installation too.',
  ];
}

/** A target that is checked far less often than its interval says shows how seldom that is. */
function spacingInWords({ enabled, interval, longestGap }: PlannedRow): string {
  const every = intervalInWords(interval);
  return enabled && longestGap > 2 * interval ? `${every} (gaps up to ${lengthInWords(longestGap)})` : every;
}

function awakeInWords({ host, sleeps, sleepsAfter, longestGap }: PlannedRow): string {
  if (sleeps === null || sleepsAfter === null) return 'does not sleep';
  // Of other hosts nobody knows whether pings keep an app awake.
  const sure = HOSTS[host].answersCount ? 'yes' : 'not proven';
  if (sleeps === 0)
    return `${sure}, gaps up to ${lengthInWords(longestGap)} of ${intervalInWords(sleepsAfter)}`;
  return sleeps === 1 ? 'sleeps once a month' : `sleeps ${thousands(sleeps)} times a month`;
}
