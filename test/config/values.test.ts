import { PAGE_OPTIONS } from '../../lib/config/page.js';
import { describe, expect, it } from 'vitest';
import type { Table } from '../../lib/config/option-table.js';
import { SYSTEM_OPTIONS, TARGET_OPTIONS } from '../../lib/config/options.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const BAD = Symbol('bad');
const KEY = Buffer.alloc(24, 7).toString('base64');

const options: Table = { ...TARGET_OPTIONS, ...SYSTEM_OPTIONS };
const read = (name: string, text: string): unknown => {
  const result = options[name]?.value.safeParse(text);
  return result?.success ? result.data : BAD;
};
const every = [1, 2, 3, 4, 5, 6, 7];
const weekly = (days: number[], fromMinute: number, toMinute: number, timeZone = 'UTC') => ({
  days,
  fromMinute,
  toMinute,
  timeZone,
});

const table: Record<string, [text: string, expected: unknown][]> = {
  NAME: [
    ['My API', 'My API'],
    ['x'.repeat(100), 'x'.repeat(100)],
    ['x'.repeat(101), BAD],
    ['two\nlines', BAD],
  ],
  GROUP: [
    ['Shop ✓', 'Shop ✓'],
    ['tab\there', BAD],
  ],
  ORDER: [
    ['10', 10],
    ['-1.5', -1.5],
    ['0', 0],
    ['first', BAD],
    ['1e3', BAD],
    ['1234567890', BAD],
  ],
  ENABLED: [
    ['true', true],
    ['TRUE', true],
    ['1', true],
    ['Yes', true],
    ['on', true],
    ['false', false],
    ['0', false],
    ['no', false],
    ['OFF', false],
    ['2', BAD],
    ['constructor', BAD],
  ],
  HOST: [
    ['railway', 'railway'],
    ['Render', 'render'],
    ['none', 'none'],
    ['aws', BAD],
  ],
  SLEEPS_AFTER: [
    ['10m', 10 * MINUTE],
    ['off', 0],
    ['0', 0],
    ['59s', BAD],
    ['30d', 30 * DAY],
    ['31d', BAD],
  ],
  WAKE_TIMEOUT: [
    ['0', 0],
    ['off', 0],
    ['2m', 2 * MINUTE],
    ['10m', 10 * MINUTE],
    ['601s', BAD],
  ],
  INTERVAL: [
    ['10s', 10 * SECOND],
    ['10000', 10 * SECOND],
    ['9999', BAD],
    ['1.5h', 1.5 * HOUR],
    ['2H', 2 * HOUR],
    ['10 m', 10 * MINUTE],
    ['7d', 7 * DAY],
    ['8d', BAD],
    ['off', BAD],
    ['5 minutes', BAD],
    ['-5m', BAD],
    ['m', BAD],
    ['1e9', BAD],
    ['Infinity', BAD],
    ['1constructor', BAD],
  ],
  TIMEOUT: [
    ['100ms', 100],
    ['100.4', 100],
    ['99ms', BAD],
    ['2m', 2 * MINUTE],
    ['121s', BAD],
  ],
  DESCRIPTION: [
    ['Orders, see https://a.test', 'Orders, see https://a.test'],
    ['x'.repeat(300), 'x'.repeat(300)],
    ['x'.repeat(301), BAD],
    ['a\nb', BAD],
  ],
  IP_VERSION: [
    ['4', '4'],
    ['6', '6'],
    ['6, 4', '6,4'],
    ['4,6', '4,6'],
    ['5', BAD],
    ['4,4', BAD],
    ['all', BAD],
  ],
  RETRIES: [
    ['0', 0],
    ['10', 10],
    ['11', BAD],
    ['1.5', BAD],
    ['-1', BAD],
  ],
  RETRY_DELAY: [
    ['0', 0],
    ['61s', BAD],
  ],
  FAILURE_THRESHOLD: [
    ['1', 1],
    ['0', BAD],
    ['100', 100],
    ['101', BAD],
  ],
  SUCCESS_THRESHOLD: [
    ['1', 1],
    ['0', BAD],
    ['101', BAD],
  ],
  METHOD: [
    ['post', 'POST'],
    ['PROPFIND', 'PROPFIND'],
    ['connect', BAD],
    ['GE T', BAD],
  ],
  HEADERS: [
    ['{}', {}],
    ['{"X-Key":"a","n":1,"b":true}', { 'X-Key': 'a', n: '1', b: 'true' }],
    ['{"a":" b "}', { a: 'b' }],
    ['{"a":"b\\r\\nc: d"}', BAD],
    ['{"a b":"c"}', BAD],
    ['{"":"c"}', BAD],
    ['{"a":"€"}', BAD],
    ['{"a":null}', BAD],
    ['{"a":["b"]}', BAD],
    ['{"A":"b","a":"c"}', BAD],
    ['{"Content-Length":"3"}', BAD],
    ['{"Transfer-Encoding":"chunked"}', BAD],
    ['[]', BAD],
    ['null', BAD],
    ['a: b', BAD],
  ],
  EXPECT_STATUS: [
    ['200', [{ from: 200, to: 200 }]],
    [
      '200-299,301 404',
      [
        { from: 200, to: 299 },
        { from: 301, to: 301 },
        { from: 404, to: 404 },
      ],
    ],
    ['200 - 204', [{ from: 200, to: 204 }]],
    ['999', [{ from: 999, to: 999 }]],
    ['299-200', BAD],
    ['99', BAD],
    ['1000', BAD],
    [',', BAD],
    ['ok', BAD],
  ],
  EXPECT_BODY: [
    ['healthy', { kind: 'text', text: 'healthy' }],
    ['/healthy', { kind: 'text', text: '/healthy' }],
    ['/"ok":\\s*true/', { kind: 'regex', source: '"ok":\\s*true', flags: '' }],
    ['/a\\/b/gi', { kind: 'regex', source: 'a\\/b', flags: 'i' }],
    ['/(/', BAD],
    ['/usr/bin', BAD],
    ['/a/y', BAD],
    ['/a/ii', BAD],
  ],
  DEGRADED_AFTER: [
    ['2s', 2 * SECOND],
    ['off', 0],
    ['3m', BAD],
  ],
  MAX_BODY: [
    ['256kb', 262_144],
    ['1MB', 1_048_576],
    ['1.5 kb', 1536],
    ['100', 100],
    ['100b', 100],
    ['0', BAD],
    ['10mb', 10_485_760],
    ['11mb', BAD],
    ['1gb', BAD],
  ],
  MAX_REDIRECTS: [
    ['0', 0],
    ['20', 20],
    ['21', BAD],
  ],
  TLS_EXPIRY: [
    ['14d', 14 * DAY],
    ['0', 0],
    ['366d', BAD],
  ],
  ACTIVE_HOURS: [
    ['always', null],
    ['Mon-Fri 08:00-20:00 Europe/Paris', weekly([1, 2, 3, 4, 5], 480, 1200, 'Europe/Paris')],
    ['08:00-20:00', weekly(every, 480, 1200)],
    ['8:00-20:30 UTC', weekly(every, 480, 1230)],
    ['sat, sun 00:00 - 24:00', weekly([6, 7], 0, 1440)],
    ['Fri-Mon 22:00-06:00', weekly([1, 5, 6, 7], 1320, 360)],
    ['Mon,Wed-Thu 10:00-10:00', weekly([1, 3, 4], 600, 600)],
    ['10:00-11:00 America/Port-au-Prince', weekly(every, 600, 660, 'America/Port-au-Prince')],
    ['24:00-06:00', BAD],
    ['08:60-20:00', BAD],
    ['08:00-24:01', BAD],
    ['Mon-Fri', BAD],
    ['Mon-Tue-Wed 08:00-20:00', BAD],
    ['Foo 08:00-20:00', BAD],
    ['08:00-20:00 Europe/Nowhere', BAD],
    ['08:00-20:00 +02:00', BAD],
    ['08:00-20:00 UTC extra', BAD],
  ],
  MAINTENANCE: [
    ['off', []],
    ['none', []],
    [
      '2026-12-01T02:00Z/2h; Sun 02:00-03:00 UTC;',
      [
        { kind: 'once', from: Date.UTC(2026, 11, 1, 2), to: Date.UTC(2026, 11, 1, 4) },
        { kind: 'weekly', window: weekly([7], 120, 180) },
      ],
    ],
    [
      '2026-12-01T02:00:30+01:00/90s',
      [{ kind: 'once', from: Date.UTC(2026, 11, 1, 1, 0, 30), to: Date.UTC(2026, 11, 1, 1, 2) }],
    ],
    [
      '2026-12-01T02:00Z/2h (new disks (two)); Sun 02:00-03:00 UTC(back up)',
      [
        {
          kind: 'once',
          from: Date.UTC(2026, 11, 1, 2),
          to: Date.UTC(2026, 11, 1, 4),
          reason: 'new disks (two)',
        },
        { kind: 'weekly', window: weekly([7], 120, 180), reason: 'back up' },
      ],
    ],
    ['2026-12-01T02:00Z/2h ()', BAD],
    ['2026-12-01T02:00Z/2h (new disks', BAD],
    [`2026-12-01T02:00Z/2h (${'x'.repeat(201)})`, BAD],
    ['2026-12-01T02:00/2h', BAD],
    ['2026-02-30T02:00Z/2h', BAD],
    ['2026-13-01T02:00Z/2h', BAD],
    ['2026-12-01T25:00Z/2h', BAD],
    ['2026-12-01T02:00Z/0s', BAD],
    ['2026-12-01T02:00Z', BAD],
    ['Sun 02:00-03:00; tomorrow', BAD],
  ],
  ALERTS: [
    ['all', null],
    ['off', []],
    ['none', []],
    ['Slack, email', ['slack', 'email']],
    ['email slack email', ['slack', 'email']],
    ['pigeon', BAD],
    ['slack,pigeon', BAD],
  ],
  RECOVERY_URL: [
    ['https://h/x?key=1', { url: 'https://h/x?key=1', authorization: null }],
    ['https://u:p@h/', { url: 'https://h/', authorization: `Basic ${btoa('u:p')}` }],
    ['tcp://h:1', BAD],
    ['h/x', BAD],
  ],
  RECOVERY_COOLDOWN: [
    ['0', 0],
    ['8d', BAD],
  ],
  RECOVERY_MAX: [
    ['0', 0],
    ['101', BAD],
  ],
  RECOVERY_GRACE: [
    ['0', 0],
    ['25h', BAD],
  ],
  CRON_SECRET: [
    ['x'.repeat(16), 'x'.repeat(16)],
    ['x'.repeat(15), BAD],
    ['é'.repeat(16), BAD],
    [`${'x'.repeat(16)}\nx`, BAD],
  ],
  STATS_TOKEN: [
    ['x'.repeat(16), 'x'.repeat(16)],
    ['x'.repeat(15), BAD],
    ['é'.repeat(16), BAD],
  ],
  QSTASH_TOKEN: [
    ['x', 'x'],
    ['a\nb', BAD],
    ['a\u0000b', BAD],
    ['€', BAD],
  ],
  QSTASH_CURRENT_SIGNING_KEY: [
    ['x'.repeat(16), 'x'.repeat(16)],
    ['x'.repeat(15), BAD],
  ],
  KEEP_ALIVE_PUBLIC_BADGES: [
    ['yes', true],
    ['maybe', BAD],
  ],
  KEEP_ALIVE_PUBLIC_URL: [
    ['https://Status.example.com/', 'https://status.example.com'],
    ['http://localhost:3000', 'http://localhost:3000'],
    ['https://example.com/status', BAD],
    ['https://example.com/?a', BAD],
    ['https://u@example.com', BAD],
    ['example.com', BAD],
  ],
  QSTASH_URL: [
    ['https://qstash.upstash.io/v2/publish/', 'https://qstash.upstash.io'],
    ['qstash.upstash.io', BAD],
  ],
  KEEP_ALIVE_TICK: [
    ['10s', 10 * SECOND],
    ['9s', BAD],
    ['1d', DAY],
    ['25h', BAD],
  ],
  KEEP_ALIVE_PLAN: [
    ['Hobby', 'hobby'],
    ['pro', 'pro'],
    ['none', 'none'],
    ['free', BAD],
  ],
  KEEP_ALIVE_READ_REGIONS: [
    ['0', 0],
    ['8', 8],
    ['-1', BAD],
    ['21', BAD],
  ],
  KEEP_ALIVE_CONCURRENCY: [
    ['1', 1],
    ['500', 500],
    ['0', BAD],
    ['501', BAD],
  ],
  KEEP_ALIVE_SHARD_SIZE: [
    ['1', 1],
    ['1000', 1_000],
    ['0', BAD],
    ['1001', BAD],
  ],
  KEEP_ALIVE_PREFIX: [
    ['a:b', 'a:b'],
    ['{a}', '{a}'],
    ['shop:{a}.1', 'shop:{a}.1'],
    ['{}', BAD],
    ['{a', BAD],
    ['a}', BAD],
    ['{a}{b}', BAD],
    ['', BAD],
    [`{${'x'.repeat(62)}}`, `{${'x'.repeat(62)}}`],
    [`{${'x'.repeat(63)}}`, BAD],
    ['a b', BAD],
    ['x'.repeat(65), BAD],
  ],
  KEEP_ALIVE_CONTROL_URLS: [
    ['off', []],
    ['https://a.org/x, http://b.org', ['https://a.org/x', 'http://b.org/']],
    ['https://a.org/x, b', BAD],
  ],
  KEEP_ALIVE_HEARTBEAT_URL: [
    ['https://hc-ping.com/x', 'https://hc-ping.com/x'],
    ['https://u:p@hc-ping.com/x', BAD],
    ['ftp://h', BAD],
  ],
  PORT: [
    ['0', 0],
    ['65535', 65_535],
    ['65536', BAD],
  ],
  ALERT_REMINDER: [
    ['off', 0],
    ['1h', HOUR],
    ['59s', BAD],
  ],
  ALERT_WEBHOOK_SECRET: [
    [`whsec_${KEY}`, `whsec_${KEY}`],
    [KEY, KEY],
    [`whsec_${btoa('short')}`, BAD],
    ['whsec_***', BAD],
  ],
  ALERT_TELEGRAM_TOKEN: [
    ['123:AB-c_d', '123:AB-c_d'],
    ['AB', BAD],
    ['123:a/b', BAD],
  ],
  ALERT_TELEGRAM_CHAT: [
    ['-10012', '-10012'],
    ['@channel', '@channel'],
    ['channel', BAD],
  ],
  ALERT_NTFY_URL: [
    ['https://ntfy.sh/topic', { url: 'https://ntfy.sh/topic', authorization: null }],
    ['https://:tk@ntfy.sh/topic', { url: 'https://ntfy.sh/topic', authorization: `Basic ${btoa(':tk')}` }],
    ['https://ntfy.sh', BAD],
  ],
  ALERT_PAGERDUTY_URL: [
    ['https://events.eu.pagerduty.com', 'https://events.eu.pagerduty.com'],
    ['https://events.eu.pagerduty.com/v2/enqueue', 'https://events.eu.pagerduty.com'],
    ['eu', BAD],
    ['https://events.eu.pagerduty.com/v3', BAD],
    ['https://user:pw@events.eu.pagerduty.com', BAD],
  ],
  ALERT_PAGERDUTY_KEY: [
    ['R0UT1NG', 'R0UT1NG'],
    ['a b', BAD],
  ],
  ALERT_SMTP_URL: [
    ['smtps://u:p@h:465', 'smtps://u:p@h:465'],
    ['smtp://h', 'smtp://h'],
    ['http://h', BAD],
    ['smtp://', BAD],
  ],
  ALERT_EMAIL_FROM: [
    ['a@b.org', 'a@b.org'],
    ['Keepalive <a@b.org>', 'Keepalive <a@b.org>'],
    ['a', BAD],
    ['a\r\nBcc: x <a@b.org>', BAD],
  ],
  ALERT_EMAIL_TO: [
    ['a@b.org, c@d.org', ['a@b.org', 'c@d.org']],
    ['a@b.org, c', BAD],
  ],
};

