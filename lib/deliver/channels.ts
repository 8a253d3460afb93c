import type { Config } from '../config/config.js';
import type { ChannelName } from '../types.js';
import { apprise } from './apprise.js';
import type { Channel } from './channel.js';
import { discord } from './discord.js';
import { email } from './email.js';
import { ntfy } from './ntfy.js';
import { pagerduty } from './pagerduty.js';
import { slack } from './slack.js';
import { telegram } from './telegram.js';
import { webhook } from './webhook.js';

/** Services whose address need not be configured, without a slash at the end. */
export interface Services {
  readonly telegram: string;
  readonly pagerduty: string;
}

const SERVICES: Services = {
  telegram: 'https://api.telegram.org',
  pagerduty: 'https://events.pagerduty.com',
};

/** The channels that are set up. Cheap: what they send with is loaded when they first do. */
export function createChannels(
  { alerts, prefix }: Pick<Config, 'alerts' | 'prefix'>,
  services: Services = SERVICES,
): ReadonlyMap<ChannelName, Channel> {
  const channels: Readonly<Record<ChannelName, Channel | null>> = {
    webhook: alerts.webhook && webhook(alerts.webhook),
    slack: alerts.slack && slack(alerts.slack),
    discord: alerts.discord && discord(alerts.discord),
    telegram: alerts.telegram && telegram(alerts.telegram, services.telegram),
    ntfy: alerts.ntfy && ntfy(alerts.ntfy),
    pagerduty:
      alerts.pagerduty && pagerduty(alerts.pagerduty, prefix, alerts.pagerduty.url ?? services.pagerduty),
    email: alerts.email && email(alerts.email),
    apprise: alerts.apprise && apprise(alerts.apprise),
  };
  return new Map(
    Object.values(channels)
      .filter((channel) => channel !== null)
      .map((channel) => [channel.name, channel]),
  );
}
