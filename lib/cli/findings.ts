import type { Config, Problem } from '../config/config.js';
import type { Health } from '../read/health.js';
import { CRITICAL_AFTER_TICKS } from '../read/health.js';
import { endOf, type State } from '../record/state.js';
import type { HostHours } from '../rules/allowance.js';
import type { Moved } from '../rules/outbox.js';
import {
  isSlow as isSlowPace,
  MISSED_AFTER_TICKS,
  timeUntilDown,
  type CheckTimes,
} from '../rules/trigger-pace.js';
import { intervalInWords, lengthInWords, paceInWords, tooSlowInWords } from '../rules/wording.js';
import type { StoreErrorCode } from '../store/store.js';
import type { ChannelName, Check, Target } from '../types.js';

export type Area =
  'configuration' | 'secrets' | 'store' | 'schedule' | 'targets' | 'alerts' | 'restarts' | 'hours' | 'QStash';

/** One thing that the doctor has seen. Holds no value of a variable. */
export type Finding = { readonly area: Area; readonly what: string } & (
  | { readonly level: 'ok' }
  | {
      readonly level: 'warning' | 'error';
      /** Why it matters. */
      readonly why: string;
      /** What to do about it. */
      readonly todo: string;
    }
);

const ok = (area: Area, what: string): Finding => ({ area, level: 'ok', what });
const warning = (area: Area, what: string, why: string, todo: string): Finding => ({
  area,
  level: 'warning',
  what,
  why,
  todo,
});
const error = (area: Area, what: string, why: string, todo: string): Finding => ({
  area,
  level: 'error',
  what,
  why,
  todo,
});

export function ofProblems(problems: readonly Problem[]): Finding[] {
  return problems.map(({ variable, message }) =>
    error(
      'configuration',
      `${variable}: ${message}`,
      'With it a deployment fails, npm start does not start, and nothing else can be examined.',
      `Correct ${variable}.`,
    ),
  );
}

export function ofWarnings(warnings: readonly Problem[]): Finding[] {
  return warnings.map(({ variable, message }) =>
    warning(
      'configuration',
      `${variable}: ${message}`,
      'It may not do what it was set for.',
      `Correct ${variable}, or leave it where it is for another program.`,
    ),
  );
}

export function ofTargetsConfigured({ enabled, targets }: Config): Finding[] {
  if (targets.length === 0) {
    return [
      error(
        'configuration',
        'no target is configured',
        'There is nothing to ping.',
        'Set TARGET_<ID>_URL, or KEEP_ALIVE_URLS for several addresses.',
      ),
    ];
  }
  const count = targets.length === 1 ? '1 target' : `${targets.length} targets`;
  if (enabled) return [ok('configuration', `valid, ${count}`)];
  return [
    warning(
      'configuration',
      `valid, ${count}, all of them paused`,
      'Nothing is pinged.',
      'Remove KEEP_ALIVE_ENABLED=false.',
    ),
  ];
}

/** A secret of fewer different characters is a pattern. */
const FEWEST_CHARACTERS = 6;
const COMMON =
  /^(?:bearer|secret|password|passwort|changeme|change-me|keepalive|example|undefined|null|test|your[-_])|12345|qwert/i;
const NEW_SECRET = 'Make a new one: openssl rand -hex 32';

