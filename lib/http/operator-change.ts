import { setTimeout as delay } from 'node:timers/promises';
import * as z from '#zod';
import type { Config } from '../config/config.js';
import { readShards } from '../record/directory.js';
import { SHARDS_FIELD } from '../record/fields.js';
import { groupsWithCopies, updateCopies } from '../store/shared-copies.js';
import type { Store } from '../store/store.js';
import { answerError, bears } from './responses.js';
import { readText } from './request-body.js';
import { noStore, withApp } from './endpoints.js';

/** How often a change is tried while others change the same. */
const ATTEMPTS = 10;
/** Ms between two attempts at most: where a store is replicated, what was read may be older than what is there. */
const LONGEST_PAUSE = 200;

const TARGET = "target: expected a target's id, or nothing for all targets";

/** The target that a request names; nothing: all. */
export const targetField = z.optional(z.nullable(z.string(TARGET)));

export interface ChangeRequest<T> {
  /** What the body may hold. */
  readonly form: z.ZodMiniType<T>;
  /** Fields that may stand in the query as well. */
  readonly query: readonly string[];
  /** Bytes of the body at most. */
  readonly limit: number;
  /** What anybody could do if there were no secret: "mute alerts". */
  readonly danger: string;
}

/** A change that only the operator may make: asks for the secret, reads the request, and looks its target up. */
export function answerChange<T extends { readonly target?: string | null | undefined }>(
  request: Request,
  { form, query, limit, danger }: ChangeRequest<T>,
  change: (found: T, store: Store, config: Config) => Promise<Response>,
): Promise<Response> {
  return withApp(request, async ({ config, store }) => {
    const { cronSecret } = config;
    if (cronSecret === null) {
      return answerError('cron_secret_missing', `Set CRON_SECRET: without it anybody could ${danger}.`);
    }
    if (!bears(request, cronSecret)) {
      return answerError('unauthorized', 'Send CRON_SECRET as a bearer.');
    }
    if (store === null) return noStore();
    const given = await readFields(request, query, limit);
    if (given instanceof Response) return given;
    const found = form.safeParse(given);
    if (!found.success) {
      return badRequest([...new Set(found.error.issues.map(({ message }) => message))].join('; '));
    }
    const { target = null } = found.data;
    if (target !== null && !config.targets.some(({ info }) => info.id === target)) {
      return answerError('target_not_found', 'No target has this id.');
    }
    return change(found.data, store, config);
  });
}

/** What a field is to hold, and the answer once it does. */
export interface Change {
  readonly value: string;
  readonly answer: () => Response;
}

/**
 * Changes one field of what all shards share. Runs go on meanwhile, and so do other changes: none of them is lost.
 * @param apply makes the change of what the field holds (null: nothing), or the refusal
 */
export async function changeField(
  store: Store,
  field: string,
  apply: (text: string | null, now: number) => Change | Response,
): Promise<Response> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const { fields } = await store.read({ fields: [field, SHARDS_FIELD], logs: [] });
    const expected = fields.get(field) ?? null;
    const change = apply(expected, store.now());
    if (change instanceof Response) return change;
    const { value, answer } = change;
    if (value === expected || (await store.swap({ field, expected, value }))) {
      const shards = readShards(fields.get(SHARDS_FIELD) ?? null)?.count ?? 1;
      await updateCopies(store, [field], groupsWithCopies(shards));
      return answer();
    }
    await delay(Math.random() * LONGEST_PAUSE);
  }
  return answerError('conflict', `Others change the ${field} at this moment: try again.`);
}

/** What the body says, and what the query says besides. */
async function readFields(request: Request, query: readonly string[], limit: number): Promise<unknown> {
  let text: string | null;
  try {
    text = await readText(request, limit);
  } catch {
    return badRequest('the body: it broke off');
  }
  if (text === null) {
    return answerError('too_large', `The body may have ${limit} bytes at most.`);
  }
  let body: unknown;
  try {
    body = text.trim() === '' ? {} : JSON.parse(text);
  } catch {
    return badRequest('the body: expected JSON');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const { searchParams } = new URL(request.url);
  const given = new Map(Object.entries(body));
  for (const name of query) {
    const asked = searchParams.get(name);
    if (asked === null) continue;
    if (given.has(name) && given.get(name) !== asked) {
      return badRequest(`${name}: the query and the body name different ones`);
    }
    given.set(name, asked);
  }
  return Object.fromEntries(given);
}

export function badRequest(message: string): Response {
  return answerError('bad_request', message);
}

export function formOf<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const names = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `${issue.keys.map((key) => JSON.stringify(key.slice(0, 40))).join(', ')}: unknown, expected ${names}`
        : `the body: expected a JSON object with ${names}`,
  });
}
