import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redisQueryProblem, wordsOf } from '../../lib/rules/redis-command.js';

const words = (line: string) => wordsOf(line)?.map((word) => word.toString('latin1')) ?? null;

describe('a line of redis-cli', () => {
  it.each<[string, readonly string[] | null]>([
    ['PING', ['PING']],
    ['  GET\tkey ', ['GET', 'key']],
    ['GET "my key"', ['GET', 'my key']],
    [String.raw`SET k "\x00\xff\n\"\\\q"`, ['SET', 'k', '\x00\xff\n"\\q']],
    [String.raw`SET k 'a\nb\'c'`, ['SET', 'k', String.raw`a\nb'c`]],
    [`GET ''`, ['GET', '']],
    ['', null],
    ['  ', null],
    ['GET "a', null],
    [`GET 'a`, null],
    [String.raw`GET "a\"`, null],
    ['GET "a"b', null],
    ['GET a"b"', null],
  ])('%s', (line, expected) => {
    expect(words(line)).toEqual(expected);
  });

  it('gives back whatever stands in double quotes', () => {
    const quoted = (text: string) =>
      `"${[...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}"`;
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), (texts) => {
        const read = wordsOf(texts.map(quoted).join(' '));
        expect(read?.map(String)).toEqual(texts.map((text) => Buffer.from(text).toString()));
      }),
    );
  });
});

it.each([
  ['PING', null],
  ['subscribe x', 'expected a command with one answer, such as PING, GET or LLEN'],
  ['MONITOR', 'expected a command with one answer, such as PING, GET or LLEN'],
  ['hello 3', 'expected a command with one answer, such as PING, GET or LLEN'],
  ['GET "x', 'expected one Redis command in the words of redis-cli, such as GET "my key"'],
])('QUERY %s: %s', (query, problem) => {
  expect(redisQueryProblem(query)).toBe(problem);
});
