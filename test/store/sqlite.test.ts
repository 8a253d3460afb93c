import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openSqlite, texts } from '../support/stores.js';
import { runChild, type ChildOptions } from '../support/child.js';
import { storeContract } from './contract.js';

let root: string;
let files = 0;
let path: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'keepalive-sqlite-'));
});
afterAll(async () => {
  await rm(root, { recursive: true, force: true });
});
beforeEach(() => {
  path = join(root, `${++files}.db`);
});

const claim = (token: string) => ({ token, ttl: 300_000, fields: [] });
const commit = (token: string, fields: Record<string, string>) => ({
  token,
  fields,
  append: null,
  release: true,
});

describe('contract', () => {
  storeContract(() => Promise.resolve(openSqlite(path)));
});

test('keeps what was committed, and no lease, from one owner to the next', async () => {
  const first = openSqlite(path);
  await first.claim(claim('a'));
  await first.commit({
    ...commit('a', { x: '1' }),
    append: { log: 'l', offset: 0, text: 'log' },
    release: false,
  });
  await first.close();
  const second = openSqlite(path);
  expect(await second.claim(claim('b'))).toMatchObject({ claimed: true });
  expect(await second.read({ fields: ['x'], logs: ['l'] })).toEqual({
    fields: texts({ x: '1' }),
    logs: texts({ l: 'log' }),
  });
  await second.close();
});

test('creates the directory', async () => {
  const store = openSqlite(join(root, 'a', 'b', 'c.db'));
  await store.ping();
  await store.close();
});

test('leaves one file behind when closed', async () => {
  const directory = join(root, 'tidy');
  const store = openSqlite(join(directory, 'keepalive.db'));
  await store.claim(claim('a'));
  await store.commit(commit('a', { x: '1' }));
  await store.close();
  expect(await readdir(directory)).toEqual(['keepalive.db']);
});

describe('a file that is no sound database of ours', () => {
  const refusal = (code: string) => expect.objectContaining({ name: 'StoreError', code }) as Error;

  const writeDatabase = async () => {
    const store = openSqlite(path);
    await store.claim(claim('a'));
    await store.commit(
      commit('a', Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`field ${i}`, 'x'.repeat(100)]))),
    );
    await store.close();
    return readFile(path);
  };

  test.each([
    ['a text file', async () => writeFile(path, 'To whom it may concern. '.repeat(400))],
    ['a short text file', async () => writeFile(path, 'hello')],
    [
      'a database with overwritten pages',
      async () => {
        const bytes = await writeDatabase();
        await writeFile(path, bytes.fill(0x5a, 4096 * 2, 4096 * 6));
      },
    ],
    [
      'a database cut in half',
      async () => {
        const bytes = await writeDatabase();
        await truncate(path, Math.floor(bytes.length / 2));
      },
    ],
    [
      "another program's database",
      async () => {
        const { default: Database } = await import('libsql');
        const other = new Database(path);
        other.exec('CREATE TABLE fields (name TEXT PRIMARY KEY, value TEXT NOT NULL)');
        other.close();
      },
    ],
  ])('%s is refused and stays as it is', async (_, create) => {
    await create();
    const before = await readFile(path);
    expect(() => openSqlite(path)).toThrow(refusal('store_corrupt'));
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  test('a directory in its place is refused', async () => {
    await mkdir(path);
    expect(() => openSqlite(path)).toThrow(refusal('store_unreachable'));
  });

  test('a file where the directory should be is refused', async () => {
    await writeFile(path, '');
    expect(() => openSqlite(join(path, 'keepalive.db'))).toThrow(refusal('store_unreachable'));
  });

  test('every message names the path and the cause', async () => {
    await writeFile(path, 'hello');
    const folder = join(root, 'a folder');
    await mkdir(folder);
    const messages = [path, join(path, 'x.db'), join(path, 'y', 'x.db'), folder].map((each) => {
      try {
        openSqlite(each);
      } catch (error) {
        return (error as Error).message;
      }
      return 'opened';
    });
    expect(messages).toEqual([
      `cannot open ${path}: the database file is not a database`,
      `cannot open ${join(path, 'x.db')}: a part of the path is a file, not a folder`,
      `cannot open ${join(path, 'y', 'x.db')}: a part of the path is a file, not a folder`,
      `cannot open ${folder}: it is a folder, not a file`,
    ]);
  });
});

