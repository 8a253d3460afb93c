import { once } from 'node:events';
import { afterAll, describe, expect, test } from 'vitest';
import { createEvaluator } from '../../lib/probe/evaluator.js';
import { runChild } from '../support/child.js';

const evaluator = createEvaluator();
afterAll(() => evaluator.close());

const ENDLESS = '($f := function($x) { $f($x + 1) }; $f(1))';

test('the process goes on while an expression does not end', async () => {
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  expect(await evaluator.query(ENDLESS, '{}')).toBe('slow');
  clearInterval(timer);
  expect(turns).toBeGreaterThan(5);
});

test('an expression that takes long waits until no other is waiting', async () => {
  expect(await evaluator.query('a = 1', '{"a":1}')).toBe('true');
  const order: string[] = [];
  const told = (name: string) => () => order.push(name);
  await Promise.all([
    evaluator.query('a = 1', '{"a":1}').then(told('first')),
    evaluator.query(ENDLESS, '{}').then(told('endless')),
    evaluator.search({ source: '(a+)+$', flags: '' }, `${'a'.repeat(60)}b`).then(told('slow')),
    evaluator.search({ source: '(a+)+$', flags: '' }, 'aa').then(told('the same, of another text')),
    evaluator.query('a = 2', '{"a":2}').then(told('second')),
    evaluator.search({ source: 'b', flags: '' }, 'b').then(told('third')),
  ]);
  expect(order).toEqual(['first', 'the same, of another text', 'second', 'third', 'endless', 'slow']);
});

test('an expression that needs all memory breaks, and the next is evaluated', async () => {
  const hungry = '$count([1..90000].{"a": [1..90000].{"b": $}})';
  const before = process.memoryUsage().heapUsed;
  expect(['broken', 'slow']).toContain(await evaluator.query(hungry, '{}'));
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(50_000_000);
  expect(await evaluator.query('a = 1', '{"a":1}')).toBe('true');
});

test.each([
  ['texts that are doubled', '$length($uppercase($pad("x", 200000000))) > 1', '{}'],
  ['a text as long as the answer says', '$length($pad("x", n)) > 1', '{"n": 500000000}'],
  ['an answer of millions of lists', '$count($) = 1', `[${'[],'.repeat(2_000_000)}[]]`],
])(
  'an expression that takes all memory at once breaks, and nothing else does: %s',
  async (_, source, text) => {
    expect(['broken', 'slow']).toContain(await evaluator.query(source, text));
    expect(await evaluator.query('a = 1', '{"a":1}')).toBe('true');
  },
);

test('after its process was ended, the next expression is evaluated in another', async () => {
  const stopped = evaluator.query(ENDLESS, '{}');
  await evaluator.close();
  expect(await stopped).toBe('broken');
  expect(await evaluator.query('a = 1', '{"a":1}')).toBe('true');
});

test('an expression is not called slow because the machine was busy with something else', async () => {
  const expression = '$sum([1..2000].($ % 7)) > 0';
  const child = runChild(new URL('../support/starved-child.ts', import.meta.url), [expression]);
  const [evaluation] = (await once(child, 'message')) as [unknown];
  expect(evaluation).toBe('true');
});

test('an expression does not break because the one before it took all memory', async () => {
  const hungry = (text: string) => `($f := function($x) { $f($x & $x & "${text}") }; $f($pad("a", 100000)))`;
  const pairs = Array.from({ length: 20 }, (_, i) => [
    evaluator.query(hungry(String(i)), '{}'),
    evaluator.query('a = 1', '{"a":1}'),
  ]);
  for (const outcomes of await Promise.all(pairs.map((pair) => Promise.all(pair)))) {
    expect(outcomes).toEqual([expect.stringMatching(/^(?:broken|slow)$/), 'true']);
  }
});

describe('variables of an answer', () => {
  const variables = { status: 200, headers: { 'x-a': 'b' }, tls: undefined, body: 'hello' };

  test.each([
    ['$headers."x-a" = "b"', '<html>', 'true'],
    ['$headers.other = "b"', '<html>', 'false'],
    ['$exists($tls)', '', 'false'],
    ['$contains($body, /ell/)', 'hello', 'true'],
    ['status = "ok" and $status = 200', '{"status":"ok"}', 'true'],
    // The body is looked at, and is no JSON.
    ['status = "ok" and $status = 200', '<html>', 'not_json'],
    ['$not($exists(error)) and $status = 200', '<html>', 'not_json'],
    ['$string($) = "x" or $status = 200', '<html>', 'not_json'],
    ['$exists(*) and $status = 200', '<html>', 'not_json'],
    ['$keys() = [] or $status = 200', '<html>', 'not_json'],
  ])('%s over %s: %s', async (source, text, outcome) => {
    expect(await evaluator.query(source, text, variables)).toBe(outcome);
  });
});

test.each([
  ['PING :([^ ]+)', 'PING :a1 b', ['a1']],
  ['(a)|(b)', 'b', ['', 'b']],
  ['a', 'b', 'false'],
  ['a', 'a', []],
] as const)('the groups of %s in %s', async (source, text, groups) => {
  expect(await evaluator.groups({ source, flags: '' }, text)).toEqual(groups);
});
