import { describe, expect, inject, it } from 'vitest';
import { setApp } from '../../lib/app.js';
import { LANGUAGES } from '../../lib/types.js';
import { Books } from '../support/books.js';
import { lived } from '../support/lives.js';
import { configOf } from '../support/runs.js';
import { failedCheck, goodCheck } from '../support/targets.js';
import {
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

describe('the status page', () => {
  it.each([
    ['wide and light', {}],
    ['wide and dark', { colorScheme: 'dark' } as const],
    ['on a phone', PHONE],
    [
      'on a phone, dark, without scripts',
      { ...PHONE, colorScheme: 'dark', javaScriptEnabled: false } as const,
    ],
  ])('shows 30 services %s, to everybody', async (_, options) => {
    showThirty();
    const seen = await visit('/', options);
    expect(await textOf(seen.page, 'h1')).toBe('6 of 30 services are down');
    expect(await seen.page.locator('.target').count()).toBe(30);
    expect(await textOf(seen.page, '.incidents')).toContain('Returned an error (503)');
    expect(await seen.page.locator('.incident.open.down').count()).toBe(1);
    expect(await overflowOf(seen.page)).toBeLessThanOrEqual(0);
    const isDark = 'colorScheme' in options;
    if (!('javaScriptEnabled' in options)) {
      expect(await illsOf(seen.page, isDark ? 'contrasts' : undefined)).toEqual([]);
    }
    expectWell(seen);
  });

  it('shows one service, ungrouped, whose life began an hour ago', async () => {
    const config = configOf({ TARGET_API_URL: 'https://api.up.railway.app/', KEEP_ALIVE_INTERVAL: '5m' });
    const lives = [{ latency: 40, age: HOUR }];
    setApp({ config, store: lived(config, lives, secondsAgo(), QUICK).store });
    const seen = await visit('/', PHONE);
    expect(await textOf(seen.page, 'h1')).toBe('All systems operational');
    expect(await textOf(seen.page, '.group')).toMatch(/Services 1 All up.*api.*Up/);
    expect(await overflowOf(seen.page)).toBeLessThanOrEqual(0);
    expect(await illsOf(seen.page)).toEqual([]);
    expectWell(seen);
    const one = await visit('/t/api', PHONE);
    expect(await overflowOf(one.page)).toBeLessThanOrEqual(0);
    expect(await illsOf(one.page)).toEqual([]);
    expectWell(one);
  });

  it('tells the same to those who see no colours and no bars', async () => {
    showThirty();
    const { page } = await visit('/');
    const labels = await page
      .locator('svg.bars')
      .evaluateAll((all) => all.map((each) => each.ariaLabel ?? ''));
    expect(labels[0]).toMatch(/^Last 90 days: downtime on (1 day|2 days) of 90$/);
    expect(labels.some((label) => /no downtime on 21 days; no data on 69 days/.test(label))).toBe(true);
    const rows = await page.locator('.target').allInnerTexts();
    for (const row of rows) expect(row).toMatch(/^(Service \d+)\n+(Up|Down|Degraded)\b/);
    expect(rows.some((row) => row.includes('Slept: pings were missed'))).toBe(true);
  });

  it('puts times into the viewer’s zone, and leaves them in UTC without scripts', async () => {
    showThirty();
    const started = await visit('/', { timezoneId: 'Asia/Tokyo' });
    const iso = await started.page.locator('.incident time').first().getAttribute('datetime');
    const tokyo = new Intl.DateTimeFormat('en-GB', {
      hour: '2-digit',
      minute: '2-digit',
      timeZone: 'Asia/Tokyo',
    }).format(new Date(iso ?? ''));
    expect(await textOf(started.page, '.incident time')).toContain(tokyo);
    const plain = await visit('/', { javaScriptEnabled: false });
    const utc = await plain.page.locator('.incident time').first().getAttribute('datetime');
    expect(await textOf(plain.page, '.incident time')).toContain(`${utc?.slice(11, 16) ?? ''} UTC`);
  });

  it('says on paper on which day things were, not how long ago', async () => {
    showThirty();
    const { page } = await visit('/');
    const times = () => page.locator('time').allInnerTexts();
    const before = await times();
    expect(before.join()).toMatch(/ago/);
    await page.evaluate("dispatchEvent(new Event('beforeprint'))");
    const printed = await page.locator('.hero time, .incident time, .foot time').allTextContents();
    expect(printed.length).toBeGreaterThan(2);
    for (const text of printed) expect(text).toMatch(/\d+ \w+ 20\d\d|^\d\d:\d\d$/);
    expect((await times()).join()).not.toMatch(/ago/);
    await page.evaluate("dispatchEvent(new Event('afterprint'))");
    expect((await times()).join()).toMatch(/ago/);
  });

  it('has name and theme in one line on a phone, and the links below', async () => {
    showThirty();
    // The longest links; `npm run test:long` has all languages.
    for (const locale of inject('long') ? LANGUAGES : ['de', 'fr']) {
      const { page } = await visit('/', { ...PHONE, locale });
      const [brand, theme, links] = await Promise.all(
        ['.brand', '.theme', '.top nav'].map(async (part) => page.locator(part).boundingBox()),
      );
      const middle = (box: typeof brand) => (box?.y ?? 0) + (box?.height ?? 0) / 2;
      expect(Math.abs(middle(brand) - middle(theme))).toBeLessThan(8);
      expect(middle(links)).toBeGreaterThan(middle(brand) + 15);
      expect(await overflowOf(page)).toBeLessThanOrEqual(0);
    }
  });

  it('says what a bar stands for, under the pointer and by the arrow keys, in one tab stop', async () => {
    showThirty();
    const { page } = await visit('/');
    const days = page.locator('.days').first();
    const bars = days.locator('svg.bars');
    const box = await bars.boundingBox();
    await bars.hover({ position: { x: (box?.width ?? 0) - 2, y: 10 } });
    expect(await textOf(page, '.tip')).toMatch(
      /^\d+ \w+ Down for \d+ m.*Returned an error \(503\): Since \d\d:\d\d/,
    );
    await bars.hover({ position: { x: (box?.width ?? 0) / 2, y: 10 } });
    expect(await textOf(page, '.tip')).toMatch(/No downtime$/);

    await days.locator('summary').focus();
    await page.keyboard.press('End');
    expect(await textOf(page, '.tip')).toContain('Returned an error (503)');
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('ArrowLeft');
    expect(await textOf(page, '.tip')).toMatch(/No downtime$/);
    expect(await page.locator('[aria-live=polite]').innerText()).toMatch(/No downtime$/);
    await page.keyboard.press('Escape');
    expect(await page.locator('.tip').isVisible()).toBe(false);
    expect(await days.locator('[tabindex]').count()).toBe(0);
    await page.keyboard.press('Enter');
    expect(await days.locator('li').first().innerText()).toContain('Returned an error (503)');
  });

  it('filters by name and state at each key, and keeps to it when it refreshes', async () => {
    showThirty();
    const { page } = await visit('/');
    await page.locator('#filter-name').pressSequentially('ce 2');
    expect(await page.locator('.target:visible').count()).toBe(11);
    expect(await textOf(page, '#shown')).toBe('11 of 30 services shown');
    await page.locator('#filter-state').selectOption('down');
    expect(await page.locator('.target:visible').allInnerTexts()).toHaveLength(3);
    expect(new URL(page.url()).search).toBe('?q=ce+2&status=down');
    await page.evaluate('document.getElementById("main").firstElementChild.id = "old"');
    await page.evaluate('document.dispatchEvent(new Event("keepalive:refresh"))');
    await page.locator('#old').waitFor({ state: 'detached' });
    expect(await page.locator('.target:visible').count()).toBe(3);
    await page.locator('#filter-name').fill('nobody');
    expect(await textOf(page, '#shown')).toBe('No service matches.');
  });

  it('filters by its query without scripts, and shows all again with them', async () => {
    showThirty();
    const plain = await visit('/', { javaScriptEnabled: false });
    await plain.page.getByPlaceholder('Filter services').fill('Service 12');
    await plain.page.getByLabel('State').selectOption('down');
    await plain.page.getByRole('button', { name: 'Apply' }).click();
    expect(await plain.page.locator('.target').allInnerTexts()).toEqual([
      expect.stringContaining('Service 12'),
    ]);
    expect(await textOf(plain.page, '#shown')).toBe('1 of 30 services shown Show all');
    expect(await textOf(plain.page, 'h1')).toBe('6 of 30 services are down');
    expectWell(plain);
    const { page } = await visit('/?q=service+12');
    expect(await page.locator('.target').count()).toBe(1);
    await page.locator('#filter-name').fill('');
    await expect.poll(() => page.locator('.target:visible').count()).toBe(30);
  });

  it('is reached by keyboard: past the head, and from service to service', async () => {
    showThirty();
    const { page } = await visit('/');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.className')).toBe('skip');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.getAttribute("href")')).toMatch(/^\/t\/s0/);
    // A row is two stops: its name and its bars.
    await page.locator('.target .name').first().focus();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.parentElement.className')).toBe('days');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.getAttribute("href")')).toMatch(/^\/t\/s0/);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/t/s0*');
    expect(await textOf(page, 'h1')).toMatch(/^Service /);
  });

  it('refreshes itself and keeps focus, place and what is there while it cannot', async () => {
    const config = many(30);
    const books = lived(config, [{ latency: 50 }], secondsAgo(90), { ...QUICK, step: DAY });
    setApp({ config, store: books.store });
    const seen = await visit('/');
    const { page } = seen;
    expect(await textOf(page, 'h1')).toBe('All systems operational');
    await page.locator('#to-s020').focus();
    await page.evaluate('window.scrollTo(0, 400)');
    const scrolled = await page.evaluate('window.scrollY');

    await page.context().setOffline(true);
    await page.evaluate('document.dispatchEvent(new Event("keepalive:refresh"))');
    await expect.poll(() => textOf(page, '#live')).toMatch(/^Not updated since \d\d:\d\d$/);
    expect(await textOf(page, 'h1')).toBe('All systems operational');
    await page.context().setOffline(false);

    const now = secondsAgo(1);
    for (const ago of [3, 2, 1]) {
      books.run(
        now - ago * 1000,
        config.targets.map(({ info }) => [
          info.id,
          info.id === 's003' ? failedCheck(now - ago * 1000) : goodCheck(now - ago * 1000),
        ]),
      );
    }
    // What this process read a moment ago it reads again only after seconds.
    await expect
      .poll(
        async () => {
          await page.evaluate('document.dispatchEvent(new Event("keepalive:refresh"))');
          return textOf(page, 'h1');
        },
        { interval: 1_000 },
      )
      .toBe('Service 3 is down');
    expect(await page.title()).toBe('Service 3 is down · Keepalive');
    expect(await page.evaluate('document.activeElement.id')).toBe('to-s020');
    expect(await page.evaluate('window.scrollY')).toBe(scrolled);
    await expect.poll(() => page.locator('#live').textContent()).toBe('');
  });

  it('says loudly that nothing was checked for three ticks', async () => {
    const config = many(2);
    const books = lived(config, [{ latency: 50 }], secondsAgo(), {
      ...QUICK,
      step: DAY,
      stopped: 4 * MINUTE,
    });
    setApp({ config, store: books.store });
    const seen = await visit('/');
    expect(await textOf(seen.page, 'h1')).toMatch(/^Nothing has been checked for \d+ m$/);
    expect(await textOf(seen.page, '[role=alert]')).toContain('Out of date.');
    expect(await textOf(seen.page, '.target .word')).toBe('Was up');
    expect(await illsOf(seen.page)).toEqual([]);
    await seen.page.goto(`${visitor.origin}/t/s000`);
    expect(await textOf(seen.page, '[role=alert]')).toContain('Out of date.');
    expect(await textOf(seen.page, '.badge')).toBe('Was up');
  });

  it('shows pauses, pending services and active hours as what they are', async () => {
    const today = new Date().getUTCDay();
    const other = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][(today + 3) % 7] ?? '';
    const config = configOf({
      TARGET_A_URL: 'https://a.example.com',
      TARGET_B_URL: 'https://b.example.com',
      TARGET_B_ENABLED: 'false',
      TARGET_C_URL: 'https://c.example.com',
      TARGET_C_ACTIVE_HOURS: `${other} 08:00-09:00 UTC`,
      TARGET_D_URL: 'https://d.example.com',
    });
    const books = new Books(MINUTE, config.targets);
    const at = secondsAgo();
    books.run(at, [['a', goodCheck(at)]]);
    setApp({ config, store: books.store });
    const { page } = await visit('/');
    expect(await textOf(page, 'h1')).toBe('All active systems operational');
    expect(await textOf(page, '.hero')).toContain('1 pending, 1 off hours, 1 paused');
    const rows = (await page.locator('.target').allInnerTexts()).map((row) => row.replace(/\s+/g, ' '));
    expect(rows[1]).toContain('Paused');
    expect(rows[2]).toContain('Off hours');
    expect(rows[3]).toContain('Pending');
  });
});

