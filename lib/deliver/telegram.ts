import type { Channel } from './channel.js';
import { compose, escapeHtml, utf16Length, type Markup } from './compose.js';
import { accept, post } from './send.js';

/** https://core.telegram.org/bots/api#sendmessage: 4,096 characters after entities parsing; so the markup is to spare. */
export const TELEGRAM_LIMIT = 4_096;

export const TELEGRAM_MARKUP: Markup = {
  escape: escapeHtml,
  bold: (text) => `<b>${text}</b>`,
  link: (url) => escapeHtml(url),
  size: utf16Length,
};

/** A bot's message to a chat. The token is a part of the address. */
export function telegram(settings: { readonly token: string; readonly chat: string }, api: string): Channel {
  const endpoint = { url: `${api}/bot${settings.token}/sendMessage`, authorization: null };
  return {
    name: 'telegram',
    async deliver(digest, signal) {
      const { text } = compose(digest, TELEGRAM_MARKUP, TELEGRAM_LIMIT, false);
      const payload = {
        chat_id: settings.chat,
        text,
        parse_mode: 'HTML',
        link_preview_options: { is_disabled: true },
      };
      accept(await post(endpoint, payload, signal));
    },
  };
}
