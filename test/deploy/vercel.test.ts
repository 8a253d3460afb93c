import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CRON_PATH } from '../../lib/config/vercel.js';

interface VercelConfig {
  readonly crons: readonly { readonly path: string; readonly schedule: string }[];
}

const { crons } = JSON.parse(
  readFileSync(new URL('../../vercel.json', import.meta.url), 'utf8'),
) as VercelConfig;

describe('the crons of vercel.json', () => {
  it('call four times an hour, and are valid on every plan: 100 at most, each once a day', () => {
    const quarters = Array.from({ length: 96 }, (_, i) => `${(i % 4) * 15} ${Math.floor(i / 4)} * * *`);
    expect(crons.map(({ schedule }) => schedule)).toEqual(quarters);
    expect(new Set(crons.map(({ path }) => path))).toEqual(new Set([CRON_PATH]));
  });
});
