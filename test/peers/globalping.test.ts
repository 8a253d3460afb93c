import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { createPeers } from '../../lib/peers/ask.js';
import { Globalping, unasked } from '../../lib/peers/globalping.js';
import { withOpinions, type FailedCheck } from '../../lib/rules/opinions.js';
import type { Target } from '../../lib/types.js';
import {
  failedBy,
  FINISHED,
  IN_PROGRESS,
  startGlobalping,
  type Found,
  type GlobalpingStandIn,
} from '../support/globalping.js';
import { configOf, FAILED } from '../support/runs.js';

const NOON = Date.UTC(2026, 10, 26, 12);
const never = new AbortController().signal;
const targetAt = (url: string, env: Record<string, string> = {}): Target =>
  configOf({ TARGET_A_URL: url, ...env }).targets[0] as Target;

let standIn: GlobalpingStandIn;
let now: number;
beforeEach(async () => {
  standIn = await startGlobalping();
  now = NOON;
});

const globalping = (token: string | null = null): Globalping =>
  new Globalping(token, { send: standIn.send, now: () => now, sleep: () => Promise.resolve() });

describe('Globalping is asked', () => {
  it('for one look from each of three continents, with what everybody may know of the target', async () => {
    const target = targetAt('https://a.com:8443/health', { TARGET_A_TIMEOUT: '7500' });
    expect(await globalping().ask(target, never)).toEqual([
      { place: 'Falkenstein', isWell: true },
      { place: 'Ashburn', isWell: true },
      { place: 'Singapore', isWell: true },
    ]);
    expect(standIn.asked).toEqual([
      {
        type: 'http',
        target: 'a.com',
        locations: [{ continent: 'EU' }, { continent: 'NA' }, { continent: 'AS' }],
        timeout: 8,
        measurementOptions: {
          protocol: 'HTTPS',
          port: 8443,
          request: { method: 'GET', path: '/health' },
        },
      },
    ]);
    expect(new Set(standIn.tokens)).toEqual(new Set([undefined]));
  });

  it('with its token, which goes nowhere else', async () => {
    await globalping('a-token').ask(targetAt('https://a.com/'), never);
    expect(new Set(standIn.tokens)).toEqual(new Set(['Bearer a-token']));
    expect(JSON.stringify(standIn.asked)).not.toContain('a-token');
  });

  it('beside peers or alone, and alone it can outvote us', async () => {
    const settings = { urls: [], secret: null, region: null, globalping: { token: null } };
    const peers = createPeers(settings, { send: standIn.send, now: () => now });
    expect(peers.watched).toEqual([]);
    const opinions = await peers.ask(targetAt('https://a.com/'), never);
    const { outcome, message } = withOpinions({ ...FAILED, at: NOON } as unknown as FailedCheck, opinions);
    expect([outcome, message]).toEqual([
      'degraded',
      'answers from Falkenstein, Ashburn and Singapore, not from here',
    ]);
  });

  it.each([
    ['tcp://a.com:25', {}, 'not HTTP'],
    ['https://a.com/?key=1', {}, 'a query string'],
    ['https://u:p@a.com/', {}, 'HEADERS or a password'],
    ['https://a.com/', { TARGET_A_HEADERS: '{"X-Key":"k"}' }, 'HEADERS or a password'],
    ['https://a.com/', { TARGET_A_METHOD: 'POST' }, 'METHOD POST'],
    ['https://a.com/', { TARGET_A_METHOD: 'OPTIONS' }, 'METHOD OPTIONS'],
    ['https://a.com/', { TARGET_A_SHOW: 'name' }, 'an address that is not shown'],
    ['http://10.0.0.1/', {}, 'not on the internet'],
    ['http://db.internal/', {}, 'not on the internet'],
    ['https://a.com/', {}, null],
    ['https://a.com/', { TARGET_A_METHOD: 'HEAD' }, null],
  ] as const)('about %s %o: %s', async (url, env, why) => {
    const target = targetAt(url, env);
    expect(unasked(target)).toBe(why);
    expect(await globalping().ask(target, never)).toHaveLength(why === null ? 3 : 0);
    expect(standIn.asked).toHaveLength(why === null ? 1 : 0);
  });
});

