import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { GET, POST } from '../../api/page/[page].js';
import { setApp } from '../../lib/app.js';
import { confirmationToken } from '../../lib/http/confirmation-link.js';
import { MAIL_REQUESTS_FIELD, SUBSCRIBERS_FIELD } from '../../lib/record/fields.js';
import {
  CONFIRMATION_TTL,
  noSubscribers,
  readSubscribers,
  unsubscribeToken,
  writeSubscribers,
  type Subscribers,
} from '../../lib/record/subscribers.js';
import type { Store } from '../../lib/store/store.js';
import { configOf } from '../support/runs.js';
import { openRemoteStore } from '../support/stores.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { closedPort } from '../support/servers.js';
import { refusal, serveMail, type Mail, type MailServer } from '../support/smtp.js';

const ENV = {
  TARGET_A_URL: 'https://a.test/',
  CRON_SECRET: 'cron-secret-canary-0123',
  KEEP_ALIVE_PUBLIC_URL: 'https://status.test',
  ALERT_EMAIL_FROM: 'Acme <status@acme.test>',
  ALERT_EMAIL_TO: 'ops@acme.test',
  PAGE_TITLE: 'Acme',
  PAGE_SUBSCRIPTIONS: 'on',
};

let redis: RedisServer;
let store: Store;
let server: MailServer;
let mails: Mail[];
let network = 0;

beforeAll(async () => {
  redis = await startRedis();
  store = await openRemoteStore({ kind: 'redis', url: redis.url }, { prefix: 'k' });
});
afterAll(async () => {
  await store.close();
  await redis.stop();
});
beforeEach(async () => {
  await redis.flush();
  server = await serveMail();
  mails = server.mails as Mail[];
  open();
});
afterEach(() => setApp(null));

function open(env: Record<string, string> = {}): ReturnType<typeof configOf> {
  const config = configOf({ ...ENV, ALERT_SMTP_URL: server.url, ...env });
  setApp({ config, store });
  network += 1;
  return config;
}

interface Asked {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | URLSearchParams;
}

async function ask(path: string, { method = 'GET', headers = {}, body }: Asked = {}) {
  const request = new Request(`https://status.test${path}`, {
    method,
    headers: { accept: 'text/html', 'x-real-ip': `203.0.113.${network % 250}`, ...headers },
    ...(body !== undefined && { body }),
  });
  const answer = await (method === 'GET' ? GET : POST)(request);
  const text = await answer.text();
  return { status: answer.status, text, headers: answer.headers };
}

const subscribe = (address: string, headers: Record<string, string> = {}) =>
  ask('/subscribe', { method: 'POST', body: new URLSearchParams({ address }), headers });
const post = (path: string) => ask(path, { method: 'POST', body: 'List-Unsubscribe=One-Click' });

const bodyOf = ({ raw }: Mail): string => raw.replace(/=\r\n/g, '').replace(/=3D/g, '=');
const linkIn = (mail: Mail | undefined): string =>
  /\/confirm\?t=[\w-]+/.exec(mail ? bodyOf(mail) : '')?.[0] ?? '';

async function stored(): Promise<string[]> {
  const { fields } = await store.read({ fields: [SUBSCRIBERS_FIELD], logs: [] });
  return readSubscribers(fields.get(SUBSCRIBERS_FIELD) ?? null)?.list.map(({ address }) => address) ?? [];
}

async function unsubscribeLinkOf(address: string): Promise<string> {
  const { subscriberId } = await import('../../lib/record/subscribers.js');
  const { fields } = await store.read({ fields: [SUBSCRIBERS_FIELD], logs: [] });
  const subscribers = readSubscribers(fields.get(SUBSCRIBERS_FIELD) ?? null);
  return `/unsubscribe?t=${subscribers === null ? '' : subscriberId(subscribers, address)}`;
}

