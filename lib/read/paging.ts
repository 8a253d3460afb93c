import { compareNaturally } from '../rules/natural-order.js';
import { STATUSES, type Status } from '../types.js';
import type { TargetStats } from './views.js';

/** Targets of one answer. */
export const PAGE_SIZE = 500;

/** `unread`: those that cannot be read now; whatever their status, no other has them. */
export type StatusFilter = Status | 'unread';
export const STATUS_FILTERS: readonly StatusFilter[] = [...STATUSES, 'unread'];

/** Which targets an answer tells of; null: any. */
export interface TargetsFilter {
  readonly status: StatusFilter | null;
  /** Empty: those without a group. */
  readonly group: string | null;
}

/** Which of them one page has. */
export interface TargetsAsked extends TargetsFilter {
  /** Those whose ids come behind this one. */
  readonly after: string | null;
}

/** What the filters look at. */
export type Filterable = Pick<TargetStats, 'id' | 'status' | 'unread' | 'group'>;

/** The targets that are asked for. */
export function filtered<T extends Filterable>(targets: readonly T[], { status, group }: TargetsFilter): T[] {
  const isAsked = (target: T): boolean =>
    status === null || (target.unread === true ? 'unread' : target.status) === status;
  return targets.filter((target) => isAsked(target) && (group === null || (target.group ?? '') === group));
}

/** As many of them as a page takes, in the order of their ids, in which they come; `next`: where the others are. */
export function pageOf<T extends Filterable>(
  targets: readonly T[],
  { after, ...filter }: TargetsAsked,
): { readonly targets: readonly T[]; readonly next: string | null } {
  const { status, group } = filter;
  const found = filtered(targets, filter).filter(
    ({ id }) => after === null || compareNaturally(id, after) > 0,
  );
  const page = found.slice(0, PAGE_SIZE);
  const last = page.at(-1);
  if (last === undefined || found.length === page.length) return { targets: page, next: null };
  const query = new URLSearchParams([
    ...(status === null ? [] : [['status', status]]),
    ...(group === null ? [] : [['group', group]]),
    ['after', last.id],
  ]);
  return { targets: page, next: `/api/keepalive?${query.toString()}` };
}
