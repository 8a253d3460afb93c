import { connect } from './connect.js';
import type { Probe } from './trip.js';

/** TCP: good when the connection is accepted. */
export const probeTcp: Probe = async (target, trip) => {
  const { socket } = await connect(new URL(target.url), 0, trip, () => true);
  socket.destroy();
  return null;
};
