import type { Attempt } from '../../lib/types.js';
import { FAILED, GOOD } from './runs.js';

/** How a platform answers while a host wakes. */
export const WAKING: Readonly<Record<string, Attempt>> = {
  '503': FAILED,
  '502': { ...FAILED, statusCode: 502, message: 'status 502, expected 200-299' },
  '504': { ...FAILED, statusCode: 504, message: 'status 504, expected 200-299' },
  'a sleeping page': {
    ...FAILED,
    reason: 'host',
    statusCode: 200,
    message: 'the host says that it sleeps',
    origin: 'asleep',
  },
  hang: { ...FAILED, reason: 'timeout', message: 'timed out waiting for the answer', statusCode: null },
  reset: { ...FAILED, reason: 'reset', message: 'connection reset', statusCode: null },
  refused: { ...FAILED, reason: 'connect', message: 'connection refused', statusCode: null },
};

/** A host that falls asleep after a time without requests, and takes a while to wake at the next one. */
export class Sleeper {
  sleptTimes = 0;
  private lastRequestAt: number;
  private awakeFrom: number;

  constructor(
    private readonly sleepsAfter: number,
    private readonly wakesIn: number,
    private readonly clock: { readonly now: number; sleep(ms: number): Promise<void> },
    private readonly answer: Attempt = FAILED,
  ) {
    this.lastRequestAt = clock.now;
    this.awakeFrom = clock.now;
  }

  async request(): Promise<Attempt> {
    const { now } = this.clock;
    if (now - this.lastRequestAt > this.sleepsAfter) {
      this.sleptTimes += 1;
      this.awakeFrom = now + this.wakesIn;
    }
    this.lastRequestAt = now;
    if (now >= this.awakeFrom) return GOOD;
    if (this.answer.reason === 'timeout') await this.clock.sleep(10_000);
    return this.answer;
  }
}
