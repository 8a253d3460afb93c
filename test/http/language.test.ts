import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { setApp } from '../../lib/app.js';
import { answerCalendar } from '../../lib/http/calendar-endpoint.js';
import { answerFeed } from '../../lib/http/feed-endpoint.js';
import { preferredLanguage } from '../../lib/http/language.js';
import { answerPages } from '../../lib/http/pages.js';
import type { Books } from '../support/books.js';
import { lived } from '../support/lives.js';
import { ROOT } from '../support/root.js';
import { configOf } from '../support/runs.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

afterEach(() => setApp(null));

describe('the language of a visitor', () => {
  it.each([
    ['fr', 'fr'],
    ['fr-CA,fr;q=0.9,en;q=0.8', 'fr'],
    ['en-US,en;q=0.9,de;q=0.8', 'en'],
    ['ja,it;q=0.4,pt-BR;q=0.7', 'pt'],
    ['de;q=0,es;q=0.1', 'es'],
    ['DE-at', 'de'],
    ['de;q=0.5, fr;q=0.5', 'de'],
    ['', 'en'],
    ['*', 'en'],
    ['ja, zh-TW', 'en'],
    ['fr;q=2', 'en'],
    ['../../fr', 'en'],
    ['__proto__, constructor', 'en'],
    [`${'x,'.repeat(50_000)}fr`, 'en'],
  ] as const)('of %.40s is %s', (header, language) => {
    expect(preferredLanguage(header)).toBe(language);
  });
});

let shown: { readonly books: Books; readonly madeAt: number } | null = null;

function show(env: Record<string, string> = {}): void {
  const config = configOf({
    TARGET_API_URL: 'https://api.test/',
    TARGET_API_NAME: 'Zahlung',
    KEEP_ALIVE_MAINTENANCE: `${new Date(Date.now() + DAY).toISOString().slice(0, 16)}Z/2h`,
    ...env,
  });
  // Three ticks after its last run, pages would say that nothing is checked.
  if (shown === null || Date.now() - shown.madeAt > 60_000) {
    const madeAt = Date.now();
    const outages = [{ ago: 50 * 60_000, length: HOUR, message: 'status 503, expected 200-299' }];
    const age = { step: 6 * HOUR, lately: 15 * 60_000, fine: 26 * HOUR };
    shown = { madeAt, books: lived(config, [{ latency: 90, outages }], madeAt - 20_000, age) };
  }
  setApp({ config, store: shown.books.store });
}

const get = (path: string, language: string): Promise<Response> =>
  answerPages(
    new Request(`https://status.test${path}`, {
      headers: { 'accept-language': language, accept: 'text/html,*/*;q=0.8' },
    }),
  );

describe('pages', () => {
  it.each([
    ['/', 'fr', 'Zahlung est indisponible', 'A renvoyé une erreur (503)'],
    ['/history', 'de-AT', 'Störungsverlauf der letzten 90 Tage', 'Antwortete mit einem Fehler (503)'],
    ['/t/api', 'es', 'Zahlung: no disponible', 'Devolvió un error (503)'],
    ['/t/nobody', 'it', 'Servizio non trovato', 'Nessun servizio con questo nome'],
    ['/nowhere', 'pt-BR', 'Página não encontrada', 'Todos os serviços'],
    ['/', 'ja', 'Zahlung is down', 'Returned an error (503)'],
  ])('%s in %s: %s', async (path, language, title, text) => {
    show();
    const answer = await get(path, language);
    const html = await answer.text();
    const spoken = language === 'ja' ? 'en' : language.slice(0, 2);
    expect(html).toContain(`<html lang="${spoken}"`);
    expect(html).toContain(title);
    expect(html).toContain(text);
    expect(answer.headers.get('content-language')).toBe(spoken);
    expect(answer.headers.get('vary')).toContain('accept-language');
  });

  it('are in the language of their operator, whoever asks, and then in one copy for caches', async () => {
    show({ PAGE_LANGUAGE: 'fr' });
    const answer = await get('/', 'de');
    expect(answer.headers.get('content-language')).toBe('fr');
    expect(answer.headers.get('vary')).toBeNull();
    expect((await get('/nowhere', 'de')).headers.get('content-language')).toBe('fr');
  });

  it('keep what their operator and the checks wrote', async () => {
    show({ PAGE_LANGUAGE: 'fr', PAGE_DESCRIPTION: 'What we run' });
    const html = await (await get('/', 'fr')).text();
    expect(html).toContain('What we run');
    expect(html).toContain('<code lang="en"><bdi>status 503, expected 200-299</bdi></code>');
  });

  it('are in the zone of their operator, which they name', async () => {
    show({ PAGE_LANGUAGE: 'en', PAGE_TIME_ZONE: 'Asia/Tokyo' });
    for (const path of ['/', '/history', '/t/api']) {
      const html = await (await get(path, 'fr')).text();
      expect(html).toContain('data-zone="Asia/Tokyo"');
      expect(html).toContain('<span id="zone">Asia/Tokyo (GMT+9)</span>');
      expect(html.replaceAll(/datetime="[^"]+"/g, '')).not.toMatch(/\d\d:\d\d UTC/);
    }
    const history = await (await get('/history', 'fr')).text();
    expect(history).toContain('Days begin at midnight (Asia/Tokyo)');
  });
});

it('the manifest has the name, the description and the language of the page, also of a private one', async () => {
  show({
    PAGE_TITLE: 'Acme <b>',
    PAGE_DESCRIPTION: 'Shops',
    PAGE_LANGUAGE: 'fr',
    STATS_TOKEN: 'x'.repeat(16),
  });
  const answer = await answerPages(new Request('https://status.test/manifest.webmanifest'));
  expect(answer.headers.get('content-type')).toBe('application/manifest+json; charset=utf-8');
  const manifest = (await answer.json()) as { icons: { src: string }[] };
  expect(manifest).toMatchObject({ name: 'Acme <b>', description: 'Shops', lang: 'fr', start_url: '/' });
  for (const { src } of manifest.icons) expect(existsSync(join(ROOT, 'public', src))).toBe(true);
});

describe('the feed and the calendar', () => {
  it('are in the language of the operator, and in English where there is none', async () => {
    const request = new Request('https://status.test/api/feed', { headers: { 'accept-language': 'de' } });
    show({ PAGE_LANGUAGE: 'fr' });
    expect(await (await answerFeed(request)).text()).toContain('Zahlung est indisponible');
    expect(await (await answerCalendar(request)).text()).toContain('SUMMARY:Maintenance : Zahlung');
    show();
    expect(await (await answerFeed(request)).text()).toContain('Zahlung is down');
  });
});
