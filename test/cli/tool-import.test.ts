import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import jsonata from 'jsonata';
import { describe, expect, inject, it } from 'vitest';
import { TOOLS, type ToolName } from '../../lib/cli/commands.js';
import { convert, importTool, problemsIn, shareOf } from '../../lib/cli/tool-import.js';
import { constantOf, Expression } from '../../lib/cli/tools/literal-reader.js';
import { ToolError } from '../../lib/cli/tools/tool.js';
import { parseConfig } from '../../lib/config/config.js';
import { readTargets } from '../../lib/config/targets-text.js';
import { OperatorError } from '../../lib/operator-error.js';
import type { Target } from '../../lib/types.js';
import { ROOT } from '../support/root.js';
import { TOOL_EXAMPLES } from '../support/tool-examples.js';
import { yamlOf } from '../support/yaml.js';

/** Configurations in the form of each tool, written for these tests. */
const FIXTURES: Readonly<Record<ToolName, string>> = {
  gatus: `
alerting: { slack: { webhook-url: https://canary.test }, zulip: {} }
web: { port: 8080 }
x-shared: &shared { client: { timeout: 3s, insecure: true, ignore-redirect: true } }
endpoints:
  - <<: *shared
    name: Front page
    group: core
    url: https://www.test/
    interval: 90s
    method: POST
    body: a $$\{b}
    headers: { Authorization: Bearer canary, X-A: b }
    conditions:
      - "[STATUS] == any(200, 204)"
      - "[RESPONSE_TIME] < 300"
      - "[BODY].status == UP"
      - "len([BODY].list) > 2"
      - "[CERTIFICATE_EXPIRATION] > 48h"
      - "[IP] == 1.1.1.1"
    alerts: [{ type: slack, failure-threshold: 4, success-threshold: 1 }]
  - name: resolver
    url: 9.9.9.9
    dns: { query-name: a.test, query-type: A }
    conditions: ["[DNS_RCODE] == NOERROR", "[BODY] == 1.2.3.4"]
  - { name: db, url: "tcp://db.test:5432", conditions: ["[CONNECTED] == true"] }
`,
  upptime: `
owner: me
sites:
  - name: Shop
    url: https://shop.test
    method: POST
    headers: ["Authorization: Bearer $SHOP_TOKEN", "X-A: b"]
    expectedStatusCodes: [200, 201]
    maxResponseTime: 5000
    __dangerous__body_down_if_text_missing: fine
  - { name: Port, check: tcp-ping, url: db.test, port: 5432 }
status-website: { name: x }
`,
  'uptime-kuma': JSON.stringify({
    version: '1.23',
    notificationList: [{ name: 'n', config: '{"type":"telegram","token":"canary"}' }],
    monitorList: [
      { id: 1, type: 'group', name: 'Core' },
      {
        ...{
          id: 2,
          parent: 1,
          type: 'keyword',
          name: 'Web',
          url: 'https://web.test',
          keyword: '/up/',
          method: 'POST',
        },
        ...{
          headers: '{"Cookie":"canary","X-A":"b"}',
          body: '{"a":1}',
          accepted_statuscodes: ['200-299', '301'],
          active: 0,
        },
        ...{
          interval: 60,
          timeout: 48,
          maxretries: 2,
          maxredirects: 0,
          ignoreTls: true,
          authMethod: 'basic',
        },
        ...{
          basic_auth_user: 'canary',
          basic_auth_pass: 'canary',
          upsideDown: false,
          expiryNotification: false,
        },
      },
      { id: 3, type: 'port', name: 'DB', hostname: 'db.test', port: 5432, interval: 5 },
      { id: 4, type: 'postgres', name: 'PG', databaseConnectionString: 'postgres://u:canary@pg.test/d' },
      {
        id: 5,
        type: 'dns',
        name: 'Names',
        hostname: 'a.test',
        dns_resolve_server: '1.1.1.1',
        dns_resolve_type: 'MX',
      },
      { id: 6, type: 'ping', name: 'Ping', hostname: 'p.test' },
    ],
  }),
  uptimerobot: JSON.stringify({
    stat: 'ok',
    monitors: [
      {
        ...{
          id: 1,
          friendly_name: 'Web',
          url: 'https://web.test',
          type: 2,
          keyword_type: 2,
          keyword_value: 'fine',
        },
        ...{
          http_username: 'canary',
          http_password: 'canary',
          interval: 300,
          timeout: 30,
          status: 0,
          http_method: 2,
        },
        custom_http_headers: { 'X-Api-Key': 'canary' },
      },
      {
        id: 2,
        friendly_name: 'Mail',
        url: 'mail.test',
        type: 4,
        sub_type: 99,
        port: 465,
        interval: 60,
        status: 2,
      },
      { id: 3, friendly_name: 'Ping', url: 'p.test', type: 3, interval: 60, status: 2 },
    ],
  }),
  uptimeflare: `
import type { WorkerConfig } from './types'
const pageConfig: PageConfig = { title: "x", group: { 'Core': ['api'] } }
const workerConfig: WorkerConfig = {
  // a comment, with { brackets
  monitors: [
    {
      id: 'api', name: "It's \\"up\\"", method: 'POST', target: 'https://api.test/a,b', timeout: 10_000,
      expectedCodes: [200, 204], headers: { Authorization: 'canary', 'X-A': \`b\` }, body: JSON.stringify({ a: [1] }),
      responseKeyword: 'fine', tooltip: 'x',
    },
    { id: 'ssh', method: 'TCP_PING', target: '1.2.3.4:22' },
  ],
  notification: { appriseApiServer: 'https://canary.test', gracePeriod: 5 },
  callbacks: { onStatusChange: async (env: any) => { if (env) { return '}' } } },
}
export { pageConfig, workerConfig }
`,
  blackbox: `
modules:
  post:
    prober: http
    timeout: 5s
    http:
      method: POST
      headers: { Authorization: canary }
      body: "{}"
      valid_status_codes: [200]
      fail_if_body_not_matches_regexp: ["fine"]
      basic_auth: { username: canary, password: canary }
      tls_config: { insecure_skip_verify: true, ca_file: x }
  mail: { prober: tcp, tcp: { tls: true, query_response: [] } }
  ping: { prober: icmp }
  names: { prober: dns, dns: { query_name: a.test, query_type: SOA } }
scrape_configs:
  - { job_name: web, scrape_interval: 30s, params: { module: [post] }, static_configs: [{ targets: [https://a.test, b.test] }] }
  - { job_name: mail, params: { module: [mail] }, static_configs: [{ targets: ["m.test:465"] }] }
  - { job_name: names, params: { module: [names] }, static_configs: [{ targets: ["9.9.9.9"] }] }
  - { job_name: ping, params: { module: [ping] }, static_configs: [{ targets: [p.test] }] }
`,
  'cronjob.org': JSON.stringify({
    jobs: [
      {
        ...{
          jobId: 1,
          enabled: true,
          title: 'Web',
          url: 'https://web.test',
          requestTimeout: 30,
          requestMethod: 1,
        },
        schedule: {
          timezone: 'UTC',
          minutes: [0, 15, 30, 45],
          hours: [-1],
          mdays: [-1],
          months: [-1],
          wdays: [-1],
        },
        ...{
          extendedData: { headers: { 'X-Token': 'canary' }, body: '{}' },
          auth: { enable: true, user: 'canary' },
        },
      },
      { jobId: 2, enabled: false, url: 'https://b.test', schedule: { minutes: [7], hours: [3], wdays: [1] } },
    ],
  }),
};

/** Every target that a file of ours makes of a fixture, by id. Secrets stand for their names. */
const targetsOf = (tool: ToolName): ReadonlyMap<string, Target> => {
  const file = readTargets('t', yamlOf(convert(tool, FIXTURES[tool]).text), {
    texts: new Map(),
    mayLackVariables: true,
  });
  const result = parseConfig({}, file, { mayLackChannels: true });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return new Map(result.config.targets.map((target) => [target.info.id, target]));
};

