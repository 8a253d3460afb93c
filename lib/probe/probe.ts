import { createSecureContext, type SecureContext } from 'node:tls';
import { judgeAnswer, type Answer, type Body } from '../rules/assertions.js';
import type { Attempt, Protocol, Target, TargetOf, Verdict } from '../types.js';
import { isPublicAddress } from './public-address.js';
import { createResolver } from './dns.js';
import { createEvaluator } from './evaluator.js';
import { failureOf, Interruption } from './failure.js';
import { HostsFile } from './hosts-file.js';
import { probeHttp, userAgentOf } from './http-probe.js';
import { Deadline } from './deadline.js';
import { probeTcp } from './tcp-probe.js';
import { probeTls } from './tls-probe.js';
import type { Probe, Trace, ProbeContext } from './probe-context.js';

export interface Prober {
  /** One request, judged. Never rejects; when `signal` fires it ends at once and is `interrupted`. */
  attempt(target: Target, signal: AbortSignal): Promise<Attempt>;
  close(): Promise<void>;
}

export interface ProberOptions {
  /** PEM certificates to trust instead of the system's. */
  readonly ca?: readonly string[];
  /** Name servers as `address:port` instead of the system's. */
  readonly servers?: readonly string[];
  /** A hosts file instead of the system's. */
  readonly hostsFile?: string;
  /** Which addresses a redirect from a public one may lead to. */
  readonly isPublic?: (address: string) => boolean;
  /** An address for the user agent, where the operators of targets find out who asks. */
  readonly contact?: string | null;
  readonly now?: () => number;
  /** Called with every answer, body included, before it is judged. */
  readonly onAnswer?: (answer: Answer) => void;
}

/**
 * One row a protocol; those that need a client library are imported by the first check that needs it. Its rules are the row
 * of the same name in `types.ts`.
 */
const PROBES: { readonly [Name in Protocol]: Probe<Name> } = {
  'http:': probeHttp,
  'https:': probeHttp,
  'tcp:': probeTcp,
  'tls:': probeTls,
  'grpc:': async (...of) => (await import('./grpc-probe.js')).probeGrpc(...of),
  'grpcs:': async (...of) => (await import('./grpc-probe.js')).probeGrpc(...of),
  'ws:': async (...of) => (await import('./websocket-probe.js')).probeWebSocket(...of),
  'wss:': async (...of) => (await import('./websocket-probe.js')).probeWebSocket(...of),
};

/** The probes of a process, with the name resolver and TLS context that they share. No state belongs to a run. */
export function createProber(options: ProberOptions = {}): Prober {
  const { ca, now = Date.now, isPublic = isPublicAddress } = options;
  const resolver = createResolver(options.servers, new HostsFile(options.hostsFile));
  const evaluator = createEvaluator();
  const userAgent = userAgentOf(options.contact ?? null);
  let tlsContext: SecureContext | undefined;
  const secureContext = () => (tlsContext ??= createSecureContext(ca ? { ca: [...ca] } : {}));

  return {
    async attempt(target, signal) {
      const trace: Trace = {
        dns: null,
        connect: null,
        tls: null,
        ttfb: null,
        statusCode: null,
        tlsExpiresAt: null,
        noServer: false,
        reached: false,
      };
      const deadline = new Deadline(target.timeout, signal);
      let total: number | null = null;
      let verdict: Verdict & Pick<Attempt, 'interrupted'>;
      try {
        const body = await probe(target.protocol, target, {
          deadline,
          trace,
          resolver,
          secureContext,
          isPublic,
          evaluator,
          userAgent,
        });
        deadline.pause();
        total = deadline.elapsed;
        const { statusCode, tlsExpiresAt } = trace;
        const answer = { at: now(), statusCode, body, latency: Math.round(total), tlsExpiresAt };
        options.onAnswer?.(answer);
        verdict = await deadline.guard<Verdict>('being judged', (resolve, reject) => {
          judgeAnswer(target.assertions, answer, evaluator).then(resolve, reject);
          return () => undefined;
        });
      } catch (error) {
        const failure = failureOf(error, 'exchange');
        verdict = {
          outcome: 'failed',
          reason: failure.code,
          message: failure.message,
          ...(failure instanceof Interruption && { interrupted: true }),
        };
      } finally {
        deadline.close();
      }
      return {
        ...verdict,
        statusCode: trace.statusCode,
        timings: {
          dns: tenths(trace.dns),
          connect: tenths(trace.connect),
          tls: tenths(trace.tls),
          ttfb: tenths(trace.ttfb),
          total: tenths(total ?? deadline.elapsed),
        },
        tlsExpiresAt: trace.tlsExpiresAt,
        noServer: trace.noServer,
        reached: trace.reached,
      };
    },
    async close() {
      resolver.close();
      await evaluator.close();
    },
  };
}

function probe<Name extends Protocol>(
  protocol: Name,
  target: TargetOf<Name>,
  context: ProbeContext,
): Promise<Body | null> {
  return PROBES[protocol](target, new URL(target.url), context);
}

function tenths<T extends number | null>(ms: T): T;
function tenths(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}