/** @param isLocal whether runs are made by `npm start`, which needs no secret for them */
export function ofSecrets(
  { cronSecret, statsToken, qstash }: Pick<Config, 'cronSecret' | 'statsToken' | 'qstash'>,
  isLocal: boolean,
): Finding[] {
  const findings: Finding[] = [];
  if (cronSecret === null && isLocal) {
    findings.push(ok('secrets', 'CRON_SECRET is not set: npm start needs none for its runs'));
  } else if (cronSecret === null && (qstash.currentSigningKey ?? qstash.nextSigningKey) !== null) {
    findings.push(
      warning(
        'secrets',
        'CRON_SECRET is not set: only QStash can start runs',
        'No other trigger is let in, and nobody can begin maintenance.',
        `Set CRON_SECRET where the functions run. ${NEW_SECRET}`,
      ),
    );
  } else if (cronSecret === null) {
    findings.push(
      error(
        'secrets',
        'CRON_SECRET is not set',
        'Every call of /api/cron is answered 503: nothing is pinged, unless by npm start.',
        `Set CRON_SECRET where the functions run and at the trigger. ${NEW_SECRET}`,
      ),
    );
  } else if (isWeak(cronSecret)) {
    findings.push(
      warning(
        'secrets',
        'CRON_SECRET is easy to guess',
        'Whoever guesses it starts runs and mutes alerts.',
        `Set another CRON_SECRET. ${NEW_SECRET}`,
      ),
    );
  } else findings.push(ok('secrets', 'CRON_SECRET is set'));
  if (statsToken !== null && statsToken === cronSecret) {
    findings.push(
      error(
        'secrets',
        'STATS_TOKEN is the same as CRON_SECRET',
        'Whoever may read the figures can start runs and mute alerts.',
        `Set another STATS_TOKEN. ${NEW_SECRET}`,
      ),
    );
  } else if (statsToken !== null && isWeak(statsToken)) {
    findings.push(
      warning(
        'secrets',
        'STATS_TOKEN is easy to guess',
        'Whoever guesses it reads all figures.',
        `Set another STATS_TOKEN. ${NEW_SECRET}`,
      ),
    );
  } else if (statsToken !== null) findings.push(ok('secrets', 'STATS_TOKEN is set'));
  return findings;
}

function isWeak(secret: string): boolean {
  return new Set(secret).size < FEWEST_CHARACTERS || COMMON.test(secret);
}

export interface StoreFacts {
  readonly kind: 'upstash' | 'redis' | 'sqlite';
  /** Those that it was chosen by. */
  readonly variables: readonly string[];
  /** Of one call, in ms, the median of several. */
  readonly latency: number;
}

/** The store seen from here may be slower than from the functions. */
const SLOW = 1_000;

export function ofStore({ kind, variables, latency }: StoreFacts): Finding[] {
  const from = variables.length === 0 ? '' : `, from ${variables.join(' and ')}`;
  return [
    ok('store', `${kind} answers in ${latency} ms, reads and writes${from}`),
    ...(latency > SLOW
      ? [
          warning(
            'store',
            `the store takes ${latency} ms an answer`,
            'A run makes several calls one after another, and has less time left for pings.',
            'Choose a database near the functions (from elsewhere it may be quicker than from here).',
          ),
        ]
      : []),
  ];
}

/** What runs cost, where commands are paid for. */
export function ofBudget({ budget }: Health['checks']['redis']): Finding[] {
  if (budget === null) return [];
  const { commandsPerRun, commandsPerMonth, monthlyAllowance } = budget;
  const sum = `the last run cost ${commandsPerRun} commands: at this pace ${thousands(commandsPerMonth)} a month of the free plan's ${thousands(monthlyAllowance)}`;
  if (commandsPerMonth <= monthlyAllowance) return [ok('store', sum)];
  return [
    warning(
      'store',
      sum,
      'When the allowance is used up, nothing is recorded until the month ends; the paid plan bills every command.',
      'Let the trigger come less often and set KEEP_ALIVE_TICK to its pace (2m halves the cost), or take the paid plan.',
    ),
  ];
}

function thousands(count: number): string {
  return count.toLocaleString('en-US');
}

const STORE_TODO: Readonly<Record<StoreErrorCode, string>> = {
  store_unreachable: 'Look at the address in it, and whether the database still exists.',
  store_timeout: 'Look at the address in it, and at the state of the database.',
  store_denied: 'Copy the token (or password) again from the database, the one that may write.',
  store_limit: "Look at the plan's usage, or at the disk.",
  store_answer: 'Look at the address in it: it has to be that of the REST API, or of the Redis itself.',
  store_corrupt: 'Set another KEEP_ALIVE_PREFIX (or KEEP_ALIVE_DATABASE) to begin anew.',
};

