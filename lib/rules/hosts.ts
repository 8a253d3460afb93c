import { HOUR, MINUTE, SECOND } from '../time.js';
import { HOST_NAMES, type Check, type HostName, type HostWord, type Verdict } from '../types.js';
import type { Allowances } from './host-hours.js';
import { ASSUMED, RUNNING, type AnswerRule, type Host, type HostAnswer, type HostVerdict } from './host.js';
import { APP_HOSTS } from './host-rows/app-hosts.js';
import { DATA_APP_HOSTS } from './host-rows/data-app-hosts.js';
import { DATABASE_HOSTS } from './host-rows/database-hosts.js';

export const HOSTS: Readonly<Record<HostName, Host>> = {
  ...APP_HOSTS,
  ...DATA_APP_HOSTS,
  ...DATABASE_HOSTS,
  none: {
    title: 'any other',
    domains: [],
    sleepsAfter: null,
    interval: null,
    wakeTimeout: 0,
    monthlyHours: null,
    activity: '',
    answersCount: false,
    answers: [],
    word: null,
    api: null,
    nameGone: null,
    warnings: [],
    note: null,
    sources: { sleepsAfter: ASSUMED, wakeTimeout: ASSUMED, activity: ASSUMED, warnings: ASSUMED },
  },
};

export const MONTHLY_HOURS: Allowances = Object.fromEntries(
  Object.entries(HOSTS).flatMap(([host, { monthlyHours }]) =>
    monthlyHours === null ? [] : [[host, monthlyHours]],
  ),
);

/** The host that a host name's domain belongs to; `none` where it is no domain of a known host. */
export function hostOf(hostname: string): HostName {
  const name = comparable(hostname);
  return HOST_NAMES.find((host) => HOSTS[host].domains.some((domain) => name.endsWith(domain))) ?? 'none';
}

export function isBelow(hostname: string, domains: readonly string[]): boolean {
  const name = comparable(hostname);
  return domains.some((domain) => name.endsWith(domain));
}

function comparable(hostname: string): string {
  return hostname.replace(/\.$/, '').toLowerCase();
}

/** Whether a body can tell who answered. @param answer null: any answer of the host */
export function looksAtBody(host: HostName, answer: Omit<HostAnswer, 'body'> | null): boolean {
  return HOSTS[host].answers.some(
    (rule) => rule.body !== undefined && (answer === null || fits(rule, { ...answer, body: null }, true)),
  );
}

const UNKNOWN: HostVerdict = { origin: 'unknown', message: null, askFor: 0 };

/**
 * Who answered. What looks like nothing known is `unknown`: it proves nothing. So does what a cache has kept of the app,
 * whose headers it repeats.
 */
export function verdictOf(host: HostName, answer: HostAnswer): HostVerdict {
  const rule = HOSTS[host].answers.find((each) => fits(each, answer, false));
  if (rule === undefined || (rule.origin === 'container' && isFromCache(answer.headers))) return UNKNOWN;
  return { origin: rule.origin, message: rule.message ?? null, askFor: rule.askFor ?? 0 };
}

/** Headers by which caches tell that they did not ask the server: RFC 9111, RFC 9211, Cloudflare, CloudFront, Fastly. */
const FROM_CACHE: readonly (readonly [name: string, value: RegExp])[] = [
  ['age', /[1-9]/],
  ['cf-cache-status', /^(?:hit|stale|updating)$/i],
  ['cache-status', /\bhit\b/i],
  ['x-cache', /\bhit\b/i],
];

function isFromCache(headers: HostAnswer['headers']): boolean {
  return FROM_CACHE.some(([name, value]) => value.test(headers.get(name)?.trim() ?? ''));
}

/** Whether the host is asked for its word: nobody answered, or the answer does not tell who gave it, or how it can be woken. */
export function wantsWord(verdict: HostVerdict | null): boolean {
  return verdict === null || verdict.origin === 'unknown' || verdict.origin === 'asleep';
}

