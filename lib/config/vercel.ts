/** How long Vercel lets the function run, in ms: `maxDuration` of api/cron.ts in vercel.json, the most of the free plan. */
export const FUNCTION_LIMIT = 300_000;

/** Where runs are started. */
export const CRON_PATH = '/api/cron';
