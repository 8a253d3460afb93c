/* JavaScript, so that the sources can start it as a process on every version of Node. */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { createContext, Script } from 'node:vm';

/** Nested calls and elements of a sequence at most, in JSONata. */
const STACK = 500;
const SEQUENCE = 100_000;

const SEARCH = new Script(`
  outcome = 'false';
  found = new RegExp(source, flags).exec(text);
  if (found) outcome = asksGroups ? JSON.stringify(found.slice(1).map((group) => group ?? '')) : 'true';
`);

const QUERY = new Script(`
  outcome = 'broken';
  (async () => {
    let input;
    let isLookedAt = false;
    try {
      input = JSON.parse(text);
    } catch {
      if (variables === null) {
        outcome = 'not_json';
        return;
      }
      // Every way to look at an object goes through one of the functions that its proxy's handler may have.
      input = new Proxy({}, new Proxy({}, { get: () => void (isLookedAt = true) }));
    }
    try {
      let expression = compiled.get(source);
      if (!expression) compiled.set(source, (expression = jsonata(source, { stack: ${STACK}, sequence: ${SEQUENCE} })));
      const bindings = variables === null ? undefined : JSON.parse(variables);
      outcome = String((await expression.evaluate(input, bindings)) === true);
    } catch {}
    if (isLookedAt) outcome = 'not_json';
  })();
`);

/** Where a task was stopped that got less than this share of the CPU, it is the machine that was slow. */
const FAIR_SHARE = 0.8;
/** How many times longer it may then take, when it is run again. */
const PATIENCE = 4;

const [jsonataPath = ''] = process.argv.slice(2);
const box = createContext({}, { microtaskMode: 'afterEvaluate' });

/**
 * Runs one task within its limit; again with more time where others had the CPU meanwhile.
 * @param {import('./evaluator.js').Task} task
 * @returns {string} an Evaluation, when the expression leaves it alone
 */
function run(task) {
  const before = process.cpuUsage();
  const { limit } = task;
  const outcome = runWithin(limit, task);
  if (outcome !== 'slow') return outcome;
  const { user, system } = process.cpuUsage(before);
  const hadItsTime = user + system >= limit * FAIR_SHARE * 1000;
  return hadItsTime ? outcome : runWithin(limit * PATIENCE, task);
}

/**
 * Runs one task in a context of its own whose calls, microtasks included, are stopped after so many ms: the only bound
 * that holds for a regex that backtracks, an endless recursion and a slow built-in alike.
 * @param {number} timeout
 * @param {import('./evaluator.js').Task} task
 * @returns {string} an Evaluation, when the expression leaves it alone
 */
function runWithin(timeout, { source, flags, text, asksGroups, variables }) {
  if (flags === null && !('jsonata' in box)) loadJsonata();
  Object.assign(box, { source, flags, text, asksGroups, variables, found: null, outcome: 'broken' });
  try {
    (flags === null ? QUERY : SEARCH).runInContext(box, { timeout });
    return String(box['outcome']);
  } catch (error) {
    const { code } = /** @type {{ code?: unknown }} */ (Object(error));
    return code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? 'slow' : 'broken';
  } finally {
    box['text'] = '';
    box['variables'] = '';
    box['found'] = null;
  }
}

function loadJsonata() {
  const source = readFileSync(jsonataPath, 'utf8');
  new Script(
    `compiled = new Map(); (function (module, exports) { ${source}\n; jsonata = module.exports; })({ exports: {} }, {});`,
  ).runInContext(box);
}

process.on('message', (task) => process.send?.(run(/** @type {import('./evaluator.js').Task} */ (task))));
process.on('disconnect', () => process.exit());
// A terminal and systemd send these to all processes: the one that started us finishes its run first.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
