import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Channel } from '../../lib/deliver/channel.js';
import { createChannels } from '../../lib/deliver/channels.js';
import { send } from '../../lib/deliver/send.js';
import { MAINTENANCE_FIELD } from '../../lib/record/fields.js';
import { writeMaintenance, type Maintenance } from '../../lib/record/maintenance.js';
import { openSqlite } from '../support/stores.js';
import { StoreError, type Store } from '../../lib/store/store.js';
import type { Attempt, ChannelName } from '../../lib/types.js';
import { meddled } from '../support/meddle.js';
import { receive, type Received } from '../support/receiver.js';
import { configOf, FAILED, GOOD, Pinger } from '../support/runs.js';
import { serveMail } from '../support/smtp.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TICK = 5 * MINUTE;
/** A Monday. On its Sunday, the 29th, clocks in Paris jump from 02:00 to 03:00, which is 01:00 UTC. */
const MONDAY = Date.UTC(2026, 2, 23);
const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** `Wed 14:05` */
function at(text: string): number {
  const [day = '', time = ''] = text.split(' ');
  const [hours = 0, minutes = 0] = time.split(':').map(Number);
  return MONDAY + DAYS.indexOf(day) * DAY + hours * HOUR + minutes * MINUTE;
}

function dayAndTime(time: number): string {
  return `${DAYS[Math.floor((time - MONDAY) / DAY)] ?? '?'} ${new Date(time).toISOString().slice(11, 16)}`;
}

type Spell = readonly [from: string, to: string];
const isIn = (spells: readonly Spell[], now: number): boolean =>
  spells.some(([from, to]) => now >= at(from) && now < at(to));

/** When each target fails, in UTC. */
const OUTAGES: Readonly<Record<string, readonly Spell[]>> = {
  shop: [
    ['Mon 10:00', 'Mon 10:40'],
    // While Slack is away.
    ['Thu 12:10', 'Thu 12:40'],
    // Two failed checks: below the threshold.
    ['Fri 09:00', 'Fri 09:10'],
  ],
  blog: [
    // Flapping.
    ...Array.from({ length: 6 }, (_, i): Spell => [
      `Tue 08:${String(i * 10).padStart(2, '0')}`,
      `Tue 08:${String(i * 10 + 5).padStart(2, '0')}`,
    ]),
    // Three days, with a reminder a day.
    ['Fri 18:00', 'Sun 19:30'],
  ],
  api: [
    // Within the maintenance of Sunday, 03:00 to 04:00 in Paris.
    ['Sun 01:05', 'Sun 01:50'],
    // An hour later by the clock of UTC, as it would be without daylight saving.
    ['Sun 02:10', 'Sun 02:40'],
    // It outlasts the maintenance of a deployment.
    ['Tue 20:00', 'Tue 21:10'],
  ],
  // Restarts bring it back at the second try on Wednesday, and not at all on Saturday.
  // The maintenance that was posted at Mon 16:00 is over; two good checks follow.
  cache: [
    ['Mon 16:05', 'Mon 16:10'],
    // While the webhook answers 404 at first, and 200 later.
    ['Tue 12:00', 'Tue 12:40'],
    // While the store's allowance is used up.
    ['Thu 20:00', 'Thu 20:40'],
    // It outlasts that.
    ['Thu 22:00', 'Thu 23:30'],
  ],
  // Removed while it is down, and well when it comes back.
  guest: [['Tue 14:00', 'Tue 15:30']],
  // Paused while it is down, and down still when it goes on.
  trial: [['Wed 09:00', 'Wed 12:00']],
  queue: [
    ['Wed 03:00', 'Wed 03:40'],
    ['Sat 05:00', 'Sat 08:00'],
  ],
};

