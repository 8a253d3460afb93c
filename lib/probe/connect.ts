import type { X509Certificate } from 'node:crypto';
import { connect as openSocket, isIP, type Socket } from 'node:net';
import {
  checkServerIdentity,
  connect as openTls,
  type DetailedPeerCertificate,
  type TLSSocket,
} from 'node:tls';
import { endOfChain } from './chain.js';
import type { Candidates } from './dns.js';
import { certificateFailure, closingOf, failureOf, handshakeFailure, ProbeFailure } from './failure.js';
import type { IpVersions } from '../types.js';
import type { ProbeContext } from './probe-context.js';

/** How long an address may hang before the next one is tried beside it, in ms. */
const NEXT_ADDRESS_AFTER = 2_000;

/** Node's code for it. */
const OTHER_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID';
const NO_OBJECTS = {} as DetailedPeerCertificate;

export interface Connection {
  readonly socket: Socket;
  /** The IP address that the socket is connected to. */
  readonly address: string;
}

interface Secured {
  readonly secured: TLSSocket;
  readonly certificate: X509Certificate | undefined;
}

/**
 * Opens a TCP connection to a URL's host: its addresses in turn, the next one as soon as one fails or hangs.
 * `allow` says which addresses may be connected to. Rejects with a ProbeFailure.
 */
export async function connect(
  url: URL,
  port: number,
  context: ProbeContext,
  allow: (address: string) => boolean,
): Promise<Connection> {
  const { deadline, trace } = context;
  const candidates = await resolveHost(url, context);
  const resolved = deadline.elapsed;
  const connection = await deadline.guard<Connection>('connecting', (resolve, reject) =>
    connectAny(candidates, { port, allow, onBegin: () => deadline.beginStep() }, resolve, reject),
  );
  trace.connect = (trace.connect ?? 0) + deadline.elapsed - resolved;
  return connection;
}

/** The addresses of a URL's host. Rejects with a ProbeFailure. */
export async function resolveHost(
  url: URL,
  { deadline, trace, resolver, mayConnect, ipVersion }: ProbeContext,
): Promise<Candidates> {
  const host = hostOf(url);
  if (isIP(host) !== 0) return { addresses: allowed(ofVersion([host], ipVersion), mayConnect), more: null };
  const start = deadline.elapsed;
  const { addresses, more } = await deadline.guard<Candidates>('resolving', (resolve, reject) => {
    resolver
      .resolve(host, deadline)
      .then((found) => (ipVersion === null ? found : narrowed(found, ipVersion)))
      .then(resolve, reject);
    return () => undefined;
  });
  trace.dns = (trace.dns ?? 0) + deadline.elapsed - start;
  return {
    addresses: allowed(addresses, mayConnect),
    more: more && (async () => (await more()).filter(mayConnect)),
  };
}

/** Those of the versions that count. Asks for the other family's addresses only where they may be needed. */
async function narrowed({ addresses, more }: Candidates, version: IpVersions): Promise<Candidates> {
  const isEnough = version.startsWith('4') && addresses.some((address) => isIP(address) === 4);
  const all = isEnough || more === null ? addresses : [...addresses, ...(await more())];
  return { addresses: ofVersion(all, version), more: null };
}

/** Throws a ProbeFailure where there is none. */
function ofVersion(addresses: readonly string[], version: IpVersions | null): readonly string[] {
  if (version === null || addresses.length === 0) return addresses;
  const kept = version
    .split(',')
    .map((each) => addresses.filter((address) => isIP(address) === Number(each)))
    .find(({ length }) => length > 0);
  if (kept === undefined)
    throw new ProbeFailure('dns', `there is no IPv${version} address, and IP_VERSION asks for one`);
  return kept;
}

/** Those that may be connected to. Throws a ProbeFailure where there are others alone. */
function allowed(addresses: readonly string[], mayConnect: ProbeContext['mayConnect']): readonly string[] {
  const kept = addresses.filter(mayConnect);
  if (kept.length === 0 && addresses.length > 0) {
    throw new ProbeFailure('blocked', 'private address');
  }
  return kept;
}

/**
 * Turns a connection into a TLS one and notes the certificate's end, also when it is then refused.
 * Rejects with a ProbeFailure; the socket is the caller's to destroy.
 */
