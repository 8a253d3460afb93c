import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../lib/config/config.js';
import { createChannels } from '../../lib/deliver/channels.js';
import { CHANNEL_NAMES } from '../../lib/types.js';
import { ROOT } from '../support/root.js';

const of = (env: Record<string, string>) => {
  const parsed = parseConfig(env);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return [...createChannels(parsed.config)].map(([name, channel]) => {
    expect(channel.name).toBe(name);
    return name;
  });
};

const ALL = {
  ALERT_WEBHOOK_URL: 'https://hook.example/',
  ALERT_SLACK_URL: 'https://hooks.slack.example/services/a',
  ALERT_DISCORD_URL: 'https://discord.example/api/webhooks/1/a',
  ALERT_TELEGRAM_TOKEN: '1:a',
  ALERT_TELEGRAM_CHAT: '@chat',
  ALERT_NTFY_URL: 'https://ntfy.example/topic',
  ALERT_PAGERDUTY_KEY: 'a',
  ALERT_SMTP_URL: 'smtp://mail.example',
  ALERT_EMAIL_FROM: 'a@example.com',
  ALERT_EMAIL_TO: 'b@example.com',
  ALERT_APPRISE_URL: 'https://apprise.example/notify/a',
  ALERT_TEAMS_URL: 'https://teams.example/invoke?sig=a',
  ALERT_GOOGLE_CHAT_URL: 'https://chat.example/v1/spaces/a/messages?key=a',
};

describe('channels', () => {
  it('are those that are set up', () => {
    expect(of({})).toEqual([]);
    expect(of({ ALERT_SLACK_URL: ALL.ALERT_SLACK_URL })).toEqual(['slack']);
    expect(of(ALL)).toEqual(CHANNEL_NAMES);
  });

  it('load what they send with when they send', () => {
    const folder = join(ROOT, 'lib/deliver');
    const sources = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
    expect(sources.filter((source) => /from '(?:undici|nodemailer|standardwebhooks)/.test(source))).toEqual(
      [],
    );
  });
});
