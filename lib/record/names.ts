import { incidentFields } from './incidents.js';
import { STATE_FIELD } from './ledger.js';
import { MAINTENANCE_FIELD } from './maintenance.js';
import { markFields } from './marks.js';
import { OUTBOX_FIELD } from './outbox.js';
import type { State } from './state.js';

/** What stands beside the history and is read with it. */
export const HEAD_FIELDS: readonly string[] = [STATE_FIELD, OUTBOX_FIELD, MAINTENANCE_FIELD];

/** The fields of the history that an installation in this state may have; none before the first run. */
export function historyFields(state: State | null): string[] {
  if (state === null) return [];
  const incidents = state.targets.flatMap((target, slot) =>
    incidentFields(slot).slice(0, target?.incidents ?? 0),
  );
  return [...markFields(), ...incidents];
}
