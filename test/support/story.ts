import type { Digest } from '../../lib/deliver/channel.js';
import type { Store } from '../../lib/store/store.js';
import { configOf, FAILED, GOOD, Pinger } from './runs.js';

const MINUTE = 60_000;

/** Three runs a minute apart. In the second, one target goes down, one comes up, and one wakes while others wait. */
export const RUNS_AT = [0, 1, 2].map((minute) => Date.UTC(2026, 0, 5, 12, minute));
export const TARGETS = ['falls', 'rises', 'steady', 'wakes'] as const;

const config = configOf({
  ...Object.fromEntries(TARGETS.map((id) => [`TARGET_${id.toUpperCase()}_URL`, `http://${id}.test/`])),
  TARGET_WAKES_WAKE_TIMEOUT: '90s',
  KEEP_ALIVE_INTERVAL: '1m',
  KEEP_ALIVE_RETRIES: '0',
  KEEP_ALIVE_FAILURE_THRESHOLD: '1',
  KEEP_ALIVE_SUCCESS_THRESHOLD: '1',
  KEEP_ALIVE_CONTROL_URLS: 'off',
});

/** What people are told of it, in any order. */
export const NEWS = ['falls down', 'rises down', 'rises up', 'wakes slept'] as const;

/** A process that makes the story's runs. */
export class Storyteller extends Pinger {
  /** What people were told, `falls down`. */
  readonly told: string[] = [];

  constructor(store: Store) {
    super(config, store);
    const deliver = ({ items }: Digest): Promise<void> => {
      this.told.push(...items.map(({ alert, target }) => `${target?.id ?? ''} ${alert.kind}`));
      return Promise.resolve();
    };
    this.channels = new Map([['slack', { name: 'slack', deliver }]]);
  }

  async tell(run: 0 | 1 | 2, at = RUNS_AT[run] ?? 0): ReturnType<Pinger['run']> {
    this.now = at;
    let asleep = run === 1 ? 2 : 0;
    this.attempt = ({ info: { id } }) => {
      if (id === 'wakes') return asleep-- > 0 ? FAILED : GOOD;
      return id === (run === 0 ? 'rises' : 'falls') ? FAILED : GOOD;
    };
    return this.run({ nextRunIn: MINUTE, limit: 300_000 });
  }
}
