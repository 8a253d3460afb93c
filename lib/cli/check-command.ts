import { setTimeout as delay } from 'node:timers/promises';
import { parseConfig } from '../config/config.js';
import { targetAt } from '../config/target-builder.js';
import type { TargetsFile } from '../config/targets-file.js';
import { loadTargets } from '../config/targets-source.js';
import { ConfigError, validConfig } from '../config/valid.js';
import { checkTarget } from '../probe/check-target.js';
import { createEvaluator } from '../probe/evaluator.js';
import { createProber, type ProberOptions } from '../probe/probe.js';
import type { Answer } from '../rules/assertions.js';
import { wordInWords } from '../rules/host-advice.js';
import { contradicts, HOSTS } from '../rules/hosts.js';
import { dialogueOf, dnsQuestion } from '../rules/queries.js';
import type { Protocol } from '../protocols.js';
import type { Attempt, Check, HostWord, Origin, Outcome, PublicTarget, Target, Timings } from '../types.js';
import { COMMANDS } from './commands.js';
import { explainAnswer, type Explained } from './explain.js';
import { isoTime, jsonText, USAGE_ERROR, type Paint, type Terminal } from './terminal.js';
import { readArguments, sentence } from './usage.js';
import { intervalInWords, latencyInWords, lengthInWords } from '../rules/durations.js';

interface Configured {
  readonly env: Terminal['env'];
  readonly file: TargetsFile | null;
}

type ExplainedAttempt = Attempt & { readonly assertions: readonly Explained[] };

/**
 * `keepalive check`. Shows no query, user info, header or body; of a JSON body the small values that an expression names.
 * @returns the exit code
 * @throws UsageError
 */
export async function check(
  args: readonly string[],
  { env, out, err, paint }: Terminal,
  proberOptions: ProberOptions = {},
): Promise<number> {
  const { words, has } = readArguments('check', COMMANDS.check, args);
  const print = has('json') ? () => undefined : out;
  const file = await loadTargets(env);
  const target = await findTarget(words[0] ?? '', { env, file, print }).catch((error: unknown) => {
    if (error instanceof ConfigError) return error.message;
    throw error;
  });
  if (typeof target === 'string') {
    err(target);
    return USAGE_ERROR;
  }
  for (const line of introduction(target)) print(line);
  const options = { contact: contactOf(env, file), ...proberOptions };
  const { result, attempts } = await explained(target, { print, paint }, options);
  for (const line of conclusion(target, result, paint)) print(line);
  if (has('json')) out(jsonText(toJson(target, result, attempts)));
  return result.outcome === 'failed' ? 1 : 0;
}

/** The same as runs have it; null where the configuration is not valid. */
function contactOf(env: Terminal['env'], file: TargetsFile | null): string | null {
  const result = parseConfig(env, file);
  return result.ok ? result.config.publicUrl : null;
}

/**
 * The target at an address with the defaults of `KEEP_ALIVE_` variables and of the targets file; null where the
 * configuration is not valid. Whether KEEP_ALIVE_HOST_TOKEN is meant for its host is not known.
 */
function withDefaults(url: string, { info }: Target, { env, file }: Configured): Target | null {
  const others = Object.entries(env).filter(
    ([name]) => !/^TARGET_|^KEEP_ALIVE_(?:URLS|HOST_TOKEN)$/i.test(name),
  );
  const result = parseConfig(
    { ...Object.fromEntries(others), TARGET_CHECKED_URL: url },
    file && { ...file, targets: [] },
  );
  const target = result.ok ? result.config.targets[0] : undefined;
  return target === undefined ? null : { ...target, info: { ...target.info, id: info.id, name: info.name } };
}

/**
 * The target, or why there is none. What was asked for is not repeated: it may be an address that holds a secret.
 * @throws ConfigError where the configuration is needed
 */
async function findTarget(
  what: string,
  { env, file, print }: Configured & { readonly print: (line: string) => void },
): Promise<Target | string> {
  if (what.includes('://')) {
    const { target: found, problem } = targetAt(what);
    if (found === null) return sentence(`The address: ${problem}`);
    const result = parseConfig(env, file);
    const [configured, ...others] = result.ok
      ? result.config.targets.filter((target) => isAt(target, found))
      : [];
    if (configured === undefined) {
      const target = withDefaults(what, found, { env, file });
      return target ?? (problem === null ? found : sentence(`The address: ${problem}`));
    }
    if (others.length > 0) {
      const ids = [configured, ...others].map(({ info }) => info.id).join(', ');
      return `Several configured targets have this address. Give one of their ids: ${ids}.`;
    }
    print(`A configured target has this address: its options are used (${configured.info.id}).`);
    return configured;
  }
  const { targets } = await validConfig(env);
  const id = what.toLowerCase().replaceAll('_', '-');
  const found = targets.find(({ info }) => info.id === id);
  if (found !== undefined) return found;
  const ids = targets.map(({ info }) => info.id).join(', ');
  return ids === ''
    ? 'No target is configured: set TARGET_<ID>_URL, list targets in targets.yaml, or give an address.'
    : `No such target. Those that are configured: ${ids}.`;
}

