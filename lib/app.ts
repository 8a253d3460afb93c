import type { Config, Problem } from './config/config.js';
import { parseConfig } from './config/config.js';
import { readEnv } from './config/env.js';
import { loadTargets } from './config/targets-source.js';
import { GUARDED_FIELDS } from './record/fields.js';
import type { RunsUnderWay } from './run/under-way.js';
import { openRemoteStore } from './store/open.js';
import type { Store } from './store/store.js';

/** What all requests of a process share: nothing of it belongs to one run or one reader. */
export interface App {
  readonly config: Config;
  /** Null: none is configured. */
  readonly store: Store | null;
  /** Where the process waits for its runs before it ends; a function of Vercel's does not. */
  readonly runs?: RunsUnderWay;
}

export type AppResult =
  { readonly ok: true; readonly app: App } | { readonly ok: false; readonly problems: readonly Problem[] };

let shared: Promise<AppResult> | null = null;

/** The app of this process, made of the environment at the first call. */
export function getApp(): Promise<AppResult> {
  shared ??= openApp();
  return shared;
}

/** Makes the handlers of this process use an app that was opened elsewhere; null: from the environment again. */
export function setApp(app: App | null): void {
  shared = app === null ? null : Promise.resolve({ ok: true, app });
}

/** Ms since the epoch, by the store's clock where this process has found its own to be wrong. */
export function nowOf({ store }: App): number {
  return store?.now() ?? Date.now();
}

/** Something that all requests to an app share, made at the first call and forgotten with the app. */
export function perApp<T>(make: (app: App) => T): (app: App) => T {
  const made = new WeakMap<App, { readonly it: T }>();
  return (app) => {
    const found = made.get(app) ?? { it: make(app) };
    made.set(app, found);
    return found.it;
  };
}

async function openApp(): Promise<AppResult> {
  const env = readEnv();
  const result = parseConfig(env, await loadTargets(env));
  if (!result.ok) return result;
  const { config } = result;
  switch (config.store.kind) {
    case 'upstash':
    case 'redis': {
      const { prefix } = config;
      const store = await openRemoteStore(config.store, { prefix, guarded: GUARDED_FIELDS });
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
