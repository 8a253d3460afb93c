import { describe, expect, it } from 'vitest';
import { formatProblems, parseConfig } from '../../lib/config/config.js';
import { targetAt } from '../../lib/config/target-builder.js';
import { tlsChoice } from '../../lib/rules/database-address.js';

const SECRET = 's3cr3t';

describe('addresses of databases', () => {
  it.each<[string, string, string]>([
    ['postgres://u:p@h/d', 'postgres://u:p@h:5432/d', 'postgres://h:5432/d'],
    [
      'postgresql://u:p@H:6543/d?sslmode=require',
      'postgres://u:p@h:6543/d?sslmode=require',
      'postgres://h:6543/d',
    ],
    ['mysql://u:p@h/d?ssl-mode=REQUIRED', 'mysql://u:p@h:3306/d?ssl-mode=REQUIRED', 'mysql://h:3306/d'],
    ['postgres://u:100%@h', 'postgres://u:100%25@h:5432', 'postgres://h:5432'],
    ['postgres://u:p@ss@h/d', 'postgres://u:p%40ss@h:5432/d', 'postgres://h:5432/d'],
    ['postgres://u:p@[::1]:5433/', 'postgres://u:p@[::1]:5433', 'postgres://[::1]:5433'],
    ['postgres://u@h/d?mail=a@b.org', 'postgres://u@h:5432/d?mail=a@b.org', 'postgres://h:5432/d'],
  ])('%s', (text, url, healthUrl) => {
    expect(targetAt(text).target).toMatchObject({
      protocol: new URL(url).protocol,
      url,
      info: { healthUrl },
    });
  });

  it.each([
    [`postgres://h/d`, 'user:password@host/database'],
    [`mysql://h/d`, 'mysql://user:password@host/database'],
    [`mysql://u:12/${SECRET}@h/d`, 'percent-encode'],
    [`postgres://:${SECRET}@h/d`, 'user:password@host/database'],
    [`postgres://u:${SECRET}@h/d%`, 'percent-encoded'],
    [`postgres://u:${SECRET}%00@h/d`, 'user:password@host/database'],
    [`postgres://u:${SECRET}@h/d?sslmode=requird`, 'as sslmode'],
    [`mysql://u:${SECRET}@h/d?ssl-mode=FOO`, 'VERIFY_IDENTITY as ssl-mode'],
    [`postgres://u:12/${SECRET}@h/d`, 'percent-encode'],
    [`postgres://u:${SECRET}#x@h/d`, 'percent-encode'],
    [`postgres://u:${SECRET}@h:70000/d`, 'a port'],
    [`postgres:///d?host=${SECRET}`, 'expected a host behind postgres://'],
    [`postgres://u:${SECRET}@h1,h2/d`, 'expected one host: postgres:// takes no list of them'],
    [`jdbc:postgresql://h/d?password=${SECRET}`, 'with a host'],
  ])('%s can never work', (url, message) => {
    const result = parseConfig({ TARGET_A_URL: url });
    const problems = result.ok ? '' : formatProblems(result.problems);
    expect(problems).toMatch(/^TARGET_A_URL: /);
    expect(problems).toContain(message);
    expect(problems).not.toContain(SECRET);
  });

  it('options of requests over HTTP have no effect', () => {
    const result = parseConfig({
      TARGET_A_URL: 'postgres://u@h/d',
      TARGET_A_EXPECT_STATUS: '200',
      TARGET_A_QUERY: 'SELECT 2',
      TARGET_A_EXPECT_JSON: 'a = 1',
      TARGET_A_TLS_EXPIRY: '1d',
    });
    expect(result.ok ? [] : result.problems.map(({ variable }) => variable)).toEqual([
      'TARGET_A_EXPECT_STATUS',
    ]);
  });
});

const say = (query: string) => tlsChoice(new URL(`postgres://u@h/d${query}`));

describe('TLS', () => {
  it.each<[string, 'never' | 'offered' | 'required', boolean | null]>([
    ['', 'offered', null],
    ['?pgbouncer=true&channel_binding=require', 'offered', null],
    ['?sslmode=disable', 'never', null],
    ['?sslmode=prefer', 'offered', false],
    ['?sslmode=require', 'required', false],
    ['?sslmode=verify-ca', 'required', true],
    ['?sslmode=verify-full&sslrootcert=/a/b.pem', 'required', true],
    ['?sslmode=require&sslrootcert=system', 'required', true],
    ['?sslmode=no-verify', 'required', false],
    ['?ssl-mode=REQUIRED', 'required', false],
    ['?ssl-mode=VERIFY_IDENTITY', 'required', true],
    ['?sslMode=DISABLED', 'never', null],
    ['?ssl=true', 'required', null],
    ['?ssl=false', 'never', null],
    ['?useSSL=true', 'required', null],
    ['?tls=skip-verify', 'required', false],
    ['?ssl={%22rejectUnauthorized%22:true}', 'required', true],
    ['?ssl={"rejectUnauthorized":false}', 'required', false],
    ['?sslaccept=strict', 'required', true],
    ['?sslaccept=accept_invalid_certs', 'required', false],
    ['?ssl=true&sslmode=disable', 'never', null],
  ])('%s: %s, certificate verified: %s', (query, use, verify) => {
    expect(say(query)).toEqual({ use, verify });
  });

  it.each(['sslmode=requird', 'sslmode=', 'ssl-mode=on', 'sslmode=constructor'])('%s is none', (query) => {
    expect(say(`?${query}`)).toBeNull();
  });

  it.each<[string, Record<string, string>, boolean]>([
    ['', {}, true],
    ['?sslmode=require', {}, false],
    ['?sslmode=verify-full', {}, true],
    ['?sslmode=require', { TARGET_A_TLS_VERIFY: 'true' }, true],
    ['?sslmode=require', { KEEP_ALIVE_TLS_VERIFY: 'true' }, true],
    ['?sslmode=verify-full', { TARGET_A_TLS_VERIFY: 'false' }, false],
    ['', { KEEP_ALIVE_TLS_VERIFY: 'false' }, false],
  ])('TLS_VERIFY comes before %s: %j', (query, env, tlsVerify) => {
    const result = parseConfig({ TARGET_A_URL: `postgres://u@h/d${query}`, ...env });
    expect(result.ok && result.config.targets[0]).toMatchObject({ tlsVerify });
  });
});
