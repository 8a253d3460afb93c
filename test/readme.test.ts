import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseConfig } from '../lib/config/config.js';
import { openSqlite } from './support/stores.js';
import { runChild } from './support/child.js';
import { ROOT } from './support/root.js';
import { configOf, Pinger } from './support/runs.js';
import { serveHttp } from './support/servers.js';

const DOCUMENTS = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'].concat(
  readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
);
const textOf = (name: string): string => readFileSync(join(ROOT, name), 'utf8');
const BLOCKS = DOCUMENTS.flatMap((name) => [...textOf(name).matchAll(/^```sh\n(.*?)^```/gms)]).map(
  ([, block = '']) => block,
);
const ASSIGNMENT = /^((?:TARGET|KEEP_ALIVE|ALERT)_\w+)=('[^']*'|\S+)/gm;
/** Those that the ports, the package manager or a deploy have to do with; CI and other tests run what they say. */
const COMMANDS = BLOCKS.flatMap((block) => [
  ...block.matchAll(/^node dist\/bin\/keepalive\.js ([^#\n]+)/gm),
]).map(([, command = '']) => command.trim());

/** As a shell would set them; what stands in angle brackets is for the reader to fill in. */
function environmentOf(block: string): Record<string, string> {
  const pairs = [...block.matchAll(ASSIGNMENT)].map(([, name = '', value = '']) => {
    const text = value.startsWith("'") ? value.slice(1, -1) : value;
    return [name, text.replace(/<[^>]*>/g, 'x')] as const;
  });
  return Object.fromEntries(pairs);
}

const home = mkdtempSync(join(tmpdir(), 'keepalive-readme-'));
afterAll(() => rmSync(home, { recursive: true }));

/** As GitHub makes them: lower case, without punctuation, `-` for blanks. */
const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

describe('the documents', () => {
  it.each(DOCUMENTS)('%s links to files and headings that exist', (name) => {
    const links = [...textOf(name).matchAll(/\]\((?!https?:|<)([^)#\s]*)(?:#([^)\s]*))?\)/g)];
    for (const [, path = '', anchor] of links) {
      const file = path === '' ? name : join(dirname(name), path);
      expect([path, existsSync(join(ROOT, file))]).toEqual([path, true]);
      if (anchor !== undefined) expect(anchorsOf(textOf(file)), `${path}#${anchor}`).toContain(anchor);
    }
  });

  it('README.md is short, and leads to every document', () => {
    const text = textOf('README.md');
    expect(text.split(/\s+/).length).toBeLessThan(1_200);
    for (const name of DOCUMENTS.filter((each) => each.startsWith('docs/')))
      expect(text, name).toContain(`](${name}`);
  });

  it.each(BLOCKS.map(environmentOf).filter((env) => Object.keys(env).length > 0))(
    'shows variables that are valid: %j',
    (env) => {
      const urls = Object.keys(env).flatMap((name) => {
        const [, id] = /^TARGET_([A-Z]+)_/.exec(name) ?? [];
        return id === undefined ? [] : [[`TARGET_${id}_URL`, 'https://x.example.com/'] as const];
      });
      const result = parseConfig({ ...Object.fromEntries(urls), ...env });
      expect(result.ok ? [] : result.problems).toEqual([]);
    },
  );

  it('shows commands that work', async () => {
    expect(COMMANDS.map((command) => command.split(' ')[0])).toEqual(
      expect.arrayContaining(['doctor', 'check', 'config', 'schedule', 'export', 'import']),
    );
    const { port } = await serveHttp((_, response) => response.end('ok'));
    const env = { TARGET_API_URL: `http://127.0.0.1:${port}/`, KEEP_ALIVE_CONTROL_URLS: 'off' };
    const store = openSqlite(join(home, 'keepalive.db'));
    await new Pinger(configOf(env), store).run();
    await store.close();
    for (const command of COMMANDS) {
      const child = runChild(new URL('../bin/keepalive.ts', import.meta.url), command.split(' '), {
        cwd: home,
        env: { PATH: process.env.PATH ?? '', ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let said = '';
      for (const stream of [child.stdout, child.stderr])
        stream?.on('data', (chunk) => (said += String(chunk)));
      const [code] = (await once(child, 'close')) as [number];
      // A schedule needs a token and the doctor a trigger, which is what they say here.
      const mayFail = /^(?:schedule|doctor)/.test(command);
      expect(mayFail ? [0, 1] : [0], `${command}: ${said}`).toContain(code);
      expect(said).not.toContain('Usage');
    }
  });
});
