import type { Endpoint } from '../config/request.js';
import type { Level } from '../rules/wording.js';
import { DeliveryError, type Channel } from './channel.js';
import { compose, levelOf, PLAIN, titleOf } from './compose.js';
import { accept, post } from './send.js';

/** Apprise knows none of its own, the services behind it do: Discord's, the smallest of those that are much used. */
export const APPRISE_LIMIT = 2_000;
const LONGEST_TITLE = 150;

const TYPES: Readonly<Record<Level, 'failure' | 'warning' | 'info' | 'success'>> = {
  critical: 'failure',
  warning: 'warning',
  info: 'info',
  good: 'success',
};

/** An Apprise API server. https://appriseit.com/api/reference/response-codes */
export function apprise(endpoint: Endpoint): Channel {
  return {
    name: 'apprise',
    async deliver(digest, signal) {
      const payload = {
        title: titleOf(digest, LONGEST_TITLE),
        body: compose(digest, { markup: PLAIN, limit: APPRISE_LIMIT, titled: true }).text,
        type: TYPES[levelOf(digest)],
        format: 'text',
      };
      const answer = await post(endpoint, payload, signal);
      if (answer.status === 204) throw new DeliveryError('permanent', 'has no configuration under this key');
      if (answer.status === 424) throw new DeliveryError('temporary', 'could not reach all of its services');
      accept(answer);
    },
  };
}
