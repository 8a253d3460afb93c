import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { GET as page } from '../../api/page/[page].js';
import { GET as feed } from '../../api/feed/[format].js';
import { GET as keepalive } from '../../api/keepalive/[id].js';
import { DELETE, POST } from '../../api/maintenance/[change].js';
import { setApp } from '../../lib/app.js';
import type { NoteView, Stats, TargetHistory } from '../../lib/read/views.js';
import { NOTES_FIELD } from '../../lib/record/fields.js';
import { NOTES_KEPT, writeNotes } from '../../lib/record/notes.js';
import type { Store } from '../../lib/store/store.js';
import { meddled } from '../support/meddle.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { configOf } from '../support/runs.js';
import { openRemoteStore } from '../support/stores.js';
import { startUpstashFront, type UpstashFront } from '../support/upstash-front.js';

const SECRET = 'a-secret-of-32-characters-length';
const NOW = Date.UTC(2026, 10, 20, 12);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const config = configOf({
  CRON_SECRET: SECRET,
  TARGET_API_URL: 'http://api.test/',
  TARGET_API_NAME: 'Payments',
  TARGET_SHOP_URL: 'http://shop.test/',
});

let redis: RedisServer;
let front: UpstashFront;
let store: Store;
beforeAll(async () => {
  redis = await startRedis();
  front = await startUpstashFront({ redisPort: redis.port, token: 'front-token' });
  store = await openRemoteStore({ kind: 'upstash', url: front.url, token: front.token }, { prefix: 'k' });
});
afterAll(async () => {
  await store.close();
  await front.close();
  await redis.stop();
});
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW });
  vi.spyOn(store, 'now').mockImplementation(() => Date.now());
  await redis.flush();
  front.reset();
  setApp({ config, store });
});
afterEach(() => {
  setApp(null);
  vi.useRealTimers();
});

