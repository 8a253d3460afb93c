import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  mostRequests,
  readMailRequests,
  withRequest,
  writeMailRequests,
} from '../../lib/record/mail-requests.js';
import { readMailing, writeMailing } from '../../lib/record/mailing-text.js';
import {
  CONFIRMATION_TTL,
  MOST_SUBSCRIBERS,
  noSubscribers,
  readSubscribers,
  readUnsubscribeToken,
  subscribe,
  subscriberId,
  unsubscribe,
  unsubscribeToken,
  writeSubscribers,
  type Subscribers,
} from '../../lib/record/subscribers.js';

const NOW = Date.UTC(2026, 0, 5, 12);
const HOUR = 3_600_000;
const KEY = 'AAAAAAAAAAAAAAAAAAAAAA';
const asked = { asked: NOW, now: NOW };

function added(before: Subscribers, address: string, when = asked): Subscribers {
  const found = subscribe(before, { address, language: 'en' }, when);
  if (!('subscribers' in found)) throw new Error(found.refused);
  return found.subscribers;
}

describe('the subscribers', () => {
  it('are stored in this form', () => {
    const list = ['ann@example.com', 'bob@example.com'].map((address) => ({ address, language: 'en' }));
    const value = { key: KEY, list, left: new Map([['BBBBBBBBBBBBBBBBBBBBBB', NOW]]) };
    const text = ' 2i1ZyxAqUdKKhKhLz8hxSKxJzC3JSQRpj8pLyk5AFlGJjQWqdsAIlHUNzM3MzQxMTAxCIjY0FAA==';
    expect([readSubscribers(text), writeSubscribers(value)]).toEqual([value, text]);
  });

  it('are read as they were written', () => {
    const address = fc.stringMatching(/^[a-zé]{1,9}@[a-z]{1,9}\.com$/);
    fc.assert(
      fc.property(
        fc.uniqueArray(address, { maxLength: 30, selector: (each) => each.toLowerCase() }),
        fc.constantFrom('en', 'fr', 'de'),
        (addresses, language) => {
          const list = addresses.sort().map((each) => ({ address: each, language }));
          const value = { key: KEY, list, left: new Map() };
          expect(readSubscribers(writeSubscribers(value))).toEqual(value);
        },
      ),
    );
  });

  it('are each there once, however their address is spelled', () => {
    const once = added(noSubscribers(KEY), 'Ann@example.com');
    expect(added(once, 'ann@EXAMPLE.com')).toBe(once);
    expect(unsubscribe(once, new Set([subscriberId(once, 'ANN@example.com')]), NOW).list).toEqual([]);
  });

  it('leave with nothing but a hash, which refuses the links of before for as long as they are good', () => {
    const there = added(noSubscribers(KEY), 'ann@example.com');
    const gone = unsubscribe(there, new Set([subscriberId(there, 'ann@example.com')]), NOW + 5);
    expect(JSON.stringify([...gone.left, gone.list])).not.toContain('ann');
    const again = (when: typeof asked) =>
      subscribe(gone, { address: 'ann@example.com', language: 'en' }, when);
    expect(again({ asked: NOW + 4, now: NOW + HOUR })).toEqual({ refused: 'left' });
    expect(again({ asked: NOW + 6, now: NOW + HOUR })).toMatchObject({ subscribers: { list: [{}] } });
    const later = added(gone, 'bob@example.com', { asked: NOW, now: NOW + 5 + CONFIRMATION_TTL });
    expect(later.left.size).toBe(0);
  });

  it('stay who they are where somebody unknown leaves, and are known by their own key alone', () => {
    const there = added(noSubscribers(KEY), 'ann@example.com');
    const ofOthers = subscriberId(noSubscribers('other'), 'ann@example.com');
    expect(unsubscribe(there, new Set([ofOthers]), NOW)).toBe(there);
  });

  it('are 10,000 at most, which take less than 250 KB', () => {
    const list = Array.from({ length: MOST_SUBSCRIBERS }, (_, i) => {
      const name = randomBytes(5).toString('hex');
      const domain = ['gmail.com', 'outlook.com', `firm-${i % 997}.example`][i % 3] ?? '';
      return { address: `${name}.${i}@${domain}`, language: 'en' };
    });
    const full = { key: KEY, list, left: new Map() };
    const text = writeSubscribers(full);
    console.log(`${MOST_SUBSCRIBERS} subscribers: ${text.length} characters`);
    expect(text.length).toBeLessThan(250_000);
    expect(readSubscribers(text)?.list).toHaveLength(MOST_SUBSCRIBERS);
    expect(subscribe(full, { address: 'ann@example.com', language: 'en' }, asked)).toEqual({
      refused: 'full',
    });
    expect(added(full, list[7]?.address ?? '')).toBe(full);
  });

  it.each([' 1x', ' 3x', 'x', ' 2', ' 2AAAA', ' 2ewA='])('are not read out of %j', (text) => {
    expect(() => readSubscribers(text)).toThrow(
      expect.objectContaining({ name: expect.stringMatching(/TextError/) as string }),
    );
  });
});