/** A call that failed. `writing`: reading had worked. */
export function ofStoreError(
  code: StoreErrorCode,
  message: string,
  { kind, variables }: Pick<StoreFacts, 'kind' | 'variables'>,
  writing: boolean,
): Finding {
  if (kind === 'sqlite' && code === 'store_unreachable') {
    return warning(
      'store',
      message,
      'A runner holds its database for itself, so what is in it cannot be looked at meanwhile.',
      'If npm start is running, ask its /api/health instead; if it is not, look at KEEP_ALIVE_DATABASE.',
    );
  }
  const names = variables.join(' and ');
  if (writing && code === 'store_denied') {
    return error(
      'store',
      `${names}: the store may be read, and not be written to`,
      'Nothing can be recorded, and no alert sent.',
      'It is a read-only token: set the other one, that may write.',
    );
  }
  return error(
    'store',
    names === '' ? message : `${names}: ${message}`,
    'Pings still go out, but nothing is recorded and no alert sent.',
    STORE_TODO[code],
  );
}

/** @param isLocal whether a file was chosen that is not there yet */
export function ofNoStore(isLocal: boolean): Finding {
  if (isLocal) return ok('store', 'KEEP_ALIVE_DATABASE: no such file yet, npm start makes it');
  return error(
    'store',
    'no database is configured',
    'Functions keep nothing: pings go out, but nothing is recorded and no alert sent.',
    'Set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN (or REDIS_URL). Only npm start needs none: it makes a file.',
  );
}

export function ofReadOnlyVariable(variables: readonly string[]): Finding[] {
  const [name] = variables;
  return name === undefined ? [] : [ok('store', `${name} is set, and never used: it may only read`)];
}

export function ofSchedule(
  schedule: Health['checks']['schedule'],
  state: State | null,
  { targets }: Pick<Config, 'targets'>,
  now: number,
  isLocal: boolean,
): Finding[] {
  const findings: Finding[] = [];
  const { lastRunAt, actualIntervalMs: actual, expectedIntervalMs: expected, tooSlowFor } = schedule;
  const last =
    lastRunAt === null ? '' : `the last run came ${lengthInWords(now - Date.parse(lastRunAt))} ago`;
  const tick = intervalInWords(expected);
  const isSlow = isSlowPace({ expected, actual });
  const lookAtTrigger = isLocal
    ? 'Start it: npm start.'
    : 'Look at the trigger: is it set up, does it send CRON_SECRET, what is it answered?';
  if (lastRunAt === null) {
    findings.push(warning('schedule', 'no run came yet', 'Without runs nothing is pinged.', lookAtTrigger));
  } else if (isSlow && actual !== null) {
    findings.push(
      warning(
        'schedule',
        `runs come every ${paceInWords(actual)} (expected every ${tick})`,
        'Targets are pinged that seldom, and the page is out of date in between.',
        `Let the trigger come every ${tick}, or set KEEP_ALIVE_TICK to its pace.`,
      ),
    );
  } else if (schedule.status === 'critical') {
    findings.push(
      error(
        'schedule',
        `${last}: none for more than ${CRITICAL_AFTER_TICKS} ticks`,
        'Nothing is pinged, and hosts fall asleep.',
        lookAtTrigger,
      ),
    );
  } else if (state?.lastRun && now - endOf(state.lastRun) > MISSED_AFTER_TICKS * expected) {
    findings.push(warning('schedule', `${last}: it is late`, 'Pings come late.', lookAtTrigger));
  } else if (actual === null) {
    findings.push(ok('schedule', `${last}, one is expected every ${tick}`));
  } else {
    findings.push(ok('schedule', `${last}; runs come every ${paceInWords(actual)} (expected every ${tick})`));
  }
  const missed = state?.gaps.filter(({ to }) => to > now - DAY) ?? [];
  const [gap] = missed.slice(-1);
  if (gap !== undefined && !isSlow) {
    findings.push(
      warning(
        'schedule',
        `runs were missed ${missed.length === 1 ? 'once' : `${missed.length} times`} within 24 h, the last time for ${lengthInWords(gap.to - gap.from)}`,
        'What happened meanwhile is not known; coverage is lower.',
        'Look at the log of the trigger; a second trigger does no harm, doubled runs ping once.',
      ),
    );
  }
  for (const slow of tooSlowInWords(tooSlowFor)) {
    findings.push(
      warning(
        'schedule',
        `the pace of the runs is ${slow}`,
        'Between two runs nothing is pinged.',
        'Let the trigger come more often, or set an INTERVAL (or SLEEPS_AFTER) that this pace can keep.',
      ),
    );
  }
  for (const { info } of targets) {
    if (!info.enabled || info.sleepsAfter === null || info.interval < info.sleepsAfter) continue;
    findings.push(
      warning(
        'schedule',
        `${info.id} is pinged every ${intervalInWords(info.interval)}, and sleeps after ${intervalInWords(info.sleepsAfter)}`,
        'It falls asleep between two pings.',
        'Set a shorter INTERVAL.',
      ),
    );
  }
  return findings;
}

