import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Targets at every address of the machine: `/50` answers after 50 ms. Tells its port, and ends with its parent. */
const server = createServer(({ url = '/0' }, response) => {
  const answer = () => response.end('{"status":"healthy"}');
  const delay = Number(url.slice(1));
  if (delay > 0) setTimeout(answer, delay);
  else answer();
});
server.listen({ host: '0.0.0.0', port: 0, backlog: 1_024 }, () => {
  process.send?.((server.address() as AddressInfo).port);
});
process.once('disconnect', () => process.exit());
