import { connect } from './connect.js';
import type { Probe } from './probe-context.js';

/** TCP: good when the connection is accepted. */
export const probeTcp: Probe<'tcp:'> = async (_target, url, trip) => {
  const { socket } = await connect(url, Number(url.port), trip, () => true);
  socket.destroy();
  trip.trace.reached = true;
  return null;
};