/** Whether a configured target has exactly the address that was asked for, user info included where it was given. */
function isAt(target: Target, asked: Target): boolean {
  const given = authorizationOf(asked);
  const isSame = target.url === asked.url && target.info.healthUrl === asked.info.healthUrl;
  return isSame && (given === undefined || given === authorizationOf(target));
}

function authorizationOf(target: Target): string | undefined {
  const headers = 'request' in target ? target.request.headers : 'headers' in target ? target.headers : {};
  return headers.Authorization;
}

async function explained(
  target: Target,
  { print, paint }: { readonly print: (line: string) => void; readonly paint: Paint },
  options: ProberOptions,
): Promise<{ result: Check; attempts: ExplainedAttempt[] }> {
  const answers: Answer[] = [];
  const prober = createProber({ ...options, onAnswer: (answer) => answers.push(answer) });
  const evaluator = createEvaluator();
  const attempts: ExplainedAttempt[] = [];
  try {
    const result = await checkTarget(target, {
      at: Date.now(),
      prober: {
        ...prober,
        attempt: async (asked, signal) => {
          const attempt = await prober.attempt(asked, signal);
          const answer = answers.pop();
          const assertions =
            answer === undefined ? [] : await explainAnswer(target.assertions, answer, evaluator);
          attempts.push({ ...attempt, assertions });
          for (const line of attemptLines(target, { ...attempt, assertions }, attempts.length, paint))
            print(line);
          return attempt;
        },
      },
      signal: new AbortController().signal,
      now: Date.now,
      random: Math.random,
      sleep: (ms) => {
        print(`Waiting ${Math.round(ms)} ms before the next attempt.`);
        return delay(ms);
      },
      onWaking: () => {
        print(`It may be asleep: it has ${intervalInWords(target.wakeTimeout)} to wake.`);
      },
    });
    if (result === null) throw new Error('a check without a time limit was cut short');
    return { result, attempts };
  } finally {
    await Promise.all([prober.close(), evaluator.close()]);
  }
}

/** What is asked where there is no QUERY. */
const ASKED: Readonly<Record<Protocol, string | null>> = {
  'http:': null,
  'https:': null,
  'tcp:': 'connects',
  'tls:': 'makes the TLS handshake',
  'dns:': null,
  'smtp:': 'greets, and sends no mail',
  'smtps:': 'greets, and sends no mail',
  'grpc:': 'asks the health service',
  'grpcs:': 'asks the health service',
  'ws:': 'makes the WebSocket handshake',
  'wss:': 'makes the WebSocket handshake',
  'redis:': 'sends PING',
  'rediss:': 'sends PING',
  'mysql:': 'sends SELECT 1',
  'postgres:': 'sends SELECT 1',
  'mongodb:': 'sends {"ping":1}',
  'mongodb+srv:': 'sends {"ping":1}',
};

/** What is asked. A QUERY may hold a secret and is not shown, but for the record type and the name that DNS is asked for. */
function asked(target: Target): string[] {
  const query = 'query' in target ? target.query : null;
  const question = query !== null && target.protocol === 'dns:' ? dnsQuestion(query) : null;
  if (question !== null) return [`asks for ${question.type} ${question.name}`];
  const steps = dialogueOf(query ?? '')?.steps.length;
  const sent = steps === undefined ? 'sends QUERY' : `goes through the ${steps} steps of QUERY`;
  const said = query === null ? ASKED[target.protocol] : sent;
  return said === null ? [] : [said];
}

function introduction(target: Target): string[] {
  const { info, timeout, retries, wakeTimeout } = target;
  const how = [
    ...('request' in target ? [target.request.method] : []),
    ...asked(target),
    `${latencyInWords(timeout)} an attempt`,
    retries === 1 ? '1 retry' : `${retries} retries`,
    ...('maxRedirects' in target ? [`${target.maxRedirects} redirects at most`] : []),
    ...(wakeTimeout > 0 ? [`${intervalInWords(wakeTimeout)} to wake`] : []),
  ];
  return [
    `${info.id}: ${info.healthUrl}`,
    how.join(', '),
    ...(info.enabled ? [] : ['It is paused: runs do not check it.']),
  ];
}

