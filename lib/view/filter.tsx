import { singleLine } from '../single-line.js';
import { useWords } from './phrase.js';
import { SHOWN, shownStatus, type Shown, type ShownStatus } from './words.js';
import type { JSX } from 'preact';

/** Which services a visitor wants to see. */
export interface Filter {
  /** A part of the name or the group; empty: all. */
  readonly name: string;
  /** Null: any. */
  readonly state: FilterState | null;
}

/** `unread`: those that cannot be read now. */
export type FilterState = Shown | 'unread';
const STATES: readonly FilterState[] = [...SHOWN, 'unread'];

export function filterState(target: ShownStatus): FilterState {
  return target.unread === true ? 'unread' : shownStatus(target);
}

export const NO_FILTER: Filter = { name: '', state: null };

const LONGEST = 100;

/** `?q=api&status=down` */
export function readFilter(query: URLSearchParams): Filter {
  return {
    name: singleLine(query.get('q') ?? '', LONGEST),
    state: STATES.find((state) => state === query.get('status')) ?? null,
  };
}

/** `q=api&status=down&page=2` */
export function queryOf({ name, state }: Filter, page: number): string {
  return new URLSearchParams([
    ...(name === '' ? [] : [['q', name]]),
    ...(state === null ? [] : [['status', state]]),
    ['page', String(page)],
  ]).toString();
}

export function isFiltering({ name, state }: Filter): boolean {
  return name !== '' || state !== null;
}

export function matches(
  { name, state }: Filter,
  target: ShownStatus & { readonly name: string; readonly group: string | null },
): boolean {
  if (state !== null && filterState(target) !== state) return false;
  return `${target.name}\n${target.group ?? ''}`.toLowerCase().includes(name.toLowerCase());
}

/** Sends the query that the page is made of; the script filters at each key. */
export function FilterForm({
  filter: { name, state },
  present,
}: {
  filter: Filter;
  /** States that there are targets in. */
  present: ReadonlySet<FilterState>;
}): JSX.Element {
  const words = useWords();
  return (
    <form class="filter" method="get" action="/" role="search" aria-label={words.text('filter')}>
      <label>
        <span class="hidden">{words.text('filterName')}</span>
        <input
          id="filter-name"
          type="search"
          name="q"
          value={name}
          maxLength={LONGEST}
          placeholder={words.text('filter')}
          autocomplete="off"
        />
      </label>
      <label>
        <span class="hidden">{words.text('filterState')}</span>
        <select id="filter-state" name="status">
          <option value="">{words.text('anyState')}</option>
          {STATES.filter((each) => present.has(each) || each === state).map((each) => (
            <option value={each} selected={each === state}>
              {words.text(each === 'unread' ? 'unreadStatus' : `status.${each}`)}
            </option>
          ))}
        </select>
      </label>
      <button class="small">{words.text('apply')}</button>
    </form>
  );
}
