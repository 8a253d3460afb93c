import { siteName } from '../view/site.js';
import { answerDocument } from './document.js';
import { withApp } from './endpoints.js';
import { wordsOf } from './language.js';

/** `GET /manifest.webmanifest`: what a home screen shows of the page. It holds nothing that is private. */
export function answerManifest(request: Request): Promise<Response> {
  return withApp(request, async ({ config: { page } }) => {
    const { language } = await wordsOf(page);
    const name = siteName(page);
    const manifest = {
      ...{ id: '/', start_url: '/', scope: '/', name, short_name: name, lang: language },
      ...(page.description === null ? {} : { description: page.description }),
      ...{ display: 'minimal-ui', background_color: '#fbfbfa', theme_color: '#fbfbfa' },
      icons: [
        { src: '/favicon.svg', type: 'image/svg+xml', sizes: 'any' },
        { src: '/icon-192.png', type: 'image/png', sizes: '192x192' },
        { src: '/icon-512.png', type: 'image/png', sizes: '512x512' },
        { src: '/icon-512.png', type: 'image/png', sizes: '512x512', purpose: 'maskable' },
      ],
    };
    return answerDocument(
      request,
      { type: 'application/manifest+json; charset=utf-8', body: JSON.stringify(manifest) },
      'shared',
    );
  });
}
