import { answerBegin, answerEnd } from '../lib/http/maintenance-endpoint.js';

export function POST(request: Request): Promise<Response> {
  return answerBegin(request);
}

export function DELETE(request: Request): Promise<Response> {
  return answerEnd(request);
}