describe('the history', () => {
  it('lists what is wrong and what was, with the details behind it, without scripts too', async () => {
    const config = configOf({
      TARGET_API_URL: 'https://api.example.com/',
      TARGET_API_NAME: 'API',
      TARGET_WEB_URL: 'https://web.example.com/',
    });
    const outages = [{ ago: 5 * HOUR, length: HOUR, message: 'timed out waiting for the answer' }];
    const lives = [{ latency: 40, outages }, { latency: 20 }];
    setApp({ config, store: lived(config, lives, secondsAgo(), QUICK).store });
    const seen = await visit('/', { ...PHONE, javaScriptEnabled: false });
    expect(await textOf(seen.page, '.past-days')).toContain('API Did not answer in time');
    await seen.page.getByRole('link', { name: 'Incident history of 90 days' }).click();
    await seen.page.waitForURL('**/history');
    expect(await textOf(seen.page, 'h1')).toBe('Incident history, last 90 days');
    await seen.page.locator('.past-days summary').first().click();
    expect(await textOf(seen.page, '.past-days')).toContain('timed out waiting for the answer');
    expect(await textOf(seen.page, '.past-days')).toContain('No incidents');
    expect(await overflowOf(seen.page)).toBeLessThanOrEqual(0);
    expectWell(seen);
    const { page } = await visit('/history');
    expect(await illsOf(page)).toEqual([]);
  });
});
