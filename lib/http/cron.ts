import type { App } from '../app.js';
import { runParts } from '../run/parts.js';
import type { RunReport } from '../run/report.js';
import { run } from '../run/run.js';
import { answerError, answerJson, bears } from './answer.js';
import { withApp } from './endpoints.js';
import { signatureProblem } from './signature.js';

/** How long Vercel lets the function run, in ms: `maxDuration` of api/cron.ts in vercel.json, the most of the free plan. */
export const FUNCTION_LIMIT = 300_000;

/** Where runs are started. */
export const CRON_PATH = '/api/cron';

/**
 * `GET` and `POST /api/cron`. With `?async=1`, 202 as soon as the caller is known, for those who do not wait long; the
 * run goes on within the function's time limit, which began with the request.
 */
export function answerCron(request: Request): Promise<Response> {
  return withApp(request, async (app) => {
    const trigger = await authenticate(request, app);
    if (trigger instanceof Response) return trigger;
    const isAsync = new URL(request.url).searchParams.get('async') === '1';
    // Loaded before the run begins, so that its failure is never without a handler.
    const functions = isAsync ? await import('@vercel/functions') : null;
    const running = startRun(app, trigger);
    if (functions !== null) {
      // Elsewhere than on Vercel it does nothing: there, the process goes on by itself.
      functions.waitUntil(running.catch((error: unknown) => console.error(error)));
      return answerJson({ trigger, status: 'started' }, 202);
    }
    const report = await running;
    return answerJson(report, isLost(report) ? 503 : 200);
  });
}

/** Who calls, or the answer to a stranger. */
async function authenticate(request: Request, { config }: App): Promise<string | Response> {
  const { cronSecret, publicUrl, qstash } = config;
  if (cronSecret !== null && bears(request, cronSecret)) return triggerOf(request);
  const keys = [qstash.currentSigningKey, qstash.nextSigningKey].filter((key) => key !== null);
  if (cronSecret === null && keys.length === 0) {
    return answerError(503, 'cron_secret_missing', 'Set CRON_SECRET: without it anybody could start runs.');
  }
  const signature = request.headers.get('upstash-signature');
  if (signature === null) return answerError(401, 'unauthorized', 'Send CRON_SECRET as a bearer.');
  const { origin, search } = new URL(request.url);
  const url = (publicUrl ?? origin) + CRON_PATH + search;
  const problem = await signatureProblem(request, signature, { url, keys });
  return problem === null ? 'qstash' : answerError(401, 'unauthorized', `Upstash-Signature: ${problem}.`);
}

function startRun(app: App, trigger: string): Promise<RunReport> {
  return run(
    { ...runParts(app.config), ...app, now: () => app.store?.now() ?? Date.now() },
    { trigger, limit: FUNCTION_LIMIT, nextRunIn: app.config.tick },
  );
}

/** Checks were made that are not on record. */
function isLost({ status, stored }: RunReport): boolean {
  return status !== 'skipped' && !stored;
}

function triggerOf({ headers }: Request): string {
  return headers.get('user-agent')?.startsWith('vercel-cron/') ? 'vercel' : 'http';
}
