import { answerOperatorDelete, answerOperatorPost } from '../../lib/http/operator-endpoint.js';

/** `/api/maintenance` and `/api/notes`. */
export function POST(request: Request): Promise<Response> {
  return answerOperatorPost(request);
}

export function DELETE(request: Request): Promise<Response> {
  return answerOperatorDelete(request);
}