export async function secure(
  socket: Socket,
  url: URL,
  verify: boolean,
  protocols: string[] | undefined,
  context: ProbeContext,
): Promise<TLSSocket> {
  const { deadline, trace } = context;
  const host = hostOf(url).replace(/\.$/, '');
  // Made with the first handshake, which takes a while, and before the clock runs.
  const secureContext = context.secureContext(url);
  const start = deadline.elapsed;
  const { secured, certificate } = await deadline.guard<Secured>(
    'in the TLS handshake',
    (resolve, reject) => {
      if (socket.destroyed) {
        reject(closingOf(socket, 'tls'));
        return () => undefined;
      }
      const secured = openTls({
        socket,
        host,
        ...(isIP(host) === 0 && { servername: host }),
        ...(protocols && { ALPNProtocols: protocols }),
        secureContext,
        // Judged below, so that the end of a refused certificate is known too.
        rejectUnauthorized: false,
        checkServerIdentity: () => undefined,
      });
      // For checkServerIdentity, Node would make objects of the whole chain: a fifth of the handshake.
      secured.getPeerCertificate = () => NO_OBJECTS;
      // With keys there is a cipher in common: a handshake that is then refused lacks a client certificate.
      let hasKeys = false;
      secured.once('keylog', () => (hasKeys = true));
      secured.on('error', (error) => reject(handshakeFailure(error, hasKeys)));
      secured.once('secureConnect', () =>
        // Taken here: a connection that has been closed has no certificate any more.
        resolve({ secured, certificate: secured.getPeerX509Certificate() }),
      );
      return () => secured.destroy();
    },
  );
  trace.tls = (trace.tls ?? 0) + deadline.elapsed - start;
  const expiresAt = certificate === undefined ? null : endOfChain(certificate);
  if (expiresAt !== null) trace.tlsExpiresAt = Math.min(trace.tlsExpiresAt ?? Infinity, expiresAt);
  if (verify) {
    // Typed as an Error, but Node sets the code here.
    if (!secured.authorized) throw certificateFailure(String(secured.authorizationError));
    if (!certificate || !isFor(certificate, host)) throw certificateFailure(OTHER_NAME);
  }
  return secured;
}

function isFor(certificate: X509Certificate, host: string): boolean {
  if (isIP(host) !== 0) return certificate.checkIP(host) !== undefined;
  if (certificate.checkHost(host) !== undefined) return true;
  // OpenSSL takes no wildcard for a name with an underscore; browsers, curl and Node do.
  return checkServerIdentity(host, certificate.toLegacyObject()) === undefined;
}

function hostOf(url: URL): string {
  return url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
}

interface ConnectOptions {
  readonly port: number;
  readonly allow: (address: string) => boolean;
  /** The system is about to be asked for the first connection. */
  readonly onBegin: () => void;
}

/** Connects to the first candidate that accepts. Returns how to stop. */
function connectAny(
  candidates: Candidates,
  { port, allow, onBegin }: ConnectOptions,
  resolve: (connection: Connection) => void,
  reject: (failure: ProbeFailure) => void,
): () => void {
  const queue = [...candidates.addresses];
  const open = new Set<Socket>();
  let { more } = candidates;
  let asking = false;
  let isFirst = true;
  let ended = false;
  let firstFailure: ProbeFailure | null = null;
  let timer: NodeJS.Timeout | undefined;

  const stop = () => {
    ended = true;
    clearTimeout(timer);
    for (const socket of open) socket.destroy();
  };

  const fail = (failure: ProbeFailure) => {
    firstFailure ??= failure;
    next();
  };

  const tryAddress = (address: string) => {
    const socket = openSocket({ host: address, port, noDelay: true });
    if (isFirst) socket.once('connectionAttempt', onBegin);
    isFirst = false;
    open.add(socket);
    const onError = (error: Error) => {
      if (open.delete(socket) && !ended) fail(failureOf(error, 'connect'));
    };
    const onConnect = () => {
      if (ended) return;
      open.delete(socket);
      resolve({ socket, address });
      stop();
      // Node keeps a closed socket for a while, and with it what listens to it.
      socket.off('error', onError).off('connect', onConnect);
    };
    socket.on('error', ignore).on('error', onError).on('connect', onConnect);
  };

  const askMore = (ask: () => Promise<readonly string[]>) => {
    more = null;
    asking = true;
    void ask().then((addresses) => {
      asking = false;
      queue.push(...addresses);
      if (!ended) next();
    });
  };

  const next = () => {
    clearTimeout(timer);
    const address = queue.shift();
    if (address !== undefined) {
      if (!allow(address)) {
        fail(new ProbeFailure('blocked', 'redirect to a private address'));
        return;
      }
      tryAddress(address);
      if (queue.length > 0 || more) timer = setTimeout(next, NEXT_ADDRESS_AFTER);
    } else if (more) {
      askMore(more);
    } else if (open.size === 0 && !asking) {
      stop();
      reject(firstFailure ?? new ProbeFailure('dns', 'name has no address'));
    }
  };

  next();
  return stop;
}

/** For errors of a socket that nobody waits for any more. */
function ignore(): void {
  // Errors of a socket that is no longer in use are ignored.
}
