import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../lib/config/config.js';
import { dnsQuestion, lineBytes } from '../../lib/rules/queries.js';

const problems = (env: Readonly<Record<string, string>>) => {
  const result = parseConfig(env);
  return result.ok ? [] : result.problems.map(({ variable, message }) => `${variable}: ${message}`);
};

describe('a line to send', () => {
  test.each<[string, string | null]>([
    ['PING', 'PING\r\n'],
    ['PING\\n', 'PING\n'],
    ['PING\\r\\n', 'PING\r\n'],
    ['GET / HTTP/1.0\\r\\n\\r\\n', 'GET / HTTP/1.0\r\n\r\n'],
    ['a\\tb\\0\\\\n', 'a\tb\0\\n\r\n'],
    ['\\x00\\xFf\\x0a', '\0\xff\n'],
    ['\u00e9', '\xc3\xa9\r\n'],
    ['\\q', null],
    ['\\xg0', null],
    ['\\x1', null],
    ['end\\', null],
    ['whole\\c', 'whole'],
    ['a\\\\c', 'a\\c\r\n'],
    ['a\\cb', null],
  ])('%j', (query, expected) => {
    expect(lineBytes(query)?.toString('latin1') ?? null).toBe(expected);
  });

  const TARGET_A_URL = 'tcp://a.example.com:1';
  test('has known escapes only', () => {
    expect(problems({ TARGET_A_URL, TARGET_A_QUERY: 'x\\q' })).toEqual([
      'TARGET_A_QUERY: expected a line in which a backslash begins one of \\r, \\n, \\t, \\0, \\\\, \\xHH, and \\c at its end',
    ]);
    expect(problems({ TARGET_A_URL, TARGET_A_QUERY: 'x\\r\\n' })).toEqual([]);
  });

  test('and an expectation are not inherited by a target that asks nothing itself', () => {
    const all = { KEEP_ALIVE_EXPECT_BODY: 'ok', KEEP_ALIVE_QUERY: 'PING', TARGET_A_URL };
    const targetOf = (env: Readonly<Record<string, string>>) => {
      const result = parseConfig(env);
      return result.ok ? result.config.targets[0] : undefined;
    };
    expect(targetOf(all)).toMatchObject({ query: null, assertions: { expectBody: null } });
    expect(targetOf({ ...all, TARGET_A_QUERY: 'TIME' })).toMatchObject({
      query: 'TIME',
      assertions: { expectBody: { text: 'ok' } },
    });
  });
});

describe('a DNS question', () => {
  test.each<[string, string | null]>([
    ['A example.com', 'A example.com'],
    ['mx  Example.COM.', 'MX example.com'],
    ['SRV _sip._tcp.example.com', 'SRV _sip._tcp.example.com'],
    ['A *.example.com', 'A *.example.com'],
    ['A b\u00fccher.example', 'A xn--bcher-kva.example'],
    ['PTR 8.8.8.8.in-addr.arpa', 'PTR 8.8.8.8.in-addr.arpa'],
    ['NS .', 'NS .'],
    ['TXT localhost', 'TXT localhost'],
    ['example.com', null],
    ['A', null],
    ['ANY example.com', null],
    ['A a..b', null],
    [`A ${'x'.repeat(64)}.com`, null],
    [`A ${'x.'.repeat(127)}com`, null],
    ['PTR 8.8.8.8', null],
    ['PTR ::1', null],
    ['A a b', null],
    ['constructor a', null],
    ['A \u00fc/x', null],
  ])('%j', (query, expected) => {
    const question = dnsQuestion(query);
    expect(question && `${question.type} ${question.name}`).toBe(expected);
  });

  const expected =
    'expected a record type (A, AAAA, CAA, CNAME, MX, NAPTR, NS, PTR, SOA, SRV, TXT) and a name, such as A example.com';
  test('is needed, and may be wrong', () => {
    const TARGET_A_URL = 'dns://1.1.1.1';
    expect(problems({ TARGET_A_URL, TARGET_A_QUERY: 'A example.com' })).toEqual([]);
    expect(problems({ TARGET_A_URL })).toEqual([`TARGET_A_URL: dns:// needs a QUERY: ${expected}`]);
    expect(problems({ TARGET_A_URL, TARGET_A_QUERY: 'example.com' })).toEqual([
      `TARGET_A_QUERY: ${expected}`,
    ]);
    expect(problems({ KEEP_ALIVE_URLS: TARGET_A_URL })).toHaveLength(1);
    expect(problems({ TARGET_A_URL: 'dns://1.1.1.1/example.com', TARGET_A_QUERY: 'A b' })).toHaveLength(1);
  });
});