describe('a visitor', () => {
  it('subscribes by a link in a mail, and leaves with one click', async () => {
    expect((await ask('/subscribe')).text).toContain('name="address"');
    const sent = await subscribe('Ann@Example.com');
    expect([sent.status, await stored()]).toEqual([200, []]);
    expect(mails.map(({ to, from }) => [to, from])).toEqual([[['Ann@example.com'], 'status@acme.test']]);
    const link = linkIn(mails[0]);

    // Programs that look at mails open links.
    const page = await ask(link);
    expect([page.status, await stored()]).toEqual([200, []]);
    expect(page.text).toContain('<form class="sign-in" method="post"');
    expect(page.headers.get('x-frame-options')).toBe('DENY');
    for (let i = 0; i < 2; i += 1) {
      expect((await post(link)).text).toContain('You are subscribed');
      expect(await stored()).toEqual(['Ann@example.com']);
    }

    const leave = await unsubscribeLinkOf('ann@example.com');
    expect([(await ask(leave)).status, await stored()]).toEqual([200, ['Ann@example.com']]);
    for (let i = 0; i < 2; i += 1) {
      const left = await post(leave);
      expect([left.status, left.headers.get('cache-control'), await stored()]).toEqual([
        200,
        'private, no-store',
        [],
      ]);
    }
    const { fields } = await store.read({ fields: [SUBSCRIBERS_FIELD, MAIL_REQUESTS_FIELD], logs: [] });
    expect([...fields.values()].join()).not.toContain('example');

    // The link of before does not bring the address back.
    const replayed = await post(link);
    expect([replayed.status, await stored()]).toEqual([410, []]);
    expect(replayed.text).toContain('was unsubscribed after');
  });

  it('is told the same whether the address is known, unknown, refused by the server or out of mails', async () => {
    server = await serveMail({
      onRcptTo: ({ address }, _session, done) => done(/nobody/.test(address) ? refusal(550) : null),
    });
    open();
    const first = await subscribe('ann@example.com');
    await post(linkIn((server.mails as Mail[])[0]));
    expect(await stored()).toEqual(['ann@example.com']);
    const plain = (text: string) => text.replace(/\S+@example\.com/, '');
    for (const address of ['ann@example.com', 'nobody@example.com']) {
      const answer = await subscribe(address);
      expect([answer.status, plain(answer.text)]).toEqual([first.status, plain(first.text)]);
    }
    expect(server.mails).toHaveLength(1);
  });

  it('of a private page has signed in, but need not to follow a link', async () => {
    const config = open({ STATS_TOKEN: 'token-of-the-readers' });
    expect([(await ask('/subscribe')).status, (await subscribe('a@b.example')).status]).toEqual([401, 401]);
    const headers = { authorization: 'Bearer token-of-the-readers' };
    expect((await subscribe('a@b.example', headers)).status).toBe(200);
    expect((await post(linkIn(mails[0]))).status).toBe(200);
    expect((await post(await unsubscribeLinkOf('a@b.example'))).status).toBe(200);
    expect([config.statsToken, await stored()]).toEqual(['token-of-the-readers', []]);
  });

  it('sees no form where nobody can subscribe, and can leave all the same', async () => {
    await subscribe('a@b.example');
    await post(linkIn(mails[0]));
    open({ PAGE_SUBSCRIPTIONS: 'off' });
    const page = await ask('/subscribe');
    expect([page.status, page.text.includes('name="address"')]).toEqual([200, false]);
    expect(page.text).toContain('https://status.test/api/feed');
    expect((await subscribe('c@d.example')).status).toBe(404);
    expect((await post(await unsubscribeLinkOf('a@b.example'))).status).toBe(200);
    expect(await stored()).toEqual([]);
  });

  it('is told where no mail can be sent, and may try again at once', async () => {
    open({ ALERT_SMTP_URL: `smtp://127.0.0.1:${await closedPort()}` });
    expect((await subscribe('a@b.example')).status).toBe(503);
    open();
    expect((await subscribe('a@b.example')).status).toBe(200);
    expect(mails).toHaveLength(1);
  });
});

describe('within 5 s of what another process has done', () => {
  let other: Store;
  beforeAll(async () => {
    other = await openRemoteStore({ kind: 'redis', url: redis.url }, { prefix: 'k' });
  });
  afterAll(() => other.close());

  /** As another process would subscribe it, or take it away. */
  async function elsewhere(change: (before: Subscribers) => Subscribers): Promise<void> {
    const { fields } = await other.read({ fields: [SUBSCRIBERS_FIELD], logs: [] });
    const expected = fields.get(SUBSCRIBERS_FIELD) ?? null;
    const before = readSubscribers(expected) ?? noSubscribers('AAAAAAAAAAAAAAAAAAAAAA');
    await other.swap({ field: SUBSCRIBERS_FIELD, expected, value: writeSubscribers(change(before)) });
  }
  const withAddress = (address: string) => (before: Subscribers) => ({
    ...before,
    list: [...before.list, { address, language: 'en' }],
  });

  it('a visitor leaves', async () => {
    const config = open();
    await elsewhere(withAddress('bob@example.com'));
    const token = async (address: string) =>
      unsubscribeToken(config, (await unsubscribeLinkOf(address)).split('t=')[1] ?? '');
    // The process reads who is subscribed.
    expect((await post(`/unsubscribe?t=${await token('nobody@example.com')}`)).status).toBe(200);
    await elsewhere(withAddress('ann@example.com'));
    const link = `/unsubscribe?t=${await token('ann@example.com')}`;
    expect((await post(link)).text).toContain('You are unsubscribed');
    expect(await stored()).toEqual(['bob@example.com']);
    const before = await redis.callsMade();
    for (let i = 0; i < 50; i += 1) await post(link);
    expect((await redis.callsMade()) - before).toBeLessThan(5);
  });

  it('a visitor comes back', async () => {
    const config = open();
    await elsewhere(withAddress('ann@example.com'));
    expect((await post('/unsubscribe?t=AAAAAAAAAAAAAAAAAAAAAA')).status).toBe(200);
    await elsewhere((before) => ({ ...before, list: [] }));
    const token = confirmationToken(config, {
      address: 'ann@example.com',
      language: 'en',
      asked: Date.now(),
    });
    expect((await post(`/confirm?t=${token}`)).text).toContain('You are subscribed');
    expect(await stored()).toEqual(['ann@example.com']);
    const before = await redis.callsMade();
    for (let i = 0; i < 50; i += 1) await post(`/confirm?t=${token}`);
    expect((await redis.callsMade()) - before).toBeLessThan(5);
  });
});

