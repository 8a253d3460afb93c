import * as z from '#zod';
import type { ServiceAnswer } from '../deliver/send.js';
import type { PeerReading } from '../rules/peer-watch.js';
import { errorIn } from './error-answer.js';

/** What is looked at of a peer's health: read/health.ts has all of it. */
const HEALTH = z.object({
  checks: z.object({
    redis: z.object({ status: z.string() }),
    schedule: z.object({
      status: z.string(),
      lastRunAt: z.nullable(z.string()),
      actualIntervalMs: z.optional(z.nullable(z.number())),
    }),
  }),
});

/**
 * What a peer's answer to `GET /api/health` says of its runs.
 * @param ahead ms by which its clock is ahead of ours
 */
export function readingOf(
  { status, text }: Pick<ServiceAnswer, 'status' | 'text'>,
  ahead: number,
): PeerReading {
  const found = HEALTH.safeParse(jsonOf(text)).data;
  if (found === undefined) {
    const { message } = errorIn(text);
    return { kind: 'unclear', message: `it answers ${status}${message === null ? '' : `: ${message}`}` };
  }
  const { redis, schedule } = found.checks;
  // Where its runs only come more seldom than it expects, its own channels say so.
  if (schedule.status === 'critical' && (schedule.actualIntervalMs ?? null) === null) {
    const lastRunAt = Date.parse(schedule.lastRunAt ?? '');
    return { kind: 'stopped', lastRunAt: Number.isFinite(lastRunAt) ? lastRunAt - ahead : null };
  }
  if (schedule.status === 'degraded' && redis.status !== 'healthy') {
    return { kind: 'unclear', message: 'its store does not answer' };
  }
  return { kind: 'running' };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
