import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** Answers `/<name>/<delay in ms>/<manner>`: `ok`, `fails`, or `flaps` (every other time). */
const asked = new Map<string, number>();
const answer: RequestListener = ({ url = '' }, response) => {
  const [, , delay, manner] = url.split('/');
  const times = (asked.get(url) ?? 0) + 1;
  asked.set(url, times);
  const fails = manner === 'fails' || (manner === 'flaps' && times % 2 === 0);
  setTimeout(() => response.writeHead(fails ? 503 : 200).end('{"status":"healthy"}'), Number(delay));
};

const { TLS_KEY: key, TLS_CERT: cert } = process.env;
const servers = [createServer(answer), createSecureServer({ key, cert }, answer)];
const ports = await Promise.all(
  servers.map(async (server) => {
    server.listen({ host: '0.0.0.0', port: 0, backlog: 4096 });
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }),
);
process.send?.(ports);
