import { afterEach, describe, expect, it, vi } from 'vitest';
import { arrivals } from '../../lib/probe/arrival.js';
import { Limit, type Stage } from '../../lib/probe/limit.js';

const never = new AbortController().signal;
let limit: Limit;

afterEach(() => {
  limit.close();
  vi.restoreAllMocks();
});

/** All that follows in the test happens in a turn of the event loop that is known to have begun before. */
function begin(): void {
  at(-1);
  arrivals.note();
  at(0);
  limit = new Limit(60_000, never);
}

function at(ms: number): void {
  vi.spyOn(performance, 'now').mockReturnValue(ms);
}

/** A step that ends when it is told to. */
function step(stage: Stage = 'connecting') {
  let end!: { readonly succeed: (value: null) => void; readonly fail: (error: Error) => void };
  const over = limit.guard<null>(stage, (succeed, fail) => {
    end = { succeed, fail };
    return () => undefined;
  });
  over.catch(() => undefined);
  return end;
}

describe('the clock of a limit', () => {
  it('runs while a step does, and not between two steps', () => {
    begin();
    at(1_000);
    const connecting = step();
    at(1_010);
    expect(limit.elapsed).toBe(10);
    connecting.succeed(null);
    at(1_500);
    expect(limit.elapsed).toBe(10);
    const waiting = step('waiting for the answer');
    expect(limit.elapsed).toBe(10);
    at(1_520);
    waiting.fail(new Error('reset'));
    at(2_000);
    expect(limit.elapsed).toBe(30);
  });

  it('stands still while the target waits for us', () => {
    begin();
    const resolving = step('resolving');
    at(5);
    limit.pause();
    at(905);
    expect(limit.elapsed).toBe(5);
    limit.resume();
    at(910);
    resolving.succeed(null);
    expect(limit.elapsed).toBe(10);
  });

  it('does not mind what a step that is over tells', () => {
    begin();
    const handshake = step('in the TLS handshake');
    at(10);
    handshake.succeed(null);
    const waiting = step('waiting for the answer');
    at(15);
    handshake.fail(new Error('the other side has closed'));
    at(40);
    waiting.succeed(null);
    expect(limit.elapsed).toBe(40);
  });

  it('stands still from the limit on', () => {
    begin();
    step();
    at(50);
    limit.end();
    limit.resume();
    at(90);
    expect(limit.elapsed).toBe(50);
  });
});
