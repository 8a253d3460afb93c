import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { expect, it } from 'vitest';
import { checkTarget } from '../../lib/probe/check-target.js';
import type { Prober } from '../../lib/probe/probe.js';
import { stats } from '../../lib/read/stats.js';
import { judgeAnswer, type Evaluator } from '../../lib/rules/assertions.js';
import { chooseDue } from '../../lib/rules/due.js';
import { HOSTS, verdictOf, wantsWord, withHostVerdict, withWord } from '../../lib/rules/hosts.js';
import type { Attempt, Check, Target } from '../../lib/types.js';
import { Books } from '../support/books.js';
import { SIMULATORS, TRIGGERS, type SimAnswer, type SimHost } from '../support/hosts-sim.js';
import { chanceOf } from '../support/lives.js';
import { ROOT } from '../support/root.js';
import { configOf } from '../support/runs.js';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 9, 1);
/** Latencies are whole milliseconds. */
const ROUNDED = 5;
/** Gateway statuses, and what was waited for before. */
const GATEWAY = [502, 503, 504];

/** What somebody who pings a host came to. */
interface Result {
  /** Stretches in which the app did not run, and their sum. */
  readonly slept: number;
  readonly hours: number;
  /** How often it was said to be awake while it did not run, or had not in the time that the claim is about. */
  lies: number;
  /** How often it was said to be awake. */
  claims: number;
  /** Minutes from the beginning of each stretch that lasted, until somebody could know. */
  readonly told: readonly number[];
  /** Stretches of which nobody was told while they lasted. */
  readonly untold: number;
}

interface Word {
  readonly at: number;
  /** `awake`: it is said to be awake. `not`: that it is not, or that the check failed. */
  readonly says: 'awake' | 'not' | 'nothing';
  /** From when on it is said to have been awake. */
  readonly since: number;
}

/** @param words in the order of time */
function judged(sim: SimHost, words: readonly Word[], first: number, end: number): Result {
  const outages = sim.outages(end);
  const claims = words.filter(({ says }) => says === 'awake');
  const lies = claims.filter(({ at, since }) => outages.some(({ from, to }) => from < at && to > since));
  // One that is woken by the very ping that finds it is over when it is told.
  const lasting = outages.filter(({ from, to }) => Math.min(to, end) - from > MINUTE && from >= first);
  const told = lasting.map(({ from, to }) => {
    const heard = words.find(
      ({ at, says }) => says === 'not' && at >= from && at <= Math.max(to, from) + MINUTE,
    );
    return heard === undefined ? null : (heard.at - from) / MINUTE;
  });
  return {
    slept: outages.length,
    hours: outages.reduce((sum, { from, to }) => sum + Math.min(to, end) - from, 0) / HOUR,
    lies: lies.length,
    claims: claims.length,
    told: told.filter((minutes) => minutes !== null).sort((a, b) => a - b),
    untold: told.filter((minutes) => minutes === null).length,
  };
}

const noEvaluator: Evaluator = {
  search: () => Promise.resolve('broken'),
  groups: () => Promise.resolve('broken'),
  query: () => Promise.resolve('broken'),
};

const TIMINGS = { dns: 1, connect: 1, tls: null, ttfb: null };

/** One attempt at a simulated host, by a clock that moves as long as it takes. */
async function attempt(target: Target, sim: SimHost, clock: { now: number }): Promise<Attempt> {
  const answer = sim.request(clock.now);
  const timings = { ...TIMINGS, total: Math.min(answer.takes, target.timeout) };
  clock.now += timings.total;
  if (answer.takes > target.timeout) {
    const timeout = { outcome: 'failed', reason: 'timeout', message: 'timed out' } as const;
    return {
      ...timeout,
      statusCode: null,
      timings,
      tlsExpiresAt: null,
      origin: null,
      askFor: 0,
      word: null,
      reached: false,
    };
  }
  const { status, headers, body } = answer;
  const given = { at: clock.now, statusCode: status, body: null, latency: 0, tlsExpiresAt: null };
  const verdict = await judgeAnswer(target.assertions, given, noEvaluator);
  const { pathname, protocol } = new URL(target.url);
  const byAnswer = verdictOf(target.info.host, {
    ...{ protocol, path: pathname, statusCode: status, body },
    headers: new Map(Object.entries(headers)),
  });
  const asked = wantsWord(byAnswer) && sim.word ? HOSTS[target.info.host].word : null;
  const host = withWord(byAnswer, asked?.read(sim.word?.(clock.now)) ?? null) ?? byAnswer;
  const isGateway = GATEWAY.includes(status);
  return {
    ...withHostVerdict(verdict, host),
    ...{ statusCode: status, timings, tlsExpiresAt: null, origin: host.origin, askFor: host.askFor },
    word: null,
    reached: !isGateway && ['container', 'unknown', 'running'].includes(host.origin),
  };
}

