import { withoutPlaces } from '../rules/opinions.js';

/** Why a check was not good, as visitors understand it. `text.ts` has the words for each kind. */
export type CauseKind =
  | 'error_status'
  | 'other_status'
  | 'timeout'
  | 'name'
  | 'unreachable'
  | 'refused'
  | 'broken_off'
  | 'expired_certificate'
  | 'expiring_certificate'
  | 'tls'
  | 'content'
  | 'not_well'
  | 'too_large'
  | 'redirect'
  | 'invalid'
  | 'query'
  | 'host'
  | 'slow'
  | 'local'
  | 'other';

export interface Cause {
  readonly kind: CauseKind;
  /** The HTTP status that came; null for every other kind. */
  readonly status: number | null;
}

/**
 * What the messages of checks mean. Messages are fixed texts of ours, and an incident keeps nothing but its message, so
 * the kind is found by its words; the first row that fits counts. It only chooses words: a message of another version
 * that fits no row is shown as `other`, with its text behind it.
 */
const KINDS: readonly (readonly [form: RegExp, kind: CauseKind])[] = [
  [/^answers from .* not from here$/, 'local'],
  [
    /\b(?:Railway|Render|Koyeb|Heroku|Fly|Replit|Hugging Face|Supabase|Streamlit|Aiven|Atlas|Aura|Azure|PythonAnywhere|Neon)\b|the host\b/,
    'host',
  ],
  [/^name |name server|no valid DNS|NXDOMAIN|record/, 'name'],
  [/timed out|did not answer|took too long|time was up/, 'timeout'],
  [/^slower than/, 'slow'],
  [/certificate ends in/, 'expiring_certificate'],
  [/certificate has expired/, 'expired_certificate'],
  [/certificate|\bTLS\b|cipher|protocol in common|no common protocol|does not know this name/, 'tls'],
  [/^connection refused/, 'refused'],
  [/^connection (?:reset|closed)|ended the|closed the connection/, 'broken_off'],
  [/too many connections|starting up|shutting down|shuts down|overloaded/, 'unreachable'],
  [/unreachable|^connection |no local address|no free descriptor|does not reach|UNAVAILABLE/, 'unreachable'],
  [/^(?:expected|rejected) text|^body expression|^body is not JSON|fits$/, 'content'],
  [/JSON expression|^degraded expression|SERVING/, 'not_well'],
  [/too large|larger than/, 'too_large'],
  [/redirect/, 'redirect'],
  [
    /does not answer as|does not speak|gRPC|not valid|no valid|unexpected|encoding|interim|content length/,
    'invalid',
  ],
  [/QUERY|database|user name|password|credentials|log in|permit|allowed/, 'query'],
];

/** @param text the message of a failed or degraded check; empty where it is not known */
export function causeOf(text: string): Cause {
  const message = withoutPlaces(text);
  const status = /^status (\d{3})\b/.exec(message)?.[1];
  if (status !== undefined) {
    return { kind: Number(status) >= 400 ? 'error_status' : 'other_status', status: Number(status) };
  }
  const kind = KINDS.find(([form]) => form.test(message))?.[1] ?? 'other';
  return { kind, status: null };
}
