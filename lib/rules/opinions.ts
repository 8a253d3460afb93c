import type { Check } from '../types.js';

/** What another place says of a target that failed here. */
export interface Opinion {
  /** For the public: a region such as `fra1`, or the peer's host. */
  readonly place: string;
  /** The target is good or degraded there. */
  readonly isWell: boolean;
}

/** Ms for the way there and back, and for a function to start, besides the target's own time limit. */
export const TRAVEL = 3_000;
/** Where Globalping looks at a target from. Each is one of the hour's free tests. */
export const CONTINENTS = ['EU', 'NA', 'AS'];
export const TESTS_A_QUESTION = CONTINENTS.length;

/** Characters of a check's message at most. */
const LONGEST_MESSAGE = 120;

export type FailedCheck = Extract<Check, { outcome: 'failed' }>;

/**
 * A failed check once others were asked. Where more than half of all opinions, ours among them, are that the target is
 * well, the check is degraded. Else it stays failed, and its message says from where else the target is seen failing, if
 * there is room.
 */
export function withOpinions(check: FailedCheck, opinions: readonly Opinion[]): Check {
  const well = placesOf(opinions, true);
  const failing = placesOf(opinions, false);
  if (isOutvoted(opinions)) {
    const message = fitting(well, (places) => `answers from ${places}, not from here`) ?? ELSEWHERE;
    return { ...check, outcome: 'degraded', reason: 'local', message };
  }
  if (failing.length === 0) return check;
  const message = fitting(failing, (places) => `${check.message} (also from ${places})`);
  return message === null ? check : { ...check, message };
}

const ELSEWHERE = 'answers from other places, not from here';

function isOutvoted(opinions: readonly Opinion[]): boolean {
  const well = opinions.filter(({ isWell }) => isWell).length;
  return well > (opinions.length + 1) / 2;
}

/** The message of a check without the places from where else its target is seen failing. */
export function withoutPlaces(message: string): string {
  return message.replace(/ \(also from [^()]*\)$/, '');
}

/** Each place once: two peers may be in one region. */
function placesOf(opinions: readonly Opinion[], isWell: boolean): readonly string[] {
  return [...new Set(opinions.filter((each) => each.isWell === isWell).map(({ place }) => place))];
}

/** The message with as many places as it has room for; null: with none. */
function fitting(places: readonly string[], message: (places: string) => string): string | null {
  for (let shown = places.length; shown > 0; shown -= 1) {
    const rest = places.length - shown;
    const listed = [...places.slice(0, shown), ...(rest === 0 ? [] : [`${rest} more`])];
    const last = listed.at(-1) ?? '';
    const text = message(listed.length === 1 ? last : `${listed.slice(0, -1).join(', ')} and ${last}`);
    if (text.length <= LONGEST_MESSAGE) return text;
  }
  return null;
}

/** What peers said of one target that failed here. */
export type Opinions = readonly Opinion[];

/** Targets that have to fail here at once until peers alone show that the fault is ours. */
const ENOUGH_TARGETS = 2;

/**
 * Whether the fault is ours, where every check of a run failed here: at least two targets fail, peers have an opinion of
 * as many, and of each the most of them say that it is well.
 */
export function isOurFault(byTarget: readonly Opinions[]): boolean {
  const known = byTarget.filter((opinions) => opinions.length > 0);
  return (
    known.length >= ENOUGH_TARGETS &&
    known.every((opinions) => 2 * opinions.filter(({ isWell }) => isWell).length > opinions.length)
  );
}
