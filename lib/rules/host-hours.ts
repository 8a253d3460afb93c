import type { HostName, WatchedTarget, WeeklyWindow } from '../types.js';
import { checkSpacing, type CheckTimes } from './trigger-pace.js';
import { activeIntervals, duration } from './windows.js';
import { HOUR } from '../time.js';

/** What the targets on a host may be awake in a calendar month, all together. */
export interface Allowance {
  readonly hours: number;
  /** The host's name for the plan that sleeps. */
  readonly plan: string;
}

export type Allowances = Readonly<Partial<Record<HostName, Allowance>>>;

/** How long the targets on one host are awake in a calendar month, in whole hours. */
export interface HostHours {
  readonly host: HostName;
  readonly hours: number;
  readonly allowance: number;
  readonly exceeds: boolean;
  /** The ids of those that use it. */
  readonly targets: readonly string[];
  /** Where it is exceeded. */
  readonly message?: string;
}

/**
 * What the month (UTC) of `now` comes to on each host that has an allowance, at the pace of the runs. A target that is
 * pinged before it falls asleep is awake for as long as its active hours last; one that is pinged more seldom, for
 * `sleepsAfter` after each ping. One that does not sleep (`SLEEPS_AFTER=off`) is on a plan without an allowance.
 * @param times or the part of the time (0 to 1) in which a target is awake
 * @param until what is counted of the month, in ms since the epoch; absent: all of it
 */
export function monthlyHours(
  targets: readonly WatchedTarget[],
  allowances: Allowances,
  now: number,
  times?: CheckTimes | ((info: WatchedTarget['info']) => number),
  until?: number,
): HostHours[] {
  const date = new Date(now);
  const from = Date.UTC(date.getUTCFullYear(), date.getUTCMonth());
  const to = until ?? Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
  const known = new Map<WeeklyWindow | null, number>();
  const activeTime = (hours: WeeklyWindow | null): number => {
    const time = known.get(hours) ?? duration(activeIntervals(hours, from, to));
    known.set(hours, time);
    return time;
  };
  const awakeShare = (info: WatchedTarget['info'], sleepsAfter: number): number => {
    if (typeof times === 'function') return times(info);
    return Math.min(1, sleepsAfter / (times ? checkSpacing(info.interval, times) : info.interval));
  };
  return (Object.entries(allowances) as [HostName, Allowance][]).flatMap(([host, allowance]) => {
    const awake = targets.flatMap(({ info, activeHours }) =>
      info.host === host && info.enabled && info.sleepsAfter !== null
        ? [
            {
              id: info.id,
              time: activeTime(activeHours) * awakeShare(info, info.sleepsAfter),
            },
          ]
        : [],
    );
    if (awake.length === 0) return [];
    const hours = Math.round(awake.reduce((sum, { time }) => sum + time, 0) / HOUR);
    const exceeds = hours > allowance.hours;
    const found = { host, hours, allowance: allowance.hours, exceeds, targets: awake.map(({ id }) => id) };
    return [exceeds ? { ...found, message: warning(found, allowance.plan) } : found];
  });
}

/** No allowance is below what one target can use: it takes several to exceed it. */
function warning({ host, hours, allowance, targets }: HostHours, plan: string): string {
  const [used, of] = [hours, allowance].map((count) => count.toLocaleString('en-US'));
  return `${host}: ${targets.length} targets use ${used} of ${of} hours a month on the ${plan} plan: give them ACTIVE_HOURS, or keep fewer awake`;
}
