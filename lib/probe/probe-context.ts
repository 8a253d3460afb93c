import type { SecureContext } from 'node:tls';
import type { Body } from '../rules/assertions.js';
import type { Protocol, TargetOf } from '../types.js';
import type { NameResolver } from './dns.js';
import type { Deadline } from './deadline.js';

/** What is known of an attempt so far, whether it ends well or not. Phases in ms, summed over redirects. */
export interface Trace {
  dns: number | null;
  connect: number | null;
  tls: number | null;
  ttfb: number | null;
  statusCode: number | null;
  /** The earliest end of a certificate met, ms since the epoch. */
  tlsExpiresAt: number | null;
  noServer: boolean;
  /** The last answer came from the host's own server. */
  reached: boolean;
}

/** One attempt on its way: its own deadline and trace, and the process's shared pieces. */
export interface ProbeContext {
  readonly deadline: Deadline;
  readonly trace: Trace;
  readonly resolver: NameResolver;
  readonly secureContext: () => SecureContext;
  readonly isPublic: (address: string) => boolean;
}

/** Probes a target at its URL; resolves with the body where assertions look at it. Rejects with a ProbeFailure. */
export type Probe<Name extends Protocol> = (
  target: TargetOf<Name>,
  url: URL,
  context: ProbeContext,
) => Promise<Body | null>;
