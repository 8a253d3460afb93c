import { PLAN_NAMES } from '../rules/allowances.js';
import { CHANNEL_NAMES, HOST_NAMES, SHOW_LEVELS, type ChannelName } from '../types.js';
import { CHANNEL_OPTIONS } from './alerts.js';
import { option, type Table, type Values } from './option-table.js';
import { PAGE_OPTIONS } from './page.js';
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
  statusList,
} from './request.js';
import { targetAddress, targetAddresses } from './target-address.js';
import { activeHours, maintenance } from './time-windows.js';
import {
  decimal,
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
} from './values.js';

const channels = value(
  `all, off, or some of ${CHANNEL_NAMES.join(', ')} with commas between`,
  (found): ChannelName[] | null | undefined => {
    if (/^all$/i.test(found)) return null;
    if (isOff(found)) return [];
    const words = list(found.toLowerCase());
    const known = CHANNEL_NAMES.filter((channel) => words.includes(channel));
    return known.length === new Set(words).size ? known : undefined;
  },
);

/** `TARGET_<ID>_<OPTION>`, and but for URL also `KEEP_ALIVE_<OPTION>`. Durations in ms, sizes in bytes. */
export const TARGET_OPTIONS = {
  URL: option(null, targetAddress),
  NAME: option(null, label),
  GROUP: option(null, label),
  ORDER: option(null, decimal),
  SHOW: option('all', oneOf(SHOW_LEVELS)),
  ENABLED: option('true', flag),
  HOST: option(null, oneOf(HOST_NAMES)),
  HOST_TOKEN: option(null, secret(1)),
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
  QUERY: option(null, text),
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

/** Variables of the installation as a whole. Those of the channels are in alerts.ts, those of the store in store.ts. */
export const GENERAL_OPTIONS = {
  KEEP_ALIVE_URLS: option(null, targetAddresses),
  CRON_SECRET: option(null, secret(16)),
  STATS_TOKEN: option(null, secret(16)),
  KEEP_ALIVE_PUBLIC_BADGES: option('false', flag),
  KEEP_ALIVE_PUBLIC_URL: option(null, origin),
  /** Its default follows the trigger: `defaultTick` in config.ts. */
  KEEP_ALIVE_TICK: option(null, duration('10s', '1d')),
  /** Whose allowances are watched; its default is that of the place (config.ts). */
  KEEP_ALIVE_PLAN: option(null, oneOf(PLAN_NAMES)),
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
  ...PAGE_OPTIONS,
};

/** All of `GENERAL_OPTIONS` and those of the channels. */
export const SYSTEM_OPTIONS: Table = { ...GENERAL_OPTIONS, ...CHANNEL_OPTIONS };

export type TargetOptionName = keyof typeof TARGET_OPTIONS;
export type TargetOptions = Values<typeof TARGET_OPTIONS>;
export type SystemOptions = Values<typeof GENERAL_OPTIONS>;

export function isTargetOption(name: string): name is TargetOptionName {
  return Object.hasOwn(TARGET_OPTIONS, name);
}
