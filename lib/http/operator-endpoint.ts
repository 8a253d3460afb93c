import { answerBegin, answerEnd } from './maintenance-endpoint.js';
import { answerNote, answerNotesAway } from './notes-endpoint.js';
import { pathOf } from './path.js';

/**
 * `POST` and `DELETE` of `/api/maintenance` and `/api/notes`. One function serves both: vercel.json sends them to
 * `/api/maintenance/windows` and `/api/maintenance/notes`, and the URL of a request may hold either path.
 */
export function answerOperatorPost(request: Request): Promise<Response> {
  return isOfNotes(request) ? answerNote(request) : answerBegin(request);
}

export function answerOperatorDelete(request: Request): Promise<Response> {
  return isOfNotes(request) ? answerNotesAway(request) : answerEnd(request);
}

function isOfNotes(request: Request): boolean {
  return pathOf(request).endsWith('/notes');
}