describe('a dialogue', () => {
  const TARGET_A_URL = 'tcp://a.example.com:1';
  const steps = (...all: string[]) => all.join('\n');

  test.each<[string, string]>([
    ['several lines that are no steps', steps('HELO', '', 'send')],
    ['one line', 'send a'],
    [
      'all kinds of steps',
      steps('expect /^220 (.+)/i', 'send HELO \\1', 'starttls', '', 'send a\\c', 'expect /b/g'),
    ],
  ])('%s', (_name, TARGET_A_QUERY) => {
    expect(problems({ TARGET_A_URL, TARGET_A_QUERY })).toEqual([]);
  });

  test.each<[string, string]>([
    [steps('expect', 'send a'), 'line 1: expected a text behind expect'],
    [steps('expect a', 'expect /(/'), 'line 2: expected a text, or /regex/ with flags of i, m, s, u, v'],
    [steps('expect /a/', 'send \\1'), 'line 2: expected no \\1: the expression before it has no such group'],
    [
      steps('expect a', 'send \\q'),
      'line 2: expected a line in which a backslash begins one of \\r, \\n, \\t, \\0, \\\\, \\xHH, and \\c at its end',
    ],
  ])('%j', (TARGET_A_QUERY, problem) => {
    expect(problems({ TARGET_A_URL, TARGET_A_QUERY })).toEqual([`TARGET_A_QUERY: ${problem}`]);
  });

  test('begins TLS over tcp:// alone, where TLS_VERIFY then counts', () => {
    const TARGET_A_QUERY = steps('send a', 'starttls');
    expect(problems({ TARGET_A_URL, TARGET_A_QUERY, TARGET_A_TLS_VERIFY: 'false' })).toEqual([]);
    expect(problems({ TARGET_A_URL, TARGET_A_TLS_VERIFY: 'false' })).toEqual([
      'TARGET_A_TLS_VERIFY: has no effect on tcp:// without starttls in QUERY',
    ]);
    for (const url of ['tls://a.example.com:1', 'ws://a.example.com/'])
      expect(problems({ TARGET_A_URL: url, TARGET_A_QUERY })).toEqual([
        'TARGET_A_QUERY: expected no starttls: only tcp:// begins without TLS and may go on with it',
      ]);
  });
});

describe('the address of a mail server', () => {
  test('has the ports of mail programs, and shows no user info', () => {
    const result = parseConfig({
      TARGET_A_URL: 'smtp://user:s3cr3t%@Mail.example.com',
      TARGET_B_URL: 'smtps://mail.example.com',
    });
    const targets = result.ok ? result.config.targets : [];
    expect(targets.map(({ url }) => url)).toEqual([
      'smtp://user:s3cr3t%25@mail.example.com:587',
      'smtps://mail.example.com:465',
    ]);
    expect(JSON.stringify(targets.map(({ info }) => info))).not.toMatch(/user|s3cr3t/);
  });

  test.each([
    ['smtp://a:%ff@b', 'expected user name and password in UTF-8 where they are percent-encoded'],
    [
      'smtp://mail.example.com:465',
      'servers on this port begin with TLS, which smtp:// does not: expected smtps:// or another port',
    ],
  ])('%s', (TARGET_A_URL, problem) => {
    expect(problems({ TARGET_A_URL })).toEqual([`TARGET_A_URL: ${problem}`]);
  });

  test('asks nothing', () => {
    expect(problems({ TARGET_A_URL: 'smtp://a', TARGET_A_QUERY: 'x' })).toEqual([
      expect.stringMatching(/^TARGET_A_QUERY: has no effect on this kind of target/),
    ]);
  });
});
