import { randomUUID } from 'node:crypto';
import type { App } from '../app.js';
import { perApp, nowOf } from '../app.js';
import { CRON_PATH, FUNCTION_LIMIT } from '../config/vercel.js';
import { sharedContext } from '../run/run-context.js';
import type { RunReport } from '../run/report.js';
import { dispatch, engineOf, type DispatchReport } from '../run/dispatch.js';
import type { RunRequest } from '../run/run.js';
import { findShard, runShard, type Installation } from '../run/tick.js';
import type { Store } from '../store/store.js';
import { answerError, answerJson, bears } from './responses.js';
import { withApp } from './endpoints.js';
import { UsedTokens, verifySignature } from './signature.js';

/**
 * `GET` and `POST /api/cron`. With `?async=1`, 202 as soon as the caller is known, for those who do not wait long; the
 * run goes on within the function's time limit, which began with the request.
 */
export function answerCron(request: Request): Promise<Response> {
  return withApp(request, (app) => answer(request, app), answerError, 0);
}

async function answer(request: Request, app: App): Promise<Response> {
  const trigger = await authenticate(request, app);
  if (trigger instanceof Response) return trigger;
  const isAsync = new URL(request.url).searchParams.get('async') === '1';
  // Loaded before the run begins, so that its failure is never without a handler.
  const functions = isAsync ? await import('@vercel/functions') : null;
  const running = start(request, app, trigger);
  if (functions !== null) {
    // Elsewhere than on Vercel it does nothing: there, the process goes on by itself.
    functions.waitUntil(running.catch((error: unknown) => console.error(error)));
    return answerJson({ trigger, status: 'started' }, 202);
  }
  const report = await running;
  return answerJson(report, report.status !== 'dispatched' && isLost(report) ? 503 : 200);
}

/** Who calls, or the answer to a stranger or a copy. */
async function authenticate(request: Request, app: App): Promise<string | Response> {
  const { cronSecret, publicUrl, isOnVercel, qstash } = app.config;
  if (cronSecret !== null && bears(request, cronSecret)) return triggerOf(request);
  const keys = [qstash.currentSigningKey, qstash.nextSigningKey].filter((key) => key !== null);
  if (cronSecret === null && keys.length === 0) {
    return answerError('cron_secret_missing', 'Set CRON_SECRET: without it anybody could start runs.');
  }
  const signature = request.headers.get('upstash-signature');
  if (signature === null) return answerError('unauthorized', 'Send CRON_SECRET as a bearer.');
  const { origin, search } = new URL(request.url);
  // Elsewhere a caller may name any address as the one that it called. Vercel passes on what was sent to an address of the
  // project; its production domain may be another by now than when the schedule was made.
  const origins = new Set([publicUrl ?? origin, ...(isOnVercel ? [origin] : [])]);
  const urls = [...origins].map((each) => each + CRON_PATH + search);
  const result = await verifySignature(request, signature, { urls, keys });
  if (result.problem !== null) {
    return answerError('unauthorized', `Upstash-Signature: ${result.problem}.`);
  }
  if (!usedTokensOf(app).use(result.token, Date.now())) return answerJson(replayed(Date.now()));
  return 'qstash';
}

const usedTokensOf = perApp(() => new UsedTokens());

/**
 * The answer to a copy of a call that was accepted before: nothing is pinged and the store is not asked. It is a success,
 * because QStash itself may deliver a message twice, and would repeat one that was refused.
 */
function replayed(now: number): RunReport {
  return {
    runId: randomUUID(),
    trigger: 'qstash',
    status: 'skipped',
    reason: 'replayed',
    startedAt: new Date(now).toISOString(),
    durationMs: 0,
    due: 0,
    checked: 0,
    succeeded: 0,
    failed: 0,
    stored: false,
    commands: 0,
    transitions: [],
    results: [],
  };
}

/** Starts a run, or where there are several shards, the run of each; `?shard=3&directory=<hash>` is the run of one. */
function start(request: Request, app: App, trigger: string): Promise<RunReport | DispatchReport> {
  const { config, runs } = app;
  const { searchParams } = new URL(request.url);
  const installation = {
    ...{ ...sharedContext(config), ...app, now: () => nowOf(app) },
    clockOf: (store: Store) => () => store.now(),
  };
  const order = {
    ...{ trigger, limit: FUNCTION_LIMIT, nextRunIn: config.tick },
    ...(runs && { stopping: runs.stopping }),
  };
  const number = /^\d{1,6}$/.exec(searchParams.get('shard') ?? '')?.[0];
  const running =
    number === undefined
      ? // One machine has no functions.
        dispatch(installation, order, runs === undefined ? engineOf(config, installation.send) : null)
      : runOne(installation, { number: Number(number), hash: searchParams.get('directory') ?? '' }, order);
  return runs?.track(running) ?? running;
}

async function runOne(
  installation: Installation,
  named: Parameters<typeof findShard>[1],
  order: RunRequest,
): Promise<RunReport> {
  const { shard, count } = await findShard(installation, named);
  return runShard(installation, shard, { count }, order);
}

/** Checks were made that are not on record. */
function isLost({ status, stored }: RunReport): boolean {
  return status !== 'skipped' && !stored;
}

function triggerOf({ headers }: Request): string {
  return headers.get('user-agent')?.startsWith('vercel-cron/') ? 'vercel' : 'http';
}
