import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { validConfig } from '../../lib/config/valid.js';
import { deployAddress, deployButton, repositoryUrl } from '../support/deploy-button.js';
import { expectDocument, withSection } from '../support/made-documents.js';
import { ROOT } from '../support/root.js';

/** What Vercel documents of each parameter that the button uses: https://vercel.com/docs/deploy-button/source. */
const DOCUMENTED: Readonly<Record<string, RegExp>> = {
  'repository-url': /^https:\/\/github\.com\/[\w.-]+\/[\w.-]+$/,
  'project-name': /^[a-z0-9][a-z0-9._-]{0,99}$/,
  'repository-name': /^[\w.-]+$/,
  env: /^[A-Z_]\w*(?:,[A-Z_]\w*)*$/,
  envDescription: /^.{1,200}$/,
  envLink: /^https:\/\/\S+$/,
  products: /^\[.+\]$/,
};

describe('the deploy button', () => {
  const { origin, pathname, searchParams } = new URL(deployAddress(repositoryUrl()));

  it('stands in the README with the address of the repository that package.json names', () =>
    expectDocument('README.md', (before) =>
      withSection(before, 'package.json', deployButton(repositoryUrl())),
    ));

  it('is of the repository to which package.json sends bugs and visitors', () => {
    const { bugs, homepage } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      bugs: string;
      homepage: string;
    };
    expect([bugs, homepage]).toEqual([`${repositoryUrl()}/issues`, `${repositoryUrl()}#readme`]);
  });

  it('has documented parameters alone, each once and well formed', () => {
    expect(origin + pathname).toBe('https://vercel.com/new/clone');
    expect([...searchParams.keys()]).toEqual(Object.keys(DOCUMENTED));
    for (const [name, value] of searchParams)
      expect([name, value]).toEqual([name, expect.stringMatching(DOCUMENTED[name] ?? /^$/)]);
    expect(searchParams.get('repository-url')).toBe(repositoryUrl());
  });

  it('creates Redis and QStash of one Upstash account', () => {
    const upstash = { type: 'integration', integrationSlug: 'upstash', allowConnectExistingProduct: true };
    expect(JSON.parse(searchParams.get('products') ?? '')).toEqual([
      { ...upstash, productSlug: 'upstash-kv', protocol: 'storage' },
      { ...upstash, productSlug: 'upstash-qstash' },
    ]);
  });

  it('asks for what the products do not bring, and that is enough for a production build', async () => {
    const typed = {
      CRON_SECRET: '0123456789abcdef',
      KEEP_ALIVE_URLS: 'https://a.example.com https://b.example.com',
    };
    expect(searchParams.get('env')?.split(',')).toEqual(Object.keys(typed));
    const brought = {
      KV_REST_API_URL: 'https://db.upstash.io',
      KV_REST_API_TOKEN: 'write',
      KV_REST_API_READ_ONLY_TOKEN: 'read',
      KV_URL: 'rediss://db.upstash.io',
      REDIS_URL: 'rediss://db.upstash.io',
      QSTASH_URL: 'https://qstash-us-east-1.upstash.io',
      QSTASH_TOKEN: 'token',
      QSTASH_CURRENT_SIGNING_KEY: 'sig_current_of_qstash',
      QSTASH_NEXT_SIGNING_KEY: 'sig_next_of_qstash',
    };
    const vercel = {
      VERCEL: '1',
      VERCEL_ENV: 'production',
      VERCEL_PROJECT_PRODUCTION_URL: 'keepalive.vercel.app',
    };
    for (const prefix of ['', 'STORAGE_', 'UPSTASH_REDIS_REST_']) {
      const products = Object.entries(brought).map(([name, value]) => [prefix + name, value]);
      const env = { ...vercel, ...typed, ...(Object.fromEntries(products) as Record<string, string>) };
      expect(await validConfig(env, { isProductionBuild: true })).toMatchObject({
        store: { kind: 'upstash', url: 'https://db.upstash.io/', token: 'write' },
        qstash: {
          url: 'https://qstash-us-east-1.upstash.io',
          token: 'token',
          currentSigningKey: 'sig_current_of_qstash',
          nextSigningKey: 'sig_next_of_qstash',
        },
        publicUrl: 'https://keepalive.vercel.app',
        tick: 120_000,
        targets: [{ info: { id: 'a-example-com' } }, { info: { id: 'b-example-com' } }],
      });
    }
  });

  it('follows package.json, and says so as long as that has no address', () => {
    const theirs = 'https://github.com/someone/keepalive';
    expect(new URL(deployAddress(theirs)).searchParams.get('repository-url')).toBe(theirs);
    expect(deployButton(theirs)).toMatch(/^\[!\[[^\n]*\)$/);
    expect(deployButton('https://github.com/OWNER/keepalive')).toContain('instead of `OWNER`');
  });
});
