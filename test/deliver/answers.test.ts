import { describe, expect, it } from 'vitest';
import type { Digest } from '../../lib/deliver/channel.js';
import { channelTo, HTTP_CHANNELS } from '../support/channels.js';
import { digestOf, downAlert, itemOf } from '../support/digests.js';
import { BAD_PEERS, receive } from '../support/receiver.js';
import { serveTcp } from '../support/servers.js';

const NEVER = new AbortController().signal;
const digest: Digest = digestOf([itemOf(downAlert('api', 'status 503'))]);

type Case = readonly [
  status: number,
  headers: Record<string, string>,
  code: string | null,
  wait: number | null,
];
const CASES: readonly Case[] = [
  [200, {}, null, null],
  [202, {}, null, null],
  [204, {}, null, null],
  [301, { location: '/elsewhere' }, 'permanent', null],
  [400, {}, 'permanent', null],
  [401, {}, 'permanent', null],
  [403, {}, 'permanent', null],
  [404, {}, 'permanent', null],
  [410, {}, 'permanent', null],
  [413, {}, 'permanent', null],
  [429, {}, 'rate_limited', null],
  [429, { 'retry-after': '7' }, 'rate_limited', 7_000],
  [500, {}, 'temporary', null],
  [503, { 'retry-after': '60' }, 'temporary', 60_000],
];

describe.each(HTTP_CHANNELS)('%s', (name) => {
  it.each(CASES)('answered %i %j: %j', async (status, headers, code, retryAfter) => {
    const receiver = await receive((response) => response.writeHead(status, headers).end());
    const failure = await channelTo(name, receiver.url)
      .deliver(digest, NEVER)
      .then(
        () => null,
        (error: unknown) => error,
      );
    // Apprise says 204 where nothing is configured.
    if (name === 'apprise' && status === 204) expect(failure).toMatchObject({ code: 'permanent' });
    else if (code === null) expect(failure).toBeNull();
    else
      expect(failure).toMatchObject({
        name: 'DeliveryError',
        code,
        retryAfter,
        message: `answered ${status}`,
        delivered: [],
      });
    expect(receiver.received).toHaveLength(1);
  });

  it.each(Object.entries(BAD_PEERS))('a peer that %s: temporary', async (_what, open) => {
    const delivery = channelTo(name, `http://127.0.0.1:${await open()}`).deliver(digest, NEVER);
    await expect(delivery).rejects.toMatchObject({ name: 'DeliveryError', code: 'temporary' });
  });

  it('a peer that never answers: temporary, as soon as the signal fires, and no connection stays', async () => {
    let open = 0;
    const { port } = await serveTcp((socket) => {
      open++;
      socket.on('data', () => undefined).on('close', () => open--);
    });
    const delivery = channelTo(name, `http://127.0.0.1:${port}`).deliver(digest, AbortSignal.timeout(150));
    await expect(delivery).rejects.toMatchObject({ code: 'temporary', message: 'no answer in time' });
    await expect.poll(() => open).toBe(0);
  });

  it('a peer that answers late, but before the signal: taken', async () => {
    const receiver = await receive((response) => void setTimeout(() => response.end('ok'), 200));
    await channelTo(name, receiver.url).deliver(digest, NEVER);
  });

  it('a peer whose answer does not end: judged by its status', async () => {
    const pour = (status: number) =>
      receive((response) => {
        response.writeHead(status);
        const more = () => {
          while (!response.destroyed && response.write('x'.repeat(10_000)));
        };
        response.on('drain', more);
        more();
      });
    await channelTo(name, (await pour(200)).url).deliver(digest, NEVER);
    const refused = channelTo(name, (await pour(500)).url).deliver(digest, NEVER);
    await expect(refused).rejects.toMatchObject({ code: 'temporary', message: 'answered 500' });
  });
});

it('apprise: 424 is worth another try', async () => {
  const receiver = await receive((response) => response.writeHead(424).end());
  await expect(channelTo('apprise', receiver.url).deliver(digest, NEVER)).rejects.toMatchObject({
    code: 'temporary',
  });
});

it.each([
  [429, 'rate_limited'],
  [403, 'permanent'],
  [502, 'temporary'],
])('teams: a connector that answers 200 and names %i: %s', async (status, code) => {
  const text = `Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error ${status} with ContextId tcid=0`;
  const receiver = await receive((response) => response.end(text));
  await expect(channelTo('teams', receiver.url).deliver(digest, NEVER)).rejects.toMatchObject({
    code,
    message: `answered ${status}`,
  });
});

it.each([
  ['discord', '{"message":"You are being rate limited.","retry_after":0.529,"global":false}', 529],
  [
    'telegram',
    '{"ok":false,"error_code":429,"description":"Too Many","parameters":{"retry_after":31}}',
    31_000,
  ],
] as const)('%s says in its body how long to wait', async (name, body, retryAfter) => {
  const receiver = await receive((response) => response.writeHead(429).end(body));
  await expect(channelTo(name, receiver.url).deliver(digest, NEVER)).rejects.toMatchObject({
    code: 'rate_limited',
    retryAfter,
  });
});
