import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  byteLength,
  compose,
  nameOf,
  pageOf,
  PLAIN,
  titleOf,
  type Markup,
} from '../../lib/deliver/compose.js';
import { DISCORD_MARKUP } from '../../lib/deliver/discord.js';
import { HTML } from '../../lib/deliver/email.js';
import { GOOGLE_CHAT_MARKUP } from '../../lib/deliver/google-chat.js';
import { SLACK_MARKUP } from '../../lib/deliver/slack.js';
import { TELEGRAM_MARKUP } from '../../lib/deliver/telegram.js';
import { ALERTS, digestOf, downAlert, HOSTILE, itemOf } from '../support/digests.js';
import { shorten, singleLine } from '../../lib/single-line.js';

const MARKUPS: Readonly<Record<string, Markup>> = {
  plain: PLAIN,
  'plain in bytes': { ...PLAIN, size: byteLength },
  slack: SLACK_MARKUP,
  discord: DISCORD_MARKUP,
  telegram: TELEGRAM_MARKUP,
  'google chat': GOOGLE_CHAT_MARKUP,
  html: HTML,
};

const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
/** Lines that show an alert. */
const shownIn = (text: string) => text.split('\n').filter((line) => /^(?:🔴|🟠|🔵|🟢) /u.test(line)).length;
const omittedIn = (text: string) => Number(/^and (\d+) more$/m.exec(text)?.[1] ?? 0);

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom(...Object.values(HOSTILE)),
  fc.string({ unit: fc.constantFrom('&', '<', '\\', '*', '🔴', '\n', '"', 'a'), maxLength: 400 }),
);
const anyItem = fc
  .record({ alert: fc.constantFrom(...Object.values(ALERTS)), text: anyText, name: anyText })
  .map(({ alert, text, name }) =>
    itemOf(
      {
        ...alert,
        ...('message' in alert && { message: text }),
        ...('answer' in alert && { answer: text }),
      },
      { name },
    ),
  );
const anyDigest = fc.record({
  items: fc.array(anyItem, { minLength: 1, maxLength: 60 }),
  pageUrl: fc.option(fc.oneof(fc.webUrl({ withQueryParameters: true }), anyText)),
});

describe.each(Object.entries(MARKUPS))('%s', (_name, markup) => {
  it('stays within its limit, shows or counts every alert, and holds nothing unseen', () => {
    fc.assert(
      fc.property(anyDigest, fc.integer({ min: 1_000, max: 9_000 }), fc.boolean(), (given, limit, titled) => {
        const { text, omitted } = compose(digestOf(given.items, given), { markup, limit, titled });
        expect(markup.size(text)).toBeLessThanOrEqual(limit);
        expect(omittedIn(text)).toBe(omitted);
        expect(shownIn(text)).toBe(given.items.length - omitted);
        expect(shownIn(text)).toBeGreaterThan(0);
        expect(text.replaceAll('\n', '')).not.toMatch(UNSEEN);
      }),
      { numRuns: 300 },
    );
  });

  it.each([1, 2, 30, 500])('shows what it can of %i alerts', (count) => {
    const items = Array.from({ length: count }, (_, i) =>
      itemOf(downAlert(`target-${i}`, 'm'.repeat(3_000))),
    );
    const { text, omitted } = compose(digestOf(items), { markup, limit: 2_000, titled: false });
    expect(markup.size(text)).toBeLessThanOrEqual(2_000);
    expect(shownIn(text) + omitted).toBe(count);
    if (count > 10) expect(markup.size(text)).toBeGreaterThan(1_600);
  });
});

