import { OperatorError } from '../operator-error.js';
import { readIncident } from '../record/incidents.js';
import { readDirectory, readShards } from '../record/directory.js';
import {
  DIRECTORY_FIELD,
  MAILING_FIELD,
  MAINTENANCE_FIELD,
  NOTES_FIELD,
  OUTBOX_FIELD,
  SHARDS_FIELD,
  SLOTS_FIELD,
  SHARED_FIELDS,
  STATE_FIELD,
  SUBSCRIBERS_FIELD,
} from '../record/fields.js';
import { logNames } from '../record/log.js';
import { readMaintenance } from '../record/maintenance.js';
import { readMailing } from '../record/mailing-text.js';
import { readNotes } from '../record/notes.js';
import { readSubscribers } from '../record/subscribers.js';
import { checkSnapshot } from '../record/snapshots.js';
import { historyFields } from '../record/names.js';
import { readOutbox } from '../record/outbox-text.js';
import { readState } from '../record/state.js';
import { TextError } from '../record/codec/text-error.js';
import { nameInShard, shardOfName } from '../store/store.js';

/** All data of an installation. */
export interface Dump {
  readonly fields: ReadonlyMap<string, string>;
  readonly logs: ReadonlyMap<string, string>;
}

/** Why data cannot be moved; the message is for the operator. */
export class TransferError extends OperatorError {
  override readonly name = 'TransferError';
}

const VERSION = 1;
const LOG_NAMES = new Set(logNames());
/** Characters of one text: far more than any is long, and as JSON still within one request to Upstash (10 MB). */
const TEXT_LIMIT = 1_500_000;

/** As JSON Lines: what it is, a line a field, a line a log, and how many there were. */
export function* writeDump({ fields, logs }: Dump, exportedAt: number): Generator<string> {
  const line = (value: object): string => `${JSON.stringify(value)}\n`;
  yield line({ keepalive: 'export', version: VERSION, exportedAt: new Date(exportedAt).toISOString() });
  for (const [field, value] of fields) yield line({ field, value });
  for (const [log, text] of logs) yield line({ log, text });
  yield line({ end: true, fields: fields.size, logs: logs.size });
}

/** @throws TransferError for what is not, to its end, what `writeDump` wrote of data that can be read. */
export function readDump(source: string): Dump {
  const { lineOf, ...dump } = parseDump(source);
  checkFields(dump.fields, lineOf);
  return dump;
}

/**
 * The texts of an export, whether or not they can be read. `lineOf`: the line of each field.
 * @throws TransferError for what is not, to its end, what `writeDump` wrote
 */
export function parseDump(source: string): Dump & { readonly lineOf: ReadonlyMap<string, number> } {
  const lines = source.split('\n');
  if (lines.at(-1) === '') lines.pop();
  const fields = new Map<string, string>();
  const logs = new Map<string, string>();
  const lineOf = new Map<string, number>();
  const add = (to: Map<string, string>, name: string, text: string, line: number): void => {
    if (to.has(name)) throw new TransferError(`Line ${line}: it repeats an earlier one.`);
    if (text.length > TEXT_LIMIT) throw new TransferError(`Line ${line}: its text is too long.`);
    to.set(name, text);
    if (to === fields) lineOf.set(name, line);
  };
  checkHeader(lines[0]);
  let isEnded = false;
  for (const [index, text] of lines.entries()) {
    const line = index + 1;
    if (line === 1) continue;
    if (isEnded) throw new TransferError(`Line ${line}: nothing may follow the last line of an export.`);
    const parsed = parse(text);
    if (parsed === null && line === lines.length) throw new TransferError(cutOff(line));
    const { field, value, log, text: logged, end } = parsed ?? {};
    if (typeof field === 'string' && isFieldText(value)) add(fields, field, value, line);
    else if (typeof log === 'string' && isLogText(logged)) {
      if (!LOG_NAMES.has(log.replace(/:\d{1,6}$/, '')))
        throw new TransferError(`Line ${line}: there is no such log.`);
      add(logs, log, logged, line);
    } else if (end === true) {
      if (parsed?.fields !== fields.size || parsed.logs !== logs.size) {
        throw new TransferError(
          `Line ${line}: the export is not complete, lines are missing before this one.`,
        );
      }
      isEnded = true;
    } else throw new TransferError(`Line ${line}: it is not a line of an export.`);
  }
  if (!isEnded) throw new TransferError(cutOff(lines.length));
  return { fields, logs, lineOf };
}

/** Whether a text begins as an export of Keepalive does. */
export function isDump(source: string): boolean {
  return parse(source.split('\n', 1)[0] ?? '')?.keepalive === 'export';
}

function checkHeader(text = ''): void {
  const header = parse(text);
  if (header?.keepalive !== 'export') throw new TransferError('This is no export of Keepalive.');
  if (header.version !== VERSION) {
    throw new TransferError('The export was written by another version of Keepalive.');
  }
}

function cutOff(line: number): string {
  return `The export is cut off at line ${line}.`;
}

function parse(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** The store keeps Unicode without NUL. */
function isFieldText(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('\0') && Buffer.from(value).toString() === value;
}

function isLogText(value: unknown): value is string {
  // eslint-disable-next-line no-control-regex -- NUL stands where a log was never written.
  return typeof value === 'string' && /^[\x00-\x7f]+$/.test(value);
}

/** Reads every field as runs and pages will, so that nothing is stored that they cannot read. */
function checkFields(fields: ReadonlyMap<string, string>, lineOf: ReadonlyMap<string, number>): void {
  const reading = <T>(name: string, read: (text: string) => T): T | null => {
    const text = fields.get(name);
    const line = lineOf.get(name);
    if (text === undefined || line === undefined) return null;
    try {
      return read(text);
    } catch (cause) {
      const reason = cause instanceof TextError ? `: ${cause.message}` : '';
      throw new TransferError(`Line ${line} cannot be read${reason}.`, { cause });
    }
  };
  const known = new Set(SHARED_FIELDS);
  for (const shard of new Set([...fields.keys()].map(shardOfName))) {
    const nameOf = (name: string): string => nameInShard(name, shard);
    const state = reading(nameOf(STATE_FIELD), readState);
    reading(nameOf(OUTBOX_FIELD), readOutbox);
    reading(nameOf(MAILING_FIELD), (text) => readMailing(text, 0));
    const history = historyFields(state);
    for (const name of history) {
      // Nobody takes the word of a list of slots that does not agree with the state.
      if (name === SLOTS_FIELD) continue;
      reading(nameOf(name), name.startsWith('i') ? readIncident : (text) => checkSnapshot(name, text));
    }
    for (const name of [STATE_FIELD, OUTBOX_FIELD, MAILING_FIELD, ...history]) known.add(nameOf(name));
  }
  reading(MAINTENANCE_FIELD, readMaintenance);
  reading(NOTES_FIELD, readNotes);
  reading(SUBSCRIBERS_FIELD, readSubscribers);
  reading(DIRECTORY_FIELD, readDirectory);
  reading(SHARDS_FIELD, readShards);
  for (const [name, line] of lineOf) {
    if (!known.has(name)) throw new TransferError(`Line ${line}: the state knows of no such field.`);
  }
}