/** Keepalive itself: due targets, checks, records, and what its page says after each run. */
async function keepalive(triggers: readonly number[], tick: number, end: number) {
  const sims = new Map(
    Object.entries(SIMULATORS).map(([name, Sim], i) => [name, new Sim(START, chanceOf(97 + i))]),
  );
  const ids = new Map([...sims.keys()].map((name, i) => [`t${i}`, name]));
  const urls = [...sims.values()].map(({ url }, i) => [`TARGET_T${i}_URL`, url]);
  const { targets } = configOf({
    ...(Object.fromEntries(urls) as Record<string, string>),
    KEEP_ALIVE_TICK: `${tick}ms`,
    KEEP_ALIVE_CONTROL_URLS: 'off',
  });
  const simOf = (id: string) => sims.get(ids.get(id) ?? '') ?? expect.unreachable();
  const books = new Books(tick, targets);
  const words = new Map<string, Word[]>([...ids.keys()].map((id) => [id, []]));
  const watch = { enabled: true, tick, targets };
  let now = START;
  let checksMade = 0;
  const awakeTime = new Map<string, number>();
  /** Stretches that were counted as awake, in part of which the app did not run. */
  const wronglyAwake: string[] = [];
  /** When the first checks were over: nothing is claimed of the time before. */
  let first: number | null = null;
  for (const trigger of triggers) {
    now = Math.max(now, trigger);
    const ledger = books.open(now);
    const due = chooseDue(targets, (target) => ledger.dueStateOf(target), tick, now);
    const checks: [string, Check][] = [];
    let over = now;
    for (const target of due) {
      const clock = { now };
      const prober: Prober = {
        attempt: (each) => attempt(each, simOf(each.info.id), clock),
        close: () => Promise.resolve(),
      };
      const check = await checkTarget(target, {
        ...{ at: now, prober, signal: new AbortController().signal, random: () => 0.5, now: () => clock.now },
        sleep: (ms) => {
          clock.now += ms;
          return Promise.resolve();
        },
      });
      if (check !== null) checks.push([target.info.id, check]);
      over = Math.max(over, clock.now);
    }
    checksMade += checks.length;
    books.commit(ledger, now, checks);
    now = Math.ceil(over);
    first ??= now;
    if (checks.length === 0) continue;
    const overview = await books.overview(now);
    for (const state of overview.state?.targets ?? []) {
      const checked = checks.find(([id]) => id === state?.id)?.[1];
      if (!state || checked === undefined) continue;
      const counted = state.counters.awake - (awakeTime.get(state.id) ?? 0);
      awakeTime.set(state.id, state.counters.awake);
      if (counted === 0) continue;
      const outages = simOf(state.id).outages(now);
      const from = checked.at - counted;
      if (outages.some((outage) => outage.from < checked.at && outage.to > from + ROUNDED))
        wronglyAwake.push(`${ids.get(state.id) ?? ''} ${counted}`);
    }
    const said = stats(watch, overview, now);
    for (const { id, awake, message } of said.targets) {
      // What becomes of it between two pings can only be known at the second.
      const check = checks.find(([checked]) => checked === id)?.[1];
      if (check === undefined) continue;
      const isNot = check.outcome === 'failed' || awake.keptAwake === false || message !== null;
      const says = awake.keptAwake === true ? 'awake' : isNot ? 'not' : 'nothing';
      words.get(id)?.push({ at: now, says, since: Math.max(now - DAY, first) });
    }
  }
  return {
    checksMade,
    wronglyAwake,
    results: new Map(
      [...ids].map(([id, name]) => [name, judged(simOf(id), words.get(id) ?? [], first ?? START, end)]),
    ),
  };
}

