import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FREE_MESSAGES_A_DAY } from '../../lib/rules/allowances.js';
import { createSchedule, listSchedules, removeSchedule } from '../../lib/cli/schedule-command.js';
import { configOf } from '../support/runs.js';
import { Qstash } from '../support/qstash.js';
import { closedPort } from '../support/servers.js';

const TOKEN = 'canary-qstash-token';
const OURS = 'https://status.example.com/api/cron';
const THEIRS = 'https://other.example.com/api/cron';

let qstash: Qstash;

beforeAll(async () => {
  qstash = await Qstash.start();
});
beforeEach(() => qstash.reset());

const ENV = {
  QSTASH_TOKEN: TOKEN,
  QSTASH_CURRENT_SIGNING_KEY: 'canary-current-key',
  QSTASH_NEXT_SIGNING_KEY: 'canary-next-signing',
  KEEP_ALIVE_PUBLIC_URL: 'https://status.example.com',
  KEEP_ALIVE_TICK: '2m',
};

/** What a production build needs besides. */
const PRODUCTION = {
  VERCEL_ENV: 'production',
  CRON_SECRET: 'canary-cron-secret',
  REDIS_URL: 'redis://redis.example.com',
  TARGET_A_URL: 'https://a.example.com',
};

type Command = 'create' | 'build' | 'list' | 'remove';

/** What a command printed, or why it failed. */
async function schedule(command: Command, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const config = configOf({ QSTASH_URL: qstash.url, ...ENV, ...env });
  const lines: string[] = [];
  const print = (line: string) => void lines.push(line);
  const work = {
    create: () => createSchedule(config, print, { mayReplace: true }),
    build: () => createSchedule(config, print, { mayReplace: false }),
    list: () => listSchedules(config, print),
    remove: () => removeSchedule(config, print),
  }[command];
  const failure = await work().catch((error: unknown) => error);
  if (failure instanceof Error) {
    expect(failure).toMatchObject({ name: 'ScheduleError', code: expect.any(String) as string });
    lines.push(`${failure.name}: ${failure.message}`);
  }
  expect(lines.join('\n')).not.toContain('canary');
  return lines.join('\n');
}

const mine = { scheduleId: 'keepalive-keepalive', cron: '*/2 * * * *', destination: OURS, method: 'POST' };

describe('schedule create', () => {
  it('makes one that is not repeated, and waits as long as a run may take', async () => {
    expect(await schedule('create')).toBe(
      `keepalive-keepalive: QStash calls ${OURS} every 2 m (*/2 * * * *, UTC).\n` +
        '720 messages a day, the free plan has 1,000.',
    );
    expect(qstash.calls.at(-1)).toMatchObject({
      call: `POST /v2/schedules/${OURS}`,
      headers: {
        authorization: `Bearer ${TOKEN}`,
        'upstash-schedule-id': 'keepalive-keepalive',
        'upstash-cron': '*/2 * * * *',
        'upstash-method': 'POST',
        'upstash-retries': '0',
        'upstash-timeout': '300s',
      },
    });
  });

  it('changes the one that is there', async () => {
    await schedule('create');
    await schedule('create', { KEEP_ALIVE_TICK: '5m' });
    expect(qstash.schedules).toEqual([{ ...mine, cron: '*/5 * * * *' }]);
  });

  it('names it for the prefix', async () => {
    await schedule('create', { KEEP_ALIVE_PREFIX: 'a:b' });
    await schedule('create');
    expect(qstash.schedules.map(({ scheduleId }) => scheduleId)).toEqual([
      'keepalive-a-b',
      'keepalive-keepalive',
    ]);
  });

  it.each([
    ['1m', '1,440 messages a day', 'This tick needs a paid plan; KEEP_ALIVE_TICK=2m needs 720.'],
    ['30s', '(* * * * *, UTC)', 'KEEP_ALIVE_TICK is 30 s; no cron is quicker: set KEEP_ALIVE_TICK=1m.'],
    [
      '7m',
      '(*/6 * * * *, UTC)',
      'KEEP_ALIVE_TICK is 7 m; crons keep only what divides an hour or a day: set KEEP_ALIVE_TICK=6m.',
    ],
  ])('says what a tick of %s comes to', async (tick, cost, advice) => {
    const said = await schedule('create', { KEEP_ALIVE_TICK: tick });
    expect(said).toContain(cost);
    expect(said.split('\n')).toContain(advice);
  });

  it('counts the messages of the other schedules of the account', async () => {
    const other = { scheduleId: 'keepalive-other', cron: '*/2 * * * *', destination: THEIRS };
    qstash.schedules = [{ ...other, isPaused: true }, mine];
    expect(await schedule('build')).not.toContain('schedule of this account');
    qstash.schedules = [{ ...other, cron: '0,30 8-17 * * 1-5' }, mine];
    expect(await schedule('build')).toContain(
      'With another schedule of this account it is 740 messages a day.',
    );
    qstash.schedules = [other, mine];
    const said = await schedule('build');
    expect(said).toContain('Warning: With another schedule of this account it is 1,440 messages a day.');
    expect(said).toContain('Set KEEP_ALIVE_TICK=3m here (480 a day)');
  });

  it('says that calls will be refused without the keys', async () => {
    expect(await schedule('create', { QSTASH_NEXT_SIGNING_KEY: '' })).toContain(
      'Set QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY there',
    );
  });

  it('replaces one of another installation and says so; a build does not', async () => {
    qstash.schedules = [{ ...mine, destination: THEIRS }];
    expect(await schedule('build')).toMatch(
      new RegExp(`^ScheduleError: keepalive-keepalive calls ${THEIRS} and not ${OURS}: left as it is.`),
    );
    expect(qstash.schedules).toMatchObject([{ destination: THEIRS }]);
    expect(await schedule('create')).toContain(`It called ${THEIRS} before.`);
    expect(qstash.schedules).toEqual([mine]);
    expect(await schedule('build')).not.toContain('before');
  });
});

