import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../lib/config/config.js';

const read = (env: Record<string, string>) => parseConfig({ TARGET_A_URL: 'https://a.test/', ...env });
const problemsOf = (env: Record<string, string>) => {
  const result = read(env);
  return result.ok ? [] : result.problems;
};
const pageOf = (env: Record<string, string>) => {
  const result = read(env);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config.page;
};
const PIXEL = 'data:image/png;base64,iVBORw0KGgo=';

describe('the variables of the page', () => {
  it('say nothing by default, and nobody may frame it', () => {
    expect(pageOf({})).toEqual({
      ...{ title: null, description: null, logoUrl: null, homeUrl: null, contactUrl: null, links: [] },
      language: null,
      timeZone: null,
      publicUrl: null,
      frameAncestors: ["'none'"],
    });
  });

  it.each([
    ['PAGE_TITLE', 'Acme & Söhne', { title: 'Acme & Söhne' }],
    ['PAGE_DESCRIPTION', 'x'.repeat(300), { description: 'x'.repeat(300) }],
    ['PAGE_LOGO_URL', 'https://acme.test/a.svg?v=2', { logoUrl: 'https://acme.test/a.svg?v=2' }],
    ['PAGE_LOGO_URL', PIXEL, { logoUrl: PIXEL }],
    ['PAGE_HOME_URL', 'https://acme.test', { homeUrl: 'https://acme.test/' }],
    ['PAGE_CONTACT_URL', 'mailto:ops@acme.test', { contactUrl: 'mailto:ops@acme.test' }],
    ['PAGE_CONTACT_URL', 'https://acme.test/@ops', { contactUrl: 'https://acme.test/@ops' }],
    [
      'PAGE_LINKS',
      'Our docs https://acme.test/docs;Mail us mailto:ops@acme.test ;',
      {
        links: [
          { label: 'Our docs', url: 'https://acme.test/docs' },
          { label: 'Mail us', url: 'mailto:ops@acme.test' },
        ],
      },
    ],
    ['PAGE_LINKS', 'off', { links: [] }],
    ['PAGE_LANGUAGE', 'FR', { language: 'fr' }],
    ['PAGE_TIME_ZONE', 'europe/paris', { timeZone: 'Europe/Paris' }],
    ['PAGE_TIME_ZONE', 'UTC', { timeZone: 'UTC' }],
    ['PAGE_FRAME_ANCESTORS', 'none', { frameAncestors: ["'none'"] }],
    ['PAGE_FRAME_ANCESTORS', 'self', { frameAncestors: ["'self'"] }],
    ['PAGE_FRAME_ANCESTORS', '*', { frameAncestors: ['*'] }],
    [
      'PAGE_FRAME_ANCESTORS',
      "'self', https://acme.test https://*.acme.test:8443",
      { frameAncestors: ["'self'", 'https://acme.test', 'https://*.acme.test:8443'] },
    ],
  ])('%s takes %s', (variable, text, expected) => {
    expect(pageOf({ [variable]: text })).toMatchObject(expected);
  });

  it.each([
    ['PAGE_TITLE', 'secret\u0007', /one line of at most 100/],
    ['PAGE_TITLE', 'secret'.repeat(20), /one line of at most 100/],
    ['PAGE_DESCRIPTION', 'secret '.repeat(50), /one line of at most 300/],
    ['PAGE_LOGO_URL', 'http://secret.test/a.png', /expected an https:/],
    ['PAGE_LOGO_URL', 'https://user:secret@acme.test/a.png', /without user info/],
    ['PAGE_LOGO_URL', 'data:text/html;base64,c2VjcmV0', /data:image/],
    ['PAGE_LOGO_URL', `data:image/png;base64,${'A'.repeat(32_000)}`, /at most 32000/],
    ['PAGE_LOGO_URL', `https://acme.test/${'secret'.repeat(400)}`, /at most 2000/],
    ['PAGE_TITLE', 'secret\u202e', /one line of at most 100/],
    ['PAGE_DESCRIPTION', 'secret\u2066', /one line of at most 300/],
    ['PAGE_LINKS', 'secret\u202e https://acme.test', /with words and an https:/],
    ['PAGE_LINKS', 'https://secret.test', /with words and an https:/],
    ['PAGE_LINKS', 'A https://secret.test B https://b.test', /with ; between/],
    ['PAGE_LINKS', 'Docs javascript:secret()', /with words and an https:/],
    ['PAGE_LINKS', 'Docs https://u:secret@acme.test', /with words and an https:/],
    ['PAGE_LINKS', 'secret https://acme.test;'.repeat(11), /at most 10 links/],
    ['PAGE_HOME_URL', 'javascript:secret()', /expected an https:/],
    ['PAGE_HOME_URL', 'secret.test', /expected an https:/],
    ['PAGE_CONTACT_URL', 'mailto:a@b.test?bcc=secret@c.test', /mailto: and one mail address/],
    ['PAGE_CONTACT_URL', 'mailto:secret', /mailto: and one mail address/],
    ['PAGE_LANGUAGE', 'secret', /one of en, fr, de, es, pt, it/],
    ['PAGE_LANGUAGE', 'en-secret', /one of en/],
    ['PAGE_TIME_ZONE', 'Mars/secret', /such as Europe\/Paris/],
    ['PAGE_TIME_ZONE', '+01:00', /such as Europe\/Paris/],
    ['PAGE_FRAME_ANCESTORS', "https://secret.test; script-src 'unsafe-inline'", /origins such as/],
    ['PAGE_FRAME_ANCESTORS', 'https://secret.test/path', /origins such as/],
    ['PAGE_FRAME_ANCESTORS', 'off, https://secret.test', /origins such as/],
  ])('%s refuses %s, and does not repeat it', (variable, text, expected) => {
    const problems = problemsOf({ [variable]: text });
    expect(problems).toEqual([{ variable, message: expect.stringMatching(expected) as string }]);
    expect(JSON.stringify(problems)).not.toContain('secret');
  });

  it.each([
    ['PAGE_TITEL', 'PAGE_TITLE'],
    ['PAGE_LANG', 'PAGE_LANGUAGE'],
    ['PAGE_LOGO', 'PAGE_LOGO_URL'],
    ['PAGE_TIMEZONE', 'PAGE_TIME_ZONE'],
  ])('%s is a problem: it resembles %s', (variable, name) => {
    expect(problemsOf({ [variable]: 'x' })).toEqual([
      { variable, message: `unknown option, did you mean ${name}?` },
    ]);
  });

  it.each(['PAGE_SIZE', 'PAGE_LIMIT', 'PAGE_CACHE_TTL', 'PAGE_SPEED', 'PAGE_URL'])(
    '%s is somebody else’s, and no problem',
    (variable) => {
      expect(problemsOf({ [variable]: '3' })).toEqual([]);
    },
  );
});