/** Others take a good ping for a proof that the app runs. */
const NAIVE: Readonly<Record<string, (answer: SimAnswer) => boolean>> = {
  'curl -f': ({ status }) => status < 400,
  'status 200': ({ status, takes }) => status === 200 && takes <= 30 * SECOND,
  keyword: ({ body, takes }) => /healthy|\bok\b/i.test(body) && takes <= 30 * SECOND,
};

function naive(
  isGood: (answer: SimAnswer) => boolean,
  triggers: readonly number[],
  end: number,
): Map<string, Result> {
  return new Map(
    Object.entries(SIMULATORS).map(([host, Sim], i) => {
      const sim = new Sim(START, chanceOf(97 + i));
      const words = triggers.map((trigger): Word => {
        const answer = sim.request(trigger);
        const at = trigger + Math.min(answer.takes, 30 * SECOND);
        return { at, says: isGood(answer) ? 'awake' : 'not', since: at };
      });
      return [host, judged(sim, words, (triggers[0] ?? START) + 5 * MINUTE, end)];
    }),
  );
}

/**
 * The version before: a status alone decided, a gateway's meant waking, and Railway, Render, Koyeb and Hugging Face were
 * said to be kept awake by any other answer.
 */
function before(triggers: readonly number[], end: number): Map<string, Result> {
  const LIMITS: Readonly<Record<string, number>> = {
    railway: 10 * MINUTE,
    render: 15 * MINUTE,
    'render, robots.txt': 15 * MINUTE,
    koyeb: HOUR,
    huggingface: 48 * HOUR,
  };
  return new Map(
    Object.entries(SIMULATORS).map(([host, Sim], i) => {
      const sim = new Sim(START, chanceOf(97 + i));
      const limit = new Map(Object.entries(LIMITS)).get(host) ?? null;
      let reachedAt: number | null = null;
      let since: number | null = null;
      let brokenAt = -Infinity;
      let dueAt = -Infinity;
      const words: Word[] = [];
      for (const trigger of triggers) {
        if (trigger < dueAt) continue;
        dueAt = trigger + (limit === null ? 5 * MINUTE : Math.min(12 * HOUR, limit / 2)) - MINUTE;
        let at = trigger;
        let answer = sim.request(at);
        let cold = false;
        while (
          (GATEWAY.includes(answer.status) || answer.takes > 10 * SECOND) &&
          at < trigger + 90 * SECOND
        ) {
          cold = true;
          at += Math.min(answer.takes, 10 * SECOND) + 2 * SECOND;
          answer = sim.request(at);
        }
        at += Math.min(answer.takes, 10 * SECOND);
        const isEdge = 'x-render-routing' in answer.headers || 'x-railway-fallback' in answer.headers;
        const isReached = !isEdge && !GATEWAY.includes(answer.status) && answer.takes <= 10 * SECOND;
        if (isReached) {
          const gap = reachedAt === null ? null : trigger - reachedAt;
          if (gap !== null && limit !== null && (gap >= limit || cold)) brokenAt = trigger;
          since = gap === null || brokenAt === trigger ? trigger : since;
          reachedAt = trigger;
        }
        const isKept =
          limit !== null &&
          reachedAt !== null &&
          since !== null &&
          trigger - since >= limit &&
          brokenAt < trigger - DAY &&
          trigger - reachedAt < limit;
        const isGood = answer.status >= 200 && answer.status < 300 && answer.takes <= 10 * SECOND;
        words.push({
          at,
          says: isKept ? 'awake' : isGood ? 'nothing' : 'not',
          since: Math.max(at - DAY, START),
        });
      }
      return [host, judged(sim, words, (triggers[0] ?? START) + 5 * MINUTE, end)];
    }),
  );
}

const median = (values: readonly number[]): string => {
  const value = values[Math.floor(values.length / 2)];
  return value === undefined ? '–' : value.toFixed(0);
};

