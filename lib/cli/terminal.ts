import type { Env } from '../config/valid.js';

/** What a command of the command line works with. */
export interface Terminal {
  readonly env: Env;
  /** Prints a line of what was asked for. */
  readonly out: (line: string) => void;
  /** Prints a line about the work: progress, and why nothing came of it. */
  readonly err: (line: string) => void;
}

export const USAGE_ERROR = 2;

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