describe('what a probe found', () => {
  const REDIRECT = { ...FINISHED, statusCode: 302, headers: { location: 'https://a.com/login' } };
  const CUT = { ...FINISHED, rawBody: 'x'.repeat(10_000), truncated: true };
  const CASES: readonly [what: string, found: Found, env: Record<string, string>, isWell: boolean | null][] =
    [
      ['an expected status', FINISHED, {}, true],
      ['another status', { ...FINISHED, statusCode: 503 }, {}, false],
      ['a status that is expected', { ...FINISHED, statusCode: 503 }, { EXPECT_STATUS: '503' }, true],
      ['a failure of the target', failedBy('target'), {}, false],
      ['a failure of its resolver', failedBy('resolver'), {}, null],
      ['a failure of its own', failedBy('internal'), {}, null],
      ['a failure that it does not explain', { status: 'failed', rawOutput: '' }, {}, null],
      ['nothing yet', IN_PROGRESS, {}, null],
      ['a probe that went away', { status: 'offline', rawOutput: '' }, {}, null],
      ['a redirect, which it does not follow', REDIRECT, {}, null],
      ['a redirect that is expected', REDIRECT, { MAX_REDIRECTS: '0', EXPECT_STATUS: '302' }, true],
      ['the expected text', FINISHED, { EXPECT_BODY: 'is well' }, true],
      ['another text', FINISHED, { EXPECT_BODY: 'is not' }, false],
      ['a rejected text', FINISHED, { REJECT_BODY: '/WELL/i' }, false],
      ['the expected JSON', { ...FINISHED, rawBody: '{"a":1}' }, { EXPECT_JSON: 'a = 1' }, true],
      ['other JSON', { ...FINISHED, rawBody: '{"a":2}' }, { EXPECT_JSON: 'a = 1' }, false],
      ['a text that may come behind what it keeps', CUT, { EXPECT_BODY: 'is well' }, null],
      ['a text within what it keeps', CUT, { EXPECT_BODY: 'xxx' }, true],
      ['JSON that is cut', CUT, { EXPECT_JSON: 'a = 1' }, null],
      ['a text in another charset', { ...FINISHED, rawBody: 'caf\ufffd' }, { EXPECT_BODY: 'café' }, null],
      ['a body that nobody asked for', CUT, {}, true],
      ['a certificate that is not to be trusted', { ...FINISHED, tls: { authorized: false } }, {}, false],
      [
        'a certificate that need not be trusted',
        { ...FINISHED, tls: { authorized: false } },
        { TLS_VERIFY: 'false' },
        true,
      ],
      ['an answer that came too late', { ...FINISHED, timings: { total: 10_001 } }, {}, false],
      ['a slow answer', { ...FINISHED, timings: { total: 9_000 } }, { DEGRADED_AFTER: '1s' }, true],
      ['no status', { ...FINISHED, statusCode: null }, {}, null],
    ];
  it.each(CASES)('%s', async (_what, found, options, isWell) => {
    standIn.found = [found];
    const env = Object.fromEntries(Object.entries(options).map(([name, text]) => [`TARGET_A_${name}`, text]));
    expect(await globalping().ask(targetAt('https://a.com/', env), never)).toEqual(
      isWell === null ? [] : [{ place: 'Falkenstein', isWell }],
    );
  });

  it.each([
    ['São Paulo', 'São Paulo'],
    ["L'Aquila", "L'Aquila"],
    ['<b>Rome</b>', 'DE'],
    ['x'.repeat(31), 'DE'],
    ['', 'DE'],
    ['a\nb', 'DE'],
    ['(also from here)', 'DE'],
  ])('is named by its city, if that is a name: %s', async (city, place) => {
    standIn.city = city;
    const [first] = await globalping().ask(targetAt('https://a.com/'), never);
    expect(first?.place).toBe(place);
  });

  it('counts when the time is up as far as it is finished', async () => {
    standIn.slow = Infinity;
    const ended = new AbortController();
    let looks = 0;
    const asking = new Globalping(null, {
      send: standIn.send,
      now: () => now,
      sleep: () => {
        looks += 1;
        if (looks > 3) ended.abort();
        return Promise.resolve();
      },
    });
    expect(await asking.ask(targetAt('https://a.com/'), ended.signal)).toEqual([
      { place: 'Falkenstein', isWell: true },
    ]);
  });
});

