import { channelNames } from '../config/alerts.js';
import type { Config } from '../config/config.js';
import { peerHosts } from '../config/peers.js';
import { endOf, type State } from '../record/state-model.js';
import { monthOf, monthSpan, monthUsage } from '../rules/account.js';
import type { Limits } from '../rules/allowances.js';
import { shownTargets, type Audienced } from './audience.js';
import { budgetOf, comesTo, exceeds } from '../rules/budget.js';
import { sentToday, type Mailing } from '../rules/mailing.js';
import { monthlyHours } from '../rules/host-hours.js';
import { MONTHLY_HOURS } from '../rules/hosts.js';
import { troubleToTell, type PeerState } from '../rules/peer-watch.js';
import { EMPTY_OUTBOX, undeliveredTo, type Outbox } from '../rules/outbox.js';
import {
  CRITICAL_AFTER_TICKS,
  isSlow,
  meanInterval,
  MISSED_AFTER_TICKS,
  tooSlowFor,
  triggerPace,
  type CheckTimes,
  type TriggerPace,
} from '../rules/trigger-pace.js';
import { longestRounds } from '../rules/throttle.js';
import { overInWords, PEER_TROUBLES, tooSlowInWords } from '../rules/wording.js';
import {
  RESOURCES,
  type ChannelName,
  type HostName,
  type Resource,
  type SlowTargets,
  type WatchedTarget,
} from '../types.js';
import { intervalInWords, paceInWords } from '../rules/durations.js';

export type HealthLevel = 'healthy' | 'degraded' | 'critical';

/** The answer of `GET /api/health`. */
export interface Health {
  readonly status: HealthLevel;
  readonly checks: {
    readonly redis: {
      readonly status: HealthLevel;
      readonly kind: string | null;
      readonly latencyMs: number | null;
      readonly message?: string;
    };
    readonly schedule: {
      readonly status: HealthLevel;
      readonly lastRunAt: string | null;
      readonly tick: number;
      /** Between two runs, by KEEP_ALIVE_TICK, in ms. */
      readonly expectedIntervalMs: number;
      /** The median of the last ones; null: too few came to tell, or none comes any more. */
      readonly actualIntervalMs: number | null;
      /** The longest of the last ones. */
      readonly longestIntervalMs: number | null;
      /** What the actual pace (the expected one where it is not known) is too slow for. */
      readonly tooSlowFor: SlowTargets;
      readonly missedRuns: readonly { readonly from: string; readonly to: string }[];
      readonly message?: string;
    };
    readonly memory: {
      readonly status: HealthLevel;
      readonly usedBytes: number;
      readonly limitBytes: number;
      readonly ratio: number;
    };
    readonly config: { readonly status: HealthLevel; readonly targets: number; readonly message?: string };
    readonly alerts: {
      readonly status: HealthLevel;
      /** Those that are set up. */
      readonly channels: readonly ChannelHealth[];
      /** Mails to those who have subscribed; null: nobody can, or it is not known. */
      readonly subscribers: SubscribersHealth | null;
      readonly message?: string;
    };
    readonly budget: Budget;
    /** Left out where no other installation is watched. */
    readonly peers?: PeersHealth;
  };
}

export interface PeersHealth {
  readonly status: HealthLevel;
  /** How many other installations are watched. */
  readonly watched: number;
  /** How many of them have stopped making runs, or could not be read for three ticks. */
  readonly outOfOrder: number;
  /** Each of them, for callers with STATS_TOKEN; for the public none. */
  readonly each: readonly PeerHealth[];
  readonly message?: string;
}

export interface PeerHealth {
  /** Its host. */
  readonly peer: string;
  /**
   * `unknown`: it was not asked yet. `stopped`: it answers, and makes no runs. `unclear`: it answers, and does not say
   * whether it makes any. `silent`: it does not answer.
   */
  readonly status: 'healthy' | 'unknown' | 'stopped' | 'unclear' | 'silent';
  /** When its health was last asked for. */
  readonly askedAt: string | null;
  /** Of its last run, or of its last answer that told. */
  readonly since?: string;
  readonly message?: string;
}

