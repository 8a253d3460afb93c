import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { resolve } from 'node:path';
import { it } from 'vitest';
import { setApp } from '../../lib/app.js';
import { serve } from '../../lib/local/server.js';
import { startBrowser } from '../support/browser.js';
import { lived } from '../support/lives.js';
import { ROOT } from '../support/root.js';
import { configOf } from '../support/runs.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const OUT = process.env.SCREENSHOTS === '1' ? 'docs' : (process.env.SCREENSHOTS ?? 'docs');
const FOLDER = resolve(ROOT, OUT);

/** In the order of their ids. */
const SERVICES = {
  ADMIN: {
    name: 'Admin',
    group: 'Web',
    url: 'https://admin-7f3a.up.railway.app/health',
    life: { latency: 96 },
  },
  API: {
    name: 'Public API',
    group: 'Backend',
    url: 'https://api-production.up.railway.app/health',
    life: {
      latency: 182,
      tlsExpiresAt: Date.now() + 61 * DAY,
      coldStarts: [9.4 * HOUR],
      outages: [
        { ago: 3 * DAY, length: 40 * MINUTE, message: 'status 502, expected 200-299' },
        { ago: 33 * DAY, length: 4 * HOUR, message: 'request timed out' },
        { ago: 15.3 * HOUR, length: 25 * MINUTE, message: 'status 503, expected 200-299' },
      ],
    },
  },
  BILLING: {
    name: 'Billing worker',
    group: 'Backend',
    url: 'https://billing.onrender.com/healthz',
    life: { latency: 240, outages: [{ ago: 61 * DAY, length: 11 * HOUR }] },
  },
  DOCS: { name: 'Documentation', group: 'Web', url: 'https://docs.example.com/', life: { latency: 41 } },
  DB: { name: 'Postgres', group: 'Backend', url: 'tcp://db.example.com:5432', life: { latency: 12 } },
  EMBED: {
    name: 'Embeddings',
    group: 'Models',
    url: 'https://acme-embed.hf.space/health',
    life: { latency: 610, age: 34 * DAY, outages: [{ ago: 20 * DAY, length: 3 * HOUR }] },
  },
  MODEL: {
    name: 'Summaries',
    group: 'Models',
    url: 'https://acme-sum.hf.space/health',
    life: { latency: 540, degradedFor: 3 * HOUR },
  },
  SEARCH: {
    name: 'Search',
    group: 'Backend',
    url: 'https://search.koyeb.app/up',
    life: {
      latency: 74,
      outages: [
        { ago: 47 * MINUTE, length: HOUR, message: 'status 503, expected 200-299' },
        { ago: 12 * DAY, length: 2 * HOUR },
      ],
    },
  },
  STAGING: {
    name: 'Staging',
    group: 'Web',
    url: 'https://staging.fly.dev/',
    life: { latency: 120 },
    paused: true,
  },
  WWW: {
    name: 'Website',
    group: 'Web',
    url: 'https://www.example.com/',
    life: { latency: 58, tlsExpiresAt: Date.now() + 40 * DAY },
  },
};

const SHOTS = [
  ['status-light', '/', 1280, 'light'],
  ['status-dark', '/', 1280, 'dark'],
  ['target-light', '/t/api', 1280, 'light'],
  ['phone-dark', '/', 390, 'dark'],
  ...(OUT === 'docs'
    ? []
    : ([
        ['phone-light', '/', 360, 'light'],
        ['target-dark', '/t/api', 1280, 'dark'],
        ['target-phone', '/t/api', 360, 'light'],
        ['tablet', '/', 800, 'light'],
        ['history', '/history', 1280, 'light'],
        ['history-phone', '/history', 360, 'dark'],
        ['nowhere', '/t/nobody', 1280, 'light'],
      ] as const)),
] as const;

it('takes the pictures', { timeout: 180_000 }, async () => {
  const services = Object.entries(SERVICES);
  const config = configOf(
    Object.fromEntries(
      services.flatMap(([id, service]) => [
        [`TARGET_${id}_URL`, service.url],
        [`TARGET_${id}_NAME`, service.name],
        [`TARGET_${id}_GROUP`, service.group],
        ...('paused' in service ? [[`TARGET_${id}_ENABLED`, 'false']] : []),
      ]),
    ) as Record<string, string>,
  );
  const lives = config.targets.map(
    ({ info }) => SERVICES[info.id.toUpperCase() as keyof typeof SERVICES].life,
  );
  const books = lived(config, lives, Date.now() - 20_000, { fine: 7.2 * DAY });
  setApp({ config, store: books.store });
  const { server } = await serve(0);
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const browser = await startBrowser();
  await mkdir(FOLDER, { recursive: true });
  for (const [name, path, width, colorScheme] of SHOTS) {
    const context = await browser.context({
      viewport: { width, height: width > 500 ? (path === '/' ? 1130 : 1100) : 844 },
      colorScheme,
      deviceScaleFactor: width > 500 ? 1.5 : 2,
    });
    const page = await context.newPage();
    page.on('console', (message) => console.log(name, message.text()));
    await page.goto(origin + path, { waitUntil: 'networkidle' });
    await page.screenshot({ path: `${FOLDER}/${name}.png`, fullPage: OUT !== 'docs' });
    await context.close();
  }
  await browser.close();
  server.close();
});
