import { createChannels } from '../../lib/deliver/channels.js';
import type { Channel } from '../../lib/deliver/channel.js';
import type { Alerts } from '../../lib/config/alerts.js';
import { CHANNEL_NAMES, type ChannelName } from '../../lib/types.js';

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** All channels set up, each on a path of its own. */
function alertsTo(url: string, smtpUrl: string): Alerts {
  const endpoint = (path: string) => ({ url: `${url}${path}`, authorization: null });
  return {
    reminder: null,
    webhook: { ...endpoint('/hook?a=b'), authorization: 'Basic aG9vazpwdw==', secret: SECRET },
    slack: endpoint('/services/T0/B0/slack-key'),
    discord: endpoint('/api/webhooks/1/discord-key'),
    telegram: { token: '123:telegram-token', chat: '-1001' },
    ntfy: { ...endpoint('/my-topic'), authorization: 'Basic bnRmeTpwdw==' },
    pagerduty: { key: 'pagerduty-routing-key', url: null },
    email: { smtpUrl, from: 'Keepalive <pinger@example.com>', to: ['a@example.com', 'b@example.com'] },
    apprise: endpoint('/notify/apprise-key'),
    teams: endpoint('/workflows/1/triggers/manual/paths/invoke?api-version=1&sig=teams-key'),
    google_chat: endpoint('/v1/spaces/1/messages?key=chat-key&token=chat-token'),
  };
}

export function channelTo(name: ChannelName, url: string, smtpUrl = 'smtp://127.0.0.1:9'): Channel {
  const services = { telegram: url, pagerduty: url };
  const channel = createChannels({ alerts: alertsTo(url, smtpUrl), prefix: 'test' }, services).get(name);
  if (channel === undefined) throw new Error(`no channel ${name}`);
  return channel;
}

export const HTTP_CHANNELS = CHANNEL_NAMES.filter((name) => name !== 'email');
