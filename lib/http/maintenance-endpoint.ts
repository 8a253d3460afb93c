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
import { answerChange, changeField, formOf, targetField } from './operator-change.js';
import { answerError, answerJson } from './responses.js';
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

const MINUTES = `minutes: expected a number above 0, at most ${LONGEST_MINUTES}`;
const REASON = 'reason: expected one line of at most 200 characters';
const LONGEST_REASON = 200;

const COMMON = { query: ['target'], limit: 4 * 1024, danger: 'mute alerts' } as const;
const BEGIN = formOf({
  target: targetField,
  minutes: z.number(MINUTES).check(z.gt(0, MINUTES), z.lte(LONGEST_MINUTES, MINUTES)),
  reason: z.optional(z.nullable(z.string(REASON).check(z.refine(isReason, REASON)))),
});
const END = formOf({ target: targetField });

function isReason(text: string): boolean {
  return isSingleLine(text) && Array.from(text).length <= LONGEST_REASON;
}

/** `POST /api/maintenance` */
export function answerBegin(request: Request): Promise<Response> {
  return answerChange(
    request,
    { ...COMMON, form: BEGIN },
    ({ target = null, minutes, reason = null }, store) =>
      change(store, (windows, now) =>
        begin(windows, {
          target,
          from: now,
          to: now + Math.max(1, Math.round(minutes * MINUTE)),
          reason: reason?.trim() || null,
        }),
      ),
  );
}

/** `DELETE /api/maintenance` */
export function answerEnd(request: Request): Promise<Response> {
  return answerChange(request, { ...COMMON, form: END }, ({ target = null }, store) =>
    change(store, (windows, now) => end(windows, target, now)),
  );
}

function change(
  store: Store,
  apply: (windows: readonly Maintenance[], now: number) => readonly Maintenance[],
): Promise<Response> {
  return changeField(store, MAINTENANCE_FIELD, (text, now) => {
    const windows = apply(readableMaintenance(text), now);
    const open = openWindows(windows, now);
    if (open.length > WINDOWS_KEPT) {
      const message = `${WINDOWS_KEPT} are in force already: end one, or begin one for all targets.`;
      return answerError('maintenance_full', message);
    }
    return {
      value: writeMaintenance(windows),
      answer: () => {
        const answer: MaintenanceWindows = { maintenance: open.map(windowView) };
        return answerJson(answer);
      },
    };
  });
}

function windowView({ target, from, to, reason }: Maintenance): MaintenanceWindow {
  return { target, from: new Date(from).toISOString(), until: new Date(to).toISOString(), reason };
}
