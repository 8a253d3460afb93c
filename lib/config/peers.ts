import type { Problem } from './problems.js';
import { isOff, InvalidValue, value } from './values.js';
import { parseAddresses, parseUrl } from './request.js';

/** Other installations that are asked for a second opinion, and that may ask this one. */
export interface PeerSettings {
  /** Origins, each once; this installation's own is left out. */
  readonly urls: readonly string[];
  /** What all of them share; null: nobody may ask, and nobody is asked. */
  readonly secret: string | null;
  /** Globalping is asked too; null: it is not. Its token allows more tests an hour. */
  readonly globalping: { readonly token: string | null } | null;
  /** Where this installation stands, such as `fra1`, in at most 20 characters; null: not known. */
  readonly region: string | null;
}

const MOST_PEERS = 10;
/** In the place of an address: https://globalping.io */
const GLOBALPING = 'globalping';
const ADDRESS = 'the https:// address of another installation, without a path, or globalping';

/**
 * Origins with commas or white space between, of which one may be `globalping`; empty for `off`. What is sent to one must not
 * be read on the way.
 */
export const peerList = value(`${ADDRESS} (several: commas between), or off`, (text) => {
  if (isOff(text)) return [];
  const origins = parseAddresses(text, parsePeer);
  const unique = origins && [...new Set(origins)];
  if (unique && unique.length > MOST_PEERS) throw new InvalidValue(`expected at most ${MOST_PEERS} of them`);
  return unique;
});

/** The hosts of the peers that are watched, each once. */
export function peerHosts({ urls, secret }: Pick<PeerSettings, 'urls' | 'secret'>): readonly string[] {
  return secret === null ? [] : [...new Set(urls.map((url) => new URL(url).host))];
}

/** Plain HTTP stays on this machine. */
function parsePeer(entry: string): string | undefined {
  if (entry.toLowerCase() === GLOBALPING) return GLOBALPING;
  const url = parseUrl(entry);
  if (url === undefined || url.href !== `${url.origin}/`) return undefined;
  const isHere = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isHere) ? url.origin : undefined;
}

export function peerProblem(texts: ReadonlyMap<string, string>): Problem[] {
  const peers = texts.get('KEEP_ALIVE_PEERS');
  if (peers === undefined || isOff(peers) || texts.has('KEEP_ALIVE_PEER_SECRET')) return [];
  const { data: list } = peerList.safeParse(peers);
  if (list?.every((each) => each === GLOBALPING)) return [];
  const message =
    'missing, KEEP_ALIVE_PEERS needs it: openssl rand -hex 32 makes one, the same for all of them';
  return [{ variable: 'KEEP_ALIVE_PEER_SECRET', message }];
}

export function toPeers(
  options: {
    readonly KEEP_ALIVE_PEERS: readonly string[] | null;
    readonly KEEP_ALIVE_PEER_SECRET: string | null;
    readonly KEEP_ALIVE_GLOBALPING_TOKEN: string | null;
  },
  { publicUrl, region }: { readonly publicUrl: string | null; readonly region: string | null },
): PeerSettings {
  const listed = options.KEEP_ALIVE_PEERS ?? [];
  return {
    urls: listed.filter((each) => each !== publicUrl && each !== GLOBALPING),
    globalping: listed.includes(GLOBALPING) ? { token: options.KEEP_ALIVE_GLOBALPING_TOKEN } : null,
    secret: options.KEEP_ALIVE_PEER_SECRET,
    region: region !== null && REGION.test(region) ? region : null,
  };
}

const REGION = /^[a-z0-9-]{1,20}$/;
