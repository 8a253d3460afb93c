import type { App } from '../app.js';
import { runParts } from '../run/parts.js';
import type { RunReport } from '../run/report.js';
import { run } from '../run/run.js';
import { answerError, answerJson, bears } from './answer.js';
import { withApp } from './endpoints.js';

/** How long Vercel lets the function run, in ms: `maxDuration` of api/cron.ts in vercel.json, the most of the free plan. */
export const FUNCTION_LIMIT = 300_000;

/** `GET /api/cron` */
export function answerCron(request: Request): Promise<Response> {
  return withApp(request, async (app) => {
    const { cronSecret } = app.config;
    if (cronSecret === null) {
      return answerError(503, 'cron_secret_missing', 'Set CRON_SECRET: without it anybody could start runs.');
    }
    if (!bears(request, cronSecret)) {
      return answerError(401, 'unauthorized', 'Send CRON_SECRET as a bearer.');
    }
    const report = await startRun(app, triggerOf(request));
    return answerJson(report, isLost(report) ? 503 : 200);
  });
}

function startRun(app: App, trigger: string): Promise<RunReport> {
  return run(
    { ...runParts(app.config), ...app },
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