const OUTAGES_SHOWN = 5;
const TARGETS_NAMED = 3;

/** How long the first alert of an outage takes. Those that take longest first; targets that are alike in one line. */
export function ofFirstAlerts(targets: readonly Target[], times: CheckTimes, isTold: boolean): Finding[] {
  const alike = new Map<string, { takes: number; checks: number; ids: string[] }>();
  for (const { info, failureThreshold: checks } of targets) {
    if (!info.enabled) continue;
    const takes = timeUntilDown(info.interval, checks, times);
    const key = `${lengthInWords(takes)} ${checks}`;
    const found = alike.get(key) ?? { takes, checks, ids: [] };
    found.ids.push(info.id);
    alike.set(key, found);
  }
  const longest = [...alike.values()].sort((a, b) => b.takes - a.takes).slice(0, OUTAGES_SHOWN);
  return longest.map(({ takes, checks, ids }) => {
    const more = ids.length - TARGETS_NAMED;
    const who = `${ids.slice(0, TARGETS_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
    const failed = checks === 1 ? '1 failed check' : `${checks} failed checks`;
    return ok(
      'alerts',
      `an outage of ${who} is ${isTold ? 'told' : 'seen'} after about ${lengthInWords(takes)}: ${failed}, a run every ${paceInWords(times.pace)}`,
    );
  });
}

const DAY = 86_400_000;

export function ofTarget({ info }: Target, check: Check): Finding {
  const { outcome, message, latency, coldStart, wakeMs, attempts } = check;
  if (outcome === 'failed') {
    return error(
      'targets',
      `${info.id} failed after ${attempts === 1 ? '1 attempt' : `${attempts} attempts`}: ${message}`,
      'From here it does not answer as it should.',
      `keepalive check ${info.id} explains it.`,
    );
  }
  if (outcome === 'degraded') {
    return warning(
      'targets',
      `${info.id} is degraded: ${message}`,
      'It answers, but not as it should.',
      `keepalive check ${info.id} explains it.`,
    );
  }
  if (coldStart) {
    return warning(
      'targets',
      `${info.id} was asleep, and woke in ${lengthInWords(wakeMs)}`,
      'Nothing had pinged it in time.',
      'Look at the schedule; if runs come, set a shorter SLEEPS_AFTER.',
    );
  }
  return ok('targets', `${info.id} is good, ${latency} ms`);
}

/** Neither a target nor a control address answers. */
export function ofOwnNetwork(): Finding {
  return error(
    'targets',
    'no target answers, and no control address either',
    'The network of this machine is at fault; nothing is known of the targets.',
    'Try again from a machine that is online, or correct KEEP_ALIVE_CONTROL_URLS.',
  );
}

export function ofRestingTarget({ info }: Target): Finding {
  return ok('targets', `${info.id} is ${info.enabled ? 'outside its active hours' : 'paused'}: not checked`);
}

export function ofNoChannels(): Finding {
  return warning(
    'alerts',
    'no channel is set up',
    'Nobody is told when a target goes down.',
    'Set one of the ALERT_ variables, for example ALERT_NTFY_URL.',
  );
}

/** What the last deliveries came to. */
export function ofChannels({ channels }: Health['checks']['alerts']): Finding[] {
  return channels.map(({ name, status, trouble }) => {
    if (status === 'healthy') {
      return ok('alerts', `${name} is set up (--send-test sends it a test)`);
    }
    const what = `${name} ${status === 'refused' ? 'refuses alerts' : 'fails'}: ${trouble?.message ?? ''}`;
    return status === 'refused'
      ? error(
          'alerts',
          what,
          'Nobody hears of outages there.',
          `Correct its ALERT_ variables: it is tried again.`,
        )
      : warning('alerts', what, 'Its alerts wait, and are sent again.', `Look at the service.`);
  });
}

/** A Telegram group that became a supergroup; messages go there already. */
export function ofMovedChat(chat: string | null, moved: Moved | undefined): Finding[] {
  if (chat === null || moved?.from !== chat) return [];
  const what = 'telegram: the group moved to a new chat id';
  return [
    warning(
      'alerts',
      what,
      'Messages follow as long as the store remembers it.',
      `Set ALERT_TELEGRAM_CHAT=${moved.to}`,
    ),
  ];
}

/** What came of a test alert; null: it was taken. */
export function ofSentTest(
  name: ChannelName,
  failure: { message: string; permanent: boolean } | null,
): Finding {
  if (failure === null) {
    const how = name === 'pagerduty' ? ' (it resolves what was never opened, and wakes nobody)' : '';
    return ok('alerts', `${name} took a test alert${how}`);
  }
  return error(
    'alerts',
    `${name} did not take a test alert: ${failure.message}`,
    'Nobody would hear of an outage there.',
    failure.permanent ? 'Correct its ALERT_ variables.' : 'Try again; if it stays, look at the service.',
  );
}

export function ofRestarts(targets: readonly Target[]): Finding[] {
  const ids = targets.filter(({ recovery }) => recovery !== null).map(({ info }) => info.id);
  return ids.length === 0 ? [] : [ok('restarts', `set up for ${ids.join(', ')} (never tried here)`)];
}

export function ofHours(hours: readonly HostHours[]): Finding[] {
  return hours.map(({ host, hours: used, allowance, message }) =>
    message === undefined
      ? ok('hours', `${host}: ${thousands(used)} of ${thousands(allowance)} hours this month`)
      : warning(
          'hours',
          message,
          'When the hours are used up, the host suspends all of them.',
          'Set ACTIVE_HOURS, or SLEEPS_AFTER=off for those on a paid plan.',
        ),
  );
}

export function ofQStash({ token, currentSigningKey, nextSigningKey }: Config['qstash']): Finding[] {
  if (token === null && currentSigningKey === null && nextSigningKey === null) return [];
  const missing = [
    ...(currentSigningKey === null ? ['QSTASH_CURRENT_SIGNING_KEY'] : []),
    ...(nextSigningKey === null ? ['QSTASH_NEXT_SIGNING_KEY'] : []),
  ];
  if (missing.length === 0) {
    const rest = token === null ? 'both signing keys are set' : 'token and both signing keys are set';
    return [ok('QStash', rest)];
  }
  return [
    (missing.length === 1 ? error : warning)(
      'QStash',
      `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not set`,
      missing.length === 1
        ? 'Signatures are refused as soon as QStash changes its keys.'
        : 'The signatures of QStash cannot be verified.',
      'Copy both signing keys from the QStash console.',
    ),
  ];
}
