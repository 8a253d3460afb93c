import { promises } from 'node:dns';
import { needsBody } from '../rules/assertions.js';
import { dnsQuestion, type RecordType } from '../rules/queries.js';
import type { Reason } from '../types.js';
import { resolveHost } from './connect.js';
import { codeOf, ProbeFailure } from './failure.js';
import type { Probe } from './probe-context.js';

type Resolver = promises.Resolver;

/** Ms until the question is sent again; doubled each time. */
const FIRST_WAIT = 1_000;
/** A short time limit is divided by this for the first wait, so that two further questions fit in. */
const WAITS_IN_TIMEOUT = 8;

/** Asks for the records of one type; gives each as a text, as zone files write it but for quotes and final dots. */
const RECORDS: Readonly<Record<RecordType, (resolver: Resolver, name: string) => Promise<string[]>>> = {
  A: (resolver, name) => resolver.resolve4(name),
  AAAA: (resolver, name) => resolver.resolve6(name),
  CAA: async (resolver, name) =>
    (await resolver.resolveCaa(name)).flatMap(({ critical, ...properties }) =>
      Object.entries(properties)
        // Newer versions of Node add the type of the record.
        .filter(([tag]) => tag !== 'type')
        .map(([tag, value]) => `${critical} ${tag} ${value}`),
    ),
  CNAME: async (resolver, name) => (await resolver.resolveCname(name)).map(nameText),
  MX: async (resolver, name) =>
    (await resolver.resolveMx(name)).map(({ priority, exchange }) => `${priority} ${nameText(exchange)}`),
  NAPTR: async (resolver, name) =>
    (await resolver.resolveNaptr(name)).map(({ order, preference, flags, service, regexp, replacement }) =>
      [order, preference, flags, service, regexp, nameText(replacement)].join(' '),
    ),
  NS: async (resolver, name) => (await resolver.resolveNs(name)).map(nameText),
  PTR: async (resolver, name) => (await resolver.resolvePtr(name)).map(nameText),
  SOA: async (resolver, name) => {
    const { nsname, hostmaster, serial, refresh, retry, expire, minttl } = await resolver.resolveSoa(name);
    return [[nameText(nsname), nameText(hostmaster), serial, refresh, retry, expire, minttl].join(' ')];
  },
  SRV: async (resolver, name) =>
    (await resolver.resolveSrv(name)).map((record) =>
      [record.priority, record.weight, record.port, nameText(record.name)].join(' '),
    ),
  TXT: async (resolver, name) => (await resolver.resolveTxt(name)).map((pieces) => pieces.join('')),
};

/** Lower case; the root is a dot. */
function nameText(name: string): string {
  return name.toLowerCase() || '.';
}

/** By Node's code. */
const FAILURES: ReadonlyMap<string, readonly [reason: Reason, message: string]> = new Map(
  Object.entries<readonly [Reason, string]>({
    ENOTFOUND: ['query', 'the name does not exist (NXDOMAIN)'],
    ENODATA: ['query', 'the name has no record of this type'],
    ESERVFAIL: [
      'query',
      'the name server failed (SERVFAIL): it cannot reach the zone, or its DNSSEC is broken',
    ],
    EREFUSED: [
      'query',
      'the name server refuses (REFUSED): it does not serve this zone, or not to this client',
    ],
    EFORMERR: ['query', 'the name server cannot read the question (FORMERR)'],
    ENOTIMP: ['query', 'the name server does not answer such questions (NOTIMP)'],
    ETIMEOUT: ['timeout', 'the name server did not answer'],
    ECONNREFUSED: ['connect', 'no name server can be reached there: check the address and the port'],
  }),
);
const NO_DNS = ['protocol', 'what answers is no valid DNS: check the address and the port'] as const;

/**
 * DNS: good when the name server answers with a record of the type that is asked for. The body is a JSON array of the
 * records as texts, sorted. c-ares asks: again where nothing comes, over TCP where the answer is truncated, and it ignores
 * what answers another question.
 */
export const probeDns: Probe<'dns:'> = async (target, url, context) => {
  const { deadline, trace } = context;
  const question = dnsQuestion(target.query ?? '');
  if (question === null) throw new ProbeFailure('query', 'no question is configured');
  const { addresses } = await resolveHost(url, context);
  const servers = addresses.map(
    (address) => `${address.includes(':') ? `[${address}]` : address}:${url.port}`,
  );
  const start = deadline.elapsed;
  const records = await deadline.guard<string[]>('waiting for the answer', (resolve, reject) => {
    const resolvers: Resolver[] = [];
    let timer: NodeJS.Timeout | undefined;
    const stop = () => {
      clearTimeout(timer);
      for (const resolver of resolvers) resolver.cancel();
    };
    // Each question has a resolver of its own, which takes a late answer too: c-ares drops it once it has asked again.
    // The attempt's own time limit comes first.
    const ask = (wait: number) => {
      const resolver = new promises.Resolver({ timeout: 2 * Math.ceil(target.timeout), tries: 1 });
      const first = resolvers.length % servers.length;
      resolver.setServers([...servers.slice(first), ...servers.slice(0, first)]);
      resolvers.push(resolver);
      timer = setTimeout(() => ask(2 * wait), wait);
      RECORDS[question.type](resolver, question.name).then(
        (found) => {
          resolve(found);
          stop();
        },
        (error: unknown) => {
          const code = codeOf(error);
          if (code === 'ECANCELLED') return;
          const [reason, message] = FAILURES.get(code) ?? NO_DNS;
          trace.reached = reason === 'query';
          reject(new ProbeFailure(reason, message, { cause: error }));
          stop();
        },
      );
    };
    ask(Math.max(1, Math.min(FIRST_WAIT, Math.floor(target.timeout / WAITS_IN_TIMEOUT))));
    return stop;
  });
  trace.ttfb = deadline.elapsed - start;
  trace.reached = true;
  if (!needsBody(target.assertions)) return null;
  const json = Buffer.from(JSON.stringify(records.sort()));
  return {
    text: json.subarray(0, target.maxBody).toString(),
    cut: json.length > target.maxBody,
  };
};
