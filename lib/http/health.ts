import { memoryLimit } from '../config/env.js';
import { channelNames } from '../config/alerts.js';
import type { StoreFinding } from '../read/health.js';
import { health, healthStatusCode } from '../read/health.js';
import { loadPresent } from '../read/load.js';
import type { Store } from '../store/store.js';
import { StoreError } from '../store/store.js';
import { answerJson } from './answer.js';
import { guarded, withApp } from './endpoints.js';

/** A health check must answer before those who ask lose patience. */
const PROBE_TIMEOUT = 1_500;

/** `GET /api/health` */
export function answerHealth(request: Request): Promise<Response> {
  return withApp(request, (app) =>
    guarded(request, app, async ({ config, store }) => {
      const finding = await probe(store);
      const now = Date.now();
      const answer = health({
        now,
        tick: config.tick,
        enabled: config.enabled,
        targets: config.targets.length,
        channels: channelNames(config.alerts),
        telegramChat: config.alerts.telegram?.chat ?? null,
        store: finding,
        memory: { usedBytes: process.memoryUsage.rss(), limitBytes: memoryLimit() },
        processStartedAt: now - process.uptime() * 1000,
      });
      return answerJson(answer, healthStatusCode(answer));
    }),
  );
}

async function probe(store: Store | null): Promise<StoreFinding> {
  if (store === null) return { ok: false, kind: null, message: 'no database is configured' };
  const { kind } = store;
  const startedAt = performance.now();
  const patience = new Promise<StoreFinding>((resolve) => {
    setTimeout(resolve, PROBE_TIMEOUT, { ok: false, kind, message: 'no answer in time' }).unref();
  });
  const answer = loadPresent(store).then(
    ({ state, outbox }): StoreFinding => ({
      ok: true,
      kind,
      latencyMs: Math.round(performance.now() - startedAt),
      state,
      outbox,
    }),
    (error: unknown): StoreFinding => {
      if (error instanceof StoreError) return { ok: false, kind, message: error.message };
      throw error;
    },
  );
  return Promise.race([answer, patience]);
}
