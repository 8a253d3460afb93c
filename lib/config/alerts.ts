import type * as z from '#zod';
import { CHANNEL_NAMES, type ChannelName } from '../types.js';
import { option, type Table } from './option-table.js';
import type { Problem } from './problems.js';
import { endpoint, eventsUrl, smtpUrl, topicEndpoint } from './request.js';
import { matching, value, type Value } from './values.js';

type Variables = Readonly<Record<string, Value<unknown>>>;

/** The variables of one channel, and what its sender gets of them. All of it is secret. */
interface ChannelRow<S> {
  /** The channel is set up when all of these are set; some of them alone are a problem. */
  readonly needs: Variables;
  /** These change how the channel works; without the channel they are a problem. */
  readonly takes: Variables;
  /** The values of `needs`, and those of `takes` or null. */
  readonly settings: (values: never) => S;
}

function channel<N extends Variables, T extends Variables, S>(
  needs: N,
  takes: T,
  settings: (
    values: { readonly [Name in keyof N]: z.output<N[Name]> } & {
      readonly [Name in keyof T]: z.output<T[Name]> | null;
    },
  ) => S,
): ChannelRow<S> {
  return { needs, takes, settings };
}

const MAIL = String.raw`[^\s@<>,;]+@[^\s@<>,;]+`;
const MAIL_ADDRESS = new RegExp(`^${MAIL}$`);
const SENDER = new RegExp(`^(?:${MAIL}|[^\\p{Cc}<>]*<${MAIL}>)$`, 'u');

const mailAddresses = value('mail addresses with commas between', (found): readonly string[] | undefined => {
  const addresses = found.split(/[\s,;]+/).filter((entry) => entry !== '');
  return addresses.length > 0 && addresses.every((entry) => MAIL_ADDRESS.test(entry)) ? addresses : undefined;
});

/** The key of Standard Webhooks is 24 to 64 bytes long. */
const webhookSecret = value('whsec_ followed by 24 to 64 bytes in base64', (found) => {
  const key = found.replace(/^whsec_/, '');
  const bytes = Buffer.from(key, 'base64').length;
  return /^[A-Za-z0-9+/]+={0,2}$/.test(key) && bytes >= 24 && bytes <= 64 ? found : undefined;
});

/** One row a channel. Its sender is the row of the same name in `deliver/channels.ts`. */
const CHANNELS = {
  webhook: channel(
    { ALERT_WEBHOOK_URL: endpoint },
    { ALERT_WEBHOOK_SECRET: webhookSecret },
    // The secret is the Standard Webhooks key in base64, with or without `whsec_` before it.
    ({ ALERT_WEBHOOK_URL, ALERT_WEBHOOK_SECRET: secret }) => ({ ...ALERT_WEBHOOK_URL, secret }),
  ),
  slack: channel({ ALERT_SLACK_URL: endpoint }, {}, ({ ALERT_SLACK_URL }) => ALERT_SLACK_URL),
  discord: channel({ ALERT_DISCORD_URL: endpoint }, {}, ({ ALERT_DISCORD_URL }) => ALERT_DISCORD_URL),
  telegram: channel(
    {
      ALERT_TELEGRAM_TOKEN: matching('a bot token such as BotFather gives', /^\d+:[\w-]+$/),
      ALERT_TELEGRAM_CHAT: matching('a chat id or @channel', /^(?:-?\d+|@\w+)$/),
    },
    {},
    ({ ALERT_TELEGRAM_TOKEN: token, ALERT_TELEGRAM_CHAT: chat }) => ({ token, chat }),
  ),
  ntfy: channel({ ALERT_NTFY_URL: topicEndpoint }, {}, ({ ALERT_NTFY_URL }) => ALERT_NTFY_URL),
  pagerduty: channel(
    { ALERT_PAGERDUTY_KEY: matching('the routing key of an Events API v2 integration', /^[\w-]+$/) },
    { ALERT_PAGERDUTY_URL: eventsUrl },
    // The URL has no slash at its end; null: events go to the US region.
    ({ ALERT_PAGERDUTY_KEY: key, ALERT_PAGERDUTY_URL: url }) => ({ key, url }),
  ),
  email: channel(
    {
      ALERT_SMTP_URL: smtpUrl,
      ALERT_EMAIL_FROM: matching('a mail address, or Name <address>', SENDER),
      ALERT_EMAIL_TO: mailAddresses,
    },
    {},
    ({ ALERT_SMTP_URL, ALERT_EMAIL_FROM: from, ALERT_EMAIL_TO: to }) => ({
      smtpUrl: ALERT_SMTP_URL,
      from,
      to,
    }),
  ),
  apprise: channel({ ALERT_APPRISE_URL: endpoint }, {}, ({ ALERT_APPRISE_URL }) => ALERT_APPRISE_URL),
  teams: channel({ ALERT_TEAMS_URL: endpoint }, {}, ({ ALERT_TEAMS_URL }) => ALERT_TEAMS_URL),
  google_chat: channel(
    { ALERT_GOOGLE_CHAT_URL: endpoint },
    {},
    ({ ALERT_GOOGLE_CHAT_URL }) => ALERT_GOOGLE_CHAT_URL,
  ),
} satisfies Readonly<Record<ChannelName, ChannelRow<unknown>>>;

