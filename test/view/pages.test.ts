import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { setApp } from '../../lib/app.js';
import { openRemoteStore } from '../support/stores.js';
import { Books } from '../support/books.js';
import { lived } from '../support/lives.js';
import { startRedis } from '../support/redis.js';
import { startUpstashFront } from '../support/upstash-front.js';
import {
  BROWSER,
  LIVES,
  PHONE,
  QUICK,
  illsOf,
  many,
  overflowOf,
  secondsAgo,
  showThirty,
  textOf,
  useVisitor,
} from '../support/visitor.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const visitor = useVisitor();
const { visit, expectWell } = visitor;

describe('the page of a service', () => {
  it.each([
    ['wide', {}],
    ['wide and dark', { colorScheme: 'dark' } as const],
    ['on a phone', PHONE],
  ])('draws its charts %s', async (_, options) => {
    showThirty();
    const seen = await visit('/t/s001', options);
    await seen.page.locator('canvas').nth(1).waitFor();
    expect(await overflowOf(seen.page)).toBeLessThanOrEqual(0);
    expect(await illsOf(seen.page, 'colorScheme' in options ? 'contrasts' : undefined)).toEqual([]);
    expectWell(seen);
    const text = await textOf(seen.page);
    expect(text).toContain('Slept: pings were missed');
    expect(text).toContain('Sleeps after 5 m without a request');
  });

  it('shows figures and tables without scripts', async () => {
    showThirty();
    const seen = await visit('/t/s000', { javaScriptEnabled: false });
    expect(await seen.page.locator('svg.figure .p50').count()).toBe(2);
    await seen.page.locator('#checks summary').click();
    expect(await seen.page.locator('#checks tbody tr').count()).toBe(60);
    await seen.page.locator('#days summary').click();
    expect(await seen.page.locator('#days tbody tr').count()).toBe(90);
    expect(await textOf(seen.page)).toContain('1 Feb 2027');
    expectWell(seen);
  });

  it('says the value under the pointer', async () => {
    showThirty();
    const { page } = await visit('/t/s001');
    await page
      .locator('.u-over')
      .first()
      .hover({ position: { x: 300, y: 60 } });
    expect(await page.locator('.plot .tip').first().innerText()).toMatch(/\d\d:\d\d: \d+ ms, good/);
  });

  it('keeps open what was opened when it refreshes', async () => {
    showThirty();
    const { page, complaints } = await visit('/t/s000');
    await page.locator('#checks summary').click();
    await page.evaluate('document.getElementById("main").firstElementChild.id = "old"');
    await page.evaluate('document.dispatchEvent(new Event("keepalive:refresh"))');
    await page.locator('#old').waitFor({ state: 'detached' });
    expect(await page.locator('#checks').getAttribute('open')).not.toBeNull();
    await page.locator('canvas').nth(1).waitFor();
    expect(complaints).toEqual([]);
  });

  it('knows no other service', async () => {
    setApp({ config: many(1), store: new Books().store });
    const answer = await fetch(`${visitor.origin}/t/nobody`, BROWSER);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([404, 'private, no-store']);
    expect(await answer.text()).toContain('No such service');
  });
});

