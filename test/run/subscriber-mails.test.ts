import { rm, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createMailer, type Mailer } from '../../lib/deliver/mailer.js';
import { answerNote } from '../../lib/http/notes-endpoint.js';
import { changeField } from '../../lib/http/operator-change.js';
import { setApp } from '../../lib/app.js';
import { NOTES_FIELD, SUBSCRIBERS_FIELD } from '../../lib/record/fields.js';
import { writeNotes } from '../../lib/record/notes.js';
import {
  noSubscribers,
  readSubscribers,
  ringKey,
  subscribe,
  writeSubscribers,
} from '../../lib/record/subscribers.js';
import { MOST_UNSAVED } from '../../lib/run/subscriber-mails.js';
import type { Store } from '../../lib/store/store.js';
import { COMMANDS_A_RUN, COMMANDS_DELIVERING } from '../support/budget.js';
import { configOf, FAILED, GOOD, manyTargets, Pinger } from '../support/runs.js';
import { ShardedPinger } from '../support/shards.js';
import { openRemoteStore, openSqlite } from '../support/stores.js';
import { startRedis, type RedisServer } from '../support/redis.js';
import { refusal, serveMail, type Mail } from '../support/smtp.js';

const MINUTE = 60_000;
const KEY = 'AAAAAAAAAAAAAAAAAAAAAA';
const SECRET = 'cron-secret-canary-0123';
const ENV = {
  TARGET_API_URL: 'https://api.test/',
  TARGET_API_NAME: 'API',
  TARGET_HIDDEN_URL: 'https://hidden.test/',
  TARGET_HIDDEN_NAME: 'Secret project',
  TARGET_HIDDEN_SHOW: 'none',
  KEEP_ALIVE_INTERVAL: '1m',
  KEEP_ALIVE_FAILURE_THRESHOLD: '1',
  KEEP_ALIVE_SUCCESS_THRESHOLD: '1',
  KEEP_ALIVE_CONTROL_URLS: 'off',
  KEEP_ALIVE_RETRIES: '0',
  CRON_SECRET: SECRET,
  KEEP_ALIVE_PUBLIC_URL: 'https://status.test',
  ALERT_EMAIL_FROM: 'Acme <status@acme.test>',
  ALERT_EMAIL_TO: 'ops@acme.test',
  PAGE_TITLE: 'Acme',
  PAGE_SUBSCRIPTIONS: 'on',
  PAGE_MAILS_PER_DAY: '100000',
};

let redis: RedisServer;
let folder: string;
let files = 0;

beforeAll(async () => {
  redis = await startRedis();
  folder = await mkdtemp(join(tmpdir(), 'keepalive-mails-'));
});
afterAll(async () => {
  await redis.stop();
  await rm(folder, { recursive: true });
});
beforeEach(() => redis.flush());

const people = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `person-${i}@example.com`);

async function addSubscribers(store: Store, addresses: readonly string[]): Promise<void> {
  const list = addresses.map((address) => ({ address, language: 'en' }));
  const value = writeSubscribers({ ...noSubscribers(KEY), list });
  const { fields } = await store.read({ fields: [SUBSCRIBERS_FIELD], logs: [] });
  await store.swap({ field: SUBSCRIBERS_FIELD, expected: fields.get(SUBSCRIBERS_FIELD) ?? null, value });
}

const remote = () => openRemoteStore({ kind: 'redis', url: redis.url }, { prefix: 'k' });

const embedded = () => Promise.resolve(openSqlite(join(folder, `${(files += 1)}.db`)));
/** `npm test` has the one in which each step is recorded, `npm run test:long` both. */
const databases: [string, () => Promise<Store>][] = [
  ['the embedded database', embedded],
  ...(inject('long') ? [['a database on another machine', remote] as [string, () => Promise<Store>]] : []),
];

interface Life {
  readonly pinger: Pinger;
  readonly store: Store;
}

/** A process that has just begun. */
async function live(
  store: Store,
  smtpUrl: string,
  { now, env = {} }: { readonly now?: number; readonly env?: Record<string, string> } = {},
): Promise<Life> {
  const config = configOf({ ...ENV, ALERT_SMTP_URL: smtpUrl, ...env });
  const pinger = new Pinger(config, store);
  if (now !== undefined) pinger.now = now;
  pinger.mailer = config.alerts.email && createMailer(config.alerts.email);
  return Promise.resolve({ pinger, store });
}

