import fc from 'fast-check';
import { describe, expect, inject, it } from 'vitest';
import { exactYaml } from '../../lib/config/exact-yaml.js';
import { quickYaml } from '../../lib/config/quick-yaml.js';
import { readYaml } from '../../lib/config/targets-text.js';
import { growth, LINEAR } from '../support/growth.js';

type Made =
  string | { readonly isList: boolean; readonly step: number; readonly entries: readonly MadeEntry[] };

interface MadeEntry {
  readonly key: string;
  readonly value: Made;
  readonly after: string;
}

/** A value as it stands behind its name or dash; of a map or a list, the lines are in a column. */
function written(made: Made, column: number): string {
  if (typeof made === 'string') return ` ${made}`;
  const { isList, entries } = made;
  const lines = entries.map(({ key, value, after }) => {
    const step = typeof value === 'string' ? 0 : value.step;
    const inside = written(value, column + step);
    // A map or a list may begin on the line of its dash.
    const isCompact = isList && step === 2 && inside.startsWith('\n');
    const behind = isCompact ? ` ${inside.slice(1).trimStart()}` : inside;
    return `${' '.repeat(Math.max(0, column))}${isList ? '-' : `${key}:`}${behind}${after}`;
  });
  return `\n${lines.join('\n')}`;
}