/** The last nine bits of its mode. */
const modeOf = async (file: string) => ((await stat(file)).mode & 0o777).toString(8);

describe.skipIf(process.platform === 'win32')('the files', () => {
  const filesOf = async (folder: string) => {
    const names = await readdir(folder);
    return Promise.all(names.map(async (name) => [name, await modeOf(join(folder, name))]));
  };

  test('can be read by their owner alone, whatever the umask', async () => {
    const folder = join(root, 'private');
    const umask = process.umask(0);
    try {
      const store = openSqlite(join(folder, 'k.db'));
      await store.claim(claim('a'));
      await store.commit(commit('a', { x: '1' }));
      const open = await filesOf(folder);
      expect(open.map(([name]) => name)).toEqual(expect.arrayContaining(['k.db', 'k.db-wal']));
      expect(open.map(([, mode]) => mode)).toEqual(open.map(() => '600'));
      await store.close();
      expect(await filesOf(folder)).toEqual([['k.db', '600']]);
    } finally {
      process.umask(umask);
    }
  });

  test('of an earlier version lose the permissions that they had for others', async () => {
    const store = openSqlite(path);
    await store.close();
    await chmod(path, 0o644);
    await writeFile(`${path}-wal`, '', { mode: 0o644 });
    await openSqlite(path).close();
    expect(await modeOf(path)).toBe('600');
  });
});

test('says that it creates the folder, and what it may not do', async () => {
  const lines: string[] = [];
  const folder = join(root, 'new', 'folder');
  await openSqlite(join(folder, 'k.db'), (line) => lines.push(line)).close();
  await openSqlite(join(folder, 'k.db'), (line) => lines.push(line)).close();
  expect(lines).toEqual([`Created the folder ${folder}.`]);
});

describe('another process', () => {
  const run = (task: string, options?: ChildOptions) =>
    runChild(new URL('../support/sqlite-child.ts', import.meta.url), [path, task], options);
  const message = async (child: ChildProcess) => ((await once(child, 'message')) as [unknown])[0];
  const kill = async (child: ChildProcess) => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };

  test('cannot open the file while its owner lives, and can once it was killed', async () => {
    const owner = run('hold');
    expect(await message(owner)).toBe('holding');
    expect(() => openSqlite(path)).toThrow('another process uses the database');
    await kill(owner);
    const store = openSqlite(path);
    expect(await store.claim(claim('b'))).toMatchObject({ claimed: true });
    await store.close();
  });

  test('killed while it commits, leaves every commit whole and every acknowledged one there', async () => {
    const writer = run('write');
    let acknowledged = 0;
    writer.on('message', (count) => (acknowledged = count as number));
    while (acknowledged < 50) await message(writer);
    await kill(writer);
    const store = openSqlite(path);
    const { fields, logs } = await store.read({ fields: ['count', 'copy'], logs: ['l'] });
    expect(Number(fields.get('count'))).toBeGreaterThanOrEqual(acknowledged);
    expect(fields.get('copy')).toBe(fields.get('count'));
    expect(logs.get('l')).toBe('x'.repeat(Number(fields.get('count'))));
    await store.close();
  });

  test('that may write no further reports it, and what was committed can be read', async () => {
    const writer = run('fill', { fileBlocks: 2000 });
    expect(await message(writer)).toEqual({
      code: 'store_unreachable',
      message: 'the disk failed',
      first: 'kept',
    });
    await kill(writer);
    const store = openSqlite(path);
    expect(await store.read({ fields: ['first', 'large'], logs: [] })).toEqual({
      fields: texts({ first: 'kept' }),
      logs: texts({}),
    });
    await store.close();
  });
});