const bodyOf = ({ raw }: Mail): string => {
  const body = raw.split('\r\n\r\n').slice(1).join('\n\n').replace(/\r\n/g, '\n');
  // A line of more than 76 characters makes it quoted-printable.
  return body
    .replace(/=\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
};
const subjectOf = ({ raw }: Mail): string => /^Subject: (.*)$/m.exec(raw)?.[1]?.trim() ?? '';
const down = { api: FAILED, hidden: FAILED };

describe('subscribers', () => {
  it('are told what happens to what the public may see, in one mail a run', async () => {
    const server = await serveMail();
    const store = await remote();
    const { pinger } = await live(store, server.url);
    await addSubscribers(store, people(2));
    await pinger.run();
    expect(server.mails).toHaveLength(0);

    pinger.now += MINUTE;
    pinger.attempt = ({ info }) => (info.id in down ? FAILED : GOOD);
    await pinger.run();
    expect(server.mails.map(({ to }) => to[0]).sort()).toEqual(people(2));
    const [first] = server.mails;
    expect(first && [subjectOf(first), bodyOf(first)]).toEqual([
      '[Acme] API is down',
      expect.stringMatching(
        /^API is down\nSince 12:01 UTC\. Returned an error \(503\)\.\n\nhttps:\/\/status\.test\/\n\n-- \nYou get this e-mail because this address is subscribed to Acme\.\nUnsubscribe: https:\/\/status\.test\/unsubscribe\?t=[\w-]{30}\n+$/,
      ),
    ]);
    expect(first?.raw).toMatch(/^List-Unsubscribe:\s+<https:\/\/status\.test\/unsubscribe\?t=[\w-]{30}>\r$/m);
    expect(first?.raw).toMatch(/^List-Unsubscribe-Post: List-Unsubscribe=One-Click\r$/m);

    // A note that is written while nothing else happens.
    setApp({ config: pinger.config, store });
    const note = JSON.stringify({ text: 'We are on it.\n.\nBcc: x@y.example', target: 'api' });
    const headers = { authorization: `Bearer ${SECRET}` };
    pinger.now = Date.now() + MINUTE;
    const body = { method: 'POST', headers, body: note };
    expect((await answerNote(new Request('https://status.test/api/notes', body))).status).toBe(200);
    const secret = { ...body, body: JSON.stringify({ text: 'Nobody may know.', target: 'hidden' }) };
    expect((await answerNote(new Request('https://status.test/api/notes', secret))).status).toBe(200);
    setApp(null);
    await pinger.run();
    expect(server.mails.slice(2).map(subjectOf)).toEqual(['[Acme] Note on API', '[Acme] Note on API']);
    expect(bodyOf(server.mails[2] as Mail)).toMatch(
      /^Note on API\nWe are on it\.\n\.\nBcc: x@y\.example\n\n/,
    );

    pinger.now += MINUTE;
    pinger.attempt = () => GOOD;
    await pinger.run();
    pinger.now += MINUTE;
    await pinger.run();
    expect(server.mails.slice(4).map(subjectOf)).toEqual([
      '[Acme] API is up again',
      '[Acme] API is up again',
    ]);
    expect(server.mails.map(({ raw }) => raw).join()).not.toMatch(/hidden|Secret|Nobody|canary|api\.test/i);
    await store.close();
  });

  it('cost no more than a run with deliveries may, and nothing where nothing is news', async () => {
    const server = await serveMail();
    const store = await remote();
    const { pinger } = await live(store, server.url);
    await addSubscribers(store, people(3));
    await pinger.run();
    const costs: number[] = [];
    for (let i = 0; i < 4; i += 1) {
      pinger.now += MINUTE;
      pinger.attempt = () => (i === 1 ? FAILED : GOOD);
      costs.push((await pinger.run()).commands);
    }
    expect(server.mails).toHaveLength(6);
    expect(Math.max(...costs)).toBeLessThanOrEqual(COMMANDS_DELIVERING);
    expect([costs[0], costs[3]]).toEqual([7, 7]);
    expect(COMMANDS_A_RUN).toBeLessThan(COMMANDS_DELIVERING);
    await store.close();
  });

  it('are none where nobody has confirmed: nothing is kept for them', async () => {
    const server = await serveMail();
    const store = await remote();
    const { pinger } = await live(store, server.url);
    await pinger.run();
    pinger.now += MINUTE;
    pinger.attempt = () => FAILED;
    await pinger.run();
    await addSubscribers(store, people(1));
    pinger.now += MINUTE;
    await pinger.run();
    expect(server.mails).toHaveLength(0);
    await store.close();
  });

  it('are told the next day what the limit of a day has left over', async () => {
    const server = await serveMail();
    const store = await remote();
    const { pinger } = await live(store, server.url, { env: { PAGE_MAILS_PER_DAY: '5' } });
    pinger.now = Date.UTC(2026, 0, 5, 23, 50);
    await addSubscribers(store, people(8));
    await pinger.run();
    pinger.attempt = () => FAILED;
    for (let i = 0; i < 5; i += 1) {
      pinger.now += MINUTE;
      await pinger.run();
    }
    expect(server.mails).toHaveLength(5);
    expect(pinger.lines).toContain(
      'subscribers: told 5; PAGE_MAILS_PER_DAY=5 is reached, the others follow after midnight UTC',
    );
    pinger.now = Date.UTC(2026, 0, 6, 0, 1);
    await pinger.run();
    expect(new Set(server.mails.map(({ to }) => to[0]))).toEqual(new Set(people(8)));
    expect(server.mails).toHaveLength(8);
    await store.close();
  });

  it('are told later, once each, where the mail server fails, and the dead mailbox is passed over', async () => {
    let isDown = true;
    const server = await serveMail({
      onMailFrom: (_address, _session, done) => done(isDown ? refusal(421) : null),
      onRcptTo: ({ address }, _session, done) => done(address.startsWith('person-3@') ? refusal(550) : null),
    });
    const store = await remote();
    const { pinger } = await live(store, server.url);
    await addSubscribers(store, people(10));
    await pinger.run();
    pinger.attempt = () => FAILED;
    for (let i = 0; i < 3; i += 1) {
      pinger.now += MINUTE;
      await pinger.run();
    }
    expect(server.mails).toHaveLength(0);
    expect(pinger.lines).toContain('subscribers: not told: answered 421');
    isDown = false;
    for (let i = 0; i < 5; i += 1) {
      pinger.now += 10 * MINUTE;
      await pinger.run();
    }
    expect(server.mails.map(({ to }) => to[0]).sort()).toEqual(people(10).filter((_, i) => i !== 3));
    expect(pinger.lines).toContain('subscribers: told 9, 1 refused');
    await store.close();
  });

  it('are not passed over where the server refuses everybody', async () => {
    let refuses = true;
    const server = await serveMail({
      onRcptTo: (_address, _session, done) => done(refuses ? refusal(550) : null),
    });
    const store = await remote();
    const { pinger } = await live(store, server.url);
    await addSubscribers(store, people(20));
    await pinger.run();
    pinger.attempt = () => FAILED;
    pinger.now += MINUTE;
    await pinger.run();
    expect(pinger.lines).toContain('subscribers: not told: every recipient was refused (answered 550)');
    refuses = false;
    pinger.now += 10 * MINUTE;
    await pinger.run();
    expect(server.mails.map(({ to }) => to[0]).sort()).toEqual(people(20).sort());
    await store.close();
  });

  it.each(databases)(
    'are told as soon as a server that refused everybody for hours takes mails, on %s',
    async (_name, open) => {
      let refuses = true;
      let asked = 0;
      const server = await serveMail({
        onRcptTo: ({ address }, _session, done) => {
          asked += 1;
          // Four mailboxes are gone; all others are refused for as long as the sender is blocked.
          done(/person-[0-3]@/.test(address) ? refusal(550) : refuses ? refusal(554) : null);
        },
      });
      const store = await open();
      const { pinger } = await live(store, server.url);
      await addSubscribers(store, people(24));
      await pinger.run();
      pinger.attempt = () => FAILED;
      for (let i = 0; i < 36; i += 1) {
        pinger.now += 10 * MINUTE;
        await pinger.run();
      }
      expect([server.mails.length, asked < 200]).toEqual([0, true]);
      refuses = false;
      for (let i = 0; i < 14; i += 1) {
        pinger.now += 10 * MINUTE;
        await pinger.run();
      }
      expect(server.mails.map(({ to }) => to[0]).sort()).toEqual(people(24).slice(4).sort());
      await store.close();
    },
  );

  it('are told although the mailboxes of all who come before them are gone', async () => {
    const store = await remote();
    const server = await serveMail({
      onRcptTo: ({ address }, _session, done) => done(address === last ? null : refusal(550)),
    });
    await addSubscribers(store, people(40));
    const keys = people(40).map((address) => ({ address, key: ringKey({ key: KEY }, address) }));
    const last = keys.sort((a, b) => (a.key < b.key ? -1 : 1)).at(-1)?.address;
    const { pinger } = await live(store, server.url);
    await pinger.run();
    pinger.attempt = () => FAILED;
    for (let i = 0; i < 12; i += 1) {
      pinger.now += 10 * MINUTE;
      await pinger.run();
    }
    expect(server.mails.map(({ to }) => to[0])).toEqual([last]);
    await store.close();
  });

  it.each(databases)(
    'are removed once three mails over a week found no mailbox, and no others are, on %s',
    async (_name, open) => {
      const replies = new Map<string, readonly [string, number]>([
        ['person-0@example.com', ['5.1.1 no such user', 550]],
        ['person-1@example.com', ['no mailbox here', 550]],
        ['person-2@example.com', ['5.7.1 blocked by our list', 550]],
        ['person-3@example.com', ['5.2.2 mailbox full', 552]],
      ] as const);
      const tried = new Map<string, number>();
      const server = await serveMail({
        onRcptTo: ({ address }, _session, done) => {
          tried.set(address, (tried.get(address) ?? 0) + 1);
          const [text, responseCode] = replies.get(address) ?? [];
          done(text === undefined ? null : Object.assign(new Error(text), { responseCode }));
        },
      });
      const store = await open();
      const { pinger } = await live(store, server.url);
      await addSubscribers(store, people(8));
      const left = async () => {
        const { fields } = await store.read({ fields: [SUBSCRIBERS_FIELD], logs: [] });
        return readSubscribers(fields.get(SUBSCRIBERS_FIELD) ?? null)?.list.map(({ address }) => address);
      };
      await pinger.run();
      const costs: number[] = [];
      for (const [day, days] of [
        [0, 3],
        [3, 4],
        [7, 1],
      ] as const) {
        for (const attempt of [FAILED, GOOD, GOOD]) {
          pinger.now += MINUTE;
          pinger.attempt = () => attempt;
          costs.push((await pinger.run()).commands);
        }
        expect((await left())?.length).toBe(day < 7 ? 8 : 6);
        pinger.now += days * 24 * 60 * MINUTE;
      }
      expect(await left()).toEqual(people(8).slice(2));
      expect(tried.get('person-2@example.com')).toBe(6);
      if (store.kind !== 'sqlite') expect(Math.max(...costs)).toBeLessThanOrEqual(COMMANDS_DELIVERING);
      expect(pinger.lines).toContain(
        'subscribers: 2 addresses removed: their mail servers say that there is no such mailbox',
      );
      expect(pinger.lines.join()).not.toContain('@');
      await store.close();
    },
  );

  it('are told nothing twice where it could not be recorded that they were told', async () => {
    const server = await serveMail();
    const store = await remote();
    const { pinger } = await live(store, server.url);
    await addSubscribers(store, people(5));
    await pinger.run();
    const failing: Store = {
      ...bound(store),
      metered: (meter) => {
        const inner = store.metered(meter);
        let commits = 0;
        return {
          ...bound(inner),
          // The second commit of a run is the one behind the mails.
          commit: (commit) => ((commits += 1) === 2 ? lostAnswer() : inner.commit(commit)),
        };
      },
    };
    pinger.store = failing;
    pinger.now += MINUTE;
    pinger.attempt = () => FAILED;
    await pinger.run();
    expect(server.mails).toHaveLength(5);
    await redis.command('DEL', 'k:lease');
    pinger.store = store;
    for (let i = 0; i < 3; i += 1) {
      pinger.now += MINUTE;
      await pinger.run();
    }
    expect(server.mails).toHaveLength(5);
    await store.close();
  });

  it('stay as they are where their list cannot be read', async () => {
    const server = await serveMail();
    const store = await remote();
    const { pinger } = await live(store, server.url);
    await store.swap({ field: SUBSCRIBERS_FIELD, expected: null, value: ' 2nonsense' });
    await store.swap({ field: NOTES_FIELD, expected: null, value: writeNotes([]) });
    await pinger.run();
    pinger.now += MINUTE;
    pinger.attempt = () => FAILED;
    expect(await pinger.run()).toMatchObject({ status: 'completed', stored: true });
    expect(pinger.lines.join()).toContain('subscribers_unreadable');
    const { fields } = await store.read({ fields: [SUBSCRIBERS_FIELD], logs: [] });
    expect([fields.get(SUBSCRIBERS_FIELD), server.mails]).toEqual([' 2nonsense', []]);
    await store.close();
  });
});

describe('an address without a mailbox, of more than eight shards', () => {
  const NEW = 'new@example.com';

  /** Shards of one target; the ninth is in a group of its own. */
  async function sharded(store: Store, failing: (shard: number) => boolean, shards = 9) {
    const server = await serveMail({
      onRcptTo: ({ address }, _session, done) =>
        done(
          address === 'person-0@example.com'
            ? Object.assign(new Error('5.1.1 no such user'), { responseCode: 550 })
            : null,
        ),
    });
    const settings = Object.entries(ENV).filter(([name]) => !name.startsWith('TARGET_'));
    const config = manyTargets(shards, {
      ...Object.fromEntries(settings),
      ALERT_SMTP_URL: server.url,
      KEEP_ALIVE_SHARD_SIZE: '1',
    });
    const pinger = new ShardedPinger(config, store);
    pinger.mailer = config.alerts.email && createMailer(config.alerts.email);
    await addSubscribers(store, people(3));
    await pinger.tick();
    const shardOf = (id: string) => pinger.directory.known?.directory.get(id)?.shard ?? -1;
    const tick = async (attempt: typeof GOOD | typeof FAILED = GOOD) => {
      pinger.clock.now += MINUTE;
      pinger.attempt = ({ info }) => (failing(shardOf(info.id)) ? attempt : GOOD);
      return (await pinger.tick()).commands;
    };
    /** Outages on the first, the fourth and the eighth day: the next tick can remove the address. */
    const outages = async () => {
      for (const days of [3, 4, 0]) {
        await tick(FAILED);
        await tick();
        if (days > 0) await tick();
        pinger.clock.now += days * 24 * 60 * MINUTE;
      }
    };
    return { pinger, tick, outages };
  }
  /** The addresses of each copy of the list. */
  const lists = (store: Store) =>
    Promise.all(
      [0, 8].map(async (shard) => {
        const { fields } = await store.shard(shard).read({ fields: [SUBSCRIBERS_FIELD], logs: [] });
        return readSubscribers(fields.get(SUBSCRIBERS_FIELD) ?? null)
          ?.list.map(({ address }) => address)
          .sort();
      }),
    );
  /** The same store, and its shards, where `around` may make something else of a swap of the list. */
  const swapping = (
    store: Store,
    around: (shard: number, swap: () => Promise<boolean>) => Promise<boolean>,
    number = 0,
  ): Store => ({
    ...bound(store),
    metered: (meter) => swapping(store.metered(meter), around, number),
    shard: (other) => swapping(store.shard(other), around, other),
    swap: (swap) =>
      swap.field === SUBSCRIBERS_FIELD ? around(number, () => store.swap(swap)) : store.swap(swap),
  });
  const add = async (store: Store) => {
    const answer = await changeField(store, SUBSCRIBERS_FIELD, (text, now) => {
      const before = readSubscribers(text) ?? noSubscribers(KEY);
      const after = subscribe(before, { address: NEW, language: 'en' }, { asked: now, now });
      if (!('subscribers' in after)) throw new Error(after.refused);
      return { value: writeSubscribers(after.subscribers), answer: () => new Response() };
    });
    expect(answer.status).toBe(200);
  };
  const left = people(3).slice(1);

  it.each([0, 8])(
    'is taken from all copies of the list, whichever shard finds it: shard %i',
    async (finder) => {
      const store = await remote();
      const { pinger, tick, outages } = await sharded(store, (shard) => shard === finder);
      await outages();
      expect(await lists(store)).toEqual([people(3), people(3)]);
      // For two hashes: the list of the shard, a swap, both lists, a swap.
      expect(await tick()).toBe(9 * 7 + 1 + 4 * 2);
      expect(await lists(store)).toEqual([left, left]);
      expect(pinger.lines).toContain(
        'subscribers: 1 address removed: their mail servers say that there is no such mailbox',
      );
      expect(await tick()).toBe(9 * 7 + 1);
      await store.close();
    },
  );

  it('costs one swap where eight shards have one list', async () => {
    const store = await remote();
    const { tick, outages } = await sharded(store, (shard) => shard === 7, 8);
    await outages();
    // Beside its 7: the list and a swap; the commit leaves a row of the log to the next run.
    expect(await tick()).toBe(8 * 7 + 1 + 1 + 3 - 1);
    expect((await lists(store))[0]).toEqual(left);
    expect(await tick()).toBe(8 * 7 + 1);
    await store.close();
  });

  it('is removed once where several shards find it at the same time', async () => {
    const store = await remote();
    const { pinger, tick, outages } = await sharded(store, () => true);
    await outages();
    await tick();
    expect(await lists(store)).toEqual([left, left]);
    expect(pinger.lines.filter((line) => line.includes('removed:'))).toHaveLength(1);
    // The others look at the list once more.
    await tick();
    expect(await tick()).toBe(9 * 7 + 1);
    await store.close();
  });

  it('is removed in the embedded database too', async () => {
    const store = openSqlite(join(folder, `${(files += 1)}.db`));
    const { tick, outages } = await sharded(store, (shard) => shard === 8);
    await outages();
    await tick();
    expect(await lists(store)).toEqual([left, left]);
    await store.close();
  });

  it.each([0, 8])(
    'takes nobody along who subscribes in that moment, where shard %i finds it',
    async (finder) => {
      const store = await remote();
      const { pinger, tick, outages } = await sharded(store, (shard) => shard === finder);
      await outages();
      let isFirst = true;
      pinger.store = swapping(store, async (_shard, swap) => {
        if (isFirst) {
          isFirst = false;
          await add(store);
        }
        return swap();
      });
      await tick();
      expect(await lists(store)).toEqual([0, 8].map(() => [NEW, ...people(3)]));
      await tick();
      expect(await lists(store)).toEqual([0, 8].map(() => [NEW, ...left]));
      await store.close();
    },
  );

  it('holds up no run whose list is in a database that hangs', async () => {
    const store = await remote();
    const { pinger, tick, outages } = await sharded(store, (shard) => shard === 8);
    await outages();
    pinger.store = swapping(store, (shard, swap) => (shard === 0 ? new Promise(() => undefined) : swap()));
    await tick();
    expect(pinger.lines.filter((line) => line.includes('"event"'))).toEqual([
      '{"event":"subscribers_not_removed","message":"the store did not answer in time"}',
    ]);
    pinger.store = store;
    await tick();
    expect(await lists(store)).toEqual([left, left]);
    await store.close();
  });

  it('is removed from a copy that could not be written by a later run, which brings back nobody', async () => {
    const store = await remote();
    const { pinger, tick, outages } = await sharded(store, (shard) => shard === 0 || shard === 8);
    await outages();
    pinger.store = swapping(store, (shard, swap) => (shard === 8 ? lostAnswer() : swap()));
    await tick();
    expect(await lists(store)).toEqual([left, people(3)]);
    expect(pinger.lines.join()).toContain('subscribers_not_removed');
    // A visitor is told to try again, and may not come.
    await expect(add(pinger.store)).rejects.toThrow('no answer');
    expect(await lists(store)).toEqual([[NEW, ...left], people(3)]);
    pinger.store = store;
    await tick();
    expect(await lists(store)).toEqual([0, 8].map(() => [NEW, ...left]));
    await tick();
    expect(await tick()).toBe(9 * 7 + 1);
    await store.close();
  });
});

describe.each([
  ['the embedded database', 4, (path: string) => Promise.resolve(openSqlite(path))],
  ['a database on another machine', MOST_UNSAVED, remote],
] as const)(
  'a process that is killed at random while it sends mails, on %s',
  (_name, twiceAtMost, openStore) => {
    const count = inject('long') ? 1_000 : 50;
    const kills = inject('long') ? 20 : 5;

    it(`tells ${count} people once each, but for those who may be told again of the mails of one batch`, async () => {
      const server = await serveMail();
      const path = join(folder, `${(files += 1)}.db`);
      let store = await openStore(path);
      await addSubscribers(store, people(count));
      const first = await live(store, server.url);
      await first.pinger.run();
      let now = first.pinger.now;
      let random = 7;
      const chance = () => (random = (random * 16_807) % 2_147_483_647) / 2_147_483_647;
      const twice: number[] = [];
      for (let i = 0; i < kills; i += 1) {
        const { pinger } = await live(store, server.url, { now: (now += 2 * MINUTE) });
        pinger.attempt = () => FAILED;
        const dies = dyingAfter(pinger.mailer, 1 + Math.floor((chance() * count) / 3));
        pinger.mailer = dies.mailer;
        const before = duplicatesIn(server.mails);
        // A run that has less to send ends by itself.
        await Promise.race([pinger.run(), dies.died]);
        // The process is gone: its connections are closed, what it would have written is not written.
        await store.close();
        await redis.command('DEL', 'k:lease');
        store = await openStore(path);
        twice.push(duplicatesIn(server.mails) - before);
      }
      for (let i = 0; i < 10; i += 1) {
        const { pinger } = await live(store, server.url, { now: (now += 2 * MINUTE) });
        pinger.attempt = () => FAILED;
        await pinger.run();
      }
      const told = new Set(server.mails.map(({ to }) => to[0]));
      console.log(`${_name}: ${count} people, ${kills} kills, ${server.mails.length - count} told twice`);
      expect(told.size).toBe(count);
      expect(server.mails.length - count).toBeLessThanOrEqual(twiceAtMost * kills);
      // Who is told again gets the same mail again.
      const ids = new Set(server.mails.map(({ raw }) => /^Message-ID: (.*)$/m.exec(raw)?.[1]));
      expect(ids.size).toBe(count);
      await store.close();
    });
  },
);

function duplicatesIn(mails: readonly Mail[]): number {
  return mails.length - new Set(mails.map(({ to }) => to[0])).size;
}

/** A mailer that takes so many mails, and from then on never answers: the process is dead. */
function dyingAfter(
  mailer: Mailer | null,
  mails: number,
): { readonly mailer: Mailer; readonly died: Promise<void> } {
  let left = mails;
  let die: () => void = () => undefined;
  const died = new Promise<void>((resolve) => (die = resolve));
  if (mailer === null) throw new Error('no mailer');
  return {
    died,
    mailer: {
      async open() {
        const session = await mailer.open();
        return {
          ...session,
          async send(mail, signal) {
            left -= 1;
            if (left > 0) return session.send(mail, signal);
            // The last one is taken by the server, and nobody hears of it.
            if (left === 0) {
              await session.send(mail, signal);
              session.close();
              die();
            }
            return new Promise(() => undefined);
          },
        };
      },
    },
  };
}

function bound(store: Store): Store {
  return {
    kind: store.kind,
    get writes() {
      return store.writes;
    },
    metered: (meter) => store.metered(meter),
    shard: (number) => store.shard(number),
    claim: (request) => store.claim(request),
    read: (request) => store.read(request),
    commit: (commit) => store.commit(commit),
    swap: (swap) => store.swap(swap),
    replace: (replacement) => store.replace(replacement),
    now: () => store.now(),
    ping: () => store.ping(),
    renew: (ttl) => store.renew(ttl),
    underWay: (shards) => store.underWay(shards),
    close: () => store.close(),
  };
}

async function lostAnswer(): Promise<never> {
  const { StoreError } = await import('../../lib/store/store.js');
  throw new StoreError('store_timeout', 'no answer');
}
