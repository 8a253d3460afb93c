import type { Endpoint } from '../config/request.js';
import type { Channel } from './channel.js';
import { compose, utf16Length, withoutEmphasis, type Markup } from './compose.js';
import { accept, post } from './send.js';

/**
 * Characters of a message. Google's limit is 32,000 bytes
 * (https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create); 4,000 characters are at
 * most 12,000, and as much as anybody reads.
 */
export const GOOGLE_CHAT_LIMIT = 4_000;

/** https://developers.google.com/workspace/chat/format-messages: mentions (`<users/all>`) and links are in `<>`. */
export const GOOGLE_CHAT_MARKUP: Markup = {
  escape: (text) => withoutEmphasis(text.replaceAll('<', '‹').replaceAll('>', '›')),
  bold: (text) => `*${text}*`,
  link: (url) => `<${url.replaceAll('|', '%7C')}>`,
  size: utf16Length,
};

/**
 * An incoming webhook of a Google Chat space. `text` rather than a card: that is what a notification shows. A `threadKey`
 * in the address is kept.
 */
export function googleChat(endpoint: Endpoint): Channel {
  return {
    name: 'google_chat',
    async deliver(digest, signal) {
      const { text } = compose(digest, {
        markup: GOOGLE_CHAT_MARKUP,
        limit: GOOGLE_CHAT_LIMIT,
        titled: false,
      });
      const url = new URL(endpoint.url);
      // A message that is sent again under the same id is the one that is there already.
      url.searchParams.set('requestId', digest.id);
      accept(await post({ ...endpoint, url: url.href }, { text }, signal));
    },
  };
}
