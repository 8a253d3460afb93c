import { describe, expect, it } from 'vitest';
import { accept } from '../../lib/deliver/send.js';
import { channelTo } from '../support/channels.js';
import { digestOf, downAlert, itemOf } from '../support/digests.js';
import { growth, LINEAR } from '../support/growth.js';
import { serveRaw, serveTcp } from '../support/servers.js';

/** As much of an answer as is read. */
const LARGEST = 16_384;

const FILLINGS: Readonly<Record<string, (size: number) => string>> = {
  digits: (size) => '9'.repeat(size),
  'digits and dots': (size) => '9.'.repeat(size / 2),
  blanks: (size) => `1${' '.repeat(size)}1`,
  brackets: (size) => '['.repeat(size),
  pairs: (size) => `${'['.repeat(size / 2)}${']'.repeat(size / 2)}`,
  keys: (size) => `{${Array.from({ length: size / 8 }, (_, i) => `"${i}":1`).join()}}`,
  escapes: (size) => `{"retry_after":"${'\\u0020'.repeat(size / 6)}"}`,
  letters: (size) => `Mon, 01 ${'a'.repeat(size)}`,
};

describe("a channel's answer is read in linear time", () => {
  it.each(Object.entries(FILLINGS))('%s', (_, filling) => {
    const prepare = (size: number) => {
      const text = filling(size);
      return () => {
        try {
          accept({ status: 400, headers: { 'retry-after': text }, text });
        } catch {
          // It is a refusal in any case.
        }
      };
    };
    expect(growth(prepare, LARGEST / 8)).toBeLessThan(LINEAR);
  });
});

const digest = digestOf([itemOf(downAlert('api', 'connection refused'))]);

describe('a channel whose answer does not end', () => {
  const endless = (head: string, piece: string) => async () =>
    (
      await serveRaw((socket) => {
        const more = () => {
          while (!socket.destroyed && socket.write(piece));
        };
        socket.write(head);
        socket.on('drain', more);
        more();
      })
    ).port;

  it.each([
    ['a body', endless('HTTP/1.1 200 OK\r\n\r\n', 'x'.repeat(65_536)), 'taken'],
    ['a refusal', endless('HTTP/1.1 400 No\r\n\r\n', 'x'.repeat(65_536)), 'answered 400'],
    [
      'chunks of one byte',
      endless('HTTP/1.1 500 No\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\nx\r\n'.repeat(10_000)),
      'answered 500',
    ],
    ['a header', endless('HTTP/1.1 200 OK\r\nx: ', 'x'.repeat(65_536)), 'headers too large'],
    ['interim answers', endless('', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1_000)), expect.any(String)],
  ])('over HTTP: %s', async (_, serve, outcome) => {
    const channel = channelTo('slack', `http://127.0.0.1:${await serve()}`);
    const signal = AbortSignal.timeout(2_000);
    const told = await channel.deliver(digest, signal).then(
      () => 'taken',
      (error: unknown) => (error as Error).message,
    );
    expect(told).toEqual(outcome);
  });

  it.each([
    ['a line', 'x'.repeat(65_536)],
    ['lines', '250-x\r\n'.repeat(9_000)],
  ])('over SMTP: %s', async (_, piece) => {
    const { port } = await serveTcp((socket) => {
      const more = () => {
        while (!socket.destroyed && socket.write(piece));
      };
      socket.on('error', () => undefined).on('drain', more);
      more();
    });
    const channel = channelTo('email', 'http://127.0.0.1:9', `smtp://127.0.0.1:${port}`);
    await expect(channel.deliver(digest, AbortSignal.timeout(10_000))).rejects.toThrow(
      'no valid SMTP answer',
    );
  });
});
