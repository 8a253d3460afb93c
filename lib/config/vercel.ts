/** How long Vercel lets the function run, in ms: `maxDuration` of api/cron.ts in vercel.json, the most of the free plan. */
export const FUNCTION_LIMIT = 300_000;

/** Where runs are started. */
export const CRON_PATH = '/api/cron';

/** Bytes that a function may answer (https://vercel.com/docs/errors/FUNCTION_RESPONSE_PAYLOAD_TOO_LARGE, 2026-02: 4.5 MB). */
export const ANSWER_LIMIT = 4_500_000;