export type ChannelHealth = {
  readonly name: ChannelName;
  /** Alerts that wait to be delivered. */
  readonly waiting: number;
  /** What its operator should correct although it works. */
  readonly message?: string;
} & (
  | { readonly status: 'healthy'; readonly trouble: null }
  | {
      /** Both are tried again. `refused`: most likely it will not work until its configuration is corrected. */
      readonly status: 'failing' | 'refused';
      readonly trouble: {
        readonly since: string;
        readonly failures: number;
        /** Null where nothing waits. */
        readonly nextTryAt: string | null;
        /** Alerts that it did not take within a day; its next message says so. */
        readonly dropped: number;
        readonly message: string;
      };
    }
);

export interface SubscribersHealth {
  /** `failing`: their mails are not taken, and are tried again. */
  readonly status: 'healthy' | 'failing';
  /** News that not all of them have been told. */
  readonly waiting: number;
  readonly trouble: {
    readonly failures: number;
    readonly nextTryAt: string;
    readonly message: string;
  } | null;
  /** What else keeps mails from being sent. */
  readonly message?: string;
}

/**
 * What the calendar month (UTC) has used of each allowance, by the account of the runs; null: it is not watched, or not
 * paid for here. What readers use is not in it.
 */
export type Budget = {
  readonly status: HealthLevel;
  /** `2026-11` */
  readonly month: string;
  /** When the first run of the month was counted; null: none was. */
  readonly countedSince: string | null;
  readonly hostHours: readonly (BudgetFigures & { readonly host: HostName })[];
  readonly message?: string;
} & Readonly<Record<Resource, BudgetFigures | null>>;

/** Hours and GB-h to the hundredth, everything else whole. */
export interface BudgetFigures {
  readonly used: number;
  /** At the end of the month, at the rate of the last one or two days; null: too little was counted to tell. */
  readonly projected: number | null;
  readonly allowed: number;
}

/** What was found of the store: its state, or why there is none. */
export type StoreFinding =
  | {
      readonly ok: true;
      readonly kind: string;
      /** Null: not known. */
      readonly latencyMs: number | null;
      readonly state: State | null;
      readonly outbox: Outbox;
      /** What subscribers are to be told, by shard; null: it cannot be read. Without it, nobody has looked. */
      readonly mailings?: readonly (Mailing | null)[];
      /** Of several databases, why some cannot be read; absent: all can. */
      readonly unreadShards?: readonly string[];
    }
  | { readonly ok: false; readonly kind: string | null; readonly message: string };

/** What health looks at of a configuration. */
export interface HealthSettings {
  readonly tick: number;
  /** False: everything is paused, no run is missed. */
  readonly enabled: boolean;
  readonly targets: readonly WatchedTarget[];
  /** The allowances that are watched. */
  readonly limits: Limits;
  /** The hosts of the peers that are watched. */
  readonly peers: readonly string[];
  readonly channels: readonly ChannelName[];
  /** The chat that is configured; null: none is. */
  readonly telegramChat?: string | null;
  /** To subscribers; null: nobody can subscribe. */
  readonly mailsPerDay?: number | null;
}

export function healthSettings(
  {
    tick,
    enabled,
    targets,
    alerts,
    subscriptions,
    peers,
  }: Pick<Config, 'tick' | 'enabled' | 'targets' | 'alerts' | 'subscriptions' | 'peers'>,
  limits: Limits,
): HealthSettings {
  const telegramChat = alerts.telegram?.chat ?? null;
  const mailsPerDay = subscriptions?.mailsPerDay ?? null;
  const channels = channelNames(alerts);
  return { tick, enabled, targets, limits, peers: peerHosts(peers), channels, telegramChat, mailsPerDay };
}

export interface HealthFacts extends HealthSettings, Audienced {
  readonly now: number;
  readonly store: StoreFinding;
  readonly memory: { readonly usedBytes: number; readonly limitBytes: number };
  readonly processStartedAt: number;
  /** Runs are made by this very process (`npm start`), and begin when it starts. */
  readonly isLocal?: boolean;
}

const MEMORY_DEGRADED = 0.8;
const MEMORY_CRITICAL = 0.9;
const GAPS_SHOWN = 5;

export function health(facts: HealthFacts): Health {
  const checks = {
    redis: redisCheck(facts),
    schedule: scheduleCheck(facts),
    memory: memoryCheck(facts.memory),
    config: configCheck(facts),
    alerts: alertsCheck(facts),
    budget: budgetCheck(facts),
    ...(facts.peers.length > 0 && { peers: peersCheck(facts.store.ok ? facts.store.state : null, facts) }),
  };
  return { status: worst(Object.values(checks).map(({ status }) => status)), checks };
}

