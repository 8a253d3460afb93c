import type { Endpoint } from '../config/request.js';
import type { Channel } from './channel.js';
import { compose, utf16Length, type Markup } from './compose.js';
import { accept, post } from './send.js';

/** https://docs.discord.com/developers/resources/webhook#execute-webhook: `content`, up to 2,000 characters. */
export const DISCORD_LIMIT = 2_000;
/** https://docs.discord.com/developers/resources/message#message-object-message-flags */
const SUPPRESS_EMBEDS = 1 << 2;

export const DISCORD_MARKUP: Markup = {
  escape: (text) => text.replace(/[\\`*_~|<>[\]()#]/g, '\\$&'),
  bold: (text) => `**${text}**`,
  link: (url) => `<${url}>`,
  size: utf16Length,
};

/**
 * A Discord webhook. Plain content rather than an embed: that is what a notification shows, and people can switch
 * embeds off.
 */
export function discord(endpoint: Endpoint): Channel {
  const url = new URL(endpoint.url);
  // Without it, Discord answers before it has looked at the message.
  url.searchParams.set('wait', 'true');
  return {
    name: 'discord',
    async deliver(digest, signal) {
      const { text } = compose(digest, { markup: DISCORD_MARKUP, limit: DISCORD_LIMIT, titled: false });
      const payload = { content: text, allowed_mentions: { parse: [] }, flags: SUPPRESS_EMBEDS };
      accept(await post({ ...endpoint, url: url.href }, payload, signal));
    },
  };
}
