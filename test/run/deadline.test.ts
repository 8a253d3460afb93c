import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { Backlog } from '../../lib/run/backlog.js';
import { run } from '../../lib/run/run.js';
import { configOf, FAILED } from '../support/runs.js';

test('a run ends at its limit, though memory was collected meanwhile', async () => {
  setFlagsFromString('--expose-gc');
  const collecting = setInterval(runInNewContext('gc') as () => void, 50).unref();
  onTestFinished(() => clearInterval(collecting));
  const report = await run(
    {
      config: configOf({ TARGET_A_URL: 'http://a.test/', KEEP_ALIVE_CONTROL_URLS: 'off' }),
      store: null,
      prober: {
        attempt: (_target, signal) =>
          new Promise((resolve) => {
            const over = { ...FAILED, reason: 'timeout', message: 'cut short', interrupted: true } as const;
            signal.addEventListener('abort', () => resolve(over));
          }),
        close: () => Promise.resolve(),
      },
      backlog: new Backlog(),
      channels: new Map(),
      mailer: null,
      send: () => Promise.reject(new Error('nothing is sent')),
      now: Date.now,
      cpu: () => 0,
      random: Math.random,
      sleep: (ms, signal) => delay(Math.max(0, ms), undefined, { signal }).catch(() => undefined),
      log: () => undefined,
    },
    { trigger: 'test', limit: 41_500, nextRunIn: 0 },
  );
  expect(report).toMatchObject({ status: 'partial', checked: 0 });
});
