import { describe, expect, it } from 'vitest';
import { EMAIL_LIMIT } from '../../lib/deliver/email.js';
import { createAuthority } from '../support/certificates.js';
import { channelTo } from '../support/channels.js';
import { digestOf, downAlert, HOSTILE, itemOf } from '../support/digests.js';
import { closedPort, serveRaw, serveTcp } from '../support/servers.js';
import { refusal, serveMail, type Mail } from '../support/smtp.js';

const NEVER = new AbortController().signal;
const email = (smtpUrl: string) => channelTo('email', 'http://127.0.0.1:9', smtpUrl);
const digest = digestOf([itemOf(downAlert('api', 'status 503'))]);

const only = (mails: readonly Mail[]): Mail => {
  const [mail] = mails;
  if (mail === undefined || mails.length !== 1) throw new Error(`${mails.length} mails`);
  return mail;
};
const headersOf = ({ raw }: Mail): string[] =>
  (raw.split('\r\n\r\n')[0] ?? '').replace(/\r\n[ \t]/g, ' ').split('\r\n');

describe('a mail', () => {
  it('is one message to all, in text and in HTML, that a repetition can be told by', async () => {
    const server = await serveMail();
    await email(server.url).deliver(digest, NEVER);
    await email(server.url).deliver(digest, NEVER);
    const [mail, again] = server.mails;
    if (mail === undefined || again === undefined) throw new Error('not sent');
    expect(mail).toMatchObject({ from: 'pinger@example.com', to: ['a@example.com', 'b@example.com'] });
    const headers = headersOf(mail);
    expect(headers).toContain('From: Keepalive <pinger@example.com>');
    expect(headers).toContain('Subject: [Keepalive] api is down');
    expect(headers).toContain('Auto-Submitted: auto-generated');
    expect(headers).toContain('Date: Fri, 20 Nov 2026 12:00:00 +0000');
    const idOf = (found: Mail) => headersOf(found).find((header) => header.startsWith('Message-ID:'));
    expect(idOf(mail)).toMatch(/^Message-ID: <[0-9a-f]{32}\.keepalive@example\.com>$/);
    expect(idOf(again)).toBe(idOf(mail));
    expect(mail.raw).toContain('Content-Type: text/plain; charset=utf-8');
    expect(mail.raw).toContain('Content-Type: text/html; charset=utf-8');
  });

  it.each(Object.entries(HOSTILE))('holds %s as text and nothing else', async (_what, text) => {
    const server = await serveMail();
    await email(server.url).deliver(digestOf([itemOf(downAlert('api', text), { name: text })]), NEVER);
    const headers = headersOf(only(server.mails));
    expect(headers.map((header) => header.split(':')[0])).toEqual([
      'Auto-Submitted',
      'From',
      'To',
      'Subject',
      'Message-ID',
      'Date',
      'MIME-Version',
      'Content-Type',
    ]);
    const html = partOf(only(server.mails), 'text/html');
    expect(html.replace(/&(?:amp|lt|gt|quot);/g, '')).not.toContain('&');
    const tags = html.match(/<[^>]*>/g)?.map((tag) => tag.replace(/ style="[^"]*"/, ''));
    expect(tags).toEqual([
      '<p>',
      '<b>',
      '</b>',
      '<br>',
      '<a href="https://status.example.com/">',
      '</a>',
      '</p>',
    ]);
  });

  it('holds 500 alerts, or says how many it left out', async () => {
    const server = await serveMail();
    const items = Array.from({ length: 500 }, (_, i) => itemOf(downAlert(`t-${i}`, '&'.repeat(5_000))));
    await email(server.url).deliver(digestOf(items), NEVER);
    for (const type of ['text/plain', 'text/html']) {
      const part = partOf(only(server.mails), type);
      const shown = part.match(/ is down/g)?.length ?? 0;
      const omitted = Number(/and (\d+) more/.exec(part)?.[1] ?? 0);
      expect(shown + omitted).toBe(500);
      expect(part.length).toBeLessThan(EMAIL_LIMIT + 5 * 502 + 100);
    }
  });
});

describe('a refusal', () => {
  const both = [421, 450, 451, 452, 550, 552, 553, 554] as const;
  const expected = (status: number) => ({
    name: 'DeliveryError',
    code: status >= 500 && status !== 552 ? 'permanent' : 'temporary',
    message: `answered ${status}`,
  });

  it.each(both)('of the sender by %i', async (status) => {
    const server = await serveMail({ onMailFrom: (_address, _session, done) => done(refusal(status)) });
    await expect(email(server.url).deliver(digest, NEVER)).rejects.toMatchObject(expected(status));
  });

  it.each(both)('of all recipients by %i', async (status) => {
    const server = await serveMail({ onRcptTo: (_address, _session, done) => done(refusal(status)) });
    await expect(email(server.url).deliver(digest, NEVER)).rejects.toMatchObject(expected(status));
  });

  it.each(both)('of the message by %i', async (status) => {
    const server = await serveMail({
      onData: (stream, _session, done) => {
        stream.resume();
        stream.on('end', () => done(refusal(status)));
      },
    });
    await expect(email(server.url).deliver(digest, NEVER)).rejects.toMatchObject(expected(status));
  });

  it.each([
    [535, 'permanent'],
    [454, 'temporary'],
  ])('of the password by %i is %s', async (status, code) => {
    const server = await serveMail({ onAuth: (_auth, _session, done) => done(refusal(status)) });
    await expect(email(server.url).deliver(digest, NEVER)).rejects.toMatchObject({ code });
  });

  it('of one recipient does not keep the message from the others', async () => {
    const server = await serveMail({
      onRcptTo: ({ address }, _session, done) => done(address === 'a@example.com' ? refusal(550) : null),
    });
    await email(server.url).deliver(digest, NEVER);
    expect(only(server.mails).to).toEqual(['b@example.com']);
  });

  it('by greylisting of one and for good of another is worth another try', async () => {
    const server = await serveMail({
      onRcptTo: ({ address }, _session, done) => done(refusal(address === 'a@example.com' ? 550 : 451)),
    });
    await expect(email(server.url).deliver(digest, NEVER)).rejects.toMatchObject({ code: 'temporary' });
  });
});

describe('no mail server', () => {
  it.each([
    ['nobody listens', closedPort],
    ['resets', async () => (await serveTcp((socket) => socket.resetAndDestroy())).port],
    ['closes', async () => (await serveTcp((socket) => socket.end())).port],
    ['speaks HTTP', async () => (await serveTcp((socket) => socket.end('HTTP/1.1 400 Bad\r\n\r\n'))).port],
    [
      'resets after the greeting',
      async () =>
        (
          await serveTcp((socket) => {
            socket.write('220 hello\r\n');
            socket.once('data', () => socket.resetAndDestroy());
          })
        ).port,
    ],
  ] as const)('where it %s: temporary', async (_what, open) => {
    const port = await open();
    const failure = await email(`smtp://user:mail-password@127.0.0.1:${port}`)
      .deliver(digest, NEVER)
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'DeliveryError', code: 'temporary' });
    expect(String(failure)).not.toMatch(/127\.0\.0\.1|password/);
  });

  it.each([
    ['greets', () => undefined],
    ['says anything', (write: (text: string) => void) => write('220 hello\r\n')],
    ['ends its greeting', (write: (text: string) => void) => write('220-hello\r\n'.repeat(1_000))],
  ] as const)(
    'where it never %s: temporary, with the signal, and the connection goes',
    async (_what, speak) => {
      let open = 0;
      const { port } = await serveTcp((socket) => {
        open++;
        socket.on('data', () => undefined).on('close', () => open--);
        speak((text) => void socket.write(text));
      });
      const delivery = email(`smtp://127.0.0.1:${port}`).deliver(digest, AbortSignal.timeout(300));
      await expect(delivery).rejects.toMatchObject({ code: 'temporary', message: 'no answer in time' });
      await expect.poll(() => open).toBe(0);
    },
  );

  it('is not asked when the signal fired before', async () => {
    const { port, accepted } = await serveRaw(() => undefined);
    const delivery = email(`smtp://127.0.0.1:${port}`).deliver(digest, AbortSignal.abort());
    await expect(delivery).rejects.toMatchObject({ code: 'temporary' });
    expect(accepted()).toBe(0);
  });
});