/** `12 × 3.4 h; 0 of 2,100; 2–5 min`: slept how often and how long; wrongly said to be awake; told how soon. */
function cell({ slept, hours, claims, lies, told, untold }: Result): string {
  const soon = told.length === 0 ? '–' : `${median(told)}–${told.at(-1)?.toFixed(0) ?? ''} min`;
  const never = untold === 0 ? '' : `, ${untold} untold`;
  return `${slept} × ${hours.toFixed(1)} h; ${lies} of ${claims}; ${soon}${never}`;
}

/** What every pinger came to, by trigger. */
const TABLES = new Map<string, string>();

function tableOf(name: string, results: ReadonlyMap<string, ReadonlyMap<string, Result>>): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const whos = [...results.keys()];
  return [
    `#### Runs ${name}`,
    '',
    row(['host', ...whos]),
    row(['---', ...whos.map(() => '---')]),
    ...Object.keys(SIMULATORS).map((host) =>
      row([host, ...whos.map((who) => cell(results.get(who)?.get(host) ?? expect.unreachable()))]),
    ),
  ].join('\n');
}

const days = 30;

it.each(Object.entries(TRIGGERS))(
  `says of no host that it was kept awake while it slept: ${days} days, runs %s`,
  async (name, make) => {
    const end = START + days * DAY;
    const triggers = make(START, end, chanceOf(11)).map(Math.round);
    const tick = name === 'once a day' ? DAY : name === 'every 2 minutes' ? 2 * MINUTE : 15 * MINUTE;
    const { results, checksMade, wronglyAwake } = await keepalive(triggers, tick, end);
    const others = new Map([
      ...Object.entries(NAIVE).map(([who, isGood]) => [who, naive(isGood, triggers, end)] as const),
      ['version before', before(triggers, end)] as const,
    ]);
    const row = (host: string, who: string, { slept, hours, claims, lies, told, untold }: Result): string =>
      [
        host.padEnd(22),
        who.padEnd(15),
        String(slept).padStart(5),
        hours.toFixed(1).padStart(6),
        String(claims).padStart(7),
        String(lies).padStart(5),
        `${median(told)} / ${told.at(-1)?.toFixed(0) ?? '–'}`.padStart(12),
        String(untold).padStart(5),
      ].join(' ');
    const lines = [...results].flatMap(([host, result]) => [
      row(host, 'keepalive', result),
      ...[...others].map(([who, all]) => row('', who, all.get(host) ?? expect.unreachable())),
    ]);
    console.log(
      [
        `${days} days, runs ${name}: ${triggers.length} runs, ${checksMade} checks`,
        `${'host'.padEnd(22)} ${'who'.padEnd(15)} slept  hours   "awake" lies told med/max untold`,
        ...lines,
      ].join('\n'),
    );
    TABLES.set(name, tableOf(name, new Map([['keepalive', results], ...others])));
    expect([...results].filter(([, { lies }]) => lies > 0).map(([host]) => host)).toEqual([]);
    expect(wronglyAwake).toEqual([]);
    // Where runs come often enough, what can be proven is proven.
    if (name === 'every 2 minutes') {
      for (const host of ['render', 'railway', 'koyeb'])
        expect(results.get(host)?.claims).toBeGreaterThan(checksMade / 100);
    }
  },
  600_000,
);

const BEGIN = '<!-- made by test/run/host-sims.test.ts -->';
const END = '<!-- end of host-sims -->';

/** `UPDATE_DOCS=1` writes the tables instead of comparing them. */
it('docs/measurements.md has these tables', async () => {
  const path = join(ROOT, 'docs/measurements.md');
  const before = readFileSync(path, 'utf8');
  const [start = '', rest = ''] = before.split(BEGIN);
  const [, ...end] = rest.split(END);
  const tables = [...TABLES.values()].join('\n\n');
  const options = await resolveConfig(path);
  const after = await format([start, BEGIN, '\n\n', tables, '\n\n', END, end.join(END)].join(''), {
    ...options,
    filepath: path,
  });
  if (process.env.UPDATE_DOCS === '1') writeFileSync(path, after);
  else expect(before).toBe(after);
});
