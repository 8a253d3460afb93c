import type { HostVerdict } from '../rules/host.js';
import { HOSTS } from '../rules/hosts.js';
import { MINUTE, SECOND } from '../time.js';
import type { Target } from '../types.js';
import { Cookies } from './cookies.js';
import { Deadline } from './deadline.js';
import type { ExchangeResponse } from './exchange.js';
import { jsonOf, requestOfHost, type HostClient } from './host-request.js';

/** Ms for one question. */
const TIMEOUT = 5 * SECOND;
/** Bytes of an answer that are read at most. */
const MAX_BODY = 64 * 1024;
/** How long a host's word is taken for true, ms: no host is asked more often, however often its apps are checked. */
const GOOD_FOR: Readonly<Record<HostVerdict['origin'] | 'nothing', number>> = {
  running: 10 * MINUTE,
  // While it wakes, the next attempts want to know.
  asleep: 10 * SECOND,
  unwakeable: MINUTE,
  nothing: 10 * MINUTE,
  container: 0,
  unknown: 0,
  edge: 0,
};
/** How long an app that its host called asleep counts as asleep while the host says nothing more, ms. */
const ASLEEP_FOR = 10 * MINUTE;
/** Between two requests to wake one app, ms. */
const RESUME_AGAIN = 10 * MINUTE;
/** Apps whose words are kept. */
const KEPT = 1_000;

interface Word {
  /** When the host was asked. */
  readonly at: number;
  /** When it said what the verdict is made of. */
  readonly saidAt: number;
  readonly verdict: HostVerdict | null;
  readonly resumedAt: number | null;
}

/**
 * Asks hosts what they say of an app without a token (`word` of a host's row), seldom, and wakes it where the host has a way to. Such
 * addresses may change or go away at any time: what they do not answer is not known, and fails no check.
 */
export class HostWords {
  readonly #words = new Map<string, Word>();

  constructor(
    private readonly client: HostClient,
    private readonly now: () => number,
  ) {}

  /** What the host says; null: it has no such word, or did not give one. Never rejects. */
  async ask(target: Target, signal: AbortSignal): Promise<HostVerdict | null> {
    const { word } = HOSTS[target.info.host];
    if (word === null) return null;
    const url = new URL(target.url);
    const address = word.address(url);
    if (address === null) return null;
    const known = this.#words.get(url.host);
    const age = known === undefined ? Infinity : Math.abs(this.now() - known.at);
    if (known !== undefined && age < GOOD_FOR[known.verdict?.origin ?? 'nothing']) return known.verdict;
    const answer = await this.request(address, 'GET', {}, signal);
    const said = answer?.statusCode === 200 ? word.read(await jsonOf(answer, MAX_BODY)) : null;
    const isStillAsleep =
      said === null && known?.verdict?.origin === 'asleep' && this.now() - known.saidAt < ASLEEP_FOR;
    const verdict = isStillAsleep ? known.verdict : said;
    let resumedAt = known?.resumedAt ?? null;
    const mayResume = resumedAt === null || this.now() - resumedAt >= RESUME_AGAIN;
    if (said?.origin === 'asleep' && word.resume !== null && answer !== null && mayResume) {
      resumedAt = this.now();
      await this.resume(word.resume(url), answer, signal);
    }
    this.#words.delete(url.host);
    const at = this.now();
    this.#words.set(url.host, { at, saidAt: isStillAsleep ? known.saidAt : at, verdict, resumedAt });
    for (const oldest of this.#words.keys()) {
      if (this.#words.size <= KEPT) break;
      this.#words.delete(oldest);
    }
    return verdict;
  }

  /** Presses the button that the host shows to visitors. */
  private async resume(address: URL, { headers }: ExchangeResponse, signal: AbortSignal): Promise<void> {
    const token = headers.get('x-csrf-token');
    const cookies = new Cookies();
    await cookies.take(headers, address);
    const own = token === undefined ? {} : { 'x-csrf-token': token };
    await this.request(address, 'POST', cookies.withCookies(own, address), signal);
  }

  private async request(
    address: URL,
    method: 'GET' | 'POST',
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<ExchangeResponse | null> {
    const deadline = new Deadline(TIMEOUT, signal);
    try {
      const request = { address, method, headers, body: null, maxBody: MAX_BODY };
      return await requestOfHost(this.client, request, deadline);
    } finally {
      deadline.close();
    }
  }
}
