import { styleText } from 'node:util';
import type { Env } from '../config/valid.js';

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

/** Gives a text a style where it is shown on a terminal with colours. */
export type Paint = (style: Style, text: string) => string;

/** What a command of the command line works with. */
export interface Terminal {
  readonly env: Env;
  /** Prints a line of what was asked for. */
  readonly out: (line: string) => void;
  /** Prints a line about the work: why nothing came of it, for example. */
  readonly err: (line: string) => void;
  /** Says how far the work is. On a terminal the line stands until the next line of any kind. */
  readonly progress: (line: string) => void;
  /** For lines of `out`. */
  readonly paint: Paint;
}

export const USAGE_ERROR = 2;

const ERASE_LINE = '\r\u001b[2K';

/** The terminal (or file, or pipe) that the process writes to. `NO_COLOR` and `FORCE_COLOR` are obeyed. */
export function openTerminal(): Omit<Terminal, 'env'> {
  const { stdout, stderr } = process;
  let isShown = false;
  const erase = (): void => {
    if (isShown) stderr.write(ERASE_LINE);
    isShown = false;
  };
  return {
    out: (line) => {
      erase();
      console.log(line);
    },
    err: (line) => {
      erase();
      console.error(line);
    },
    progress: (line) => {
      if (!stderr.isTTY) {
        console.error(line);
        return;
      }
      // A line that is longer than the terminal is wide could not be erased.
      stderr.write(ERASE_LINE + line.slice(0, stderr.columns - 1));
      isShown = true;
    },
    paint: (style, text) => styleText(style, text, { stream: stdout }),
  };
}

/** JSON for people and programs alike. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

/** ISO 8601 UTC; null for null. */
export function isoTime(at: number): string;
export function isoTime(at: number | null): string | null;
export function isoTime(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}
