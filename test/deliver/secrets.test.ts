import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../lib/config/config.js';
import type { Channel } from '../../lib/deliver/channel.js';
import { createChannels } from '../../lib/deliver/channels.js';
import { CHANNEL_NAMES, type ChannelName } from '../../lib/types.js';
import { ALERTS, digestOf, itemOf } from '../support/digests.js';
import { receive } from '../support/receiver.js';
import { closedPort, serveTcp } from '../support/servers.js';
import { serveMail } from '../support/smtp.js';

const digest = digestOf(Object.values(ALERTS).map((alert) => itemOf(alert)));

/** Every secret of a configuration holds its own canary, and base64 of it where it becomes a header. */
function channelsTo(address: string, smtpPort: number | string): ReadonlyMap<ChannelName, Channel> {
  const at = (name: string) => address.replace('http://', `http://user:canary-${name}-password@`);
  const parsed = parseConfig({
    CRON_SECRET: 'canary-cron-secret',
    STATS_TOKEN: 'canary-stats-token',
    QSTASH_TOKEN: 'canary-qstash-token',
    UPSTASH_REDIS_REST_URL: 'https://canary-store.example',
    UPSTASH_REDIS_REST_TOKEN: 'canary-store-token',
    KEEP_ALIVE_HEARTBEAT_URL: 'https://hc.example/canary-heartbeat',
    TARGET_API_URL: 'https://user:canary-target-password@api.example.com/health?key=canary-target-query',
    TARGET_API_HEADERS: '{"x-key":"canary-target-header"}',
    TARGET_API_RECOVERY_URL: 'https://deploy.example/canary-recovery',
    ALERT_WEBHOOK_URL: `${at('webhook')}/canary-webhook-path?k=canary-webhook-query`,
    ALERT_WEBHOOK_SECRET: `whsec_${Buffer.from('canary-webhook-secret-of-32-byte').toString('base64')}`,
    ALERT_SLACK_URL: `${at('slack')}/services/canary-slack-path`,
    ALERT_DISCORD_URL: `${at('discord')}/api/webhooks/1/canary-discord-path`,
    ALERT_TELEGRAM_TOKEN: '123:canary-telegram-token',
    ALERT_TELEGRAM_CHAT: '@canary_telegram_chat',
    ALERT_NTFY_URL: `${at('ntfy')}/canary-ntfy-topic`,
    ALERT_PAGERDUTY_KEY: 'canary-pagerduty-key',
    ALERT_SMTP_URL: `smtp://canary-email-user:canary-email-password@127.0.0.1:${smtpPort}`,
    ALERT_EMAIL_FROM: 'from@example.com',
    ALERT_EMAIL_TO: 'canary-email-to@example.com',
    ALERT_APPRISE_URL: `${at('apprise')}/notify/canary-apprise-path`,
    ALERT_TEAMS_URL: `${at('teams')}/invoke?sig=canary-teams-query`,
    ALERT_GOOGLE_CHAT_URL: `${at('google_chat')}/messages?key=canary-google_chat-query&token=canary-google_chat-token`,
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return createChannels(parsed.config, { telegram: address, pagerduty: address });
}

/** As the secret itself, and as it looks in an `authorization` header or an SMTP dialogue. */
function expectNoCanary(text: string, but: readonly string[] = []): void {
  const decoded = (text.match(/[\w+/]{16,}={0,2}/g) ?? []).map((word) =>
    Buffer.from(word, 'base64').toString('latin1'),
  );
  for (const found of [text, ...decoded].join('\n').match(/canary[\w-]*/g) ?? []) {
    expect(
      but.some((own) => found.startsWith(own)),
      found,
    ).toBe(true);
  }
}

describe('what a channel sends', () => {
  it('holds no secret but its own', async () => {
    const receiver = await receive();
    const mail = await serveMail();
    const signal = new AbortController().signal;
    for (const [name, channel] of channelsTo(receiver.url, new URL(mail.url).port)) {
      const before = receiver.received.length;
      await channel.deliver(digest, signal);
      const requests = receiver.received.slice(before);
      for (const { url, headers, body } of requests) {
        expectNoCanary([url, ...Object.values(headers)].join('\n'), [`canary-${name}`]);
        const inBody: readonly string[] =
          {
            pagerduty: ['canary-pagerduty-key'],
            telegram: ['canary_telegram_chat'],
            ntfy: ['canary-ntfy-topic'],
          }[name as string] ?? [];
        expectNoCanary(body, inBody);
      }
      // PagerDuty is told of the target, of the peer and of the test apart.
      expect(requests.length).toBe({ email: 0, pagerduty: 3 }[name as string] ?? 1);
    }
    expect(mail.mails).toHaveLength(1);
    for (const { raw } of mail.mails) expectNoCanary(raw, ['canary-email-to']);
  });
});

/** Peers that send back what they were sent, and other failures. By port. */
const FAILURES: Readonly<Record<string, () => Promise<number>>> = {
  'nobody listens': closedPort,
  'resets when asked': async () =>
    (await serveTcp((socket) => socket.once('data', () => socket.resetAndDestroy()))).port,
  'echoes it as garbage': async () =>
    (await serveTcp((socket) => socket.on('data', (data) => socket.end(data)))).port,
  'echoes it in a refusal': async () =>
    (
      await serveTcp((socket) =>
        socket.on('data', (data) => socket.end(`HTTP/1.1 400 ${String(data)}\r\n\r\n${String(data)}`)),
      )
    ).port,
  'answers 404': async () =>
    (
      await serveTcp((socket) =>
        socket.once('data', (data) =>
          socket.end(`HTTP/1.1 404 Not Found\r\nx-echo: ${String(data).split('\r\n')[0]}\r\n\r\n`),
        ),
      )
    ).port,
  'never answers': async () => (await serveTcp((socket) => void socket.resume())).port,
};

describe.each(Object.entries(FAILURES))('where a peer %s', (_what, open) => {
  it.each(CHANNEL_NAMES)('%s fails without a secret or an address in what can be printed', async (name) => {
    const port = await open();
    const channel = channelsTo(`http://127.0.0.1:${port}`, port).get(name);
    const failure = await channel?.deliver(digest, AbortSignal.timeout(300)).then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ name: 'DeliveryError' });
    expectNoPrinted(failure);
  });
});

it.each([535, 550, 451])(
  'a mail server that refuses by %i, quoting what it got, puts nothing into the error',
  async (status) => {
    const server = await serveMail({
      onAuth: (auth, _session, done) =>
        done(Object.assign(new Error(`no ${auth.username} ${auth.password}`), { responseCode: status })),
    });
    const channel = channelsTo('http://127.0.0.1:9', new URL(server.url).port).get('email');
    const failure = await channel?.deliver(digest, new AbortController().signal).then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({ name: 'DeliveryError', message: `answered ${status}` });
    expectNoPrinted(failure);
  },
);

function expectNoPrinted(failure: unknown): void {
  const stack = failure instanceof Error ? (failure.stack ?? '') : '';
  const printed = [
    String(failure),
    JSON.stringify(failure),
    inspect(failure, { depth: 20, showHidden: true }),
    stack,
  ];
  for (const text of printed) {
    expectNoCanary(text.replace(/at .*\(.*\)/g, ''));
    expect(text).not.toContain('127.0.0.1');
  }
}
