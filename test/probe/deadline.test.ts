import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadline, type Stage } from '../../lib/probe/deadline.js';

const never = new AbortController().signal;
let deadline: Deadline;

/** How long our process was busy so far, in ms. */
let busy: number;

// Timers and the clock go by hand; immediates run when the time is advanced.
beforeEach(() => {
  vi.useFakeTimers();
  busy = 0;
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + busy);
});
afterEach(async () => {
  deadline.close();
  // What is still to be run after events is.
  await pass(1);
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const begin = (ms = 60_000) => void (deadline = new Deadline(ms, never));

/** The event loop turns for so long. */
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

/** Our process is busy for so long: the clock goes on, and nothing else does. */
const block = (ms: number) => void (busy += ms);

/** A step that ends when it is told to. */
function step(stage: Stage = 'connecting') {
  let end!: { readonly succeed: (value: null) => void; readonly fail: (error: Error) => void };
  const stopped = vi.fn();
  const over = deadline.guard<null>(stage, (succeed, fail) => {
    end = { succeed, fail };
    return stopped;
  });
  over.catch(() => undefined);
  return { ...end, stopped, over };
}

describe('the clock of a deadline', () => {
  it('runs while a step does, and not between two steps', async () => {
    begin();
    await pass(1_000);
    const connecting = step();
    await pass(10);
    expect(deadline.elapsed).toBe(10);
    connecting.succeed(null);
    await pass(500);
    expect(deadline.elapsed).toBe(10);
    const waiting = step('waiting for the answer');
    expect(deadline.elapsed).toBe(10);
    await pass(20);
    waiting.fail(new Error('reset'));
    await pass(500);
    expect(deadline.elapsed).toBe(30);
  });

  it('runs between two steps where the target goes on without being asked', async () => {
    begin();
    const connecting = step();
    await pass(10);
    connecting.succeed(null);
    await pass(30);
    const greeted = step('waiting for the greeting');
    deadline.continueStep();
    expect(deadline.elapsed).toBe(40);
    await pass(5);
    greeted.succeed(null);
    expect(deadline.elapsed).toBe(45);
    await pass(500);
    step('waiting for the answer');
    expect(deadline.elapsed).toBe(45);
  });

  it('stands still while the target waits for us', async () => {
    begin();
    const resolving = step('resolving');
    await pass(5);
    deadline.pause();
    await pass(900);
    expect(deadline.elapsed).toBe(5);
    deadline.resume();
    await pass(5);
    resolving.succeed(null);
    expect(deadline.elapsed).toBe(10);
  });

  it('counts our own work only until it is done', async () => {
    begin(100);
    const work = (ms: number) =>
      deadline.work('logging in', () => new Promise((resolve) => setTimeout(resolve, ms, 'done')));
    const short = work(90);
    await pass(91);
    expect(await short).toBe('done');
    expect(deadline.elapsed).toBe(0);
    const long = work(1_000).catch((error: unknown) => error);
    await pass(500);
    expect(await long).toMatchObject({ code: 'timeout', message: 'timed out logging in' });
  });

  it('does not mind what a step that is over tells', async () => {
    begin();
    const handshake = step('in the TLS handshake');
    await pass(10);
    handshake.succeed(null);
    const waiting = step('waiting for the answer');
    await pass(5);
    handshake.fail(new Error('the other side has closed'));
    await pass(25);
    waiting.succeed(null);
    expect(deadline.elapsed).toBe(40);
  });

  it('stands still from the end on', async () => {
    begin();
    step();
    await pass(50);
    deadline.end();
    deadline.resume();
    await pass(40);
    expect(deadline.elapsed).toBe(50);
  });
});

describe('the end of a deadline', () => {
  it('comes on time where the target hangs', async () => {
    begin(2_000);
    const waiting = step('waiting for the answer');
    await pass(1_999);
    expect(waiting.stopped).not.toHaveBeenCalled();
    await pass(4);
    expect(waiting.stopped).toHaveBeenCalledOnce();
    await expect(waiting.over).rejects.toThrow('timed out waiting for the answer');
    expect(deadline.elapsed).toBeGreaterThanOrEqual(2_000);
    expect(deadline.elapsed).toBeLessThanOrEqual(2_003);
  });

  it('does not come while the clock stands still', async () => {
    begin(100);
    const connecting = step();
    await pass(60);
    connecting.succeed(null);
    await pass(1_000);
    const waiting = step('waiting for the answer');
    await pass(39);
    expect(waiting.stopped).not.toHaveBeenCalled();
    deadline.pause();
    await pass(1_000);
    expect(waiting.stopped).not.toHaveBeenCalled();
    deadline.resume();
    await pass(5);
    expect(waiting.stopped).toHaveBeenCalledOnce();
  });

  it('gives the time back, once, by which our process was late', async () => {
    begin(1_000);
    const waiting = step('waiting for the answer');
    await pass(900);
    block(500);
    // The timer fires at 1,500 on the clock.
    await pass(100);
    expect(waiting.stopped).not.toHaveBeenCalled();
    await pass(490);
    expect(waiting.stopped).not.toHaveBeenCalled();
    block(300);
    await pass(15);
    expect(waiting.stopped).toHaveBeenCalledOnce();
  });
});