type SettingsOf<Row> = Row extends ChannelRow<infer S> ? S : never;

/** What each channel's sender needs to know. */
export type ChannelSettings = {
  readonly [Name in ChannelName]: SettingsOf<(typeof CHANNELS)[Name]>;
};

/** The channels that are set up; null where one is not. All of it is secret. */
export type Alerts = { readonly [Name in ChannelName]: ChannelSettings[Name] | null } & {
  /** Time between two reminders that a target is down, in ms; null: none are sent. */
  readonly reminder: number | null;
};

/** The variables of all channels. */
export const CHANNEL_OPTIONS: Table = Object.fromEntries(
  Object.values(CHANNELS).flatMap(({ needs, takes }) =>
    Object.entries({ ...needs, ...takes }).map(([name, parse]) => [name, option(null, parse)]),
  ),
);

/** The names of the channels that are set up. */
export function channelNames(alerts: Alerts): ChannelName[] {
  return CHANNEL_NAMES.filter((name) => alerts[name] !== null);
}

/** What is wrong with those of the `channels` that are not set up: no alert would ever reach them. */
export function unusableChannels(
  channels: readonly ChannelName[] | null | undefined,
  texts: ReadonlyMap<string, string>,
): string[] {
  return (channels ?? []).flatMap((name) => {
    const missing = Object.keys(CHANNELS[name].needs).find((needed) => !texts.has(needed));
    return missing === undefined ? [] : [`names a channel that is not set up, set ${missing}`];
  });
}

/** Reports what is missing where only some variables of a channel are set. */
export function halfChannels(texts: ReadonlyMap<string, string>): Problem[] {
  return Object.values(CHANNELS).flatMap(({ needs, takes }) => {
    const needed = Object.keys(needs);
    const set = [...needed, ...Object.keys(takes)].find((variable) => texts.has(variable));
    const missing = needed.filter((variable) => !texts.has(variable));
    return set === undefined
      ? []
      : missing.map((variable) => ({ variable, message: `missing, ${set} needs it` }));
  });
}

/**
 * The settings of all channels. A channel whose variables are not all valid counts as not set up: what is wrong with them
 * has been reported.
 * @param values the valid ones of `CHANNEL_OPTIONS`, by variable
 */
export function toAlerts(reminder: number, values: ReadonlyMap<string, unknown>): Alerts {
  const settingsOf = ({ needs, takes, settings }: ChannelRow<unknown>): unknown => {
    if (Object.keys(needs).some((variable) => !values.has(variable))) return null;
    const names = [...Object.keys(needs), ...Object.keys(takes)];
    return settings(Object.fromEntries(names.map((name) => [name, values.get(name) ?? null])) as never);
  };
  const settings = CHANNEL_NAMES.map((name) => [name, settingsOf(CHANNELS[name])] as const);
  return { ...(Object.fromEntries(settings) as Omit<Alerts, 'reminder'>), reminder: reminder || null };
}
