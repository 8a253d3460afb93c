import { NO_PEERS, type Peers } from '../../lib/peers/ask.js';
import type { Config } from '../../lib/config/config.js';
import type { RunReport } from '../../lib/run/report.js';
import { Backlog, ProcessUsage } from '../../lib/run/backlog.js';
import { JointDelivery } from '../../lib/run/joint-delivery.js';
import { DirectoryKeeper } from '../../lib/run/directory-keeper.js';
import { runTick, type Installation } from '../../lib/run/tick.js';
import type { Turns } from '../../lib/run/turns.js';
import type { RunRequest } from '../../lib/run/run.js';
import type { Channel } from '../../lib/deliver/channel.js';
import type { Mailer } from '../../lib/deliver/mailer.js';
import type { Store } from '../../lib/store/store.js';
import type { Attempt, ChannelName, Target } from '../../lib/types.js';
import { VirtualClock } from './clock.js';
import { GOOD } from './runs.js';

const REQUEST: RunRequest = { trigger: 'test', limit: 60_000, nextRunIn: 0 };

/** A process that makes the runs of all shards on a clock of its own, whose attempts end as told. */
export class ShardedPinger {
  attempt: (target: Target) => Attempt | Promise<Attempt> = () => GOOD;
  asked: string[] = [];
  readonly lines: string[] = [];
  /** Set: it is one of several machines. */
  turns: Turns | undefined;
  peers: Peers = NO_PEERS;
  mailer: Mailer | null = null;
  channels: ReadonlyMap<ChannelName, Channel> = new Map();
  readonly directory = new DirectoryKeeper();
  readonly jointDelivery = new JointDelivery();
  private readonly usage = new ProcessUsage();
  private readonly backlogs = new Map<number, Backlog>();

  constructor(
    public config: Config,
    public store: Store | null,
    readonly clock = new VirtualClock(Date.UTC(2026, 0, 5, 12, 0, 0, 100)),
  ) {}

  get installation(): Installation {
    const { config, store, channels, directory, jointDelivery, mailer, peers, clock } = this;
    return {
      ...{ config, store, channels, directory, jointDelivery, mailer, peers },
      ...(this.turns && { turns: this.turns }),
      backlog: this.backlogOf(0),
      backlogOf: (shard) => this.backlogOf(shard),
      whenStarted: () => Promise.resolve(),
      send: () => Promise.resolve({ status: 200, headers: {}, text: '' }),
      prober: {
        attempt: async (target) => {
          this.asked.push(target.info.id);
          return this.attempt(target);
        },
        close: () => Promise.resolve(),
      },
      now: () => clock.now,
      cpu: () => 0,
      random: () => 0.5,
      sleep: (ms, signal) => clock.sleep(ms, signal),
      log: (text) => this.lines.push(...text.split('\n')),
    };
  }

  tick(request: Partial<RunRequest> = {}): Promise<RunReport> {
    this.asked = [];
    const machine = this.turns && { machine: { id: this.turns.machine, lease: 60_000 } };
    return runTick(this.installation, { ...REQUEST, ...machine, ...request });
  }

  private backlogOf(shard: number): Backlog {
    const found = this.backlogs.get(shard) ?? new Backlog(this.usage);
    this.backlogs.set(shard, found);
    return found;
  }
}
