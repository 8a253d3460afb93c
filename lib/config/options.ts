import type * as z from '#zod';
import type { ChannelName } from '../types.js';
import { HOST_NAMES } from './hosts.js';
import type { Problem } from './problems.js';
import {
  endpoint,
  headers,
  list,
  method,
  origin,
  originOf,
  pattern,
  plainUrl,
  plainUrls,
  eventsUrl,
  smtpUrl,
  statusList,
  targetAddress,
  targetAddresses,
  topicEndpoint,
} from './request.js';
import { activeHours, maintenance } from './schedule.js';
import {
  duration,
  durationOrOff,
  flag,
  integer,
  isOff,
  label,
  matching,
  oneOf,
  secret,
  size,
  text,
  value,
  type Value,
} from './values.js';

/** How a variable is read, and what it counts as when it is not set: null, or a text that is read the same way. */
export interface Option<T, Default extends string | null = string | null> {
  readonly value: Value<T>;
  readonly default: Default;
}

function option<T>(fallback: null, parse: Value<T>): Option<T, null>;
function option<T>(fallback: string, parse: Value<T>): Option<T, string>;
function option<T>(fallback: string | null, parse: Value<T>): Option<T> {
  return { value: parse, default: fallback };
}

const CHANNELS = [
  'webhook',
  'slack',
  'discord',
  'telegram',
  'ntfy',
  'pagerduty',
  'email',
  'apprise',
] as const satisfies ChannelName[];

const channels = value(
  `all, off, or some of ${CHANNELS.join(', ')} with commas between`,
  (found): ChannelName[] | null | undefined => {
    if (/^all$/i.test(found)) return null;
    if (isOff(found)) return [];
    const words = list(found.toLowerCase());
    const known = CHANNELS.filter((channel) => words.includes(channel));
    return known.length === new Set(words).size ? known : undefined;
  },
);

/** `TARGET_<ID>_<OPTION>`, and but for URL also `KEEP_ALIVE_<OPTION>`. Durations in ms, sizes in bytes. */
export const TARGET_OPTIONS = {
  URL: option(null, targetAddress),
  NAME: option(null, label),
  GROUP: option(null, label),
  ENABLED: option('true', flag),
  HOST: option(null, oneOf(HOST_NAMES)),
  SLEEPS_AFTER: option(null, durationOrOff('1m', '30d')),
  WAKE_TIMEOUT: option(null, durationOrOff('1s', '10m')),
  INTERVAL: option(null, duration('10s', '7d')),
  TIMEOUT: option('10s', duration('100ms', '2m')),
  RETRIES: option('2', integer(0, 10)),
  RETRY_DELAY: option('1s', duration('0s', '1m')),
  FAILURE_THRESHOLD: option('3', integer(1, 100)),
  SUCCESS_THRESHOLD: option('2', integer(1, 100)),
  METHOD: option('GET', method),
  HEADERS: option('{}', headers),
  BODY: option(null, text),
  EXPECT_STATUS: option('200-299', statusList),
  EXPECT_BODY: option(null, pattern),
  REJECT_BODY: option(null, pattern),
  EXPECT_JSON: option(null, text),
  DEGRADED_JSON: option(null, text),
  DEGRADED_AFTER: option(null, durationOrOff('1ms', '2m')),
  MAX_BODY: option('256kb', size('1b', '10mb')),
  MAX_REDIRECTS: option('5', integer(0, 20)),
  TLS_EXPIRY: option('14d', durationOrOff('1m', '365d')),
  TLS_VERIFY: option('true', flag),
  ALLOW_PRIVATE: option('false', flag),
  ACTIVE_HOURS: option('always', activeHours),
  MAINTENANCE: option('off', maintenance),
  ALERTS: option('all', channels),
  RECOVERY_URL: option(null, endpoint),
  RECOVERY_METHOD: option('POST', method),
  RECOVERY_HEADERS: option('{}', headers),
  RECOVERY_BODY: option(null, text),
  RECOVERY_COOLDOWN: option('5m', duration('0s', '7d')),
  RECOVERY_MAX: option('3', integer(0, 100)),
  RECOVERY_GRACE: option('2m', duration('0s', '1d')),
};

const MAIL = String.raw`[^\s@<>,;]+@[^\s@<>,;]+`;
const MAIL_ADDRESS = new RegExp(`^${MAIL}$`);

/** Standard Webhooks: the key is 24 to 64 bytes. */
const webhookSecret = value('whsec_ followed by 24 to 64 bytes in base64', (found) => {
  const key = found.replace(/^whsec_/, '');
  const bytes = Buffer.from(key, 'base64').length;
  return /^[A-Za-z0-9+/]+={0,2}$/.test(key) && bytes >= 24 && bytes <= 64 ? found : undefined;
});

const mailAddresses = value('mail addresses with commas between', (found) => {
  const addresses = found.split(/[\s,;]+/).filter((entry) => entry !== '');
  return addresses.length > 0 && addresses.every((entry) => MAIL_ADDRESS.test(entry)) ? addresses : undefined;
});

