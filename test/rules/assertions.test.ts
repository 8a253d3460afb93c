import { afterAll, describe, expect, test } from 'vitest';
import { createEvaluator } from '../../lib/probe/evaluator.js';
import { judgeAnswer, type Answer } from '../../lib/rules/assertions.js';
import type { Assertions } from '../../lib/types.js';
import { someAssertions } from '../support/targets.js';

const DAY = 86_400_000;
const evaluator = createEvaluator();
afterAll(() => evaluator.close());

function judge(assertions: Partial<Assertions>, answer: Partial<Answer> | string = {}) {
  return judgeAnswer(
    someAssertions(assertions),
    {
      at: 1_000 * DAY,
      statusCode: 200,
      body: typeof answer === 'string' ? { text: answer, cut: false } : null,
      latency: 100,
      tlsExpiresAt: null,
      ...(typeof answer === 'string' ? {} : answer),
    },
    evaluator,
  );
}

const text = (value: string) => ({ kind: 'text', text: value }) as const;
const regex = (source: string, flags = '') => ({ kind: 'regex', source, flags }) as const;
const good = { outcome: 'good', reason: null, message: null };
const failed = (reason: string, message: string) => ({ outcome: 'failed', reason, message });
const degraded = (message: string) => ({ outcome: 'degraded', reason: null, message });

describe('status', () => {
  const ranges = [
    { from: 200, to: 299 },
    { from: 404, to: 404 },
  ];
  test.each([
    [199, failed('status', 'status 199, expected 200-299,404')],
    [200, good],
    [299, good],
    [300, failed('status', 'status 300, expected 200-299,404')],
    [403, failed('status', 'status 403, expected 200-299,404')],
    [404, good],
    [null, good],
  ])('%s', async (statusCode, verdict) => {
    expect(await judge({ expectStatus: ranges }, { statusCode })).toEqual(verdict);
  });

  test('a long list does not make a long message', async () => {
    const expectStatus = Array.from({ length: 99 }, (_, i) => ({ from: 100 + i, to: 100 + i }));
    const { message } = await judge({ expectStatus });
    expect(message?.length).toBeLessThanOrEqual(120);
  });
});

describe('body', () => {
  test.each<[string, Partial<Assertions>, string, object]>([
    ['expected text there', { expectBody: text('ok') }, 'is ok', good],
    ['expected text missing', { expectBody: text('OK') }, 'is ok', failed('body', 'expected text not found')],
    ['expected regex there', { expectBody: regex('^OK$', 'im') }, 'is\nok', good],
    ['lookahead', { expectBody: regex('up(?!time)') }, 'up now', good],
    ['sticky and global', { expectBody: regex('ok', 'g') }, 'is ok', good],
    [
      'expected regex missing',
      { expectBody: regex('^ok') },
      'is ok',
      failed('body', 'expected text not found'),
    ],
    ['rejected text there', { rejectBody: text('error') }, 'an error', failed('body', 'rejected text found')],
    ['rejected text missing', { rejectBody: text('error') }, 'fine', good],
    ['an invalid regex', { rejectBody: regex('(') }, 'fine', failed('body', 'body expression failed')],
    [
      'regex that backtracks',
      { expectBody: regex('(a+)+$') },
      `${'a'.repeat(60)}b`,
      failed('body', 'body expression took too long'),
    ],
    [
      'rejecting regex that backtracks',
      { rejectBody: regex('(a+)+$') },
      `${'a'.repeat(60)}b`,
      failed('body', 'body expression took too long'),
    ],
  ])('%s', async (_name, assertions, body, verdict) => {
    expect(await judge(assertions, body)).toEqual(verdict);
  });

  test.each<Partial<Assertions>>([
    { expectBody: text('a') },
    { rejectBody: text('a') },
    { expectJson: 'a' },
    { degradedJson: 'a' },
  ])('a cut body cannot be judged: %j', async (assertions) => {
    expect(await judge(assertions, { body: { text: '', cut: true } })).toEqual(
      failed('too_large', 'body too large'),
    );
  });
});