describe('the theme', () => {
  const scheme = 'getComputedStyle(document.body).backgroundColor';
  const LIGHT = 'rgb(251, 251, 250)';
  const DARK = 'rgb(13, 14, 16)';
  const theme = (page: Page) => page.getByLabel('Theme');

  it('is the system’s, until a visitor chooses one by keyboard; it stays, from the first paint on', async () => {
    showThirty();
    const seen = await visit('/', { colorScheme: 'dark' });
    const { page } = seen;
    expect(await page.evaluate(scheme)).toBe(DARK);
    await theme(page).focus();
    await page.keyboard.press('ArrowDown');
    expect(await theme(page).inputValue()).toBe('light');
    expect(await page.evaluate(scheme)).toBe(LIGHT);

    // What the page is painted with first, before its own script has run.
    await page.route('**/page.js', (route) => route.abort());
    await page.goto(`${visitor.origin}/history`);
    expect(await page.evaluate(scheme)).toBe(LIGHT);
    expect(await page.locator('meta[name=theme-color][media=all]').getAttribute('content')).toBe('#fbfbfa');
    await theme(page).selectOption('system');
    expect(await page.evaluate(scheme)).toBe(DARK);
    expect(await page.evaluate('localStorage.length')).toBe(0);
  });

  it('changes in another tab, and redraws the charts', async () => {
    showThirty();
    const { page } = await visit('/t/s001', { colorScheme: 'light' });
    await page.locator('canvas').nth(1).waitFor();
    const other = await page.context().newPage();
    await other.goto(visitor.origin);
    await page.evaluate('document.querySelector("canvas").id = "old"');
    await theme(other).selectOption('dark');
    await page.locator('#old').waitFor({ state: 'detached' });
    expect(await page.evaluate(scheme)).toBe(DARK);
    expect(await illsOf(page, 'contrasts')).toEqual([]);
  });

  it('is the system’s without scripts, and where the browser keeps nothing', async () => {
    showThirty();
    const plain = await visit('/', { javaScriptEnabled: false, colorScheme: 'dark' });
    expect(await plain.page.locator('.theme').isVisible()).toBe(false);
    expect(await plain.page.locator('body').evaluate('getComputedStyle(document.body).backgroundColor')).toBe(
      DARK,
    );
    const context = await visitor.context({ colorScheme: 'light' });
    await context.addInitScript(
      'Object.defineProperty(window, "localStorage", { get() { throw new Error() } })',
    );
    const page = await context.newPage();
    await page.goto(visitor.origin);
    await theme(page).selectOption('dark');
    expect(await page.evaluate(scheme)).toBe(DARK);
  });
});

describe('a visitor’s language, zone and hours', () => {
  it.each([
    ['en-US', 'America/New_York', /, \d{1,2}:\d\d [AP]M$/, 'America/New_York (GMT-'],
    ['en-GB', 'Asia/Tokyo', /, \d\d:\d\d$/, 'Asia/Tokyo (GMT+9)'],
    ['fr-CA', 'America/Toronto', /, \d\d h \d\d$/, 'America/Toronto (UTC−'],
    ['de', 'Europe/Berlin', /, \d\d:\d\d$/, 'Europe/Berlin (GMT+'],
  ])('%s in %s', async (locale, timezoneId, clock, zone) => {
    showThirty();
    const seen = await visit('/', { locale, timezoneId });
    const { page } = seen;
    expect(await page.evaluate('document.documentElement.lang')).toBe(locale.slice(0, 2));
    const time = await page.locator('.foot time').last().innerText();
    expect(time.replaceAll(/\s/g, ' ')).toMatch(clock);
    expect(await textOf(page, '#zone')).toContain(zone);
    expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    expectWell(seen);
  });

  it('are the operator’s where they are set, with and without scripts', async () => {
    const config = many(1, { PAGE_LANGUAGE: 'fr', PAGE_TIME_ZONE: 'Asia/Tokyo' });
    setApp({ config, store: lived(config, LIVES, secondsAgo(), QUICK).store });
    for (const javaScriptEnabled of [true, false]) {
      const { page } = await visit('/t/s000', {
        locale: 'de',
        timezoneId: 'Europe/Berlin',
        javaScriptEnabled,
      });
      const time = page.locator('.foot time').last();
      const at = new Date((await time.getAttribute('datetime')) ?? '');
      const tokyo = { hour: '2-digit', minute: '2-digit', timeZone: 'Asia/Tokyo' } as const;
      expect(await time.innerText()).toContain(at.toLocaleTimeString('fr', tokyo));
      expect(await textOf(page, '#zone')).toBe('Asia/Tokyo (UTC+9)');
      expect(await textOf(page, 'h2')).toBe('Disponibilité');
    }
  });

  it('are those of the charts and the bars too', async () => {
    showThirty();
    const { page, complaints } = await visit('/t/s000', { locale: 'de' });
    await page
      .locator('.u-over')
      .first()
      .hover({ position: { x: 300, y: 60 } });
    expect(await page.locator('.plot .tip').first().innerText()).toMatch(/ ms, erfolgreich$/);
    await page.locator('.days summary').first().focus();
    await page.keyboard.press('Home');
    expect(await textOf(page, '.tip.day')).toMatch(/^\d+\. \S+ (?:Keine Daten|Kein Ausfall)$/);
    expect(complaints).toEqual([]);
  });
});

