import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerHtml } from '../../lib/http/html.js';
import { staticFile } from '../../lib/local/files.js';
import { loadHistory, loadSummary } from '../../lib/read/load.js';
import { freshness, summary, targetHistory } from '../../lib/read/stats.js';
import type { TargetHistory, TargetSummary } from '../../lib/read/views.js';
import { historyPage } from '../../lib/view/history-page.js';
import { statusPage } from '../../lib/view/status-page.js';
import { targetPage } from '../../lib/view/target-page.js';
import { lived } from '../support/lives.js';
import { PRIVATE_SITE } from '../support/views.js';
import {
  PHONE,
  QUICK,
  illsOf,
  many,
  overflowOf,
  secondsAgo,
  textOf,
  useVisitor,
} from '../support/visitor.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const { visit, expectWell } = useVisitor();

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
