import type { Send } from '../../lib/deliver/send.js';
import { send } from '../../lib/deliver/send.js';
import { serveHttp } from './servers.js';

/** What one probe finds of a target, as `result` of the documentation. */
export type Found = Readonly<Record<string, unknown>>;

export const FINISHED = {
  status: 'finished',
  rawOutput: '',
  rawHeaders: '',
  rawBody: 'all is well',
  truncated: false,
  headers: { 'content-type': 'text/plain' },
  statusCode: 200,
  statusCodeName: 'OK',
  resolvedAddress: '192.0.2.1',
  timings: { total: 325, download: 1, firstByte: 219, dns: 37, tls: 36, tcp: 32 },
  tls: { authorized: true, protocol: 'TLSv1.3' },
} as const satisfies Found;
export const IN_PROGRESS = { status: 'in-progress', rawOutput: '' } as const satisfies Found;
export const failedBy = (failureSource: string): Found => ({
  status: 'failed',
  failureSource,
  rawOutput: '',
});

const PROBES = [
  { continent: 'EU', country: 'DE', city: 'Falkenstein' },
  { continent: 'NA', country: 'US', city: 'Ashburn' },
  { continent: 'AS', country: 'SG', city: 'Singapore' },
];

/** The keys that its schemas allow: it refuses others. */
const KEYS = {
  request: ['type', 'target', 'inProgressUpdates', 'locations', 'limit', 'timeout', 'measurementOptions'],
  options: ['request', 'resolver', 'protocol', 'port', 'ipVersion'],
  http: ['host', 'path', 'query', 'method', 'headers'],
};

/**
 * A stand-in for Globalping, made from its documentation (public/v1 of jsdelivr/globalping, August 2026): limits,
 * measurements that take a few looks, refusals.
 */
export class GlobalpingStandIn {
  /** Bodies of the measurements that were asked for. */
  readonly asked: Record<string, unknown>[] = [];
  readonly tokens: (string | undefined)[] = [];
  /** Looks at the limits. */
  limitsRead = 0;
  looks = 0;
  remaining = 250;
  /** How often a measurement is in progress before it is finished. */
  slow = 1;
  /** What each probe finds. */
  found: readonly Found[] = [FINISHED, FINISHED, FINISHED];
  city: string | null = null;
  /** Refuses every token. */
  refuses = false;

  constructor(readonly send: Send) {}

  answer(method: string, path: string, body: string): { status: number; headers?: object; json: unknown } {
    if (this.refuses)
      return { status: 401, json: { error: { type: 'unauthorized', message: 'Unauthorized.' } } };
    if (method === 'GET' && path === '/v1/limits') {
      this.limitsRead += 1;
      const create = { type: 'ip', limit: 250, remaining: this.remaining, reset: 3_599 };
      return { status: 200, json: { rateLimit: { measurements: { create } } } };
    }
    if (method === 'POST' && path === '/v1/measurements') return this.create(JSON.parse(body) as never);
    if (method === 'GET' && path === '/v1/measurements/9J2BCohDSuxoiaOD') {
      this.looks += 1;
      const isDone = this.looks > this.slow;
      const results = PROBES.map((probe, i) => ({
        probe: { ...probe, ...(this.city === null ? {} : { city: this.city }) },
        result: isDone
          ? (this.found[i] ?? IN_PROGRESS)
          : i === 0
            ? (this.found[0] ?? IN_PROGRESS)
            : IN_PROGRESS,
      }));
      return {
        status: 200,
        json: { id: '9J2BCohDSuxoiaOD', status: isDone ? 'finished' : 'in-progress', results },
      };
    }
    return {
      status: 404,
      json: { error: { type: 'not_found', message: "Couldn't find the requested item." } },
    };
  }

  private create(body: Record<string, unknown>): { status: number; headers?: object; json: unknown } {
    const options = body.measurementOptions as Record<string, Record<string, unknown>>;
    const { locations, timeout } = body as { locations: object[]; timeout: number };
    const isKnown = (found: object, keys: readonly string[]) =>
      Object.keys(found).every((key) => keys.includes(key));
    const isValid =
      isKnown(body, KEYS.request) &&
      isKnown(options, KEYS.options) &&
      isKnown(options.request ?? {}, KEYS.http) &&
      ['GET', 'HEAD'].includes(String(options.request?.method)) &&
      !('limit' in body) &&
      Number.isInteger(timeout) &&
      timeout >= 5 &&
      timeout <= 30;
    if (!isValid) return { status: 400, json: { error: { type: 'validation_error', message: 'x' } } };
    const cost = locations.length;
    if (this.remaining < cost) {
      const headers = { 'x-ratelimit-remaining': String(this.remaining), 'x-ratelimit-reset': '1800' };
      return { status: 429, headers, json: { error: { type: 'rate_limit_exceeded', message: 'x' } } };
    }
    this.remaining -= cost;
    this.asked.push(body);
    this.looks = 0;
    const headers = { 'x-ratelimit-remaining': String(this.remaining), 'x-ratelimit-reset': '3599' };
    return { status: 202, headers, json: { id: '9J2BCohDSuxoiaOD', probesCount: cost } };
  }
}

/** Starts one, over HTTP; its `send` leads there what is meant for Globalping. */
export async function startGlobalping(): Promise<GlobalpingStandIn> {
  const { port } = await serveHttp((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      standIn.tokens.push(request.headers.authorization);
      const answer = standIn.answer(request.method ?? '', request.url ?? '', body);
      response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
      response.end(JSON.stringify(answer.json));
    });
  });
  const standIn = new GlobalpingStandIn((request, signal) => {
    const url = request.url.replace('https://api.globalping.io', `http://127.0.0.1:${port}`);
    return send({ ...request, url }, signal);
  });
  return standIn;
}
