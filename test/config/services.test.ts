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

describe('mongodb', () => {
  it.each([
    ['mongodb://H', 'mongodb://h:27017', 'mongodb://h:27017', []],
    [
      'mongodb://u:50%@A:1,b,[::1]:3/app?authSource=admin&appName=x@y',
      'mongodb://u:50%25@a:1/app?authSource=admin&appName=x@y',
      'mongodb://a:1,b:27017,[::1]:3/app',
      ['b:27017', '[::1]:3'],
    ],
  ])('reads %s', (text, url, healthUrl, moreHosts) => {
    expect(target({ TARGET_A_URL: text })).toMatchObject({ url, info: { healthUrl }, moreHosts });
  });

  it('reads what Atlas prints', () => {
    const text = 'mongodb+srv://u:p%2F@c0.abc.mongodb.net/?retryWrites=true&w=majority&appName=C0';
    expect(target({ TARGET_A_URL: text })).toMatchObject({
      url: 'mongodb+srv://u:p%2F@c0.abc.mongodb.net?retryWrites=true&w=majority&appName=C0',
      info: { healthUrl: 'mongodb+srv://c0.abc.mongodb.net' },
    });
  });

  const name = 'expected one name without a port behind mongodb+srv://: its SRV records have the rest';
  it.each([
    ['mongodb+srv://h.org:27017/', name],
    ['mongodb+srv://a.org,b.org/', name],
    ['mongodb://a,b:99999/', 'expected a port from 1 to 65535 after the colon'],
    ['mongodb://a:0/', 'expected a port from 1 to 65535 after the colon'],
    ['mongodb://u:pa/ss@h/', expect.stringContaining('percent-encode it')],
    ['mongodb://u:pa/ss@a:1,b:2/', expect.stringContaining('percent-encode it')],
    ['mongodb://u:%e9@h', 'expected user name and password in UTF-8 where they are percent-encoded'],
    [
      'mongodb://u:p@h/?authMechanism=MONGODB-X509',
      'expected SCRAM-SHA-256 or SCRAM-SHA-1 as authMechanism: no other login is spoken',
    ],
    ['mongodb://a,,b/', 'expected a host before and behind each comma, each with its port or without'],
    ['mongodb://', 'expected a host behind mongodb://'],
    [
      'mongodb://u:p@ss@h/db',
      'expected user name and password percent-encoded (@ as %40, : as %3A, / as %2F)',
    ],
  ])('refuses %s', (text, message: unknown) => {
    const found = problems({ TARGET_A_URL: text }).map((line) => line.replace('TARGET_A_URL: ', ''));
    expect(found).toEqual([message]);
  });

  it.each(['db.users.find()', '[]', '{}', '1', 'null', ''])('refuses QUERY %s', (query) => {
    const env = { TARGET_A_URL: 'mongodb://h', TARGET_A_QUERY: query };
    const expected =
      'TARGET_A_QUERY: expected one database command as JSON, such as {"find":"users","limit":1}';
    expect(problems(env)).toEqual(query === '' ? [] : [expected]);
  });
});

describe('an address that is none', () => {
  const CANARY = 's3cr3t';
  const host = 'a name of letters, digits, dots and hyphens, or an IP address';
  it.each([
    [
      `dns://1.2.3.4/${CANARY}.org`,
      'expected an address without a path: dns:// takes none; the name to ask for belongs in QUERY',
    ],
    [`tcp://h:1/${CANARY}`, 'expected an address without a path: tcp:// takes none'],
    [`tcp://u:${CANARY}@h:1`, 'expected an address without user name and password: tcp:// takes none'],
    [`smtp://h:25/${CANARY}`, 'expected an address without a path: smtp:// takes none'],
    [`tls://h:1?${CANARY}`, 'expected an address without a question mark: tls:// takes no query string'],
    [`grpc://${CANARY}`, 'expected a port behind the host, as in grpc://host:port'],
    [`tcp://${CANARY}`, 'expected a port behind the host, as in tcp://host:port'],
    ['http://', 'expected a host behind http://'],
    ['redis://:6379', 'expected a host behind redis://'],
    [`redis://${CANARY}$/0`, `expected a host behind redis://: ${host}`],
    [`https://${CANARY}<x>/`, `expected a host behind https://: ${host}`],
    [`postgresql://u@a,${CANARY}/d`, 'expected one host: postgres:// takes no list of them'],
    [`mysql://u@h/d#${CANARY}`, 'expected an address without #: in a user name or password it is %23'],
    [`postgers://u:${CANARY}@h/d`, 'this kind of address is not known: did you mean postgres://?'],
    [`reds://${CANARY}`, 'this kind of address is not known: did you mean redis://?'],
    [`mariadb://u:${CANARY}@h/d`, 'this kind of address is not known: did you mean mysql://?'],
    [`${CANARY}.onrender.com`, 'expected https:// (or http://) before the host name'],
    [`localhost:8080/${CANARY}`, 'expected https:// (or http://) before the host name'],
    [`htps://${CANARY}`, 'this kind of address is not known: did you mean https://?'],
  ])('%s: what is wrong is named, and the value not shown', (url, message) => {
    expect(problems({ TARGET_A_URL: url })).toEqual([`TARGET_A_URL: ${message}`]);
  });

  it.each(['ftp', 'sftp', 'mssql', 'ssh', 'udp', 'x'.repeat(10_000)])(
    '%s:// is near to nothing',
    (scheme) => {
      expect(problems({ TARGET_A_URL: `${scheme}://h` })).toEqual([
        expect.stringMatching(/^TARGET_A_URL: expected an address: http/),
      ]);
    },
  );

  it('has its place in a list', () => {
    expect(problems({ KEEP_ALIVE_URLS: 'http://h, tcp://h' })).toEqual([
      'KEEP_ALIVE_URLS: entry 2: expected a port behind the host, as in tcp://host:port',
    ]);
  });
});
