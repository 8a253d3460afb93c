/**
 * What free plans allow. From the vendors' pages of 2026-11: https://upstash.com/pricing/redis,
 * https://upstash.com/pricing/qstash, https://vercel.com/docs/functions/usage-and-pricing. Facts of this kind go stale:
 * they stand here and nowhere else, but for the hosts' own (hosts.ts).
 */

/** Commands a month of Upstash Redis. */
export const FREE_COMMANDS = 500_000;

/** Deliveries a day of QStash; each attempt counts. */
export const FREE_MESSAGES_A_DAY = 1_000;

/** Of Vercel's Hobby plan, a month. */
export const HOBBY = {
  invocations: 1_000_000,
  /** Instance memory times the time from the first byte in to the last byte out. */
  memoryGbHours: 360,
  /** Of an instance; it cannot be configured. */
  memoryGb: 2,
} as const;
