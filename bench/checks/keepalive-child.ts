import { parseConfig } from '../../lib/config/config.js';
import { checkTarget } from '../../lib/probe/check-target.js';
import { createPacer } from '../../lib/probe/pacer.js';
import { createProber } from '../../lib/probe/probe.js';
import type { Target } from '../../lib/types.js';
import { nodeExchange } from './node-exchange.js';
import { onOrder } from './order.js';

// Whole checks as a run makes them: paced, with timings, cap and assertions, judged. CLIENT=node: by Node's HTTP client.
onOrder(({ urls, inFlight, ca, nameServer }) => {
  const parsed = parseConfig({
    KEEP_ALIVE_RETRIES: '0',
    KEEP_ALIVE_EXPECT_BODY: 'healthy',
    KEEP_ALIVE_DEGRADED_AFTER: '9s',
    ...Object.fromEntries(urls.map((url, i) => [`TARGET_T${i}_URL`, url])),
  });
  if (!parsed.ok) throw new Error('the configuration is not valid');
  const targets = new Map<string, Target>(parsed.config.targets.map((target) => [target.url, target]));
  const pacer = createPacer(inFlight);
  const prober = createProber({
    ca: [ca],
    ...(nameServer !== null && { servers: [nameServer] }),
    ...(process.env.CLIENT === 'node' && { exchange: nodeExchange }),
  });
  const { signal } = new AbortController();
  const context = {
    at: Date.now(),
    prober: { ...prober, attempt: (target: Target) => pacer.run(() => prober.attempt(target, signal)) },
    signal,
    now: Date.now,
    random: Math.random,
    sleep: () => Promise.resolve(),
  };
  return async (url) => {
    const target = targets.get(url);
    const check = target && (await checkTarget(target, context));
    return check?.outcome === 'good' ? check.timings.total : null;
  };
});
