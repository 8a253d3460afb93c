import type { Status } from '../types.js';
import type { Stats, TargetStats } from './views.js';

/** Targets of one answer. */
export const PAGE_SIZE = 500;

/** Which targets an answer tells of; null: any. */
export interface TargetsFilter {
  readonly status: Status | null;
  /** Empty: those without a group. */
  readonly group: string | null;
}

/** Which of them one page has. */
export interface TargetsAsked extends TargetsFilter {
  /** Those whose ids come behind this one. */
  readonly after: string | null;
}

/** The targets that are asked for. All other figures stay those of all. */
export function filtered(stats: Stats, { status, group }: TargetsFilter): Stats {
  if (status === null && group === null) return stats;
  const isAsked = (target: TargetStats): boolean =>
    (status === null || target.status === status) && (group === null || (target.group ?? '') === group);
  return { ...stats, targets: stats.targets.filter(isAsked) };
}

/** The same, as many as a page takes. */
export function pageOf(stats: Stats, asked: TargetsAsked): Stats {
  const { status, group, after } = asked;
  const found = filtered(stats, asked).targets.filter(({ id }) => after === null || id > after);
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
