import { setTimeout as delay } from 'node:timers/promises';
import * as z from '#zod';
import type { Maintenance } from '../record/maintenance.js';
import { MAINTENANCE_FIELD } from '../record/fields.js';
import {
  begin,
  end,
  openWindows,
  readableMaintenance,
  WINDOWS_KEPT,
  writeMaintenance,
} from '../record/maintenance.js';
import type { Store } from '../store/store.js';
import { isSingleLine } from '../single-line.js';
import { answerError, answerJson, bears } from './responses.js';
import { readText } from './request-body.js';
import { noStore, withApp } from './endpoints.js';
import { MINUTE } from '../time.js';

/** The answer of `/api/maintenance`: the windows that are in force. */
export interface MaintenanceWindows {
  readonly maintenance: readonly MaintenanceWindow[];
}

export interface MaintenanceWindow {
  /** Null: all targets. */
  readonly target: string | null;
  readonly from: string;
  readonly until: string;
  readonly reason: string | null;
}

const LONGEST_MINUTES = 7 * 24 * 60;
/** Bytes of a request's body at most. */
const BODY_LIMIT = 4 * 1024;
/** How often a change is tried while others change the same. */
const ATTEMPTS = 10;
/** Ms between two attempts at most: where a store is replicated, what was read may be older than what is there. */
const LONGEST_PAUSE = 200;

const TARGET = "target: expected a target's id, or nothing for all targets";
const MINUTES = `minutes: expected a number above 0, at most ${LONGEST_MINUTES}`;
const REASON = 'reason: expected one line of at most 200 characters';
const LONGEST_REASON = 200;

const target = z.optional(z.nullable(z.string(TARGET)));
const BEGIN = form({
  target,
  minutes: z.number(MINUTES).check(z.gt(0, MINUTES), z.lte(LONGEST_MINUTES, MINUTES)),
  reason: z.optional(z.nullable(z.string(REASON).check(z.refine(isReason, REASON)))),
});
const END = form({ target });

function isReason(text: string): boolean {
  return isSingleLine(text) && Array.from(text).length <= LONGEST_REASON;
}

/** `POST /api/maintenance` */
export function answerBegin(request: Request): Promise<Response> {
  return answerChange(request, BEGIN, (windows, { target = null, minutes, reason = null }, now) =>
    begin(windows, {
      target,
      from: now,
      to: now + Math.max(1, Math.round(minutes * MINUTE)),
      reason: reason?.trim() || null,
    }),
  );
}

/** `DELETE /api/maintenance` */
export function answerEnd(request: Request): Promise<Response> {
  return answerChange(request, END, (windows, { target = null }, now) => end(windows, target, now));
}

function answerChange<T extends z.output<typeof END>>(
  request: Request,
  fields: z.ZodMiniType<T>,
  apply: (windows: readonly Maintenance[], found: T, now: number) => readonly Maintenance[],
): Promise<Response> {
  return withApp(request, async ({ config, store }) => {
    const { cronSecret } = config;
    if (cronSecret === null) {
      return answerError('cron_secret_missing', 'Set CRON_SECRET: without it anybody could mute alerts.');
    }
    if (!bears(request, cronSecret)) {
      return answerError('unauthorized', 'Send CRON_SECRET as a bearer.');
    }
    if (store === null) return noStore();
    const given = await readFields(request);
    if (given instanceof Response) return given;
    const found = fields.safeParse(given);
    if (!found.success) {
      return badRequest([...new Set(found.error.issues.map(({ message }) => message))].join('; '));
    }
    const { target = null } = found.data;
    if (target !== null && !config.targets.some(({ info }) => info.id === target)) {
      return answerError('target_not_found', 'No target has this id.');
    }
    return change(store, (windows, now) => apply(windows, found.data, now));
  });
}

/** Runs go on meanwhile, and so do other changes: none of them is lost. */
async function change(
  store: Store,
  apply: (windows: readonly Maintenance[], now: number) => readonly Maintenance[],
): Promise<Response> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const { fields } = await store.read({ fields: [MAINTENANCE_FIELD], logs: [] });
    const expected = fields.get(MAINTENANCE_FIELD) ?? null;
    const now = store.now();
    const windows = apply(readableMaintenance(expected), now);
    const open = openWindows(windows, now);
    if (open.length > WINDOWS_KEPT) {
      const message = `${WINDOWS_KEPT} are in force already: end one, or begin one for all targets.`;
      return answerError('maintenance_full', message);
    }
    const value = writeMaintenance(windows);
    if (value === expected || (await store.swap({ field: MAINTENANCE_FIELD, expected, value }))) {
      const answer: MaintenanceWindows = { maintenance: open.map(windowView) };
      return answerJson(answer);
    }
    await delay(Math.random() * LONGEST_PAUSE);
  }
  return answerError('conflict', 'Others change the maintenance at this moment: try again.');
}

function windowView({ target, from, to, reason }: Maintenance): MaintenanceWindow {
  return { target, from: new Date(from).toISOString(), until: new Date(to).toISOString(), reason };
}

/** What the body says, and `target` of the query besides. */
async function readFields(request: Request): Promise<unknown> {
  let text: string | null;
  try {
    text = await readText(request, BODY_LIMIT);
  } catch {
    return badRequest('the body: it broke off');
  }
  if (text === null) {
    return answerError('too_large', `The body may have ${BODY_LIMIT} bytes at most.`);
  }
  let body: unknown;
  try {
    body = text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    return badRequest('the body: expected JSON');
  }
  const asked = new URL(request.url).searchParams.get('target');
  if (asked === null || typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  if ('target' in body && body.target !== asked) {
    return badRequest('target: the query and the body name different ones');
  }
  return { ...body, target: asked };
}

function badRequest(message: string): Response {
  return answerError('bad_request', message);
}

function form<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const names = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `${issue.keys.map((key) => JSON.stringify(key.slice(0, 40))).join(', ')}: unknown, expected ${names}`
        : `the body: expected a JSON object with ${names}`,
  });
}
