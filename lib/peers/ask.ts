import type { Config } from '../config/config.js';
import { DeliveryError } from '../deliver/channel.js';
import type { Send, ServiceAnswer } from '../deliver/send.js';
import { TRAVEL, type Opinion } from '../rules/opinions.js';
import type { Target } from '../types.js';
import { waitFor } from './wait.js';
import type { PeerReading } from '../rules/peer-watch.js';
import { readAnswer, type PeerAnswer } from './answer.js';
import { errorIn } from './error-answer.js';
import { Globalping } from './globalping.js';
import { readingOf } from './health.js';
import { questionOf } from './question.js';
import { open, seal } from './token.js';

/** Where peers answer. */
const PROBE_PATH = '/api/probe';
/** Where they say how they are. */
const HEALTH_PATH = '/api/health';

/** Questions to one peer under way at once, in a process: a peer takes twice as many, and others may ask it too. */
const MOST_AT_ONCE = 10;
/** Ms until a peer that has too much to do is asked again; doubled each time. */
const BUSY_DELAY = 500;
/** Bytes that a peer takes at most, and its answer at most. */
const LARGEST_QUESTION = 60 * 1024;
const LARGEST_ANSWER = 4 * 1024;
/** The same of its health, which names ten targets at most, and every channel and host. */
const LARGEST_HEALTH = 64 * 1024;
/** Characters of a peer's host that are shown. */
const LONGEST_PLACE = 40;

/** What became of asking one peer. */
export type Asked =
  | { readonly problem: null; readonly answer: PeerAnswer; readonly skew: number; readonly tookMs: number }
  /** In words, without the peer's name. `isBusy`: it has too much to do, and may be asked again. */
  | { readonly problem: string; readonly isBusy?: true };

export interface Peers {
  /**
   * What the peers say of a target that failed here, those that answer in time: all are asked at once, and each makes one
   * attempt; Globalping makes three. Empty where nobody can be asked. Never rejects.
   */
  ask(target: Target, signal: AbortSignal): Promise<readonly Opinion[]>;
  /** The hosts of those whose health can be read. */
  readonly watched: readonly string[];
  /** Reads the health of one of them within so many ms. Never rejects. */
  readHealth(peer: string, limit: number, signal: AbortSignal): Promise<PeerReading>;
}

const NO_SUCH_PEER: PeerReading = { kind: 'silent', message: 'there is no such peer' };

export const NO_PEERS: Peers = {
  ask: () => Promise.resolve([]),
  watched: [],
  readHealth: () => Promise.resolve(NO_SUCH_PEER),
};

export interface PeersOptions {
  readonly send: Send;
  /** Ms since the epoch. */
  readonly now: () => number;
  /** Of this installation; null: it is not told. */
  readonly installation?: string | null;
}

export function createPeers({ urls, secret, globalping }: Config['peers'], options: PeersOptions): Peers {
  const peers = secret === null ? [] : urls.map((url) => new Peer(url, secret, options));
  const others = globalping === null ? [] : [new Globalping(globalping.token, options)];
  if (peers.length + others.length === 0) return NO_PEERS;
  const turns = new Turns(MOST_AT_ONCE);
  const byHost = new Map(peers.map((peer) => [peer.host, peer]));
  return {
    watched: [...byHost.keys()],
    async readHealth(peer, limit, signal) {
      const { ended, end } = endingAfter(limit, signal);
      const reading = await byHost.get(peer)?.health(ended);
      end();
      return reading ?? NO_SUCH_PEER;
    },
    async ask(target, signal) {
      const question = peers.length === 0 ? null : questionOf(target);
      const { ended, end } = endingAfter(target.timeout + TRAVEL, signal);
      const inTurn = (asking: () => Promise<readonly Opinion[]>) => (): Promise<readonly Opinion[]> =>
        ended.aborted ? Promise.resolve([]) : asking();
      const opinions = await Promise.all([
        ...(question === null ? [] : peers).map((peer) =>
          peer.turns.take(
            inTurn(async () => {
              const found = await peer.askPatiently(question, ended);
              return found.problem === null ? opinionOf(found.answer, peer.name) : [];
            }),
          ),
        ),
        ...others.map((other) => turns.take(inTurn(() => other.ask(target, ended)))),
      ]);
      end();
      return opinions.flat();
    },
  };
}

function opinionOf({ isWell, place }: PeerAnswer, name: string): readonly Opinion[] {
  return isWell === null ? [] : [{ place: place ?? name, isWell }];
}

/** One other installation. */
export class Peer {
  readonly host: string;
  readonly turns = new Turns(MOST_AT_ONCE);
  /** Its host, as people read it. */
  readonly name: string;
  /** Ms by which its clock is ahead of ours, as far as it had to say so. */
  private skew = 0;

  constructor(
    private readonly url: string,
    private readonly secret: string,
    private readonly options: PeersOptions,
  ) {
    this.host = new URL(url).host;
    this.name = this.host.slice(0, LONGEST_PLACE);
  }

