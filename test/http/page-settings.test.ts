import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GET as feed } from '../../api/feed/[format].js';
import { GET as page, POST as signIn } from '../../api/page/[page].js';
import { setApp } from '../../lib/app.js';
import type { Store } from '../../lib/store/store.js';
import { ROOT } from '../support/root.js';
import { openRemoteStore } from '../support/stores.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { configOf, GOOD, Pinger } from '../support/runs.js';

const NASTY = `"><script>alert(1)</script>'&`;
const ENV = {
  TARGET_A_URL: 'https://a.test/',
  PAGE_TITLE: `Acme ${NASTY}`,
  PAGE_DESCRIPTION: `Shops ${NASTY}`,
  PAGE_LOGO_URL: 'https://cdn.test/a;b,c.svg?v=1',
  PAGE_HOME_URL: 'https://www.acme.test/?a="&b',
  PAGE_CONTACT_URL: 'mailto:ops@acme.test',
  PAGE_LINKS: 'Docs <b> https://acme.test/docs',
  PAGE_FRAME_ANCESTORS: 'self, https://acme.test',
};
const PAGES = ['/', '/history', '/t/a', '/t/nobody', '/nowhere'];
const TOKEN = 'token-of-the-readers';

let redis: RedisServer;
let store: Store;

beforeEach(async () => {
  redis = await startRedis();
  store = await openRemoteStore({ kind: 'redis', url: redis.url }, { prefix: 'k' });
});
afterEach(async () => {
  setApp(null);
  await store.close();
  await redis.stop();
});

async function open(env: Record<string, string>): Promise<void> {
  const config = configOf(env);
  const pinger = new Pinger(config, store);
  pinger.now = Date.now() - 30_000;
  pinger.attempt = () => GOOD;
  await pinger.run();
  setApp({ config, store });
}

async function ask(path: string, init: { readonly headers?: Readonly<Record<string, string>> } = {}) {
  const headers = { accept: 'text/html', ...init.headers };
  const answer = await page(new Request(`https://pinger.test${path}`, { ...init, headers }));
  const policy = new Map(
    (answer.headers.get('content-security-policy') ?? '').split('; ').map((each) => {
      const [name = '', ...sources] = each.split(' ');
      return [name, sources.join(' ')];
    }),
  );
  return { answer, policy, html: await answer.text(), framing: answer.headers.get('x-frame-options') };
}

describe('what the operator says of the page', () => {
  it('is on every page, escaped, and the policy follows it', async () => {
    await open(ENV);
    for (const path of PAGES) {
      const { html, policy, framing } = await ask(path);
      expect(html, path).toContain('Acme &quot;>&lt;script>alert(1)');
      expect(html, path).toContain('<meta name="description" content="Shops &quot;>');
      expect(html, path).toContain('src="https://cdn.test/a;b,c.svg?v=1"');
      expect(html, path).toContain('href="https://www.acme.test/?a=%22&amp;b"><bdi>acme.test</bdi>');
      expect(html, path).toContain('href="mailto:ops@acme.test"');
      expect(html, path).toContain('<a href="https://acme.test/docs"><bdi>Docs &lt;b></bdi>');
      expect(html, path).not.toContain('<script>');
      expect(html, path).not.toContain('· Keepalive');
      expect(policy.get('img-src'), path).toBe("'self' https://cdn.test/a%3Bb%2Cc.svg");
      expect(policy.get('frame-ancestors'), path).toBe("'self' https://acme.test");
      expect(policy.get('script-src'), path).toBe("'self'");
      expect(framing, path).toBeNull();
    }
    const atom = await (await feed(new Request('https://pinger.test/api/feed'))).text();
    expect(atom).toContain('Acme');
  });

  it('is nothing by default, and nobody may frame the page', async () => {
    await open({ TARGET_A_URL: 'https://a.test/' });
    for (const path of PAGES) {
      const { html, policy, framing } = await ask(path);
      expect(html, path).toContain('· Keepalive</title>');
      expect([policy.get('img-src'), policy.get('frame-ancestors'), framing], path).toEqual([
        "'self'",
        "'none'",
        'DENY',
      ]);
    }
  });

  it.each([
    ['data:image/png;base64,iVBORw0KGgo=', "'self' data:"],
    ['https://cdn.test/logo.png', "'self' https://cdn.test/logo.png"],
  ])('lets the logo %s in, and no other picture', async (logo, expected) => {
    await open({ TARGET_A_URL: 'https://a.test/', PAGE_LOGO_URL: logo });
    expect((await ask('/')).policy.get('img-src')).toBe(expected);
  });

  it.each([
    ['self', 'SAMEORIGIN'],
    ['*', null],
  ])('framed by %s is X-Frame-Options %s', async (text, expected) => {
    await open({ TARGET_A_URL: 'https://a.test/', PAGE_FRAME_ANCESTORS: text });
    expect((await ask('/')).framing).toBe(expected);
  });

  it('is what chats show of a link, with a picture of the state', async () => {
    await open({ ...ENV, KEEP_ALIVE_PUBLIC_URL: 'https://status.acme.test' });
    for (const [path, picture] of [
      ['/', 'up'],
      ['/t/a', 'up'],
      ['/history', 'up'],
      ['/t/nobody', 'unknown'],
    ] as const) {
      const { html } = await ask(path);
      const address = `https://status.acme.test/state-${picture}.png`;
      expect(html, path).toContain(`<meta property="og:image" content="${address}"/>`);
      expect(html, path).toContain('<meta property="og:description" content="Shops &quot;>');
      expect(existsSync(join(ROOT, `public/state-${picture}.png`))).toBe(true);
    }
    expect(existsSync(join(ROOT, 'public/apple-touch-icon.png'))).toBe(true);
    await open(ENV);
    const { html } = await ask('/');
    expect(html).not.toContain('og:image');
    expect(html).toContain('<meta property="og:title" content="All systems operational"/>');
  });

  it('is on the sign-in page too, which nobody may frame', async () => {
    await open({ ...ENV, STATS_TOKEN: TOKEN });
    const form = { method: 'POST', body: new URLSearchParams({ token: 'wrong' }) };
    const wrong = await signIn(
      new Request('https://pinger.test/sign-in', { ...form, headers: { accept: 'text/html' } }),
    );
    expect(wrong.headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    for (const path of ['/', '/t/a', '/sign-in']) {
      const { html, policy, framing } = await ask(path);
      expect(html, path).toContain('type="password"');
      expect(html, path).toContain('Acme &quot;>');
      expect([policy.get('frame-ancestors'), framing], path).toEqual(["'none'", 'DENY']);
    }
  });
});
