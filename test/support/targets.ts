import type { Check, Target } from '../../lib/types.js';

/** A target as the configuration makes it, every option at its default. */
export function aTarget(
  id: string,
  { info, ...changes }: Partial<Omit<Target, 'info'>> & { info?: Partial<Target['info']> } = {},
): Target {
  return {
    info: {
      id,
      name: id,
      group: null,
      host: 'none',
      healthUrl: `https://${id}.example/health`,
      enabled: true,
      interval: 60_000,
      sleepsAfter: null,
      ...info,
    },
    url: `https://${id}.example/health`,
    request: { method: 'GET', headers: {}, body: null },
    assertions: {
      expectStatus: [{ from: 200, to: 299 }],
      expectBody: null,
      rejectBody: null,
      expectJson: null,
      degradedJson: null,
      degradedAfter: null,
      tlsExpiry: 14 * 86_400_000,
    },
    timeout: 10_000,
    retries: 2,
    retryDelay: 1000,
    wakeTimeout: 0,
    maxBody: 256 * 1024,
    maxRedirects: 5,
    tlsVerify: true,
    allowPrivate: false,
    failureThreshold: 3,
    successThreshold: 2,
    activeHours: null,
    maintenance: [],
    alerts: null,
    recovery: null,
    ...changes,
  };
}

const TIMINGS = { dns: null, connect: null, tls: null, ttfb: null, total: 0 };

export function goodCheck(at: number, changes: Partial<Check> = {}): Check {
  return {
    at,
    outcome: 'good',
    reason: null,
    message: null,
    statusCode: 200,
    latency: 45,
    attempts: 1,
    coldStart: false,
    wakeMs: null,
    timings: TIMINGS,
    tlsExpiresAt: null,
    ...changes,
  };
}

export function failedCheck(at: number, changes: Partial<Check> = {}): Check {
  return goodCheck(at, {
    outcome: 'failed',
    reason: 'status',
    message: 'status 503, expected 200-299',
    statusCode: 503,
    latency: null,
    attempts: 3,
    ...changes,
  });
}