describe('mails to visitors', () => {
  const NEEDS = {
    ALERT_SMTP_URL: 'smtp://h',
    ALERT_EMAIL_FROM: 'a@b.test',
    ALERT_EMAIL_TO: 'a@b.test',
    CRON_SECRET: 'a-secret-of-32-characters-length',
    KEEP_ALIVE_PUBLIC_URL: 'https://status.test',
  };
  const subscriptionsOf = (env: Record<string, string>) => {
    const result = read(env);
    return result.ok ? result.config.subscriptions : result.problems.map(({ variable }) => variable);
  };

  it('are off, and need a mail server, a secret and an address of the page', () => {
    expect(subscriptionsOf(NEEDS)).toBeNull();
    expect(subscriptionsOf({ ...NEEDS, PAGE_SUBSCRIPTIONS: 'on' })).toEqual({ mailsPerDay: 250 });
    const limited = { PAGE_SUBSCRIPTIONS: 'on', PAGE_MAILS_PER_DAY: '7' };
    expect(subscriptionsOf({ ...NEEDS, ...limited })).toEqual({ mailsPerDay: 7 });
    expect(subscriptionsOf({ PAGE_SUBSCRIPTIONS: 'on' })).toEqual([
      'ALERT_SMTP_URL',
      'CRON_SECRET',
      'KEEP_ALIVE_PUBLIC_URL',
    ]);
    const onVercel = Object.fromEntries(
      Object.entries(NEEDS).filter(([name]) => name !== 'KEEP_ALIVE_PUBLIC_URL'),
    );
    const vercel = { VERCEL: '1', VERCEL_PROJECT_PRODUCTION_URL: 'status.vercel.app' };
    expect(subscriptionsOf({ ...onVercel, ...vercel, PAGE_SUBSCRIPTIONS: 'on' })).toEqual({
      mailsPerDay: 250,
    });
  });
});
