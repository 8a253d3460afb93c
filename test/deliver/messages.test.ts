import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { APPRISE_LIMIT } from '../../lib/deliver/apprise.js';
import type { Digest } from '../../lib/deliver/channel.js';
import { DISCORD_LIMIT } from '../../lib/deliver/discord.js';
import { GOOGLE_CHAT_LIMIT } from '../../lib/deliver/google-chat.js';
import { NTFY_LIMIT } from '../../lib/deliver/ntfy.js';
import { SUMMARY_LIMIT } from '../../lib/deliver/pagerduty.js';
import { SLACK_LIMIT } from '../../lib/deliver/slack.js';
import { TEAMS_LIMIT } from '../../lib/deliver/teams.js';
import { TELEGRAM_LIMIT } from '../../lib/deliver/telegram.js';
import { WEBHOOK_LIMIT } from '../../lib/deliver/webhook.js';
import type { Alert, ChannelName } from '../../lib/types.js';
import { channelTo, HTTP_CHANNELS, SECRET } from '../support/channels.js';
import { ALERTS, digestOf, downAlert, HOSTILE, itemOf, publicTarget } from '../support/digests.js';
import { receive, type Received } from '../support/receiver.js';
import { serveMail } from '../support/smtp.js';

const NEVER = new AbortController().signal;

/** What a channel sends for a digest; most send one request. */
async function sentBy(name: ChannelName, digest: Digest): Promise<readonly Received[]> {
  const receiver = await receive();
  await channelTo(name, receiver.url).deliver(digest, NEVER);
  return receiver.received;
}

async function payloadOf(name: ChannelName, digest: Digest): Promise<Record<string, unknown>> {
  const [request, ...more] = await sentBy(name, digest);
  if (request === undefined || more.length > 0) throw new Error('not one request');
  expect(request).toMatchObject({ method: 'POST', headers: { 'content-type': 'application/json' } });
  return JSON.parse(request.body) as Record<string, unknown>;
}

async function textOf(name: ChannelName, field: string, digest: Digest): Promise<string> {
  return String((await payloadOf(name, digest))[field]);
}

const everyKind = Object.entries(ALERTS).map(([what, alert]) => [what, digestOf([itemOf(alert)])] as const);
const allKinds = digestOf(Object.values(ALERTS).map((alert) => itemOf(alert)));

describe.each(HTTP_CHANNELS)('%s', (name) => {
  it('says every kind of alert as its file shows', async () => {
    const parts: string[] = [];
    for (const [what, digest] of [...everyKind, ['all of them', allKinds] as const]) {
      const sent = await sentBy(name, digest);
      const bodies = sent.map(({ body }) =>
        JSON.stringify(JSON.parse(body), null, 2).replaceAll('\\n', '\n'),
      );
      parts.push(`--- ${what}\n${bodies.length === 0 ? '(nothing is sent)' : bodies.join('\n')}\n`);
    }
    await expect(parts.join('\n')).toMatchFileSnapshot(`__snapshots__/${name}.txt`);
  });
});

it('email says every kind of alert as its file shows', async () => {
  const parts: string[] = [];
  for (const [what, digest] of [...everyKind, ['all of them', allKinds] as const]) {
    const server = await serveMail();
    await channelTo('email', 'http://127.0.0.1:9', server.url).deliver(digest, NEVER);
    const raw = server.mails.map((mail) => mail.raw).join('\n');
    const boundary = /boundary="([^"]+)"/.exec(raw)?.[1] ?? '';
    const readable = raw
      .replaceAll(boundary, 'boundary')
      .replace(
        /base64\r\n\r\n([\w+/=\r\n]+?)\r\n--/g,
        (_all, text: string) => `base64, read\n\n${read(text)}\n--`,
      )
      .replace(/\r/g, '');
    parts.push(`--- ${what}\n${readable}\n`);
  }
  await expect(parts.join('\n')).toMatchFileSnapshot('__snapshots__/email.txt');
});

const read = (text: string) => Buffer.from(text, 'base64').toString();

