import { CHANNEL_NAMES, type ChannelName } from '../../types.js';

/** What is to be set for each channel. */
export const CHANNEL_VARIABLES = {
  webhook: 'ALERT_WEBHOOK_URL',
  slack: 'ALERT_SLACK_URL',
  discord: 'ALERT_DISCORD_URL',
  telegram: 'ALERT_TELEGRAM_TOKEN and ALERT_TELEGRAM_CHAT',
  ntfy: 'ALERT_NTFY_URL',
  pagerduty: 'ALERT_PAGERDUTY_KEY',
  email: 'ALERT_SMTP_URL, ALERT_EMAIL_FROM and ALERT_EMAIL_TO',
  apprise: 'ALERT_APPRISE_URL',
  teams: 'ALERT_TEAMS_URL',
  google_chat: 'ALERT_GOOGLE_CHAT_URL',
} as const satisfies Record<ChannelName, string>;

/** Services that tools call otherwise, without what is no letter. Mattermost and Rocket.Chat take Slack's messages. */
const OTHERS: ReadonlyMap<string, ChannelName> = new Map([
  ['mattermost', 'slack'],
  ['rocketchat', 'slack'],
  ['smtp', 'email'],
  ['googlechat', 'google_chat'],
  ['teamsworkflows', 'teams'],
  ['msteams', 'teams'],
  ['custom', 'webhook'],
]);

/** The channel that reaches the people whom a service of a tool tells. */
export function channelFor(service: string): ChannelName | undefined {
  const word = service.toLowerCase().replace(/[^a-z]/g, '');
  return CHANNEL_NAMES.find((name) => name === word) ?? OTHERS.get(word);
}
