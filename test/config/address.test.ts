import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatProblems, parseConfig, textsOf } from '../../lib/config/config.js';
import { warningsOf } from '../../lib/config/warnings.js';

type Env = Readonly<Record<string, string>>;

const problems = (env: Env): string[] => {
  const result = parseConfig(env);
  return result.ok ? [] : formatProblems(result.problems).split('\n');
};

/** What each variable that takes an address is set to, with the address in its place, and the variables it needs. */
const HTTP: Readonly<Record<string, Env>> = {
  TARGET_A_URL: {},
  TARGET_A_RECOVERY_URL: { TARGET_A_URL: 'https://a.org' },
  KEEP_ALIVE_URLS: {},
  ALERT_WEBHOOK_URL: {},
  ALERT_SLACK_URL: {},
  ALERT_DISCORD_URL: {},
  ALERT_NTFY_URL: {},
  ALERT_APPRISE_URL: {},
  ALERT_TEAMS_URL: {},
  ALERT_GOOGLE_CHAT_URL: {},
};
const PLAIN: Readonly<Record<string, Env>> = {
  KEEP_ALIVE_HEARTBEAT_URL: {},
  KEEP_ALIVE_CONTROL_URLS: {},
  UPSTASH_REDIS_REST_URL: { UPSTASH_REDIS_REST_TOKEN: 'token' },
};
const MAIL = { ALERT_EMAIL_FROM: 'a@b.org', ALERT_EMAIL_TO: 'a@b.org' };