describe.each(Object.entries(table))('%s', (name, rows) => {
  it.each(rows)('reads %j', (text, expected) => {
    expect(read(name, text)).toEqual(expected);
  });
});

describe('URL', () => {
  it.each([
    ['https://API.example.com/a?b#c', 'https://api.example.com/a?b', 'https://api.example.com/a', null],
    ['http://h:8080', 'http://h:8080/', 'http://h:8080/', null],
    ['https://u:p%40@h/', 'https://h/', 'https://h/', `Basic ${btoa('u:p@')}`],
    ['https://u:p%@h/', 'https://h/', 'https://h/', `Basic ${btoa('u:p%')}`],
    ['https://u:%zz%41%@h/', 'https://h/', 'https://h/', `Basic ${btoa('u:%zzA%')}`],
    ['https://%e9:%00@h/', 'https://h/', 'https://h/', `Basic ${btoa('\xe9:\0')}`],
    ['https://ü:p@h/', 'https://h/', 'https://h/', `Basic ${Buffer.from('ü:p').toString('base64')}`],
    ['tcp://DB:5432', 'tcp://db:5432', 'tcp://db:5432', null],
    ['tls://[::1]:443/', 'tls://[::1]:443', 'tls://[::1]:443', null],
  ])('reads %s', (text, url, healthUrl, authorization) => {
    expect(read('URL', text)).toMatchObject({ url, healthUrl, authorization });
  });

  it.each([
    'example.com',
    'http:example.com',
    'http://',
    'https://h:0/',
    'https://h:99999/',
    'ftp://h/',
    'file:///etc/passwd',
    'tcp://h',
    'tls://h',
    'tcp://h:0',
    'tcp://h:1/path',
    'tcp://h:1?q',
    'tcp://u@h:1',
    'tcp://h%41:1',
  ])('refuses %s', (text) => {
    expect(read('URL', text)).toBe(BAD);
  });
});

