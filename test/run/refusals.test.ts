import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Channel } from '../../lib/deliver/channel.js';
import { createChannels } from '../../lib/deliver/channels.js';
import { openSqlite } from '../support/stores.js';
import type { ChannelName } from '../../lib/types.js';
import { receive } from '../support/receiver.js';
import { configOf, FAILED, GOOD, Pinger } from '../support/runs.js';
import { refusal, serveMail } from '../support/smtp.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOON = Date.UTC(2026, 0, 5, 12);
/** Ms that a channel has that does not answer: what it would wait in earnest is no part of this. */
const PATIENCE = 250;

const ANSWERS = [400, 401, 403, 404, 410, 429, 500, 'hang'] as const;
/** What SMTP says instead. */
const MAIL: Readonly<Record<string, number>> = {
  400: 550,
  401: 535,
  403: 554,
  404: 550,
  410: 550,
  429: 450,
  500: 451,
};

interface Case {
  readonly title: string;
  /** Of the snapshot. */
  readonly file: string;
  /** Hours since the outage began. */
  readonly endsAfter: number;
  readonly worksAfter: number;
  readonly until: number;
  /** Ms between two runs. */
  readonly tick: number;
}
const CASES: readonly Case[] = [
  {
    title: 'outage of 6 h, channel works after 1 h',
    file: 'during-the-outage',
    endsAfter: 6,
    worksAfter: 1,
    until: 7,
    tick: 5 * MINUTE,
  },
  {
    title: 'outage of 30 min, channel works after 1 h',
    file: 'after-the-outage',
    endsAfter: 0.5,
    worksAfter: 1,
    until: 4,
    tick: 5 * MINUTE,
  },
  {
    title: 'outage of 30 h, channel works after 26 h',
    file: 'after-a-day-of-outage',
    endsAfter: 30,
    worksAfter: 26,
    until: 31,
    tick: 15 * MINUTE,
  },
  {
    title: 'outage of 1 h, channel works after 26 h, next outage after 40 h',
    file: 'before-the-next-outage',
    endsAfter: 1,
    worksAfter: 26,
    until: 42,
    tick: 15 * MINUTE,
  },
];

/** `+3 h 05 m` since the first failed check. */
function since(ms: number): string {
  const minutes = Math.round(ms / MINUTE);
  return `+${String(Math.floor(minutes / 60))} h ${String(minutes % 60).padStart(2, '0')} m`;
}

/** What each channel was told of one outage while and after it answered so. */
async function play(
  answer: (typeof ANSWERS)[number],
  { endsAfter, worksAfter, until, tick }: Case,
): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'keepalive-refusals-'));
  const store = openSqlite(join(directory, 'keepalive.db'));
  const works = () => pinger.now >= NOON + worksAfter * HOUR;
  const receiver = await receive((response) => {
    if (works()) response.writeHead(200).end('ok');
    else if (answer !== 'hang') response.writeHead(answer).end('{"error":"refused"}');
  });
  const mail = await serveMail({
    onMailFrom: (_address, _session, done) => {
      if (works()) done();
      else if (answer !== 'hang') done(refusal(MAIL[answer] ?? 451));
    },
  });
  const config = configOf({
    TARGET_API_URL: 'https://api.example.com/',
    KEEP_ALIVE_INTERVAL: String(tick),
    KEEP_ALIVE_TICK: String(tick),
    KEEP_ALIVE_RETRIES: '0',
    KEEP_ALIVE_CONTROL_URLS: 'off',
    ALERT_WEBHOOK_URL: `${receiver.url}/webhook`,
    ALERT_SLACK_URL: `${receiver.url}/slack`,
    ALERT_DISCORD_URL: `${receiver.url}/discord`,
    ALERT_TELEGRAM_TOKEN: '123:token',
    ALERT_TELEGRAM_CHAT: '-100',
    ALERT_NTFY_URL: `${receiver.url}/topic`,
    ALERT_PAGERDUTY_KEY: 'key',
    ALERT_PAGERDUTY_URL: receiver.url,
    ALERT_SMTP_URL: mail.url,
    ALERT_EMAIL_FROM: 'pinger@example.com',
    ALERT_EMAIL_TO: 'ops@example.com',
    ALERT_APPRISE_URL: `${receiver.url}/apprise`,
    ALERT_TEAMS_URL: `${receiver.url}/teams`,
    ALERT_GOOGLE_CHAT_URL: `${receiver.url}/chat`,
  });
  const told = new Map<ChannelName, string[]>();
  const tries = new Map<ChannelName, number>();
  const pinger = new Pinger(config, store);
  pinger.channels = new Map(
    [...createChannels(config, { telegram: receiver.url, pagerduty: receiver.url })].map(
      ([name, channel]): [ChannelName, Channel] => [
        name,
        {
          name,
          deliver: async (digest, _limit, place) => {
            tries.set(name, (tries.get(name) ?? 0) + 1);
            // An answer is waited for as long as a busy machine takes.
            const mayHang = !works() && answer === 'hang';
            const limit = mayHang ? AbortSignal.timeout(PATIENCE) : new AbortController().signal;
            await channel.deliver(digest, limit, place);
            const what = digest.items
              .map(({ alert }) =>
                alert.kind === 'undelivered' ? `${String(alert.count)} not delivered` : alert.kind,
              )
              .join(' + ');
            told.set(name, [...(told.get(name) ?? []), `${since(pinger.now - NOON)}: ${what}`]);
          },
        },
      ],
    ),
  );
  const isDown = (at: number) =>
    (at >= NOON && at < NOON + endsAfter * HOUR) || (at >= NOON + 40 * HOUR && at < NOON + 41 * HOUR);
  pinger.attempt = () => (isDown(pinger.now) ? FAILED : GOOD);
  for (let now = NOON - tick; now < NOON + until * HOUR; now += tick) {
    // What comes to pass within one run takes no time.
    pinger.now = now;
    expect(await pinger.run({ nextRunIn: 0 })).toMatchObject({ stored: true });
  }
  await store.close();
  await rm(directory, { recursive: true });
  // Channels of which the same is to be said stand in one line.
  const lines = new Map<string, ChannelName[]>();
  for (const name of pinger.channels.keys()) {
    const line = `${(told.get(name) ?? ['nothing']).join('; ')} (${String(tries.get(name) ?? 0)} tries)`;
    lines.set(line, [...(lines.get(line) ?? []), name]);
  }
  return [...lines].map(
    ([line, names]) =>
      `  ${names.length === pinger.channels.size ? 'all channels' : names.join(', ')}: ${line}`,
  );
}

it.each(CASES)('what is said, and when, where a channel answers so: $title', async (each) => {
  // Each try of a channel that hangs takes real time; two cases tell what it is like.
  const answers = ANSWERS.filter((answer) => answer !== 'hang' || each.worksAfter === 1);
  const said = await Promise.all(
    answers.map(async (answer) => [` ${String(answer)}`, ...(await play(answer, each))]),
  );
  const every = String(each.tick / MINUTE);
  const text = [
    `${each.title}, a run every ${every} min (times since the first failed check)`,
    ...said.flat(),
    '',
  ].join('\n');
  await expect(text).toMatchFileSnapshot(`__snapshots__/refusals/${each.file}.txt`);
});
