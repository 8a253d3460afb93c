import type { ChannelSettings } from '../config/alerts.js';
import type { Config } from '../config/config.js';
import { CHANNEL_NAMES, type ChannelName } from '../types.js';
import { apprise } from './apprise.js';
import type { Channel } from './channel.js';
import { discord } from './discord.js';
import { email } from './email.js';
import { googleChat } from './google-chat.js';
import { ntfy } from './ntfy.js';
import { pagerduty } from './pagerduty.js';
import { slack } from './slack.js';
import { teams } from './teams.js';
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

/** What a sender gets beside its own settings. */
interface SharedSettings {
  readonly services: Services;
  /** What the store's keys begin with: it tells installations apart. */
  readonly prefix: string;
}

/** One row a channel. Its settings are the row of the same name in `config/alerts.ts`. */
const SENDERS: {
  readonly [Name in ChannelName]: (settings: ChannelSettings[Name], shared: SharedSettings) => Channel;
} = {
  webhook,
  slack,
  discord,
  telegram: (settings, { services }) => telegram(settings, services.telegram),
  ntfy,
  pagerduty: (settings, { services, prefix }) =>
    pagerduty(settings, prefix, settings.url ?? services.pagerduty),
  email,
  apprise,
  teams,
  google_chat: googleChat,
};

/** The channels that are set up. Their clients are loaded when they first send something. */
export function createChannels(
  { alerts, prefix }: Pick<Config, 'alerts' | 'prefix'>,
  services: Services = SERVICES,
): ReadonlyMap<ChannelName, Channel> {
  const channels = CHANNEL_NAMES.map((name) => [name, open(name, alerts, { services, prefix })] as const);
  return new Map(channels.filter((entry): entry is [ChannelName, Channel] => entry[1] !== null));
}

function open<Name extends ChannelName>(
  name: Name,
  alerts: { readonly [Each in Name]: ChannelSettings[Each] | null },
  shared: SharedSettings,
): Channel | null {
  const settings = alerts[name];
  return settings === null ? null : SENDERS[name](settings, shared);
}