describe('a mail server with a certificate of its own', () => {
  const authority = createAuthority('own');
  const foreign = authority.issue(['other.example']);
  const old = authority.issue(['127.0.0.1'], -10, -1);

  it.each([
    ['from the start', 'smtps:', { secure: true }],
    ['by STARTTLS', 'smtp:', { disabledCommands: [] }],
  ])(
    '%s: the refusal names the certificate, and the address says that it is to be accepted',
    async (_, scheme, options) => {
      for (const pair of [foreign, old]) {
        const server = await serveMail({ ...options, key: pair.key, cert: pair.cert });
        const url = server.url.replace('smtp:', scheme);
        await expect(email(url).deliver(digest, NEVER)).rejects.toMatchObject({
          code: 'permanent',
          message: expect.stringMatching(/certificate/) as string,
        });
        expect(server.mails).toEqual([]);
        await email(`${url}?tls.rejectUnauthorized=false`).deliver(digest, NEVER);
        expect(server.mails).toHaveLength(1);
      }
    },
  );
});

function partOf({ raw }: Mail, type: string): string {
  const part = raw.split(/\r\n--[^\r\n]+/).find((found) => found.includes(`Content-Type: ${type}`)) ?? '';
  const [head = '', ...body] = part.split('\r\n\r\n');
  const text = body.join('\r\n\r\n');
  if (head.includes('base64')) return Buffer.from(text, 'base64').toString();
  if (!head.includes('quoted-printable')) return text;
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}
