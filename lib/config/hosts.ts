import type { HostName } from '../types.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** How long a host that sleeps may take to wake. The slowest is Render's free plan: 30 to 90 s. */
const WAKE_TIMEOUT = 90_000;

export interface Host {
  /** What its usual domain names end in. */
  readonly domain: string | null;
  /** How long without a request until it sleeps, in ms; null: it does not. */
  readonly sleepsAfter: number | null;
}

/** From the vendors' documentation, as of 2026-11; Fly says "a few minutes". */
export const HOSTS: Readonly<Record<HostName, Host>> = {
  railway: { domain: '.up.railway.app', sleepsAfter: 10 * MINUTE },
  render: { domain: '.onrender.com', sleepsAfter: 15 * MINUTE },
  koyeb: { domain: '.koyeb.app', sleepsAfter: HOUR },
  heroku: { domain: '.herokuapp.com', sleepsAfter: 30 * MINUTE },
  fly: { domain: '.fly.dev', sleepsAfter: 5 * MINUTE },
  replit: { domain: '.replit.app', sleepsAfter: 15 * MINUTE },
  huggingface: { domain: '.hf.space', sleepsAfter: 48 * HOUR },
  supabase: { domain: '.supabase.co', sleepsAfter: 7 * 24 * HOUR },
  streamlit: { domain: '.streamlit.app', sleepsAfter: 12 * HOUR },
  none: { domain: null, sleepsAfter: null },
};

export const HOST_NAMES = Object.keys(HOSTS) as HostName[];

/** The host whose usual domain a host name belongs to; `none` where it belongs to no known one. */
export function hostOf(hostname: string): HostName {
  const name = hostname.replace(/\.$/, '');
  return HOST_NAMES.find((host) => name.endsWith(HOSTS[host].domain ?? '\0')) ?? 'none';
}

/** Half of the time until the host sleeps, within 1 minute to 12 hours; 5 minutes where it does not sleep. */
export function defaultInterval(sleepsAfter: number | null): number {
  if (sleepsAfter === null) return 5 * MINUTE;
  return Math.min(12 * HOUR, Math.max(MINUTE, Math.round(sleepsAfter / 2)));
}

/** How long a host may take to wake; 0 where it does not sleep. */
export function defaultWakeTimeout(sleepsAfter: number | null): number {
  return sleepsAfter === null ? 0 : WAKE_TIMEOUT;
}

/** Names that never lead to the internet: RFC 6761, 6762, 8375, and what routers use. */
const LOCAL_NAMES = /(?:^|\.)(?:localhost|local|internal|test|example|invalid|onion|lan|home|home\.arpa)$/;

/** Whether a host name looks like one on the internet: dotted, no IP address, no name reserved for local use. */
export function isPublicName(hostname: string): boolean {
  const name = hostname.replace(/\.$/, '');
  return /\.[a-z][a-z0-9-]*$/.test(name) && !LOCAL_NAMES.test(name);
}
