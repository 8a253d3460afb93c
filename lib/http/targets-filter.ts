import { STATUS_FILTERS, type TargetsFilter } from '../read/paging.js';
import { answerError } from './responses.js';

/** How answers name these parameters. */
export const FILTERS = '?group= and ?status=';

/** Which targets are asked for, by `status` and `group`; or what to answer where that cannot be. */
export function targetsFilterOf(request: Request): TargetsFilter | Response {
  const { searchParams } = new URL(request.url);
  const wanted = searchParams.get('status');
  const status = STATUS_FILTERS.find((each) => each === wanted) ?? null;
  if (wanted !== null && status === null)
    return answerError('bad_request', `status: expected one of ${STATUS_FILTERS.join(', ')}.`);
  return { status, group: searchParams.get('group') };
}
