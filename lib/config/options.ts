import { PLAN_NAMES } from '../rules/allowances.js';
import { CHANNEL_NAMES, HOST_NAMES, IP_VERSIONS, SHOW_LEVELS, type ChannelName } from '../types.js';
import { CHANNEL_OPTIONS } from './alerts.js';
import { clientCertificate } from './client-certificate.js';
import { option, targetOption, type Table, type OptionValues } from './option-table.js';
import { PAGE_OPTIONS } from './page.js';
import { peerList } from './peers.js';
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
import { targetsPlace } from './targets-place.js';
import { activeHours, maintenance } from './time-windows.js';
import {
  decimal,
  duration,
  durationOrOff,
  flag,
  integer,
  isOff,
  line,
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
  { kind: 'list', separator: ',', words: ['all', 'off', ...CHANNEL_NAMES] },
);

/**
 * `TARGET_<ID>_<OPTION>`, and but for URL also `KEEP_ALIVE_<OPTION>`; in a targets file in camelCase. Durations in ms, sizes
 * in bytes.
 */
export const TARGET_OPTIONS = {
  URL: targetOption(
    null,
    targetAddress,
    'What is watched: an address such as https://example.com/health, or of another kind (docs/kinds.md).',
  ),
  NAME: targetOption(null, label, 'What people read instead of the id.'),
  GROUP: targetOption(null, label, 'The group under which the page shows the target.'),
  DESCRIPTION: targetOption(
    null,
    line(300),
    'What the page of the target says of it; addresses in it become links.',
  ),
  ORDER: targetOption(null, decimal, 'Targets and groups are shown by it, then by name.'),
  SHOW: targetOption('all', oneOf(SHOW_LEVELS), 'What the public sees: all, name (no address) or none.'),
  ENABLED: targetOption('true', flag, 'false pauses the target.'),
  HOST: targetOption(
    null,
    oneOf(HOST_NAMES),
    'The host, whose rules and defaults apply; otherwise told from the domain.',
  ),
  HOST_TOKEN: targetOption(null, secret(1), 'Lets the API of the host say whether it sleeps.'),
  SLEEPS_AFTER: targetOption(
    null,
    durationOrOff('1m', '30d'),
    "How long without a request until the host sleeps; otherwise the host's.",
  ),
  WAKE_TIMEOUT: targetOption(
    null,
    durationOrOff('1s', '10m'),
    'How long a sleeping host may take to wake before the check counts as failed.',
  ),
  INTERVAL: targetOption(
    null,
    duration('10s', '7d'),
    'Time between checks; otherwise half of the time until the host sleeps within 1m to 12h, or 5m.',
  ),
  TIMEOUT: targetOption(
    '10s',
    duration('100ms', '2m'),
    'Time limit of one attempt as a whole: DNS, connect, TLS, headers, body.',
  ),
  IP_VERSION: targetOption(
    null,
    value('4, 6, or both in the order of preference: 4,6 or 6,4', (found) =>
      IP_VERSIONS.find((each) => each === found.replace(/\s/g, '')),
    ),
    'Addresses that are connected to: 4 or 6 alone, 6,4 for IPv4 only where there is no IPv6; otherwise all.',
  ),
  RETRIES: targetOption('2', integer(0, 10), 'Further attempts before the check counts as failed.'),
  RETRY_DELAY: targetOption(
    '1s',
    duration('0s', '1m'),
    'Time before the first further attempt; it doubles with each.',
  ),
  FAILURE_THRESHOLD: targetOption('3', integer(1, 100), 'Failed checks in a row until the target is down.'),
  SUCCESS_THRESHOLD: targetOption('2', integer(1, 100), 'Good checks in a row until the target is up again.'),
  CONFIRM: targetOption('true', flag, 'Asks the peers, where there are any, before a failed check counts.'),
  METHOD: targetOption('GET', method, 'Method of the request.'),
  HEADERS: targetOption('{}', headers, 'Headers of the request, sent as written.'),
  BODY: targetOption(null, text, 'Body of the request.'),
  EXPECT_STATUS: targetOption('200-299', statusList, 'Status codes and ranges that are good.'),
  EXPECT_BODY: targetOption(null, pattern, 'A text or /regex/flags that must be in the body.'),
  REJECT_BODY: targetOption(null, pattern, 'A text or /regex/flags that must not be in the body.'),
  EXPECT_JSON: targetOption(null, text, 'JSONata expression over the JSON body that must be true.'),
  DEGRADED_JSON: targetOption(
    null,
    text,
    'JSONata expression over the JSON body; true means degraded, not down.',
  ),
  DEGRADED_AFTER: targetOption(null, durationOrOff('1ms', '2m'), 'A slower answer is degraded, not down.'),
  QUERY: targetOption(null, text, 'What is asked of a target that is not HTTP (docs/kinds.md).'),
  MAX_BODY: targetOption('256kb', size('1b', '10mb'), 'Bytes read at most, after decompression.'),
  MAX_REDIRECTS: targetOption('5', integer(0, 20), 'Redirects that are followed; 0 follows none.'),
  TLS_EXPIRY: targetOption(
    '14d',
    durationOrOff('1m', '365d'),
    'A certificate nearer to its end than this is degraded.',
  ),
  TLS_VERIFY: targetOption('true', flag, 'false accepts any certificate.'),
  TLS_CLIENT_CERT: targetOption(
    null,
    clientCertificate,
    'A client certificate and its key as PEM, for servers that ask for one.',
  ),
  ALLOW_PRIVATE: targetOption('false', flag, 'true lets redirects lead to private addresses.'),
  ACTIVE_HOURS: targetOption(
    'always',
    activeHours,
    'Hours outside which the target may sleep and is not counted.',
  ),
  MAINTENANCE: targetOption(
    'off',
    maintenance,
    'Windows in which alerts are mute and downtime is not counted; pings go on.',
  ),
  ALERTS: targetOption('all', channels, 'Channels that are told of this target.'),
  RECOVERY_URL: targetOption(null, endpoint, 'The request that restarts the target when it is down.'),
  RECOVERY_METHOD: targetOption('POST', method, 'Method of the restart request.'),
  RECOVERY_HEADERS: targetOption('{}', headers, 'Headers of the restart request.'),
  RECOVERY_BODY: targetOption(null, text, 'Body of the restart request.'),
  RECOVERY_COOLDOWN: targetOption('5m', duration('0s', '7d'), 'Time between two restarts.'),
  RECOVERY_MAX: targetOption('3', integer(0, 100), 'Restarts in one incident at most.'),
  RECOVERY_GRACE: targetOption(
    '2m',
    duration('0s', '1d'),
    'Time after a restart in which failures do not count toward another.',
  ),
};