describe('JSON', () => {
  const notTrue = failed('json', 'JSON expression is not true');
  const broke = failed('json', 'JSON expression failed');
  const slow = failed('json', 'JSON expression took too long');
  const many = JSON.stringify(Array.from({ length: 45_000 }, (_, i) => i));
  test.each<[string, string, object]>([
    ['status = "healthy" and memory.percent < 90', '{"status":"healthy","memory":{"percent":89}}', good],
    ['status = "healthy" and memory.percent < 90', '{"status":"healthy","memory":{"percent":90}}', notTrue],
    ['status', '{"status":"truthy"}', notTrue],
    ['missing', '{}', notTrue],
    ['$', 'true', good],
    ['$match(s, /^o/i).match = "O"', '{"s":"Ok"}', good],
    ['a < 1', '{"a":"text"}', broke],
    ['(((', '{}', broke],
    ['$f()', '{}', broke],
    ['true', '<html>', failed('json', 'body is not JSON')],
    ['true', '', failed('json', 'body is not JSON')],
    ['($f := function($x) { $f($x + 1) }; $f(1))', '{}', slow],
    ['($f := function($x) { $f($x) + 1 }; $f(1))', '{}', broke],
    ['$match(s, /(a+)+$/)', `{"s":"${'a'.repeat(60)}b"}`, slow],
    ['[1..10000000]', '{}', broke],
    ['a.b', '['.repeat(100_000) + ']'.repeat(100_000), broke],
    ['a.b', '['.repeat(100_000), failed('json', 'body is not JSON')],
  ])('%s', async (expectJson, body, verdict) => {
    expect(await judge({ expectJson }, body)).toEqual(verdict);
  });

  // Where the machine is busy, it gets more time, and then takes too much memory.
  test.each(['$sort($)[0] = 0', '$count($distinct($)) > 1'])(
    '%s of a large body is stopped',
    async (expectJson) => {
      expect([slow, broke]).toContainEqual(await judge({ expectJson }, many));
    },
  );

  test('what was stopped leaves nothing to the next expression', async () => {
    expect(await judge({ expectJson: '($f := function($x) { $f($x + 1) }; $f(1))' }, '{}')).toEqual(slow);
    for (let i = 0; i < 5; i++) expect(await judge({ expectJson: 'i = 1' }, '{"i":1}')).toEqual(good);
  });

  test('an expression keeps nothing of an answer', async () => {
    expect(await judge({ expectJson: '($x := a; $x = 1)' }, '{"a":1}')).toEqual(good);
    expect(await judge({ expectJson: '$x = 1' }, '{}')).toEqual(notTrue);
  });
});

describe('degraded', () => {
  const at = 1_000 * DAY;
  test.each<[string, Partial<Assertions>, Partial<Answer> | string, object]>([
    ['latency at the limit', { degradedAfter: 100 }, { latency: 100 }, good],
    ['latency beyond it', { degradedAfter: 100 }, { latency: 101 }, degraded('slower than 100 ms')],
    ['JSON true', { degradedJson: 'load > 1' }, '{"load":2}', degraded('degraded by JSON expression')],
    ['JSON false', { degradedJson: 'load > 1' }, '{"load":1}', good],
    ['not JSON', { degradedJson: 'load > 1' }, 'x', degraded('body is not JSON')],
    [
      'JSON expression fails',
      { degradedJson: 'load > 1' },
      '{"load":"x"}',
      degraded('degraded expression failed'),
    ],
    ['certificate at the limit', {}, { at, tlsExpiresAt: at + 14 * DAY }, good],
    [
      'certificate nearer',
      {},
      { at, tlsExpiresAt: at + 14 * DAY - 1 },
      degraded('certificate ends in less than 14 days'),
    ],
    ['certificate over', {}, { at, tlsExpiresAt: at }, degraded('certificate has expired')],
    [
      'in hours',
      { tlsExpiry: DAY },
      { at, tlsExpiresAt: at + 1 },
      degraded('certificate ends in less than 24 hours'),
    ],
    ['expiry not looked at', { tlsExpiry: 0 }, { at, tlsExpiresAt: at - 1 }, good],
  ])('%s', async (_name, assertions, answer, verdict) => {
    expect(await judge(assertions, answer)).toEqual(verdict);
  });
});

test('status comes before body, body before JSON, JSON before what degrades', async () => {
  const all = {
    expectBody: text('here'),
    rejectBody: text('gone'),
    expectJson: 'ok',
    degradedJson: 'slow',
    degradedAfter: 1,
  };
  const body = (value: string) => ({ text: value, cut: false });
  const verdicts = await Promise.all([
    judge(all, { statusCode: 500, body: body('gone') }),
    judge(all, { body: body('gone') }),
    judge(all, { body: body('"here gone"') }),
    judge(all, { body: body('{"ok":false,"slow":true,"x":"here"}') }),
    judge(all, { body: body('{"ok":true,"slow":true,"x":"here"}') }),
    judge(all, { body: body('{"ok":true,"slow":false,"x":"here"}') }),
  ]);
  expect(verdicts.map(({ message }) => message)).toEqual([
    'status 500, expected 200-299',
    'expected text not found',
    'rejected text found',
    'JSON expression is not true',
    'degraded by JSON expression',
    'slower than 1 ms',
  ]);
});