it('the mailing is stored in this form, and read in the one before', () => {
  const text =
    ' 3["k",2,[[1,1767614400000,"",0,"down","api",1767614280000,"status 503"],[2,1767614400000,"c",1,"note","mk1"]],[["m",1]],[["api",1767614280000,[1767614400000]]],[[1767700800000,1767708000000]],1767610000000,null,[20458,3],[1,1767614430000,"l","answered 421"],[["g",2,1767614400000]]]';
  expect(writeMailing(readMailing(text, 0))).toBe(text);
  const before = text.replace(' 3', ' 2').replace(/,\[\["g".*$/, ']');
  expect(readMailing(before, 0)).toEqual({ ...readMailing(text, 0), unknown: new Map() });
  expect(readMailing(text, 0).pending[0]?.news).toEqual({
    kind: 'down',
    target: 'api',
    startedAt: 1767614280000,
    message: 'status 503',
  });
});

describe('a link that unsubscribes', () => {
  const settings = { cronSecret: 'a-secret-0123456789', prefix: 'keepalive' };
  const id = subscriberId({ key: KEY }, 'ann@example.com');
  const token = unsubscribeToken(settings, id);

  it('is known to be of this installation', () => {
    expect(readUnsubscribeToken(settings, token)).toEqual({ id, isSealed: true });
  });

  it.each([
    ['of another secret', { ...settings, cronSecret: 'another-secret-012345' }, token],
    ['of another installation', { ...settings, prefix: 'other' }, token],
    [
      'where there is no secret',
      { ...settings, cronSecret: null },
      unsubscribeToken({ ...settings, cronSecret: null }, id),
    ],
    ['of a version that did not seal', settings, id],
    ['with the seal of another', settings, id + unsubscribeToken(settings, KEY).slice(22)],
  ])('%s is read, and not known to be', (_what, known, link) => {
    expect(readUnsubscribeToken(known, link)).toEqual({ id, isSealed: false });
  });

  it.each(['', 'x', `${id}A`, `${token}A`, token.slice(0, -1), `${id}${'é'.repeat(8)}`])(
    'is not %j',
    (link) => {
      expect(readUnsubscribeToken(settings, link)).toBeNull();
    },
  );
});

describe('mails that are asked for with the form', () => {
  const from = (network: string, mailbox: string, at: number) => ({ mailbox, network, at });

  it('are three a day to one mailbox, a minute apart', () => {
    let requests = withRequest([], from('n', 'm', NOW), 50);
    const next = (at: number) => {
      if (!('requests' in requests)) throw new Error(requests.refused);
      const found = withRequest(requests.requests, from('n', 'm', at), 50);
      if ('requests' in found) requests = found;
      return 'requests' in found ? null : found.refused;
    };
    expect([1_000, 60_000, 120_000, 180_000, 23 * HOUR, 24 * HOUR].map((ms) => next(NOW + ms))).toEqual([
      'to',
      null,
      null,
      'to',
      'to',
      null,
    ]);
  });

  it('are twenty a day from one network, and so many an hour and a day from all', () => {
    const many = (count: number, network: (i: number) => string, at: (i: number) => number) => {
      let requests: readonly ReturnType<typeof from>[] = [];
      const refused: string[] = [];
      for (let i = 0; i < count; i += 1) {
        const found = withRequest(requests, from(network(i), `m${i}`, at(i)), 50);
        if ('requests' in found) requests = readMailRequests(writeMailRequests(found.requests));
        else refused.push(found.refused);
      }
      return { sent: requests.length, refused: new Set(refused) };
    };
    expect(
      many(
        1_000,
        () => 'n',
        (i) => NOW + i * 1_000,
      ),
    ).toEqual({ sent: 20, refused: new Set(['from']) });
    expect(
      many(
        1_000,
        (i) => `n${i}`,
        (i) => NOW + i,
      ),
    ).toEqual({ sent: 25, refused: new Set(['all']) });
    expect(
      many(
        1_000,
        (i) => `n${i}`,
        (i) => NOW + i * 60_000,
      ),
    ).toMatchObject({ sent: 50 });
    expect([0, 250, 1_000, 1e6].map(mostRequests)).toEqual([50, 50, 200, 1_000]);
  });
});
