import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { difference, differenceLines } from '../../lib/cli/diff.js';
import { inForceLines, settingsInForce } from '../../lib/cli/settings-command.js';
import { validConfig } from '../../lib/config/valid.js';
import { ROOT } from '../support/root.js';

const plain = (_style: string, text: string): string => text;

const FILE = `defaults:
  interval: 2m
targets:
  - id: api
    url: https://user:canary@api.test/health?key=canary
    headers: { X-Key: "\${KEY}" }
    expectBody: "\${KEY}"
    retries: 1
  - id: db
    url: tcp://db.test:5432
`;

describe('what is in force', () => {
  const env = {
    KEY: 'canary',
    KEEP_ALIVE_TARGETS: 'monitors.yaml',
    TARGET_API_RETRIES: '0',
    KEEP_ALIVE_TIMEOUT: '3s',
    CRON_SECRET: 'canary-of-16-characters',
    ALERT_SLACK_URL: 'https://canary.test',
    KEEP_ALIVE_URLS: 'https://c.test/?canary',
  };

  it('is shown with where it comes from, and without secrets', async () => {
    writeFileSync('monitors.yaml', FILE);
    const found = await settingsInForce(await validConfig(env), env);
    expect(JSON.stringify(found)).not.toContain('canary');
    const of = (id: string) =>
      new Map(
        found.targets
          .find((target) => target.id === id)
          ?.options.map(({ name, value, from }) => [name, `${value} from ${from}`]),
      );
    const api = of('api');
    expect(
      ['URL', 'HEADERS', 'EXPECT_BODY', 'RETRIES', 'TIMEOUT', 'INTERVAL', 'NAME', 'METHOD'].map((name) =>
        api.get(name),
      ),
    ).toEqual([
      'https://api.test/health from monitors.yaml:5:10',
      '*** from monitors.yaml:6:14',
      '*** from monitors.yaml:7:17',
      '0 from TARGET_API_RETRIES',
      '3s from KEEP_ALIVE_TIMEOUT',
      '2m from monitors.yaml:2:13',
      'api from default',
      'GET from default',
    ]);
    // It has no such option.
    expect(of('db').get('METHOD')).toBeUndefined();
    expect(of('c-test').get('URL')).toBe('https://c.test/ from KEEP_ALIVE_URLS');
    const general = new Map(found.settings.map(({ name, value, from }) => [name, `${value} from ${from}`]));
    expect(general.get('CRON_SECRET')).toBe('*** from CRON_SECRET');
    expect(general.get('PORT')).toBe('3000 from default');
    const [short, whole] = [false, true].map((all) => inForceLines(found, all, plain).join('\n'));
    expect(short).not.toContain('default\n');
    expect(whole).toMatch(/PORT +3000 +default/);
  });
});

describe('what a new version changes', () => {
  const compare = async (before: string, after: string) => {
    writeFileSync('old.yaml', before);
    writeFileSync('new.yaml', after);
    return difference('old.yaml', 'new.yaml', {});
  };

  it('is none where a value is only spelled differently', async () => {
    const file = (interval: string) => `targets: [{ id: a, url: https://a.test, interval: ${interval} }]\n`;
    expect((await compare(file('5m'), file('300s'))).changed).toEqual([]);
    expect((await compare(file('5m'), file('301s'))).changed).toHaveLength(1);
  });

  it('is told target by target, without secrets and without needing them', async () => {
    const found = await compare(
      FILE,
      FILE.replace('2m', '1m').replace('id: db', 'id: dc').replace('X-Key', 'Y-Key') +
        '    alerts: [slack]\n',
    );
    expect(found).toMatchObject({
      added: [{ id: 'dc', healthUrl: 'tcp://db.test:5432' }],
      removed: [{ id: 'db', healthUrl: 'tcp://db.test:5432' }],
      changed: [
        { option: 'interval', from: '2m', to: '1m', targets: ['api'] },
        { option: 'headers', from: '***', to: '***', targets: ['api'] },
      ],
      before: { targets: 2, pings: 43_200 },
      after: { targets: 2, pings: 86_400 },
    });
    const lines = differenceLines(found, plain).join('\n');
    expect(lines).not.toContain('canary');
    expect(lines).toContain('~ api: headers changed (not shown)');
    expect(lines).toMatch(/pings +43,200 +86,400 +\+43,200/);
  });

  it('is told where whole values are variables that are not set', async () => {
    const of = (value: string, id: string, option: string) =>
      `targets:\n- {id: ${id}, url: '\${API_URL}', ${option}: '\${${value}}'}\n`;
    for (const option of ['recoveryUrl', 'headers', 'interval', 'maintenance', 'tlsClientCert', 'timeout']) {
      const same = await compare(of('ONE', 'a', option), of('ONE', 'a', option));
      expect([option, same.changed]).toEqual([option, []]);
      const other = await compare(of('ONE', 'a', option), of('TWO', 'a', option));
      expect(other.changed).toEqual([{ option, from: '***', to: '***', targets: ['a'] }]);
      const gone = await compare(of('ONE', 'a', option), `targets:\n- {id: a, url: '\${API_URL}'}\n`);
      expect(gone.changed).toEqual([expect.objectContaining({ option, from: '***', targets: ['a'] })]);
    }
    const { added } = await compare(of('ONE', 'a', 'headers'), of('ONE', 'b', 'headers'));
    expect(added).toEqual([{ id: 'b', healthUrl: 'https://api-url.invalid/' }]);
  });

  it('is what was set and what follows from it, not what another kind of target has no use for', async () => {
    const found = await compare(
      'targets: [{id: a, url: https://a.test}]',
      'targets: [{id: a, url: tcp://a.test:1}]',
    );
    expect(found.changed.map(({ option }) => option)).toEqual(['url']);
  });

  it('is nothing where nothing changes but the form', async () => {
    const json = '{"targets":[{"id":"a","url":"http://a.test","interval":"60s"}]}';
    const found = await compare(json, 'targets:\n- url: http://a.test\n  id: a\n  interval: 60s\n');
    expect(found).toMatchObject({ added: [], removed: [], changed: [] });
    expect(differenceLines(found, plain)[0]).toBe('No target changes.');
  });

  it('is not told of a version that is not valid: its mistakes are', async () => {
    await expect(compare(FILE, `${FILE}    timout: 1s`)).rejects.toThrow(
      /new\.yaml:11:5: unknown option timout/,
    );
  });

  it('is put on pull requests by an example that reads', () => {
    const { jobs } = parse(readFileSync(join(ROOT, 'examples/targets-diff.yml'), 'utf8')) as {
      jobs: { diff: { steps: { run?: string }[] } };
    };
    const runs = jobs.diff.steps.map(({ run = '' }) => run).join('\n');
    expect(runs).toContain('keepalive.js config --diff targets.yaml new/targets.yaml');
  });
});
