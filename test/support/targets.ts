import type { Protocol } from '../../lib/protocols.js';
import type {
  Assertions,
  Attempt,
  Check,
  CommonTarget,
  GroupFields,
  PublicTarget,
  RequestOptions,
  Target,
} from '../../lib/types.js';

type AllFields = GroupFields['http'] &
  GroupFields['headers'] &
  GroupFields['body'] &
  GroupFields['query'] &
  GroupFields['tls'];

export type TargetOptions = Partial<Omit<CommonTarget & AllFields, 'info' | 'request' | 'assertions'>> & {
  readonly info?: Partial<PublicTarget>;
  readonly request?: Partial<RequestOptions>;
  readonly assertions?: Partial<Assertions>;
  readonly query?: string | null;
  readonly moreHosts?: readonly string[];
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

/** A target with the contract's defaults, but for its time limit of 5 s. It has the fields of every protocol. */
export function someTarget(url: string, { info, request, assertions, ...rest }: TargetOptions = {}): Target {
  return {
    info: {
      id: 'some',
      name: 'some',
      group: null,
      description: null,
      order: null,
      show: 'all',
      host: 'none',
      healthUrl: 'http://some.test/',
      enabled: true,
      interval: 300_000,
      sleepsAfter: null,
      maxRestarts: null,
      ...info,
    },
    hostToken: null,
    url,
    protocol: new URL(url).protocol as Protocol,
    request: { method: 'GET', headers: {}, body: null, ...request },
    assertions: someAssertions(assertions),
    ipVersion: null,
    timeout: 5_000,
    retries: 2,
    retryDelay: 1_000,
    wakeTimeout: 0,
    query: null,
    headers: {},
    moreHosts: [],
    maxBody: 262_144,
    maxRedirects: 5,
    tlsVerify: true,
    clientCertificate: null,
    allowPrivate: false,
    failureThreshold: 3,
    successThreshold: 2,
    confirm: true,
    activeHours: null,
    maintenance: [],
    alerts: null,
    recovery: null,
    ...rest,
  };
}

/** A target that is checked every minute and whose checks are made up. */
export function aTarget(id: string, { info, ...rest }: TargetOptions = {}): Target {
  return someTarget('http://some.test/', { info: { id, name: id, interval: 60_000, ...info }, ...rest });
}

const TIMINGS = { dns: null, connect: null, tls: null, ttfb: null, total: 0 };

/** Changes that the compiler does not hold to one outcome. */
export type CheckChanges = { readonly [Field in keyof Check]?: Check[Field] };
export type AttemptChanges = { readonly [Field in keyof Attempt]?: Attempt[Field] };

export function goodCheck(at: number, changes: CheckChanges = {}): Check {
  return {
    at,
    outcome: 'good',
    reason: null,
    message: null,
    statusCode: 200,
    latency: 45,
    attempts: 1,
    coldStart: false,
    reached: true,
    origin: 'container',
    word: null,
    wakeMs: null,
    wakeMsAtLeast: null,
    timings: TIMINGS,
    tlsExpiresAt: null,
    ...changes,
  } as Check;
}

export function failedCheck(at: number, changes: CheckChanges = {}): Check {
  return goodCheck(at, {
    outcome: 'failed',
    reason: 'status',
    message: 'status 503, expected 200-299',
    statusCode: 503,
    reached: false,
    origin: 'unknown',
    latency: null,
    attempts: 3,
    ...changes,
  });
}
