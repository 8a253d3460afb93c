import type { Terminal } from '../../lib/cli/terminal.js';
import type { Env } from '../../lib/config/valid.js';

/** A terminal without colours that keeps what is printed. Progress is kept among the errors. */
export function recordingTerminal(
  env: Env,
): Terminal & { readonly lines: string[]; readonly errors: string[] } {
  const lines: string[] = [];
  const errors: string[] = [];
  const err = (line: string): void => void errors.push(line);
  return {
    env,
    lines,
    errors,
    out: (line) => void lines.push(line),
    err,
    progress: err,
    paint: (_, text) => text,
  };
}
