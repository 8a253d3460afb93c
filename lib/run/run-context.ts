import { setMaxListeners } from 'node:events';
import type { Config } from '../config/config.js';
import { originOf } from '../config/live-config.js';
import type { Channel } from '../deliver/channel.js';
import { createChannels } from '../deliver/channels.js';
import { createMailer, type Mailer } from '../deliver/mailer.js';
import { send, type Send } from '../deliver/send.js';
import { createPeers, type Peers } from '../peers/ask.js';
import { installationId } from '../peers/installation.js';
import { createPacer } from '../probe/pacer.js';
import { createProber, type Prober } from '../probe/probe.js';
import type { Among } from '../rules/allowances.js';
import type { Store, StoreError } from '../store/store.js';
import type { ChannelName } from '../types.js';
import { Backlog, ProcessUsage } from './backlog.js';
import type { Turns } from './turns.js';
import { JointDelivery, type Together } from './joint-delivery.js';
import { DirectoryKeeper } from './directory-keeper.js';

/** What a run needs from the process that it runs in; nothing here belongs to one run. */
export interface RunContext {
  /** Its targets are those of this run. */
  readonly config: Config;
  /** That of the shard. Null: none is configured, or where `storeFailure` says why, it cannot be used. */
  readonly store: Store | null;
  readonly storeFailure?: StoreError;
  /** How many shards there are; absent: one, as far as this process knows. */
  readonly shards?: number;
  /** With how many shards this one shares what is allowed; absent: with all, in one database. */
  readonly among?: Among;
  /** The number of the shard; absent: there is one. */
  readonly shard?: number;
  /** The shard has lost its last target lately: its run tells people so. */
  readonly isEmptied?: boolean;
  /** What the shards of an installation tell people together; absent: there is one. */
  readonly together?: Together;
  /** Bounds and paces the attempts of all runs of the process. */
  readonly prober: Prober;
  readonly backlog: Backlog;
  /** Those that are set up. */
  readonly channels: ReadonlyMap<ChannelName, Channel>;
  /** Other installations, which are asked about targets that fail here. */
  readonly peers: Peers;
  /** Sends mails to subscribers; null: there is no mail server. */
  readonly mailer: Mailer | null;
  /** Makes restart requests and the heartbeat. */
  readonly send: Send;
  readonly now: () => number;
  /** CPU that the process has used since it began, in ms: that of every request that it serves at the same time. */
  readonly cpu: () => number;
  readonly random: () => number;
  /** Resolves after so many ms, or early when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** One line or more. */
  readonly log: (text: string) => void;
}

/** In the place of a shard's number: of the run of all targets where nobody knows where they live. */
export const UNPLACED = -1;
/** The same of those that have no place yet, while the database that gives places is away. */
export const NEW_TARGETS = -2;

/** What a run of one shard needs, but for what is the shard's own. */
export interface SharedContext extends Omit<
  RunContext,
  'config' | 'store' | 'storeFailure' | 'shards' | 'among' | 'shard' | 'isEmptied' | 'together'
> {
  /** That of shard 0. */
  readonly backlog: Backlog;
  backlogOf(shard: number): Backlog;
  /** Resolves when no attempt waits to be started. */
  whenStarted(): Promise<void>;
  readonly directory: DirectoryKeeper;
  readonly jointDelivery: JointDelivery;
  /** Where several machines share the work. */
  readonly turns?: Turns;
}

const shared = new WeakMap<Config, SharedContext>();

/** What the runs of a process share: the prober with its bound on descriptors, and what could not be stored. */
export function sharedContext(config: Config): SharedContext {
  const origin = originOf(config);
  const found = shared.get(origin);
  if (found !== undefined) return found;
  const pacer = createPacer(config.concurrency);
  const prober = createProber({ contact: config.publicUrl });
  const usage = new ProcessUsage();
  const backlog = new Backlog(usage);
  const backlogs = new Map([[0, backlog]]);
  const context: SharedContext = {
    prober: {
      attempt: (...of) => pacer.run(() => prober.attempt(...of)),
      close: () => prober.close(),
    },
    backlog,
    backlogOf: (shard) => {
      const found = backlogs.get(shard) ?? new Backlog(usage);
      backlogs.set(shard, found);
      return found;
    },
    whenStarted: () => pacer.whenStarted(),
    directory: new DirectoryKeeper(console.log),
    jointDelivery: new JointDelivery(),
    channels: createChannels(config),
    peers: createPeers(config.peers, { send, now: Date.now, installation: installationId(config) }),
    mailer: config.alerts.email && createMailer(config.alerts.email),
    send,
    now: Date.now,
    cpu: cpuOfProcess,
    random: Math.random,
    sleep,
    log: console.log,
  };
  shared.set(origin, context);
  return context;
}

function cpuOfProcess(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Not `node:timers/promises`: it makes an error with a stack for each of the many sleeps that are ended early. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  // As many may sleep as there are targets; Node would warn of the eleventh.
  setMaxListeners(0, signal);
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, Math.max(0, ms));
    signal.addEventListener('abort', wake);
    if (signal.aborted) wake();
  });
}