/** 503 only where nothing is pinged: monitors take that for down. */
export function healthStatusCode({ status }: Health): number {
  return status === 'critical' ? 503 : 200;
}

/** Without a store the check is degraded, not critical: targets are still pinged, and nothing is recorded. */
function redisCheck({ store }: HealthFacts): Health['checks']['redis'] {
  if (!store.ok) return { status: 'degraded', kind: store.kind, latencyMs: null, message: store.message };
  const { kind, latencyMs, unreadShards } = store;
  if (unreadShards === undefined) return { status: 'healthy', kind, latencyMs };
  return { status: 'degraded', kind, latencyMs, message: unreadShards.join('; ') };
}

function budgetCheck(facts: HealthFacts): Budget {
  const { store, limits, now, tick } = facts;
  const targets = shownTargets(facts);
  const state = store.ok ? store.state : null;
  const account = state?.account ?? null;
  const pace = meanInterval(state?.intervals ?? [], tick);
  const lines = budgetOf(account, limits, { now, last: { at: state?.lastRun?.at ?? now, pace } });
  const times = checkTimes(state, paceOfRuns(state, tick, now), limits);
  const hosts = monthlyHours(targets, MONTHLY_HOURS, now, times);
  const soFar = new Map(
    monthlyHours(targets, MONTHLY_HOURS, now, times, now).map(({ host, hours }) => [host, hours]),
  );
  const since = monthUsage(account, now)?.since;
  const message = [
    ...lines
      .filter(exceeds)
      .map((line) => `this month uses ${overInWords({ ...line, projected: comesTo(line) })}`),
    ...hosts.flatMap((each) => each.message ?? []),
  ].join('; ');
  const figures = new Map(lines.map(({ resource, ...line }) => [resource, line]));
  const figuresOf = (resource: Resource): BudgetFigures | null => {
    const line = figures.get(resource);
    if (line === undefined) return null;
    const rounded = (amount: number): number =>
      resource.endsWith('Hours') ? Math.round(amount * 100) / 100 : Math.round(amount);
    return {
      used: rounded(line.used),
      projected: line.projected === null ? null : rounded(line.projected),
      allowed: rounded(line.allowed),
    };
  };
  return {
    status: message === '' ? 'healthy' : 'degraded',
    month: new Date(monthSpan(monthOf(now)).from).toISOString().slice(0, 'yyyy-mm'.length),
    countedSince: since === undefined ? null : new Date(since).toISOString(),
    ...(Object.fromEntries(RESOURCES.map((resource) => [resource, figuresOf(resource)])) as Readonly<
      Record<Resource, BudgetFigures | null>
    >),
    hostHours: hosts.map(({ host, hours, allowance }) => ({
      host,
      used: soFar.get(host) ?? 0,
      projected: hours,
      allowed: allowance,
    })),
    ...(message === '' ? {} : { message }),
  };
}

function scheduleCheck(facts: HealthFacts): Health['checks']['schedule'] {
  const { now, tick, store } = facts;
  const state = store.ok ? store.state : null;
  const lastRun = state?.lastRun ?? null;
  const missedRuns = (state?.gaps ?? [])
    .slice(-GAPS_SHOWN)
    .map(({ from, to }) => ({ from: new Date(from).toISOString(), to: new Date(to).toISOString() }));
  const lastRunAt = lastRun === null ? null : new Date(lastRun.at).toISOString();
  const pace = paceOfRuns(state, tick, now);
  const slow = tooSlowFor(
    shownTargets(facts).map(({ info }) => info),
    checkTimes(state, pace, facts.limits),
  );
  const found = {
    lastRunAt,
    tick,
    expectedIntervalMs: pace.expected,
    actualIntervalMs: pace.actual,
    longestIntervalMs: pace.longest,
    tooSlowFor: slow,
    missedRuns,
  };
  if (!facts.enabled || facts.targets.length === 0)
    return { status: 'healthy', ...found, message: 'nothing to ping' };
  if (!store.ok) return { status: 'degraded', ...found, message: `not known: ${store.message}` };
  const { processStartedAt, isLocal = false } = facts;
  const heardAt = lastRun === null ? processStartedAt : endOf(lastRun);
  const ticks = (now - (isLocal ? Math.max(heardAt, processStartedAt) : heardAt)) / tick;
  if (isLocal && heardAt < processStartedAt && ticks <= CRITICAL_AFTER_TICKS) {
    return {
      status: 'degraded',
      ...found,
      message: 'Keepalive has just been started; the first run is under way',
    };
  }
  const seldom = paceMessage(pace, slow);
  if (ticks > CRITICAL_AFTER_TICKS) {
    const message = `no run came for three ticks: ${seldom ?? (isLocal ? 'look at the log of npm start' : 'is the trigger set up?')}`;
    return { status: 'critical', ...found, message };
  }
  if (lastRun === null) return { status: 'degraded', ...found, message: 'no run came yet' };
  if (ticks > MISSED_AFTER_TICKS) {
    const message = `the last run is late${seldom === null ? '' : `: ${seldom}`}`;
    return { status: 'degraded', ...found, message };
  }
  if (slow.count > 0 && seldom !== null) return { status: 'degraded', ...found, message: seldom };
  return { status: 'healthy', ...found };
}

