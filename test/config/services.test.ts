import { describe, expect, it } from 'vitest';
import { formatProblems, parseConfig } from '../../lib/config/config.js';
import type { Target } from '../../lib/types.js';

type Env = Readonly<Record<string, string>>;

const problems = (env: Env): string[] => {
  const result = parseConfig(env);
  return result.ok ? [] : formatProblems(result.problems).split('\n');
};

function target(env: Env): Target {
  const result = parseConfig(env);
  if (!result.ok) throw new Error(formatProblems(result.problems));
  return result.config.targets[0] ?? expect.unreachable();
}

describe('redis', () => {
  it.each([
    ['redis://H', 'redis://h:6379', 'redis://h:6379'],
    ['rediss://default:p%40@h:1/2', 'rediss://default:p%40@h:1/2', 'rediss://h:1/2'],
    ['redis://:50%@[::1]/?family=0', 'redis://:50%25@[::1]:6379?family=0', 'redis://[::1]:6379'],
  ])('reads %s', (text, url, healthUrl) => {
    expect(target({ TARGET_A_URL: text })).toMatchObject({ url, info: { healthUrl }, query: null });
  });

  it.each([
    ['redis://h/name', 'expected a number after the slash: a database of Redis has no name'],
    ['redis://u:%e9@h', 'expected user name and password in UTF-8 where they are percent-encoded'],
    [
      'redis://h?db=2',
      'expected redis://user:password@host:port/database, and none of it after a question mark',
    ],
    [
      'redis://default:p@eu1-x-1.upstash.io:6379',
      'expected rediss://, since Upstash accepts connections with TLS only',
    ],
  ])('refuses %s', (text, message) => {
    expect(problems({ TARGET_A_URL: text })).toEqual([`TARGET_A_URL: ${message}`]);
  });

  it('has the options that have an effect', () => {
    const plain = { TARGET_A_URL: 'redis://h', TARGET_A_QUERY: 'GET x', TARGET_A_EXPECT_BODY: 'y' };
    expect(target(plain)).toMatchObject({ query: 'GET x' });
    expect(problems({ ...plain, TARGET_A_TLS_VERIFY: 'false', TARGET_A_METHOD: 'POST' })).toHaveLength(2);
    expect(problems({ ...plain, TARGET_A_URL: 'rediss://h', TARGET_A_TLS_VERIFY: 'false' })).toEqual([]);
    const one = /QUERY: expected one Redis command/;
    expect(problems({ ...plain, TARGET_A_QUERY: 'GET "x' })).toEqual([expect.stringMatching(one)]);
    expect(problems({ TARGET_A_URL: 'redis://h', KEEP_ALIVE_QUERY: 'GET "x' })).toEqual([
      expect.stringMatching(/^KEEP_ALIVE_QUERY: /),
    ]);
    expect(problems({ TARGET_A_URL: 'http://h', KEEP_ALIVE_QUERY: 'GET "x' })).toEqual([]);
  });
});
