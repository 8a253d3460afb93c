import { expect } from 'vitest';
import type { Prober } from '../../lib/probe/probe.js';
import type { Answer } from '../../lib/rules/assertions.js';
import type { Attempt } from '../../lib/types.js';
import { someTarget, type TargetOptions } from './targets.js';

/** Stands for the secrets of an address and a query. */
export const CANARY = 's3cr3t';

const never = new AbortController().signal;

/** Looks at the rows, and takes whatever they are. */
export const KEPT: TargetOptions = { assertions: { rejectBody: { kind: 'text', text: 'no such text' } } };

/** Makes attempts and sees to it that none gives anything of the secrets away. */
export function attempts(prober: Prober) {
  return async (url: string, options: TargetOptions = {}): Promise<Attempt> => {
    const attempt = await prober.attempt(someTarget(url, options), never);
    const { password } = new URL(url);
    const shown = JSON.stringify(attempt);
    expect(shown).not.toContain(CANARY);
    if (password !== '') expect(shown).not.toContain(password);
    expect(attempt.message?.length ?? 0).toBeLessThanOrEqual(120);
    const { dns, connect, tls, ttfb, total } = attempt.timings;
    const phases = [dns, connect, tls, ttfb].map((phase) => phase ?? 0);
    expect(phases.reduce((sum, phase) => sum + phase)).toBeLessThanOrEqual(total + 0.5);
    return attempt;
  };
}

/** The rows of the last answer, read as JSON. */
export function rowsOf(answers: readonly Answer[]): unknown {
  return JSON.parse(answers.at(-1)?.body?.text ?? '');
}

/** Sockets and timers that keep the process busy. */
export const busyWith = (): number =>
  process.getActiveResourcesInfo().filter((name) => /^(TCP|TLS|Timeout|Pipe|DNS|GetAddr)/.test(name)).length;
