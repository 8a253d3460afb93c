import { describe, expect, it } from 'vitest';
import { setApp } from '../../lib/app.js';
import { openRemoteStore } from '../support/stores.js';
import { Books } from '../support/books.js';
import { configOf } from '../support/runs.js';
import { BROWSER, PHONE, illsOf, many, overflowOf, textOf, useVisitor } from '../support/visitor.js';

const MINUTE = 60_000;
const visitor = useVisitor();
const { visit, expectWell } = visitor;

describe('the first visit', () => {
  it.each([
    [
      'nothing is set up',
      {},
      false,
      503,
      ['Nothing is watched yet', 'UPSTASH_REDIS_REST_URL', 'TARGET_MY_API_URL'],
    ],
    ['no target is set', {}, true, 200, ['Nothing is watched yet', 'TARGET_MY_API_URL=https://']],
    ['no database is set', { TARGET_A_URL: 'https://a.test' }, false, 503, ['There is no database yet']],
    [
      'no run has come',
      { TARGET_A_URL: 'https://a.test' },
      true,
      200,
      ['Waiting for the first checks', 'No check has been made yet', 'keepalive doctor'],
    ],
  ])('says what to do where %s', async (_, env, hasStore, status, texts) => {
    setApp({ config: configOf(env), store: hasStore ? new Books().store : null });
    const answer = await fetch(`${visitor.origin}/`, BROWSER);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'text/html; charset=utf-8']);
    const seen = await visit('/', PHONE);
    const text = await textOf(seen.page);
    for (const each of texts) expect(text).toContain(each);
    expect(await overflowOf(seen.page)).toBeLessThanOrEqual(0);
    expect(await illsOf(seen.page)).toEqual([]);
    expectWell(seen);
  });

  it('says that the configuration is not valid, and no value of it', async () => {
    process.env.TARGET_A_URL = 'htp:/canary';
    try {
      setApp(null);
      const answer = await fetch(`${visitor.origin}/`);
      const text = await answer.text();
      expect(answer.status).toBe(500);
      expect(text).toContain('The configuration is not valid');
      expect(text).not.toMatch(/canary|TARGET_A/);
    } finally {
      delete process.env.TARGET_A_URL;
    }
  });

  it('says that the database is away', async () => {
    const store = await openRemoteStore(
      { kind: 'upstash', url: 'http://127.0.0.1:9', token: 'x' },
      { prefix: 'k' },
    );
    setApp({ config: many(1), store });
    for (const path of ['/', '/t/s000']) {
      const answer = await fetch(visitor.origin + path, BROWSER);
      expect([answer.status, await answer.text()]).toEqual([
        503,
        expect.stringContaining('The status cannot be shown right now') as string,
      ]);
    }
    await store.close();
  });
});

describe('a private status', () => {
  it('lets in who types the token, leads on to the page that was asked for, and lets out again', async () => {
    const config = many(1, { STATS_TOKEN: 'token-of-a-reader' });
    setApp({ config, store: new Books(MINUTE, config.targets).store });
    const seen = await visit('/t/s000', PHONE);
    const { page } = seen;
    expect(await illsOf(page)).toEqual([]);
    await page.getByLabel('Token').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    expect(await textOf(page, '[role=alert]')).toBe('That is not the token.');
    expect(await illsOf(page)).toEqual([]);
    await page.getByLabel('Token').fill('token-of-a-reader');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL('**/t/s000');
    expect(await textOf(page, 'h1')).toBe('Service 0');
    expect(await page.evaluate('document.cookie')).toBe('');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.waitForURL(`${visitor.origin}/`);
    expect(await textOf(page, 'h1')).toBe('This status is private');
    expectWell(seen);
  });
});
