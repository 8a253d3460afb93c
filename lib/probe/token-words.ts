import { type ApiAnswer, type ApiQuestion, type HostSaid, type HostVerdict } from '../rules/host.js';
import { HOSTS, isAskDue } from '../rules/hosts.js';
import { SECOND } from '../time.js';
import type { HostWord, Target } from '../types.js';
import { Deadline } from './deadline.js';
import { jsonOf, requestOfHost, type HostClient } from './host-request.js';

/** Ms for all questions of one word. */
const TIMEOUT = 5 * SECOND;
/** Bytes of an answer that are read at most: a list of a hundred apps. */
const MAX_BODY = 1024 * 1024;
/** Questions for one word at most. */
const MOST_QUESTIONS = 5;
/** Targets whose words are kept. */
const KEPT = 1_000;

const SILENT: HostSaid = { says: 'silent', message: null };

/** What another process was told, and the clock of the run: that of the store, which this process's own may be off from. */
export interface KnownWord {
  readonly word: HostWord | null;
  readonly now: () => number;
}

/** Asks the API of a target's host, with HOST_TOKEN, what it says of the app. Its failure is none of the target's. */
export class TokenWords {
  /** What this process was told, by target. */
  readonly #words = new Map<string, HostWord>();

  constructor(private readonly client: HostClient) {}

  /**
   * What the host last said, after asking it again where that is due. Never rejects.
   * @param verdict of the answer; null: nobody answered
   * @returns null: it is not asked
   */
  async of(
    target: Target,
    { word: stored, now }: KnownWord,
    verdict: HostVerdict | null,
    signal: AbortSignal,
  ): Promise<HostWord | null> {
    const { info, hostToken, timeout } = target;
    const question = hostToken && HOSTS[info.host].api?.ask(new URL(target.url), hostToken.value);
    if (!question) return null;
    const own = this.#words.get(info.id) ?? null;
    const known = own === null || (stored !== null && stored.at > own.at) ? stored : own;
    if (known !== null && !isAskDue(known, verdict, now())) return known;
    const said = await this.ask(question, Math.min(TIMEOUT, timeout), signal);
    if (signal.aborted) return known;
    const { says, message } = said;
    const word: HostWord = { at: now(), says, message };
    this.#words.delete(info.id);
    this.#words.set(info.id, word);
    for (const oldest of this.#words.keys()) {
      if (this.#words.size <= KEPT) break;
      this.#words.delete(oldest);
    }
    return word;
  }

  private async ask(first: ApiQuestion, timeout: number, signal: AbortSignal): Promise<HostSaid> {
    const deadline = new Deadline(timeout, signal);
    try {
      let next: ApiAnswer = first;
      for (let asked = 0; 'read' in next; asked += 1) {
        if (asked === MOST_QUESTIONS) return SILENT;
        next = await this.answer(next, deadline);
      }
      return next;
    } finally {
      deadline.close();
    }
  }

  private async answer(
    { address, method, headers, body, read }: ApiQuestion,
    deadline: Deadline,
  ): Promise<ApiAnswer> {
    const request = { address, method, headers, body, maxBody: MAX_BODY };
    const answer = await requestOfHost(this.client, request, deadline);
    switch (answer?.statusCode) {
      case 200:
        return read(await jsonOf(answer, MAX_BODY));
      case 401:
      case 403:
        return { says: 'refused', message: null };
      case 404:
        return { says: 'not_found', message: null };
      case undefined:
      default:
        return SILENT;
    }
  }
}
