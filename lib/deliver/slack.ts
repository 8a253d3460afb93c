import type { Endpoint } from '../config/request.js';
import type { Channel } from './channel.js';
import { compose, utf16Length, withoutEmphasis, type Markup } from './compose.js';
import { accept, post } from './send.js';

/**
 * https://docs.slack.dev/reference/methods/chat.postMessage: 4,000 characters are recommended, longer ones are split.
 */
export const SLACK_LIMIT = 4_000;

/** mrkdwn. Mentions and links begin with `<`. */
export const SLACK_MARKUP: Markup = {
  escape: (text) =>
    withoutEmphasis(text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')),
  bold: (text) => `*${text}*`,
  link: (url) => `<${url.replaceAll('&', '&amp;').replaceAll('|', '%7C')}>`,
  size: utf16Length,
};

/**
 * A Slack incoming webhook. `text` rather than blocks: Mattermost and Rocket.Chat take it too.
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export function slack(endpoint: Endpoint): Channel {
  return {
    name: 'slack',
    async deliver(digest, signal) {
      const { text } = compose(digest, { markup: SLACK_MARKUP, limit: SLACK_LIMIT, titled: false });
      accept(await post(endpoint, { text, unfurl_links: false, unfurl_media: false }, signal));
    },
  };
}
