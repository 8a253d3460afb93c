import { lookup, promises } from 'node:dns';
import { isIP } from 'node:net';
import { codeOf, failureOf } from './failure.js';

/** At 300 questions in flight, answers over UDP were lost (MEASURES). */
const QUESTIONS_AT_ONCE = 200;
/** First wait for an answer in ms; c-ares doubles it for each further try. */
const FIRST_WAIT = 1_000;
const TRIES = 3;

/** Where a host can be reached: addresses to try in order, and a way to ask for the other family's. */
export interface Candidates {
  readonly addresses: readonly string[];
  /** Resolves with none when there are none; null: all are known. */
  readonly more: (() => Promise<readonly string[]>) | null;
}

export interface NameResolver {
  /** IPv4 first. Rejects with a ProbeFailure `dns`. */
  resolve(host: string): Promise<Candidates>;
  close(): void;
}

/**
 * Asks DNS by c-ares, which no thread pool holds up; the system's lookup, which knows the hosts file, answers for names
 * without a dot, `.local`, and what DNS does not know.
 * @param servers name servers as `address:port` instead of the system's
 */
export function createResolver(servers?: readonly string[]): NameResolver {
  const resolver = new promises.Resolver({ timeout: FIRST_WAIT, tries: TRIES });
  if (servers) resolver.setServers(servers);
  const gate = createGate(QUESTIONS_AT_ONCE);
  const ask = (host: string, family: 4 | 6) =>
    gate(() => (family === 4 ? resolver.resolve4(host) : resolver.resolve6(host)));

  const fromDns = async (host: string): Promise<Candidates> => {
    try {
      return { addresses: await ask(host, 4), more: () => ask(host, 6).catch(() => []) };
    } catch (error) {
      if (codeOf(error) !== 'ENODATA') throw error;
      return { addresses: await ask(host, 6), more: null };
    }
  };

  return {
    async resolve(host) {
      if (isIP(host) !== 0) return { addresses: [host], more: null };
      const local = !host.includes('.') || host.endsWith('.local');
      try {
        return local ? await fromSystem(host) : await fromDns(host);
      } catch (error) {
        if (local || !['ENOTFOUND', 'ENODATA'].includes(codeOf(error))) throw failureOf(error, 'dns');
        return await fromSystem(host).catch(() => {
          throw failureOf(error, 'dns');
        });
      }
    },
    close: () => resolver.cancel(),
  };
}

function fromSystem(host: string): Promise<Candidates> {
  return new Promise((resolve, reject) => {
    lookup(host, { all: true, verbatim: false }, (error, found) => {
      if (error) reject(error);
      else resolve({ addresses: found.map(({ address }) => address), more: null });
    });
  });
}

/** Lets at most `width` of the given calls be under way. */
function createGate(width: number): <T>(call: () => Promise<T>) => Promise<T> {
  let free = width;
  const waiting: (() => void)[] = [];
  return async (call) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await call();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