describe('a composition', () => {
  it('is one line for one alert, with the page below', () => {
    const digest = digestOf([itemOf(downAlert('api', 'name not found'), { name: 'The API' })]);
    expect(compose(digest, { markup: PLAIN, limit: 1_000, titled: false })).toEqual({
      text: '🔴 The API is down – name not found; 3 checks have failed since 11:50 UTC\nhttps://status.example.com/',
      omitted: 0,
    });
  });

  it('has a headline for several, save where the channel shows it as a title', () => {
    const digest = digestOf([itemOf(downAlert('a', 'x')), itemOf(downAlert('b', 'y'))], { pageUrl: null });
    const lines = [
      '🔴 a is down – x; 3 checks have failed since 11:50 UTC',
      '🔴 b is down – y; 3 checks have failed since 11:50 UTC',
    ];
    expect(compose(digest, { markup: PLAIN, limit: 1_000, titled: false }).text.split('\n')).toEqual([
      '2 down',
      ...lines,
    ]);
    expect(compose(digest, { markup: PLAIN, limit: 1_000, titled: true }).text.split('\n')).toEqual(lines);
    expect(titleOf(digest, 100)).toBe('2 down');
  });

  it('keeps what comes first', () => {
    const items = Array.from({ length: 100 }, (_, i) => itemOf(downAlert(`t-${i}`, 'm'.repeat(100))));
    const { text, omitted } = compose(digestOf(items), { markup: PLAIN, limit: 1_000, titled: false });
    expect(omitted).toBe(94);
    expect(text.match(/t-\d+/g)).toEqual(['t-0', 't-1', 't-2', 't-3', 't-4', 't-5']);
    expect(text).toContain('\nand 94 more\nhttps://');
  });

  it('never cuts within an escape: one long alert under each markup', () => {
    for (let length = 1; length < 400; length++) {
      const digest = digestOf([
        itemOf(downAlert('api', '&\\"<𝕏'.repeat(length)), { name: '&*𝕏'.repeat(length) }),
      ]);
      for (const markup of Object.values(MARKUPS)) {
        const { text } = compose(digest, { markup, limit: 1_000, titled: false });
        expect(markup.size(text)).toBeLessThanOrEqual(1_000);
        expect(text).not.toMatch(/\p{Cs}/u);
        const ampersands = text.match(/&(?!amp;|lt;|gt;|quot;)/g)?.length ?? 0;
        if (markup === TELEGRAM_MARKUP || markup === HTML || markup === SLACK_MARKUP)
          expect(ampersands).toBe(0);
      }
    }
  });

  it.each([
    [null, null],
    ['https://status.example.com', 'https://status.example.com/'],
    ['https://x.example/a b"<>', 'https://x.example/a%20b%22%3C%3E'],
    ['javascript:alert(1)', null],
    ['status.example.com', null],
    ['', null],
  ])('links to page %j as %j', (pageUrl, expected) => {
    expect(pageOf(digestOf([], { pageUrl }))).toBe(expected);
  });

  it('falls back on the id where a name cannot be seen', () => {
    const alert = downAlert('api', 'x');
    expect(nameOf(itemOf(alert, { name: '\u202e \u200b' }))).toBe('api');
    expect(nameOf({ alert, target: null })).toBe('api');
  });
});

describe('text', () => {
  it.each([
    ['a\r\n\tb', 'a b'],
    [' a \u2028 b ', 'a b'],
    ['a\u0000\u0007b', 'ab'],
    ['\u202eevil\u202c\u2066\u200b\ufeff', 'evil'],
    ['\ud83d', '\ufffd'],
    ['é 漢字 🔴 العربية', 'é 漢字 🔴 العربية'],
  ])('%j is plain as %j', (given, expected) => {
    expect(singleLine(given)).toBe(expected);
  });

  it.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'ab…'],
    ['𝕏𝕏𝕏', 3, '𝕏𝕏𝕏'],
    ['𝕏𝕏𝕏𝕏', 3, '𝕏𝕏…'],
    ['abc', 1, '…'],
    ['abc', 0, '…'],
    ['', 1, ''],
  ])('%j in %i is %j', (given, longest, expected) => {
    expect(shorten(given, longest)).toBe(expected);
  });
});
