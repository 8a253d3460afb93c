import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { convert, importTool, problemsIn } from '../../lib/cli/tool-import.js';
import { TOOLS, type ToolName } from '../../lib/cli/commands.js';

const TOKEN = 'cAn4ryT0k3nXy7Zw9Qv2';

/** A configuration of each tool that watches one address. */
const AT: Readonly<Record<ToolName, (url: string) => string>> = {
  'uptime-kuma': (url) => JSON.stringify({ monitorList: [{ name: 'a', type: 'http', url }] }),
  uptimerobot: (url) => JSON.stringify({ monitors: [{ friendly_name: '', type: 1, url }] }),
  gatus: (url) => JSON.stringify({ endpoints: [{ url }] }),
  uptimeflare: (url) => `const workerConfig = { monitors: [{ id: 'a', target: ${JSON.stringify(url)} }] }`,
  upptime: (url) => JSON.stringify({ sites: [{ url }] }),
  blackbox: (url) =>
    JSON.stringify({
      scrape_configs: [{ metrics_path: '/probe', static_configs: [{ targets: [url] }] }],
    }),
  'cronjob.org': (url) => JSON.stringify({ jobs: [{ title: '', url }] }),
};

const kuma = (more: object): string =>
  JSON.stringify({ monitorList: [{ name: 'a', type: 'http', url: 'https://a.test', ...more }] });

const KUMA = { id: 1, name: 'Shop', type: 'http', url: 'https://a.test' };
const ROBOT = { friendlyName: 'Shop', type: 'HTTP', url: 'https://a.test', interval: 300 };
const flare = (more: object): string =>
  `const workerConfig = { monitors: [${JSON.stringify({ id: 'a', name: 'a', target: 'https://a.test', ...more })}] }`;
const scrape = (job_name: string, labels: object): object => ({
  scrape_configs: [
    { job_name, metrics_path: '/probe', static_configs: [{ targets: ['https://a.test'], labels }] },
  ],
});
/** In descriptions, whatever stands behind the name of a password is taken for one. */
const isProse = (where: string): boolean => /description|tag|tooltip/.test(where);

const wholly = (tool: ToolName, source: string): string => {
  const { text, imported } = convert(tool, source);
  expect(problemsIn('t', text, imported)).toEqual([]);
  return `${text}\n${JSON.stringify([imported.left, imported.own, imported.unneeded, [...imported.variables]])}`;
};

