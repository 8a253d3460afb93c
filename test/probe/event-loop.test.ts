import { performance } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { afterEvents, tasksWaiting } from '../../lib/probe/event-loop.js';

const turn = () => performance.nodeTiming.uvMetricsInfo.loopCount;

test('tasks run in order, each in a turn of the event loop of its own, also those that a task adds', async () => {
  const began = turn();
  const ran: { readonly name: string; readonly turn: number }[] = [];
  await new Promise<void>((resolve) => {
    const note = (name: string) => ran.push({ name, turn: turn() });
    afterEvents(() => {
      note('first');
      afterEvents(() => {
        note('added');
        resolve();
      });
    });
    afterEvents(() => note('second'));
    expect(tasksWaiting()).toBe(2);
  });
  expect(ran.map(({ name }) => name)).toEqual(['first', 'second', 'added']);
  const turns = ran.map((each) => each.turn);
  expect(Math.min(...turns)).toBeGreaterThanOrEqual(began);
  expect(new Set(turns).size).toBe(3);
  expect(tasksWaiting()).toBe(0);
});
