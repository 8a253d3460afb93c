import type { StoreErrorCode } from '../store/store.js';

/** Every code that an answer may hold as `error.code`, with the HTTP status of the answer. */
export const ERROR_STATUS = {
  bad_request: 400,
  bad_link: 400,
  answer_too_large: 400,
  unauthorized: 401,
  clock_differs: 401,
  cross_site: 403,
  not_found: 404,
  target_not_found: 404,
  note_not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  maintenance_full: 409,
  notes_full: 409,
  subscribers_full: 409,
  expired_link: 410,
  too_large: 413,
  too_many_attempts: 429,
  config_invalid: 500,
  internal: 500,
  cron_secret_missing: 503,
  mail_failed: 503,
  store_missing: 503,
  store_unreachable: 503,
  store_timeout: 503,
  store_denied: 503,
  store_limit: 503,
  store_answer: 503,
  store_corrupt: 503,
  store_mismatch: 503,
} as const satisfies Readonly<Record<StoreErrorCode, 503>> & Readonly<Record<string, number>>;

export type ErrorCode = keyof typeof ERROR_STATUS;