  /** Never rejects. @param content a question; null: whether it answers at all */
  async ask(content: unknown, signal: AbortSignal): Promise<Asked> {
    try {
      const first = await this.askOnce(content, signal);
      if (first !== 'clock') return first;
      const again = await this.askOnce(content, signal);
      return again === 'clock' ? { problem: 'it does not say what time it has' } : again;
    } catch (error) {
      return { problem: error instanceof Error ? error.message : 'it cannot be asked' };
    }
  }

  /** The same, and again while the peer has too much to do. */
  async askPatiently(content: unknown, signal: AbortSignal): Promise<Asked> {
    for (let delay = BUSY_DELAY; ; delay *= 2) {
      const asked = await this.ask(content, signal);
      if (asked.problem === null || asked.isBusy !== true || signal.aborted) return asked;
      await waitFor(delay, signal);
    }
  }

  /** Reads its health, which says whether its runs come. Never rejects. */
  async health(signal: AbortSignal): Promise<PeerReading> {
    try {
      const answer = await this.readHealth(signal);
      const ahead = skewIn(answer, this.options.now());
      if (answer.status !== 401 || ahead === this.skew) return this.readingOf(answer, ahead);
      // Our token was of another time than it has.
      this.skew = ahead;
      return this.readingOf(await this.readHealth(signal), ahead);
    } catch (error) {
      return {
        kind: 'silent',
        message: error instanceof DeliveryError ? error.message : 'it cannot be asked',
      };
    }
  }

  private readingOf(answer: ServiceAnswer, ahead: number): PeerReading {
    return readingOf(answer, { now: this.options.now(), ahead });
  }

  /** With a token, which says who asks, and that we may read it where STATS_TOKEN is set. */
  private async readHealth(signal: AbortSignal): Promise<ServiceAnswer> {
    const { secret, skew } = this;
    const { send, now, installation: from = null } = this.options;
    const { token } = await seal(null, { secret, purpose: 'health', time: now() + skew, from });
    const headers = { accept: 'application/json', authorization: `Bearer ${token}` };
    const url = this.url + HEALTH_PATH;
    return send({ url, method: 'GET', headers, body: null, maxAnswer: LARGEST_HEALTH }, signal);
  }

  /** `clock`: its time is another than we thought, and we know it now. */
  private async askOnce(content: unknown, signal: AbortSignal): Promise<Asked | 'clock'> {
    const { secret, skew } = this;
    const { send, now, installation: from = null } = this.options;
    const { token, id } = await seal(content, { secret, purpose: 'request', time: now() + skew, from });
    if (token.length > LARGEST_QUESTION) return { problem: 'the request is too large' };
    const startedAt = performance.now();
    const answer = await send(
      {
        url: this.url + PROBE_PATH,
        method: 'POST',
        headers: { 'content-type': 'application/jwt', accept: 'application/jwt, application/json' },
        body: token,
        maxAnswer: LARGEST_ANSWER,
      },
      signal,
    );
    const tookMs = Math.round(performance.now() - startedAt);
    if (answer.status !== 200) return this.refusal(answer);
    const opened = await open(answer.text.trim(), { secret, purpose: 'answer', now: now() + skew });
    if (opened.problem !== null) return { problem: 'its answer is not made with our KEEP_ALIVE_PEER_SECRET' };
    const said = opened.id === id ? readAnswer(opened.content) : null;
    if (said === null) return { problem: 'its answer is to another question' };
    return { problem: null, answer: said, skew, tookMs };
  }

  private refusal({ status, headers, text }: ServiceAnswer): Asked | 'clock' {
    const { code, message } = errorIn(text);
    if (code === 'clock_differs') {
      const date = dateOf(headers);
      if (date !== null) {
        this.skew = date - this.options.now();
        return 'clock';
      }
    }
    if (status === 404) return { problem: 'it answers 404: it has no KEEP_ALIVE_PEER_SECRET, or is too old' };
    return {
      problem: `it answers ${status}${message === null ? '' : `: ${message}`}`,
      ...(status === 429 ? { isBusy: true } : {}),
    };
  }
}

/** Ms since the epoch; null: the head of the answer does not say. */
function dateOf({ date }: ServiceAnswer['headers']): number | null {
  const time = Date.parse(typeof date === 'string' ? date : '');
  return Number.isFinite(time) ? time : null;
}

/** Ms by which the clock of who answered is ahead, as far as the head of the answer says; it has whole seconds. */
function skewIn({ headers }: ServiceAnswer, now: number): number {
  const date = dateOf(headers);
  return date === null || Math.abs(date - now) < 2_000 ? 0 : date - now;
}

/** A signal that fires after so many ms, or with another. */
function endingAfter(ms: number, signal: AbortSignal): { ended: AbortSignal; end: () => void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const timer = setTimeout(abort, ms);
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const end = (): void => {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  };
  return { ended: controller.signal, end };
}

/** Lets so many do something at once; the others wait for their turn. */
class Turns {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(most: number) {
    this.free = most;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free -= 1;
    else await new Promise<void>((resolve) => this.waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.free += 1;
      else next();
    }
  }
}
