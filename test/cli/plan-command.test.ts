import { mkdir, rm, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { misfit, plan } from '../../lib/cli/plan-command.js';
import { configOf } from '../support/runs.js';
import { recordingTerminal } from '../support/terminal.js';

const UPSTASH = {
  UPSTASH_REDIS_REST_URL: 'https://db.upstash.example',
  UPSTASH_REDIS_REST_TOKEN: 'canary-token-0123456789',
};
const TARGETS = {
  TARGET_SHOP_URL: 'https://shop.onrender.com/health?key=canary',
  TARGET_API_URL: 'https://user:canary@api.up.railway.app/',
  TARGET_DB_URL: 'tcp://db.example.com:5432',
  TARGET_SPACE_URL: 'https://a-b.hf.space/',
  TARGET_OLD_URL: 'https://old.koyeb.app/',
  TARGET_OLD_ENABLED: 'false',
};

async function run(env: Readonly<Record<string, string>>, ...args: string[]) {
  const terminal = recordingTerminal(env);
  const code = await plan(args, terminal);
  return { code, text: terminal.lines.join('\n') };
}

/** How many hours the month of today has is no affair of the plan. */
const normal = (text: string) => text.replace(/(hours this month +)\d+ +(\S+) +\d+ %/g, '$1# $2 # %');

describe('keepalive plan', () => {
  it('shows what each trigger makes of a configuration, as its file shows', async () => {
    const parts: string[] = [];
    const cases: [string, Readonly<Record<string, string>>, string[], number][] = [
      ['on one machine', TARGETS, [], 0],
      [
        'QStash every 2 minutes',
        { ...TARGETS, ...UPSTASH, QSTASH_TOKEN: 'canary', KEEP_ALIVE_TICK: '2m' },
        [],
        0,
      ],
      ['the crons of the Hobby plan', { ...TARGETS, ...UPSTASH }, ['--trigger', 'crons'], 0],
      ['GitHub Actions', { ...TARGETS, ...UPSTASH, VERCEL: '1' }, ['--trigger', 'github'], 0],
      [
        'cron-job.org every minute',
        { ...TARGETS, ...UPSTASH, KEEP_ALIVE_TICK: '1m' },
        ['--trigger', 'cron-job'],
        0,
      ],
      [
        'a Redis, and more than Vercel allows',
        { ...TARGETS, REDIS_URL: 'redis://db.example', KEEP_ALIVE_TICK: '10s' },
        [],
        0,
      ],
      [
        'a deployment to the Hobby plan, and more than it allows',
        { ...TARGETS, REDIS_URL: 'redis://db.example', KEEP_ALIVE_TICK: '10s', KEEP_ALIVE_PLAN: 'hobby' },
        [],
        1,
      ],
      [
        'a Redis, and no plan',
        { ...TARGETS, REDIS_URL: 'redis://db.example', KEEP_ALIVE_TICK: '10s', KEEP_ALIVE_PLAN: 'none' },
        [],
        0,
      ],
      [
        'npm start on more commands than Upstash allows',
        { ...TARGETS, ...UPSTASH, KEEP_ALIVE_TICK: '10s' },
        ['--trigger', 'local'],
        1,
      ],
      ['once a day', { ...TARGETS, ...UPSTASH, KEEP_ALIVE_TICK: '1d' }, [], 0],
      [
        'a target every 10 seconds',
        { ...UPSTASH, TARGET_A_URL: 'http://a.test', TARGET_A_INTERVAL: '10s' },
        [],
        0,
      ],
      ['QStash, before anything is deployed', TARGETS, ['--trigger', 'qstash'], 0],
      ['the crons, before anything is deployed', TARGETS, ['--trigger', 'crons'], 0],
      ['a build on Vercel without QStash', { ...TARGETS, ...UPSTASH, VERCEL: '1' }, [], 0],
      [
        'two peers, and Globalping',
        {
          ...{ ...TARGETS, ...UPSTASH, QSTASH_TOKEN: 'canary', KEEP_ALIVE_TICK: '5m' },
          KEEP_ALIVE_PEERS: 'https://b.example.com,https://c.example.com,globalping',
          KEEP_ALIVE_PEER_SECRET: 'canary-secret-of-32-characters-and-more',
        },
        [],
        0,
      ],
      [
        'Globalping alone',
        { ...TARGETS, ...UPSTASH, KEEP_ALIVE_TICK: '5m', KEEP_ALIVE_PEERS: 'globalping' },
        [],
        0,
      ],
      ['three shards on one machine', { ...TARGETS, KEEP_ALIVE_SHARD_SIZE: '2' }, [], 0],
      ['no target', {}, [], 0],
    ];
    for (const [what, env, args, code] of cases) {
      const found = await run(env, ...args);
      expect([what, found.code]).toEqual([what, code]);
      expect(found.text).not.toContain('canary');
      parts.push(`--- ${what} (exit code ${code})\n${normal(found.text)}\n`);
    }
    await expect(parts.join('\n')).toMatchFileSnapshot('__snapshots__/plan.txt');
  });

  it('counts what Vercel allows where the folder is linked to a project there', async () => {
    const env = { ...TARGETS, REDIS_URL: 'redis://db.example', KEEP_ALIVE_TICK: '10s' };
    const before = await run(env);
    expect(before.code).toBe(0);
    expect(before.text).toContain('keepalive plan --trigger local');
    await mkdir('.vercel');
    await writeFile('.vercel/project.json', '{}');
    const linked = await run(env).finally(() => rm('.vercel', { recursive: true }));
    expect(linked.code).toBe(1);
    expect(linked.text).not.toContain('--trigger local');
  });

  it('gives the same as JSON', async () => {
    const { text } = await run({ ...TARGETS, ...UPSTASH }, '--json', '--trigger', 'qstash');
    expect(JSON.parse(text)).toMatchObject({
      trigger: 'qstash',
      targets: [{ id: 'api', host: 'railway', sleeps: 0, longestGap: 120_000 }, {}, {}, {}, {}],
      allowances: expect.arrayContaining([
        { what: 'QStash messages a month', used: 21_600, allowed: 30_000 },
      ]) as unknown,
      shards: 1,
      toldAfter: null,
    });
    const three = await run({ ...TARGETS, KEEP_ALIVE_SHARD_SIZE: '2' }, '--json');
    expect(JSON.parse(three.text)).toMatchObject({
      shards: 3,
      toldAfter: { least: 5_000, most: 35_000 },
    });
  });

  it('plans for the same ticks on this machine as in the build', async () => {
    for (const [trigger, env] of [
      ['qstash', { QSTASH_TOKEN: 'canary' }],
      ['crons', {}],
    ] as const) {
      const here = await run(TARGETS, '--trigger', trigger);
      expect(here.text).toBe((await run({ ...TARGETS, ...UPSTASH, VERCEL: '1', ...env })).text);
    }
  });

  it.each([
    ['fits', { VERCEL: '1', KEEP_ALIVE_TICK: '1m' }, null],
    [
      'asks QStash for more than it has',
      { VERCEL: '1', QSTASH_TOKEN: 'canary', KEEP_ALIVE_TICK: '1m' },
      /^The configuration does not fit its plan: 43,200 of 30,000 QStash messages a month\..*KEEP_ALIVE_PLAN/,
    ],
    ['is watched by nobody', { VERCEL: '1', KEEP_ALIVE_TICK: '10s', KEEP_ALIVE_PLAN: 'none' }, null],
    ['runs too often for every allowance', { VERCEL: '1', KEEP_ALIVE_TICK: '10s' }, /commands.*CPU/],
    [
      'may use more on Pro',
      { VERCEL: '1', KEEP_ALIVE_TICK: '30s', KEEP_ALIVE_PLAN: 'pro' },
      /^[^:]*: 604,800 of 500,000 Upstash commands a month\. /,
    ],
    ['is for one machine', { KEEP_ALIVE_TICK: '10s' }, null],
  ])('knows a configuration that %s', (_, env, expected) => {
    const reason = misfit(configOf({ ...TARGETS, ...UPSTASH, ...env }));
    if (expected === null) expect(reason).toBeNull();
    else expect(reason).toMatch(expected);
  });

  it('takes no other trigger', async () => {
    await expect(run(TARGETS, '--trigger', 'cron')).rejects.toThrow(
      'one of local, tick, qstash, crons, github, cron-job',
    );
  });
});