describe('schedule list', () => {
  it('shows those that start runs here', async () => {
    qstash.schedules = [
      { ...mine, isPaused: true },
      { scheduleId: 'by-hand', cron: '0 * * * *\u001b[31m\n', destination: `${OURS}?async=1` },
      { scheduleId: 'other', cron: '* * * * *', destination: THEIRS },
      { scheduleId: 'alike', cron: '* * * * *', destination: `${OURS}s` },
    ];
    expect(await schedule('list')).toBe(
      `keepalive-keepalive  */2 * * * *  ${OURS}  paused\nby-hand  0 * * * *[31m  ${OURS}?async=1`,
    );
  });

  it('says where there is none', async () => {
    expect(await schedule('list')).toBe(`No schedule calls ${OURS}.`);
  });
});

describe('schedule remove', () => {
  it('removes its own, once', async () => {
    qstash.schedules = [mine, { ...mine, scheduleId: 'by-hand' }];
    expect(await schedule('remove')).toBe('keepalive-keepalive: removed.');
    expect(qstash.schedules).toMatchObject([{ scheduleId: 'by-hand' }]);
    expect(await schedule('remove')).toBe('keepalive-keepalive: there is no such schedule.');
  });

  it('leaves that of another installation', async () => {
    qstash.schedules = [{ ...mine, destination: THEIRS }];
    expect(await schedule('remove')).toContain('left as it is');
    expect(qstash.schedules).toHaveLength(1);
  });
});

describe.each(['create', 'build', 'list', 'remove'] as const)(
  'schedule %s says what is wrong:',
  (command) => {
    it.each([
      ['no token', { QSTASH_TOKEN: '' }, /^ScheduleError: QSTASH_TOKEN: missing/],
      ['no public URL', { KEEP_ALIVE_PUBLIC_URL: '' }, /^ScheduleError: KEEP_ALIVE_PUBLIC_URL: missing/],
      [
        'neither',
        { QSTASH_TOKEN: '', KEEP_ALIVE_PUBLIC_URL: '' },
        /QSTASH_TOKEN: .*\nKEEP_ALIVE_PUBLIC_URL: /,
      ],
    ])('%s', async (_, env, message) => {
      expect(await schedule(command, env)).toMatch(message);
      expect(qstash.calls).toEqual([]);
    });

    it.each([
      [401, '{"error":"invalid token canary"}', 'QStash refused QSTASH_TOKEN (401).'],
      [
        412,
        `{"error":"quota\\u001b[31m\\nof ${TOKEN} exceeded"}`,
        'QStash answered 412: quota[31m of … exceeded.',
      ],
      [500, '<html>', 'QStash answered 500.'],
      [302, '', 'QStash answered 302.'],
      [200, 'null', 'QStash sent something else than schedules.'],
      [200, '', 'QStash sent something else than schedules.'],
    ])('QStash answers %d %s', async (status, body, message) => {
      qstash.refusal = { status, body };
      expect(await schedule(command)).toContain(`ScheduleError: ${message}`);
    });

    it('nobody answers', async () => {
      const url = `http://127.0.0.1:${await closedPort()}`;
      expect(await schedule(command, { QSTASH_URL: url })).toBe(
        `ScheduleError: QStash did not answer: is QSTASH_URL (${url}) right?`,
      );
    });
  },
);

