import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { AxeResults } from 'axe-core';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { setApp } from '../../lib/app.js';
import type { Config } from '../../lib/config/config.js';
import { answerHtml } from '../../lib/http/html.js';
import { staticFile } from '../../lib/local/files.js';
import { serve } from '../../lib/local/server.js';
import { loadHistory, loadSummary } from '../../lib/read/load.js';
import { freshness, summary, targetHistory } from '../../lib/read/stats.js';
import type { TargetHistory, TargetSummary } from '../../lib/read/views.js';
import { openRemoteStore } from '../support/stores.js';
import { historyPage } from '../../lib/view/history-page.js';
import { statusPage } from '../../lib/view/status-page.js';
import { targetPage } from '../../lib/view/target-page.js';
import { Books } from '../support/books.js';
import { startBrowser, type Browser } from '../support/browser.js';
import { lived, type Life } from '../support/lives.js';
import { startRedis } from '../support/redis.js';
import { configOf } from '../support/runs.js';
import { failedCheck, goodCheck } from '../support/targets.js';
import { PRIVATE_SITE } from '../support/views.js';
import { startUpstashFront } from '../support/upstash-front.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

let browser: Browser;
let server: Server;
let origin: string;
const contexts: BrowserContext[] = [];

beforeAll(async () => {
  browser = await startBrowser();
  ({ server } = await serve(0));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  setApp(null);
  await Promise.all(contexts.splice(0).map((context) => context.close()));
});

afterAll(async () => {
  await browser.close();
  server.close();
});

/** What must not be: scripts that throw or run uninvited, policy violations, requests to others. */
interface Visit {
  readonly page: Page;
  readonly complaints: string[];
  readonly requests: string[];
}

async function visit(url: string, options: Parameters<Browser['context']>[0] = {}): Promise<Visit> {
  const context = await browser.context(options);
  contexts.push(context);
  const page = await context.newPage();
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => {
    // The browser says of each page that is not a 200 that it could not be loaded.
    if (message.type() !== 'log' && !message.text().startsWith('Failed to load')) {
      complaints.push(message.text());
    }
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(url.startsWith('http') ? url : origin + url);
  return { page, complaints, requests };
}

/** Serious and critical findings of axe-core; of its contrasts alone where a page was looked at in other colours. */
async function illsOf(page: Page, only?: 'contrasts'): Promise<string[]> {
  await page.evaluate(AXE);
  const options = only === undefined ? '{}' : "{ runOnly: ['color-contrast'] }";
  const { violations } = await page.evaluate<AxeResults>(`axe.run(document, ${options})`);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}

/** How many pixels the page is wider than the screen. */
const overflowOf = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

const textOf = async (page: Page, selector = 'body'): Promise<string> =>
  (await page.locator(selector).first().innerText()).replace(/\s+/g, ' ');

function expectWell({ complaints, requests }: Visit, from = origin): void {
  expect(complaints).toEqual([]);
  expect(requests.filter((url) => !url.startsWith(`${from}/`))).toEqual([]);
}

const LIVES: readonly Life[] = [
  { latency: 180, tlsExpiresAt: Date.UTC(2027, 1, 1), outages: [{ ago: 33 * DAY, length: 4 * HOUR }] },
  { latency: 60, coldStarts: [5 * HOUR] },
  { latency: 20, outages: [{ ago: 50 * MINUTE, length: HOUR }] },
  { latency: 90, age: 20 * DAY },
  { latency: 300, degradedFor: 2 * HOUR },
];

function many(count: number, env: Record<string, string> = {}): Config {
  const services = Array.from({ length: count }, (_, i): [string, string][] => {
    const variable = `TARGET_S${String(i).padStart(3, '0')}`;
    return [
      [`${variable}_URL`, `https://service-${i}.up.railway.app/health`],
      [`${variable}_NAME`, `Service ${i}`],
      [`${variable}_GROUP`, `Group ${i % 4}`],
    ];
  });
  return configOf({ KEEP_ALIVE_INTERVAL: '5m', ...Object.fromEntries(services.flat()), ...env });
}

const QUICK = { step: 6 * HOUR, lately: 15 * MINUTE, fine: 26 * HOUR };
const secondsAgo = (seconds = 20): number => Date.now() - seconds * 1000;
let thirtyLives: Books | null = null;
const thirty = many(30);

function showThirty(): void {
  thirtyLives ??= lived(thirty, LIVES, secondsAgo(), QUICK);
  setApp({ config: thirty, store: thirtyLives.store });
}

/** As browsers ask for pages. */
const BROWSER = { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } };

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
    for (const locale of ['en', 'fr', 'de', 'es', 'pt', 'it']) {
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
    await seen.page.goto(`${origin}/t/s000`);
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
    const answer = await fetch(`${origin}/t/nobody`, BROWSER);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([404, 'private, no-store']);
    expect(await answer.text()).toContain('No such service');
  });
});

