import type { Status } from '../types.js';
import type { Stats, TargetStats } from './views.js';

/** Targets of one answer. */
export const PAGE_SIZE = 500;

/** Which targets an answer lists; null: any. */
export interface TargetsAsked {
  readonly status: Status | null;
  /** Empty: those without a group. */
  readonly group: string | null;
  /** Those whose ids come behind this one. */
  readonly after: string | null;
}

/** The targets that are asked for, as many as an answer takes. All other figures stay those of all. */
export function pageOf(stats: Stats, asked: TargetsAsked): Stats {
  const { status, group, after } = asked;
  const isAsked = (target: TargetStats): boolean =>
    (status === null || target.status === status) &&
    (group === null || (target.group ?? '') === group) &&
    (after === null || target.id > after);
  const found = stats.targets.filter(isAsked);
  const targets = found.slice(0, PAGE_SIZE);
  const last = targets.at(-1);
  if (last === undefined || found.length === targets.length) return { ...stats, targets };
  const query = new URLSearchParams([
    ...(status === null ? [] : [['status', status]]),
    ...(group === null ? [] : [['group', group]]),
    ['after', last.id],
  ]);
  return { ...stats, next: `/api/keepalive?${query.toString()}`, targets };
}
