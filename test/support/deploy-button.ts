import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './root.js';

/** Stands in package.json as long as the repository has no public address. */
const PLACEHOLDER = 'OWNER';

/** `https://github.com/<owner>/<name>`: the repository that package.json names. */
export function repositoryUrl(): string {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    repository: { url: string };
  };
  return manifest.repository.url.replace(/^git\+/, '').replace(/\.git$/, '');
}

/** Products of one Upstash account; the form is that of the buttons in Vercel's own templates (2026-11). */
const PRODUCTS = [
  {
    type: 'integration',
    integrationSlug: 'upstash',
    productSlug: 'upstash-kv',
    protocol: 'storage',
    allowConnectExistingProduct: true,
  },
  {
    type: 'integration',
    integrationSlug: 'upstash',
    productSlug: 'upstash-qstash',
    allowConnectExistingProduct: true,
  },
];

/** The address of the deploy button, by https://vercel.com/docs/deploy-button. */
export function deployAddress(repository: string): string {
  const parameters = {
    'repository-url': repository,
    'project-name': 'keepalive',
    'repository-name': 'keepalive',
    env: 'CRON_SECRET,KEEP_ALIVE_URLS',
    envDescription:
      'CRON_SECRET: any 16 characters or more (openssl rand -hex 32). KEEP_ALIVE_URLS: the addresses to ping, with commas between.',
    envLink: `${repository}#deploy-to-vercel`,
    products: JSON.stringify(PRODUCTS),
  };
  const query = Object.entries(parameters).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
  return `https://vercel.com/new/clone?${query.join('&')}`;
}

/** The button in the README. */
export function deployButton(repository: string): string {
  const button = `[![Deploy with Vercel](https://vercel.com/button)](${deployAddress(repository)})`;
  if (!repository.includes(`/${PLACEHOLDER}/`)) return button;
  const note = `The button works once \`repository\` in [package.json](package.json) names a public repository instead of \`${PLACEHOLDER}\`: \`UPDATE_DOCS=1 npx vitest run test/deploy/button.test.ts\` then writes its address here.`;
  return `${button}\n\n${note}`;
}
