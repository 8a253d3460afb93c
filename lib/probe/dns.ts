import { lookup, promises, type SrvRecord } from 'node:dns';
import { isIP } from 'node:net';
import { codeOf, failureOf } from './failure.js';
import { HostsFile } from './hosts-file.js';
import type { Clock } from './deadline.js';

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
  /** IPv4 first. Rejects with a ProbeFailure `dns`. While it waits for its turn to ask, the clock stands still. */
  resolve(host: string, clock: Clock): Promise<Candidates>;
  /** The hosts of an SRV name, the most preferred first. Rejects with a ProbeFailure `dns`. */
  service(name: string, clock: Clock): Promise<readonly SrvRecord[]>;
  /** The text of a name, empty where it has none or cannot be had. */
  text(name: string, clock: Clock): Promise<string>;
  close(): void;
}

/**
 * What the hosts file says comes first. Then DNS is asked by c-ares, which no thread pool holds up; the system's lookup
 * answers for names without a dot, `.local`, and what DNS does not know.
 * @param servers name servers as `address:port` instead of the system's
 */
export function createResolver(
  servers?: readonly string[],
  hostsFile: HostsFile = new HostsFile(),
): NameResolver {
  const resolver = new promises.Resolver({ timeout: FIRST_WAIT, tries: TRIES });
  if (servers) resolver.setServers(servers);
  const gate = createGate(QUESTIONS_AT_ONCE, FIRST_WAIT);
  const ask = (host: string, family: 4 | 6, clock?: Clock) =>
    gate(() => (family === 4 ? resolver.resolve4(host) : resolver.resolve6(host)), clock);

  const fromDns = async (host: string, clock: Clock): Promise<Candidates> => {
    try {
      return { addresses: await ask(host, 4, clock), more: () => ask(host, 6).catch(() => []) };
    } catch (error) {
      if (codeOf(error) !== 'ENODATA') throw error;
      return { addresses: await ask(host, 6, clock), more: null };
    }
  };

  return {
    async resolve(host, clock) {
      if (isIP(host) !== 0) return { addresses: [host], more: null };
      const known = hostsFile.addressesOf(host);
      if (known.length > 0) return { addresses: known, more: null };
      const local = !host.includes('.') || host.endsWith('.local');
      try {
        return local ? await fromSystem(host) : await fromDns(host, clock);
      } catch (error) {
        if (local || !['ENOTFOUND', 'ENODATA'].includes(codeOf(error))) throw failureOf(error, 'dns');
        return await fromSystem(host).catch(() => {
          throw failureOf(error, 'dns');
        });
      }
    },
    async service(name, clock) {
      try {
        const records = await gate(() => resolver.resolveSrv(name), clock);
        return records.sort((a, b) => a.priority - b.priority || b.weight - a.weight);
      } catch (error) {
        throw failureOf(error, 'dns');
      }
    },
    async text(name, clock) {
      const records = await gate(() => resolver.resolveTxt(name), clock).catch(() => []);
      return records[0]?.join('') ?? '';
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

/**
 * Lets at most `width` of the given calls be under way; one that takes longer than `patience` ms gives its place up,
 * for many that nobody answers may not hold up the rest. The clock stands still while a call waits for its place.
 */
function createGate(
  width: number,
  patience: number,
): <T>(call: () => Promise<T>, clock?: Clock) => Promise<T> {
  let free = width;
  const waiting: (() => void)[] = [];
  const leave = () => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
  return async (call, clock) => {
    if (free > 0) free--;
    else {
      clock?.pause();
      await new Promise<void>((resolve) => waiting.push(resolve));
      clock?.resume();
    }
    let isInside = true;
    const leaveOnce = () => {
      if (isInside) leave();
      isInside = false;
    };
    const timer = setTimeout(leaveOnce, patience);
    try {
      return await call();
    } finally {
      clearTimeout(timer);
      leaveOnce();
    }
  };
}
