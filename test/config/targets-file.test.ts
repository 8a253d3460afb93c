import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { formatProblems, parseConfig, textsOf, type Config } from '../../lib/config/config.js';
import { placeInWords } from '../../lib/config/problems.js';
import { loadTargets } from '../../lib/config/targets-source.js';
import { MAX_TARGETS_FILE } from '../../lib/config/targets-bytes.js';
import { readTargets } from '../../lib/config/targets-text.js';
import { validConfig } from '../../lib/config/valid.js';
import { growth, LINEAR } from '../support/growth.js';
import { yamlOf } from '../support/yaml.js';

type Env = Readonly<Record<string, string>>;

const read = (text: string, env: Env = {}) =>
  readTargets('targets.yaml', yamlOf(text), { texts: textsOf(env) });
const parse = (text: string, env: Env = {}) => parseConfig(env, read(text, env));
const problemsOf = (text: string, env: Env = {}): string[] => {
  const result = parse(text, env);
  return result.ok ? [] : formatProblems(result.problems).split('\n');
};
const configOf = (text: string, env: Env = {}): Config => {
  const result = parse(text, env);
  if (!result.ok) throw new Error(formatProblems(result.problems));
  return result.config;
};

describe('a targets file', () => {
  it('sets what variables set, in camelCase', () => {
    const text = `
# yaml-language-server: $schema=./public/targets.schema.json
defaults:
  interval: 2m
  retries: 0
targets:
  - id: my-api
    url: https://user:pass@api.test/health
    name: 'My API'
    headers: { X-Key: "k-\${KEY}", x-number: 7 }
    expectStatus: [200, 301-303]
    maintenance: [Sun 02:00-03:00 UTC, 2026-12-01T02:00Z/2h]
    alerts: [slack, ntfy]
    tlsVerify: false
    maxBody: 64kb
    expectJson: |
      status = "ok"
  - id: db
    url: tcp://db.test:5432
    interval: 30s
    activeHours: ~
`;
    const env = { KEY: 's3', ALERT_SLACK_URL: 'https://slack.test/x', ALERT_NTFY_URL: 'https://ntfy.test/t' };
    const variables = {
      KEEP_ALIVE_INTERVAL: '2m',
      KEEP_ALIVE_RETRIES: '0',
      TARGET_MY_API_URL: 'https://user:pass@api.test/health',
      TARGET_MY_API_NAME: 'My API',
      TARGET_MY_API_HEADERS: '{"X-Key":"k-s3","x-number":"7"}',
      TARGET_MY_API_EXPECT_STATUS: '200,301-303',
      TARGET_MY_API_MAINTENANCE: 'Sun 02:00-03:00 UTC;2026-12-01T02:00Z/2h',
      TARGET_MY_API_ALERTS: 'slack,ntfy',
      TARGET_MY_API_TLS_VERIFY: 'false',
      TARGET_MY_API_MAX_BODY: '64kb',
      TARGET_MY_API_EXPECT_JSON: 'status = "ok"',
      TARGET_DB_URL: 'tcp://db.test:5432',
      TARGET_DB_INTERVAL: '30s',
    };
    const expected = parseConfig({ ...env, ...variables });
    expect(expected.ok && expected.config.targets).toHaveLength(2);
    expect(parse(text, env)).toEqual(expected);
  });

  it('is YAML or JSON alike', () => {
    const json = JSON.stringify({
      $schema: 'https://status.test/targets.schema.json',
      targets: [{ id: 'a', url: 'https://a.test', retries: 1, tlsVerify: true, headers: { a: 'b' } }],
    });
    expect(configOf(json).targets[0]).toMatchObject({ retries: 1, request: { headers: { a: 'b' } } });
  });

  it('gives way to variables, like for like', () => {
    const text = `
defaults: { interval: 3m, timeout: 3s, retries: 3 }
targets:
  - { id: my-api, url: "https://a.test", interval: 4m, timeout: 4s }
  - { id: b, url: "https://b.test" }
`;
    const env = {
      KEEP_ALIVE_INTERVAL: '1m',
      KEEP_ALIVE_TIMEOUT: '1s',
      TARGET_MY_API_TIMEOUT: '2s',
      TARGET_MY_API_URL: 'https://other.test',
      TARGET_C_URL: 'https://c.test',
    };
    const facts = configOf(text, env).targets.map(({ info, timeout, retries }) => [
      ...[info.id, info.healthUrl, info.interval, timeout, retries],
    ]);
    expect(facts).toEqual([
      ['b', 'https://b.test/', 60_000, 1_000, 3],
      ['c', 'https://c.test/', 60_000, 1_000, 3],
      // Its own interval wins over what a variable says for all.
      ['my-api', 'https://other.test/', 240_000, 2_000, 3],
    ]);
  });

  it('pauses by default what it does not enable, and a variable pauses everything', () => {
    const text =
      'defaults: {enabled: false}\ntargets: [{id: a, url: "http://a.test", enabled: true}, {id: b, url: "http://b.test"}]';
    const enabled = (env: Env) => configOf(text, env).targets.map(({ info }) => info.enabled);
    expect(enabled({})).toEqual([true, false]);
    expect(configOf(text).enabled).toBe(true);
    expect(enabled({ KEEP_ALIVE_ENABLED: 'false' })).toEqual([false, false]);
    expect(enabled({ KEEP_ALIVE_ENABLED: 'true' })).toEqual([true, true]);
  });

  it('need not have an address that a variable has', () => {
    expect(
      configOf('targets: [{id: a, retries: 0}]', { TARGET_A_URL: 'http://a.test' }).targets,
    ).toHaveLength(1);
    expect(problemsOf('targets: [{id: a, retries: 0}]')).toEqual([
      'targets.yaml:1:16: url: missing, the target needs an address',
    ]);
  });

  it('names every mistake with its line, its column and the nearest known option', () => {
    const text = `defaults:
  url: http://a.test
  intervall: 1m
target: []
targets:
  - id: api
    url: http://a.test
    timout: 3s
    EXPECT_STATUS: 200
    interval: 5
    method: GET
    body: x
  - id: db
    url: dns://d.test
    method: GET
  - id: api
    url: http://b.test
  - Id: c
  - id: No_Such
    url: http://c.test
  - id: d
    url: sftp://d.test
    headers: [a]
    retries: { a: 1 }
    alerts: [slack]
    recoveryMethod: GET
    retries: 1
    <<: x
  - nothing
`;
    expect(problemsOf(text)).toEqual([
      'targets.yaml:2:3: url: belongs to a target, not to defaults',
      'targets.yaml:3:3: unknown option intervall, did you mean interval?',
      'targets.yaml:4:1: unknown name target, did you mean targets?',
      'targets.yaml:8:5: unknown option timout, did you mean timeout?',
      'targets.yaml:9:5: unknown option EXPECT_STATUS, did you mean expectStatus?',
      'targets.yaml:10:15: interval: expected a duration such as 30s, 10m or 2h, from 10s to 7d',
      'targets.yaml:12:11: body: needs a method other than GET and HEAD, such as POST',
      'targets.yaml:14:10: url: dns:// needs a query: expected a record type (A, AAAA, CAA, CNAME, MX, NAPTR, NS, PTR, SOA, SRV, TXT) and a name, such as A example.com',
      'targets.yaml:15:13: method: has no effect on this kind of target (http:// and https:// have it)',
      'targets.yaml:16:9: id: the same id as the target at targets.yaml:6:9, rename one of them',
      'targets.yaml:18:5: id: missing, every target needs one',
      'targets.yaml:18:5: unknown option Id, did you mean id?',
      'targets.yaml:19:9: id: expected lower case letters, digits and - between them, 64 characters at most',
      expect.stringMatching(/^targets\.yaml:22:10: url: expected an address: /),
      'targets.yaml:23:14: headers: expected a map of names and texts',
      'targets.yaml:24:14: retries: expected a whole number from 0 to 10',
      'targets.yaml:27:5: retries: given twice, first on line 24',
      'targets.yaml:28:5: <<: is not supported, put what targets share into defaults',
      'targets.yaml:29:5: expected a map with id and url',
    ]);
  });

  it.each([
    ['targets:\n  - id: a\n   url: b', 'targets.yaml:3:1: '],
    ['targets:\n\t- id: a', 'targets.yaml:2:1: '],
    ['targets: [\n', 'targets.yaml:2:1: '],
    ['targets: [{id: "a}]', 'targets.yaml:1:20: '],
    ['targets: []\n---\ntargets: []', 'targets.yaml:2:1: '],
    ['targets: *nothing', 'targets.yaml:1:10: '],
    ['', 'targets.yaml:1:1: '],
    ['- id: a', 'targets.yaml:1:1: '],
    ['targets: 7', 'targets.yaml:1:10: '],
    ['defaults: {}', 'targets.yaml:1:1: '],
    ['[['.repeat(50_000), 'targets.yaml:1:'],
    ['targets: !!pairs [a: b]', 'targets.yaml:1:19: '],
  ])('that cannot be read says where: %j', (text, beginning) => {
    const [first = ''] = problemsOf(text);
    expect(first.startsWith(beginning) && first.length > beginning.length, first).toBe(true);
  });

  it('names each mistake in the syntax with its own line, also behind others', () => {
    const lines = read('a\n: a\n l:\n').problems.map((problem) => placeInWords(problem));
    expect(lines).toEqual(['targets.yaml:2:1', 'targets.yaml:3:3']);
  });

  it('names both places of an id that KEEP_ALIVE_URLS has too', () => {
    const text = 'targets:\n  - id: a-test\n    url: http://a.test';
    expect(problemsOf(text, { KEEP_ALIVE_URLS: 'http://b.test http://a.test/x' })).toEqual([
      'KEEP_ALIVE_URLS: entry 2 has the same id as the target at targets.yaml:2:9: remove one of them',
    ]);
  });

  it('takes variables, names those that are not set, and shows no value', () => {
    const text = `targets:
  - id: a
    url: https://u:\${PASSWORD}@a.test
    method: post
    body: "$\${NOT_ONE} \${ONE} \${A:-b} $5 \${"
    headers: { a: "\${TWO}" }
    expectStatus: "\${SECRET}"
`;
    const env = { PASSWORD: 'p', ONE: '1', SECRET: 'canary' };
    const problems = problemsOf(text, env);
    expect(problems).toEqual([
      'targets.yaml:5:11: body: of ${…}, only ${NAME} is understood ($${ stands for ${)',
      'targets.yaml:6:19: headers: the variable TWO is not set ($${ stands for ${)',
      'targets.yaml:7:19: expectStatus: expected status codes and ranges such as 200-299,301',
    ]);
    const fine = text.replace(' ${A:-b}', '').replace('${SECRET}', '200');
    expect(configOf(fine, { ...env, TWO: '2' }).targets[0]).toMatchObject({
      request: { body: '${NOT_ONE} 1 $5 ${', headers: { a: '2', Authorization: 'Basic dTpw' } },
    });
  });

  it.each([
    [
      'a text that begins with *',
      'expectBody: *ok',
      'targets.yaml:4:17: a text that begins with * needs quotes',
    ],
    [
      'a variable in braces',
      'headers: {Authorization: Bearer ${TOKEN}}',
      'targets.yaml:4:38: this does not belong here: a text with { } [ ]',
    ],
  ])('says once what to do with %s', (_, line, start) => {
    const problems = problemsOf(`targets:\n  - id: a\n    url: http://a.test\n    ${line}\n`, { TOKEN: 't' });
    expect(problems.map((each) => each.slice(0, start.length))).toEqual([start]);
  });

  it('may repeat itself by aliases, as long as little does not become much', () => {
    const text = `targets:
  - { id: a, url: "http://a.test", headers: &shared { x: y } }
  - { id: b, url: "http://b.test", headers: *shared, interval: &i 1m }
  - { id: c, url: "http://c.test", interval: *i }
`;
    expect(configOf(text).targets.map(({ info }) => info.interval)).toEqual([300_000, 60_000, 60_000]);
    const levels = Array.from(
      { length: 40 },
      (_, i) => `  l${i}: &l${i} [${`*l${i - 1},`.repeat(9)} x]`,
    ).join('\n');
    const bomb = `defaults:\n  alerts: &l-1 [slack]\n${levels}\ntargets: [{id: a, url: "http://a.test", alerts: *l39}]`;
    expect(problemsOf(bomb).at(-1)).toMatch(/:\d+: this alias stands for too much/);
    const big = `defaults: { body: &big "${'x'.repeat(1_000_000)}" }\ntargets:\n${'  - { id: a, body: *big }\n'.repeat(1_000)}`;
    expect(problemsOf(big).some((line) => line.includes('stands for too much'))).toBe(true);
  });

  it('may use the names of Object.prototype as ids, and knows them as no options', () => {
    const names = ['constructor', 'valueof', 'hasownproperty'];
    const text = `targets:\n${names.map((name) => `  - {id: ${name}, url: "http://a.test", headers: {__proto__: x, constructor: y}}\n`).join('')}`;
    const { targets } = configOf(text);
    expect(targets.map(({ info }) => info.id)).toEqual([...names].sort());
    expect(targets.map((target) => 'request' in target && Object.keys(target.request.headers))).toEqual(
      names.map(() => ['__proto__', 'constructor']),
    );
    const wrong =
      'constructor: 1\n__proto__: 2\ntargets: [{id: a, url: "http://a.test", __proto__: {}, toString: x}]';
    expect(problemsOf(wrong).map((line) => line.replace(/^.*?: /, ''))).toEqual([
      'unknown name constructor',
      'unknown name __proto__',
      'unknown option __proto__',
      'unknown option toString',
    ]);
  });

  const shapes = [
    ...[
      '- a\n',
      '{',
      'a: ',
      '"',
      '? a\n',
      '&a b\n',
      '- *a\n',
      '\t',
      '#',
      '${A}',
      'x: &a [*a]\n',
      '|\n',
      '\n',
      '  ',
    ],
    ...['- id: a\n  url: b\n', '- {id: a, url: b},', '- id: &a b\n', 'a\n\n', "''", '[*a],', '!a ', '--- '],
  ];
  // `npm test` has a third of them.
  it.each(shapes.filter((_, index) => inject('long') || index % 3 === 0))(
    'is read in time that grows with its length alone: %j',
    (shape) => {
      const prefixes = ['', 'targets:\n', 'targets: [', 'defaults: { body: "', 'a: &a b\ntargets:\n'];
      // In `npm test` each shape has one of them.
      for (const prefix of inject('long') ? prefixes : [prefixes[shape.length % prefixes.length] ?? '']) {
        const prepare = (size: number) => {
          const text = prefix + shape.repeat(size / shape.length);
          return () => parse(text);
        };
        expect([prefix, growth(prepare, 1_000) < LINEAR]).toEqual([prefix, true]);
      }
    },
  );

  it('never throws, and names a place in the file for each problem', () => {
    const piece = fc.constantFrom(
      ...[
        'targets:',
        'defaults:',
        '- id: a',
        'url: http://a.test',
        '\n',
        '  ',
        '- ',
        '{',
        '}',
        '[',
        ']',
        '&a',
        '*a',
      ],
      ...[
        '"',
        "'",
        '|',
        '>',
        '${A}',
        '$${',
        'null',
        '~',
        '!x',
        '---',
        'headers:',
        ': ',
        ',',
        'retries: 1',
        '%',
        '\u2028',
      ],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const { problems } = read(pieces.join(''));
        for (const problem of problems) expect(placeInWords(problem)).toMatch(/^targets\.yaml:\d+:\d+$/);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the targets file of the working directory', () => {
  afterEach(() => {
    for (const name of ['targets.yaml', 'targets.yml', 'targets.json', 'dist', 'sub', 'big.yaml']) {
      rmSync(name, { recursive: true, force: true });
    }
  });
  const FILE = 'targets: [{id: a, url: "http://a.test"}]';
  const load = async (env: Env = {}): Promise<string> => {
    const file = await loadTargets(env);
    const result = parseConfig(env, file);
    return result.ok
      ? result.config.targets.map(({ info }) => info.id).join()
      : formatProblems(result.problems);
  };

  it.each(['targets.yaml', 'targets.yml', 'targets.json'])('is found as %s', async (name) => {
    expect(await load()).toBe('');
    writeFileSync(name, FILE.replaceAll('id', '"id"').replaceAll('url', '"url"').replaceAll(' a,', ' "a",'));
    expect(await load()).toBe('a');
  });

  it('is one: of several, one has to be named', async () => {
    writeFileSync('targets.yaml', FILE);
    writeFileSync('targets.json', '{"targets":[]}');
    expect(await load()).toMatch(/^KEEP_ALIVE_TARGETS: targets\.yaml and targets\.json are both there/);
    expect(await load({ KEEP_ALIVE_TARGETS: 'targets.yaml' })).toBe('a');
  });

  it('may have any name, and is found where the build of a deployment has put it', async () => {
    mkdirSync('sub');
    writeFileSync('sub/monitors.yml', FILE);
    expect(await load({ KEEP_ALIVE_TARGETS: 'sub/monitors.yml' })).toBe('a');
    mkdirSync('dist/targets/sub', { recursive: true });
    writeFileSync('dist/targets/sub/other.yml', FILE);
    expect(await load({ KEEP_ALIVE_TARGETS: 'sub/other.yml' })).toBe('a');
    writeFileSync('dist/targets/targets.yaml', FILE);
    expect(await load()).toBe('a');
  });

  it.each([
    ['none.yaml', 'names a file that is not there'],
    ['sub.yaml', 'the targets file cannot be read: EISDIR'],
    ['binary.yaml', 'the targets file is not UTF-8 text'],
    ['big.yaml', 'the targets file is larger than 8 MB'],
    ['targets.toml', 'expected the path of a file that ends in .yaml, .yml or .json, or an https:// address'],
    [
      'http://a.test/t.yaml',
      'expected the path of a file that ends in .yaml, .yml or .json, or an https:// address',
    ],
  ])('%s: %s', async (name, message) => {
    mkdirSync('sub.yaml', { recursive: true });
    writeFileSync('binary.yaml', Buffer.from([0xff, 0xfe, 0x41]));
    writeFileSync('big.yaml', Buffer.alloc(MAX_TARGETS_FILE + 1, 32));
    expect(await load({ KEEP_ALIVE_TARGETS: name })).toBe(`KEEP_ALIVE_TARGETS: ${message}`);
  });

  it('has its expressions checked, and counts as a target of a production build', async () => {
    writeFileSync('targets.yaml', 'targets:\n  - id: a\n    url: http://a.test\n    expectJson: "a ="');
    await expect(validConfig({})).rejects.toThrow(
      /targets\.yaml:4:17: expectJson: expected a JSONata expression/,
    );
    writeFileSync('targets.yaml', FILE);
    await expect(validConfig({}, { isProductionBuild: true })).rejects.toThrow(
      /^(?![^]*TARGET_<ID>)[^]*CRON_SECRET/,
    );
  });
});
