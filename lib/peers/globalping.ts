import { isIP } from 'node:net';
import * as z from '#zod';
import { isPublicName } from '../config/host-defaults.js';
import type { Send, ServiceAnswer } from '../deliver/send.js';
import { createEvaluator } from '../probe/evaluator.js';
import { isPublicAddress } from '../probe/public-address.js';
import { needsBody, judgeAnswer, type Evaluator } from '../rules/assertions.js';
import { verdictOf, withHostVerdict } from '../rules/hosts.js';
import { CONTINENTS, TESTS_A_QUESTION, type Opinion } from '../rules/opinions.js';
import { HOUR, MINUTE, SECOND } from '../time.js';
import type { HttpTarget, Target } from '../types.js';
import { waitFor } from './wait.js';

/**
 * Globalping: thousands of probes of volunteers all over the world, which anybody may ask, each hour so often.
 * https://globalping.io/docs/api.globalping.io
 */
const GLOBALPING_API = 'https://api.globalping.io/v1';

/** From where a target is looked at: one probe in each. */
const PLACES = CONTINENTS.map((continent) => ({ continent }));
/** Ms until the first look at a measurement, and between two looks: more than two a second are refused. */
const FIRST_LOOK = SECOND;
const NEXT_LOOK = 600;
/** Seconds that a probe may be given, by the documentation. */
const TIMEOUTS = { least: 5, most: 30 };
/** Bytes of an answer: three results with 10 KB of body each, quoted as JSON, and as much of raw output. */
const LARGEST_ANSWER = 512 * 1024;
/** Ms without another question where Globalping does not say how many tests are left. */
const PAUSE = MINUTE;
/** Characters of a city's name that are shown. */
const LONGEST_CITY = 30;

const CREATED = z.object({ id: z.string().check(z.refine((id) => /^[\w-]{1,100}$/.test(id))) });
const LIMITS = z.object({
  rateLimit: z.object({
    measurements: z.object({
      create: z.object({ limit: z.number(), remaining: z.number(), reset: z.number() }),
    }),
  }),
});
const NUMBER = z.optional(z.nullable(z.number()));
const RESULT = z.object({
  probe: z.object({ city: z.optional(z.string()), country: z.optional(z.string()) }),
  result: z.object({
    status: z.string(),
    failureSource: z.optional(z.string()),
    statusCode: NUMBER,
    headers: z.optional(z.record(z.string(), z.unknown())),
    rawBody: z.optional(z.nullable(z.string())),
    truncated: z.optional(z.boolean()),
    timings: z.optional(z.object({ total: NUMBER })),
    tls: z.optional(z.nullable(z.object({ authorized: z.optional(z.boolean()) }))),
  }),
});
const MEASUREMENT = z.object({ status: z.string(), results: z.array(RESULT) });

type Result = z.output<typeof RESULT>;

/** How many tests are left until when. */
export interface TestsLeft {
  readonly limit: number;
  readonly remaining: number;
}

/**
 * Why Globalping is not asked about a target; null: it is. What is sent there anybody may read who learns of it: it is what
 * everybody sees of the target on its page, and no more.
 */
export function unasked(target: Target): string | null {
  const { protocol, url, info } = target;
  if (protocol !== 'http:' && protocol !== 'https:') return 'not HTTP';
  const { method, headers, body } = target.request;
  if (method !== 'GET' && method !== 'HEAD') return `METHOD ${method}`;
  if (Object.keys(headers).length > 0) return 'HEADERS or a password';
  if (body !== null) return 'BODY';
  if (target.clientCertificate !== null) return 'TLS_CLIENT_CERT';
  if (info.show !== 'all') return 'an address that is not shown';
  const { search, hostname } = new URL(url);
  if (search !== '') return 'a query string';
  const name = hostname.replace(/^\[|\]$/g, '');
  const isPublic = isIP(name) === 0 ? isPublicName(name) : isPublicAddress(name);
  return isPublic ? null : 'not on the internet';
}

export interface GlobalpingOptions {
  readonly send: Send;
  /** Ms since the epoch. */
  readonly now: () => number;
  /** For tests: waits between two looks. */
  readonly sleep?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Asks Globalping, within what it gives for nothing. */
export class Globalping {
  private readonly allowance: Allowance;
  private readonly evaluator: Evaluator = createEvaluator();