interface Answer {
  readonly id?: string;
  readonly notes?: readonly NoteView[];
  readonly error?: { readonly code: string; readonly message: string };
}
const send = async (
  method: 'POST' | 'DELETE',
  body?: unknown,
  { query = '', secret = SECRET, path = '/api/notes' } = {},
) => {
  const request = new Request(`http://localhost${path}${query}`, {
    method,
    headers: { authorization: `Bearer ${secret}` },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const response = await (method === 'POST' ? POST : DELETE)(request);
  expect(response.headers.get('cache-control')).toContain('no-store');
  return { status: response.status, ...((await response.json()) as Answer) };
};
const ask = async (handler: (request: Request) => Promise<Response>, path: string) =>
  (await handler(new Request(`http://localhost${path}`))).text();
const iso = (time: number) => new Date(time).toISOString();

describe('a note', () => {
  it('is on page, history and feed, and in the answers, until it is taken away', async () => {
    const { status, id, notes } = await send('POST', {
      text: ' We are moving.\r\n\r\nSee http://a.test/b?c=1. ',
    });
    expect(status).toBe(200);
    const note = { id, at: iso(NOW), until: iso(NOW + 3 * DAY), target: null, name: null };
    expect(notes).toEqual([{ ...note, text: 'We are moving.\nSee http://a.test/b?c=1.' }]);
    const shown = async () => {
      const texts = [];
      for (const path of ['/', '/t/api', '/t/shop', '/history']) texts.push(await ask(page, path));
      for (const path of ['/api/keepalive', '/api/keepalive/shop']) texts.push(await ask(keepalive, path));
      texts.push(await ask(feed, '/api/feed'));
      return texts.map((text) => text.includes('We are moving.'));
    };
    expect(await shown()).toEqual([true, true, true, true, true, true, true]);
    expect(await ask(page, '/')).toContain(
      'We are moving.\nSee <a href="http://a.test/b?c=1" rel="noreferrer nofollow ugc">http://a.test/b?c=1</a>.',
    );
    expect((JSON.parse(await ask(keepalive, '/api/keepalive')) as Stats).notes).toEqual(notes);
    expect(await send('DELETE', undefined, { query: `?id=${id}` })).toEqual({ status: 200, notes: [] });
    expect(await shown()).toEqual([false, false, false, false, false, false, false]);
  });

  it('of a target is on its page and not on those of others', async () => {
    await send('POST', { text: 'Only Payments.', target: 'api' });
    const texts = await Promise.all(['/t/api', '/t/shop', '/'].map((path) => ask(page, path)));
    expect(texts.map((text) => text.includes('Only Payments.'))).toEqual([true, false, true]);
    const history = JSON.parse(await ask(keepalive, '/api/keepalive/api')) as TargetHistory;
    expect(history.notes).toMatchObject([{ target: 'api', name: 'Payments', text: 'Only Payments.' }]);
    expect(await ask(feed, '/api/feed')).toContain('Note on Payments');
  });

  it('is only in the history once its time is over', async () => {
    await send('POST', { text: 'Tonight.', until: '2026-11-20T13:00+00:30' });
    vi.setSystemTime(NOW + HOUR / 2);
    expect((JSON.parse(await ask(keepalive, '/api/keepalive')) as Stats).notes).toEqual([]);
    expect(await ask(page, '/history')).toContain('Tonight.');
    expect(await ask(page, '/t/api')).not.toContain('Tonight.');
  });

  it('is text, whatever it looks like', async () => {
    await send('POST', { text: '<script>x</script> javascript:alert(1) https://"onload=x' });
    const html = await ask(page, '/');
    expect(html).toContain('&lt;script>x&lt;/script> javascript:alert(1) https://&quot;onload=x');
  });

  it('answers under the address that vercel.json sends it to', async () => {
    const path = '/api/maintenance/notes';
    expect(await send('POST', { text: 'x' }, { path })).toMatchObject({
      status: 200,
      notes: [{ text: 'x' }],
    });
    expect(await send('DELETE', undefined, { path })).toMatchObject({ status: 200, notes: [] });
  });

  it('loses none of ten that come at once', async () => {
    const texts = Array.from({ length: 10 }, (_, i) => `note ${i}`);
    const answers = await Promise.all(texts.map((text) => send('POST', { text })));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(10);
    const notes = (JSON.parse(await ask(keepalive, '/api/keepalive')) as Stats).notes;
    expect(notes.map(({ text }) => text).sort()).toEqual(texts);
  });
});

describe('taking away', () => {
  it.each([
    ['all', undefined, '', []],
    ['those of a target', undefined, '?target=api', ['all', 'shop']],
    ['those of a target, named in the body', { target: 'shop' }, '', ['all', 'api']],
  ])('%s', async (_, body, query, left) => {
    for (const target of [null, 'api', 'shop']) await send('POST', { text: target ?? 'all', target });
    const { notes } = await send('DELETE', body, { query });
    expect(notes?.map(({ text }) => text).sort()).toEqual(left);
  });

  it('an id that is not there is not found, and nothing is written', async () => {
    await send('POST', { text: 'x' });
    front.reset();
    expect(await send('DELETE', { id: 'nothing' })).toMatchObject({
      status: 404,
      error: { code: 'note_not_found' },
    });
    expect(front.requests).toHaveLength(1);
  });
});

describe('what is refused', () => {
  const TEXT = 'text: expected 1 to 1000 characters in at most 20 lines';
  const UNTIL = 'until: expected a time to come within 90 days, such as 2026-12-01T02:00Z';
  it.each<[string, unknown, string[]]>([
    ['nothing', '', [TEXT]],
    ['white space', { text: ' \n\r\n ' }, [TEXT]],
    ['a long text', { text: '漢'.repeat(1_001) }, [TEXT]],
    ['21 lines', { text: 'a\n'.repeat(21) }, [TEXT]],
    ['a control character', { text: '\u001b[31m' }, [TEXT]],
    ['a turned direction', { text: 'a\u202eb' }, [TEXT]],
    ['a line separator', { text: 'a\u2028b' }, [TEXT]],
    ['a time without a zone', { text: 'a', until: '2026-12-01T02:00' }, [UNTIL]],
    ['a day that does not exist', { text: 'a', until: '2027-02-30T02:00Z' }, [UNTIL]],
    ['a time that has passed', { text: 'a', until: '2026-11-20T12:00Z' }, [UNTIL]],
    ['a time far ahead', { text: 'a', until: '2027-12-01T02:00Z' }, [UNTIL]],
    ['__proto__', '{"text":"a","__proto__":{}}', ['"__proto__": unknown, expected text, target, until']],
  ])('%s', async (_, body, messages) => {
    const { status, error } = await send('POST', body);
    expect([status, error?.code, error?.message]).toEqual([400, 'bad_request', messages.join('; ')]);
    expect(front.requests.length).toBeLessThanOrEqual(1);
  });

  it('an unknown target, a wrong secret, and a longer body', async () => {
    expect(await send('POST', { text: 'a', target: '__proto__' })).toMatchObject({ status: 404 });
    expect(await send('POST', { text: 'a' }, { secret: 'wrong' })).toMatchObject({ status: 401 });
    expect(await send('DELETE', undefined, { secret: 'wrong' })).toMatchObject({ status: 401 });
    expect(await send('POST', { text: 'a'.repeat(20_000) })).toMatchObject({ status: 413 });
    expect(front.requests).toEqual([]);
  });

  it('one more than fit, until one is taken away', async () => {
    const notes = Array.from({ length: NOTES_KEPT }, (_, i) => ({
      ...{ id: `n${i}`, at: NOW - DAY, until: NOW + DAY, target: null, text: 'x' },
    }));
    await store.swap({ field: NOTES_FIELD, expected: null, value: writeNotes(notes) });
    expect(await send('POST', { text: 'a' })).toMatchObject({ status: 409, error: { code: 'notes_full' } });
    await send('DELETE', { id: 'n7' });
    expect(await send('POST', { text: 'a' })).toMatchObject({ status: 200 });
  });

  it('a change of what a newer Keepalive wrote', async () => {
    await store.swap({ field: NOTES_FIELD, expected: null, value: ' 3[]' });
    const answer = await send('POST', { text: 'a' });
    expect(answer).toMatchObject({ status: 503, error: { code: 'store_corrupt' } });
    expect(answer.error?.message).toContain('version 3');
    expect(await ask(page, '/')).toContain('Payments');
  });

  it('a change where others never leave it alone', async () => {
    const contested = { ...meddled(store, (_, work) => work()), swap: () => Promise.resolve(false) };
    setApp({ config, store: contested });
    expect(await send('POST', { text: 'a' })).toMatchObject({ status: 409, error: { code: 'conflict' } });
  });
});

it('the longest note is accepted, and read back whole', async () => {
  const text = Array.from({ length: 20 }, () => '🚀'.repeat(49)).join('\n');
  expect((await send('POST', { text })).notes?.[0]?.text).toBe(text);
});
