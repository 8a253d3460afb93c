/** The stored fields beside the history, by name. */
export const STATE_FIELD = 'state';
export const OUTBOX_FIELD = 'outbox';
/** Which target has which slot, as the state says (excerpt.ts). It is written anew every hour. */
export const SLOTS_FIELD = 'slots';
/** Maintenance that was begun over HTTP. Runs read this field and never write it. */
export const MAINTENANCE_FIELD = 'maintenance';
/** The operator's notes. Runs neither read nor write this field. */
export const NOTES_FIELD = 'notes';

/** Who gets mails. Runs read this field where there is something to tell, and take out who has no mailbox any more. */
export const SUBSCRIBERS_FIELD = 'subscribers';
/** What subscribers are to be told, and how far that is done. */
export const MAILING_FIELD = 'mailing';
/** When the last note was about to be written: a run reads the notes where this has changed. */
export const NOTE_MARK_FIELD = 'note-mark';
/** The mails that the form for subscribers has sent lately. It is worth nothing after a day, and is not exported. */
export const MAIL_REQUESTS_FIELD = 'mail-requests';

/** What a run reads when it begins. */
export const HEAD_FIELDS: readonly string[] = [STATE_FIELD, OUTBOX_FIELD, MAINTENANCE_FIELD];

/** The same where visitors may subscribe. */
export const MAILING_HEAD_FIELDS: readonly string[] = [...HEAD_FIELDS, MAILING_FIELD, NOTE_MARK_FIELD];

/** What came of messages that were sent for several shards (rules/joint-delivery.ts). */
export const DELIVERIES_FIELD = 'deliveries';
/** A copy of it in each database beside the first that holds shards. It may be old, and is not exported. */
export const DELIVERIES_COPY_FIELD = 'deliveries-copy';

/** In which shard each target lives (directory.ts). */
export const DIRECTORY_FIELD = 'directory';
/** How many shards there are, and which directory is in force; absent where there is but one. */
export const SHARDS_FIELD = 'shards';

/** What all shards share, and is kept for good. */
export const SHARED_FIELDS: readonly string[] = [
  MAINTENANCE_FIELD,
  NOTES_FIELD,
  SUBSCRIBERS_FIELD,
  DIRECTORY_FIELD,
  SHARDS_FIELD,
];

/** All fields of an installation with one shard but those of the history. */
export const MAIN_FIELDS: readonly string[] = [STATE_FIELD, OUTBOX_FIELD, MAILING_FIELD, ...SHARED_FIELDS];

/** Of what all shards share, that of which there is a copy wherever shards are stored together. */
export const COPIED_FIELDS: readonly string[] = [
  ...[MAINTENANCE_FIELD, NOTES_FIELD, SUBSCRIBERS_FIELD],
  ...[MAIL_REQUESTS_FIELD, NOTE_MARK_FIELD],
];

/** Every store is opened with these names: what only the holder of the lease writes, and what all shards share. */
export const STORE_FIELDS = {
  guarded: new Set([STATE_FIELD, OUTBOX_FIELD, MAILING_FIELD, DELIVERIES_FIELD]) as ReadonlySet<string>,
  shared: new Set([...SHARED_FIELDS, ...COPIED_FIELDS]) as ReadonlySet<string>,
};
