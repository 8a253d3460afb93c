import * as z from '#zod';
import type { ServiceAnswer } from '../deliver/send.js';
import type { PeerReading } from '../rules/peer-watch.js';
import { CRITICAL_AFTER_TICKS } from '../rules/trigger-pace.js';
import { DAY } from '../time.js';
import { errorIn } from './error-answer.js';

/** What is looked at of a peer's health: read/health.ts has all of it. */
const HEALTH = z.object({
  checks: z.object({
    redis: z.object({ status: z.string() }),
    schedule: z.object({
      status: z.string().check(z.refine((status) => /^(?:healthy|degraded|critical)$/.test(status))),
      lastRunAt: z.nullable(z.string()),
      tick: z.optional(z.number()),
      actualIntervalMs: z.optional(z.nullable(z.number())),
    }),
  }),
});

/** A last run that is told to be longer ago than this, in ms, is not believed. */
const LONGEST_PAST = 3_650 * DAY;

interface Clocks {
  /** Ours, ms since the epoch. */
  readonly now: number;
  /** Ms by which the peer's is ahead of ours. */
  readonly ahead: number;
}

/** What a peer's answer to `GET /api/health` says of its runs. */
export function readingOf(
  { status, text }: Pick<ServiceAnswer, 'status' | 'text'>,
  { now, ahead }: Clocks,
): PeerReading {
  const found = HEALTH.safeParse(jsonOf(text)).data;
  if (found === undefined) {
    const { code, message } = errorIn(text);
    if (status === 409 && code === 'conflict') return { kind: 'ourselves' };
    return { kind: 'unclear', message: `it answers ${status}${message === null ? '' : `: ${message}`}` };
  }
  const { redis, schedule } = found.checks;
  // Where its runs only come more seldom than it expects, its own channels say so.
  if (schedule.status === 'healthy' || typeof schedule.actualIntervalMs === 'number')
    return { kind: 'running' };
  const unclear = (message: string): PeerReading => ({
    kind: 'unclear',
    message: redis.status === 'healthy' ? message : 'its store does not answer',
  });
  if (schedule.lastRunAt === null) return unclear('it has made no run yet');
  const lastRunAt = Date.parse(schedule.lastRunAt) - ahead;
  if (!(lastRunAt >= now - LONGEST_PAST)) return unclear('it does not say when its last run was');
  if (schedule.status === 'critical') return { kind: 'stopped', lastRunAt: Math.min(lastRunAt, now) };
  // A process that has only just begun does not know yet whether runs come.
  const isOld = schedule.tick !== undefined && lastRunAt < now - CRITICAL_AFTER_TICKS * schedule.tick;
  if (isOld) return unclear('it was started again, and has made no run since');
  return { kind: 'running' };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
