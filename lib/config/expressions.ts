import type { Problem } from './problems.js';

const EXPRESSION = /^(?:TARGET_.+|KEEP_ALIVE)_(?:EXPECT|DEGRADED)_JSON$/;

/**
 * Checks the syntax of all JSONata expressions. Apart from `parseConfig`, because loading jsonata costs some 30 ms:
 * for the build, the local runner and `doctor`, which can wait. Never rejects for a bad expression.
 * @param texts the variables that are set, as `textsOf` gives them
 */
export async function checkExpressions(texts: ReadonlyMap<string, string>): Promise<readonly Problem[]> {
  const expressions = [...texts]
    .filter(([variable]) => EXPRESSION.test(variable))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (expressions.length === 0) return [];
  const { default: jsonata } = await import('jsonata');
  return expressions.flatMap(([variable, source]) => {
    try {
      jsonata(source);
      return [];
    } catch (error) {
      return [{ variable, message: `expected a JSONata expression${place(error)}` }];
    }
  });
}

/** The error's own text would quote the expression. */
function place(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('position' in error)) return '';
  return typeof error.position === 'number'
    ? ` (something is wrong before character ${error.position + 1})`
    : '';
}
