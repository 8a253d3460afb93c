import { HOSTS } from '../rules/hosts.js';
import type { HostName } from '../types.js';
import { HOUR, MINUTE, SECOND } from '../time.js';

/** How long a host that sleeps may take to wake where only SLEEPS_AFTER says that it sleeps. */
const WAKE_TIMEOUT = 90 * SECOND;

/**
 * The host's own where it has one and SLEEPS_AFTER is not set; else half of the time until it sleeps, within 1 minute to 12
 * hours; 5 minutes where it does not sleep.
 */
export function defaultInterval(host: HostName, sleepsAfter: number | null): number {
  const { interval, sleepsAfter: usual } = HOSTS[host];
  if (interval !== null && sleepsAfter === usual) return interval;
  if (sleepsAfter === null) return 5 * MINUTE;
  return Math.min(12 * HOUR, Math.max(MINUTE, Math.round(sleepsAfter / 2)));
}

/** How long a host may take to wake; 0 where it does not sleep, or no request wakes it. */
export function defaultWakeTimeout(host: HostName, sleepsAfter: number | null): number {
  if (sleepsAfter === null) return 0;
  return HOSTS[host].sleepsAfter === null ? WAKE_TIMEOUT : HOSTS[host].wakeTimeout;
}

/** Names that never lead to the internet: RFC 6761, 6762, 8375, and what routers use. */
const LOCAL_NAMES = /(?:^|\.)(?:localhost|local|internal|test|example|invalid|onion|lan|home|home\.arpa)$/;

/** Whether a host name looks like one on the internet: dotted, no IP address, no name reserved for local use. */
export function isPublicName(hostname: string): boolean {
  const name = hostname.replace(/\.$/, '');
  return /\.[a-z][a-z0-9-]*$/.test(name) && !LOCAL_NAMES.test(name);
}
