import type { Shown } from './words.js';

/** What the place of a service on a page depends on. */
interface Placed {
  readonly name: string;
  readonly order: number | null;
}

const NAMES = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** By ORDER (those without one last), then by name, with numbers in names compared as numbers. */
export function byOrder(a: Placed, b: Placed): number {
  const [first, second] = [a.order ?? Infinity, b.order ?? Infinity];
  return first === second ? NAMES.compare(a.name, b.name) || compareTexts(a.name, b.name) : first - second;
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** How urgent each state is, the most urgent first. */
const URGENCY = {
  down: 0,
  degraded: 1,
  maintenance: 2,
  pending: 3,
  up: 3,
  sleeping: 3,
  paused: 3,
} as const satisfies Readonly<Record<Shown, number>>;

/** Down first, then degraded, then maintenance, then all others. */
export function byUrgency(a: Shown, b: Shown): number {
  return URGENCY[a] - URGENCY[b];
}

/** The order of a group: the lowest of its members'; null where none has one. */
export function orderOf(members: readonly { readonly order: number | null }[]): number | null {
  const orders = members.flatMap(({ order }) => (order === null ? [] : [order]));
  return orders.length === 0 ? null : Math.min(...orders);
}