describe('the configuration of another tool', () => {
  it.each(TOOLS)('of %s becomes a valid file without its secrets', (tool) => {
    const { text, imported } = convert(tool, FIXTURES[tool]);
    expect(targetsOf(tool).size).toBe(imported.targets.length);
    expect(text).not.toContain('canary');
    expect(JSON.stringify([imported.left, [...imported.variables]])).not.toContain('canary');
    const lost = imported.left.reduce((sum, { count }) => sum + count, 0);
    expect(shareOf(imported)).toEqual({ found: imported.carried + lost, carried: imported.carried });
    expect(problemsIn('t', text, imported)).toEqual([]);
  });

  it('keeps what Gatus asks for', () => {
    const targets = targetsOf('gatus');
    expect(targets.get('front-page')).toMatchObject({
      info: { name: 'Front page', group: 'core', interval: 90_000 },
      request: {
        method: 'POST',
        body: 'a ${b}',
        headers: { Authorization: 'FRONT_PAGE_AUTHORIZATION', 'X-A': 'b' },
      },
      ...{ timeout: 3_000, tlsVerify: false, maxRedirects: 0, failureThreshold: 4, successThreshold: 1 },
      assertions: {
        expectStatus: [{ from: 200 }, { from: 204 }],
        expectJson:
          'status = "UP" and ($type(list) = "array" ? $count(list) : $type(list) = "object" ? $count($keys(list)) : $length($string(list))) > 2 and $ip = "1.1.1.1"',
        degradedAfter: 300,
        tlsExpiry: 48 * 3_600_000,
      },
    });
    expect(targets.get('resolver')).toMatchObject({ protocol: 'dns:', query: 'A a.test' });
    const left = convert('gatus', FIXTURES.gatus).imported.left.map(({ what }) => what);
    expect(left).toEqual(['alerting.zulip']);
    expect(convert('gatus', FIXTURES.gatus).imported.settings).toEqual(new Map([['PORT', '8080']]));
  });

  it('keeps what the others ask for', () => {
    expect(targetsOf('upptime').get('shop')).toMatchObject({
      request: { method: 'POST', headers: { Authorization: 'Bearer SHOP_TOKEN' } },
      assertions: { degradedAfter: 5_000, expectBody: { kind: 'text', text: 'fine' } },
    });
    expect(targetsOf('upptime').get('port')?.url).toBe('tcp://db.test:5432');
    expect(targetsOf('uptime-kuma').get('web')).toMatchObject({
      info: { group: 'Core', enabled: false, interval: 60_000 },
      ...{ timeout: 48_000, failureThreshold: 3, maxRedirects: 0, tlsVerify: false },
      assertions: { expectBody: { kind: 'regex', source: String.raw`\/up\/` }, tlsExpiry: 0 },
    });
    expect(targetsOf('uptime-kuma').get('names')).toMatchObject({ query: 'MX a.test' });
    expect(targetsOf('uptimerobot').get('web')).toMatchObject({
      info: { enabled: false, interval: 300_000 },
      assertions: { expectBody: { text: 'fine' } },
    });
    expect(targetsOf('uptimerobot').get('mail')?.url).toBe('tcp://mail.test:465');
    expect(targetsOf('uptimeflare').get('api')).toMatchObject({
      info: { name: 'It\'s "up"', group: 'Core', healthUrl: 'https://api.test/a,b' },
      assertions: { expectStatus: [{ from: 200 }, { from: 204 }], expectBody: { text: 'fine' } },
    });
    expect(targetsOf('uptimeflare').get('ssh')?.url).toBe('tcp://1.2.3.4:22');
    expect(targetsOf('blackbox').get('b-test')).toMatchObject({
      info: { group: 'web', interval: 30_000, healthUrl: 'http://b.test/' },
      assertions: { expectBody: { kind: 'regex', source: 'fine' } },
    });
    expect(targetsOf('blackbox').get('m-test-465')?.protocol).toBe('tls:');
    expect(targetsOf('cronjob.org').get('web')).toMatchObject({
      info: { interval: 900_000 },
      timeout: 30_000,
    });
  });

  it('has its variables where its targets refer to them, and no others', () => {
    const gatus = convert(
      'gatus',
      `
endpoints:
  - { name: a, url: "https://\${HOST}:$PORT/x?api_key=canary&id=1", method: POST, body: "$$1 $WORD", conditions: ["[BODY].a == \${WANTED}"] }
  - { name: b, url: "\${ADDRESS}", headers: { Authorization: "Bearer $TOKEN" }, conditions: ["[STATUS] == 200"] }
  - { name: c, url: "icmp://$LEFT", conditions: ["[CONNECTED] == true"] }`,
    );
    expect([...gatus.imported.variables]).toEqual([
      ['HOST', 'a part of the address of a'],
      ['_PORT', 'a part of the address of a'],
      ['A_API_KEY', 'the parameter api_key, percent-encoded, in the address of a'],
      ['WORD', 'a part of body of a'],
      ['WANTED', 'a part of expectJson of a'],
      ['ADDRESS', 'the address of b'],
      ['TOKEN', 'a part of headers of b'],
    ]);
    expect(gatus.text).toContain('"https://${HOST}:${_PORT}/x?api_key=${A_API_KEY}&id=1"');
    expect(gatus.text).toContain('"$1 ${WORD}"');
    expect(gatus.text).not.toMatch(/canary|[\uE000-\uF8FF]/);
    expect(problemsIn('t', gatus.text, gatus.imported)).toEqual([]);
    const upptime = convert(
      'upptime',
      'sites: [{ name: s, url: "$SITE/x", method: POST, body: "$S", headers: ["X-A: $A"] }]',
    );
    expect([...upptime.imported.variables.keys()].sort()).toEqual(['A', 'S', 'SITE']);
    expect(problemsIn('t', upptime.text, upptime.imported)).toEqual([]);
  });

  it.each([
    ['[RESPONSE_TIME] < 0', /^((?!degradedAfter).)*$/s, 1],
    ['[RESPONSE_TIME] < 1m30s', /degradedAfter: 90s/, 0],
    ['[BODY].a == [BODY].b', /expectJson: "a = b"/, 0],
    ['[HEADER].X-A == b', /expectJson: "\$headers.\\"x-a\\" = \\"b\\""/, 0],
    ['[CONTEXT].a == b', /^((?!expectJson).)*$/s, 1],
    ['[CERTIFICATE_EXPIRATION] > 48h', /expectStatus: 100-599/, 0],
  ])('of Gatus with %s', (condition, text, left) => {
    const found = convert(
      'gatus',
      `endpoints: [{ name: a, url: "https://a.test", conditions: [${JSON.stringify(condition)}] }]`,
    );
    expect(found.text).toMatch(text);
    expect(found.imported.left).toHaveLength(left);
  });

  it.each([
    ['"[DNS_RCODE] == NXDOMAIN"', true, 1],
    ['"[DNS_RCODE] != NOERROR"', true, 1],
    ['"[DNS_RCODE] == pat(NX*)"', true, 1],
    ['"[DNS_RCODE] == any(NOERROR, NXDOMAIN)"', false, 1],
    ['"[DNS_RCODE] == NOERROR"', false, 0],
    ['"[CONNECTED] == false"', true, 1],
    ['"[STATUS] == 0"', true, 1],
    ['"[STATUS] == 404"', false, 0],
    ['"[CERTIFICATE_EXPIRATION] < 1h"', true, 1],
  ])('of Gatus is not watched where it must fail: %s', (condition, isPaused, left) => {
    const source = `endpoints: [{ name: a, url: "https://a.test", conditions: [${condition}] }]`;
    const { text, imported } = convert('gatus', source);
    expect(/enabled: "?false/.test(text)).toBe(isPaused);
    expect(imported.left).toHaveLength(left);
    if (isPaused) expect(imported.left[0]?.advice).toContain('enabled: false');
  });

  it('of Gatus counts what holds anchors where it is used', () => {
    const { imported } = convert(
      'gatus',
      `anchors: { a: &a { interval: 90s } }
_defaults: &b { group: core }
endpoints: [{ <<: [*a, *b], name: a, url: "https://a.test" }]`,
    );
    expect(imported.left).toEqual([]);
    expect(imported.targets[0]?.options.get('GROUP')).toBe('core');
  });

  it('of UptimeRobot says what becomes of its status pages', () => {
    const monitors = [{ friendly_name: 'a', type: 1, url: 'https://a.test', psp: '123' }];
    const { imported } = convert('uptimerobot', JSON.stringify({ monitors }));
    expect(imported.left.map(({ advice }) => advice).join()).toContain('status pages');
  });

  it.each(['<', '<=', '==', '!=', '>'])(
    'of Gatus fails for a field that is missing: len %s',
    async (operator) => {
      const source = `endpoints: [{ name: a, url: "https://a.test", conditions: ["len([BODY].x) ${operator} 5"] }]`;
      const file = readTargets('t', yamlOf(convert('gatus', source).text), { texts: new Map() });
      const result = parseConfig({}, file);
      const expression = result.ok ? (result.config.targets[0]?.assertions.expectJson ?? '') : '';
      const holds = async (body: unknown): Promise<unknown> => jsonata(expression).evaluate(body);
      expect(await holds({ y: 1 })).not.toBe(true);
      const isTrue = { '<': true, '<=': true, '==': false, '!=': true, '>': false }[operator];
      for (const x of [[1], { a: 1 }, 'abc', 123, [], '']) expect(await holds({ x })).toBe(isTrue);
    },
  );

  it.each([
    ["body.foo == 'bar' && body.baz.startsWith('q')", { foo: 'bar', baz: 'qux' }, { foo: 'bar', baz: 'xq' }],
    ['body.a[0].or >= 2 || (body.b != true)', { a: [{ or: 2 }], b: true }, { a: [{ or: 1 }], b: true }],
    ['body[0].endsWith(".b") && body[1].contains("c+")', ['a.b', 'xc+'], ['a.bc', 'xc+']],
    ["body.a == 'b'", { a: 'b' }, {}],
  ])('of the blackbox exporter with CEL: %s', async (cel, good, bad) => {
    const expressionOf = (key: string): string => {
      const module = { prober: 'http', http: { [key]: cel } };
      const jobs = [{ params: { module: ['m'] }, static_configs: [{ targets: ['https://a.test'] }] }];
      const { text } = convert('blackbox', JSON.stringify({ modules: { m: module }, scrape_configs: jobs }));
      const result = parseConfig({}, readTargets('t', yamlOf(text), { texts: new Map() }));
      return (result.ok ? result.config.targets[0]?.assertions.expectJson : null) ?? '';
    };
    const must = jsonata(expressionOf('fail_if_body_json_not_matches_cel'));
    expect([await must.evaluate(good), (await must.evaluate(bad)) === true]).toEqual([true, false]);
    const mustNot = jsonata(expressionOf('fail_if_body_json_matches_cel'));
    expect(await mustNot.evaluate(good)).toBe(false);
  });

  it.each(['body.map(x, x)', 'other.a == 1', 'body.a + 1 == 2', '', '!body.a', "body.a == 'b\\\\'"])(
    'of the blackbox exporter lists other CEL: %s',
    (cel) => {
      const module = { prober: 'http', http: { fail_if_body_json_not_matches_cel: cel } };
      const jobs = [{ params: { module: ['m'] }, static_configs: [{ targets: ['https://a.test'] }] }];
      const source = JSON.stringify({ modules: { m: module }, scrape_configs: jobs });
      expect(convert('blackbox', source).imported.left).toHaveLength(1);
    },
  );

  it.each<[string, string, RegExp, readonly string[]]>([
    [
      'the interval of all jobs',
      'global: { scrape_interval: 15s, scrape_timeout: 7s }',
      /interval: 15s\n {4}timeout: 7s/,
      [],
    ],
    ['no interval', '', /interval: 1m\n {4}timeout: 10s/, []],
    [
      'what sets up Prometheus',
      'global: { evaluation_interval: 1m }\nalerting: {}\nrule_files: [a.yml]',
      /interval: 1m/,
      ['alerting', 'rule_files'],
    ],
  ])('of Prometheus has %s', (_name, more, text, left) => {
    const jobs =
      'scrape_configs: [{ job_name: j, params: { module: [http_2xx] }, static_configs: [{ targets: [a.test] }] }]';
    const found = convert('blackbox', `${more}\n${jobs}`);
    expect(found.text).toMatch(text);
    expect(found.imported.left.map(({ what }) => what)).toEqual(left);
  });

  it.each<[string, string, RegExp, readonly string[]]>([
    [
      'rules that make the address',
      `params: { module: [http_2xx] }, static_configs: [{ targets: [a.test] }], relabel_configs: [
        { source_labels: [__address__], target_label: __param_target, replacement: "https://$1/health" },
        { source_labels: [__param_target], target_label: instance },
        { target_label: __address__, replacement: "bb:9115" }]`,
      /id: a-test-health\n[^]*url: "https:\/\/a\.test\/health"/,
      [],
    ],
    [
      'the address in params',
      'params: { module: [http_2xx], target: ["https://d.test"] }, static_configs: [{ targets: ["bb:9115"] }]',
      /url: "https:\/\/d\.test"/,
      [],
    ],
    [
      'a module in a label',
      'metrics_path: /probe, static_configs: [{ targets: ["a.test:53"], labels: { __param_module: tcp_connect } }]',
      /url: "tcp:\/\/a\.test:53"/,
      [],
    ],
    [
      'a module that a rule takes from a label, and the default one',
      `static_configs: [{ targets: ["a.test:53"], labels: { module: tcp_connect } }, { targets: [b.test] }], relabel_configs: [
        { source_labels: [module], target_label: __param_module }]`,
      /url: "tcp:\/\/a\.test:53"[^]*url: "http:\/\/b\.test"/,
      [],
    ],
    [
      'names and other labels',
      'params: { module: [http_2xx] }, static_configs: [{ targets: [a.test], labels: { instance: courses, team: x } }]',
      /id: courses\n {4}name: courses/,
      ['the label team'],
    ],
    [
      'rules that are not read',
      'params: { module: [http_2xx] }, static_configs: [{ targets: [a.test] }], relabel_configs: [{ action: hashmod }]',
      /http:\/\/a\.test/,
      ['j: relabel_configs'],
    ],
    [
      'a target that a rule drops',
      `params: { module: [http_2xx] }, static_configs: [{ targets: [a.test, b.test] }], relabel_configs: [
        { action: drop, source_labels: [__address__], regex: b.* }]`,
      /^((?!b\.test).)*a\.test((?!b\.test).)*$/s,
      [],
    ],
    [
      'redirects that are not followed',
      'params: { module: [still] }, static_configs: [{ targets: [a.test] }]',
      /maxRedirects: 0/,
      [],
    ],
  ])('of Prometheus with %s', (_name, job, text, left) => {
    const modules = 'modules: { still: { prober: http, http: { no_follow_redirects: true } } }';
    const found = convert('blackbox', `${modules}\nscrape_configs: [{ job_name: j, ${job} }]`);
    expect(found.text).toMatch(text);
    expect(found.imported.left.map(({ what }) => what)).toEqual(left);
    expect(problemsIn('t', found.text, found.imported)).toEqual([]);
  });

  it('of Prometheus names the jobs that probe nothing', () => {
    const found = convert(
      'blackbox',
      `scrape_configs: [{ job_name: node, static_configs: [{ targets: [n.test] }] },
        { job_name: web, metrics_path: /probe, static_configs: [{ targets: [a.test] }] }]`,
    );
    expect(found.imported.targets.map(({ id }) => id)).toEqual(['a.test']);
    expect(found.imported.own.map(({ what }) => what)).toEqual(['the scrape job node']);
  });

  it('watches a domain whose end is asked about, once, at its registry', async () => {
    const condition = 'conditions: ["[DOMAIN_EXPIRATION] > 720h"]';
    const { text, imported } = convert(
      'gatus',
      `endpoints: [{ name: a, url: "https://www.a.co.uk/x", ${condition} }, { name: b, url: "https://a.co.uk:8443", ${condition} }]`,
    );
    expect(imported.targets.map(({ id }) => id)).toEqual(['a', 'domain a.co.uk', 'b']);
    const result = parseConfig({}, readTargets('t', yamlOf(text), { texts: new Map() }));
    const target = result.ok ? result.config.targets.find(({ info }) => info.id === 'domain-a-co-uk') : null;
    expect(target).toMatchObject({ url: 'https://rdap.org/domain/a.co.uk', info: { interval: 43_200_000 } });
    const answer = (days: number) => ({
      events: [
        { eventAction: 'registration', eventDate: '2001-01-01T00:00:00Z' },
        { eventAction: 'expiration', eventDate: new Date(Date.now() + days * 86_400_000).toISOString() },
      ],
    });
    const of = async (expression: string | null | undefined, body: unknown): Promise<unknown> =>
      jsonata(expression ?? '').evaluate(body);
    expect(await of(target?.assertions.expectJson, answer(1))).toBe(true);
    expect(await of(target?.assertions.expectJson, { events: [] })).toBe(false);
    expect(await of(target?.assertions.degradedJson, answer(29))).toBe(true);
    expect(await of(target?.assertions.degradedJson, answer(31))).toBe(false);
  });

  it.each<[string, object, RegExp, readonly string[]]>([
    ['no notification', { notificationIDList: {} }, /alerts: "off"/, []],
    ['one notification of two', { notificationIDList: { 1: true, 2: false } }, /alerts: \[telegram\]/, []],
    ['all notifications', { notificationIDList: { 1: true, 2: true } }, /^((?!alerts).)*$/s, []],
    [
      'a notification without a channel',
      { notificationIDList: [3] },
      /^((?!alerts).)*$/s,
      ['notificationIDList'],
    ],
    ['nothing said of notifications', {}, /^((?!alerts).)*$/s, []],
    ['no time limit', { interval: 40 }, /timeout: 32s/, []],
    ['a browser', { type: 'real-browser' }, /https:\/\/a\.test/, ['type real-browser']],
    [
      'a scheme before gRPC',
      { type: 'grpc-keyword', grpcUrl: 'grpcs://voice:1', grpcEnableTls: true },
      /url: "grpcs:\/\/voice:1"/,
      [],
    ],
  ])('of Uptime Kuma with %s', (_name, more, text, left) => {
    const found = convert(
      'uptime-kuma',
      JSON.stringify({
        notificationList: [
          { id: 1, name: 't', config: '{"type":"telegram"}' },
          { id: 2, name: 's', config: '{"type":"slack"}' },
        ],
        monitorList: [{ name: 'a', type: 'http', url: 'https://a.test', ...more }],
      }),
    );
    expect(found.text).toMatch(text);
    expect(found.imported.left.map(({ what }) => what)).toEqual(left);
    expect(problemsIn('t', found.text, found.imported)).toEqual([]);
  });

  it('of Uptime Kuma lists a notification without a type in whole words', () => {
    const monitorList = [{ name: 'a', type: 'http', url: 'https://a.test' }];
    const notificationList = [{ id: 1, name: 'n' }];
    const { imported } = convert('uptime-kuma', JSON.stringify({ notificationList, monitorList }));
    expect(imported.left[0]?.advice).toBe(
      'set up a channel that reaches the same people, such as ALERT_APPRISE_URL',
    );
  });

  it('takes the nearest time limit and interval where its own cannot be had, and says so', () => {
    const monitorList = [{ name: 'a', type: 'http', url: 'https://a.test', timeout: 300, interval: 5 }];
    const { text, imported } = convert('uptime-kuma', JSON.stringify({ monitorList }));
    expect(text).toContain('timeout: 2m');
    expect(text).toContain('interval: 10s');
    expect(imported.left.map(({ what, advice }) => `${what} ${advice}`).join()).toMatch(
      /2m is written.*10s is written/,
    );
  });

  it.each([
    [
      'gatus',
      'endpoints: [{ name: a, url: "https://a.test", client: { tls: { certificate-file: a.pem, private-key-file: b.pem } } }]',
    ],
    [
      'blackbox',
      '{ modules: { m: { prober: http, http: { tls_config: { cert_file: a.pem, key_file: b.pem } } } }, scrape_configs: [{ params: { module: [m] }, static_configs: [{ targets: ["https://a.test"] }] }] }',
    ],
    [
      'uptime-kuma',
      '{ monitorList: [{ name: a, type: http, url: "https://a.test", authMethod: mtls, tlsCert: a.pem, tlsKey: canary }] }',
    ],
  ] as const)('of %s gives a client certificate by a variable', (tool, source) => {
    const { text, imported } = convert(tool, source);
    expect(text).toMatch(/tlsClientCert: "\$\{A(?:_TEST)?_CLIENT_CERT\}"/);
    expect(text).not.toContain('canary');
    expect(imported.left).toEqual([]);
    expect(problemsIn('t', text, imported)).toEqual([]);
  });

  it('of UptimeRobot names the statuses that are good', () => {
    const monitor = {
      friendly_name: 'a',
      type: 1,
      url: 'https://a.test',
      custom_http_statuses: '404:1_302:0',
    };
    const { text } = convert('uptimerobot', JSON.stringify({ monitors: [monitor] }));
    expect(text).toContain('expectStatus: ["200-301", "303-399", 404]'.replaceAll('"', ''));
  });

  it.each([
    ['url: $SITE', /show: name/],
    ['url: "https://a.test?k=$KEY"', /show: name/],
    ['url: "https://a.test"', /^((?!show:).)*$/s],
    [
      'url: "https://a.test"',
      /timeout: 1m\n {4}maxRedirects: 3\n {4}expectStatus: \[200-208, 226, 300-308\]/,
    ],
    [
      'url: "https://a.test", maxRedirects: 0',
      /maxRedirects: 0\n {4}expectStatus: \[200-208, 226, 300-308\]/,
    ],
    ['url: "https://a.test", expectedStatusCodes: [404]', /expectStatus: \[404\]/],
    ['url: a.test, check: tcp-ping, port: 22', /^((?!timeout|expectStatus).)*$/s],
    ['url: "https://a.test", ipv6: true', /ipVersion: 6/],
    ['url: "https://a.test", slug: b-c', /id: b-c/],
    ['url: "https://a.test", maxRetries: 3, requestTimeout: 20', /timeout: 20s[^]*retries: 2/],
    ['url: "https://a.test", tags: [b, c]', /description: "Tags: b, c"/],
    ['url: a.test, check: ssl', /tlsVerify: "?false"?\n {4}tlsExpiry: 7d\n {4}url: "tls:\/\/a\.test:443"/],
  ])('of Upptime with %s', (settings, wanted) => {
    const { text, imported } = convert('upptime', `sites: [{ name: a, ${settings} }]`);
    expect(text).toMatch(wanted);
    expect(imported.left).toEqual([]);
    expect(problemsIn('t', text, imported)).toEqual([]);
  });

  it.each([
    [[0, 14, 28, 42, 56], [-1], '14m'],
    [[0, 10], [3, 4], '1370m'],
  ])('of cron-job.org with uneven minutes %j and hours %j', (minutes, hours, interval) => {
    const all = { mdays: [-1], months: [-1], wdays: [-1] };
    const job = { title: 'a', url: 'https://a.test', enabled: true, schedule: { minutes, hours, ...all } };
    const { text, imported } = convert('cronjob.org', JSON.stringify({ jobs: [job] }));
    expect(text).toContain(`interval: ${interval}\n`);
    expect(text).not.toContain('enabled: false');
    expect(imported.left.map(({ advice }) => advice).join()).toContain(`interval: ${interval}`);
  });

  const all = Array.from({ length: 60 }, (_, time) => time);
  it.each<[string, object, RegExp, RegExp | null]>([
    [
      'every month by its number',
      { months: all.slice(1, 13), mdays: all.slice(1, 32) },
      /interval: 1d\n/,
      null,
    ],
    [
      'every minute and hour by its number',
      { minutes: all, hours: all.slice(0, 24) },
      /interval: 1m\n/,
      null,
    ],
    [
      'working days',
      { wdays: [1, 2, 3, 4, 5] },
      /activeHours: "Mon,Tue,Wed,Thu,Fri 03:00-04:00 Europe\/Berlin"\n {4}interval: 1h/,
      null,
    ],
    [
      'hours over midnight',
      { minutes: [0, 30], hours: [0, 1, 22, 23] },
      /activeHours: "Mon-Sun 22:00-02:00 Europe\/Berlin"\n {4}interval: 30m/,
      null,
    ],
    [
      'every second hour of the day',
      { hours: [8, 10, 12, 14], wdays: [1, 2] },
      /activeHours: "Mon,Tue 08:00-15:00 [^"]*"\n {4}interval: 2h/,
      null,
    ],
    [
      'a whole day a week',
      { minutes: [0], hours: [-1], wdays: [6] },
      /activeHours: "Sat 00:00-24:00 [^"]*"\n {4}interval: 1h/,
      null,
    ],
    ['two hours that are far apart', { hours: [2, 22] }, /interval: 20h\n/, /its longest pause/],
    [
      'every second day',
      { mdays: all.slice(0, 32).filter((day) => day % 2 === 1) },
      /interval: 2d\n/,
      /each month: interval: 2d/,
    ],
    ['one day of the month', { mdays: [1] }, /enabled: "?false[^]*interval: 1d\n/, /days of the month/],
    [
      'some months and an end',
      { months: [6, 7], expiresAt: 20300101000000 },
      /enabled: "?false/,
      /months and an end/,
    ],
    [
      'working days of the first week',
      { mdays: all.slice(1, 8), wdays: [1, 2] },
      /enabled: "?false[^]*activeHours: "Mon,Tue 03:00/,
      /days of the month/,
    ],
  ])('of cron-job.org with %s', (_name, more, text, left) => {
    const schedule = {
      timezone: 'Europe/Berlin',
      minutes: [7],
      hours: [3],
      mdays: [-1],
      months: [-1],
      wdays: [-1],
      ...more,
    };
    const job = { title: 'a', url: 'https://a.test', enabled: true, schedule };
    const found = convert('cronjob.org', JSON.stringify({ jobs: [job] }));
    expect(found.text).toMatch(text);
    expect(problemsIn('t', found.text, found.imported)).toEqual([]);
    expect(found.imported.left.length).toBe(left === null ? 0 : 1);
    if (left === null) expect(found.text).not.toContain('false');
    else expect(found.imported.left[0]?.advice).toMatch(left);
  });

  it('of UptimeFlare may say of what type its values are, and what stands behind them', () => {
    const { imported } = convert(
      'uptimeflare',
      `const workerConfig = {
        monitors: [{ id: 'a', target: 'https://a.test' as string, expectedCodes: [200] as number[] }, ...more] as const,
      } satisfies WorkerConfig
      let other = 1`,
    );
    expect(imported.targets.map(({ options }) => options.get('URL'))).toEqual(['https://a.test']);
    expect(imported.targets[0]?.options.get('EXPECT_STATUS')).toEqual(['200']);
    expect(imported.left).toMatchObject([{ what: 'monitors', advice: 'it is computed: write its value' }]);
  });

  it('of UptimeFlare lists headers that are computed, and writes none without its value', () => {
    const headers = "{ A: 'b', Authorization: `Bearer ${env.TOKEN}`, C: process.env.C! }";
    const { imported } = convert(
      'uptimeflare',
      `const workerConfig = { monitors: [{ id: 'a', target: 'https://a.test', headers: ${headers} }] }`,
    );
    expect(imported.targets[0]?.options.get('HEADERS')).toEqual({ A: 'b' });
    expect(imported.left.map(({ what }) => what)).toEqual(['headers.Authorization', 'headers.C']);
  });

  it.each([
    ['carries over the time zone of alerts', "'Asia/Shanghai'", 'Asia/Shanghai', []],
    ['lists a time zone that there is not', "'Mars/Olympus'", undefined, ['notification.timeZone']],
    ['lists a time zone that is computed', 'process.env.TZ', undefined, ['notification.timeZone']],
  ])('of UptimeFlare %s', (_, timeZone, wanted, left) => {
    const monitors = "[{ id: 'a', target: 'https://a.test' }]";
    const { imported } = convert(
      'uptimeflare',
      `const workerConfig = { monitors: ${monitors}, notification: { timeZone: ${timeZone} } }`,
    );
    expect(imported.settings.get('PAGE_TIME_ZONE')).toBe(wanted);
    expect(imported.left.map(({ what }) => what)).toEqual(left);
  });

  it('of UptimeFlare whose monitors are all computed says so', () => {
    expect(() => convert('uptimeflare', 'const workerConfig = { monitors: make() }')).toThrow(
      'its monitors are computed: write them as a list in workerConfig',
    );
  });

  it('of Uptime Kuma 2 may be rows of its database', () => {
    const ROW = {
      ...{ active: 1, user_id: 1, interval: 60, url: 'https://', weight: 2000, hostname: null, port: null },
      ...{ created_date: '2026-01-01 00:00:00', keyword: null, maxretries: 2, ignore_tls: 0, upside_down: 0 },
      ...{ maxredirects: 10, accepted_statuscodes_json: '["200-299"]', dns_resolve_type: 'A' },
      ...{ dns_resolve_server: '1.1.1.1', dns_last_result: null, retry_interval: 60, push_token: null },
      ...{ method: 'GET', body: null, headers: null, basic_auth_user: null, basic_auth_pass: null },
      ...{ docker_host: null, docker_container: null, proxy_id: null, expiry_notification: 0 },
      ...{ mqtt_topic: '', database_connection_string: null, database_query: null, auth_method: '' },
      ...{ grpc_enable_tls: 0, resend_interval: 0, packet_size: 56, game: null, http_body_encoding: 'json' },
      ...{ description: null, tls_ca: null, parent: null, invert_keyword: 0, json_path: null, timeout: 48 },
      ...{ gamedig_given_port_only: 1, kafka_producer_sasl_options: null, cache_bust: 0, conditions: '[]' },
      ...{ ping_numeric: 1, save_response: 0, save_error_response: 1, response_max_length: 1024 },
    };
    const monitors = [
      { id: 1, name: 'Core', type: 'group', ...ROW },
      {
        ...{
          ...ROW,
          id: 2,
          name: 'Web',
          type: 'keyword',
          url: 'https://web.test',
          keyword: 'fine',
          parent: 1,
        },
        ...{
          ignore_tls: 1,
          active: 0,
          auth_method: 'basic',
          basic_auth_user: 'canary',
          basic_auth_pass: 'canary',
        },
        ...{ headers: '{"X-Api-Key":"canary"}', accepted_statuscodes_json: '["200-299","404"]' },
      },
      {
        ...{ ...ROW, id: 3, name: 'Names', type: 'dns', hostname: 'a.test', dns_resolve_type: 'MX' },
        conditions:
          '[{"type":"expression","variable":"record","operator":"contains","value":"mx","andOr":"and"}]',
      },
      {
        ...ROW,
        id: 4,
        name: 'DB',
        type: 'postgres',
        database_connection_string: 'postgres://u:canary@db.test/a',
      },
    ];
    const tables = [
      monitors,
      [
        {
          id: 1,
          name: 'Ops',
          active: 1,
          user_id: 1,
          is_default: 0,
          config: '{"type":"slack","url":"canary"}',
        },
        { id: 2, name: 'Me', active: 1, user_id: 1, is_default: 0, config: '{"type":"smtp"}' },
      ],
      [
        { id: 1, monitor_id: 2, notification_id: 1 },
        { id: 2, monitor_id: 4, notification_id: 1 },
        { id: 3, monitor_id: 4, notification_id: 2 },
      ],
      [{ id: 5, name: 'env', color: '#fff', created_date: '2026-01-01 00:00:00' }],
      [{ id: 1, monitor_id: 2, tag_id: 5, value: 'prod' }],
    ];
    const source = tables.map((table) => `${JSON.stringify(table)}\n`).join('');
    const { text, imported } = convert('uptime-kuma', source);
    expect(text).not.toContain('canary');
    expect(imported.left).toEqual([]);
    expect(imported.unneeded).toEqual([]);
    const texts = new Map([...imported.variables.keys()].map((name): [string, string] => [name, name]));
    const result = parseConfig({}, readTargets('t', yamlOf(text), { texts }), { mayLackChannels: true });
    const targets = new Map(result.ok ? result.config.targets.map((each) => [each.info.id, each]) : []);
    expect(targets.get('web')).toMatchObject({
      info: { group: 'Core', enabled: false, interval: 60_000, description: 'Tags: env: prod' },
      ...{ timeout: 48_000, failureThreshold: 3, tlsVerify: false, alerts: ['slack'] },
      request: { headers: { 'X-Api-Key': 'WEB_X_API_KEY' } },
      assertions: { expectBody: { text: 'fine' }, expectStatus: [{ from: 200 }, { from: 404 }] },
    });
    expect(targets.get('names')).toMatchObject({
      ...{ query: 'MX a.test', alerts: [] },
      assertions: { expectJson: '$exists($[$contains($, "mx")])' },
    });
    expect(targets.get('db')).toMatchObject({ protocol: 'postgres:', alerts: null });
    expect(() => convert('gatus', source)).toThrow('It looks like one of uptime-kuma.');
    // Monitors alone: nothing is known of who is told.
    const alone = convert('uptime-kuma', JSON.stringify(monitors));
    expect(alone.text).not.toContain('alerts:');
  });

  it('of UptimeRobot says which answer it reads', () => {
    expect(() => convert('uptimerobot', '{ "items": [{ "friendlyName": "a" }] }')).toThrow(
      'expected monitors, as getMonitors of the API v2 answers, or data, as GET /monitors of v3 does',
    );
  });

  describe('of UptimeRobot by its API v3', () => {
    const MONITORS = [
      {
        ...{ id: 1, type: 'HTTP', friendlyName: 'Shop &amp; Co', url: 'https://shop.test/?a=1&amp;b=2' },
        ...{ interval: 60, timeout: 20, httpMethodType: 'HEAD', authType: 'NONE', groupId: 7 },
        ...{ checkSSLErrors: false, followRedirections: false, sslExpirationReminder: false },
        ...{ successHttpResponseCodes: ['2xx', '404'], domainExpirationReminder: true, status: 'PAUSED' },
        ...{
          responseTimeThreshold: 0,
          regionalData: { REGION: ['na', 'eu'], THRESHOLD: { na: 800, eu: 900 } },
        },
        assignedAlertContacts: [
          { alertContactId: 10, threshold: 5, recurrence: 30 },
          { alertContactId: 11, threshold: 0, recurrence: 0 },
        ],
      },
      {
        ...{ id: 2, type: 'KEYWORD', friendlyName: 'Login', url: 'https://login.test/', interval: 300 },
        ...{ keywordType: 'ALERT_NOT_EXISTS', keywordCaseType: 1, keywordValue: 'Sign in?' },
        ...{ authType: 'HTTP_BASIC', httpUsername: 'canary', httpPassword: 'canary', httpMethodType: 'POST' },
        ...{ postValueType: 'KEY_VALUE', postValueData: { user: 'a b', token: 'canary' } },
        config: { ipVersion: 'ipv6Only', sslExpirationPeriodDays: [7, 30], applicationErrorRetries: 3 },
        ...{ sslExpirationReminder: true, customHttpHeaders: { 'X-Api-Key': 'canary' } },
        maintenanceWindows: [
          { interval: 'once', date: '2030-12-15', time: '01:00:00', duration: 240, status: 'active' },
          { interval: 'daily', date: null, time: '23:30:00', duration: 60, status: 'active' },
          { interval: 'weekly', date: null, time: '09:00:00', duration: 60, days: [2, 7], status: 'active' },
          { interval: 'monthly', date: null, time: '09:00:00', duration: 60, days: [2], status: 'active' },
          { interval: 'daily', date: null, time: '04:00:00', duration: 60, status: 'paused' },
        ],
      },
    ];
    const MORE = [
      { id: 3, type: 'PORT', friendlyName: 'SSH', url: 'https://ssh.test/', port: 22, interval: 300 },
      {
        ...{ id: 4, type: 'DNS', friendlyName: 'Names', url: 'names.test', interval: 600 },
        config: { dnsRecords: { MX: ['20 B.names.test.', '10 a.names.test.'], A: ['192.0.2.1'] } },
      },
      {
        ...{
          id: 5,
          type: 'API',
          friendlyName: 'API',
          url: 'https://api.test',
          interval: 60,
          authType: 'BEARER',
        },
        config: {
          apiAssertions: {
            logic: 'OR',
            checks: [
              { property: '$.data.my-status', comparison: 'equals', target: 'active' },
              { property: '$.items[0].count', comparison: 'greater_than', target: 0 },
            ],
          },
        },
      },
      { id: 6, type: 'UDP', friendlyName: 'Game', url: '192.0.2.2', port: 53, interval: 60 },
    ];
    const NAMES = [
      { data: [{ id: 7, name: 'Core', createdAt: '2026-01-01' }], nextLink: null },
      { data: [{ id: 10, friendlyName: 'Me', type: 'EMAIL', value: 'canary@a.test' }], nextLink: null },
      {
        data: [{ id: 11, friendlyName: 'Ops', type: 'MSTeams', value: 'https://canary.test' }],
        nextLink: null,
      },
    ];
    const NEXT = 'https://api.uptimerobot.com/v3/monitors/?cursor=2';
    const PAGES = [{ data: MONITORS, nextLink: NEXT }, { data: MORE, nextLink: null }, ...NAMES];
    const CONCATENATED = PAGES.map((page) => JSON.stringify(page)).join('\n');
    const targetsIn = (text: string, variables: Iterable<string>) => {
      const texts = new Map([...variables].map((name): [string, string] => [name, name]));
      const result = parseConfig({}, readTargets('t', yamlOf(text), { texts }), { mayLackChannels: true });
      if (!result.ok) throw new Error(JSON.stringify(result.problems));
      return new Map(result.config.targets.map((target) => [target.info.id, target]));
    };

    it.each<[string, object, boolean]>([
      ['the last page of monitors', [{ data: MORE, nextLink: NEXT }, ...NAMES], true],
      ['one page', { data: MORE, nextLink: NEXT }, true],
      [
        'the last page of groups',
        [
          { data: MORE, nextLink: null },
          { ...NAMES[0], nextLink: NEXT },
        ],
        true,
      ],
      ['a page before another', PAGES, false],
    ])('says that further pages exist where a link to them is on %s', (_, source, isSaid) => {
      const text = [source].flat().map((page) => JSON.stringify(page));
      const { imported } = convert('uptimerobot', text.join('\n'));
      expect(convert('uptimerobot', JSON.stringify(source)).imported).toEqual(imported);
      const advice = 'there are further pages: import again with all of them in the file';
      expect(imported.left.filter(({ what }) => what === 'nextLink')).toEqual(
        isSaid ? [{ what: 'nextLink', of: null, advice, count: 1 }] : [],
      );
    });

    it.each([
      ['one behind the other', CONCATENATED],
      ['as a list', JSON.stringify(PAGES)],
    ])('keeps what its pages ask for, %s', (_, source) => {
      const { text, imported } = convert('uptimerobot', source);
      expect(text).not.toContain('canary');
      const targets = targetsIn(text, imported.variables.keys());
      expect([...targets.keys()]).toEqual(['api', 'domain-shop-test', 'login', 'names', 'shop-co', 'ssh']);
      expect(targets.get('shop-co')).toMatchObject({
        info: { name: 'Shop & Co', group: 'Core', interval: 60_000, enabled: false },
        ...{ url: 'https://shop.test/?a=1&b=2', timeout: 20_000, maxRedirects: 0, tlsVerify: false },
        request: { method: 'HEAD' },
        assertions: {
          expectStatus: [
            { from: 200, to: 299 },
            { from: 404, to: 404 },
          ],
          ...{ tlsExpiry: 0, degradedAfter: 900 },
        },
      });
      expect(targets.get('login')).toMatchObject({
        ...{ ipVersion: '6', retries: 3 },
        request: {
          ...{ method: 'POST', body: 'user=a+b&token=LOGIN_BODY_TOKEN' },
          headers: {
            'Content-Type': 'application/x-www-form-urlencoded',
            'X-Api-Key': 'LOGIN_X_API_KEY',
          },
        },
        assertions: {
          expectBody: { kind: 'regex', source: String.raw`Sign in\?`, flags: 'i' },
          tlsExpiry: 30 * 86_400_000,
        },
      });
      for (const window of ['2030-12-15T01:00Z/240m', 'Mon-Sun 23:30-00:30 UTC', 'Tue,Sun 09:00-10:00 UTC'])
        expect(text).toContain(window);
      expect(text).not.toContain('04:00');
      expect(targets.get('ssh')?.url).toBe('tcp://ssh.test:22');
      expect(targets.get('names')).toMatchObject({
        ...{ protocol: 'dns:', query: 'MX names.test' },
        assertions: { expectBody: { text: '["10 a.names.test","20 b.names.test"]' } },
      });
      expect(targets.get('api')).toMatchObject({
        request: { headers: { Authorization: 'Bearer API_TOKEN' } },
        assertions: { expectJson: '($.data.`my-status` = "active" or $.items[0].count > 0)' },
      });
      expect([...imported.variables.keys()]).toEqual(
        expect.arrayContaining(['ALERT_SMTP_URL, ALERT_EMAIL_FROM and ALERT_EMAIL_TO', 'ALERT_TEAMS_URL']),
      );
      expect(imported.settings).toEqual(new Map([['ALERT_REMINDER', '30m']]));
      expect(imported.left.map(({ of, what }) => `${of ?? ''}: ${what}`)).toEqual([
        'Shop & Co: regionalData.REGION',
        'Shop & Co: assignedAlertContacts.threshold',
        'Login: maintenanceWindows',
        'Names: dnsRecords.A',
        'Game: type UDP',
      ]);
    });

    it('asks for the names of groups and contacts that are not there', () => {
      const { imported } = convert('uptimerobot', JSON.stringify(PAGES[0]));
      const advice = imported.left.map(({ advice }) => advice).join('\n');
      expect(advice).toContain('GET /monitor-groups');
      expect(advice).toContain('set up a channel that reaches them');
    });

    it('may have an IPv6 address, and a name server at another port', () => {
      const data = [
        { type: 'PORT', friendlyName: 'A', url: '2001:db8::1', port: 22, interval: 60 },
        { type: 'DNS', friendlyName: 'B', url: 'b.test', port: 5353, interval: 60 },
      ];
      const { imported } = convert('uptimerobot', JSON.stringify({ data }));
      expect(imported.targets.map(({ options }) => options.get('URL'))).toEqual([
        'tcp://[2001:db8::1]:22',
        'dns://1.1.1.1',
      ]);
      expect(imported.targets[1]?.options.get('QUERY')).toBe('A b.test');
      expect(imported.left.map(({ what }) => what)).toEqual(['port']);
    });

    it('lists assertions that JSONata cannot be made of', () => {
      const checks = ['$..a', '$.a[*]', '$.a["b"]', '$.a[?(@.b)]'].map((property) => ({
        ...{ property, comparison: 'equals', target: 1 },
      }));
      const config = { apiAssertions: { logic: 'AND', checks } };
      const data = [{ type: 'API', friendlyName: 'A', url: 'https://a.test', interval: 60, config }];
      const { imported } = convert('uptimerobot', JSON.stringify({ data }));
      expect(imported.left).toHaveLength(checks.length);
    });
  });

  it('of Upptime may have an IPv6 address, with a port or without', () => {
    const url = (site: string): unknown =>
      convert('upptime', `sites: [{ name: a, check: tcp-ping, ${site} }]`).imported.targets[0]?.options.get(
        'URL',
      );
    expect(url("url: '2001:db8::1111', port: 443")).toBe('tcp://[2001:db8::1111]:443');
    expect(url("url: '[2001:db8::1111]:22', port: 443")).toBe('tcp://[2001:db8::1111]:443');
  });

  it('of UptimeFlare leaves out a body that is no text', () => {
    const source =
      "const workerConfig = { monitors: [{ id: 'Événements', target: 'https://a.test', method: 'POST', body: { a: 1 } }] }";
    const { text, imported } = convert('uptimeflare', source);
    expect(text).not.toContain('body:');
    expect(text).toContain('id: evenements\n');
    expect(imported.left.map(({ what }) => what)).toEqual(['body']);
  });

  it('of UptimeFlare does not count what is about no monitor, and loses none of two with one id', () => {
    const monitor = "{ id: 'a', name: 'A', target: 'https://a.test' }";
    const source = `const pageConfig = { group: { G: ['b'], H: ['a'] } }
const workerConfig = { monitors: [${monitor}, ${monitor}], notification: { skipNotificationIds: ['b'] } }
const maintenances = [{ monitors: ['b'], title: 'T', start: '2026-01-01T00:00Z', end: '2026-01-01T01:00Z' }]`;
    const { text, imported } = convert('uptimeflare', source);
    expect(imported.unneeded.map(({ what }) => what)).toEqual([
      'the group G',
      'maintenances, T',
      'notification.skipNotificationIds',
    ]);
    expect(imported.carried).toBe(2 * 3 + 1);
    expect(text.match(/group: H\n/g)).toHaveLength(2);
  });

  it('of Uptime Kuma does not count a group without monitors', () => {
    const group = (id: number) => ({ id, type: 'group', name: `G${id}` });
    const monitor = { name: 'a', type: 'http', url: 'https://a.test', parent: 1 };
    const { imported } = convert('uptime-kuma', JSON.stringify([group(1), group(2), monitor]));
    expect(imported.unneeded.map(({ what }) => what)).toEqual(['the group G2']);
    expect(imported.carried).toBe(4);
  });

  it.each<[string, object, RegExp, readonly string[]]>([
    [
      'login data of another way to log in',
      { authMethod: null, basic_auth_user: 'u', basic_auth_pass: 'p', bearer_token: 't', tlsKey: 'k' },
      /url: "https:\/\/a\.test"\n((?!headers).)*$/s,
      [],
    ],
    [
      'login data of an older version',
      { basic_auth_user: 'u', basic_auth_pass: 'p' },
      /url: "https:\/\/\$\{A_USER\}:\$\{A_PASSWORD\}@a\.test"/,
      [],
    ],
    [
      'NTLM',
      { authMethod: 'ntlm', basic_auth_user: 'u', basic_auth_pass: 'p' },
      /url: "https:\/\/a\.test"/,
      ['authMethod', 'basic_auth_user', 'basic_auth_pass'],
    ],
    [
      'a keyword of gRPC that the health service has, and another',
      { type: 'grpc-keyword', grpcUrl: 'a.test:1', keyword: 'SERVING' },
      /url: "grpc:\/\/a\.test:1"/,
      [],
    ],
    [
      'another keyword of gRPC',
      { type: 'grpc-keyword', grpcUrl: 'a.test:1', keyword: 'x' },
      /grpc/,
      ['keyword'],
    ],
    ['what the form begins with', { oauth_auth_method: 'client_secret_basic' }, /a\.test/, []],
  ])('of Uptime Kuma by number with %s', (_name, more, text, left) => {
    const monitor = { name: 'a', type: 'http', url: 'https://a.test', ...more };
    const found = convert('uptime-kuma', JSON.stringify({ 7: monitor }));
    expect(found.text).toMatch(text);
    expect(found.imported.left.map(({ what }) => what)).toEqual(left);
    expect(problemsIn('t', found.text, found.imported)).toEqual([]);
  });

  it('of Uptime Kuma makes one reminder of what counts checks', () => {
    const monitor = (resendInterval: number) => ({
      name: 'a',
      type: 'http',
      url: 'https://a.test',
      interval: 20,
      resendInterval,
    });
    const { imported } = convert('uptime-kuma', JSON.stringify([monitor(3), monitor(3), monitor(6)]));
    expect([...imported.settings]).toEqual([['ALERT_REMINDER', '1m']]);
    expect(imported.left.map(({ what }) => what)).toEqual(['resendInterval']);
  });

  it('of Gatus tells nobody by a provider that is not set up', () => {
    const alerts = '[{ type: discord }]';
    const source = `alerting: { slack: { webhook-url: x } }\nendpoints: [{ name: a, url: "https://a.test", alerts: ${alerts} }]`;
    expect(convert('gatus', source).text).toContain('alerts: "off"');
    expect(convert('gatus', source.replace('discord', 'slack')).text).not.toContain('alerts:');
  });

  it.each<[string, string, RegExp, readonly string[]]>([
    [
      'a module that is not in the file',
      'params: { module: [http_odd] }',
      /http:\/\/a\.test/,
      ['the module http_odd'],
    ],
    ['a module that comes with the exporter', 'params: { module: [http_post_2xx] }', /method: POST/, []],
    [
      'labels that a rule drops',
      'params: { module: [http_2xx] }, relabel_configs: [{ source_labels: [__address__], target_label: __param_target, replacement: "https://$1/x" }, { action: labeldrop, regex: x }]',
      /https:\/\/a\.test\/x/,
      [],
    ],
  ])('of Prometheus with %s', (_name, job, text, left) => {
    const snmp =
      '{ job_name: s, metrics_path: /snmp, params: { module: [if_mib] }, static_configs: [{ targets: [b.test] }] }';
    const found = convert(
      'blackbox',
      `scrape_configs: [{ ${job}, static_configs: [{ targets: [a.test] }] }, ${snmp}]`,
    );
    expect(found.text).toMatch(text);
    expect(found.text).not.toContain('b.test');
    expect(found.imported.left.map(({ what }) => what)).toEqual(left);
    expect(found.imported.own.map(({ what }) => what)).toEqual(['the scrape job s']);
  });

  it('of Upptime needs no list of its secrets', () => {
    const { imported } = convert('upptime', 'secrets: [SITE]\nsites: [{ name: a, url: $SITE }]');
    expect(imported.left).toEqual([]);
    expect([...imported.variables.keys()]).toEqual(['SITE']);
  });

  it('has no header that passes a protection', () => {
    const source =
      'sites: [{ name: a, url: "https://a.test", headers: ["x-vercel-protection-bypass: canary"] }]';
    expect(convert('upptime', source).text).not.toContain('canary');
  });

  it.each([
    [
      String.raw`{"user": "u", "password": "can\"ary", "n": 1}`,
      '{"user": "u", "password": "${A_BODY_PASSWORD}", "n": 1}',
    ],
    ['username=u&api_key=canary&x=1', 'username=u&api_key=${A_BODY_API_KEY}&x=1'],
    [
      '{"token":"canary","b":{"token":"other"}}',
      '{"token":"${A_BODY_TOKEN}","b":{"token":"${A_BODY_2_TOKEN}"}}',
    ],
    ['the password=canary', 'the password=${A_BODY_PASSWORD}'],
  ])('has variables for what is secret in a body: %s', (body, wanted) => {
    const monitorList = [{ name: 'a', type: 'http', url: 'https://a.test', method: 'POST', body }];
    const { imported } = convert('uptime-kuma', JSON.stringify({ monitorList }));
    expect(imported.targets[0]?.options.get('BODY')).toBe(wanted);
  });

  it('of Upptime with minutes that begin later, and no introduction', () => {
    const source =
      'sites: [{ name: a, url: "https://a.test" }]\nworkflowSchedule: { uptime: "2-59/5 * * * *" }\nstatus-website: { introTitle: "", introMessage: "" }';
    expect([...convert('upptime', source).imported.settings]).toEqual([['KEEP_ALIVE_INTERVAL', '5m']]);
    expect(() => convert('upptime', ' ')).toThrow('This is no configuration of upptime: it is empty.');
  });

  it.each(TOOLS)('that is none of %s is refused', (tool) => {
    for (const text of [
      '',
      '[]',
      '{}',
      'x',
      '{"monitors": 7, "jobs": null, "sites": "x"}',
      'const workerConfig = {',
    ]) {
      expect(() => convert(tool, text)).toThrow(`This is no configuration of ${tool}`);
    }
  });

  it('gives each target variables of its own, and none that Keepalive reads itself', () => {
    const kuma = (name: string, host: string, more: object) => ({
      ...{ name, type: 'http', url: `https://${host}.test/`, active: true },
      ...more,
    });
    const login = (user: string) => ({
      authMethod: 'basic',
      basic_auth_user: user,
      basic_auth_pass: 'canary',
    });
    const monitorList = [
      ...[kuma('API', 'a', login('u1')), kuma('API', 'b', login('u2')), kuma('api!', 'c', login('u3'))],
      kuma('stats', 'd', { headers: '{"Token":"canary"}' }),
      kuma('in the address', 'e', { url: 'https://u4:canary@e.test/' }),
    ];
    const { text, imported } = convert('uptime-kuma', JSON.stringify({ monitorList }));
    const hosts = new Map<string, string>();
    for (const [, host = ''] of text.matchAll(/@([a-e])\.test/g)) hosts.set(host, '');
    const names = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => name);
    expect(new Set(names).size).toBe(names.length);
    expect([...imported.variables.keys()].sort()).toEqual([...names].sort());
    expect([...hosts.keys()].sort()).toEqual(['a', 'b', 'c', 'e']);
    expect(names).toContain('_STATS_TOKEN');
    expect(names).not.toContain('STATS_TOKEN');
    expect(text).not.toContain('canary');
  });

  it.each([
    ['redis://:canary@r.test', '"redis://:${A_PASSWORD}@r.test"', 1],
    ['redis://canary@r.test', '"redis://${A_USER}@r.test"', 1],
    ['redis://canary:canary@r.test', '"redis://${A_USER}:${A_PASSWORD}@r.test"', 2],
    ['redis://@r.test', '"redis://r.test"', 0],
  ])('keeps the parts of the login data that are there: %s', (databaseConnectionString, url, variables) => {
    const monitorList = [{ name: 'a', type: 'redis', databaseConnectionString }];
    const { text, imported } = convert('uptime-kuma', JSON.stringify({ monitorList }));
    expect(text).toContain(`url: ${url}`);
    expect(imported.variables.size).toBe(variables);
  });

  it('is not watched where it would be watched otherwise than its owner wants', () => {
    const kuma = { name: 'x', type: 'http', url: 'https://x.test/', active: true, upsideDown: true };
    const gatus = `
endpoints:
  - { name: closed, url: "tcp://a.test:1", conditions: ["[CONNECTED] == false"] }`;
    const job = {
      ...{ jobId: 1, enabled: true, title: 'Invoices', url: 'https://x.test/', requestMethod: 1 },
      schedule: {
        timezone: 'UTC',
        expiresAt: 0,
        hours: [3],
        mdays: [1],
        minutes: [7],
        months: [-1],
        wdays: [-1],
      },
    };
    for (const [tool, file] of [
      ['uptime-kuma', JSON.stringify({ monitorList: [kuma] })],
      ['gatus', gatus],
      ['cronjob.org', JSON.stringify({ jobs: [job] })],
    ] as const) {
      expect(convert(tool, file).text, tool).toMatch(/enabled: "?false/);
    }
  });

  it('of UptimeFlare is read and never run', () => {
    const source =
      'const workerConfig: X = { a: f({ b: [1, "]"] }), ["c"]: 1, ...d, e() { return 1 }, g: { h: [true, -2.5] } }';
    expect(constantOf(source, 'workerConfig')).toMatchObject({
      a: expect.any(Expression) as unknown,
      g: { h: [true, -2.5] },
    });
    expect(constantOf(source, 'other')).toBeUndefined();
  });

  it.each(['{ a: 1 ] }', '{ a: [1, 2 } ]', '[1; 2]', '{ a ; b }', '[1)', '{ a: b) }', '[{'])(
    'of UptimeFlare ends where its brackets do not fit: %s',
    (value) => {
      expect(() => constantOf(`const x = ${value};`, 'x')).toThrow(ToolError);
    },
  );

  it('of UptimeFlare comes to an end, whatever it holds', () => {
    const marks = '{ } [ ] ( ) , : ; \' " ` \\ ... => // /* */ ${ a 1 const'.split(' ');
    const pieces = [...marks, ' ', '\n'];
    const sources = fc.array(fc.constantFrom(...pieces), { maxLength: 60 });
    fc.assert(
      fc.property(sources, (source) => {
        try {
          constantOf(`const x = ${source.join('')}`, 'x');
        } catch (error) {
          expect(error).toBeInstanceOf(ToolError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

interface Share {
  readonly carried: number;
  readonly found: number;
  readonly own: number;
  readonly unneeded: number;
}

/** The table of docs/moving.md, as prettier has it. */
function shareTable(): string {
  const sums = new Map<ToolName, Share>();
  const rows = TOOL_EXAMPLES.map(({ tool, origin, source }) => {
    const { text, imported } = convert(tool, source);
    const share = {
      ...shareOf(imported, problemsIn('t', text, imported).length),
      ...{ own: imported.own.length, unneeded: imported.unneeded.length },
    };
    const { carried = 0, found = 0, own = 0, unneeded = 0 } = sums.get(tool) ?? {};
    sums.set(tool, {
      ...{ carried: carried + share.carried, found: found + share.found },
      ...{ own: own + share.own, unneeded: unneeded + share.unneeded },
    });
    return { tool, cells: cellsOf(`${tool}: ${origin}`, share) };
  });
  const all = TOOLS.flatMap((tool) => {
    const own = rows.filter((row) => row.tool === tool).map(({ cells }) => cells);
    const sum = sums.get(tool);
    return own.length > 1 && sum !== undefined ? [...own, cellsOf(`**${tool}: all**`, sum)] : own;
  });
  const head = ['example', 'settings', 'carried over', "with the tool's own", 'not needed'];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...all.map((cells) => (cells[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...all.map(line)].join('\n');
}

function cellsOf(name: string, { carried, found, own, unneeded }: Share): string[] {
  const share = (of: number): string => `${Math.floor((100 * carried) / of)} %`;
  return [name, `${found}`, share(found), `${share(found + own)} of ${found + own}`, `${unneeded}`];
}

/** What came of `convert`; its errors as texts. */
function converted(tool: ToolName, source: string): string {
  let outcome = 'converted';
  try {
    convert(tool, source);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    outcome = error.message;
  }
  return outcome;
}

describe('a monitor that is not as its tool would have it', () => {
  const KUMA = { name: 'a', type: 'http', url: 'https://a.test' };
  const V2 = { friendly_name: 'a', type: 1, url: 'https://a.test' };
  const V3 = { friendlyName: 'a', type: 'HTTP', url: 'https://a.test', interval: 60 };
  const GOOD = { ...V3, friendlyName: 'good' };

  it.each<[ToolName, object, string]>([
    ['uptime-kuma', { monitorList: [{ ...KUMA, headers: 'X-A: b' }] }, 'headers'],
    ['uptime-kuma', { monitorList: [{ ...KUMA, headers: '7' }] }, 'headers'],
    ['uptimerobot', { monitors: [{ ...V2, custom_http_headers: 'X-A: b' }] }, 'custom_http_headers'],
    ['uptimerobot', { data: [{ ...V3, customHttpHeaders: 'X-A: b' }] }, 'customHttpHeaders'],
  ])('of %s has headers that are left, with what to do: %j', (tool, source, what) => {
    const { text, imported } = convert(tool, JSON.stringify(source));
    expect(text).not.toContain('headers');
    const advice = 'they are no JSON of names and texts: write what is to be sent as headers';
    expect(imported.left).toEqual([{ what, of: 'a', advice, count: 1 }]);
  });

  it('has no headers where none are in the text of them', () => {
    const { text, imported } = convert('uptime-kuma', JSON.stringify([{ ...KUMA, headers: '{}' }]));
    expect(text).not.toContain('headers');
    expect(imported.left).toEqual([]);
  });

  it.each<[ToolName, object]>([
    ['uptime-kuma', [KUMA, { ...KUMA, name: 'files', url: 'ftp://b' }]],
    ['uptimerobot', { monitors: [V2, { ...V2, friendly_name: 'files', url: 'ftp://b' }] }],
    ['uptimerobot', { data: [V3, { ...V3, friendlyName: 'files', url: 'ftp://b' }] }],
    ['uptimerobot', { data: [V3, { ...V3, friendlyName: 'files', url: 'redis://b' }] }],
  ])('of %s is refused where it asks by HTTP for another scheme: %j', (tool, source) => {
    const { imported } = convert(tool, JSON.stringify(source));
    expect(imported.targets.map(({ id }) => id)).toEqual(['a']);
    expect(imported.left.map(({ what, of }) => `${what} of ${of}`)).toEqual(['the address of files']);
  });

  it('has a name of 100 characters at most, in the report too', () => {
    const monitors = [{ ...KUMA, name: 'n'.repeat(1_000_000), proxyId: 1 }];
    const { text, imported } = convert('uptime-kuma', JSON.stringify(monitors));
    expect(problemsIn('t', text, imported)).toEqual([]);
    expect(imported.targets[0]?.options.get('NAME')).toBe(`${'n'.repeat(99)}…`);
    expect(imported.left.map(({ of }) => of?.length)).toEqual([100]);
  });

  it('is named once in a line of the report, however many of its windows are left', async () => {
    const maintenanceWindows = Array.from({ length: 3 }, () => ({ interval: 'monthly' }));
    const source = JSON.stringify({ data: [{ ...V3, friendlyName: 'weird', maintenanceWindows }, GOOD] });
    const lines: string[] = [];
    writeFileSync('windows.json', source);
    const terminal = { out: (line: string) => lines.push(line), err: (line: string) => lines.push(line) };
    await importTool(['--from', 'uptimerobot', 'windows.json', '--output', '-'], terminal as never);
    expect(lines.join('\n')).toContain('\n  maintenanceWindows of weird: write it as');
  });
});

describe('a hostile file', () => {
  const LONG = inject('long') ? 200_000 : 50_000;
  const MANY = LONG / 10;
  it.each<[string, ToolName, string]>([
    [
      'one condition of spaces',
      'gatus',
      `endpoints: [{ url: "https://a.test", conditions: ["${' '.repeat(LONG)}"] }]`,
    ],
    [
      'a pattern of stars',
      'gatus',
      `endpoints: [{ url: "https://a.test", conditions: ["[BODY] == pat(${'*'.repeat(LONG)}a)"] }]`,
    ],
    ['backquotes that are not closed', 'uptimeflare', `const workerConfig = { a: ${'\\`'.repeat(LONG)}`],
    ['comments that are not closed', 'uptimeflare', `const workerConfig = { a: f(${'/*'.repeat(LONG)}`],
    ['the constant again and again', 'uptimeflare', 'const workerConfig '.repeat(LONG / 10)],
    ...Array.from('ab/?@:<=&", ').map((sign): [string, ToolName, string] => [
      `names, addresses, headers and bodies of ${JSON.stringify(sign)}`,
      'upptime',
      JSON.stringify({
        sites: ['', '<a>', '{"a":"', 'a=', 'LOGIN '].map((begin) => ({
          ...{ name: sign.repeat(LONG), url: `https://a.test/${sign.repeat(LONG)}`, method: 'POST' },
          ...{ headers: [`X-A: ${sign.repeat(LONG)}`], body: `${begin}${sign.repeat(LONG)}` },
          tags: [`${begin}${sign.repeat(LONG)}`],
        })),
      }),
    ]),
    ...[
      ...['pw ', 'pw:', 'token:80,', 'token=${A},', 'token=a,', 'token" ', 'pw "', '?token=', 'a1'],
      ...['ghp_', 'a.', 'token is ', 'password of '],
    ].map((words): [string, ToolName, string] => [
      `descriptions of ${JSON.stringify(words)}`,
      'uptime-kuma',
      JSON.stringify([
        { name: words.repeat(MANY), description: words.repeat(MANY), type: 'http', url: 'https://a.test' },
      ]),
    ]),
    ['slashes', 'upptime', `sites: [{ url: "${'/'.repeat(LONG)}" }]`],
    ['brackets of links', 'upptime', `status-website: { introTitle: "${'['.repeat(LONG)}" }\nsites: []`],
    [
      'one name for all',
      'uptimerobot',
      JSON.stringify({
        monitors: Array.from({ length: MANY }, () => ({
          friendly_name: 'a',
          type: 1,
          url: 'https://a.test',
        })),
      }),
    ],
  ])('takes linear time: %s', (_name, tool, source) => {
    converted(tool, source);
  });

  it.each(TOOLS)('nested too deeply is refused for %s', (tool) => {
    for (const text of [
      '['.repeat(1_000_000),
      `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`,
      '- '.repeat(20_000),
    ])
      expect(converted(tool, text)).toMatch(new RegExp(`^This is no configuration of ${tool}: `));
    const constant = `const workerConfig = ${'['.repeat(5_000)}`;
    if (tool === 'uptimeflare') expect(converted(tool, constant)).toContain('nested too deeply');
  });

  it.each(TOOLS)('with wrong types and names of prototypes does no harm for %s', (tool) => {
    const wrong = [
      '7',
      'null',
      '[]',
      '{}',
      '"x"',
      'true',
      '[[7]]',
      '{"__proto__":{"a":1},"constructor":"x"}',
    ];
    for (const example of TOOL_EXAMPLES.filter((each) => each.tool === tool && each.source.startsWith('{'))) {
      const parsed = JSON.parse(example.source) as Record<string, unknown>;
      for (const key of Object.keys(parsed))
        for (const value of wrong)
          converted(tool, JSON.stringify({ ...parsed, [key]: JSON.parse(value) as unknown }));
      const [list] = Object.values(parsed).filter(Array.isArray) as Record<string, unknown>[][];
      for (const item of list ?? [])
        for (const key of Object.keys(item))
          for (const value of wrong)
            converted(
              tool,
              JSON.stringify({
                monitors: [{ ...item, [key]: JSON.parse(value) as unknown }],
                jobs: [],
                monitorList: [item],
              }),
            );
    }
    const header = '{"targets":[]}';
    expect(converted(tool, header)).toMatch(/^This is no configuration/);
    expect(Object.prototype).not.toHaveProperty('a');
  });

  it.each<[string, ToolName, (count: number) => unknown]>([
    [
      'windows',
      'uptimerobot',
      (count) => ({
        monitors: [
          {
            friendly_name: 'a',
            type: 1,
            url: 'https://a.test',
            mwindows: Array.from({ length: count }, () => ({ type: 2, start_time: '01:00', duration: 60 })),
          },
        ],
      }),
    ],
    [
      'conditions',
      'gatus',
      (count) => ({
        endpoints: [
          {
            name: 'a',
            url: 'https://a.test',
            conditions: Array.from({ length: count }, (_, index) => `[BODY].a${index} == 1`),
          },
        ],
      }),
    ],
    [
      'groups',
      'uptime-kuma',
      (count) => ({
        monitorList: [
          ...Array.from({ length: count }, (_, id) => ({ id, name: 'g', type: 'group' })),
          { name: 'a', type: 'http', url: 'https://a.test' },
        ],
      }),
    ],
  ])('with many %s of %s is read in reasonable time', (_, tool, made) => {
    expect(convert(tool, JSON.stringify(made(MANY))).imported.targets).toHaveLength(1);
  });

  it('keeps a header named __proto__', () => {
    const source =
      'endpoints: [{ name: a, url: "https://a.test", headers: { __proto__: b, constructor: c } }]';
    expect(convert('gatus', source).text).toContain('headers: { "__proto__": b, constructor: c }');
  });
});

describe('keepalive import --from', () => {
  it('writes a file for its owner, lists the rest, and replaces nothing unasked', async () => {
    writeFileSync('gatus.yaml', FIXTURES.gatus);
    const lines: string[] = [];
    const terminal = { out: (line: string) => lines.push(line) } as unknown as Parameters<
      typeof importTool
    >[1];
    const args = ['--from', 'gatus', '--output', 'out.yaml', 'gatus.yaml'];
    expect(await importTool(args, terminal)).toBe(0);
    expect(statSync('out.yaml').mode & 0o777).toBe(0o600);
    expect(lines[0]).toMatch(
      /^Wrote 3 targets to out\.yaml: \d+ of \d+ settings are carried over \(\d+ %\)\.$/,
    );
    expect(lines.join('\n')).toContain('FRONT_PAGE_AUTHORIZATION: the header Authorization of Front page');
    expect(lines.join('\n')).not.toContain('canary');
    const before = readFileSync('out.yaml', 'utf8');
    await expect(importTool(args, terminal)).rejects.toThrow('--force replaces it');
    expect(readFileSync('out.yaml', 'utf8')).toBe(before);
    expect(await importTool([...args, '--force'], terminal)).toBe(0);
    await expect(importTool(['--from', 'gatsu', 'gatus.yaml'], terminal)).rejects.toThrow(
      'unknown tool gatsu, did you mean gatus? It reads files of uptime-kuma, uptimerobot,',
    );
    await expect(importTool(['--from', 'gatus', 'none.yaml'], terminal)).rejects.toThrow(
      'none.yaml does not exist.',
    );
    writeFileSync('binary', Buffer.from([0x89, 0xff, 0x00]));
    await expect(importTool(['--from', 'upptime', 'binary'], terminal)).rejects.toThrow(
      'This is no configuration of upptime, or it is cut off: it is not UTF-8.',
    );
    expect(existsSync('targets.yaml')).toBe(false);
  });

  it('prints to stdout, and writes into no folder', async () => {
    writeFileSync('kuma.json', FIXTURES['uptime-kuma']);
    const [out, err]: [string[], string[]] = [[], []];
    const terminal = {
      out: (line: string) => out.push(line),
      err: (line: string) => err.push(line),
    } as unknown as Parameters<typeof importTool>[1];
    const from = ['--from', 'UptimeKuma', 'kuma.json', '--output'];
    expect(await importTool([...from, '-'], terminal)).toBe(0);
    expect(`${out.join('\n')}\n`).toBe(convert('uptime-kuma', FIXTURES['uptime-kuma']).text);
    expect(err[0]).toMatch(/^Wrote \d+ targets to the output: /);
    expect(existsSync('-')).toBe(false);
    mkdirSync('folder', { recursive: true });
    for (const force of [[], ['--force']])
      await expect(importTool([...from, 'folder', ...force], terminal)).rejects.toThrow(
        'folder is a folder: name a file, such as --output folder/targets.yaml.',
      );
    await expect(importTool([...from, 'none/a.yaml'], terminal)).rejects.toThrow(
      'The folder of the targets file does not exist.',
    );
  });

  it.each([
    ['kuma', 'uptime-kuma'],
    ['blackbox_exporter', 'blackbox'],
    ['prometheus', 'blackbox'],
    ['robot', 'uptimerobot'],
    ['cronjobs', 'cronjob.org'],
    ['upptme', 'upptime'],
  ])('asks for %s whether %s is meant', async (word, tool) => {
    await expect(importTool(['--from', word], {} as never)).rejects.toThrow(
      `unknown tool ${word}, did you mean ${tool}? It reads`,
    );
  });

  it.each(TOOLS)('is told where the file is of %s', (tool) => {
    const other = tool === 'gatus' ? 'upptime' : 'gatus';
    const examples = TOOL_EXAMPLES.filter((each) => each.tool === tool).map(({ source }) => source);
    for (const source of [FIXTURES[tool], ...examples])
      expect(() => convert(other, source)).toThrow(`It looks like one of ${tool}.`);
  });

  it.each<[ToolName, string, string]>([
    [
      'blackbox',
      'file_sd_configs: [{ files: [a.yml] }]',
      'j: file_sd_configs: put what is in its files into static_configs',
    ],
    ['blackbox', 'kubernetes_sd_configs: [{ role: service }]', '/api/v1/targets of Prometheus lists'],
  ])('says what to do where %s has no target of its own: %s', (tool, job, advice) => {
    expect(() => convert(tool, `scrape_configs: [{ job_name: j, metrics_path: /probe, ${job} }]`)).toThrow(
      advice,
    );
  });

  it('says what to do where no target can be watched', () => {
    const monitorList = [{ name: 'p', type: 'ping', hostname: 'p.test' }];
    expect(() => convert('uptime-kuma', JSON.stringify({ monitorList }))).toThrow(
      /^No target of this configuration of uptime-kuma can be carried over:\n {2}a monitor of type ping of p: Keepalive sends no ICMP/,
    );
  });

  it('carries over so much of the own examples of each tool (UPDATE_DOCS=1 writes it)', () => {
    const path = join(ROOT, 'docs/moving.md');
    const written = readFileSync(path, 'utf8');
    const [before = '', after = ''] = written.split(/\| example [^]*?\n\n/);
    const wanted = `${before}${shareTable()}\n\n${after}`;
    if (process.env['UPDATE_DOCS'] === '1') writeFileSync(path, wanted);
    else expect(written).toBe(wanted);
  });

  it('is described for each tool', () => {
    const text = readFileSync(join(ROOT, 'docs/moving.md'), 'utf8');
    for (const tool of TOOLS) expect(text).toContain(`\`${tool}\``);
  });
});