const STYLES = { good: 'green', degraded: 'yellow', failed: 'red' } as const satisfies Record<
  Outcome,
  string
>;

const PHASES: readonly (readonly [keyof Timings, string])[] = [
  ['dns', 'DNS'],
  ['connect', 'connect'],
  ['tls', 'TLS'],
  ['ttfb', 'first byte'],
  ['total', 'total'],
];

/** Who answered, and what that proves. */
function originInWords(origin: Origin, { host }: PublicTarget): string {
  const { title, answersCount } = HOSTS[host];
  switch (origin) {
    case 'container':
      return answersCount
        ? 'the app itself: it is awake, and this request counts as activity'
        : 'the app itself: it is awake; whether this request keeps it awake is not known';
    case 'unknown':
      return `the app or the edge of ${title}: it proves nothing`;
    case 'running':
      return `the app or the edge of ${title}, which says that the app runs`;
    case 'edge':
      return `the edge of ${title}, in place of the app: it counts for nothing`;
    case 'asleep':
      return `${title}, which says that the app sleeps or is waking`;
    case 'unwakeable':
      return `${title}, which says that no request can wake it`;
  }
}

function attemptLines({ info }: Target, attempt: ExplainedAttempt, number: number, paint: Paint): string[] {
  const { outcome, reason, message, statusCode, timings, tlsExpiresAt, assertions } = attempt;
  const fact = (name: string, value: string) => `  ${name.padEnd(12)}${value}`;
  const verdict = paint(STYLES[outcome], outcome) + (message === null ? '' : `: ${message}`);
  return [
    '',
    paint('bold', `Attempt ${number}`),
    ...PHASES.map(([phase, name]) => {
      const ms = timings[phase];
      return fact(name, ms === null ? '–' : `${ms} ms`);
    }),
    ...(statusCode === null ? [] : [fact('status', `${statusCode}`)]),
    ...(info.host === 'none' || attempt.origin === null
      ? []
      : [fact('answered by', originInWords(attempt.origin, info))]),
    ...(tlsExpiresAt === null ? [] : [fact('certificate', `ends ${isoTime(tlsExpiresAt)}`)]),
    ...assertions.map(
      ({ holds, option, expected, found, message: why }) =>
        `  ${holds ? 'holds' : paint('red', 'FAILS')}       ${option} (${found}) ${expected}${why === null ? '' : ` – ${why}`}`,
    ),
    fact('verdict', reason === null ? verdict : `${verdict} (${reason})`),
  ];
}

/** What the host's own API said, and what that means. */
function wordLines({ info, hostToken }: Target, result: Check, paint: Paint): string[] {
  if (hostToken === null || result.word === null) return [];
  const { text, isTrouble } = wordInWords(info.host, result.word, hostToken.variable);
  if (contradicts(info.host, result)) return [paint('yellow', `It answers, but: ${text}.`)];
  return [isTrouble ? paint('yellow', `${text}.`) : `${text}.`];
}

function conclusion(target: Target, result: Check, paint: Paint): string[] {
  return [...outcomeLines(target, result, paint), ...wordLines(target, result, paint)];
}

function outcomeLines({ info, failureThreshold }: Target, result: Check, paint: Paint): string[] {
  const { outcome, message, latency, attempts, coldStart, wakeMs } = result;
  const after = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
  if (outcome === 'failed') {
    const threshold =
      failureThreshold === 1 ? 'one failed check' : `${failureThreshold} failed checks in a row`;
    const failed = paint(STYLES.failed, 'FAILED');
    return ['', `${info.id} ${failed} after ${after}: ${message}`, `It is down after ${threshold}.`];
  }
  const remark = coldStart ? `, it slept and woke in ${lengthInWords(wakeMs)}` : '';
  const why = message === null ? '' : `: ${message}`;
  return ['', `${info.id} is ${paint(STYLES[outcome], outcome)}${why} (${latency} ms, ${after}${remark})`];
}

function toJson({ info }: Target, result: Check, attempts: readonly ExplainedAttempt[]): unknown {
  return {
    target: { id: info.id, name: info.name, healthUrl: info.healthUrl, enabled: info.enabled },
    ...result,
    at: isoTime(result.at),
    word: wordView(result.word),
    tlsExpiresAt: isoTime(result.tlsExpiresAt),
    attempts: attempts.map((attempt) => ({
      ...attempt,
      tlsExpiresAt: isoTime(attempt.tlsExpiresAt),
      word: wordView(attempt.word),
    })),
  };
}

function wordView(word: HostWord | null): unknown {
  return word && { ...word, at: isoTime(word.at) };
}
