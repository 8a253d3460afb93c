import { expect, it } from 'vitest';
import { textsOf } from '../../lib/config/config.js';
import { checkExpressions } from '../../lib/config/expressions.js';
import { validConfig, type ConfigError } from '../../lib/config/valid.js';

const check = async (env: Record<string, string>) => checkExpressions(textsOf(env), null);

it('takes what is JSONata', async () => {
  expect(await check({})).toEqual([]);
  expect(
    await check({
      KEEP_ALIVE_EXPECT_JSON: 'status = "healthy" and memory.percent < 90',
      TARGET_A_DEGRADED_JSON: '$count(errors) > 0',
    }),
  ).toEqual([]);
});

it('reports the variable of what is not, without quoting it', async () => {
  const found = await check({
    KEEP_ALIVE_EXPECT_JSON: 'xq7canary =',
    TARGET_A_EXPECT_JSON: 'xq7canary xq7canary',
    TARGET_A_DEGRADED_JSON: '"xq7canary',
  });
  expect(found.map(({ variable }) => variable)).toEqual([
    'KEEP_ALIVE_EXPECT_JSON',
    'TARGET_A_DEGRADED_JSON',
    'TARGET_A_EXPECT_JSON',
  ]);
  for (const { message } of found) expect(message).toMatch(/^expected a JSONata expression( \(.*\d+\))?$/);
  expect(JSON.stringify(found)).not.toContain('xq7canary');
});

it('are reported together with everything else', async () => {
  const env = { TARGET_A_URL: 'a', TARGET_A_EXPECT_JSON: 'status = (', CRON_SECRET: 'short' };
  const error = await validConfig(env).catch((caught: unknown) => caught);
  expect((error as ConfigError).problems.map(({ variable }) => variable)).toEqual([
    'CRON_SECRET',
    'TARGET_A_EXPECT_JSON',
    'TARGET_A_URL',
  ]);
});
