import { setTimeout as delay } from 'node:timers/promises';
import * as z from '#zod';
import type { Config } from '../config/config.js';
import { createProber, type ProberOptions } from '../probe/probe.js';
import { MINUTE } from '../time.js';
import type { Attempt, Target } from '../types.js';
import { targetOf } from './question.js';

/** What a peer answers. Null: it has no opinion, and from where it looked where it says so. */
export interface PeerAnswer {
  readonly isWell: boolean | null;
  readonly place: string | null;
}

/** Attempts for others under way at once, and in a minute. */
const MOST_AT_ONCE = 20;
const MOST_A_MINUTE = 500;

const ANSWER = z.strictObject({
  isWell: z.nullable(z.boolean()),
  place: z.nullable(z.string().check(z.refine((text) => /^[a-z0-9-]{1,20}$/.test(text)))),
});

/** Null for what is no answer. */
export function readAnswer(content: unknown): PeerAnswer | null {
  return ANSWER.safeParse(content).data ?? null;
}

/** `busy`: too many are asked for. `invalid`: what is asked is no question. */
export type Refusal = 'busy' | 'invalid';

/** Ms until the second attempt. */
const RETRY_DELAY = 250;

/**
 * Makes attempts for peers with a prober of its own, which connects to public addresses alone. Where the first attempt fails
 * early, there is a second one within the same time limit.
 */
export class PeerProber {
  private readonly prober;
  private underWay = 0;
  private minute = { at: 0, count: 0 };

  constructor(
    private readonly config: Pick<Config, 'peers' | 'publicUrl'>,
    options: ProberOptions = {},
  ) {
    this.prober = createProber({ contact: config.publicUrl, ...options, onlyPublic: true });
  }

  /**
   * @param content a question; null: whether this peer answers at all
   * @param now ms since the epoch
   */
  async answer(content: unknown, now: number): Promise<PeerAnswer | Refusal> {
    const place = this.config.peers.region;
    const target = content === null ? null : targetOf(content);
    if (target === null && content !== null) return 'invalid';
    const at = Math.floor(now / MINUTE);
    if (this.minute.at !== at) this.minute = { at, count: 0 };
    if (this.underWay >= MOST_AT_ONCE || this.minute.count >= MOST_A_MINUTE) return 'busy';
    this.minute.count += 1;
    this.underWay += 1;
    try {
      return { isWell: target === null ? null : await this.isWell(target), place };
    } finally {
      this.underWay -= 1;
    }
  }

  close(): Promise<void> {
    return this.prober.close();
  }

  private async isWell(target: Target): Promise<boolean | null> {
    const { signal } = new AbortController();
    const startedAt = performance.now();
    const first = wellness(await this.prober.attempt(target, signal));
    if (first !== false) return first;
    await delay(RETRY_DELAY);
    const left = Math.floor(target.timeout - (performance.now() - startedAt));
    if (left < target.timeout / 2) return first;
    return wellness(await this.prober.attempt({ ...target, timeout: left }, signal));
  }
}

/** What is not connected to tells nothing of the target: its address may be private here, or lead to a private one. */
function wellness({ outcome, reason }: Attempt): boolean | null {
  if (reason === 'blocked') return null;
  return outcome !== 'failed';
}
