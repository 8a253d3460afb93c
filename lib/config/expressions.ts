import type { Config, Problem } from './config.js';

/**
 * Checks the syntax of all JSONata expressions. Apart from `parseConfig`, because loading jsonata costs some 30 ms:
 * for the build, the local runner and `doctor`, which can wait. Never rejects for a bad expression.
 */
export async function checkExpressions(config: Pick<Config, 'expressions'>): Promise<readonly Problem[]> {
  if (config.expressions.length === 0) return [];
  const { default: jsonata } = await import('jsonata');
  return config.expressions.flatMap(({ variable, source }) => {
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
