import { connect, secure } from './connect.js';
import type { Probe } from './probe-context.js';
import { answerOf } from './tcp-probe.js';

/**
 * TLS: good when the handshake succeeds and the certificate is accepted (or TLS_VERIFY is off). Where QUERY or an assertion
 * asks for more, it is asked as of a TCP target.
 */
export const probeTls: Probe<'tls:'> = async (target, url, context) => {
  const { socket } = await connect(url, Number(url.port), context, () => true);
  try {
    const secured = await secure(socket, url, target.tlsVerify, undefined, context);
    return await answerOf(secured, target, url, context);
  } finally {
    socket.destroy();
  }
};