/** Digests that are as bad as they get: every hostile text as a message and a name, alone and together, and many. */
const BAD: readonly (readonly [string, Digest])[] = [
  ...Object.entries(HOSTILE).map(
    ([what, text]) =>
      [what, digestOf([itemOf(downAlert('api', text), { name: text, group: text })])] as const,
  ),
  [
    'all of it',
    digestOf(
      Object.values(HOSTILE).map((text, i) => itemOf(downAlert(`t-${i}`, text), { name: text, group: text })),
    ),
  ],
  ...[2, 30, 500].map(
    (count) =>
      [
        `${count} targets of it`,
        digestOf(
          Array.from({ length: count }, (_, i) => {
            const texts = Object.values(HOSTILE);
            return itemOf(downAlert(`t-${i}`, texts[i % texts.length] ?? ''), {
              name: texts[(i * 7) % texts.length] ?? '',
            });
          }),
        ),
      ] as const,
  ),
];

interface Attachment {
  readonly contentType: string;
  readonly content: {
    readonly msteams: unknown;
    readonly actions: unknown;
    readonly body: readonly {
      readonly type: string;
      readonly inlines: readonly { readonly type: string; readonly text: string }[];
    }[];
  };
}

const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const expectSeen = (text: string) => expect(text.replaceAll('\n', '')).not.toMatch(UNSEEN);
const LINK = 'https://status.example.com/';

