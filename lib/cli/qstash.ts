import { DeliveryError } from '../deliver/channel.js';
import { send } from '../deliver/send.js';
import { singleLine } from '../single-line.js';

/** A schedule as QStash shows it, as far as it matters here. */
export interface QstashSchedule {
  readonly scheduleId: string;
  readonly cron: string;
  readonly destination: string;
  readonly isPaused: boolean;
}

export interface NewSchedule {
  readonly scheduleId: string;
  readonly cron: string;
  readonly destination: string;
  /** Seconds that QStash waits for an answer. */
  readonly timeout: number;
}

/** What QStash did not do. The message names no token. */
export class QstashError extends Error {
  override readonly name = 'QstashError';
  constructor(
    readonly code: 'unauthorized' | 'refused' | 'unreachable' | 'unreadable',
    message: string,
    options: ErrorOptions = {},
  ) {
    super(message, options);
  }
}

const TIMEOUT = 10_000;
/** Bytes of an answer at most: some thousand schedules. */
const MAX_ANSWER = 2_000_000;
/** Characters of what QStash says of a refusal. */
const SAYING = 200;

/**
 * The three calls of QStash's schedule API that are needed. Not its client: that has no time limit, writes to the
 * console, and reads the environment for itself. Each throws QstashError.
 */
export function openQstash({ url, token }: { readonly url: string; readonly token: string }) {
  const call = async (method: string, path: string, headers: Record<string, string> = {}) => {
    const request = {
      url: `${url}/v2/schedules${path}`,
      method,
      headers: { authorization: `Bearer ${token}`, ...headers },
      body: null,
      maxAnswer: MAX_ANSWER,
    };
    const { status, text } = await send(request, AbortSignal.timeout(TIMEOUT)).catch((error: unknown) => {
      if (!(error instanceof DeliveryError)) throw error;
      throw new QstashError('unreachable', 'QStash did not answer', { cause: error.cause });
    });
    if (status === 401 || status === 403) {
      throw new QstashError('unauthorized', `QStash refused QSTASH_TOKEN (${status})`);
    }
    if (status < 200 || status > 299) {
      throw new QstashError('refused', `QStash answered ${status}${saying(text, token)}`);
    }
    return text;
  };
  return {
    list: async (): Promise<QstashSchedule[]> => schedulesOf(await call('GET', '')),
    /** Takes the place of the one with the same id. */
    create: async ({ scheduleId, cron, destination, timeout }: NewSchedule): Promise<void> => {
      await call('POST', `/${destination}`, {
        'upstash-schedule-id': scheduleId,
        'upstash-cron': cron,
        'upstash-method': 'POST',
        // What is repeated late is no tick.
        'upstash-retries': '0',
        'upstash-timeout': `${timeout}s`,
      });
    },
    remove: async (scheduleId: string): Promise<void> => {
      await call('DELETE', `/${encodeURIComponent(scheduleId)}`);
    },
  };
}

export type Qstash = ReturnType<typeof openQstash>;

/** `: quota exceeded`, on one line and without the token, whatever was sent back. */
function saying(text: string, token: string): string {
  const said = propertyOf(jsonOf(text), 'error');
  if (typeof said !== 'string') return '';
  return `: ${singleLine(said.replaceAll(token, '…'), SAYING)}`;
}

function schedulesOf(text: string): QstashSchedule[] {
  const found = jsonOf(text);
  if (!Array.isArray(found)) throw new QstashError('unreadable', 'QStash sent something else than schedules');
  return found.flatMap((each: unknown) => {
    const [scheduleId, cron, destination] = ['scheduleId', 'cron', 'destination'].map((name) =>
      propertyOf(each, name),
    );
    return typeof scheduleId === 'string' && typeof cron === 'string' && typeof destination === 'string'
      ? [
          {
            scheduleId,
            cron: singleLine(cron),
            destination: singleLine(destination),
            isPaused: propertyOf(each, 'isPaused') === true,
          },
        ]
      : [];
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;
}