it('whatever it answers, there are opinions or none', async () => {
  const target = targetAt('https://a.com/', { TARGET_A_EXPECT_JSON: 'a = 1' });
  const names = fc.constantFrom(...Object.keys(FINISHED), 'failureSource', 'constructor');
  const result = fc.dictionary(names, fc.jsonValue()).map((found) => ({ ...FINISHED, ...found }));
  const probe = fc.oneof(
    fc.jsonValue(),
    fc.record({ city: fc.string({ unit: 'binary' }), country: fc.string() }),
  );
  const measurement = fc.oneof(
    fc.jsonValue(),
    fc.record({
      status: fc.constantFrom('finished', 'failed'),
      results: fc.array(fc.record({ probe, result }), { maxLength: 4 }),
    }),
  );
  const answers = fc.tuple(fc.jsonValue(), measurement, fc.boolean());
  await fc.assert(
    fc.asyncProperty(answers, async ([other, found, isOdd]) => {
      const ended = new AbortController();
      let looks = 0;
      const opinions = await new Globalping(null, {
        now: () => NOON,
        send: ({ url, method }) => {
          const create = { limit: 250, remaining: 250, reset: 0 };
          const limits = { rateLimit: { measurements: { create } } };
          const json = url.endsWith('/limits')
            ? isOdd
              ? other
              : limits
            : method === 'POST'
              ? { id: 'an-id' }
              : found;
          return Promise.resolve({
            status: method === 'POST' ? 202 : 200,
            headers: {},
            text: JSON.stringify(json),
          });
        },
        sleep: () => {
          looks += 1;
          if (looks > 3) ended.abort();
          return Promise.resolve();
        },
      }).ask(target, ended.signal);
      expect(opinions.length).toBeLessThanOrEqual(3);
      for (const { place, isWell } of opinions) {
        expect([typeof isWell, /^[\p{L}\p{M}'. -]{1,30}$/u.test(place)]).toEqual(['boolean', true]);
      }
    }),
  );
});

describe('the free tests of an hour', () => {
  const target = targetAt('https://a.com/');

  it('are not exceeded, and what is left is asked for once', async () => {
    standIn.remaining = 8;
    const asking = globalping();
    const all = await Promise.all(Array.from({ length: 5 }, () => asking.ask(target, never)));
    expect(all.map((opinions) => opinions.length).toSorted()).toEqual([0, 0, 0, 3, 3]);
    expect(standIn.asked).toHaveLength(2);
    expect(standIn.limitsRead).toBe(1);
    standIn.remaining = 250;
    now += 3_600_000;
    expect(await asking.ask(target, never)).toHaveLength(3);
  });

  it('may be used by others at the same address: after a refusal it waits for the next hour', async () => {
    const asking = globalping();
    await asking.ask(target, never);
    standIn.remaining = 1;
    expect(await asking.ask(target, never)).toEqual([]);
    standIn.remaining = 250;
    now += 1_799_000;
    expect(await asking.ask(target, never)).toEqual([]);
    now += 2_000;
    expect(await asking.ask(target, never)).toHaveLength(3);
  });

  it.each([
    ['a target that it does not take is no reason not to ask about others', { status: 400, headers: {} }, 0],
    [
      'an hour is the longest that it can put us off',
      { status: 429, headers: { 'x-ratelimit-reset': '999999999' } },
      3_600_000,
    ],
  ])('%s', async (_what, refusal, wait) => {
    let refused = 0;
    const asking = new Globalping(null, {
      now: () => now,
      sleep: () => Promise.resolve(),
      send: (request, signal) =>
        request.method === 'POST' && refused++ === 0
          ? Promise.resolve({ ...refusal, text: '{}' })
          : standIn.send(request, signal),
    });
    expect(await asking.ask(target, never)).toEqual([]);
    now += wait;
    expect(await asking.ask(target, never)).toHaveLength(3);
  });

  it('cannot be known with a token that is refused: nothing is asked, and a minute later it is tried again', async () => {
    standIn.refuses = true;
    const asking = globalping('a-token');
    expect(await asking.ask(target, never)).toEqual([]);
    expect(await asking.ask(target, never)).toEqual([]);
    expect(standIn.tokens).toHaveLength(1);
    await expect(asking.testsLeft(never)).rejects.toThrow('it answers 401');
    standIn.refuses = false;
    now += 60_000;
    expect(await asking.ask(target, never)).toHaveLength(3);
  });

  it('are not used where nobody answers', async () => {
    const refused = () => Promise.reject(new Error('connection refused'));
    expect(await new Globalping(null, { send: refused, now: () => now }).ask(target, never)).toEqual([]);
  });
});
