import type { ActiveAlert, IncidentEvent } from '../rules/alert-evaluation.js';
import type { PeerTrouble } from '../rules/peer-watch.js';
import type { JudgedStatus } from '../rules/status.js';
import type { Alert, ChannelName, CheckReason, HostWord, Outcome, Resource, TargetAlert } from '../types.js';
import type { LastRun } from './state-model.js';

/**
 * The numbers that stand for words in stored texts. They never change: none is changed, reused or removed, and a new
 * word gets the next free number. A word that is missing here does not compile.
 */

export const OUTCOME_CODES = Object.freeze({ good: 0, degraded: 1, failed: 2 } satisfies Record<
  Outcome,
  number
>);

export const STATUS_CODES = Object.freeze({ pending: 0, up: 1, degraded: 2, down: 3 } satisfies Record<
  JudgedStatus,
  number
>);

export const RUN_CODES = Object.freeze({ completed: 0, partial: 1, inconclusive: 2 } satisfies Record<
  LastRun['status'],
  number
>);

/**
 * Reasons of failed checks in the log, and of checks that failed here alone. 12 to 511 are taken by the reason `status` with the status code 100 to 599
 * (check-code.ts): `query`
 * therefore is 512. At most 917.
 */
export const REASON_CODES = Object.freeze({
  dns: 0,
  connect: 1,
  tls: 2,
  timeout: 3,
  reset: 4,
  protocol: 5,
  status: 6,
  body: 7,
  json: 8,
  too_large: 9,
  redirect: 10,
  blocked: 11,
  query: 512,
  host: 513,
  local: 514,
} satisfies Record<CheckReason, number>);

export const CHANNEL_CODES = Object.freeze({
  webhook: 0,
  slack: 1,
  discord: 2,
  telegram: 3,
  ntfy: 4,
  pagerduty: 5,
  email: 6,
  apprise: 7,
  teams: 8,
  google_chat: 9,
} satisfies Record<ChannelName, number>);

/** The numbers of alerts of one target and of alerts of the pinger itself share one number range. */
export const TARGET_ALERT_CODES = Object.freeze({
  down: 0,
  reminder: 1,
  up: 2,
  unwatched: 3,
  degraded: 4,
  flapping: 5,
  slept: 6,
  certificate: 7,
  restart: 8,
  person_needed: 9,
  contradicted: 16,
} satisfies Record<TargetAlert['kind'], number>);

export const ALERT_CODES = Object.freeze({
  ...TARGET_ALERT_CODES,
  missed: 10,
  pace: 11,
  unrecorded: 12,
  undelivered: 13,
  test: 14,
  allowances: 15,
  peer_down: 17,
  peer_up: 18,
} satisfies Record<Alert['kind'], number>);

export const RESOURCE_CODES = Object.freeze({
  storeCommands: 0,
  functionMemoryGbHours: 1,
  functionCpuHours: 2,
  invocations: 3,
  qstashMessages: 4,
} satisfies Record<Resource, number>);

export const ACTIVE_ALERT_CODES = Object.freeze({ degraded: 0, down: 1, flapping: 2 } satisfies Record<
  ActiveAlert['status'],
  number
>);

export const UNWATCHED_CODES = Object.freeze({ removed: 0, paused: 1 } satisfies Record<
  (Alert & { kind: 'unwatched' })['because'],
  number
>);

export const PEER_TROUBLE_CODES = Object.freeze({ stopped: 0, unclear: 1, silent: 2 } satisfies Record<
  PeerTrouble['kind'],
  number
>);

export const PEER_END_CODES = Object.freeze({ running: 0, removed: 1 } satisfies Record<
  (Alert & { kind: 'peer_up' })['now'],
  number
>);

export const EVENT_CODES = Object.freeze({ alert: 0, restart: 1 } satisfies Record<
  IncidentEvent['kind'],
  number
>);

export const HOST_SAYS_CODES = Object.freeze({
  running: 0,
  asleep: 1,
  unwakeable: 2,
  silent: 3,
  refused: 4,
  not_found: 5,
} satisfies Record<HostWord['says'], number>);
