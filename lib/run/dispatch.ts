import { createHash, randomUUID } from 'node:crypto';
import type { Config } from '../config/config.js';
import { CRON_PATH, FUNCTION_LIMIT } from '../config/vercel.js';
import { DeliveryError } from '../deliver/channel.js';
import { NO_USAGE } from '../rules/account.js';
import { StoreError, type Meter } from '../store/store.js';
import { SECOND } from '../time.js';
import type { RunReport } from './report.js';
import type { Send } from '../deliver/send.js';
import type { RunRequest } from './run.js';
import { runShards, runTick, shardsOf, type Installation, type Shard, type Shards } from './tick.js';

/** What starts the runs of shards in functions of their own. */
export interface Engine {
  readonly name: 'qstash' | 'http';
  /** @returns the shards that it could not start. Never rejects */
  start(shards: readonly Shard[], order: Order): Promise<readonly Shard[]>;
}

/** What all runs of a tick are told. */
interface Order {
  /** Hash of the directory. */
  readonly directory: string;
  /** Ms since the epoch. */
  readonly now: number;
}

/** The answer of a call that has started the runs of several shards elsewhere. */
export interface DispatchReport {
  readonly runId: string;
  readonly trigger: string;
  readonly status: 'dispatched';
  readonly by: Engine['name'];
  readonly startedAt: string;
  readonly durationMs: number;
  /** How many runs were started. */
  readonly shards: number;
  /** Store commands of this call; the runs report their own. */
  readonly commands: number;
}

/** Ms for the calls that start runs. */
const TIMEOUT = 10 * SECOND;

/** How the runs of shards are started elsewhere; null: this process has to make them. */
export function engineOf(config: Config, send: Send): Engine | null {
  const { selfUrl, cronSecret, qstash } = config;
  const { token } = qstash;
  if (selfUrl === null) return null;
  const call = (shard: Shard, { directory }: Order): string =>
    `${selfUrl}${CRON_PATH}?shard=${shard.number}&directory=${directory}`;
  if (token !== null && qstash.currentSigningKey !== null) {
    return {
      name: 'qstash',
      start: (shards, order) => startByQstash(config, send, { token, shards, order, call }),
    };
  }
  if (cronSecret === null) return null;
  const headers = {
    authorization: `Bearer ${cronSecret}`,
    ...(config.protectionBypass !== null && { 'x-vercel-protection-bypass': config.protectionBypass }),
  };
  const start: Engine['start'] = async (shards, order) => {
    const answers = shards.map((shard) =>
      isAccepted(send, { url: `${call(shard, order)}&async=1`, method: 'GET', headers, body: null }),
    );
    const accepted = await Promise.all(answers);
    return shards.filter((_, i) => !accepted[i]);
  };
  return { name: 'http', start };
}

interface Batch {
  /** Of QStash. */
  readonly token: string;
  readonly shards: readonly Shard[];
  readonly order: Order;
  readonly call: (shard: Shard, order: Order) => string;
}

/** One message a shard, all in one request. Two triggers within half a tick make the same messages. */
async function startByQstash(
  { qstash, tick, selfUrl, prefix }: Config,
  send: Send,
  { token, shards, order, call }: Batch,
): Promise<readonly Shard[]> {
  // An account of QStash may serve several installations.
  const installation = createHash('sha256')
    .update(`${selfUrl ?? ''} ${prefix}`)
    .digest('hex')
    .slice(0, 12);
  const half = Math.floor(order.now / (tick / 2));
  const messages = shards.map((shard) => ({
    destination: call(shard, order),
    headers: {
      'Upstash-Method': 'POST',
      // What is repeated late is no tick.
      'Upstash-Retries': '0',
      'Upstash-Timeout': `${FUNCTION_LIMIT / SECOND}s`,
      'Upstash-Deduplication-Id': `${installation}-${half}-${shard.number}`,
    },
  }));
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const batch = { url: `${qstash.url}/v2/batch`, method: 'POST', headers, body: JSON.stringify(messages) };
  const answer = await accepted(send, { ...batch, maxAnswer: 2_000_000 });
  const outcomes: unknown = answer === null ? [] : jsonOf(answer);
  // Each message is taken or refused by itself.
  return shards.filter((_, i) => {
    const outcome: unknown = Array.isArray(outcomes) ? outcomes[i] : undefined;
    return typeof outcome !== 'object' || outcome === null || !('messageId' in outcome);
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function isAccepted(send: Send, request: Parameters<Send>[0]): Promise<boolean> {
  return (await accepted(send, request)) !== null;
}

/** What was answered to a request that succeeded; null: it did not. */
async function accepted(send: Send, request: Parameters<Send>[0]): Promise<string | null> {
  try {
    const { status, text } = await send(request, AbortSignal.timeout(TIMEOUT));
    return status >= 200 && status <= 299 ? text : null;
  } catch (error) {
    if (error instanceof DeliveryError) return null;
    throw error;
  }
}

/**
 * One call of `/api/cron`: the run of all targets where there is one shard, else the start of the run of each. What cannot
 * be started elsewhere is run in this process, and so is everything where the store does not say who lives where.
 */
export async function dispatch(
  installation: Installation,
  request: RunRequest,
  engine: Engine | null,
): Promise<RunReport | DispatchReport> {
  if (engine === null) return runTick(installation, request);
  const startedAt = installation.now();
  const meter: Meter = { commands: 0, bytesSent: 0, bytesReceived: 0 };
  const found = await shardsToDispatch(installation, meter);
  if (found === null) return runTick(installation, request);
  const order = { directory: found.hash, now: installation.now() };
  const left = await engine.start(found.shards, order);
  if (left.length > 0) {
    const event = {
      event: 'shards_not_dispatched',
      by: engine.name,
      shards: left.map(({ number }) => number),
    };
    installation.log(JSON.stringify(event));
    await runShards(installation, { ...found, shards: left }, request);
  }
  const durationMs = Math.max(0, installation.now() - startedAt);
  installation.backlog.giveBack({
    ...NO_USAGE,
    commands: meter.commands,
    invocations: 1,
    wallMs: durationMs,
  });
  return {
    runId: randomUUID(),
    trigger: request.trigger,
    status: 'dispatched',
    by: engine.name,
    startedAt: new Date(startedAt).toISOString(),
    durationMs,
    shards: found.shards.length,
    commands: meter.commands,
  };
}

/** Null: there is one shard, or the directory cannot be read now. */
async function shardsToDispatch(installation: Installation, meter: Meter): Promise<Shards | null> {
  try {
    const found = await shardsOf(installation, meter);
    return found?.failure === null && found.shards.length > 0 ? found : null;
  } catch (error) {
    if (error instanceof StoreError) return null;
    throw error;
  }
}
