import { nowOf } from '../app.js';
import type { App } from '../app.js';
import { memoryLimit } from '../config/env.js';
import type { StoreFinding } from '../read/health.js';
import { health, healthSettings, healthStatusCode } from '../read/health.js';
import { loadMailing, loadPresent } from '../read/load.js';
import { leastRecent, ofAllShards, ofEachShard } from '../read/shards.js';
import { limitsOf } from '../rules/allowances.js';
import { installationId } from '../peers/installation.js';
import { open } from '../peers/token.js';
import { withinLimit } from '../store/retry.js';
import { StoreError } from '../store/store.js';
import { readableAnywhere } from './cors.js';
import { answerError, answerJson, ASKS_ITSELF } from './responses.js';
import { audienceOf, guarded, readerOf, withApp } from './endpoints.js';

/**
 * Ms to wait for the store: monitors do not wait long for a health check. One of several databases is waited for 1.2 s, and
 * then the others are read.
 */
const PROBE_TIMEOUT = 2_000;
/** A sealed token of a peer, which has five parts; the second is empty. */
const SEALED = /^Bearer ([\w-]{1,200}\.\.[\w-]{1,100}\.[\w-]{1,1000}\.[\w-]{1,100})$/;

/** `GET /api/health` */
export function answerHealth(request: Request): Promise<Response> {
  const answer = withApp(request, async (app) => {
    const work = async (): Promise<Response> => {
      const { config } = app;
      const finding = await probe(app);
      const now = nowOf(app);
      const isLocal = app.runs !== undefined;
      const found = health({
        audience: audienceOf(request, config),
        ...healthSettings(config, limitsOf(config, { isLocal })),
        now,
        store: finding,
        memory: { usedBytes: process.memoryUsage.rss(), limitBytes: memoryLimit() },
        processStartedAt: now - process.uptime() * 1000,
        isLocal,
      });
      return answerJson(found, healthStatusCode(found));
    };
    const asker = await askingPeer(request, app);
    if (asker === null) return guarded(request, app, work);
    if (asker === installationId(app.config)) return answerError('conflict', ASKS_ITSELF);
    return work();
  });
  return readableAnywhere(answer);
}

/**
 * The installation that asks and shows that it has our KEEP_ALIVE_PEER_SECRET, so that it may read as the public does
 * although STATS_TOKEN is set; '' where it does not say which it is, null where nobody shows that.
 */
async function askingPeer(request: Request, app: App): Promise<string | null> {
  const { secret } = app.config.peers;
  const [, token] = SEALED.exec(request.headers.get('authorization') ?? '') ?? [];
  if (secret === null || token === undefined) return null;
  const opened = await open(token, { secret, purpose: 'health', now: nowOf(app) });
  return opened.problem === null ? (opened.from ?? '') : null;
}

/** The present state of the store, or what any request of this process read of it within the last seconds. */
async function probe(app: App): Promise<StoreFinding> {
  const { store } = app;
  const reader = readerOf(app);
  if (store === null || reader === null)
    return { ok: false, kind: null, message: 'no database is configured' };
  const { kind } = store;
  try {
    const { config } = app;
    // Both are one read.
    const [found, mailings] = await withinLimit(
      PROBE_TIMEOUT,
      Promise.all([
        ofAllShards(reader, config, loadPresent),
        config.subscriptions === null ? [] : ofEachShard(reader, config, loadMailing),
      ]),
    );
    const { outbox, unreadShards } = found;
    const state = leastRecent(found);
    const latencyMs = reader.latency === null ? null : Math.round(reader.latency);
    return {
      ...{ ok: true, kind, latencyMs, state, outbox, mailings },
      ...(unreadShards && { unreadShards }),
    };
  } catch (error) {
    if (error instanceof StoreError) return { ok: false, kind, message: error.message };
    throw error;
  }
}
