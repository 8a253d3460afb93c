import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';

/** How a target behaves. */
export type Manner =
  | 'ok'
  /** 503, but for the time that `WELL_FROM` and `WELL_UNTIL` (ms since the epoch) give. */
  | 'fails'
  /** Fails for five minutes, is well for five. */
  | 'flaps'
  /** Fails for a minute, is well for a minute. */
  | 'flickers';

/** Four numbers for each answer: the target, when it was asked (ms since the epoch), ms until it answered, and 1 for 200. */
export type Answers = readonly number[];

const { TLS_KEY: key, TLS_CERT: cert, WELL_FROM = '0', WELL_UNTIL = '0' } = process.env;
const MINUTE = 60_000;

function isWell(manner: string, at: number): boolean {
  switch (manner) {
    case 'fails':
      return at >= Number(WELL_FROM) && at < Number(WELL_UNTIL);
    case 'flaps':
      return Math.floor(at / (5 * MINUTE)) % 2 === 0;
    case 'flickers':
      return Math.floor(at / MINUTE) % 2 === 0;
    default:
      return true;
  }
}

/** Answers `/<target>/<delay in ms>/<manner>`. */
let answers: number[] = [];
const answer: RequestListener = ({ url = '' }, response) => {
  const [, target, delay, manner = ''] = url.split('/');
  const [at, begin] = [Date.now(), performance.now()];
  const well = isWell(manner, at);
  setTimeout(() => {
    response.writeHead(well ? 200 : 503).end('{"status":"healthy"}');
    answers.push(Number(target), at, performance.now() - begin, well ? 1 : 0);
  }, Number(delay));
};

const servers = [createServer(answer), createSecureServer({ key, cert }, answer)];
const ports = await Promise.all(
  servers.map(async (server) => {
    server.listen({ host: '0.0.0.0', port: 0, backlog: 4096 });
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }),
);
process.send?.(ports);
/** Any message: what was answered since the last one. */
process.on('message', () => {
  process.send?.(answers satisfies Answers);
  answers = [];
});
process.on('disconnect', () => process.exit());