  constructor(
    private readonly token: string | null,
    private readonly options: GlobalpingOptions,
  ) {
    this.allowance = new Allowance((signal) => this.testsLeft(signal), options.now);
  }

  /** Up to three opinions; none where the target cannot be asked about, or where nothing is left. Never rejects. */
  async ask(target: Target, signal: AbortSignal): Promise<readonly Opinion[]> {
    if (unasked(target) !== null) return [];
    const asked = target as HttpTarget;
    try {
      if (!(await this.allowance.take(TESTS_A_QUESTION, signal))) return [];
      const id = await this.create(asked, signal);
      if (id === null) return [];
      const results = await this.results(id, signal);
      const opinions = await Promise.all(results.map((result) => this.opinionOf(asked, result)));
      return opinions.flatMap((opinion) => opinion ?? []);
    } catch {
      return [];
    }
  }

  /** What is left of the hour's tests, as Globalping says. @throws Error with what it answered instead */
  async testsLeft(signal: AbortSignal): Promise<TestsLeft & { readonly resetIn: number }> {
    const answer = await this.request('GET', '/limits', null, signal);
    const found = LIMITS.safeParse(jsonOf(answer.text)).data?.rateLimit.measurements.create;
    if (answer.status !== 200 || found === undefined) throw new Error(`it answers ${answer.status}`);
    const { limit, remaining, reset } = found;
    return { limit, remaining, resetIn: reset <= 0 ? HOUR : reset * SECOND };
  }

  private async create(target: HttpTarget, signal: AbortSignal): Promise<string | null> {
    const { protocol, hostname, port, pathname } = new URL(target.url);
    const answer = await this.request(
      'POST',
      '/measurements',
      {
        type: 'http',
        target: hostname.replace(/^\[|\]$/g, ''),
        locations: PLACES,
        timeout: Math.min(TIMEOUTS.most, Math.max(TIMEOUTS.least, Math.ceil(target.timeout / SECOND))),
        measurementOptions: {
          protocol: protocol === 'https:' ? 'HTTPS' : 'HTTP',
          port: port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port),
          request: { method: target.request.method, path: pathname },
        },
      },
      signal,
    );
    this.allowance.onAnswer(answer);
    return answer.status === 202 ? (CREATED.safeParse(jsonOf(answer.text)).data?.id ?? null) : null;
  }

  /** What has come of a measurement when it is finished, or when the signal fires. */
  private async results(id: string, signal: AbortSignal): Promise<readonly Result[]> {
    let results: readonly Result[] = [];
    const wait = this.options.sleep ?? waitFor;
    await wait(FIRST_LOOK, signal);
    while (!signal.aborted) {
      const answer = await this.request('GET', `/measurements/${id}`, null, signal).catch(() => null);
      const found = answer?.status === 200 ? MEASUREMENT.safeParse(jsonOf(answer.text)).data : undefined;
      results = found?.results ?? results;
      if (found !== undefined && found.status !== 'in-progress') break;
      await wait(NEXT_LOOK, signal);
    }
    return results.slice(0, TESTS_A_QUESTION);
  }

  private request(method: string, path: string, body: unknown, signal: AbortSignal): Promise<ServiceAnswer> {
    const headers = {
      'user-agent': 'keepalive/0.1 (uptime check)',
      accept: 'application/json',
      ...(body === null ? {} : { 'content-type': 'application/json' }),
      ...(this.token === null ? {} : { authorization: `Bearer ${this.token}` }),
    };
    const text = body === null ? null : JSON.stringify(body);
    const url = GLOBALPING_API + path;
    return this.options.send({ url, method, headers, body: text, maxAnswer: LARGEST_ANSWER }, signal);
  }

  /** By the target's own rules, as far as the result carries what they need; null: no opinion. */
  private async opinionOf(target: HttpTarget, { probe, result }: Result): Promise<Opinion | null> {
    const isWell = await this.isWell(target, result);
    return isWell === null ? null : { place: placeOf(probe), isWell };
  }

