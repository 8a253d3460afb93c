/** The stored fields beside the history, by name. */
export const STATE_FIELD = 'state';
export const OUTBOX_FIELD = 'outbox';
/** Maintenance that was begun over HTTP. Runs read this field and never write it. */
export const MAINTENANCE_FIELD = 'maintenance';
/** The operator's notes. Runs neither read nor write this field. */
export const NOTES_FIELD = 'notes';

/** What a run reads when it begins. */
export const HEAD_FIELDS: readonly string[] = [STATE_FIELD, OUTBOX_FIELD, MAINTENANCE_FIELD];

/** All fields but those of the history. */
export const MAIN_FIELDS: readonly string[] = [...HEAD_FIELDS, NOTES_FIELD];

/** What only the holder of the lease writes: every store is opened with these names. */
export const GUARDED_FIELDS: ReadonlySet<string> = new Set([STATE_FIELD, OUTBOX_FIELD]);
