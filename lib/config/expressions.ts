import { EXPRESSION_OPTIONS } from './options.js';
import type { Place, Problem } from './problems.js';
import { fileName, type TargetsFile } from './targets-file.js';

const EXPRESSION = /^(?:TARGET_.+|KEEP_ALIVE)_(?:EXPECT|DEGRADED)_JSON$/;

interface Expression {
  readonly place: Place;
  readonly source: string;
  /** What the message begins with. */
  readonly prefix: string;
}

/**
 * Checks the syntax of all JSONata expressions. Apart from `parseConfig`, because loading jsonata costs some 30 ms:
 * for the build, the local runner and `doctor`, which can wait. Never rejects for a bad expression.
 * @param texts the variables that are set, as `textsOf` gives them
 */
export async function checkExpressions(
  texts: ReadonlyMap<string, string>,
  file: TargetsFile | null,
): Promise<readonly Problem[]> {
  const expressions = [...ofVariables(texts), ...(file === null ? [] : ofFile(file))];
  if (expressions.length === 0) return [];
  const { default: jsonata } = await import('jsonata');
  // Many targets may have the same expression.
  const known = new Map<string, string | null>();
  const check = (source: string): string | null => {
    try {
      jsonata(source);
      return null;
    } catch (error) {
      return `expected a JSONata expression${position(error)}`;
    }
  };
  return expressions.flatMap(({ place, source, prefix }) => {
    const problem = known.has(source) ? known.get(source) : check(source);
    known.set(source, problem ?? null);
    return typeof problem === 'string' ? [{ ...place, message: prefix + problem }] : [];
  });
}

function ofVariables(texts: ReadonlyMap<string, string>): Expression[] {
  return [...texts]
    .filter(([variable]) => EXPRESSION.test(variable))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([variable, source]) => ({ place: { variable }, source, prefix: '' }));
}

function ofFile({ defaults, targets }: TargetsFile): Expression[] {
  return [defaults, ...targets.map(({ options }) => options)].flatMap((options) =>
    EXPRESSION_OPTIONS.flatMap((name) => {
      const found = options.get(name);
      return found === undefined
        ? []
        : [{ place: found.place, source: found.text, prefix: `${fileName(name)}: ` }];
    }),
  );
}

/** The error's own text would quote the expression. */
function position(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('position' in error)) return '';
  return typeof error.position === 'number'
    ? ` (something is wrong before character ${error.position + 1})`
    : '';
}
