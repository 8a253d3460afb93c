import { nowOf, perApp, type App } from '../app.js';
import { PeerProber } from '../peers/answer.js';
import { installationId } from '../peers/installation.js';
import { open, PEER_VERSION, seal } from '../peers/token.js';
import { withApp } from './endpoints.js';
import { readText } from './request-body.js';
import { answerError, ASKS_ITSELF, NO_SNIFFING } from './responses.js';
import { UsedTokens } from './signature.js';

/** Bytes of a request. */
const LIMIT = 64 * 1024;

const proberOf = perApp(({ config }) => new PeerProber(config));
const usedTokensOf = perApp(() => new UsedTokens());

/**
 * `POST /api/probe`: one attempt at a target of another installation that has the same secret. What it asks and what it
 * gets can be read by nobody else, nothing is stored, and no private address is connected to.
 */
export function answerProbe(request: Request): Promise<Response> {
  return withApp(request, (app) => answer(request, app));
}

async function answer(request: Request, app: App): Promise<Response> {
  const { secret } = app.config.peers;
  if (secret === null) return answerError('not_found', 'There is no such page.');
  const body = await readText(request, LIMIT).catch(() => '');
  if (body === null) return answerError('too_large', `The body may have ${LIMIT} bytes at most.`);
  const now = nowOf(app);
  const opened = await open(body.trim(), { secret, purpose: 'request', now });
  if (opened.problem !== null) return refusal(opened.problem, now);
  const { id, until, content, from } = opened;
  if (from !== null && from === installationId(app.config)) {
    return answerError('conflict', ASKS_ITSELF);
  }
  if (!usedTokensOf(app).use({ id, until }, now)) {
    return answerError('conflict', 'This request was answered before.');
  }
  const found = await proberOf(app).answer(content, now);
  if (found === 'busy') return answerError('too_many_attempts', 'Too many probes: ask later.');
  if (found === 'invalid')
    return answerError('bad_request', 'This is no question that can be answered here.');
  const { token } = await seal(found, { secret, purpose: 'answer', time: nowOf(app), id });
  return new Response(token, {
    headers: { 'content-type': 'application/jwt', 'cache-control': 'private, no-store', ...NO_SNIFFING },
  });
}

/** Only a peer learns more than that it is none. The answer's date is our time. */
function refusal(problem: 'forged' | 'clock' | { readonly version: number }, now: number): Response {
  if (problem === 'forged') {
    return answerError(
      'unauthorized',
      'This is not made with the KEEP_ALIVE_PEER_SECRET of this installation.',
    );
  }
  if (problem === 'clock') {
    const answer = answerError(
      'clock_differs',
      'The time of this request is too far from ours: see the date.',
    );
    answer.headers.set('date', new Date(now).toUTCString());
    return answer;
  }
  const { version } = problem;
  return answerError(
    'bad_request',
    `This is version ${version} of a request; version ${PEER_VERSION} is spoken here.`,
  );
}
