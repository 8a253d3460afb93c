import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import type { AxeResults } from 'axe-core';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { setApp } from '../../lib/app.js';
import type { Config } from '../../lib/config/config.js';
import { serve } from '../../lib/local/server.js';
import type { Books } from './books.js';
import { startBrowser, type Browser } from './browser.js';
import { lived, type Life } from './lives.js';
import { configOf } from './runs.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

/** As browsers ask for pages. */
export const BROWSER = { headers: { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' } };

/** What must not be: scripts that throw or run uninvited, policy violations, requests to others. */
interface Visit {
  readonly page: Page;
  readonly complaints: string[];
  readonly requests: string[];
}

type ContextOptions = Parameters<Browser['context']>[0];

interface Visitor {
  /** Of the server that shows what `setApp` was given last. */
  readonly origin: string;
  /** Is closed after the test. */
  readonly context: (options?: ContextOptions) => Promise<BrowserContext>;
  readonly visit: (url: string, options?: ContextOptions) => Promise<Visit>;
  readonly expectWell: (visit: Visit, from?: string) => void;
}

/** A server and a browser for the tests of a file. */
export function useVisitor(): Visitor {
  let browser: Browser;
  let server: Server;
  let origin = '';
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

  const visitor: Visitor = {
    get origin() {
      return origin;
    },

    async context(options) {
      const context = await browser.context(options);
      contexts.push(context);
      return context;
    },

    async visit(url, options = {}) {
      const context = await visitor.context(options);
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
    },

    expectWell({ complaints, requests }, from = origin) {
      expect(complaints).toEqual([]);
      expect(requests.filter((url) => !url.startsWith(`${from}/`))).toEqual([]);
    },
  };
  return visitor;
}

/** Serious and critical findings of axe-core; of its contrasts alone where a page was looked at in other colours. */
export async function illsOf(page: Page, only?: 'contrasts'): Promise<string[]> {
  await page.evaluate(AXE);
  const options = only === undefined ? '{}' : "{ runOnly: ['color-contrast'] }";
  const { violations } = await page.evaluate<AxeResults>(`axe.run(document, ${options})`);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}

/** How many pixels the page is wider than the screen. */
export const overflowOf = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');

export const textOf = async (page: Page, selector = 'body'): Promise<string> =>
  (await page.locator(selector).first().innerText()).replace(/\s+/g, ' ');

export const LIVES: readonly Life[] = [
  { latency: 180, tlsExpiresAt: Date.UTC(2027, 1, 1), outages: [{ ago: 33 * DAY, length: 4 * HOUR }] },
  { latency: 60, coldStarts: [5 * HOUR] },
  { latency: 20, outages: [{ ago: 50 * MINUTE, length: HOUR }] },
  { latency: 90, age: 20 * DAY },
  { latency: 300, degradedFor: 2 * HOUR },
];

export function many(count: number, env: Record<string, string> = {}): Config {
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

export const QUICK = { step: 6 * HOUR, lately: 15 * MINUTE, fine: 26 * HOUR };
export const secondsAgo = (seconds = 20): number => Date.now() - seconds * 1000;
let thirtyLives: { readonly books: Books; readonly madeAt: number } | null = null;
const thirty = many(30);

export function showThirty(): void {
  // Three ticks after its last run, the page would say that nothing is checked.
  if (thirtyLives === null || Date.now() - thirtyLives.madeAt > MINUTE) {
    thirtyLives = { books: lived(thirty, LIVES, secondsAgo(), QUICK), madeAt: Date.now() };
  }
  setApp({ config: thirty, store: thirtyLives.books.store });
}