describe.each(BAD)('with %s', (_what, digest) => {
  it('slack: within its limit, nothing but its own bold and link', async () => {
    const payload = await payloadOf('slack', digest);
    expect(payload).toMatchObject({ unfurl_links: false, unfurl_media: false });
    const text = String(payload.text);
    expect(text.length).toBeLessThanOrEqual(SLACK_LIMIT);
    expectSeen(text);
    expect(text.endsWith(`<${LINK}>`)).toBe(true);
    const rest = text.slice(0, -LINK.length - 2);
    expect(rest).not.toMatch(/[<>`~]|&(?!(?:amp|lt|gt);)/);
    for (const line of rest.split('\n')) expect([0, 2]).toContain(line.match(/\*/g)?.length ?? 0);
    expect(rest).not.toMatch(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/u);
  });

  it('discord: within its limit, no mention, nothing but its own bold and link', async () => {
    const payload = await payloadOf('discord', digest);
    expect(payload).toMatchObject({ allowed_mentions: { parse: [] }, flags: 4 });
    const text = String(payload.content);
    expect(text.length).toBeLessThanOrEqual(DISCORD_LIMIT);
    expectSeen(text);
    const inert = text.slice(0, -LINK.length - 2).replace(/\\[\\`*_~|<>[\]()#]/g, '');
    expect(inert).not.toMatch(/[\\`_~|<>[\]()#]/);
    for (const line of inert.split('\n')) expect(line.replace(/\*\*[^*]*\*\*/, '')).not.toContain('*');
  });

  it('telegram: within its limit, HTML that it can parse', async () => {
    const payload = await payloadOf('telegram', digest);
    expect(payload).toMatchObject({
      chat_id: '-1001',
      parse_mode: 'HTML',
      link_preview_options: { is_disabled: true },
    });
    const text = String(payload.text);
    expectSeen(text);
    const tags = text.match(/<[^>]*>/g) ?? [];
    expect(tags.filter((tag, i) => tag !== (i % 2 === 0 ? '<b>' : '</b>'))).toEqual([]);
    expect(tags.length % 2).toBe(0);
    const visible = text.replace(/<\/?b>/g, '');
    expect(visible).not.toMatch(/[<>]|&(?!(?:amp|lt|gt|quot);)/);
    expect(visible.replace(/&\w+;/g, '&').length).toBeLessThanOrEqual(TELEGRAM_LIMIT);
  });

  it('ntfy: within its limit in bytes, a title in one line', async () => {
    const payload = await payloadOf('ntfy', digest);
    expect(payload).toMatchObject({ topic: 'my-topic', priority: 5, tags: ['rotating_light'], click: LINK });
    expect(Buffer.byteLength(String(payload.message))).toBeLessThanOrEqual(NTFY_LIMIT);
    expectSeen(String(payload.message));
    expect(String(payload.title)).not.toMatch(UNSEEN);
    expect(Array.from(String(payload.title)).length).toBeLessThanOrEqual(120);
  });

  it('apprise: within its limit, as text', async () => {
    const payload = await payloadOf('apprise', digest);
    expect(payload).toMatchObject({ type: 'failure', format: 'text' });
    expect(String(payload.body).length).toBeLessThanOrEqual(APPRISE_LIMIT);
    expectSeen(String(payload.body));
    expect(String(payload.title)).not.toMatch(UNSEEN);
  });

  it('teams: within its limit, text that no client reads as Markdown, the page as a button', async () => {
    const [request] = await sentBy('teams', digest);
    const json = request?.body ?? '';
    expect(Math.max(Buffer.byteLength(json), 2 * json.length)).toBeLessThanOrEqual(TEAMS_LIMIT);
    const [attachment, ...more] = (JSON.parse(json) as { attachments: Attachment[] }).attachments;
    expect(more).toEqual([]);
    expect(attachment?.contentType).toBe('application/vnd.microsoft.card.adaptive');
    expect(attachment?.content.actions).toEqual([
      { type: 'Action.OpenUrl', title: 'Status page', url: LINK },
    ]);
    expect(attachment?.content.msteams).toEqual({ width: 'Full' });
    for (const { type, inlines } of attachment?.content.body ?? []) {
      expect(type).toBe('RichTextBlock');
      expect(inlines.length).toBeGreaterThan(0);
      for (const { type: kind, text } of inlines) {
        expect(kind).toBe('TextRun');
        expectSeen(text);
        expect(text).not.toBe('');
      }
    }
  });

  it('google_chat: within its limit, nothing but its own bold and link', async () => {
    const text = await textOf('google_chat', 'text', digest);
    expect(text.length).toBeLessThanOrEqual(GOOGLE_CHAT_LIMIT);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(32_000);
    expectSeen(text);
    expect(text.endsWith(`<${LINK}>`)).toBe(true);
    const rest = text.slice(0, -LINK.length - 2);
    expect(rest).not.toMatch(/[<>`~]/);
    for (const line of rest.split('\n')) expect([0, 2]).toContain(line.match(/\*/g)?.length ?? 0);
    expect(rest).not.toMatch(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/u);
  });

  it('webhook: within its limit in bytes, all alerts there or counted', async () => {
    const [request] = await sentBy('webhook', digest);
    expect(Buffer.byteLength(request?.body ?? '')).toBeLessThanOrEqual(WEBHOOK_LIMIT);
    const payload = JSON.parse(request?.body ?? '') as { alerts: unknown[]; omitted: number };
    expect(payload.alerts.length + payload.omitted).toBe(digest.items.length);
    expect(payload.alerts.length).toBeGreaterThan(Math.min(digest.items.length, 50) - 1);
  });

  it('pagerduty: one event a target, within its limits', async () => {
    const sent = await sentBy('pagerduty', digest);
    expect(sent).toHaveLength(digest.items.length);
    for (const { url, body } of sent) {
      expect(url).toBe('/v2/enqueue');
      const event = JSON.parse(body) as { dedup_key: string; payload: { summary: string } };
      expect(event.payload.summary.length).toBeLessThanOrEqual(SUMMARY_LIMIT);
      expect(event.payload.summary).not.toMatch(UNSEEN);
      expect(event.dedup_key).toMatch(/^keepalive:test:(?:api|t-\d+)$/);
    }
  });
});

describe('mentions', () => {
  it('are text to Slack', async () => {
    const digest = digestOf([itemOf(downAlert('api', '<!channel> & <https://evil.example|ok>'))]);
    expect(await textOf('slack', 'text', digest)).toContain(
      '*api* is down – &lt;!channel&gt; &amp; &lt;https://evil.example|ok&gt;;',
    );
  });

  it('are text to Discord', async () => {
    const digest = digestOf([itemOf(downAlert('my_api', '<@1> [x](https://e.example) `a`'))]);
    expect(await textOf('discord', 'content', digest)).toContain(
      '**my\\_api** is down – \\<@1\\> \\[x\\]\\(https://e.example\\) \\`a\\`;',
    );
  });
});

describe('google_chat', () => {
  it('mentions nobody', async () => {
    const digest = digestOf([itemOf(downAlert('api', '<users/all> <https://evil.example|ok>'))]);
    expect(await textOf('google_chat', 'text', digest)).toContain(
      '*api* is down – ‹users/all› ‹https://evil.example|ok›;',
    );
  });

  it('names the message, so that one that is sent twice is there once, and keeps key and thread', async () => {
    const { googleChat } = await import('../../lib/deliver/google-chat.js');
    const receiver = await receive();
    const url = `${receiver.url}/v1/spaces/a/messages?key=k&token=t%3D&threadKey=x`;
    await googleChat({ url, authorization: null }).deliver(allKinds, NEVER);
    expect(receiver.received[0]?.url).toBe(
      '/v1/spaces/a/messages?key=k&token=t%3D&threadKey=x&requestId=msg_1',
    );
  });
});

describe('teams', () => {
  it('makes the subject bold, and no button where the page is not known', async () => {
    const digest = digestOf([itemOf(downAlert('api', '[x](https://evil.example) <at>all</at>'))], {
      pageUrl: null,
    });
    const { attachments } = (await payloadOf('teams', digest)) as { attachments?: Attachment[] };
    expect(attachments?.[0]?.content).not.toHaveProperty('actions');
    expect(attachments?.[0]?.content.body).toEqual([
      {
        type: 'RichTextBlock',
        inlines: [
          { type: 'TextRun', text: '🔴 ' },
          { type: 'TextRun', text: 'api', weight: 'Bolder' },
          {
            type: 'TextRun',
            text: ' is down – [x](https://evil.example) <at>all</at>; 3 checks have failed since 11:50 UTC',
          },
        ],
      },
    ]);
  });
});

describe('discord', () => {
  it('asks to be told whether the message was taken, and keeps the thread', async () => {
    const { discord } = await import('../../lib/deliver/discord.js');
    const receiver = await receive();
    const url = `${receiver.url}/api/webhooks/1/key?thread_id=42`;
    await discord({ url, authorization: null }).deliver(allKinds, NEVER);
    expect(receiver.received[0]?.url).toBe('/api/webhooks/1/key?thread_id=42&wait=true');
  });
});

describe('ntfy', () => {
  it.each([
    ['/topic', '/', 'topic'],
    ['/topic/', '/', 'topic'],
    ['/base/topic', '/base/', 'topic'],
    ['/topic?auth=abc', '/?auth=abc', 'topic'],
  ])('publishes %s to %s', async (path, root, topic) => {
    const { ntfy } = await import('../../lib/deliver/ntfy.js');
    const receiver = await receive();
    await ntfy({ url: `${receiver.url}${path}`, authorization: 'Basic eDp5' }).deliver(allKinds, NEVER);
    expect(receiver.received[0]).toMatchObject({ url: root, headers: { authorization: 'Basic eDp5' } });
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({ topic });
  });

  it.each([
    ['down', 5, 'rotating_light'],
    ['degraded', 4, 'warning'],
    ['restart', 3, 'information_source'],
    ['up after down', 3, 'white_check_mark'],
  ] as const)('rings for %s at %i', async (what, priority, tag) => {
    const digest = everyKind.find(([name]) => name === what)?.[1] ?? allKinds;
    expect(await payloadOf('ntfy', digest)).toMatchObject({ priority, tags: [tag] });
  });
});

describe('a page that is not known', () => {
  const digest = digestOf([itemOf(downAlert('api', 'x'))], { pageUrl: null });
  it.each([
    ['slack', 'text'],
    ['google_chat', 'text'],
    ['discord', 'content'],
    ['telegram', 'text'],
    ['apprise', 'body'],
  ] as const)('is not linked to: %s', async (name, field) => {
    expect(await textOf(name, field, digest)).not.toContain('http');
  });

  it('is absent from ntfy and null for webhooks', async () => {
    expect(await payloadOf('ntfy', digest)).not.toHaveProperty('click');
    expect(await payloadOf('webhook', digest)).toMatchObject({ pageUrl: null });
  });
});

describe('webhook', () => {
  it('has times of a zone in its texts alone', async () => {
    const item = { ...itemOf(ALERTS.down as Alert), timeZone: 'Europe/Paris' };
    expect(await payloadOf('webhook', digestOf([item]))).toMatchObject({
      timestamp: '2026-11-20T12:00:00.000Z',
      alerts: [
        {
          ...{ at: '2026-11-20T12:00:00.000Z', startedAt: '2026-11-20T11:50:00.000Z' },
          text: expect.stringContaining('since 12:50 CET') as string,
        },
      ],
    });
  });

  const digest = digestOf([itemOf(downAlert('api', 'x'))]);
  const headersOf = ({ headers }: Received) => ({
    'webhook-id': String(headers['webhook-id']),
    'webhook-timestamp': String(headers['webhook-timestamp']),
    'webhook-signature': String(headers['webhook-signature']),
  });

  it('is signed so that the library verifies it, and nothing that was changed', async () => {
    const [request] = await sentBy('webhook', digest);
    if (request === undefined) throw new Error('not sent');
    const verifier = new Webhook(SECRET);
    const headers = headersOf(request);
    expect(headers['webhook-id']).toBe('msg_1');
    expect(verifier.verify(request.body, headers)).toMatchObject({ type: 'keepalive.digest', id: 'msg_1' });
    expect(() => verifier.verify(request.body.replace('down', 'fine'), headers)).toThrow();
    expect(() => verifier.verify(request.body, { ...headers, 'webhook-id': 'msg_2' })).toThrow();
    expect(() => verifier.verify(request.body, { ...headers, 'webhook-timestamp': '1' })).toThrow();
    expect(() => new Webhook(Buffer.alloc(32).toString('base64')).verify(request.body, headers)).toThrow();
  });

  it.each([24, 25, 26, 32, 64])('takes a key of %i bytes without padding', async (bytes) => {
    const { webhook } = await import('../../lib/deliver/webhook.js');
    const key = Buffer.alloc(bytes, 9).toString('base64');
    const receiver = await receive();
    const settings = { url: receiver.url, authorization: null, secret: key.replace(/=+$/, '') };
    await webhook(settings).deliver(digest, NEVER);
    const [request] = receiver.received;
    if (request === undefined) throw new Error('not sent');
    expect(new Webhook(key).verify(request.body, headersOf(request))).toMatchObject({ id: 'msg_1' });
  });

  it('has id and time without a secret too, and the authorization of its address', async () => {
    const { webhook } = await import('../../lib/deliver/webhook.js');
    const receiver = await receive();
    await webhook({ url: `${receiver.url}/x?y=z`, authorization: 'Basic abc', secret: null }).deliver(
      digest,
      NEVER,
    );
    const [request] = receiver.received;
    expect(request?.url).toBe('/x?y=z');
    expect(request?.headers).toMatchObject({ 'webhook-id': 'msg_1', authorization: 'Basic abc' });
    expect(request?.headers['webhook-timestamp']).toMatch(/^\d{10}$/);
    expect(request?.headers).not.toHaveProperty('webhook-signature');
  });

  it('tells the facts, times in ISO 8601', async () => {
    const alert = ALERTS['up, but degraded'];
    if (alert === undefined) throw new Error('no alert');
    const item = itemOf(alert, { name: 'The API', group: 'shop' });
    expect(await payloadOf('webhook', digestOf([item]))).toEqual({
      type: 'keepalive.digest',
      timestamp: '2026-11-20T12:00:00.000Z',
      id: 'msg_1',
      headline: 'The API answers again after 12 m, but is degraded',
      pageUrl: LINK,
      omitted: 0,
      alerts: [
        {
          id: 'a6',
          kind: 'up',
          at: '2026-11-20T12:00:00.000Z',
          level: 'warning',
          target: {
            id: 'api',
            name: 'The API',
            group: 'shop',
            healthUrl: publicTarget('api').healthUrl,
            host: 'none',
          },
          text: 'The API answers again after 12 m, but is degraded – it was down from 11:48 to 12:00 UTC; took 3,200 ms; restarted once',
          was: 'down',
          now: 'degraded',
          startedAt: '2026-11-20T11:48:00.000Z',
          endedAt: '2026-11-20T12:00:00.000Z',
          restarts: 1,
          message: 'took 3,200 ms',
        },
      ],
    });
  });

  it('leaves out what does not fit, and counts it', async () => {
    const items = Array.from({ length: 500 }, (_, i) => itemOf(downAlert(`t-${i}`, '𝕏'.repeat(3_000))));
    const [request] = await sentBy('webhook', digestOf(items));
    const size = Buffer.byteLength(request?.body ?? '');
    expect(size).toBeLessThanOrEqual(WEBHOOK_LIMIT);
    expect(size).toBeGreaterThan(WEBHOOK_LIMIT - 6_000);
    const payload = JSON.parse(request?.body ?? '') as { alerts: unknown[]; omitted: number };
    expect(payload.omitted).toBeGreaterThan(0);
    expect(payload.alerts.length + payload.omitted).toBe(500);
  });
});