/** How often runs come, where that is slower than expected or too slow for a target; else null. */
function paceMessage(pace: TriggerPace, slow: SlowTargets): string | null {
  if (!isSlow(pace) && slow.count === 0) return null;
  const { actual, expected } = pace;
  const every =
    actual === null
      ? `runs are expected every ${intervalInWords(expected)}`
      : `runs come every ${paceInWords(actual)} (expected every ${intervalInWords(expected)})`;
  return [every, ...tooSlowInWords(slow)].join('; ');
}

/**
 * When a run was last heard of, if none came for three ticks since: nothing is known of what followed. Null where runs
 * come, where there was none yet, and where nothing is to be pinged.
 */
export function staleSince(
  {
    enabled,
    tick,
    targets,
  }: { readonly enabled: boolean; readonly tick: number; readonly targets: readonly unknown[] },
  state: State | null,
  now: number,
): number | null {
  const lastRun = state?.lastRun ?? null;
  if (!enabled || targets.length === 0 || lastRun === null) return null;
  const heardAt = endOf(lastRun);
  return now - heardAt > CRITICAL_AFTER_TICKS * tick ? heardAt : null;
}

/** How often runs come, as far as it is on record. */
export function paceOfRuns(state: State | null, tick: number, now: number): TriggerPace {
  return triggerPace({ intervals: state?.intervals ?? [], lastAt: state?.lastRun?.at ?? null }, tick, now);
}

/** What decides how often targets are checked: by the actual pace of the runs, else by the expected one. */
export function checkTimes(
  state: State | null,
  { actual, expected }: TriggerPace,
  limits: Pick<Limits, 'functions'>,
): CheckTimes {
  return {
    pace: actual ?? expected,
    tick: expected,
    lastRunMs: state?.lastRun?.durationMs ?? 0,
    longestRounds: longestRounds(limits, meanInterval(state?.intervals ?? [], expected)),
  };
}

function memoryCheck({ usedBytes, limitBytes }: HealthFacts['memory']): Health['checks']['memory'] {
  const ratio = usedBytes / limitBytes;
  const status = ratio >= MEMORY_CRITICAL ? 'critical' : ratio >= MEMORY_DEGRADED ? 'degraded' : 'healthy';
  return { status, usedBytes, limitBytes, ratio: Math.round(ratio * 1000) / 1000 };
}

function configCheck(facts: HealthFacts): Health['checks']['config'] {
  const targets = shownTargets(facts).length;
  return facts.targets.length === 0
    ? { status: 'degraded', targets, message: 'no target is configured: set TARGET_<ID>_URL' }
    : { status: 'healthy', targets };
}

function alertsCheck(facts: HealthFacts): Health['checks']['alerts'] {
  const { store, channels, telegramChat = null } = facts;
  const outbox = store.ok ? store.outbox : EMPTY_OUTBOX;
  // The new id is the operator's to know: the log and the doctor show it.
  const hasMoved = telegramChat !== null && outbox.moved.telegram?.from === telegramChat;
  const moved = 'the group moved: set ALERT_TELEGRAM_CHAT to its new id, which keepalive doctor shows';
  const found = channels.map((name) => ({
    ...channelHealth(name, outbox),
    ...(hasMoved && name === 'telegram' ? { message: moved } : {}),
  }));
  const subscribers = subscribersHealth(facts);
  const parts = [...found, ...(subscribers === null ? [] : [{ name: 'subscribers', ...subscribers }])];
  const ill = parts.filter(({ status }) => status !== 'healthy');
  const message = parts
    .flatMap(({ name, trouble, message }) =>
      [trouble?.message, message].flatMap((said) => (said === undefined ? [] : `${name}: ${said}`)),
    )
    .join('; ');
  return {
    status: ill.length === 0 ? 'healthy' : 'degraded',
    channels: found,
    subscribers,
    ...(message === '' ? {} : { message }),
  };
}