const ENV = {
  TARGET_SHOP_URL: 'https://shop.up.railway.app/health',
  TARGET_SHOP_SLEEPS_AFTER: '10m',
  TARGET_BLOG_URL: 'https://blog.example.com/',
  TARGET_BLOG_FAILURE_THRESHOLD: '1',
  TARGET_BLOG_SUCCESS_THRESHOLD: '1',
  TARGET_API_URL: 'https://api.example.com/?token=canary-query',
  TARGET_API_HEADERS: '{"authorization":"Bearer canary-header"}',
  TARGET_API_MAINTENANCE: 'Sun 03:00-04:00 Europe/Paris; 2026-03-24T20:00Z/1h',
  TARGET_QUEUE_URL: 'https://queue.onrender.com/',
  TARGET_QUEUE_RECOVERY_URL: 'https://hook.example.com/?key=canary-hook',
  TARGET_QUEUE_RECOVERY_HEADERS: '{"authorization":"Bearer canary-recovery"}',
  TARGET_QUEUE_RECOVERY_COOLDOWN: '10m',
  TARGET_OFFICE_URL: 'https://office.onrender.com/',
  TARGET_OFFICE_ACTIVE_HOURS: 'Mon-Fri 08:00-20:00 Europe/Paris',
  TARGET_OFFICE_ALERTS: 'email',
  TARGET_MEMORY_URL: 'https://memory.example.com/',
  TARGET_MEMORY_ALERTS: 'slack',
  TARGET_CACHE_URL: 'https://cache.example.com/',
  TARGET_CACHE_FAILURE_THRESHOLD: '1',
  TARGET_GUEST_URL: 'https://guest.example.com/',
  TARGET_TRIAL_URL: 'https://trial.example.com/',
  KEEP_ALIVE_INTERVAL: '5m',
  KEEP_ALIVE_TICK: '5m',
  KEEP_ALIVE_RETRIES: '0',
  KEEP_ALIVE_WAKE_TIMEOUT: 'off',
  TARGET_OFFICE_WAKE_TIMEOUT: '90s',
  TARGET_SHOP_WAKE_TIMEOUT: '90s',
  KEEP_ALIVE_CONTROL_URLS: 'off',
  KEEP_ALIVE_PUBLIC_URL: 'https://status.example.com',
  ALERT_REMINDER: '1d',
};

const cardText = (body: Record<string, unknown>): string => {
  const [card] = (
    body as unknown as { attachments: { content: { body: { inlines: { text: string }[] }[] } }[] }
  ).attachments;
  return (card?.content.body ?? []).map(({ inlines }) => inlines.map(({ text }) => text).join('')).join('\n');
};

/** What each channel got, as its receiver would show it: the text alone. */
const TEXT_OF: Readonly<Record<string, (body: Record<string, unknown>) => string>> = {
  slack: ({ text }) => String(text),
  discord: ({ content }) => String(content),
  telegram: ({ text }) => String(text),
  ntfy: ({ title, message, priority }) => `[${String(priority)}] ${String(title)}\n${String(message)}`,
  teams: cardText,
  google_chat: ({ text }) => String(text),
  apprise: ({ title, body, type }) => `[${String(type)}] ${String(title)}\n${String(body)}`,
  webhook: ({ alerts }) => (alerts as { text: string }[]).map(({ text }) => text).join('\n'),
  pagerduty: (event) => {
    const {
      event_action: action,
      dedup_key: key,
      payload,
    } = event as {
      event_action: string;
      dedup_key: string;
      payload?: { severity: string; summary: string };
    };
    return `${action} ${key}${payload ? ` [${payload.severity}] ${payload.summary}` : ''}`;
  },
};

const received: Record<string, string[]> = {};
let store: Store;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keepalive-week-'));
  store = openSqlite(join(directory, 'keepalive.db'));
});
afterAll(async () => {
  await store.close();
  await rm(directory, { recursive: true });
});

