import type { SecureContext } from 'node:tls';
import type { Body, Evaluator } from '../rules/assertions.js';
import type { HostVerdict } from '../rules/host.js';
import type { Protocol } from '../protocols.js';
import type { IpVersions, TargetOf } from '../types.js';
import type { NameResolver } from './dns.js';
import type { Deadline } from './deadline.js';
import type { Exchange } from './exchange.js';

/** What has been measured in an attempt so far, also where it fails later. Phases are in ms, summed over redirects. */
export interface Trace {
  dns: number | null;
  connect: number | null;
  tls: number | null;
  ttfb: number | null;
  statusCode: number | null;
  /** The earliest end of a certificate met, ms since the epoch. */
  tlsExpiresAt: number | null;
  /** The last answer came from the host's own server, as far as it tells. */
  reached: boolean;
  /** Who answered, where the answer tells; null: nothing has been looked at. */
  verdict: HostVerdict | null;
}

export function newTrace(): Trace {
  return {
    dns: null,
    connect: null,
    tls: null,
    ttfb: null,
    statusCode: null,
    tlsExpiresAt: null,
    reached: false,
    verdict: null,
  };
}

/** What a probe works with: the deadline and trace of its attempt, and what all probes of the process share. */
export interface ProbeContext {
  readonly deadline: Deadline;
  readonly trace: Trace;
  readonly resolver: NameResolver;
  /** For a connection to an address of the target, or to one that it has led to. */
  readonly secureContext: (url: URL) => SecureContext;
  readonly isPublic: (address: string) => boolean;
  /** Whether an address may be connected to at all. */
  readonly mayConnect: (address: string) => boolean;
  /** The target's. */
  readonly ipVersion: IpVersions | null;
  readonly evaluator: Evaluator;
  readonly exchange: Exchange;
  /** Sent unless HEADERS has another. */
  readonly userAgent: string;
}

/** Makes one request. Resolves with the body where an assertion needs it, else with null. Rejects with a ProbeFailure. */
export type Probe<Name extends Protocol> = (
  target: TargetOf<Name>,
  url: URL,
  context: ProbeContext,
) => Promise<Body | null>;
