import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDotenv } from '../../lib/config/dotenv.js';
import { ROOT } from '../support/root.js';

const NOTHING: ReadonlyMap<string, string> = new Map();
const read = (text: string, set: Readonly<Record<string, string>> = {}) => {
  const { variables, problems } = parseDotenv(text, new Map(Object.entries(set)));
  expect(problems).toEqual([]);
  return Object.fromEntries(variables);
};

describe('.env', () => {
  it.each<[what: string, text: string, variables: Record<string, string>]>([
    ['nothing', '', {}],
    ['a variable', 'A=1', { A: '1' }],
    ['blanks around name and value', '  A = 1 \t\nB=2', { A: '1', B: '2' }],
    ['comments and empty lines', '# A=0\n\n  # x\nA=1\n', { A: '1' }],
    [
      'a comment behind a value',
      'A=1 # one\nB=# two\nC= # three\nD=4#5',
      { A: '1', B: '# two', C: '', D: '4#5' },
    ],
    ['export', 'export A=1\nexport\tB=2\nexported=3', { A: '1', B: '2', exported: '3' }],
    ['Windows line ends and a byte order mark', '\uFEFFA=1\r\nB="2"\r\n', { A: '1', B: '2' }],
    ['a value without an end of line', 'A=', { A: '' }],
    ['quotes', `A="1 # 2" # c\nB='1 # 2'\nC=\`1 "'\``, { A: '1 # 2', B: '1 # 2', C: `1 "'` }],
    ['quotes that are part of the value', `A=say "x"\nB=it's`, { A: 'say "x"', B: `it's` }],
    ['values over lines', 'A="1\n\n2"\nB=\'3\n# 4\'\nC=5', { A: '1\n\n2', B: '3\n# 4', C: '5' }],
    ['what a shell escapes', String.raw`A="\n \" \\ \$ \d"`, { A: '\n " \\ $ \\d' }],
    ['escapes in single quotes', String.raw`A='\n \d'`, { A: '\\n \\d' }],
    ['JSON as it is', 'A={"x":"y z"}', { A: '{"x":"y z"}' }],
    ['an address', 'A=https://u:p%23@h.test/?a=b&c=d#e', { A: 'https://u:p%23@h.test/?a=b&c=d#e' }],
    ['a JSONata expression', 'A=$sum(x) > 1 and ${ "a": b }', { A: '$sum(x) > 1 and ${ "a": b }' }],
    ['an earlier variable', 'A=1\nB="${A}2"\nC=${A}3', { A: '1', B: '12', C: '13' }],
    ['no reference', `A='\${NONE}'\nB="\\\${NONE}"\nC=$NONE`, { A: '${NONE}', B: '${NONE}', C: '$NONE' }],
    ['a name twice', 'A=1\nA=2', { A: '2' }],
    [
      'names of builtins',
      '__proto__=1\nconstructor=2',
      Object.fromEntries([
        ['__proto__', '1'],
        ['constructor', '2'],
      ]),
    ],
  ])('reads %s', (_, text, variables) => {
    expect(read(text)).toEqual(variables);
  });

  it('lets variables that are set win in references too', () => {
    expect(read('A=1\nB=${A}', { A: 'set' })).toEqual({ A: '1', B: 'set' });
  });

  it.each<[what: string, text: string, problems: [line: number, message: string][]]>([
    ['no name', 'A=1\n\ncanary canary', [[3, 'expected NAME=value']]],
    ['a colon', 'A: canary', [[1, 'expected NAME=value']]],
    [
      'a name that is none',
      '1A=canary\nA B=canary',
      [
        [1, 'expected'],
        [2, 'expected'],
      ],
    ],
    ['an open quote', 'A=1\nB="canary\nC=3', [[2, 'B: its quote (") is never closed']]],
    [
      'more behind a quote',
      `A='canary'canary'\nB='x' y`,
      [
        [1, 'A: more than a comment'],
        [2, 'B: more than'],
      ],
    ],
    ['a reference to nothing', 'A=${canary}', [[1, 'A: ${…} names a variable that is not set']]],
    ['a reference with a default', 'A="${B:-canary}"', [[1, 'A: of ${…}, only ${NAME}']]],
    [
      'several',
      'x\nA="1\n2" canary\ny',
      [
        [1, 'expected'],
        [2, 'A: more than'],
        [4, 'expected'],
      ],
    ],
  ])('names the line of %s, and no value', (_, text, expected) => {
    for (const source of [text, text.replaceAll('\n', '\r\n')]) {
      const { problems } = parseDotenv(source, NOTHING);
      expect(problems.map(({ line }) => line)).toEqual(expected.map(([line]) => line));
      for (const [index, { message }] of problems.entries()) {
        expect(message).toContain(expected[index]?.[1]);
        expect(message).not.toContain('canary');
      }
    }
  });

  // Node takes a line of blanks for a part of the next name.
  it('is read as Node reads it, where Node understands it', () => {
    const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,9}$/);
    const plain = fc.stringMatching(/^[A-Za-z0-9:/.,{}()=?&%@*-]{1,20}$/);
    const written = fc.oneof(
      plain,
      fc.stringMatching(/^'[ -&(-~]{0,20}'$/),
      fc.stringMatching(/^"[ !%-Z^-~]{0,20}"$/),
      plain.map((value) => `${value} `),
    );
    const line = fc.oneof(
      fc.tuple(name, written).map(([left, right]) => `${left}=${right}`),
      fc.tuple(name, written).map(([left, right]) => `export ${left}=${right}`),
      fc.constantFrom('', '# a comment'),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        const text = lines.join('\n');
        const { variables, problems } = parseDotenv(text, NOTHING);
        expect(problems).toEqual([]);
        expect(Object.fromEntries(variables)).toEqual({ ...parseEnv(text) });
      }),
    );
  });

  it('never fails, and is read in linear time', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseDotenv(text, NOTHING)));
    const long = 50_000;
    for (const text of [' ', '\n', 'A', '"', "A='", 'A="\\', 'A=${', 'A= #', 'export ', 'A=\t\t']) {
      const startedAt = performance.now();
      parseDotenv(text.repeat(long), NOTHING);
      parseDotenv(`A=${text.repeat(long)}x`, NOTHING);
      parseDotenv(`A="${text.repeat(long)}`, NOTHING);
      expect(performance.now() - startedAt, text).toBeLessThan(10_000);
    }
  });

  it('.env.example is read, and sets nothing', () => {
    expect(read(readFileSync(join(ROOT, '.env.example'), 'utf8'))).toEqual({});
  });
});
