import { createSecureContext, type SecureContext } from 'node:tls';
import { judgeAnswer, type Answer, type Body } from '../rules/assertions.js';
import type { HostVerdict } from '../rules/host.js';
import { HOSTS, verdictOf, verdictOfWord, wantsWord, withHostVerdict, withWord } from '../rules/hosts.js';
import type { Protocol } from '../protocols.js';
import type { Attempt, ClientCertificate, Target, TargetOf, Verdict } from '../types.js';
import { isPublicAddress } from './public-address.js';
import { createResolver } from './dns.js';
import { createEvaluator } from './evaluator.js';
import { exchange, type Exchange } from './exchange.js';
import { codeOf, failureOf, Interruption } from './failure.js';
import { HostWords } from './host-words.js';
import { HostsFile } from './hosts-file.js';
import { probeHttp, userAgentOf } from './http-probe.js';
import { Deadline } from './deadline.js';
import { probeTcp } from './tcp-probe.js';
import { probeTls } from './tls-probe.js';
import { TokenWords, type KnownWord } from './token-words.js';
import { newTrace, type Probe, type ProbeContext, type Trace } from './probe-context.js';

export interface Prober {
  /**
   * One request, judged. Never rejects; when `signal` fires it ends at once and is `interrupted`.
   * @param known what the host's own API said when another process asked it, and the clock by which that was
   */
  attempt(target: Target, signal: AbortSignal, known?: KnownWord): Promise<Attempt>;
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
  /** Nothing but public addresses is connected to: targets are given by others. */
  readonly onlyPublic?: boolean;
  /** An address for the user agent, where the operators of targets find out who asks. */
  readonly contact?: string | null;
  readonly now?: () => number;
  /** For tests: where the address leads at which a host is asked about an app. */
  readonly hostAddress?: (address: URL) => URL;
  /** Another HTTP client than our own, to be compared with it. */
  readonly exchange?: Exchange;
  /** Called with every answer, body included, before it is judged. */
  readonly onAnswer?: (answer: Answer) => void;
}

/**
 * One row a protocol; those that not every installation has are imported by the first check that needs it. Its rules are the row
 * of the same name in `protocols.ts`.
 */
const PROBES: { readonly [Name in Protocol]: Probe<Name> } = {
  'http:': probeHttp,
  'https:': probeHttp,
  'tcp:': probeTcp,
  'tls:': probeTls,
  'dns:': async (...of) => (await import('./dns-probe.js')).probeDns(...of),
  'smtp:': async (...of) => (await import('./smtp-probe.js')).probeSmtp(...of),
  'smtps:': async (...of) => (await import('./smtp-probe.js')).probeSmtp(...of),
  'grpc:': async (...of) => (await import('./grpc-probe.js')).probeGrpc(...of),
  'grpcs:': async (...of) => (await import('./grpc-probe.js')).probeGrpc(...of),
  'ws:': async (...of) => (await import('./websocket-probe.js')).probeWebSocket(...of),
  'wss:': async (...of) => (await import('./websocket-probe.js')).probeWebSocket(...of),
  'redis:': async (...of) => (await import('./redis-probe.js')).probeRedis(...of),
  'rediss:': async (...of) => (await import('./redis-probe.js')).probeRedis(...of),
  'mysql:': async (...of) => (await import('./mysql-probe.js')).probeMysql(...of),
  'postgres:': async (...of) => (await import('./postgres-probe.js')).probePostgres(...of),
  'mongodb:': async (...of) => (await import('./mongo-probe.js')).probeMongo(...of),
  'mongodb+srv:': async (...of) => (await import('./mongo-probe.js')).probeMongo(...of),
};