it('the table has rows for every option that can be wrong', () => {
  const sameAs = {
    URL: 'its own table',
    TLS_VERIFY: 'ENABLED',
    TLS_CLIENT_CERT: 'client-certificate.test.ts',
    PAGE_LINKS: 'page.test.ts',
    ALLOW_PRIVATE: 'ENABLED',
    REJECT_BODY: 'EXPECT_BODY',
    RECOVERY_METHOD: 'METHOD',
    RECOVERY_HEADERS: 'HEADERS',
    BODY: 'any text',
    QUERY: 'any text',
    RECOVERY_BODY: 'any text',
    EXPECT_JSON: 'expressions.test.ts',
    DEGRADED_JSON: 'expressions.test.ts',
    KEEP_ALIVE_URLS: 'config.test.ts',
    SHOW: 'show.test.ts',
    KEEP_ALIVE_TARGETS: 'targets-file.test.ts',
    CONFIRM: 'ENABLED',
    KEEP_ALIVE_PEERS: 'peers.test.ts',
    KEEP_ALIVE_PEER_SECRET: 'peers.test.ts',
    KEEP_ALIVE_GLOBALPING_TOKEN: 'QSTASH_TOKEN',
    HOST_TOKEN: 'QSTASH_TOKEN',
    QSTASH_NEXT_SIGNING_KEY: 'QSTASH_CURRENT_SIGNING_KEY',
    ALERT_WEBHOOK_URL: 'RECOVERY_URL',
    ALERT_SLACK_URL: 'RECOVERY_URL',
    ALERT_DISCORD_URL: 'RECOVERY_URL',
    ALERT_APPRISE_URL: 'RECOVERY_URL',
    ALERT_TEAMS_URL: 'RECOVERY_URL',
    ALERT_GOOGLE_CHAT_URL: 'RECOVERY_URL',
  };
  expect(
    Object.keys(options).filter((name) => !(name in table) && !(name in sameAs) && !(name in PAGE_OPTIONS)),
    'those of the page are in page.test.ts',
  ).toEqual([]);
});
