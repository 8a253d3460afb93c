import { formatProblems, parseConfig, textsOf, type Config, type ConfigResult } from './config.js';
import { fetchTargets, type TargetsCopy } from './targets-address.js';
import { TargetsError } from './targets-bytes.js';
import { loadTargets, nameOfAddress, targetsAddress, without } from './targets-source.js';

/** Ms until an address is asked again that could not be had, and of which there is no copy. */
const RETRY_AFTER = 5_000;

const origins = new WeakMap<Config, Config>();

/** The first configuration of the process, of which this one is a newer version. */
export function originOf(config: Config): Config {
  return origins.get(config) ?? config;
}

export interface LiveConfigOptions {
  readonly fetcher: typeof fetch;
  /** Ms of a clock that is never set. */
  readonly clock: () => number;
  readonly log: (line: string) => void;
}

const OPTIONS: LiveConfigOptions = {
  fetcher: (...args) => fetch(...args),
  clock: () => performance.now(),
  log: console.error,
};

/**
 * The configuration of a process. Where its targets are listed at an address it changes while the process lives: the
 * address is asked again, and while it cannot be had, or what it gives is not valid, the last good configuration counts.
 */
export class LiveConfig {
  /** Whether it may change. */
  readonly isLive: boolean;
  private readonly options: LiveConfigOptions;
  private copy: TargetsCopy | null = null;
  private asking: Promise<ConfigResult> | null = null;
  private askedAt = -Infinity;
  private said = '';

  /** @param last the configuration that the process has already; null: none */
  constructor(
    private readonly env: Readonly<Record<string, string | undefined>>,
    private last: ConfigResult | null = null,
    options: Partial<LiveConfigOptions> = {},
  ) {
    this.options = { ...OPTIONS, ...options };
    this.isLive = targetsAddress(textsOf(env)) !== null;
  }

  /** @param mayBeOld how long ago the address may have been asked, in ms; 0: it is asked now */
  async current(mayBeOld: number): Promise<ConfigResult> {
    const { last } = this;
    if (last !== null && !this.isLive) return last;
    const patience = last?.ok === false ? Math.min(mayBeOld, RETRY_AFTER) : mayBeOld;
    if (last !== null && this.options.clock() - this.askedAt < patience) return last;
    this.asking ??= this.ask().finally(() => {
      this.asking = null;
      this.askedAt = this.options.clock();
    });
    return this.asking;
  }

  private async ask(): Promise<ConfigResult> {
    const found = await this.newest();
    if (found.ok) {
      if (this.last?.ok && this.last !== found) origins.set(found.config, originOf(this.last.config));
      this.said = '';
    } else if (this.last?.ok) {
      const said = formatProblems(found.problems);
      if (said !== this.said) this.options.log(`The last good copy of the targets counts. ${said}`);
      this.said = said;
      return this.last;
    }
    this.last = found;
    return found;
  }

  private async newest(): Promise<ConfigResult> {
    const { env, last, copy } = this;
    const texts = textsOf(env);
    const address = targetsAddress(texts);
    if (address === null) return parseConfig(env, await loadTargets(env));
    try {
      const found = await fetchTargets(address, copy, this.options.fetcher);
      if (last?.ok && copy?.text === found.text) return last;
      const { readTargets, readYaml } = await import('./targets-text.js');
      const document = await readYaml(found.text);
      const result = parseConfig(env, readTargets(nameOfAddress(address.url), document, { texts }));
      if (result.ok) this.copy = found;
      return result;
    } catch (error) {
      if (!(error instanceof TargetsError)) throw error;
      const message = `the targets cannot be had from the address: ${error.message}`;
      return parseConfig(env, without({ variable: 'KEEP_ALIVE_TARGETS', message }));
    }
  }
}
