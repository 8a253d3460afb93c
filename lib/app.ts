import type { Config, Problem } from './config/config.js';
import { readEnv } from './config/env.js';
import { LiveConfig } from './config/live-config.js';
import { SPREAD_FIELDS } from './record/spread-fields.js';
import type { RunsUnderWay } from './run/under-way.js';
import { openRemoteStores } from './store/open.js';
import type { Store } from './store/store.js';

/** What all requests of a process share: nothing of it belongs to one run or one reader. */
export interface App {
  readonly config: Config;
  /** Null: none is configured. */
  readonly store: Store | null;
  /** Where the process waits for its runs before it ends; a function of Vercel's does not. */
  readonly runs?: RunsUnderWay;
  /** The app that the process opened, where this one has a newer configuration. */
  readonly origin?: App;
}

export type AppResult =
  { readonly ok: true; readonly app: App } | { readonly ok: false; readonly problems: readonly Problem[] };

/** Ms for which readers take the targets as an address gave them; a run asks it anew. */
const READERS_PATIENCE = 30_000;

let fixed: App | null = null;
let live: LiveConfig | null = null;
let opened: Promise<AppResult> | null = null;

/**
 * The app of this process, made of the environment at the first call. Where the targets are listed at an address, it is
 * made again of a newer list, and shares everything else.
 * @param mayBeOld how long ago the address may have been asked, in ms
 */
export async function getApp(mayBeOld = READERS_PATIENCE): Promise<AppResult> {
  if (fixed !== null) return { ok: true, app: fixed };
  live ??= new LiveConfig(readEnv());
  const result = await live.current(mayBeOld);
  if (!result.ok) return result;
  opened ??= openApp(result.config);
  const found = await opened;
  if (!found.ok || found.app.config === result.config) return found;
  opened = Promise.resolve({ ok: true, app: withConfig(found.app, result.config) });
  return opened;
}

/** The same app with a newer version of its configuration. */
export function withConfig(app: App, config: Config): App {
  return { ...app, config, origin: app.origin ?? app };
}

/** Makes the handlers of this process use an app that was opened elsewhere; null: from the environment again. */
export function setApp(app: App | null): void {
  fixed = app;
  live = null;
  opened = null;
}

/** Ms since the epoch, by the store's clock where this process has found its own to be wrong. */
export function nowOf({ store }: App): number {
  return store?.now() ?? Date.now();
}

/** Something that all requests to an app share, made at the first call and forgotten with the app. */
export function perApp<T>(make: (app: App) => T): (app: App) => T {
  const made = new WeakMap<App, { readonly it: T }>();
  return (app) => {
    const key = app.origin ?? app;
    const found = made.get(key) ?? { it: make(app) };
    made.set(key, found);
    return found.it;
  };
}

async function openApp(config: Config): Promise<AppResult> {
  switch (config.store.kind) {
    case 'upstash':
    case 'redis': {
      const { prefix, stores } = config;
      const store = await openRemoteStores(stores, { prefix, ...SPREAD_FIELDS });
      return { ok: true, app: { config, store } };
    }
    case 'none':
      return { ok: true, app: { config, store: null } };
    case 'sqlite': {
      const message = 'the embedded database works with `npm start` only: a function keeps no files';
      return { ok: false, problems: [{ variable: 'KEEP_ALIVE_STORE', message }] };
    }
  }
}
