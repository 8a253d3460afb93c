import type { Channel } from './channel.js';
import { compose, escapeHtml, utf16Length, type Markup } from './compose.js';
import { accept, post, type ServiceAnswer } from './send.js';

/**
 * https://core.telegram.org/bots/api#sendmessage: 4,096 characters after entities parsing; so the markup is to spare.
 */
export const TELEGRAM_LIMIT = 4_096;

export const TELEGRAM_MARKUP: Markup = {
  escape: escapeHtml,
  bold: (text) => `<b>${text}</b>`,
  link: (url) => escapeHtml(url),
  size: utf16Length,
};

/** A bot's message to a chat. The token is a part of the address. A group that became a supergroup is followed. */
export function telegram(settings: { readonly token: string; readonly chat: string }, api: string): Channel {
  const endpoint = { url: `${api}/bot${settings.token}/sendMessage`, authorization: null };
  return {
    name: 'telegram',
    async deliver(digest, signal, place) {
      const { text } = compose(digest, { markup: TELEGRAM_MARKUP, limit: TELEGRAM_LIMIT, titled: false });
      const sendTo = (chat: string): Promise<ServiceAnswer> =>
        post(
          endpoint,
          { chat_id: chat, text, parse_mode: 'HTML', link_preview_options: { is_disabled: true } },
          signal,
        );
      const known = place?.moved ?? null;
      const applies = known?.from === settings.chat;
      if (known !== null && !applies) place?.remember(null);
      const chat = known !== null && applies ? known.to : settings.chat;
      const answer = await sendTo(chat);
      const moved = newChatOf(answer);
      const isNew = moved !== null && moved !== chat;
      if (isNew) place?.remember({ from: settings.chat, to: moved });
      accept(isNew ? await sendTo(moved) : answer);
    },
  };
}

/** https://core.telegram.org/bots/api#responseparameters: `migrate_to_chat_id`; null where the answer has none. */
function newChatOf({ status, text }: ServiceAnswer): string | null {
  if (status !== 400) return null;
  try {
    const json = JSON.parse(text) as { parameters?: { migrate_to_chat_id?: unknown } } | null;
    const id = json?.parameters?.migrate_to_chat_id;
    return typeof id === 'number' && Number.isSafeInteger(id) ? String(id) : null;
  } catch {
    return null;
  }
}
