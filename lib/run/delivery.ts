import { DeliveryError, type Channel, type Digest } from '../deliver/channel.js';
import type { Send } from '../deliver/send.js';
import type { PendingDigest, Notifier } from '../record/notifier.js';
import type { DeliveryOutcome } from '../rules/delivery-outcome.js';
import { withoutRepetitions } from '../rules/joint-delivery.js';
import type { Moved, PendingRestart } from '../rules/outbox.js';
import { byImportance } from '../rules/wording.js';
import type { ChannelName, Target } from '../types.js';

export interface DeliveryContext {
  readonly targets: ReadonlyMap<string, Target>;
  readonly channels: ReadonlyMap<ChannelName, Channel>;
  readonly send: Send;
  readonly publicUrl: string | null;
  /** Runs are made by `npm start`, not by a trigger. */
  readonly isLocal: boolean;
  /** Of the times that alerts name. */
  readonly timeZone: string;
  readonly now: () => number;
  readonly log: (line: string) => void;
  /** Whether a restart of the target makes sense now. */
  readonly mayRestart: (target: Target) => boolean;
}

/** Ms for a restart request, and for a channel: long enough for slow ones, and short enough for a run. */
export const DELIVERY_TIMEOUT = 10_000;

/** Makes the restarts that are ordered. The results are applied to the notifier. Never rejects; takes DELIVERY_TIMEOUT at most. */
export async function makeRestarts(
  notifier: Notifier,
  context: DeliveryContext,
): Promise<readonly DeliveryOutcome[]> {
  const outcomes = await Promise.all(notifier.restarts.map((order) => restart(order, context)));
  notifier.applyOutcomes(outcomes);
  return outcomes;
}

/** Delivers the digests that are due and applies the results to the notifier. Never rejects; takes DELIVERY_TIMEOUT at most. */
export async function deliverDigests(
  notifier: Notifier,
  context: DeliveryContext,
): Promise<readonly DeliveryOutcome[]> {
  const outcomes = await sendDigests(notifier.digests(context.now()), context);
  notifier.applyOutcomes(outcomes);
  return outcomes;
}

/**
 * Delivers digests, all at once: no channel delays or breaks another. Never rejects.
 * @param timeout ms that it takes at most
 */
export async function sendDigests(
  digests: readonly PendingDigest[],
  context: DeliveryContext,
  timeout = DELIVERY_TIMEOUT,
): Promise<DeliveryOutcome[]> {
  return (await Promise.all(digests.map((pending) => sendDigest(pending, context, timeout)))).flat();
}

async function restart(
  { target: id, at, number, max }: PendingRestart,
  context: DeliveryContext,
): Promise<DeliveryOutcome> {
  const target = context.targets.get(id);
  if (!target?.recovery || !context.mayRestart(target)) {
    return { kind: 'not_restarted', target: id, orderedAt: at };
  }
  const { url, request } = target.recovery;
  const answer = await context.send({ url, ...request }, AbortSignal.timeout(DELIVERY_TIMEOUT)).then(
    ({ status }) => `answered ${status}`,
    (error: unknown) => messageOf(error),
  );
  context.log(`${id}: restart ${number} of ${max} ${answer}`);
  return { kind: 'restarted', target: id, orderedAt: at, answer };
}

async function sendDigest(
  { channel: name, alerts, undelivered, moved: known }: PendingDigest,
  { channels, targets, publicUrl, isLocal, timeZone, now, log }: DeliveryContext,
  timeout: number,
): Promise<DeliveryOutcome[]> {
  const [first] = alerts;
  const channel = channels.get(name);
  if (first === undefined || channel === undefined) return [];
  const ids = alerts.map(({ id }) => id);
  const at = now();
  const id = `${first.id}.${ids.length}`;
  const remark =
    undelivered === 0
      ? []
      : [{ id: `${id}.undelivered`, at, kind: 'undelivered', count: undelivered } as const];
  const items = [...withoutRepetitions(alerts), ...remark].sort(byImportance).map((alert) => ({
    alert,
    target: 'target' in alert ? (targets.get(alert.target)?.info ?? null) : null,
    isLocal,
    timeZone,
  }));
  const digest: Digest = { id, at, items, pageUrl: publicUrl };
  const moves: DeliveryOutcome[] = [];
  const remember = (moved: Moved | null): void => {
    moves.push({ kind: 'moved', channel: name, moved });
    if (moved !== null) log(`${name}: the group moved, set ALERT_TELEGRAM_CHAT=${moved.to}`);
  };
  const count = ids.length === 1 ? '1 alert' : `${ids.length} alerts`;
  try {
    await channel.deliver(digest, AbortSignal.timeout(timeout), { moved: known, remember });
    log(`${name}: told (${count})`);
    return [...moves, { kind: 'delivered', channel: name, ids, undelivered }];
  } catch (error) {
    const message = messageOf(error);
    const known = error instanceof DeliveryError ? error : null;
    const delivered = known?.delivered ?? [];
    const told = delivered.length === 0 ? 'not told' : `told ${delivered.length} of them, not the others`;
    log(`${name}: ${told} (${count}): ${message}`);
    return [
      ...moves,
      ...(delivered.length > 0
        ? [{ kind: 'delivered', channel: name, ids: delivered, undelivered: 0 } as const]
        : []),
      {
        kind: 'failed',
        channel: name,
        ids: ids.filter((id) => !delivered.includes(id)),
        at: now(),
        permanent: known?.code === 'permanent',
        message,
        retryAfter: known?.retryAfter ?? null,
      },
    ];
  }
}

/** The message of our own errors, which hold no secret; a general one for all others. */
function messageOf(error: unknown): string {
  return error instanceof DeliveryError ? error.message : 'failed in an unexpected way';
}