describe('what is secret in the configuration of another tool', () => {
  it.each(TOOLS)('in an address of %s is neither written nor printed', (tool) => {
    for (const url of [
      'https://hooks.slack.com/services/canary/canary/canary',
      'https://discord.com/api/webhooks/1/canary',
      'https://api.telegram.org/bot1:canary/getMe',
      'https://a.test/hook/canary',
      `https://a.test/x/${TOKEN}/health`,
      `https://a.test/?${TOKEN}`,
      `https://a.test/?x=${TOKEN}#token=canary`,
      'https://a.test/?code=canary&k=canary&session=canary&token=canary&token=canary2',
      'https://u:canary@a.test/x',
      'https://u:can/canary@a.test/x',
      'https://u:can@canary@a.test/x',
    ])
      expect(wholly(tool, AT[tool](url)), url).not.toMatch(/canary|cAn4ry/);
  });

  it.each<[string, string, string]>([
    ['https://hooks.slack.com/services/T/B/x', 'https://hooks.slack.com/${A_PATH}', 'A_PATH'],
    ['https://a.test/api/webhooks/1/x?wait=1', 'https://a.test/api/webhooks/${A_PATH}?wait=1', 'A_PATH'],
    ['https://api.telegram.org/bot1:x/getMe', 'https://api.telegram.org/bot${A_PATH}/getMe', 'A_PATH'],
    [
      'https://a.test/?token=x&token=y',
      'https://a.test/?token=${A_TOKEN}&token=${A_TOKEN_2}',
      'A_TOKEN A_TOKEN_2',
    ],
  ])('is one variable each in %s', (url, wanted, variables) => {
    const { imported } = convert('uptime-kuma', kuma({ url }));
    expect(imported.targets[0]?.options.get('URL')).toBe(wanted);
    expect([...imported.variables.keys()].join(' ')).toBe(variables);
  });

  it.each([
    'https://a.test/webhooks/health',
    'https://a.test/auth/login2?lang=de&page=12#top',
    'https://a.test:8080/@user/my-api-2024-health-check-v2',
    'https://a.test/docs/utf8-to-base64-converter/index.html',
    'mongodb://a.test:1,b.test:2/d?x=a@b',
    'https://[::1]:8443/@x',
  ])('is not seen in %s', (url) => {
    const type = url.startsWith('mongodb') ? { type: 'mongodb', databaseConnectionString: url } : { url };
    expect(convert('uptime-kuma', kuma(type)).imported.targets[0]?.options.get('URL')).toBe(url);
  });

  it.each([
    [{ headers: '{"Referer":"https://a.test/?token=canary"}' }],
    [{ headers: `{"X-Id":"${TOKEN}"}` }],
    [{ headers: '{"X-Session":"canary"}' }],
    [{ type: 'websocket-upgrade', url: 'wss://a.test', wsSubprotocol: TOKEN }],
    [{ method: 'POST', body: '{"pin":12345678,"password":"canary"}' }],
    [{ method: 'POST', body: '<a><Password x="1">canary</Password></a>' }],
    [{ method: 'POST', body: `say ${TOKEN} twice: ${TOKEN}` }],
    [{ method: 'POST', body: '{"to":"https://hooks.slack.com/services/canary"}' }],
    [{ description: 'see https://a.test/?token=canary' }],
    [{ name: 'https://a.test/?token=canary' }],
    [{ authMethod: 'basic', basic_auth_user: 'canary', url: 'https://u:canary@a.test' }],
  ])('is hidden wherever it stands: %j', (more) => {
    expect(wholly('uptime-kuma', kuma(more))).not.toMatch(/canary|cAn4ry|12345678/);
  });

  it('is hidden in what is sent to a server line by line', () => {
    const query_response = [
      { send: 'AUTH canary' },
      { expect: 'OK' },
      { send: 'PASS canary' },
      { expect: 'OK' },
    ];
    const source = {
      modules: { m: { prober: 'tcp', tcp: { query_response } } },
      scrape_configs: [{ params: { module: ['m'] }, static_configs: [{ targets: ['a.test:1'] }] }],
    };
    expect(wholly('blackbox', JSON.stringify(source))).not.toContain('canary');
  });

  it('has a variable of its own where a header and a parameter have one name', () => {
    const { imported } = convert(
      'uptime-kuma',
      kuma({ url: 'https://a.test/?token=x', headers: '{"token":"y"}' }),
    );
    expect(imported.variables.size).toBe(2);
  });

  it('has a variable that is named after the host where the name has no Latin letter', () => {
    const source = kuma({ name: 'Сайт', url: 'https://api.test/', headers: '{"Authorization":"x"}' });
    const { text, imported } = convert('uptime-kuma', source);
    expect([...imported.variables.keys()]).toEqual(['API_TEST_AUTHORIZATION']);
    expect(text).toContain('id: api-test\n');
    expect(text).toContain('name: "Сайт"');
  });

  it.each([
    '{"tokens":["canary","canary"],"x":[1]}',
    '{"$password":"canary","api key":"canary"}',
    '<login user="a" password="canary and canary"/>',
    'user: a\npassword: canary canary\nx: y',
    "say = hi\nsecret = 'canary'",
  ])('in a body %s is neither written nor printed, and the rest stays', (body) => {
    const { text, imported } = convert('uptime-kuma', kuma({ method: 'POST', body }));
    expect(problemsIn('t', text, imported)).toEqual([]);
    expect(text).not.toContain('canary');
    expect(text).toContain('${A_BODY_');
    const rest = body.replace(/canary(?: and canary| canary)?/g, '');
    const written = imported.targets[0]?.options.get('BODY');
    expect(JSON.stringify(written).replace(/\$\{\w+\}/g, '')).toBe(JSON.stringify(rest));
  });

  /** A configuration of each tool with a text in each field that the page shows: names, groups, descriptions. */
  const SHOWN: Readonly<Record<string, readonly [ToolName, (text: string) => object | string]>> = {
    'a name of Uptime Kuma': ['uptime-kuma', (text) => ({ monitorList: [{ ...KUMA, name: text }] })],
    'a description of Uptime Kuma': [
      'uptime-kuma',
      (text) => ({ monitorList: [{ ...KUMA, description: text }] }),
    ],
    'a tag of Uptime Kuma': [
      'uptime-kuma',
      (text) => ({ monitorList: [{ ...KUMA, tags: [{ name: text, value: '' }] }] }),
    ],
    'the value of a tag of Uptime Kuma': [
      'uptime-kuma',
      (text) => ({ monitorList: [{ ...KUMA, tags: [{ name: 'env', value: text }] }] }),
    ],
    'a group of Uptime Kuma': [
      'uptime-kuma',
      (text) => ({
        monitorList: [
          { ...KUMA, parent: 7 },
          { id: 7, type: 'group', name: text },
        ],
      }),
    ],
    'a name of UptimeRobot v2': [
      'uptimerobot',
      (text) => ({ monitors: [{ friendly_name: text, type: 1, url: 'https://a.test' }] }),
    ],
    'a name of UptimeRobot': ['uptimerobot', (text) => ({ data: [{ ...ROBOT, friendlyName: text }] })],
    'a tag of UptimeRobot': ['uptimerobot', (text) => ({ data: [{ ...ROBOT, tags: [{ name: text }] }] })],
    'a custom field of UptimeRobot': [
      'uptimerobot',
      (text) => ({ data: [{ ...ROBOT, customFields: { note: text } }] }),
    ],
    'a group of UptimeRobot': [
      'uptimerobot',
      (text) => [{ data: [{ ...ROBOT, groupId: 7 }] }, { data: [{ id: 7, name: text }] }],
    ],
    'a name of Gatus': ['gatus', (text) => ({ endpoints: [{ name: text, url: 'https://a.test' }] })],
    'a group of Gatus': [
      'gatus',
      (text) => ({ endpoints: [{ name: 'a', group: text, url: 'https://a.test' }] }),
    ],
    'a name of Upptime': ['upptime', (text) => ({ sites: [{ name: text, url: 'https://a.test' }] })],
    'a slug of Upptime': [
      'upptime',
      (text) => ({ sites: [{ name: 'a', slug: text, url: 'https://a.test' }] }),
    ],
    'a tag of Upptime': [
      'upptime',
      (text) => ({ sites: [{ name: 'a', tags: [text], url: 'https://a.test' }] }),
    ],
    'a name of UptimeFlare': ['uptimeflare', (text) => flare({ name: text })],
    'an id of UptimeFlare': ['uptimeflare', (text) => flare({ id: text })],
    'a tooltip of UptimeFlare': ['uptimeflare', (text) => flare({ tooltip: text })],
    'a group of UptimeFlare': [
      'uptimeflare',
      (text) => `const pageConfig = { group: { ${JSON.stringify(text)}: ['a'] } }\n${flare({})}`,
    ],
    'a job of the blackbox exporter': ['blackbox', (text) => scrape(text, {})],
    'a label of the blackbox exporter': ['blackbox', (text) => scrape('j', { name: text })],
    'a title of cron-job.org': [
      'cronjob.org',
      (text) => ({ jobs: [{ title: text, url: 'https://a.test' }] }),
    ],
  };

  describe.each(Object.entries(SHOWN))('in %s', (where, [tool, source]) => {
    const read = (text: string): string => {
      const made = source(text);
      return wholly(tool, typeof made === 'string' ? made : JSON.stringify(made));
    };

    it.each([
      'Shop password: cAn4ry',
      'Shop api_token=canary',
      'Shop (secret: "canary canary")',
      'Shop pw cAn4ry, asks Bob',
      'Shop Server=db;Password=canary/canary;x=1',
      'Shop Authorization: Bearer canary',
      'Shop note: token: canary',
      'Shop ghp_canarycanary',
      'Shop xoxb-canary-canary',
      'Shop sk_live_canarycanary',
      'Shop AKIACANARYCANARY',
      'Shop -----BEGIN PRIVATE KEY-----canary/canary',
      'Shop session: canary1',
      `Shop ${TOKEN}`,
      `Shop (${TOKEN}), Bob`,
      'Shop https://a.test/?token=canary',
    ])('is neither written nor printed: %s', (text) => {
      expect(read(text)).not.toMatch(/canary|cAn4ry/i);
    });

    it.each([
      'Password reset',
      'Session store 2',
      'Auth: Europe',
      'Auth API (v2): eu-west-1',
      'd1a2b3c4e5f6.cdn.test',
    ])('is not seen in %s', (text) => {
      if (!where.startsWith('a custom field') && !/ (?:slug|id|label) /.test(where) && !isProse(where))
        expect(read(text)).toContain(text);
    });
  });

  it.each([
    ['pw canary', 'pw …'],
    ['the password is canary; ask Bob', 'the password is canary; ask Bob'.replace('is canary', '…')],
    ['password of the admin: canary', 'password of the admin: …'],
    ['Token service, port 8080, see https://a.test/auth/x', ''],
    ['Author: Bob. Monkey: Ann', ''],
    ['Cache session:6379', ''],
  ])('in a description: %s', (description, wanted) => {
    const { imported } = convert('uptime-kuma', kuma({ description }));
    expect(imported.targets[0]?.options.get('DESCRIPTION')).toBe(wanted || description);
    expect(imported.left.map(({ what }) => what)).toEqual(wanted === '' ? [] : ['description']);
  });

  it('in a tag whose name says so leaves the tag out, and the report names it', () => {
    const tags = [
      { name: 'api token', value: 'canary and canary' },
      { name: 'env', value: 'prod' },
    ];
    const { text, imported } = convert('uptime-kuma', kuma({ tags }));
    expect(text).toContain('description: "Tags: env: prod"');
    expect(imported.left.map(({ what }) => what)).toEqual(['the tag api token']);
  });

  it('in custom fields of UptimeRobot stays there, and the report says so', () => {
    const customFields = { api_token: 'canary', deploy: 'ghp_canary' };
    const source = JSON.stringify({ data: [{ ...ROBOT, customFields }] });
    expect(wholly('uptimerobot', source)).not.toContain('canary');
    const { imported } = convert('uptimerobot', source);
    expect(imported.left).toEqual([
      {
        what: 'customFields',
        of: 'Shop',
        advice: 'they are notes for you alone: write what visitors may read as description',
        count: 1,
      },
    ]);
    expect(imported.targets[0]?.options.has('DESCRIPTION')).toBe(false);
  });

  it('is the whole name of two targets, which are called after their addresses then', () => {
    const source = JSON.stringify({
      monitorList: ['a', 'b'].map((host) => ({ name: TOKEN, type: 'http', url: `https://${host}.test` })),
    });
    const { imported } = convert('uptime-kuma', source);
    expect(imported.targets.map(({ options }) => options.get('NAME'))).toEqual(['a.test', 'b.test']);
    expect(imported.left.map(({ what }) => what)).toEqual(['name', 'name']);
  });

  it('in JSON that is sent over a socket is not written', () => {
    const endpoint = { name: 'a', url: 'wss://a.test', body: '{"op":"login","token":"canary"}' };
    expect(wholly('gatus', JSON.stringify({ endpoints: [endpoint] }))).not.toContain('canary');
  });

  it('in what somebody called a notification or a proxy is not printed', async () => {
    const source = JSON.stringify({
      notificationList: [
        { id: 1, name: 'https://hooks.slack.com/services/T/B/canary', config: '{"type":"slack"}' },
        { id: 2, name: 'https://u:canary@b.test', config: '{"type":"slack"}' },
      ],
      proxyList: [{ host: 'http://u:canary@c.test' }],
      monitorList: [{ name: 'a', type: 'http', url: 'https://a.test' }],
    });
    const lines: string[] = [];
    const file = join(mkdtempSync(join(tmpdir(), 'keepalive-')), 'kuma.json');
    writeFileSync(file, source);
    const terminal = { out: (line: string) => lines.push(line), err: (line: string) => lines.push(line) };
    await importTool(['--from', 'uptime-kuma', file, '--output', '-'], terminal as never);
    expect(lines.join('\n')).toContain('the proxy http://…:…@c.test');
    expect(lines.join('\n')).not.toContain('canary');
  });
});
