import { connect, secure } from './connect.js';
import type { Probe } from './probe-context.js';

/** TLS: good when the handshake succeeds and the certificate is accepted (or TLS_VERIFY is off). */
export const probeTls: Probe<'tls:'> = async (target, url, context) => {
  const { socket } = await connect(url, Number(url.port), context, () => true);
  try {
    await secure(socket, url, target.tlsVerify, undefined, context);
    context.trace.reached = true;
  } finally {
    socket.destroy();
  }
  return null;
};
