import { setMaxListeners } from 'node:events';
import type { Config } from '../config/config.js';
import { createChannels } from '../deliver/channels.js';
import { send } from '../deliver/send.js';
import { createPacer } from '../probe/pacer.js';
import { createProber } from '../probe/probe.js';
import { Carry } from './carry.js';
import type { RunContext } from './run.js';

type Parts = Omit<RunContext, 'config' | 'store'>;

const shared = new WeakMap<Config, Parts>();

/** What the runs of a process share: the prober with its bound on descriptors, and what could not be stored. */
export function runParts(config: Config): Parts {
  const found = shared.get(config);
  if (found !== undefined) return found;
  const pacer = createPacer(config.concurrency);
  const prober = createProber();
  const parts: Parts = {
    prober: {
      attempt: (target, signal) => pacer.run(() => prober.attempt(target, signal)),
      close: () => prober.close(),
    },
    carry: new Carry(),
    channels: createChannels(config),
    send,
    now: Date.now,
    random: Math.random,
    sleep,
    log: console.log,
  };
  shared.set(config, parts);
  return parts;
}

/** By hand: `node:timers/promises` makes an error, with its stack, for each of the many that are woken early. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  // As many may sleep as there are targets; Node would warn of the eleventh.
  setMaxListeners(0, signal);
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, Math.max(0, ms));
    signal.addEventListener('abort', wake);
    if (signal.aborted) wake();
  });
}