it('a tick of two minutes is free', () => {
  expect(FREE_MESSAGES_A_DAY).toBeGreaterThanOrEqual(720);
});

describe('the command', () => {
  const root = resolve(import.meta.dirname, '../..');
  beforeAll(async () => {
    await promisify(execFile)(process.execPath, ['scripts/build.js'], { cwd: root });
  });

  async function keepalive(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const path = join(root, 'dist/bin/keepalive.js');
    const options = { env: { PATH: process.env.PATH, QSTASH_URL: qstash.url, ...ENV, ...env } };
    return new Promise<{ code: unknown; output: string }>((done) => {
      execFile(process.execPath, [path, ...args], options, (error, stdout, stderr) => {
        done({ code: error?.code ?? 0, output: stdout + stderr });
      });
    });
  }

  it('creates, lists and removes', async () => {
    expect(await keepalive(['schedule', 'create'])).toMatchObject({ code: 0 });
    expect(qstash.schedules).toEqual([mine]);
    expect(await keepalive(['schedule', 'list'])).toEqual({
      code: 0,
      output: `keepalive-keepalive  */2 * * * *  ${OURS}\n`,
    });
    expect(await keepalive(['schedule', 'remove'])).toMatchObject({ code: 0 });
    expect(qstash.schedules).toEqual([]);
  });

  it('says in one line what is wrong, and how it is used', async () => {
    const missing = await keepalive(['schedule', 'list'], { QSTASH_TOKEN: '' });
    expect(missing).toEqual({ code: 1, output: 'QSTASH_TOKEN: missing, the console of QStash shows it\n' });
    for (const args of [['schedule'], ['schedule', 'make']]) {
      expect(await keepalive(args)).toMatchObject({
        code: 2,
        output: expect.stringContaining('create|list') as string,
      });
    }
  });

  it('makes the schedule in a production build, and in no other', async () => {
    const vercel = {
      KEEP_ALIVE_PUBLIC_URL: '',
      VERCEL_PROJECT_PRODUCTION_URL: 'status.example.com',
      VERCEL: '1',
    };
    expect(await keepalive(['config'], { ...vercel, VERCEL_ENV: 'preview' })).toMatchObject({ code: 0 });
    expect(await keepalive(['config'])).toMatchObject({ code: 0 });
    expect(qstash.calls).toEqual([]);
    const built = await keepalive(['config'], { ...vercel, ...PRODUCTION });
    expect(built).toMatchObject({
      code: 0,
      output: expect.stringContaining(`QStash calls ${OURS}`) as string,
    });
    expect(qstash.schedules).toEqual([mine]);
    const other = await keepalive(['config'], { ...vercel, ...PRODUCTION, QSTASH_TOKEN: '' });
    expect(other.code).toBe(0);
    expect(other.output).toMatch(
      /^The configuration is valid: 1 target\.\n\nKEEP_ALIVE_TICK expects a run every 2 m/,
    );
    expect(other.output).not.toContain('QStash calls');
  });

  it('fails a production build that lacks what every production needs, and makes no schedule', async () => {
    const built = await keepalive(['config'], { VERCEL: '1', VERCEL_ENV: 'production' });
    expect(built.code).toBe(1);
    expect(built.output).toMatch(
      /^3 problems in the configuration:\nCRON_SECRET: missing.*\nTARGET_<ID>_URL: missing.*\nUPSTASH_REDIS_REST_URL: missing/,
    );
    expect(qstash.calls).toEqual([]);
  });

  it.each([
    ['refuses', { status: 401, body: '' }, {}, 'QStash refused QSTASH_TOKEN (401).'],
    ['cannot be told what to call', null, { KEEP_ALIVE_PUBLIC_URL: '' }, 'KEEP_ALIVE_PUBLIC_URL: missing'],
  ])('lets a build pass with a warning where QStash %s', async (_, answer, env, message) => {
    qstash.refusal = answer;
    const built = await keepalive(['config'], { ...PRODUCTION, ...env });
    expect(built.code).toBe(0);
    expect(built.output).toContain(`Warning: the QStash schedule was not made. ${message}`);
    expect(built.output).toContain('The build goes on. Until there is a schedule, the crons of vercel.json');
    expect(built.output).not.toContain('canary');
  });
});