describe('an address that a character of its user info cuts in two', () => {
  const cut = [
    'user:pa/ss@host.org',
    'user:pa?ss@host.org',
    'user:pa#ss@host.org',
    'user:/pass@host.org',
    ':pa/ss@host.org',
    'me@example.org:pa/ss@host.org/path',
    'user:12#34@host.org',
    'user:pa/ss@[::1]:8080/x',
  ];

  it.each(cut.flatMap((rest) => Object.keys({ ...HTTP, ...PLAIN }).map((variable) => [variable, rest])))(
    '%s=https://%s: says how to encode it',
    (variable = '', rest) => {
      const needed = { ...HTTP, ...PLAIN }[variable];
      const found = problems({ ...needed, [variable]: `https://${rest}` });
      expect(found).toEqual([
        expect.stringMatching(new RegExp(`^${variable}: .*percent-encode it \\(/ as %2F`)),
      ]);
    },
  );

  it.each([
    ...cut,
    'user:12/34@smtp.example.com:587',
    'user:12?34@host.org',
    'user/x@host.org',
    'a.org:25/b@c.org',
  ])('smtp://%s and redis://%s', (rest) => {
    for (const scheme of ['smtp', 'smtps']) {
      expect(problems({ ...MAIL, ALERT_SMTP_URL: `${scheme}://${rest}` })).toEqual([
        expect.stringContaining('ALERT_SMTP_URL: a character of the user name or password cuts'),
      ]);
    }
    for (const scheme of ['redis', 'rediss']) {
      expect(problems({ REDIS_URL: `${scheme}://${rest}` })).toEqual([
        expect.stringContaining('REDIS_URL: a character of the user name or password cuts'),
      ]);
    }
  });

  it('is named by its place in a list', () => {
    expect(problems({ KEEP_ALIVE_URLS: 'https://a.org, https://u:p/q@b.org' })).toEqual([
      expect.stringMatching(/^KEEP_ALIVE_URLS: entry 2: a character of the user name/),
    ]);
    expect(problems({ KEEP_ALIVE_CONTROL_URLS: 'https://a.org https://b.org:0' })).toEqual([
      'KEEP_ALIVE_CONTROL_URLS: entry 2: expected a port from 1 to 65535 after the colon',
    ]);
    expect(problems({ KEEP_ALIVE_URLS: 'https://u:1,2@a.org' })).toEqual([
      'KEEP_ALIVE_URLS: entry 2: percent-encode a comma in a user name or password as %2C, a space as %20',
    ]);
  });

  it.each([
    'https://example.com/@user',
    'https://medium.com/p?x=a@b',
    'https://example.com:8443/@user',
    'http://localhost:3000/@user',
    'http://api:8080/users/a@example.org',
    'http://api:8080/a@example.org',
    'http://api:8080?mail=a@example.org',
    'https://unpkg.com/react@18.2.0/x.js',
    'https://registry.npmjs.org/@types%2fnode',
    'https://u:p@host.org/@user',
    'https://u:p@host.org:8443/a@b.org#x@y',
    'https://u:p@ss@host.org/x',
    'https://u:p%2Fq%3F%23%40@host.org/x',
    'https://[::1]:8443/@user',
    'https://host.org/x#a@b',
    'https://host.org/x:y/z@w',
  ])('is none of %s', (address) => {
    expect(problems({ TARGET_A_URL: address })).toEqual([]);
    expect(problems({ ALERT_NTFY_URL: address.replace(/\?.*/, '/topic') })).toEqual([]);
  });

  it.each([
    ['smtp://u:p%2Fq@h:587', 'smtp://u:p%2Fq@h:587'],
    ['smtp://h/?name=a@b', 'smtp://h/?name=a@b'],
    ['smtp://u@h.org:p@h:25?name=a@b', 'smtp://u@h.org:p@h:25?name=a@b'],
    ['smtp://u:p%@h', 'smtp://u:p%25@h'],
    ['smtps://u:%zz%41@h', 'smtps://u:%25zz%41@h'],
    ['smtps://u:%e9%@h', 'smtps://u:%e9%@h'],
  ])('is none of %s', (address, read) => {
    const result = parseConfig({ ...MAIL, ALERT_SMTP_URL: address });
    expect(result.ok && result.config.alerts.email?.smtpUrl).toBe(read);
  });

  it('is pointed out where it is likely and not certain', () => {
    const warned = (address: string) => warningsOf(textsOf({ TARGET_A_URL: address })).length;
    expect(warned('https://user:12/34@host.example.com/health')).toBe(1);
    for (const good of [
      'https://u:p@host.org/@user',
      'http://localhost:3000/a@example.org',
      'https://host.org:8443/a@example.org',
      'http://api:8080/@user',
      'http://api:8080/react@18.2.0',
      'https://host/a@example.org',
    ]) {
      expect(warned(good), good).toBe(0);
    }
  });

  it('is found whatever the user info is, and none where all of it is encoded', () => {
    const text = fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(text, text, (user, password) => {
        const encoded = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
        for (const env of [
          { TARGET_A_URL: `https://${encoded}@host.org/x` },
          { REDIS_URL: `redis://${encoded}@host.org:6379/1` },
          { ...MAIL, ALERT_SMTP_URL: `smtp://${encoded}@host.org:587` },
        ]) {
          expect(problems(env)).toEqual([]);
        }
        const bare = `${user}:${password}`.replace(/\s/g, '');
        const slash = bare.search(/[/?#]/);
        const result = parseConfig({ REDIS_URL: `redis://${bare}@host.org:6379/1` });
        // Never taken for an address of another host.
        if (result.ok && slash >= 0) throw new Error('a cut address passed');
        if (slash < 0 && !/%[0-9a-f]{2}/i.test(bare)) expect(result.ok).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a port', () => {
  it.each([':0', ':99999', ':65536', ':abc', ':-1', ':1e3'])('%s is none', (port) => {
    for (const env of [
      { TARGET_A_URL: `https://h${port}` },
      { TARGET_A_URL: `tcp://h${port}` },
      { REDIS_URL: `redis://h${port}` },
      { ...MAIL, ALERT_SMTP_URL: `smtp://u:p@h${port}` },
      { ALERT_WEBHOOK_URL: `https://h${port}/x` },
    ]) {
      expect(problems(env)).toEqual([
        expect.stringMatching(/^\w+: expected a port from 1 to 65535 after the colon$/),
      ]);
    }
  });

  it.each([':1', ':65535', ':080', ':', ''])('%s is one', (port) => {
    expect(problems({ TARGET_A_URL: `http://h${port}/` })).toEqual([]);
  });

  it.each([
    ['http://h:443', 'https'],
    ['http://u:p@h:00443/x', 'https'],
    ['http://[::1]:443', 'https'],
    ['https://h:80', 'http'],
    ['tls://h:25', 'tcp'],
    ['tls://h:587', 'tcp'],
    ['tls://h:80', 'tcp'],
  ])('%s: does not fit the scheme', (address, expected) => {
    expect(problems({ TARGET_A_URL: address })).toEqual([
      expect.stringMatching(
        new RegExp(`^TARGET_A_URL: servers on this port .*: expected ${expected}:// or another`),
      ),
    ]);
  });

  it.each([
    ['smtps://h:587', 'smtp'],
    ['smtps://h:25', 'smtp'],
    ['smtp://h:465', 'smtps'],
  ])('%s: does not fit the scheme', (address, expected) => {
    expect(problems({ ...MAIL, ALERT_SMTP_URL: address })).toEqual([
      expect.stringMatching(
        new RegExp(`^ALERT_SMTP_URL: servers on this port .*: expected ${expected}:// or another`),
      ),
    ]);
  });

  it.each([
    'http://h:80',
    'https://h:443',
    'http://h:8443',
    'https://h:8080',
    'tls://h:443',
    'tls://h:465',
    'tcp://h:443',
    'tcp://h:25',
    'tls://h:5432',
  ])('%s fits', (address) => {
    expect(problems({ TARGET_A_URL: address })).toEqual([]);
  });

  it.each(['smtp://h:587', 'smtp://h:25', 'smtp://h:2525', 'smtps://h:465', 'smtps://h:2465', 'smtps://h'])(
    '%s fits',
    (address) => {
      expect(problems({ ...MAIL, ALERT_SMTP_URL: address })).toEqual([]);
    },
  );
});

describe('REDIS_URL', () => {
  it.each([
    ['redis://h:6379/abc', 'expected a number after the slash: a database of Redis has no name'],
    ['redis://h:6379/0/1', 'expected a number after the slash: a database of Redis has no name'],
    ['redis://h/-1', 'expected a number after the slash: a database of Redis has no name'],
    ['redis://h/1.5', 'expected a number after the slash: a database of Redis has no name'],
    ['redis://u:%e9@h', 'expected user name and password in UTF-8 where they are percent-encoded'],
    [
      'redis://default:p@eu1-x-1.upstash.io:6379',
      'expected rediss://, since Upstash accepts connections with TLS only',
    ],
    ['h:6379', 'expected a redis:// or rediss:// address with a host'],
    ['"redis://h"', 'expected a redis:// or rediss:// address with a host, without quotes around it'],
  ])('%s: %s', (address, message) => {
    expect(problems({ REDIS_URL: address })).toEqual([`REDIS_URL: ${message}`]);
  });

  it.each([
    ['redis://h', 'redis://h'],
    ['redis://h/', 'redis://h/'],
    ['redis://:p@h:6379/15', 'redis://:p@h:6379/15'],
    ['redis://u:50%@h', 'redis://u:50%25@h'],
    ['rediss://default:p@eu1-x-1.upstash.io:6379', 'rediss://default:p@eu1-x-1.upstash.io:6379'],
  ])('%s is read as %s', (address, url) => {
    const result = parseConfig({ REDIS_URL: address });
    expect(result.ok && result.config.store).toEqual({ kind: 'redis', url });
  });
});

describe('a token with a character that no header can hold', () => {
  it.each(['a\nb', 'a\r\nb', 'a\u0000b', 'a\u007fb', 'a€b', 'aéb'])('%j is none', (text) => {
    const token = text.padEnd(20, 'x');
    const env = {
      CRON_SECRET: token,
      STATS_TOKEN: token,
      QSTASH_TOKEN: token,
      QSTASH_CURRENT_SIGNING_KEY: token,
      QSTASH_NEXT_SIGNING_KEY: token,
      UPSTASH_REDIS_REST_URL: 'https://u',
      UPSTASH_REDIS_REST_TOKEN: token,
    };
    expect(problems(env).map((line) => line.split(':')[0])).toEqual([
      'CRON_SECRET',
      'QSTASH_CURRENT_SIGNING_KEY',
      'QSTASH_NEXT_SIGNING_KEY',
      'QSTASH_TOKEN',
      'STATS_TOKEN',
      'UPSTASH_REDIS_REST_TOKEN',
    ]);
  });

  it('is no problem at its end, where line ends are pasted', () => {
    const token = `${'x'.repeat(20)}\r\n`;
    const result = parseConfig({ CRON_SECRET: token, STATS_TOKEN: ` ${token}`, QSTASH_TOKEN: token });
    expect(
      result.ok && [result.config.cronSecret, result.config.statsToken, result.config.qstash.token],
    ).toEqual(Array(3).fill('x'.repeat(20)));
  });

  it('is told apart in HEADERS', () => {
    expect(problems({ TARGET_A_URL: 'http://h', TARGET_A_HEADERS: '{"a":"b\\nc"}' })).toEqual([
      'TARGET_A_HEADERS: a value has a character that no header can hold (a line end, another control character, or one beyond Latin-1)',
    ]);
  });
});

it('user info is what curl makes of it', () => {
  const result = parseConfig({ TARGET_A_URL: 'https://us%er:100%@h/' });
  const target = result.ok ? result.config.targets[0] : undefined;
  const authorization = target && 'request' in target ? (target.request.headers.Authorization ?? '') : '';
  expect(Buffer.from(authorization.slice('Basic '.length), 'base64').toString()).toBe('us%er:100%');
});
