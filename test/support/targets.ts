import type { Assertions, RequestOptions, Target } from '../../lib/types.js';

export type TargetOptions = Partial<Omit<Target, 'info' | 'request' | 'assertions'>> & {
  readonly request?: Partial<RequestOptions>;
  readonly assertions?: Partial<Assertions>;
};

export const someAssertions = (options: Partial<Assertions> = {}): Assertions => ({
  expectStatus: [{ from: 200, to: 299 }],
  expectBody: null,
  rejectBody: null,
  expectJson: null,
  degradedJson: null,
  degradedAfter: null,
  tlsExpiry: 14 * 86_400_000,
  ...options,
});

/** A target with the contract's defaults, but for its time limit of 5 s. */
export function someTarget(url: string, { request, assertions, ...rest }: TargetOptions = {}): Target {
  return {
    info: {
      id: 'some',
      name: 'some',
      group: null,
      host: 'none',
      healthUrl: 'http://some.test/',
      enabled: true,
      interval: 300_000,
      sleepsAfter: null,
    },
    url,
    request: { method: 'GET', headers: {}, body: null, ...request },
    assertions: someAssertions(assertions),
    timeout: 5_000,
    retries: 2,
    retryDelay: 1_000,
    wakeTimeout: 0,
    maxBody: 262_144,
    maxRedirects: 5,
    tlsVerify: true,
    allowPrivate: false,
    failureThreshold: 3,
    successThreshold: 2,
    activeHours: null,
    maintenance: [],
    alerts: null,
    recovery: null,
    ...rest,
  };
}