function subscribersHealth({ store, mailsPerDay = null, now }: HealthFacts): SubscribersHealth | null {
  if (mailsPerDay === null || !store.ok || store.mailings === undefined) return null;
  const mailings = store.mailings.flatMap((mailing) => mailing ?? []);
  const sum = (of: (mailing: Mailing) => number): number =>
    mailings.reduce((total, mailing) => total + of(mailing), 0);
  const waiting = sum(({ pending }) => pending.length);
  const today = sum((mailing) => sentToday(mailing, now));
  const [trouble] = mailings
    .flatMap((mailing) => mailing.trouble ?? [])
    .sort((a, b) => b.failures - a.failures);
  const isReadable = mailings.length === store.mailings.length;
  const messages = [
    ...(isReadable ? [] : ['what is stored of their mails cannot be read']),
    ...(waiting > 0 && today >= mailsPerDay
      ? [`PAGE_MAILS_PER_DAY=${mailsPerDay} is reached, the others follow after midnight UTC`]
      : []),
  ];
  return {
    status: trouble === undefined && isReadable ? 'healthy' : 'failing',
    waiting,
    trouble:
      trouble === undefined
        ? null
        : {
            failures: trouble.failures,
            nextTryAt: new Date(trouble.nextAt).toISOString(),
            message: trouble.message,
          },
    ...(messages.length > 0 && { message: messages.join('; ') }),
  };
}

/** @param state null: it could not be read, or there is none yet */
export function peersCheck(
  state: Pick<State, 'peers'> | null,
  { peers, tick, audience = 'public' }: Pick<HealthSettings, 'peers' | 'tick'> & Audienced,
): PeersHealth {
  const known = new Map((state?.peers ?? []).map((each) => [each.peer, each]));
  const each = peers.map((peer) => peerHealth(peer, known.get(peer) ?? null, tick));
  const out = each.filter(({ status }) => status !== 'healthy' && status !== 'unknown');
  const message =
    audience === 'trusted'
      ? out.map(({ peer, message }) => `${peer} ${message ?? ''}`).join('; ')
      : out.length === 1
        ? 'a peer is out of order'
        : `${out.length} peers are out of order`;
  return {
    status: out.length === 0 ? 'healthy' : 'degraded',
    watched: peers.length,
    outOfOrder: out.length,
    each: audience === 'trusted' ? each : [],
    ...(out.length === 0 ? {} : { message }),
  };
}

function peerHealth(peer: string, known: PeerState | null, tick: number): PeerHealth {
  if (known === null) return { peer, status: 'unknown', askedAt: null };
  const askedAt = new Date(known.askedAt).toISOString();
  const trouble = troubleToTell(known, tick);
  if (trouble === null) return { peer, status: 'healthy', askedAt };
  const { kind, since, message } = trouble;
  return {
    peer,
    status: kind,
    askedAt,
    since: new Date(since).toISOString(),
    message: `${PEER_TROUBLES[kind]}${message === null ? '' : ` (${message})`}`,
  };
}

function channelHealth(name: ChannelName, outbox: Outbox): ChannelHealth {
  const { alerts, troubles } = outbox;
  const waiting = alerts.filter(({ to }) => to[name] !== undefined).length;
  const trouble = troubles[name];
  if (trouble === undefined) return { name, status: 'healthy', waiting, trouble: null };
  const { since, failures, nextAt, permanent, message } = trouble;
  return {
    name,
    status: permanent ? 'refused' : 'failing',
    waiting,
    trouble: {
      since: new Date(since).toISOString(),
      failures,
      nextTryAt: waiting === 0 ? null : new Date(nextAt).toISOString(),
      dropped: undeliveredTo(outbox, name),
      message,
    },
  };
}

function worst(levels: readonly HealthLevel[]): HealthLevel {
  return levels.includes('critical') ? 'critical' : levels.includes('degraded') ? 'degraded' : 'healthy';
}
