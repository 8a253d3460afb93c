import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createContext, Script, type Context } from 'node:vm';
import type { Evaluation, Evaluator } from '../rules/assertions.js';
import { codeOf } from './failure.js';

/** Time for one expression, in ms. While it runs, nothing else does. */
const TIME_LIMIT = 250;
/** Nested calls and elements of a sequence at most, in JSONata. */
const STACK = 500;
const SEQUENCE = 100_000;

const SEARCH = new Script(`outcome = String(new RegExp(source, flags).test(text))`);

const QUERY = new Script(`
  outcome = 'broken';
  (async () => {
    let input;
    try {
      input = JSON.parse(text);
    } catch {
      outcome = 'not_json';
      return;
    }
    try {
      let expression = compiled.get(source);
      if (!expression) compiled.set(source, (expression = jsonata(source, { stack: ${STACK}, sequence: ${SEQUENCE} })));
      outcome = String((await expression.evaluate(input)) === true);
    } catch {}
  })();
`);

const OUTCOMES: readonly string[] = ['true', 'false', 'not_json'] satisfies Evaluation[];

/**
 * Runs regular expressions and JSONata in a context of its own whose calls, microtasks included, are stopped after
 * TIME_LIMIT: the only bound that holds for a regex that backtracks, an endless recursion and a slow built-in alike.
 * It guards time, not trust: the expressions are the operator's. JSONata is loaded with the first query.
 */
export function createEvaluator(): Evaluator {
  let context: Context | null = null;

  const run = (script: Script, source: string, flags: string, text: string): Evaluation => {
    const box = (context ??= createContext({}, { microtaskMode: 'afterEvaluate' }));
    if (script === QUERY && !('jsonata' in box)) loadJsonata(box);
    Object.assign(box, { source, flags, text, outcome: 'broken' });
    try {
      script.runInContext(box, { timeout: TIME_LIMIT });
      const outcome: unknown = box['outcome'];
      return OUTCOMES.includes(outcome as string) ? (outcome as Evaluation) : 'broken';
    } catch (error) {
      return codeOf(error) === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? 'slow' : 'broken';
    } finally {
      box['text'] = '';
    }
  };

  return {
    search: ({ source, flags }, text) => run(SEARCH, source, flags, text),
    query: (expression, json) => run(QUERY, expression, '', json),
  };
}

/** Under this name, and at the top, Vercel's builder sees what is resolved, and ships it. */
const require = createRequire(import.meta.url);
let jsonataScript: Script | undefined;

function loadJsonata(context: Context): void {
  jsonataScript ??= new Script(
    `compiled = new Map(); (function (module, exports) { ${readFileSync(require.resolve('jsonata'), 'utf8')}\n; jsonata = module.exports; })({ exports: {} }, {});`,
  );
  jsonataScript.runInContext(context);
}
