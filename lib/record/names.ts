import { SLOTS_FIELD } from './fields.js';
import { incidentFields } from './incidents.js';
import { snapshotFields } from './snapshots.js';
import type { State } from './state-model.js';

/** The fields of the history that an installation in this state may have; none before the first run. */
export function historyFields(state: State | null): string[] {
  if (state === null) return [];
  const incidents = state.targets.flatMap((target, slot) =>
    target === null ? [] : incidentFields(slot).slice(0, target.incidents),
  );
  return [SLOTS_FIELD, ...snapshotFields(), ...incidents];
}
