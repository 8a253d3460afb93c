import {
  monthOf,
  monthSpan,
  monthUsage,
  NO_USAGE,
  projected,
  type Account,
  type LastUsage,
} from './account.js';
import type { Resource } from '../types.js';
import { watched, type Limits } from './allowances.js';

/** What a month comes to of one resource. */
export interface BudgetLine {
  readonly resource: Resource;
  readonly used: number;
  /** At the end of the month; null: too little was counted to tell. */
  readonly projected: number | null;
  readonly allowed: number;
}

/**
 * The resources that are watched, with what the month of `now` has used, will use, and may use.
 * @param enough ms that have to be counted for a projection
 */
export function budgetOf(
  account: Account | null,
  limits: Limits,
  { now, last, enough }: { readonly now: number; readonly last: LastUsage; readonly enough?: number },
): BudgetLine[] {
  const { from, to } = monthSpan(monthOf(now));
  const used = monthUsage(account, now) ?? NO_USAGE;
  const end = projected(account, now, last, enough);
  return watched(limits, to - from).map(({ resource, amount, allowed }) => ({
    resource,
    used: amount(used),
    projected: end && amount(end),
    allowed,
  }));
}

/** What a month comes to by what is known: more than was used only where the rest of it is projected. */
export function comesTo({ used, projected }: Pick<BudgetLine, 'used' | 'projected'>): number {
  return Math.max(used, projected ?? 0);
}

/** Whether more is used than allowed, or will be. */
export function exceeds(line: Omit<BudgetLine, 'resource'>): boolean {
  return comesTo(line) > line.allowed;
}