/** Variables of the installation as a whole. Those that choose the store are in store.ts. */
export const SYSTEM_OPTIONS = {
  KEEP_ALIVE_URLS: option(null, targetAddresses),
  CRON_SECRET: option(null, secret(16)),
  STATS_TOKEN: option(null, secret(16)),
  KEEP_ALIVE_PUBLIC_BADGES: option('false', flag),
  KEEP_ALIVE_PUBLIC_URL: option(null, origin),
  KEEP_ALIVE_TICK: option('1m', duration('10s', '1d')),
  /** Far from a function's 1,024 file descriptors: a check may need one more for DNS, and other invocations share them. */
  KEEP_ALIVE_CONCURRENCY: option('100', integer(1, 500)),
  /** What stands in braces decides in which slot of a Redis cluster the keys are: there, all have to be in one. */
  KEEP_ALIVE_PREFIX: option(
    'keepalive',
    matching(
      '1 to 64 letters, digits or any of - _ . :, of which a part may stand in braces, such as {keepalive}',
      /^(?=.{1,64}$)[\w.:-]*(?:\{[\w.:-]+\}[\w.:-]*)?$/,
    ),
  ),
  KEEP_ALIVE_CONTROL_URLS: option(null, plainUrls),
  KEEP_ALIVE_HEARTBEAT_URL: option(null, plainUrl),
  PORT: option('3000', integer(0, 65_535)),
  QSTASH_TOKEN: option(null, secret(1)),
  QSTASH_URL: option('https://qstash.upstash.io', originOf),
  QSTASH_CURRENT_SIGNING_KEY: option(null, secret(16)),
  QSTASH_NEXT_SIGNING_KEY: option(null, secret(16)),
  ALERT_REMINDER: option('off', durationOrOff('1m', '30d')),
  ALERT_WEBHOOK_URL: option(null, endpoint),
  ALERT_WEBHOOK_SECRET: option(null, webhookSecret),
  ALERT_SLACK_URL: option(null, endpoint),
  ALERT_DISCORD_URL: option(null, endpoint),
  ALERT_TELEGRAM_TOKEN: option(null, matching('a bot token such as BotFather gives', /^\d+:[\w-]+$/)),
  ALERT_TELEGRAM_CHAT: option(null, matching('a chat id or @channel', /^(?:-?\d+|@\w+)$/)),
  ALERT_NTFY_URL: option(null, topicEndpoint),
  ALERT_PAGERDUTY_KEY: option(null, matching('the routing key of an Events API v2 integration', /^[\w-]+$/)),
  ALERT_PAGERDUTY_URL: option(null, eventsUrl),
  ALERT_SMTP_URL: option(null, smtpUrl),
  ALERT_EMAIL_FROM: option(
    null,
    matching('a mail address, or Name <address>', new RegExp(`^(?:${MAIL}|[^\\p{Cc}<>]*<${MAIL}>)$`, 'u')),
  ),
  ALERT_EMAIL_TO: option(null, mailAddresses),
  ALERT_APPRISE_URL: option(null, endpoint),
};

export type Table = Readonly<Record<string, Option<unknown>>>;

/** What a table's options are read as; null where one is not set and has no default. */
export type Values<T extends Table> = {
  readonly [Name in keyof T]: T[Name]['default'] extends string ? Read<T[Name]> : Read<T[Name]> | null;
};

type Read<O extends Option<unknown>> = z.output<O['value']>;

export type TargetOptionName = keyof typeof TARGET_OPTIONS;
export type TargetOptions = Values<typeof TARGET_OPTIONS>;
export type SystemOptions = Values<typeof SYSTEM_OPTIONS>;

export function isTargetOption(name: string): name is TargetOptionName {
  return Object.hasOwn(TARGET_OPTIONS, name);
}

/** Reads those options of a table that are set and valid; reports the others under their variables' names. */
export function readOptions<T extends Table>(
  table: T,
  variableOf: (name: keyof T & string) => string | undefined,
  texts: ReadonlyMap<string, string>,
  problems: Problem[],
): Partial<Values<T>> {
  const values = new Map<string, unknown>();
  for (const [name, { value: schema }] of Object.entries(table)) {
    const variable = variableOf(name);
    const found = variable === undefined ? undefined : texts.get(variable);
    if (variable === undefined || found === undefined) continue;
    const result = schema.safeParse(found);
    if (result.success) values.set(name, result.data);
    else problems.push({ variable, message: result.error.issues[0]?.message ?? 'not valid' });
  }
  return Object.fromEntries(values) as Partial<Values<T>>;
}

export function defaultsOf<T extends Table>(table: T): Values<T> {
  const defaults = Object.entries(table).map(
    ([name, { value: schema, default: fallback }]) =>
      [name, fallback === null ? null : schema.parse(fallback)] as const,
  );
  return Object.fromEntries(defaults) as Values<T>;
}
