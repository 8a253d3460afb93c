import { expect, it } from 'vitest';
import type { ReceiverPlace } from '../../lib/deliver/channel.js';
import { channelTo } from '../support/channels.js';
import { digestOf, downAlert, itemOf } from '../support/digests.js';
import { receive } from '../support/receiver.js';

const NEVER = new AbortController().signal;
const digest = digestOf([itemOf(downAlert('api', 'status 503'))]);
/** `channelTo` sends to -1001. */
const OLD = '-1001';
const NEW = -1009876543210;

/** A bot whose group became a supergroup; `after` is its answer to the new chat. */
async function migrated(after = 200) {
  const { url, received } = await receive((response, { body }) => {
    const { chat_id: chat } = JSON.parse(body) as { chat_id: string };
    const moved = JSON.stringify({
      ok: false,
      error_code: 400,
      description: 'Bad Request: group chat was upgraded to a supergroup chat',
      parameters: { migrate_to_chat_id: NEW },
    });
    if (chat === String(NEW)) response.writeHead(after).end('{"ok":true}');
    else response.writeHead(400).end(moved);
  });
  const chats = () => received.map(({ body }) => (JSON.parse(body) as { chat_id: string }).chat_id);
  return { channel: channelTo('telegram', url), chats };
}

const placeOf = (moved: ReceiverPlace['moved']) => {
  const remembered: ReceiverPlace['moved'][] = [];
  return { moved, remember: (to: ReceiverPlace['moved']) => void remembered.push(to), remembered };
};
const MOVED = { from: OLD, to: String(NEW) };

it('a group that became a supergroup is followed at once, and remembered', async () => {
  const { channel, chats } = await migrated();
  const place = placeOf(null);
  await channel.deliver(digest, NEVER, place);
  expect([chats(), place.remembered]).toEqual([[OLD, String(NEW)], [MOVED]]);
});

it('what is remembered is asked first', async () => {
  const { channel, chats } = await migrated();
  const place = placeOf(MOVED);
  await channel.deliver(digest, NEVER, place);
  expect([chats(), place.remembered]).toEqual([[String(NEW)], []]);
});

it('what is remembered of another chat is forgotten', async () => {
  const { channel, chats } = await migrated();
  const place = placeOf({ from: '-5', to: '-6' });
  await channel.deliver(digest, NEVER, place);
  expect([chats(), place.remembered]).toEqual([
    [OLD, String(NEW)],
    [null, MOVED],
  ]);
});

it('is remembered also when the new chat does not take the message yet', async () => {
  const { channel } = await migrated(500);
  const place = placeOf(null);
  await expect(channel.deliver(digest, NEVER, place)).rejects.toMatchObject({ message: 'answered 500' });
  expect(place.remembered).toEqual([MOVED]);
});

it.each(['{"parameters":{"migrate_to_chat_id":"x"}}', '{"parameters":{}}', 'null', 'no JSON'])(
  'an answer without a remedy is a refusal: %s',
  async (body) => {
    const { url, received } = await receive((response) => response.writeHead(400).end(body));
    await expect(channelTo('telegram', url).deliver(digest, NEVER)).rejects.toMatchObject({
      code: 'permanent',
      message: 'answered 400',
    });
    expect(received).toHaveLength(1);
  },
);
