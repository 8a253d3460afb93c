import { monthUsage, type Account } from './account.js';
import type { Resource } from '../types.js';
import { watched, type Limits } from './allowances.js';
import { DAY, HOUR } from '../time.js';

/**
 * The part of each allowance that runs may use of their own accord; the rest is for those who read, and for the checks
 * themselves, which are always made. Calls and messages are as many as they are, however short runs become. Waits and rounds are what costs memory hours, and are given a little less than half.
 */
const SHARES: ReadonlyMap<Resource, number> = new Map([
  ['storeCommands', 0.9],
  ['functionMemoryGbHours', 0.48],
  ['functionCpuHours', 0.75],
]);
/** The part of the memory hours that rounds may use. It leaves some to waits. */
const ROUNDS_SHARE = 0.4;
/** So much of the month may be used ahead, in ms: the first waits of a month are not shortened. */
const AHEAD = HOUR;
/** The longest month. */
const MONTH = 31 * DAY;

/**
 * How long after the start of a run a round may begin, in ms, so that rounds use their part of the month's memory hours
 * and no more. Infinity where memory is not watched.
 * @param pace time between two runs
 */
export function longestRounds({ functions }: Pick<Limits, 'functions'>, pace: number): number {
  if (functions === null) return Infinity;
  const wallTime = (functions.memoryGbHours / functions.memoryGb) * HOUR;
  return Math.floor((ROUNDS_SHARE * wallTime * pace) / MONTH);
}

/**
 * For how long after its start a run may wait for anything (wakes, retries, rounds), in ms. Each resource may be used
 * evenly over the month, and `AHEAD`. 0: one attempt for each target that is due, and no more. Infinity where no function
 * is paid for.
 */
export function timeToSpend(account: Account | null, limits: Limits, now: number): number {
  if (limits.functions === null) return Infinity;
  const { memoryGb } = limits.functions;
  const month = monthUsage(account, now);
  if (month === null) return Infinity;
  const part = Math.min(1, (now - month.since + AHEAD) / MONTH);
  return watched(limits, MONTH).reduce((least, { resource, amount, allowed }) => {
    const share = SHARES.get(resource);
    if (share === undefined) return least;
    const left = share * allowed * part - amount(month);
    if (left <= 0) return 0;
    return resource === 'functionMemoryGbHours' ? Math.min(least, (left / memoryGb) * HOUR) : least;
  }, Infinity);
}
