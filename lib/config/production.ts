import type { Problem } from './problems.js';
import type { TargetsFile } from './targets-file.js';
import { chooseStore } from './store-choice.js';

/**
 * Reports what is missing for an installation on Vercel: a secret that starts runs, a store, a target. A variable that is
 * set but not valid is not reported here, since it is reported anyway.
 */
export function missingInProduction(texts: ReadonlyMap<string, string>, file: TargetsFile | null): Problem[] {
  const missing: Problem[] = [];
  if (!texts.has('CRON_SECRET')) {
    const message = 'missing, a deployment to production needs it: openssl rand -hex 32 makes one';
    missing.push({ variable: 'CRON_SECRET', message });
  }
  const problems: Problem[] = [];
  if (chooseStore(texts, problems).kind === 'none' && problems.length === 0) {
    const message =
      'missing, a deployment to production needs a database: set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN, or REDIS_URL';
    missing.push({ variable: 'UPSTASH_REDIS_REST_URL', message });
  }
  const hasTarget = [...texts.keys()].some((variable) => /^TARGET_.+_URL$/.test(variable));
  const isListed = texts.has('KEEP_ALIVE_URLS') || (file !== null && file.targets.length > 0);
  if (!hasTarget && !isListed && (file === null || file.problems.length === 0)) {
    const message =
      'missing, a deployment to production needs a target: set this or KEEP_ALIVE_URLS, or list targets in targets.yaml';
    missing.push({ variable: 'TARGET_<ID>_URL', message });
  }
  return missing;
}
