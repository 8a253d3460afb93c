import { connect } from './connect.js';
import type { Probe } from './probe-context.js';

/** TCP: good when the connection is accepted. */
export const probeTcp: Probe<'tcp:'> = async (_target, url, context) => {
  const { socket } = await connect(url, Number(url.port), context, () => true);
  socket.destroy();
  context.trace.reached = true;
  return null;
};
