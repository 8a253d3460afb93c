import type { Allowance, Allowances } from '../rules/host-hours.js';
import { HOST_NAMES, type HostName } from '../types.js';
import { HOUR, MINUTE } from '../time.js';

/** How long a host that sleeps may take to wake. The slowest is Render's free plan: 30 to 90 s. */
const WAKE_TIMEOUT = 90_000;

/**
 * What an answer of a host shows: `container`: that the app itself ran; `edge`: nothing, since the host's edge may have
 * answered, or nobody knows what the host counts as activity.
 */
export type Proof = 'container' | 'edge';

/** The rules of one host: a new host is a name in `types.ts` and a row below. */
export interface Host {
  /** What its usual domain names end in, each with its leading dot. */
  readonly domains: readonly string[];
  readonly proof: Proof;
  /** Ms without a request until it sleeps; null where it does not sleep. */
  readonly sleepsAfter: number | null;
  /** How long its targets may be awake in a month, all together; null where there is no limit. */
  readonly monthlyHours: Allowance | null;
}

/**
 * From the vendors' documentation, as of 2026-11; Fly says "a few minutes". Render's hours are those of a workspace, and
 * when they are used up, all of its services are suspended; Heroku's are those of an account.
 *
 * `proof` is `container` only where the edge is known to hold a request until the app answers, or to mark answers of its
 * own. Fly's headers prove nothing; Streamlit's and Supabase's edges answer for an app or database that is asleep or dead;
 * of Heroku and Replit it is not known.
 */
export const HOSTS: Readonly<Record<HostName, Host>> = {
  railway: {
    domains: ['.up.railway.app'],
    proof: 'container',
    sleepsAfter: 10 * MINUTE,
    monthlyHours: null,
  },
  render: {
    domains: ['.onrender.com'],
    proof: 'container',
    sleepsAfter: 15 * MINUTE,
    monthlyHours: { hours: 750, plan: 'free' },
  },
  koyeb: { domains: ['.koyeb.app'], proof: 'container', sleepsAfter: HOUR, monthlyHours: null },
  heroku: {
    domains: ['.herokuapp.com'],
    proof: 'edge',
    sleepsAfter: 30 * MINUTE,
    monthlyHours: { hours: 1000, plan: 'Eco' },
  },
  fly: { domains: ['.fly.dev'], proof: 'edge', sleepsAfter: 5 * MINUTE, monthlyHours: null },
  replit: { domains: ['.replit.app'], proof: 'edge', sleepsAfter: 15 * MINUTE, monthlyHours: null },
  huggingface: { domains: ['.hf.space'], proof: 'container', sleepsAfter: 48 * HOUR, monthlyHours: null },
  supabase: { domains: ['.supabase.co'], proof: 'edge', sleepsAfter: 7 * 24 * HOUR, monthlyHours: null },
  streamlit: { domains: ['.streamlit.app'], proof: 'edge', sleepsAfter: 12 * HOUR, monthlyHours: null },
  none: { domains: [], proof: 'edge', sleepsAfter: null, monthlyHours: null },
};

export const MONTHLY_HOURS: Allowances = Object.fromEntries(
  Object.entries(HOSTS).flatMap(([host, { monthlyHours }]) =>
    monthlyHours === null ? [] : [[host, monthlyHours]],
  ),
);

/** The host that a host name's domain belongs to; `none` where it is no domain of a known host. */
export function hostOf(hostname: string): HostName {
  const name = hostname.replace(/\.$/, '');
  return HOST_NAMES.find((host) => HOSTS[host].domains.some((domain) => name.endsWith(domain))) ?? 'none';
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
