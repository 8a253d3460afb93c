import { expect, it } from 'vitest';
import { formatProblems, parseConfig } from '../../lib/config/config.js';

const parsed = (env: Readonly<Record<string, string>>) => {
  const result = parseConfig(env);
  return result.ok
    ? Object.fromEntries(result.config.targets.map(({ info, hostToken }) => [info.id, hostToken]))
    : formatProblems(result.problems).split('\n');
};
const RENDER = 'https://shop.onrender.com/';
const FLY = 'https://edge.fly.dev/';
const REF = 'abcdefghijklmnopqrst';

it('HOST_TOKEN is read for hosts that have an API, with the name of its variable', () => {
  expect(
    parsed({
      TARGET_A_URL: RENDER,
      TARGET_A_HOST_TOKEN: 'one',
      TARGET_B_URL: 'https://b.onrender.com/',
      TARGET_C_URL: 'https://example.com/',
      KEEP_ALIVE_HOST_TOKEN: 'all',
    }),
  ).toEqual({
    a: { value: 'one', variable: 'TARGET_A_HOST_TOKEN' },
    b: { value: 'all', variable: 'KEEP_ALIVE_HOST_TOKEN' },
    c: null,
  });
});

it.each([
  [
    'https://example.com/',
    'has no effect with HOST=none: railway, render, koyeb, heroku, fly, supabase have an API that is asked',
  ],
  [
    'https://x.hf.space/',
    'has no effect with HOST=huggingface: railway, render, koyeb, heroku, fly, supabase have an API that is asked',
  ],
  [
    'postgres://u:p@aws-0-eu.pooler.supabase.com/',
    'has no effect: the address does not tell which app of Supabase free it is',
  ],
])('a token for %s is a problem', (url, message) => {
  expect(parsed({ TARGET_A_URL: url, TARGET_A_HOST_TOKEN: 'x' })).toEqual([
    `TARGET_A_HOST_TOKEN: ${message}`,
  ]);
});

it.each([
  `https://${REF}.supabase.co/rest/v1/todos`,
  `postgres://postgres:p@db.${REF}.supabase.co/postgres`,
  `postgres://postgres.${REF}:p@aws-0-eu-west-1.pooler.supabase.com/postgres`,
])('%s tells the project', (url) => {
  expect(parsed({ TARGET_A_URL: url, TARGET_A_HOST_TOKEN: 'x' })).toMatchObject({ a: { value: 'x' } });
});

it('a domain of one’s own does not tell which app of Fly it is', () => {
  const env = { TARGET_A_URL: 'https://example.com/', TARGET_A_HOST: 'fly' };
  expect(parsed({ ...env, TARGET_A_HOST_TOKEN: 'x' })).toEqual([
    'TARGET_A_HOST_TOKEN: has no effect: the address does not tell which app of Fly (auto stop) it is',
  ]);
  expect(parsed({ ...env, KEEP_ALIVE_HOST_TOKEN: 'x' })).toEqual({ a: null });
});

it('one token is never sent to two hosts', () => {
  const env = { TARGET_A_URL: RENDER, TARGET_B_URL: FLY, KEEP_ALIVE_HOST_TOKEN: 'x' };
  expect(parsed(env)).toEqual([
    'KEEP_ALIVE_HOST_TOKEN: is for one host, and targets are at fly, render: set TARGET_<ID>_HOST_TOKEN instead',
  ]);
  expect(parsed({ ...env, TARGET_B_HOST_TOKEN: 'y' })).toMatchObject({
    a: { value: 'x' },
    b: { value: 'y' },
  });
});

it('its value is in no problem, and one that no header can hold is one', () => {
  const problems = parsed({ TARGET_A_URL: RENDER, TARGET_A_HOST_TOKEN: 'sécret' });
  expect(problems).toEqual(['TARGET_A_HOST_TOKEN: expected at least 1 characters, printable ASCII only']);
});
