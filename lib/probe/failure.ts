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

export type Phase = 'dns' | 'connect' | 'tls' | 'exchange';

type Entry = readonly [reason: Reason, message: string];

const BY_PHASE: Readonly<Record<Phase, Entry>> = {
  dns: ['dns', 'name not resolved'],
  connect: ['connect', 'connection failed'],
  tls: ['tls', 'TLS handshake failed'],
  exchange: ['protocol', 'no valid HTTP answer'],
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

const NO_COMMON_PROTOCOL = 'no common protocol: the server does not offer HTTP/1.1';

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
    UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['protocol', 'wrong content length'],
    UND_ERR_INVALID_ARG: ['protocol', 'request cannot be sent'],
    UND_ERR_NOT_SUPPORTED: ['protocol', 'request cannot be sent'],
    CERT_HAS_EXPIRED: ['tls', 'certificate has expired'],
    CERT_NOT_YET_VALID: ['tls', 'certificate is not valid yet'],
    CERT_REVOKED: ['tls', 'certificate is revoked'],
    CERT_UNTRUSTED: ['tls', 'certificate is not trusted'],
    DEPTH_ZERO_SELF_SIGNED_CERT: ['tls', 'self-signed certificate'],
    SELF_SIGNED_CERT_IN_CHAIN: ['tls', 'self-signed certificate in the chain'],
    UNABLE_TO_GET_ISSUER_CERT: ['tls', 'unknown certificate issuer'],
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['tls', 'unknown certificate issuer'],
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['tls', 'unknown certificate issuer'],
    ERR_SSL_WRONG_VERSION_NUMBER: ['tls', 'the port does not speak TLS'],
    ERR_SSL_PACKET_LENGTH_TOO_LONG: ['tls', 'the port does not speak TLS'],
    ERR_SSL_HTTP_REQUEST: ['tls', 'the port does not speak TLS'],
    ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: ['tls', NO_COMMON_PROTOCOL],
    ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: ['tls', 'no TLS version in common: 1.2 or newer is needed'],
    ERR_SSL_UNSUPPORTED_PROTOCOL: ['tls', 'no TLS version in common: 1.2 or newer is needed'],
    ERR_SSL_NO_SHARED_CIPHER: ['tls', 'no cipher in common'],
    ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: [
      'tls',
      'TLS refused: no cipher in common, or a client certificate is needed',
    ],
    ERR_SSL_SSL_TLS_ALERT_HANDSHAKE_FAILURE: [
      'tls',
      'TLS refused: no cipher in common, or a client certificate is needed',
    ],
    ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: ['tls', 'the server wants a client certificate'],
    ERR_SSL_TLSV1_UNRECOGNIZED_NAME: ['tls', 'the server does not know this name'],
    ERR_SSL_TLSV1_ALERT_UNRECOGNIZED_NAME: ['tls', 'the server does not know this name'],
    ERR_TLS_CERT_ALTNAME_INVALID: ['tls', 'certificate is for another name'],
    HOSTNAME_MISMATCH: ['tls', 'certificate is for another name'],
  }),
);

/** The failure for a system, TLS or undici error in `phase`. Only the error's `code` is looked at. */
export function failureOf(error: unknown, phase: Phase): ProbeFailure {
  if (error instanceof ProbeFailure) return error;
  const code = codeOf(error);
  const [reason, message] = (phase === 'dns' ? DNS : ELSEWHERE).get(code) ?? BY_PHASE[phase];
  return new ProbeFailure(reason, message, { cause: error });
}

/** The failure for a socket that was closed, by an error or without one, while nobody listened to it. */
export function closingOf({ errored }: Readable, phase: Phase): ProbeFailure {
  return errored ? failureOf(errored, phase) : closedEarly();
}

export const closedEarly = () => new ProbeFailure('reset', 'connection closed early');

/** The failure for a certificate that was not accepted, by the code of OpenSSL or Node. */
export function certificateFailure(code: string): ProbeFailure {
  const entry = ELSEWHERE.get(code);
  return new ProbeFailure('tls', entry?.[0] === 'tls' ? entry[1] : 'certificate not accepted', {
    cause: { code },
  });
}

/** An error's code; empty when it has none. Not by `instanceof`: errors of another vm context have codes too. */
export function codeOf(error: unknown): string {
  const isCoded = typeof error === 'object' && error !== null && 'code' in error;
  return isCoded && typeof error.code === 'string' ? error.code : '';
}
