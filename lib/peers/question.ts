import * as z from '#zod';
import { headers, method } from '../config/request.js';
import { queryProblem } from '../config/query-problems.js';
import { targetAddress } from '../config/target-address.js';
import { plainSource, toTarget } from '../config/target-builder.js';
import { isPublicAddress } from '../probe/public-address.js';
import { PROTOCOLS, type OptionGroup } from '../protocols.js';
import { HOST_NAMES, IP_VERSIONS, type IpVersions, type Target } from '../types.js';
import { isIP } from 'node:net';
import { isPublicName } from '../config/host-defaults.js';

/** The longest time limit of an attempt that a peer is asked for, in ms: its function has to answer in time. */
const LONGEST_TIMEOUT = 45_000;

const LARGEST_BODY = 10 * 1024 ** 2;
const ANY_TEXT = z.string();
const count = (most: number) => z.number().check(z.refine((n) => Number.isInteger(n) && n >= 0 && n <= most));
const texts = z.record(z.string(), z.string());
const fitHeaders = texts.check(z.refine((found) => headers.safeParse(JSON.stringify(found)).success));
const status = count(999);
const pattern = z.union([
  z.strictObject({ kind: word('text'), text: ANY_TEXT }),
  z.strictObject({ kind: word('regex'), source: ANY_TEXT, flags: matching(/^[imsuv]{0,5}$/) }),
]);
const place = matching(/^(?:\[[0-9a-f:.]+\]|[a-z0-9._-]{1,253}):\d{1,5}$/);

function word<const T extends string>(text: T) {
  return z.pipe(
    z.string().check(z.refine((found) => found === text)),
    z.transform((): T => text),
  );
}

function matching(form: RegExp) {
  return z.string().check(z.refine((found) => form.test(found)));
}

/** What is sent of the options of each group: the fields that `GroupFields` lists. */
const FIELDS = {
  http: {
    request: z.strictObject({
      method: z.string().check(z.refine((found) => method.safeParse(found).data === found)),
      headers: fitHeaders,
      body: z.nullable(ANY_TEXT),
    }),
    maxRedirects: count(20),
    allowPrivate: z.boolean(),
  },
  headers: { headers: fitHeaders },
  body: { maxBody: count(LARGEST_BODY) },
  query: { query: z.nullable(ANY_TEXT) },
  tls: { tlsVerify: z.boolean() },
  hosts: { moreHosts: z.array(place).check(z.refine(({ length }) => length <= 50)) },
} satisfies Record<OptionGroup, object>;

const COMMON = z.strictObject({
  url: ANY_TEXT,
  host: z.string(),
  ipVersion: z.optional(
    z.pipe(
      z.string().check(z.refine((found) => IP_VERSIONS.some((each) => each === found))),
      z.transform((found) => found as IpVersions),
    ),
  ),
  timeout: count(LONGEST_TIMEOUT).check(z.refine((ms) => ms >= 100)),
  assertions: z.strictObject({
    expectStatus: z
      .array(z.strictObject({ from: status, to: status }))
      .check(z.refine(({ length }) => length <= 500)),
    expectBody: z.nullable(pattern),
    rejectBody: z.nullable(pattern),
    expectJson: z.nullable(ANY_TEXT),
    degradedJson: z.nullable(ANY_TEXT),
    degradedAfter: z.nullable(count(120_000)),
    tlsExpiry: z.number(),
  }),
  fields: z.record(z.string(), z.unknown()),
});

/** What a peer needs to make one attempt at a target; its secrets are part of it. */
export type Question = z.output<typeof COMMON>;

/** What is asked of peers about a target; null: its address is none of the internet, or it takes too long. */
export function questionOf(target: Target): Question | null {
  const { url, info, timeout, assertions, protocol, ipVersion } = target;
  const name = new URL(url).hostname.replace(/^\[|\]$/g, '');
  if (!(isIP(name) === 0 ? isPublicName(name) : isPublicAddress(name))) return null;
  if (timeout > LONGEST_TIMEOUT) return null;
  // Its key stays here.
  if ('clientCertificate' in target && target.clientCertificate !== null) return null;
  const own = new Map<string, unknown>(Object.entries(target));
  const names = PROTOCOLS[protocol].groups.flatMap((group) => Object.keys(FIELDS[group]));
  const fields = Object.fromEntries(names.map((field) => [field, own.get(field)]));
  return {
    ...{ url, host: info.host, timeout, assertions: assertions as Question['assertions'], fields },
    // Older peers do not know it.
    ...(ipVersion !== null && { ipVersion }),
  };
}

/** The target that a peer asks about; null for what is no question. It has no id, and is asked once. */
export function targetOf(content: unknown): Target | null {
  const { data: asked } = COMMON.safeParse(content);
  const { data: address } = targetAddress.safeParse(asked?.url ?? '');
  const host = HOST_NAMES.find((name) => name === asked?.host);
  if (asked === undefined || address === undefined || host === undefined) return null;
  const { groups } = PROTOCOLS[address.protocol];
  const shape = Object.assign(
    {},
    ...groups.map((group: OptionGroup) => FIELDS[group]),
  ) as z.core.$ZodLooseShape;
  const { data: fields } = z.strictObject(shape).safeParse(asked.fields);
  if (fields === undefined) return null;
  const { query = null } = fields as { query?: string | null };
  if (queryProblem(address.protocol, query) !== null) return null;
  const plain = toTarget(plainSource('asked', address), new Map(), []);
  const { timeout, assertions, ipVersion = null } = asked;
  return Object.assign({ ...plain, info: { ...plain.info, host }, timeout, assertions, ipVersion }, fields);
}
