import type { History, Overview } from '../../lib/read/load.js';
import { loadHistory, loadOverview } from '../../lib/read/load.js';
import { Ledger } from '../../lib/record/ledger.js';
import { OUTBOX_FIELD, STATE_FIELD } from '../../lib/record/fields.js';
import type { LostData } from '../../lib/record/state-model.js';
import type { Store } from '../../lib/store/store.js';
import type { ChannelName, Check, Target, Transition } from '../../lib/types.js';

/** What a store would hold, for rules that are told of many runs: fields and logs in memory, nothing else. */
export class Books {
  readonly fields = new Map<string, string>();
  readonly logs = new Map<string, string>();
  reads = 0;
  writes = 0;
  /** What the process of the runs knows of data that were here before. */
  remembered: LostData | null = null;
  private readonly reader = this.openStore();

  constructor(
    private readonly tick = 60_000,
    public targets: readonly Target[] = [],
    private readonly channels: readonly ChannelName[] = [],
    private readonly reminder: number | null = null,
  ) {}

  /** One run: opened, told of the checks, committed. */
  run(now: number, checks: readonly (readonly [id: string, check: Check])[]): Transition[] {
    return this.commit(this.open(now), now, checks);
  }

  open(now: number): Ledger {
    const stored = {
      state: this.fields.get(STATE_FIELD) ?? null,
      outbox: this.fields.get(OUTBOX_FIELD) ?? null,
    };
    const { targets, tick, channels, reminder, remembered } = this;
    return new Ledger(stored, { targets, tick, channels, reminder, remembered }, now);
  }

  commit(
    ledger: Ledger,
    now: number,
    checks: readonly (readonly [id: string, check: Check])[],
  ): Transition[] {
    const transitions = ledger.record(now, new Map(checks));
    const failed = checks.filter(([, { outcome }]) => outcome === 'failed').length;
    this.writes += 1;
    const { fields, append } = ledger.close({
      id: String(now),
      at: now,
      status: 'completed',
      durationMs: 0,
      checked: checks.length,
      failed,
      commands: 7,
    });
    for (const [field, text] of Object.entries(fields)) this.fields.set(field, text);
    if (append) {
      const before = this.logs.get(append.log) ?? '';
      this.logs.set(append.log, before.slice(0, append.offset) + append.text);
    }
    return transitions;
  }

  overview(now: number): Promise<Overview> {
    return loadOverview(this.store, now);
  }

  history(id: string, now: number): Promise<History> {
    return loadHistory(this.store, id, now);
  }

  /** What may be read of it. */
  get store(): Store {
    return this.reader;
  }

  private openStore(): Store {
    const refuse = () => Promise.reject(new Error('only read'));
    const writes = () => this.writes;
    return {
      kind: 'sqlite',
      get writes() {
        return writes();
      },
      metered: () => this.store,
      shard: () => this.store,
      now: () => Date.now(),
      claim: refuse,
      renew: refuse,
      underWay: refuse,
      commit: refuse,
      swap: refuse,
      replace: refuse,
      ping: refuse,
      close: refuse,
      read: ({ fields, logs }) => {
        this.reads += (fields.length > 0 ? 1 : 0) + (logs.length > 0 ? 1 : 0);
        return Promise.resolve({
          fields: new Map([...this.fields].filter(([name]) => fields.includes(name))),
          logs: new Map([...this.logs].filter(([name]) => logs.includes(name))),
        });
      },
    };
  }
}
