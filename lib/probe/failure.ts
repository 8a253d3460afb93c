import type { Readable } from 'node:stream';
import type { Reason } from '../types.js';

/** Why an attempt failed. Its message is one of a few fixed texts and may be shown to anybody. */
export class ProbeFailure extends Error {
  override readonly name = 'ProbeFailure';
  constructor(
    readonly code: Reason,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}

/** The attempt was cut short by the end of its run, not by its own time limit: it says nothing of the target. */
export class Interruption extends ProbeFailure {
  constructor() {
    super('timeout', "the run's time was up");
  }
}

/** `exchange` is HTTP, `dialogue` any other protocol; `check` is our own work on what was received. */
export type Phase = 'dns' | 'connect' | 'tls' | 'exchange' | 'dialogue' | 'check';

type Entry = readonly [reason: Reason, message: string];

const BY_PHASE: Readonly<Record<Phase, Entry>> = {
  dns: ['dns', 'name not resolved'],
  connect: ['connect', 'connection failed'],
  tls: ['tls', 'TLS handshake failed: see what openssl s_client says of this port'],
  exchange: ['protocol', 'no valid HTTP answer'],
  dialogue: ['protocol', 'no valid answer'],
  check: ['protocol', 'unexpected error in the check: its target may be well'],
};

const DNS: ReadonlyMap<string, Entry> = new Map(
  Object.entries<Entry>({
    ENOTFOUND: ['dns', 'name not found'],
    ENODATA: ['dns', 'name has no address'],
    EAI_AGAIN: ['dns', 'name server did not answer'],
    ETIMEOUT: ['dns', 'name server did not answer'],
    ECONNREFUSED: ['dns', 'name server did not answer'],
    ESERVFAIL: ['dns', 'name server failed'],
    EREFUSED: ['dns', 'name server refused'],
    EBADNAME: ['dns', 'name is not valid'],
  }),
);

/** What is wrong, and what to do about it. Both are fixed texts. */
type TlsProblem = readonly [problem: string, remedy: string];

const NO_CLIENT_CERTIFICATE: TlsProblem = [
  'the server wants a client certificate',
  'give it one by TLS_CLIENT_CERT, or let it answer this address without one',
];
/** Some servers say so of one that is missing, too. */
const BAD_CLIENT_CERTIFICATE: TlsProblem = [
  'the server wants a client certificate that it accepts',
  'give it one by TLS_CLIENT_CERT, or let it answer this address without one',
];
const CLIENT_CERTIFICATE_REFUSED: TlsProblem = [
  'the server does not accept the client certificate',
  'check when the one in TLS_CLIENT_CERT expires, who issued it, and whom the server trusts',
];
const REFUSED: TlsProblem = [
  'no cipher in common',
  'let the server offer a modern one, such as ECDHE with AES-GCM, for its kind of key',
];
const NO_TLS: TlsProblem = [
  'the port does not speak TLS',
  'check the port, or use the same kind of address without TLS',
];
const TOO_OLD: TlsProblem = ['no TLS version in common', 'let the server offer TLS 1.2 or newer'];
const UNKNOWN_NAME: TlsProblem = [
  'the server does not know this name',
  'check the address, or add the name to the server',
];
const UNKNOWN_ISSUER: TlsProblem = [
  'unknown certificate issuer',
  'let the server send its whole chain, or trust the issuer by NODE_EXTRA_CA_CERTS',
];
const OTHER_NAME: TlsProblem = [
  'certificate is for another name',
  'check the address, or get a certificate for this name',
];
const NOT_ACCEPTED: TlsProblem = ['certificate not accepted', 'see what openssl s_client says of it'];

/** By the code of OpenSSL or Node. */
const TLS: ReadonlyMap<string, TlsProblem> = new Map(
  Object.entries<TlsProblem>({
    CERT_HAS_EXPIRED: [
      'certificate has expired',
      'renew it (or the one that issued it), then reload the server',
    ],
    CERT_NOT_YET_VALID: [
      'certificate is not valid yet',
      'check when it begins, and the clocks of both sides',
    ],
    CERT_REVOKED: ['certificate is revoked', 'get a new one'],
    CERT_UNTRUSTED: ['certificate is not trusted', 'get one from a public authority'],
    DEPTH_ZERO_SELF_SIGNED_CERT: [
      'self-signed certificate',
      'trust it by NODE_EXTRA_CA_CERTS, or set TLS_VERIFY=false',
    ],
    SELF_SIGNED_CERT_IN_CHAIN: [
      'certificate of a private authority',
      'trust it by NODE_EXTRA_CA_CERTS, or set TLS_VERIFY=false',
    ],
    UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_ISSUER,
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_ISSUER,
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_ISSUER,
    ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
    ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
    ERR_SSL_HTTP_REQUEST: NO_TLS,
    ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: [
      'no application protocol in common',
      'let the server offer HTTP/1.1 by ALPN, or HTTP/2 for gRPC',
    ],
    ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: TOO_OLD,
    ERR_SSL_UNSUPPORTED_PROTOCOL: TOO_OLD,
    ERR_SSL_NO_SHARED_CIPHER: REFUSED,
    ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: REFUSED,
    ERR_SSL_SSL_TLS_ALERT_HANDSHAKE_FAILURE: REFUSED,
    ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: BAD_CLIENT_CERTIFICATE,
    ERR_SSL_SSL_TLS_ALERT_BAD_CERTIFICATE: BAD_CLIENT_CERTIFICATE,
    ...Object.fromEntries(
      [
        ...['UNSUPPORTED_CERTIFICATE', 'CERTIFICATE_REVOKED', 'CERTIFICATE_EXPIRED', 'CERTIFICATE_UNKNOWN'],
        ...['UNKNOWN_CA', 'ACCESS_DENIED'],
      ].flatMap((alert) =>
        ['SSLV3', 'TLSV1', 'SSL_TLS'].map((version) => [
          `ERR_SSL_${version}_ALERT_${alert}`,
          CLIENT_CERTIFICATE_REFUSED,
        ]),
      ),
    ),
    ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: NO_CLIENT_CERTIFICATE,
    ERR_SSL_TLSV1_UNRECOGNIZED_NAME: UNKNOWN_NAME,
    ERR_SSL_TLSV1_ALERT_UNRECOGNIZED_NAME: UNKNOWN_NAME,
    ERR_TLS_CERT_ALTNAME_INVALID: OTHER_NAME,
    HOSTNAME_MISMATCH: OTHER_NAME,
  }),
);

const ELSEWHERE: ReadonlyMap<string, Entry> = new Map(
  Object.entries<Entry>({
    ECONNREFUSED: ['connect', 'connection refused'],
    EHOSTUNREACH: ['connect', 'host unreachable'],
    EHOSTDOWN: ['connect', 'host unreachable'],
    ENETUNREACH: ['connect', 'network unreachable'],
    ENETDOWN: ['connect', 'network unreachable'],
    EADDRNOTAVAIL: ['connect', 'no local address or port'],
    EACCES: ['connect', 'connection not permitted'],
    EPERM: ['connect', 'connection not permitted'],
    EMFILE: ['connect', 'no free descriptor'],
    ENFILE: ['connect', 'no free descriptor'],
    ENOBUFS: ['connect', 'no free descriptor'],
    ETIMEDOUT: ['timeout', 'connection timed out'],
    ECONNRESET: ['reset', 'connection reset'],
    ECONNABORTED: ['reset', 'connection reset'],
    EPIPE: ['reset', 'connection reset'],
    ERR_STREAM_PREMATURE_CLOSE: ['reset', 'connection closed early'],
    UND_ERR_SOCKET: ['reset', 'connection closed early'],
    HPE_INVALID_EOF_STATE: ['reset', 'connection closed early'],
    UND_ERR_HEADERS_OVERFLOW: ['protocol', 'headers too large'],
    HPE_HEADER_OVERFLOW: ['protocol', 'headers too large'],
    UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['protocol', 'wrong content length'],
    UND_ERR_INVALID_ARG: ['protocol', 'request cannot be sent'],
    UND_ERR_NOT_SUPPORTED: ['protocol', 'request cannot be sent'],
  }),
);

/** The failure for a system, TLS or undici error in `phase`. Only the error's `code` is looked at. */
export function failureOf(error: unknown, phase: Phase): ProbeFailure {
  if (error instanceof ProbeFailure) return error;
  const code = codeOf(error);
  const problem = TLS.get(code);
  if (problem !== undefined) return new ProbeFailure('tls', problem.join(': '), { cause: error });
  const [reason, message] = (phase === 'dns' ? DNS : ELSEWHERE).get(code) ?? BY_PHASE[phase];
  return new ProbeFailure(reason, message, { cause: error });
}

/** The failure for a socket that was closed, by an error or without one, while nobody listened to it. */
export function closingOf({ errored }: Readable, phase: Phase): ProbeFailure {
  return errored ? failureOf(errored, phase) : closedEarly();
}

/** What comes before a question is no answer to it. */
export const saysTooMuch = () => new ProbeFailure('protocol', 'the server says more than it was asked');

export const closedEarly = () => new ProbeFailure('reset', 'connection closed early');

/** The failure for a server that closed without an answer, to us who speak without TLS. `scheme`: that with TLS. */
export const closedWithoutTls = (scheme: string) =>
  new ProbeFailure('reset', `connection closed without an answer: for a server with TLS, write ${scheme}`);

/** The failure for an error in a TLS handshake. `hasKeys`: the two sides had agreed on a cipher before it. */
export function handshakeFailure(error: unknown, hasKeys: boolean): ProbeFailure {
  return hasKeys && TLS.get(codeOf(error)) === REFUSED
    ? new ProbeFailure('tls', NO_CLIENT_CERTIFICATE.join(': '), { cause: error })
    : failureOf(error, 'tls');
}

/** What is wrong by an error code of TLS, without what to do about it; null: nothing. */
export function tlsProblem(code: string): string | null {
  return TLS.get(code)?.[0] ?? null;
}

/** The failure for a certificate that was not accepted, by the code of OpenSSL or Node. */
export function certificateFailure(code: string): ProbeFailure {
  return new ProbeFailure('tls', (TLS.get(code) ?? NOT_ACCEPTED).join(': '), {
    cause: { code },
  });
}

/** An error's code; empty when it has none. Not by `instanceof`: errors of another vm context have codes too. */
export function codeOf(error: unknown): string {
  const isCoded = typeof error === 'object' && error !== null && 'code' in error;
  return isCoded && typeof error.code === 'string' ? error.code : '';
}