/** Ms for which what a host's API said is taken for true, where its app's answers tell who gives them. */
const SAID_GOOD_FOR = HOUR;
/** Where they do not tell, or contradict what it said. */
const SAID_IN_DOUBT_FOR = 10 * MINUTE;
/** While the app wakes, the next attempts want to know. */
const SAID_ASLEEP_FOR = 10 * SECOND;

/**
 * Whether a host's own API is to be asked again.
 * @param verdict of the answer; null: nobody answered
 */
export function isAskDue(
  { at, says }: Pick<HostWord, 'at' | 'says'>,
  verdict: HostVerdict | null,
  now: number,
): boolean {
  // A clock that was set back makes it due.
  const age = Math.abs(now - at);
  if (age >= SAID_GOOD_FOR) return true;
  // A token that is refused today is refused in ten minutes.
  if (says === 'refused') return false;
  if (wantsWord(verdict)) return age >= (says === 'asleep' ? SAID_ASLEEP_FOR : SAID_IN_DOUBT_FOR);
  return isNotAwake(says) && age >= SAID_IN_DOUBT_FOR;
}

function isNotAwake(says: HostWord['says']): boolean {
  return says === 'asleep' || says === 'unwakeable';
}

/**
 * Whether a good answer and what the host said contradict each other. It does not where the host was asked before the
 * check, or the check is a cold start: what it said may be of the moment before it woke.
 */
export function contradicts(
  host: HostName,
  { at, outcome, coldStart, word }: Pick<Check, 'at' | 'outcome' | 'coldStart' | 'word'>,
): boolean {
  const isOfApp = HOSTS[host].api?.speaksOf === 'app';
  const isSleeper = word !== null && word.at >= at && isNotAwake(word.says);
  return isOfApp && isSleeper && outcome !== 'failed' && !coldStart;
}

/** What a host's API said, as a verdict on who answered. Null: it says nothing that decides. */
export function verdictOfWord(host: HostName, word: HostWord | null, isFailed: boolean): HostVerdict | null {
  if (word === null || (HOSTS[host].api?.speaksOf === 'account' && !isFailed)) return null;
  const { says, message } = word;
  if (says === 'running') return RUNNING;
  return says === 'asleep' || says === 'unwakeable' ? { origin: says, message, askFor: 0 } : null;
}

/** What an answer and the host's word come to. @param verdict null: nobody answered @param word null: there is none */
export function withWord(verdict: HostVerdict | null, word: HostVerdict | null): HostVerdict | null {
  if (word === null) return verdict;
  // That it runs does not say that it answers, and a host that says so may not know yet that it has fallen asleep.
  return word.origin === 'running' && verdict?.origin !== 'unknown' ? verdict : word;
}

/** An answer that the host gave in place of the app is no good one, whatever the target expects. */
export function withHostVerdict(verdict: Verdict, { origin, message }: HostVerdict): Verdict {
  if (origin === 'container' || origin === 'unknown' || origin === 'running') return verdict;
  return {
    outcome: 'failed',
    reason: verdict.outcome === 'failed' && origin !== 'unwakeable' ? verdict.reason : 'host',
    message: message ?? verdict.message ?? 'the host answered in place of the app',
  };
}

function fits(rule: AnswerRule, answer: HostAnswer, whateverBody: boolean): boolean {
  const { protocols = ['http:', 'https:'], path, statuses, header, withoutHeader, body } = rule;
  const value = header && answer.headers.get(header[0]);
  return (
    protocols.includes(answer.protocol) &&
    (path === undefined || path.test(answer.path)) &&
    (statuses === undefined || (answer.statusCode !== null && statuses.includes(answer.statusCode))) &&
    (header === undefined || (value !== undefined && (header[1]?.test(value.trim()) ?? true))) &&
    (withoutHeader === undefined || !answer.headers.has(withoutHeader)) &&
    (body === undefined || whateverBody || (answer.body !== null && body.test(answer.body)))
  );
}