describe('what browsers are told', () => {
  it('nothing but our own files, and the edge may keep the page for seconds', async () => {
    showThirty();
    for (const path of ['/', '/t/s000']) {
      const { headers } = await fetch(visitor.origin + path);
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      );
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('same-origin');
      expect(headers.get('cache-control')).toContain('s-maxage');
    }
  });

  it('files come with their types and are not sent twice; nothing outside their folder does', async () => {
    for (const [path, type] of [
      ['/style.css', 'text/css; charset=utf-8'],
      ['/page.js', 'text/javascript; charset=utf-8'],
      ['/theme.js', 'text/javascript; charset=utf-8'],
      ['/icon-512.png', 'image/png'],
      ['/vendor/uplot.js', 'text/javascript; charset=utf-8'],
      ['/favicon.svg', 'image/svg+xml'],
      ['/robots.txt', 'text/plain; charset=utf-8'],
    ] as const) {
      const { status, headers } = await fetch(visitor.origin + path);
      expect([status, headers.get('content-type')]).toEqual([200, type]);
      const etag = headers.get('etag') ?? '';
      const again = await fetch(visitor.origin + path, { headers: { 'if-none-match': etag } });
      expect(again.status).toBe(304);
    }
    for (const path of [
      '/..%2fpackage.js',
      '/%2e%2e/eslint.config.js',
      '/vendor/../../eslint.config.js',
      '/vendor',
      '/.env',
      '/none.js',
    ]) {
      expect((await fetch(visitor.origin + path)).status).toBe(404);
    }
    expect((await fetch(`${visitor.origin}/page.js`, { method: 'POST' })).status).toBe(404);
  });
});

describe('what a page of 200 services costs', () => {
  it('two store commands at most, and less than 150 KB compressed', async () => {
    const redis = await startRedis();
    const front = await startUpstashFront({ redisPort: redis.port, token: 'token' });
    const store = await openRemoteStore({ kind: 'upstash', url: front.url, token: 'token' }, { prefix: 'k' });
    const config = many(200);
    const { fields } = lived(config, LIVES, secondsAgo(), { ...QUICK, step: DAY, lately: 30 * MINUTE });
    await store.claim({ token: 'test', ttl: 1000, fields: [] });
    await store.commit({ token: 'test', fields: Object.fromEntries(fields), append: null, release: true });
    setApp({ config, store });
    const cost = async (path: string) => {
      const before = await redis.callsMade();
      front.reset();
      const began = process.cpuUsage();
      const answer = await fetch(visitor.origin + path);
      const text = await answer.text();
      const { user } = process.cpuUsage(began);
      expect(answer.status).toBe(200);
      return {
        commands: (await redis.callsMade()) - before,
        storeKB: Math.round(front.bytesOut / 1024),
        htmlKB: Math.round(text.length / 1024),
        gzipKB: Math.round(gzipSync(text).length / 1024),
        cpuMs: Math.round(user / 1000),
      };
    };
    const first = await cost('/');
    const status = await cost('/');
    const target = await cost('/t/s000');
    console.log('status page of 200 services, first:', first, 'again:', status, 'page of one:', target);
    expect(first.commands).toBeLessThanOrEqual(2);
    expect(status.commands).toBeLessThanOrEqual(2);
    expect(status.storeKB).toBeLessThan(first.storeKB / 10);
    expect(status.gzipKB).toBeLessThan(150);
    expect(target.commands).toBeLessThanOrEqual(4);
    expect(target.gzipKB).toBeLessThan(50);

    const seen = await visit('/', PHONE);
    expect(await seen.page.locator('.target').count()).toBe(200);
    expect(await overflowOf(seen.page)).toBeLessThanOrEqual(0);
    expectWell(seen);
    await store.close();
    await front.close();
    await redis.stop();
  });
});
