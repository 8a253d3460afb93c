import type { Config } from '../../lib/config/config.js';
import type { Check } from '../../lib/types.js';
import { Books } from './books.js';
import { failedCheck, goodCheck } from './targets.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What a target's 90 days were like. */
export interface Life {
  /** Usual latency in ms. */
  readonly latency: number;
  /** How long ago (ms) it went down, and for how long. */
  readonly outages?: readonly { readonly ago: number; readonly length: number; readonly message?: string }[];
  /** How long ago it began to be watched. */
  readonly age?: number;
  /** Answers, but not as it should, since so long ago. */
  readonly degradedFor?: number;
  /** How long ago it slept and was woken. */
  readonly coldStarts?: readonly number[];
  readonly tlsExpiresAt?: number;
}

/** The same numbers in every run. */
export function chanceOf(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

/**
 * Books of 90 days up to `now`: checks every `step`, and every `lately` in the last `fine` ms. They count as those of a
 * target that is checked that often, so that all of the time was observed.
 * @param stopped how long ago the last run was
 */
export function lived(
  config: Config,
  lives: readonly Life[],
  now: number,
  { step = HOUR, lately = 5 * MINUTE, fine = 26 * HOUR, stopped = 0 } = {},
): Books {
  const chance = chanceOf(42);
  const books = new Books(config.tick);
  const end = now - stopped;
  const begin = end - 90 * DAY;
  for (let time = begin; time <= end; time += time < end - fine ? step : lately) {
    const at = time + Math.floor(chance() * 900);
    const every = time < end - fine + step ? step : lately;
    const watched = config.targets.flatMap((target, i) => {
      const life = lives[i % lives.length];
      return life === undefined || at < now - (life.age ?? 90 * DAY) ? [] : [{ target, life }];
    });
    books.targets = watched.map(({ target }) => ({
      ...target,
      info: { ...target.info, interval: Math.max(every, target.info.interval) },
    }));
    books.run(
      at,
      watched
        .filter(({ target }) => target.info.enabled)
        .map(({ target, life }) => [target.info.id, checkOf(life, at, now - at, every, chance)]),
    );
  }
  return books;
}

/** What a check of it finds at a time that is so long `ago`, where checks are made `every` so many ms. */
export function checkOf(life: Life, at: number, ago: number, every: number, chance: () => number): Check {
  const outage = life.outages?.find(({ ago: from, length }) => ago <= from && ago > from - length);
  if (outage !== undefined) {
    return failedCheck(at, outage.message === undefined ? {} : { message: outage.message });
  }
  const tls = { tlsExpiresAt: life.tlsExpiresAt ?? null };
  if (life.coldStarts?.some((cold) => ago <= cold && ago > cold - every)) {
    return goodCheck(at, { coldStart: true, wakeMs: 21_400, attempts: 9, latency: 320, ...tls });
  }
  const daily = 1 + 0.22 * Math.sin((at / DAY) * 2 * Math.PI);
  const spike = chance() > 0.985 ? 1.5 + chance() * 1.4 : 1;
  const latency = Math.round(life.latency * daily * (0.86 + chance() * 0.3) * spike);
  const degraded = life.degradedFor !== undefined && ago <= life.degradedFor;
  return goodCheck(at, {
    latency: degraded ? latency * 4 : latency,
    ...(degraded ? { outcome: 'degraded', message: 'slower than 1000 ms' } : {}),
    ...tls,
  });
}
