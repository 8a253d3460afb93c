import { expect, it } from 'vitest';
import { parseConfig } from '../../lib/config/config.js';

const NAME = { KEEP_ALIVE_SHOW: 'name' };

it('SHOW=name is a problem where the ids are host names', () => {
  expect(parseConfig({ ...NAME, KEEP_ALIVE_URLS: 'https://secret.test' })).toMatchObject({
    ok: false,
    problems: [
      { variable: 'KEEP_ALIVE_SHOW', message: expect.stringContaining('TARGET_<ID>_URL') as string },
    ],
  });
  expect(parseConfig({ ...NAME, TARGET_A_URL: 'https://secret.test' })).toMatchObject({ ok: true });
  expect(parseConfig({ KEEP_ALIVE_SHOW: 'some', TARGET_A_URL: 'https://a.test' })).toMatchObject({
    problems: [{ variable: 'KEEP_ALIVE_SHOW', message: 'expected one of all, name, none' }],
  });
});
