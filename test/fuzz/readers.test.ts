import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { runChild } from '../support/child.js';
import type { FuzzOrder, FuzzProgress, FuzzReader } from '../support/fuzz-child.js';

const MB = 1024 * 1024;
/** FUZZ_SECONDS a reader; FUZZ_SEED to see again what was seen with it. */
const seconds = Number(process.env.FUZZ_SECONDS ?? 20);
const seed = Number(process.env.FUZZ_SEED ?? randomInt(2 ** 31));
/** A process that tells nothing for so long has met an input that it cannot get past, in ms. */
const PATIENCE = 60_000;
/** Between the first tenth of the inputs and the end, in bytes. */
const MOST_GROWTH = 24 * MB;

/** What its inputs did, after so many seconds; rejects where the process ends or hangs. */
async function fuzz(order: FuzzOrder): Promise<readonly FuzzProgress[]> {
  const child = runChild(new URL('../support/fuzz-child.ts', import.meta.url), [], {
    nodeOptions: ['--expose-gc', '--max-old-space-size=256'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const seen: FuzzProgress[] = [];
  try {
    return await new Promise((resolve, reject) => {
      const hangs = () =>
        reject(new Error(`it hangs at input ${seen.at(-1)?.inputs} or soon after, seed ${seed}`));
      let timer = setTimeout(hangs, PATIENCE);
      child.on('message', (message) => {
        const progress = message as FuzzProgress;
        seen.push(progress);
        clearTimeout(timer);
        if (progress.end) resolve(seen);
        else timer = setTimeout(hangs, PATIENCE);
      });
      child.once('exit', (code, signal) =>
        reject(new Error(`it ended its process: ${code ?? signal}, seed ${seed}`)),
      );
      child.send(order);
    });
  } finally {
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
}

describe(`whatever it is fed, for ${seconds} s, seed ${seed}`, () => {
  it.each<FuzzReader>([
    'HTTP answer',
    'MongoDB answer',
    'redirect target',
    'configuration',
    'request body',
    'stored text',
    'signature',
  ])(
    '%s: no crash, no hang, no growth',
    async (reader) => {
      const seen = await fuzz({ reader, seed, seconds });
      const last = seen.at(-1) ?? expect.unreachable();
      console.log(`${reader}: ${last.inputs} inputs in ${seconds} s, seed ${seed}`);
      expect(last.end?.problem).toBeNull();
      const early = Math.max(...seen.slice(0, Math.ceil(seen.length / 4)).map(({ heap }) => heap));
      expect(last.heap - early).toBeLessThan(MOST_GROWTH);
    },
    seconds * 1_000 + 2 * PATIENCE,
  );
});
