import type { Moved } from '../rules/outbox.js';
import type { Alert, ChannelName, PublicTarget } from '../types.js';

/** The alerts that one channel gets in one message after a run. */
export interface Digest {
  /** The same for the same alerts, so that a receiver can recognize a repeated message. */
  readonly id: string;
  /** When it was put together, ms since the epoch. */
  readonly at: number;
  /** At least one, the most important first. */
  readonly items: readonly DigestItem[];
  /** The address of the status page; null where it is not known. */
  readonly pageUrl: string | null;
}

export interface DigestItem {
  readonly alert: Alert;
  /** Null: the alert is about the pinger itself, or about a target that was removed. */
  readonly target: PublicTarget | null;
  /** Runs are made by `npm start`; false or absent: a trigger calls for them. */
  readonly isLocal?: boolean;
  /** Of the times that its text names; absent: UTC. */
  readonly timeZone?: string;
}

export interface Channel {
  readonly name: ChannelName;
  /**
   * Resolves once the channel has taken the whole digest.
   * @param place what is known of where the channel's receiver moved to
   * @throws DeliveryError and nothing else, within moments of the signal at the latest.
   */
  deliver(digest: Digest, signal: AbortSignal, place?: ReceiverPlace): Promise<void>;
}

/** The new id of a receiver that has moved, as its service reported it. It is remembered for the next messages. */
export interface ReceiverPlace {
  readonly moved: Moved | null;
  /** Null: what was remembered does not apply any more. */
  remember(moved: Moved | null): void;
}

export type DeliveryErrorCode =
  /** Worth another try. */
  | 'temporary'
  /** Worth another try, after `retryAfter`. */
  | 'rate_limited'
  /** Most likely it will not work until somebody corrects the configuration, here or there. */
  | 'permanent';

/** Thrown when a channel did not accept a digest. The message names no address and no secret. */
export class DeliveryError extends Error {
  override readonly name = 'DeliveryError';
  /** Ms; null: the channel did not say. */
  readonly retryAfter: number | null;
  /** Ids of the alerts that were taken all the same. */
  readonly delivered: readonly string[];

  constructor(
    readonly code: DeliveryErrorCode,
    message: string,
    options: { cause?: unknown; retryAfter?: number | null; delivered?: readonly string[] } = {},
  ) {
    super(message, { cause: options.cause });
    this.retryAfter = options.retryAfter ?? null;
    this.delivered = options.delivered ?? [];
  }
}
