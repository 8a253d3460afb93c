import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { OperatorError } from '../operator-error.js';
import { parseDotenv, type LineProblem } from './dotenv.js';

/** The environment as it is now. No other module reads it. */
export function readEnv(): Record<string, string | undefined> {
  return process.env;
}

/** Of the working directory. */
export const DOTENV_FILE = '.env';

/** What keeps `.env` from being read. The message names lines and no values. */
class DotenvError extends OperatorError {
  override readonly name = 'DotenvError';
}

export interface CommandEnv {
  readonly env: Record<string, string | undefined>;
  /** How many variables were taken from the file; null: there is no file. */
  readonly fromFile: number | null;
}

/** They say that this is Vercel. `vercel env pull` writes them, but what reads the file runs elsewhere. */
const OF_THE_PLATFORM: readonly string[] = ['VERCEL', 'VERCEL_ENV'];

/**
 * The environment of a command: what is set, and besides it what `.env` in the working directory has. Where Vercel builds
 * something the file is left alone: what is built will not have it.
 * @throws DotenvError with all problems of the file
 */
export function readCommandEnv(): CommandEnv {
  const set = readEnv();
  const text = set.VERCEL === undefined ? readDotenv() : null;
  if (text === null) return { env: set, fromFile: null };
  const { variables, problems } = parseDotenv(text, new Map(Object.entries(set)));
  if (problems.length > 0) throw new DotenvError(dotenvProblems(problems));
  const added = [...variables].filter(
    ([name]) => !Object.hasOwn(set, name) && !OF_THE_PLATFORM.includes(name),
  );
  return { env: { ...Object.fromEntries(added), ...set }, fromFile: added.length };
}

/** The text of `.env`; null: there is none. @throws DotenvError */
export function readDotenv(): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(DOTENV_FILE));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT') return null;
    const why = code === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is not UTF-8 text' : String(code);
    throw new DotenvError(`${DOTENV_FILE} cannot be read: ${why}.`, { cause });
  }
}

/** `.env, line 3: expected NAME=value` */
function dotenvProblems(problems: readonly LineProblem[]): string {
  return problems.map(({ line, message }) => `${DOTENV_FILE}, line ${line}: ${message}`).join('\n');
}

/** Bytes of memory that this process may use: the function's, the container's, or the machine's. */
export function memoryLimit(): number {
  const megabytes = Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE);
  if (megabytes > 0) return megabytes * 1024 ** 2;
  const constrained = process.constrainedMemory();
  return constrained > 0 && constrained < totalmem() ? constrained : totalmem();
}