/** Variables of the installation as a whole. Those of the channels are in alerts.ts, those of the store in store.ts. */
export const GENERAL_OPTIONS = {
  KEEP_ALIVE_URLS: option(null, targetAddresses),
  KEEP_ALIVE_TARGETS: option(null, targetsPlace),
  CRON_SECRET: option(null, secret(16)),
  STATS_TOKEN: option(null, secret(16)),
  KEEP_ALIVE_PUBLIC_BADGES: option('false', flag),
  KEEP_ALIVE_PUBLIC_URL: option(null, origin),
  /** Its default follows the trigger: `defaultTick` in config.ts. */
  KEEP_ALIVE_TICK: option(null, duration('10s', '1d')),
  /** Whose allowances are watched; its default is that of the place (config.ts). */
  KEEP_ALIVE_PLAN: option(null, oneOf(PLAN_NAMES)),
  /** Of the Upstash database. */
  KEEP_ALIVE_READ_REGIONS: option('0', integer(0, 20)),
  /** Far from a function's 1,024 file descriptors: a check may need one more for DNS, and other invocations share them. */
  KEEP_ALIVE_CONCURRENCY: option('100', integer(1, 500)),
  /** Eight shards are one hash, and Upstash allows that 100 MB: 12 KB for each of 8,000 targets (store.ts). */
  KEEP_ALIVE_SHARD_SIZE: option('500', integer(1, 1_000)),
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
  KEEP_ALIVE_PEERS: option(null, peerList),
  KEEP_ALIVE_PEER_SECRET: option(null, secret(32)),
  KEEP_ALIVE_GLOBALPING_TOKEN: option(null, secret(1)),
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

/** Options that are JSONata expressions. */
export const EXPRESSION_OPTIONS = ['EXPECT_JSON', 'DEGRADED_JSON'] as const satisfies TargetOptionName[];

export type TargetOptionName = keyof typeof TARGET_OPTIONS;
export const TARGET_OPTION_NAMES = Object.keys(TARGET_OPTIONS) as readonly TargetOptionName[];
export type TargetOptions = OptionValues<typeof TARGET_OPTIONS>;
export type SystemOptions = OptionValues<typeof GENERAL_OPTIONS>;

export function isTargetOption(name: string): name is TargetOptionName {
  return Object.hasOwn(TARGET_OPTIONS, name);
}
