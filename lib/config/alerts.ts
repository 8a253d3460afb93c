import type { ChannelName } from '../types.js';
import type { SystemOptions } from './options.js';
import type { Problem } from './problems.js';
import type { Endpoint } from './request.js';

/** The channels that are set up. All of it is secret. */
export interface Alerts {
  /** Time between two reminders that a target is down, in ms; null: none. */
  readonly reminder: number | null;
  /** `secret` is the Standard Webhooks key, `whsec_` or not, in base64. */
  readonly webhook: (Endpoint & { readonly secret: string | null }) | null;
  readonly slack: Endpoint | null;
  readonly discord: Endpoint | null;
  readonly telegram: { readonly token: string; readonly chat: string } | null;
  readonly ntfy: Endpoint | null;
  /** `url`: where its events go, without a slash at the end; null: to the region US. */
  readonly pagerduty: { readonly key: string; readonly url: string | null } | null;
  readonly email: {
    readonly smtpUrl: string;
    /** An address, or `Name <address>`. */
    readonly from: string;
    readonly to: readonly string[];
  } | null;
  readonly apprise: Endpoint | null;
}

/** What has to be set for a channel to work. */
const NEEDED: Readonly<Record<ChannelName, readonly string[]>> = {
  webhook: ['ALERT_WEBHOOK_URL'],
  slack: ['ALERT_SLACK_URL'],
  discord: ['ALERT_DISCORD_URL'],
  telegram: ['ALERT_TELEGRAM_TOKEN', 'ALERT_TELEGRAM_CHAT'],
  ntfy: ['ALERT_NTFY_URL'],
  pagerduty: ['ALERT_PAGERDUTY_KEY'],
  email: ['ALERT_SMTP_URL', 'ALERT_EMAIL_FROM', 'ALERT_EMAIL_TO'],
  apprise: ['ALERT_APPRISE_URL'],
};

/** What makes no sense without another variable. */
const MORE = [
  ['ALERT_WEBHOOK_SECRET', 'ALERT_WEBHOOK_URL'],
  ['ALERT_PAGERDUTY_URL', 'ALERT_PAGERDUTY_KEY'],
] as const;

/** The channels that are set up. */
export function channelNames(alerts: Alerts): ChannelName[] {
  return (Object.keys(NEEDED) as ChannelName[]).filter((channel) => alerts[channel] !== null);
}

/** Reports those of the `channels` that a variable names and that are not set up: they would stay silent. */
export function unusableChannels(
  variable: string,
  channels: readonly ChannelName[] | null | undefined,
  texts: ReadonlyMap<string, string>,
): Problem[] {
  return (channels ?? [])
    .map((channel) => NEEDED[channel].find((needed) => !texts.has(needed)))
    .filter((needed) => needed !== undefined)
    .map((needed) => ({ variable, message: `names a channel that is not set up, set ${needed}` }));
}

/** Reports channels that are set up by half. */
export function halfChannels(texts: ReadonlyMap<string, string>): Problem[] {
  const halves = Object.values(NEEDED).flatMap((variables) => {
    const set = variables.find((variable) => texts.has(variable));
    const missing = variables.filter((variable) => !texts.has(variable));
    return set === undefined
      ? []
      : missing.map((variable) => ({ variable, message: `missing, ${set} needs it` }));
  });
  const lonely = MORE.filter(([more, needed]) => texts.has(more) && !texts.has(needed));
  return [
    ...halves,
    ...lonely.map(([more, variable]) => ({ variable, message: `missing, ${more} needs it` })),
  ];
}

export function toAlerts(system: SystemOptions): Alerts {
  const { ALERT_TELEGRAM_TOKEN: token, ALERT_TELEGRAM_CHAT: chat, ALERT_PAGERDUTY_KEY: key } = system;
  const { ALERT_SMTP_URL: smtpUrl, ALERT_EMAIL_FROM: from, ALERT_EMAIL_TO: to } = system;
  const webhook = system.ALERT_WEBHOOK_URL;
  return {
    reminder: system.ALERT_REMINDER || null,
    webhook: webhook && { ...webhook, secret: system.ALERT_WEBHOOK_SECRET },
    slack: system.ALERT_SLACK_URL,
    discord: system.ALERT_DISCORD_URL,
    telegram: token !== null && chat !== null ? { token, chat } : null,
    ntfy: system.ALERT_NTFY_URL,
    pagerduty: key === null ? null : { key, url: system.ALERT_PAGERDUTY_URL },
    email: smtpUrl !== null && from !== null && to !== null ? { smtpUrl, from, to } : null,
    apprise: system.ALERT_APPRISE_URL,
  };
}
