import type { Endpoint } from '../config/request.js';
import type { Level } from '../rules/wording.js';
import type { Channel } from './channel.js';
import { byteLength, compose, levelOf, pageOf, PLAIN, titleOf } from './compose.js';
import { accept, post } from './send.js';

/** https://docs.ntfy.sh/publish/#limitations: 4,096 bytes; a longer message becomes an attachment. */
export const NTFY_LIMIT = 4_096;
/** Code points: phones show no more than a line or two. */
const LONGEST_TITLE = 120;

/** https://docs.ntfy.sh/publish/#message-priority: 5 goes on ringing, 3 is the default. */
const PRIORITIES: Readonly<Record<Level, number>> = { critical: 5, warning: 4, info: 3, good: 3 };
/** https://docs.ntfy.sh/emojis */
const TAGS: Readonly<Record<Level, string>> = {
  critical: 'rotating_light',
  warning: 'warning',
  info: 'information_source',
  good: 'white_check_mark',
};

/** A topic of an ntfy server: the last part of the address's path. Published as JSON, which the server's root takes. */
export function ntfy(endpoint: Endpoint): Channel {
  const url = new URL(endpoint.url);
  const path = url.pathname.replace(/\/+$/, '');
  const root = path.lastIndexOf('/') + 1;
  const topic = path.slice(root);
  url.pathname = path.slice(0, root);
  return {
    name: 'ntfy',
    async deliver(digest, signal) {
      const page = pageOf(digest);
      const level = levelOf(digest);
      const payload = {
        topic,
        title: titleOf(digest, LONGEST_TITLE),
        message: compose(
          { ...digest, pageUrl: null },
          { markup: { ...PLAIN, size: byteLength }, limit: NTFY_LIMIT, titled: true },
        ).text,
        priority: PRIORITIES[level],
        tags: [TAGS[level]],
        ...(page !== null && { click: page }),
      };
      accept(await post({ ...endpoint, url: url.href }, payload, signal));
    },
  };
}