describe('a link that confirms is refused', () => {
  const now = Date.now();
  const valid = { address: 'ann@example.com', language: 'en', asked: now };
  const tokenOf = (env: Record<string, string>, asked = now) =>
    confirmationToken(configOf({ ...ENV, ALERT_SMTP_URL: 'smtp://h', ...env }), { ...valid, asked });

  it.each([
    ['of another secret', tokenOf({ CRON_SECRET: 'another-secret-0123456' }), 400],
    ['of another installation', tokenOf({ KEEP_ALIVE_PREFIX: 'other' }), 400],
    ['that is too old', tokenOf({}, now - CONFIRMATION_TTL - 1), 410],
    ['of the future', tokenOf({}, now + 3_600_000), 410],
    ['that was cut', tokenOf({}).slice(0, -4), 400],
    ['with something behind it', `${tokenOf({})}A`, 400],
    ['of nothing', '', 400],
    ['of zeros', 'A'.repeat(80), 400],
    ['that is endless', 'A'.repeat(60_000), 400],
    ['with strange characters', encodeURIComponent('é\0<script>'), 400],
  ])('%s', async (_what, token, status) => {
    for (const answer of [await ask(`/confirm?t=${token}`), await post(`/confirm?t=${token}`)]) {
      expect(answer.status).toBe(status);
      expect(answer.text).toContain('This link does not work');
      expect(answer.text).not.toMatch(/canary|<script>(?!<)/);
    }
    expect(await stored()).toEqual([]);
  });

  it('with any byte changed', async () => {
    const token = tokenOf({});
    for (let i = 0; i < token.length; i += 7) {
      const changed = `${token.slice(0, i)}${token[i] === 'A' ? 'B' : 'A'}${token.slice(i + 1)}`;
      expect((await post(`/confirm?t=${changed}`)).status).toBe(400);
    }
    expect((await post(`/confirm?t=${token}`)).status).toBe(200);
    expect(await stored()).toEqual(['ann@example.com']);
  });
});

it.each(['', 'A'.repeat(22), 'A'.repeat(23), 'A'.repeat(10_000), '../../x', '%00'])(
  'a link that unsubscribes and names nobody takes nobody away: %.30s',
  async (token) => {
    await subscribe('ann@example.com');
    await post(linkIn(mails[0]));
    expect((await post(`/unsubscribe?t=${token}`)).status).toBe(token.length === 22 ? 200 : 400);
    expect(await stored()).toEqual(['ann@example.com']);
  },
);

describe('the form', () => {
  it.each([
    ['a header', 'ann@example.com\r\nBcc: bob@example.com'],
    ['two addresses', 'ann@example.com, bob@example.com'],
    ['a name', 'Ann <ann@example.com>'],
    ['nothing', ''],
    ['what is too long', `${'a'.repeat(300)}@example.com`],
  ])('does not take %s', async (_what, address) => {
    expect((await subscribe(address)).status).toBe(400);
    expect(mails).toEqual([]);
  });

  it('is not taken from another site, nor where it is too large', async () => {
    expect((await subscribe('ann@example.com', { origin: 'https://evil.test' })).status).toBe(403);
    expect((await subscribe(`${'a'.repeat(5_000)}@example.com`)).status).toBe(413);
    expect(mails).toEqual([]);
  });

  it('answers programs in JSON', async () => {
    const answer = await subscribe('nonsense', { accept: 'application/json' });
    expect([answer.status, JSON.parse(answer.text)]).toMatchObject([400, { error: { code: 'bad_request' } }]);
  });

  it('sends a mailbox one mail a minute, whatever its tags', async () => {
    for (const address of ['ann@example.com', 'ANN@example.com', 'ann+1@example.com', 'ann+2@example.com']) {
      expect((await subscribe(address)).status).toBe(200);
    }
    expect(mails).toHaveLength(1);
  });

  it('sends 20 mails a network and 25 an hour for hundreds of posts, for few store commands', async () => {
    const codes = new Map<number, number>();
    const before = await redis.callsMade();
    for (let i = 0; i < 500; i += 1) {
      const headers = { 'x-real-ip': i < 250 ? '198.51.100.7' : `198.51.100.${i % 200}` };
      const { status } = await subscribe(`victim-${i}@example.com`, headers);
      codes.set(status, (codes.get(status) ?? 0) + 1);
    }
    const commands = (await redis.callsMade()) - before;
    console.log(
      `500 forms: ${JSON.stringify([...codes])}, ${mails.length} mails, ${commands} store commands`,
    );
    expect(mails).toHaveLength(25);
    expect(commands).toBeLessThan(200);
    expect([...codes.keys()].sort()).toEqual([200, 429]);
  });
});