  private async isWell(target: HttpTarget, result: Result['result']): Promise<boolean | null> {
    const { status, failureSource, statusCode = null, rawBody = null, truncated = false, tls } = result;
    // Of other failures nobody knows whether the target had a part in them.
    if (status === 'failed') return failureSource === 'target' ? false : null;
    if (status !== 'finished' || statusCode === null) return null;
    const headers = headersOf(result.headers ?? {});
    // It follows no redirects.
    if (target.maxRedirects > 0 && REDIRECTS.has(statusCode) && headers.has('location')) return null;
    if (target.tlsVerify && tls?.authorized === false) return false;
    const latency = result.timings?.total ?? 0;
    if (latency > target.timeout) return false;
    const text = rawBody ?? '';
    const judged = await judgeAnswer(
      target.assertions,
      {
        at: this.options.now(),
        statusCode,
        body: needsBody(target.assertions) ? { text, cut: truncated } : null,
        latency,
        tlsExpiresAt: null,
      },
      this.evaluator,
    );
    const { pathname: path, protocol } = new URL(target.url);
    const body = truncated ? null : text;
    const host = verdictOf(target.info.host, { protocol, path, statusCode, headers, body });
    const verdict = target.info.host === 'none' ? judged : withHostVerdict(judged, host);
    if (verdict.outcome !== 'failed') return true;
    // Of a body, it keeps the first 10 KB, and reads all as UTF-8.
    const isOfBody = verdict.reason === 'body' || verdict.reason === 'json' || verdict.reason === 'too_large';
    return isOfBody && (truncated || text.includes('\ufffd')) ? null : false;
  }
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** How many tests are left in the hour, as far as this process knows. */
class Allowance {
  private left = 0;
  private knownUntil = 0;
  private asking: Promise<void> | null = null;

  constructor(
    private readonly read: (signal: AbortSignal) => Promise<TestsLeft & { readonly resetIn: number }>,
    private readonly now: () => number,
  ) {}

  /** Whether so many are left, which then are taken. With a token, more of them would be paid for with its credits. */
  async take(count: number, signal: AbortSignal): Promise<boolean> {
    if (this.now() >= this.knownUntil) {
      this.asking ??= this.refresh(signal).finally(() => (this.asking = null));
      await this.asking;
    }
    if (this.left < count) return false;
    this.left -= count;
    return true;
  }

  /** What an answer says of what is left. */
  onAnswer({ status, headers }: ServiceAnswer): void {
    const remaining = numberIn(headers['x-ratelimit-remaining']);
    const reset = numberIn(headers['x-ratelimit-reset']);
    // Of other answers only this target is the cause.
    const isRefused = status === 401 || status === 403 || status === 429 || status >= 500;
    if (isRefused) this.left = 0;
    else if (remaining !== null) this.left = Math.min(this.left, remaining);
    if (reset !== null && reset > 0) this.knownUntil = this.now() + Math.min(HOUR, reset * SECOND);
    else if (isRefused) this.knownUntil = this.now() + PAUSE;
  }

  private async refresh(signal: AbortSignal): Promise<void> {
    try {
      const { remaining, resetIn } = await this.read(signal);
      this.left = remaining;
      this.knownUntil = this.now() + Math.min(HOUR, resetIn);
    } catch {
      this.left = 0;
      this.knownUntil = this.now() + PAUSE;
    }
  }
}

function numberIn(value: unknown): number | null {
  return typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : null;
}

/** By name in lower case; several of one name with line feeds between. */
function headersOf(found: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(found).flatMap(([name, value]) => {
      const texts = (Array.isArray(value) ? value : [value]).filter((text) => typeof text === 'string');
      return texts.length === 0 ? [] : [[name.toLowerCase(), texts.join('\n')] as const];
    }),
  );
}

/** What the public reads: a city, or where its name is odd a country. */
function placeOf({ city = '', country = '' }: Result['probe']): string {
  if (city.length <= LONGEST_CITY && /^\p{L}[\p{L}\p{M}'. -]*$/u.test(city)) return city;
  return /^[A-Z]{2}$/.test(country) ? country : 'elsewhere';
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
