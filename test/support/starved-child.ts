import { spawn } from 'node:child_process';
import { createEvaluator } from '../../lib/probe/evaluator.js';

/** Longer than an expression may take. */
const AWAY = 0.6;

/** Evaluates an expression, is stopped while that is under way and goes on later, and tells what came of it. */
const [expression = ''] = process.argv.slice(2);
const evaluator = createEvaluator();
// The thread has started, and knows the expression.
await evaluator.query(expression, '{}');
const evaluation = evaluator.query(expression, '{}');
spawn('sh', ['-c', `sleep ${AWAY}; kill -CONT ${process.pid}`], { stdio: 'ignore' });
process.kill(process.pid, 'SIGSTOP');
process.send?.(await evaluation);
process.disconnect();
await evaluator.close();