describe('the quick reader of YAML', () => {
  it.each([
    'targets:\n  - id: a\n    url: http://a.test:80/x?y=1&z=2#f\n    interval: 5m # c\n\n  # c\n  - id: b\n',
    "targets:\n- id: \"a\\n\\u0041\"\n  name: 'it''s'\n- id: Größe 😀\n  retries: 1e3\n",
    '# c\n---\ndefaults: { retries: 0, "a":[1, ] }\ntargets: []\n',
    'a:\n  group:\n  activeHours: ~\n  body: |\n    x\n     # no comment\n\n    y: z\n  expectJson: |-\n    a\n',
    'a:\n  - - x\n    - y\n  -\n    b: -1\n    $schema: a#b\n',
    'headers: {__proto__: x, constructor: "y"}\n__proto__:\n  - null\n',
    JSON.stringify({
      targets: [{ id: 'a', url: 'http://a.test', headers: { a: '"\\\n' }, retries: -1.5e3 }],
    }),
    JSON.stringify({ targets: [{ id: 'a', alerts: ['x', 'y'], on: true, off: null, headers: {} }] }, null, 2),
  ])('reads what the exact one reads, with the same places: %j', (text) => {
    expect(quickYaml(text)).toEqual(exactYaml(text));
  });

  it.each([
    ...['', 'a', '- a: b\n c: d\n', 'a: b\n c\n', 'a: b: c\n', 'a: "b" c\n', 'a: "b\n  c"\n', 'a: b#\nc\n'],
    ...[
      'a: &b c\n',
      'a: *b\n',
      'a: !b c\n',
      '? a\n',
      ': a\n',
      '<<: a\n',
      'a:\tb\n',
      'a: b\r\n',
      '\ufeffa: b\n',
    ],
    ...[
      'a: >\n  b\n',
      'a: |2\n   b\n',
      'a: |\n  b',
      'a: |\n\n  b\n',
      'a: |\n  b\n  \n',
      'a: |\n  b\n \n    ',
      'a: "\\x41"\n',
      'a: [b: c]\n',
    ],
    ...[
      'a: [b\n',
      'a: [b,, c]\n',
      'a: {b}\n',
      'a: @b\n',
      '%YAML 1.2\n---\na: b\n',
      'a: b\n---\na: b\n',
      'a: b\n...\n',
    ],
    ...[
      '[\n...\n]',
      '[\n---\n]',
      `${'['.repeat(60)}${']'.repeat(60)}`,
      `${'k'.repeat(200)}: a\n`,
      ' a: b\n',
      '-\n- a\n',
    ],
  ])('leaves to the exact one what is not plain: %j', async (text) => {
    expect(quickYaml(text)).toBeNull();
    expect(await readYaml(text)).toEqual(exactYaml(text));
  });

  const plain = [
    ...['a', 'my api', '5m', '200-299', 'null', '~', '', 'http://a.test/?a=b&c#d', '"a: b"', "'it''s'", '-5'],
    ...[
      '"\\n\\u0041\\""',
      'a:b',
      'a#b',
      'a, b',
      'a  b',
      "it's",
      '${A}',
      '.5',
      '0x1F',
      'Größe',
      '😀',
      '[a, "b"]',
    ],
    ...[
      '{a: b}',
      '{"a":b}',
      '[{a: [b]}, c,]',
      '|\n        a\n\n         b',
      '|-\n        # a',
      '""',
      '=a',
      'Null',
    ],
  ];
  const odd = [
    ...[
      'a #b',
      '\u00a0a',
      'a\u00a0',
      '\u2028',
      '\u0085',
      '[a: b]',
      '{a}',
      '{a: , b: c}',
      '[a,\n  b]',
      '[',
      '}',
      ',',
    ],
    ...[
      '- a',
      'a: b',
      '|',
      '>',
      '|-',
      '"',
      "'",
      '"a\n  b"',
      'a\n  b',
      '&a b',
      '*a',
      '!a b',
      '?',
      '- ',
      ':',
      ': a',
    ],
    ...[
      '@a',
      '%a',
      '`',
      '#',
      '\t',
      'a\tb',
      '---',
      '...',
      '\\',
      '"\\x41"',
      '"\\\n"',
      '\r',
      '\ufeff',
      '\0',
      '<<',
      '.',
    ],
    ...[
      '--',
      'a ',
      '" "',
      '|\n  a',
      '|-\n   a\n\n',
      '|+\n        a\n\n',
      '|2\n        a',
      '>\n        a\n        b',
    ],
    ...[
      '|\n        a\n    \n        b',
      '|\n        a\n  b',
      '|\n\n        a',
      '"a" b',
      "'a'b",
      '{a',
      'a]',
      '[a,,b]',
    ],
  ];
  const keys = ['a', 'b', 'id', 'url', 'X-Key', '"k"', "'k'", '$schema', '__proto__', '7', 'null', '""'];
  const oddKeys = [
    '<<',
    '~',
    'a b',
    '?',
    '-',
    '"a\\n"',
    '',
    '[a]',
    '{a: b}',
    '&a b',
    'a ',
    'é',
    'a:b',
    '"a" ',
  ];
  const often = <T>(usual: readonly T[], unusual: readonly T[]) =>
    fc.oneof({ weight: 40, arbitrary: fc.constantFrom(...usual) }, fc.constantFrom(...unusual));
  const step = often([2, 2, 2, 4, 1], [0, 3, -1]);
  const { nested } = fc.letrec<{ value: Made; nested: Made; map: Made; list: Made }>((tie) => {
    const children = fc.array(
      fc.record({
        key: often(keys, oddKeys),
        value: tie('value'),
        after: often(['', '', '', ' # c', '\n', '\n  # c'], [' ', '#c', '\n  ', '\t', ' \n#', ',']),
      }),
      { minLength: 1, maxLength: 4 },
    );
    return {
      value: fc.oneof({ maxDepth: 3 }, often(plain, odd), tie('nested')),
      nested: fc.oneof(tie('map'), tie('list')),
      map: fc.record({ isList: fc.constant(false), step, entries: children }),
      list: fc.record({ isList: fc.constant(true), step, entries: children }),
    };
  });
  const texts = fc
    .tuple(
      often(['', '', '# c\n', '---\n', '\n'], ['{a: [\n', ' ', '%a\n---\n']),
      nested,
      often(['\n', '', '\n\n'], ['\n...\n', '\n ', '\n \n    ', ']}', '\n--- a']),
    )
    .map(([begin, made, end]) => begin + written(made, 0).replace(/^[\n ]+/, '') + end);

  it('understands nothing otherwise than the exact one', () => {
    let [read, all] = [0, 0];
    fc.assert(
      fc.property(texts, (text) => {
        const quick = quickYaml(text);
        all += 1;
        if (quick === null) return;
        read += 1;
        expect(quick).toEqual(exactYaml(text));
      }),
      { numRuns: inject('long') ? 100_000 : 3_000 },
    );
    expect(read / all).toBeGreaterThan(0.2);
  });

  it.each([
    ...[
      '- a\n',
      '- id: a\n  url: "b"\n',
      'a: b\n',
      'a:\n',
      'a: ',
      '\n',
      ' ',
      '# c\n',
      '"',
      "'",
      '\\',
      '[',
      '{',
      '{},',
      '[],',
      'a, ',
    ],
    ...['a: |\n  x\n', '  x\n', 'x', ' x', '- - ', '"a":"b",', '"a\\n",', '   #', '- a #', ': '],
  ])('takes time in proportion to the length: %j', (shape) => {
    const prefixes = ['', 'a:\n', 'a: |\n', 'a: "', "a: '", 'a: [', '[', '{"a":'];
    // In `npm test` each shape has one of them.
    for (const prefix of inject('long') ? prefixes : [prefixes[shape.length % prefixes.length] ?? '']) {
      const prepare = (size: number) => {
        const text = prefix + shape.repeat(size / shape.length);
        return () => quickYaml(text);
      };
      expect([prefix, growth(prepare, 1_000) < LINEAR]).toEqual([prefix, true]);
    }
  });
});