/** The probes of a process, with the name resolver and TLS context that they share. No state belongs to a run. */
export function createProber(options: ProberOptions = {}): Prober {
  const { ca, now = Date.now, isPublic = isPublicAddress } = options;
  const resolver = createResolver(options.servers, new HostsFile(options.hostsFile));
  const evaluator = createEvaluator();
  const userAgent = userAgentOf(options.contact ?? null);
  let tlsContext: SecureContext | undefined;
  const trusted = ca ? { ca: [...ca] } : {};
  const secureContext = () => (tlsContext ??= createSecureContext(trusted));
  const withClient = new WeakMap<ClientCertificate, SecureContext>();
  /** The certificate is for the target, and for no other host that it leads to. */
  const secureContextOf = (target: Target): ((url: URL) => SecureContext) => {
    const client = 'clientCertificate' in target ? target.clientCertificate : null;
    if (client === null) return secureContext;
    const own = withClient.get(client) ?? createSecureContext({ ...trusted, ...client });
    withClient.set(client, own);
    const { hostname } = new URL(target.url);
    const mayLead = target.protocol === 'http:' || target.protocol === 'https:';
    return (url) => (mayLead && url.hostname !== hostname ? secureContext() : own);
  };
  const shared = {
    ...{ resolver, secureContext, isPublic, evaluator, userAgent },
    mayConnect: options.onlyPublic === true ? isPublic : () => true,
    exchange: options.exchange ?? exchange,
    ipVersion: null,
  };
  const client = { shared, at: options.hostAddress ?? ((address: URL) => address) };
  const words = new HostWords(client, now);
  const tokenWords = new TokenWords(client);

  return {
    async attempt(target, signal, known = { word: null, now }) {
      const trace = newTrace();
      const deadline = new Deadline(target.timeout, signal);
      let total: number | null = null;
      let verdict: Verdict & Pick<Attempt, 'interrupted'>;
      try {
        const body = await probe(target.protocol, target, {
          ...shared,
          ipVersion: target.ipVersion,
          secureContext: secureContextOf(target),
          deadline,
          trace,
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
        const failure = failureOf(error, 'check');
        verdict = {
          outcome: 'failed',
          reason: failure.code,
          message: isNameGone(failure)
            ? (HOSTS[target.info.host].nameGone ?? failure.message)
            : failure.message,
          ...(failure instanceof Interruption && { interrupted: true }),
        };
      } finally {
        deadline.close();
      }
      const answered = verdict.interrupted ? null : verdictByAnswer(target, trace);
      const word = verdict.interrupted ? known.word : await tokenWords.of(target, known, answered, signal);
      const said = verdict.interrupted
        ? null
        : HOSTS[target.info.host].api === null
          ? await publicWord(target, answered, words, signal)
          : verdictOfWord(target.info.host, word, verdict.outcome === 'failed');
      const host = wantsWord(answered) ? withWord(answered, said) : answered;
      return {
        ...(host === null ? verdict : withHostVerdict(verdict, host)),
        statusCode: trace.statusCode,
        timings: {
          dns: tenths(trace.dns),
          connect: tenths(trace.connect),
          tls: tenths(trace.tls),
          ttfb: tenths(trace.ttfb),
          total: tenths(total ?? deadline.elapsed),
        },
        tlsExpiresAt: trace.tlsExpiresAt,
        origin: host?.origin ?? null,
        askFor: host?.askFor ?? 0,
        word,
        reached: trace.reached && !isInPlaceOfTheApp(host),
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

/** What the host says of it to anybody, where the answer does not tell who gave it. */
async function publicWord(
  target: Target,
  answered: HostVerdict | null,
  words: HostWords,
  signal: AbortSignal,
): Promise<HostVerdict | null> {
  return wantsWord(answered) ? words.ask(target, signal) : null;
}

function isInPlaceOfTheApp(verdict: HostVerdict | null): boolean {
  return verdict !== null && ['edge', 'asleep', 'unwakeable'].includes(verdict.origin);
}

/** Null: nobody answered. */
function verdictByAnswer(target: Target, { verdict, statusCode, reached }: Trace): HostVerdict | null {
  if (verdict !== null) return verdict;
  if (statusCode === null && !reached) return null;
  // A protocol whose answers have neither a status nor headers, or an answer of another name.
  const { info, protocol } = target;
  return verdictOf(info.host, {
    protocol: statusCode === null ? protocol : '',
    path: '',
    statusCode,
    headers: NO_HEADERS,
    body: null,
  });
}

const NO_HEADERS: ReadonlyMap<string, string> = new Map();

function isNameGone({ cause }: Error): boolean {
  return codeOf(cause) === 'ENOTFOUND';
}

function tenths<T extends number | null>(ms: T): T;
function tenths(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 10) / 10;
}