const NASTY = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>\u202Eevil\u0007 ${'W'.repeat(300)} 👩‍👩‍👧‍👦`;

describe('hostile names and messages', () => {
  let shown: (page: 'status' | 'target' | 'history') => string;
  let pages: Server;
  let at: string;

  beforeAll(async () => {
    const config = many(2);
    const now = secondsAgo(1);
    const books = lived(
      config,
      [{ latency: 50 }, { latency: 20, outages: [{ ago: HOUR, length: 2 * HOUR }] }],
      now,
      {
        ...QUICK,
        step: DAY,
      },
    );
    const [target] = config.targets;
    if (target === undefined) throw new Error('no target');
    const overview = await loadSummary(books.store, now);
    const plain = summary(config, overview, now);
    const event = { at: new Date(now).toISOString(), text: NASTY };
    const incident = {
      startedAt: new Date(now - HOUR).toISOString(),
      endedAt: null,
      durationMs: HOUR,
      unobservedMs: 0,
      message: NASTY,
      events: [
        { ...event, kind: 'alert', code: 'down' } as const,
        {
          ...({ ...event, kind: 'restart', code: 'restart' } as const),
          restart: { number: 1, answer: NASTY, helped: null, upAfterMs: null },
        },
      ],
    };
    const full = {
      name: NASTY,
      group: NASTY,
      message: NASTY,
      healthUrl: `https://example.com/${'a'.repeat(500)}?"><script>alert(3)</script>`,
      incident,
      recovery: { restarts: 3, max: 3, lastAt: event.at, lastAnswer: NASTY, exhausted: true },
      maintenance: { until: event.at, reason: NASTY },
      lastError: { at: event.at, message: NASTY },
    };
    const history: TargetHistory = {
      ...targetHistory(config, target, await loadHistory(books.store, 's000', now), now),
      ...full,
      phases: { dns: 12.1, connect: 20, tls: null, ttfb: 80 },
      incidents: [incident, { ...incident, endedAt: event.at }],
    };
    const targets: TargetSummary[] = plain.targets.map((each) => ({ ...each, ...full }));
    const past = {
      incidents: [{ target: { id: 's000', name: NASTY }, incident: { ...incident, endedAt: event.at } }],
      cutOff: ['s000'],
      maintenance: [{ from: event.at, to: event.at, reason: NASTY, targets: [{ id: 's000', name: NASTY }] }],
    };
    shown = (page) =>
      page !== 'target'
        ? (page === 'status' ? statusPage : historyPage)({ ...plain, targets, past }, PRIVATE_SITE)
        : targetPage(history, freshness(config, overview, now), PRIVATE_SITE);
    pages = createServer((request, response) => {
      void (async () => {
        const path = request.url ?? '/';
        const answer =
          (await staticFile(request, path)) ??
          answerHtml(
            shown(path.startsWith('/t') ? 'target' : path === '/' ? 'status' : 'history'),
            PRIVATE_SITE,
          );
        response.writeHead(answer.status, Object.fromEntries(answer.headers));
        response.end(Buffer.from(await answer.arrayBuffer()));
      })();
    });
    await new Promise<void>((done) => pages.listen(0, '127.0.0.1', done));
    at = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
  });
  afterAll(() => pages.close());

  it.each([
    ['/', 'wide', {}],
    ['/', 'narrow', PHONE],
    ['/t/x', 'wide', {}],
    ['/t/x', 'narrow', PHONE],
    ['/history', 'narrow', PHONE],
  ])('are shown as text at %s (%s)', async (path, _, options) => {
    const seen = await visit(at + path, options);
    await seen.page
      .locator(path === '/t/x' ? 'canvas' : path === '/' ? 'svg.bars' : '.past-days')
      .first()
      .waitFor();
    expectWell(seen, at);
    expect(await overflowOf(seen.page)).toBeLessThanOrEqual(0);
    expect(await seen.page.locator('main img, main script').count()).toBe(0);
    expect(await textOf(seen.page)).toContain('<script>alert(1)</script>');
    expect(await illsOf(seen.page)).toEqual([]);
    await seen.page.evaluate('document.dispatchEvent(new Event("keepalive:refresh"))');
    expectWell(seen, at);
  });

  it('hold what is done about an incident, the phases, restarts and maintenance', async () => {
    const { page } = await visit(`${at}/t/x`);
    const text = await textOf(page, 'main');
    expect(await page.locator('.incident.open .events li').count()).toBe(2);
    expect(await page.locator('.incident.open .events .restart').textContent()).toContain('evil');
    expect(text).toContain('Name lookup 12 ms Connect 20 ms First byte 80 ms');
    expect(text).toContain('A person is needed');
    expect(text).toContain('3 of 3 at most');
    expect(await textOf(page, '.badge')).toBe('Maintenance');
  });
});

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
    const answer = await fetch(`${origin}/`, BROWSER);
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
      const answer = await fetch(`${origin}/`);
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
      const answer = await fetch(origin + path, BROWSER);
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
    await page.waitForURL(`${origin}/`);
    expect(await textOf(page, 'h1')).toBe('This status is private');
    expectWell(seen);
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
    await page.goto(`${origin}/history`);
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
    await other.goto(origin);
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
    const context = await browser.context({ colorScheme: 'light' });
    contexts.push(context);
    await context.addInitScript(
      'Object.defineProperty(window, "localStorage", { get() { throw new Error() } })',
    );
    const page = await context.newPage();
    await page.goto(origin);
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
      const { headers } = await fetch(origin + path);
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
      const { status, headers } = await fetch(origin + path);
      expect([status, headers.get('content-type')]).toEqual([200, type]);
      const etag = headers.get('etag') ?? '';
      const again = await fetch(origin + path, { headers: { 'if-none-match': etag } });
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
      expect((await fetch(origin + path)).status).toBe(404);
    }
    expect((await fetch(`${origin}/page.js`, { method: 'POST' })).status).toBe(404);
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
      const answer = await fetch(origin + path);
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