it('a week, and what every channel said in it', async () => {
  let pinger: Pinger;
  const note = (channel: string, text: string): void => {
    const lines = text.split('\n').filter((line) => !line.includes('https://status.example.com'));
    (received[channel] ??= []).push(
      [dayAndTime(pinger.now), ...lines.map((line) => `  ${line}`)].join('\n').trim(),
    );
  };
  const receiver = await receive((response, request: Received) => {
    const channel =
      request.url
        .split('/')[1]
        ?.replace(/^bot.*|^v2$/, (part) => (part === 'v2' ? 'pagerduty' : 'telegram')) ?? '';
    const status = statusOf(channel, pinger.now);
    const body = JSON.parse(request.body) as Record<string, unknown>;
    // On Saturday the group became a supergroup.
    const isOldChat = channel === 'telegram' && pinger.now >= at('Sat 00:00') && body.chat_id === '-100';
    if (isOldChat) oldChats.push(dayAndTime(pinger.now));
    response.statusCode = isOldChat ? 400 : status;
    if (response.statusCode === 200) note(channel, TEXT_OF[channel]?.(body) ?? '?');
    response.end(isOldChat ? '{"ok":false,"parameters":{"migrate_to_chat_id":-1001234567890}}' : 'ok');
  });
  const mail = await serveMail();
  const configuredEnv: Record<string, string> = {
    ...ENV,
    ALERT_WEBHOOK_URL: `${receiver.url}/webhook/canary-webhook`,
    ALERT_WEBHOOK_SECRET: `whsec_${Buffer.from('canary-secret-canary-secret-1234').toString('base64')}`,
    ALERT_SLACK_URL: `${receiver.url}/slack/canary-slack`,
    ALERT_DISCORD_URL: `${receiver.url}/discord/canary-discord`,
    ALERT_TELEGRAM_TOKEN: '123:canary-telegram',
    ALERT_TELEGRAM_CHAT: '-100',
    ALERT_NTFY_URL: `${receiver.url.replace('://', '://user:canary-ntfy@')}/ntfy/topic`,
    ALERT_PAGERDUTY_KEY: 'canary-pagerduty',
    ALERT_SMTP_URL: mail.url,
    ALERT_EMAIL_FROM: 'Keepalive <pinger@example.com>',
    ALERT_EMAIL_TO: 'ops@example.com',
    ALERT_APPRISE_URL: `${receiver.url}/apprise/canary-apprise`,
    ALERT_TEAMS_URL: `${receiver.url}/teams/canary-teams`,
    ALERT_GOOGLE_CHAT_URL: `${receiver.url}/google_chat/canary-chat`,
  };
  const config = configOf(configuredEnv);
  const usedUp = () =>
    meddled(store, () => Promise.reject(new StoreError('store_limit', "the store's allowance is used up")));
  const setMaintenance = async (windows: readonly Maintenance[]): Promise<void> => {
    const { fields } = await store.read({ fields: [MAINTENANCE_FIELD], logs: [] });
    await store.swap({
      field: MAINTENANCE_FIELD,
      expected: fields.get(MAINTENANCE_FIELD) ?? null,
      value: writeMaintenance(windows),
    });
  };
  const channels = createChannels(config, { telegram: receiver.url, pagerduty: receiver.url });
  let mails = 0;
  const email = channels.get('email');
  if (email === undefined) throw new Error('no email');
  const noted: Channel = {
    name: 'email',
    deliver: async (digest, signal) => {
      await email.deliver(digest, signal);
      const subject = /^Subject: (.*(?:\r?\n .*)*)/m.exec(mail.mails[mails]?.raw ?? '')?.[1] ?? '';
      note('email', subject.replace(/\r?\n /g, ' '));
      mails += 1;
    },
  };
  const all = new Map<ChannelName, Channel>([...channels, ['email', noted]]);

  const oldChats: string[] = [];
  const lines: string[] = [];
  const restarts: string[] = [];
  let restartsOfIncident = 0;
  const restarted = (): void => {
    restartsOfIncident += 1;
    restarts.push(dayAndTime(pinger.now));
  };
  const attempt = (id: string): Attempt => {
    const { now } = pinger;
    if (isIn(OUTAGES[id] ?? [], now)) {
      // The second restart helps on Wednesday.
      if (id === 'queue' && now < at('Thu 00:00') && restartsOfIncident >= 2) return GOOD;
      return FAILED;
    }
    if (id === 'memory' && isIn([['Wed 14:00', 'Wed 15:30']], now)) {
      return { ...GOOD, outcome: 'degraded', message: 'memory.percent < 90 is not true' };
    }
    if (id === 'memory' && now >= at('Thu 06:00'))
      return { ...GOOD, tlsExpiresAt: at('Thu 06:00') + 13 * DAY };
    return GOOD;
  };
  /** How many more attempts fail until the host is awake. */
  const asleep = new Map<string, number>();
  let fellAsleep = '';
  const newProcess = (): Pinger => {
    const made = new Pinger(config, store);
    made.channels = all;
    made.send = async (request, signal) => {
      if (!request.url.startsWith('https://hook.example.com/')) return send(request, signal);
      restarted();
      return { status: 200, headers: {}, text: '' };
    };
    made.attempt = ({ info: { id } }) => {
      // The office sleeps at night and takes a minute to wake; the shop slept once although it was pinged.
      const time = dayAndTime(made.now);
      const sleeps = id === 'office' ? time.endsWith('07:00') : id === 'shop' && time === 'Wed 16:00';
      if (sleeps && fellAsleep !== `${id} ${time}`) {
        fellAsleep = `${id} ${time}`;
        asleep.set(id, 3);
      }
      const left = asleep.get(id) ?? 0;
      asleep.set(id, left - 1);
      if (left > 0) return FAILED;
      return attempt(id);
    };
    return made;
  };

  pinger = newProcess();
  for (let now = MONDAY; now < MONDAY + 7 * DAY; now += TICK) {
    // No trigger came for an hour.
    if (isIn([['Sat 14:00', 'Sat 15:00']], now)) continue;
    if (now === at('Sat 05:00')) restartsOfIncident = 0;
    pinger.now = now;
    if (now === at('Fri 18:00')) {
      // Killed between commit and delivery: its successor says what it could not.
      const killed = pinger;
      killed.channels = new Map(
        [...all.keys()].map((name) => [name, { name, deliver: () => new Promise<void>(() => undefined) }]),
      );
      void killed.run({ nextRunIn: 0, limit: 60_000 });
      await expect.poll(() => lastOf(killed.lines)).toBeDefined();
      pinger = newProcess();
      // Its lease ends with the process that holds the database.
      await store.close();
      store = openSqlite(join(directory, 'keepalive.db'));
      continue;
    }
    if (now === at('Mon 16:00'))
      await setMaintenance([{ target: 'cache', from: now, to: now + HOUR, reason: null }]);
    if (now === at('Mon 16:15')) {
      await setMaintenance([{ target: 'cache', from: at('Mon 16:00'), to: now - 1, reason: null }]);
    }
    const env = {
      ...configuredEnv,
      ...(isIn([['Tue 14:30', 'Tue 16:00']], now) ? { TARGET_GUEST_URL: '' } : {}),
      ...(isIn([['Wed 09:30', 'Wed 11:00']], now) ? { TARGET_TRIAL_ENABLED: 'false' } : {}),
    };
    pinger.config = configOf(Object.fromEntries(Object.entries(env).filter(([, text]) => text !== '')));
    const isUsedUp = isIn([['Thu 19:00', 'Thu 23:00']], now);
    pinger.store = isUsedUp ? usedUp() : store;
    const report = await pinger.run({ nextRunIn: 0 });
    expect(report).toMatchObject({ status: 'completed', stored: !isUsedUp });
    lines.push(...pinger.lines.splice(0));
  }
  for (const [channel, messages] of Object.entries(received)) {
    await expect(`${messages.join('\n\n')}\n`).toMatchFileSnapshot(`__snapshots__/week/${channel}.txt`);
  }
  expect(Object.keys(received).sort()).toEqual([...all.keys()].sort());
  expect(restarts).toEqual(['Wed 03:10', 'Wed 03:25', 'Sat 05:10', 'Sat 05:25', 'Sat 05:40']);
  // The first message after the move, and none later.
  expect(oldChats).toEqual(['Sat 05:10']);
  const everything = JSON.stringify([received, lines, mail.mails.map(({ raw }) => raw)]);
  expect(everything).not.toMatch(/canary/i);
});

/** Slack is away for an hour on Thursday; on Tuesday the webhook is gone for a while. */
function statusOf(channel: string, now: number): number {
  if (channel === 'slack' && isIn([['Thu 12:00', 'Thu 13:00']], now)) return 503;
  return channel === 'webhook' && isIn([['Tue 11:00', 'Tue 12:25']], now) ? 404 : 200;
}

function lastOf(lines: readonly string[]): string | undefined {
  return lines.find((line) => line.includes('blog: up -> down'));
}
