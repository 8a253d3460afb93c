import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { NO_NOTES, type Notes } from '../rules/announce.js';
import { EMPTY_OUTBOX, type Outbox, type PendingAlert } from '../rules/outbox.js';
import type { Alert, ChannelName } from '../types.js';
import { TextError } from './text.js';

/** Stands beside the state, so that what came of deliveries is committed without writing the state again. */

const VERSION = 1;
/** Greater numbers are times. */
const TIMES_FROM = 1e11;

/**
 * What most outboxes hold: deflate refers to it instead of repeating it.
 * A text can be read only with the dictionary that it was written with: change it with VERSION, never alone.
 */
const dictionary = Buffer.from(
  '"expiresAt","number","max","answer","from","to","gap","wakeMs","restarts","transitions","status","was","now","endedAt"' +
    ',"troubles":{"webhook":{"since":-1,"failures":1,"nextAt":,"permanent":true,"message":"answered 404","dropped":1}}' +
    ',"missed":{"at":-60001,"length":300000}"pagerduty","telegram","discord","apprise","certificate","person_needed","reminder","missed","restart","slept"' +
    '"request timed out""connection refused""connection reset""name not found""certificate has expired""status 502, expected 200-299""status 503, expected 200-299"' +
    '["flapping"]["degraded"]["up"]["email":0]["ntfy":0]["webhook":0]{"alerts":[],"restarts":[[["id","target","at","number","max","to"],[' +
    '"troubles":{},"notes":[["told","transitions","certificate","sleptAt","lastRestartAt","restarts","failures","exhausted","events"' +
    '{"kind":"restart","at":-1,"answer":"answered 200"},{"kind":"alert","at":-1,"alert":"down"}' +
    '],[[],[null],[0],[false],[[]],"missed":null}' +
    '{"alerts":[["kind","target","startedAt","failures","message","id","at","to"],["down"],["api"],[-120001],[3],["status 500, expected 200-299"],["mk0ztj3w-100-1"],[-1],[{"slack":0}]],"restarts":[],"troubles":{},' +
    '"notes":[["id","told","transitions","events"],["api"],[{"status":"down","startedAt":-120001,"endedAt":null,"saidAt":-1,"to":["slack"],"remindedAt":-1}],[[-1]],[[{"kind":"alert","at":-1,"alert":"down"}]]],"missed":null}',
);

/**
 * Empty when there is nothing to remember; else deflated JSON in base64, in which each property of alerts and notes is
 * one column and times in the past are distances from `now`.
 */
export function writeOutbox(outbox: Outbox, now: number): string {
  const { alerts, restarts, troubles, undelivered, moved, notes, missed, slowPace } = outbox;
  const isEmpty =
    alerts.length + restarts.length + notes.size === 0 &&
    [troubles, undelivered, moved].every((record) => Object.keys(record).length === 0) &&
    missed === null &&
    slowPace === null;
  if (isEmpty) return '';
  const columns = {
    alerts: toColumns(alerts.map(({ alert, to, ...knew }) => ({ ...alert, sentTo: to, ...knew }))),
    restarts,
    troubles,
    notes: toColumns([...notes].map(([id, known]) => ({ id, ...said(known) }))),
    missed,
    ...(slowPace === null ? {} : { slowPace }),
    // Texts of 0.1.0 do not have these two.
    ...(Object.keys(undelivered).length > 0 && { undelivered }),
    ...(Object.keys(moved).length > 0 && { moved }),
  };
  const json = JSON.stringify(columns, (_, value: unknown) =>
    typeof value === 'number' && value > TIMES_FROM && value <= now ? value - now - 1 : value,
  );
  return deflateRawSync(`${VERSION} ${now} ${json}`, { level: 9, dictionary }).toString('base64');
}

/** @throws TextError for what `writeOutbox` did not write. */
export function readOutbox(source: string | null): Outbox {
  if (source === null || source === '') return EMPTY_OUTBOX;
  const { alerts, restarts, troubles, undelivered, moved, notes, missed, slowPace = null } = parse(source);
  return {
    alerts: fromColumns(alerts).map(({ sentTo, knew, ...alert }) => ({
      alert: alert as unknown as Alert,
      to: sentTo as PendingAlert['to'],
      ...(knew !== undefined && { knew: knew as readonly ChannelName[] }),
    })),
    restarts,
    troubles,
    undelivered: undelivered ?? droppedOf(troubles),
    moved: moved ?? {},
    notes: new Map(fromColumns(notes).map(({ id, ...known }) => [String(id), { ...NO_NOTES, ...known }])),
    missed,
    slowPace,
  };
}

/** 0.1.0 counted what a channel never got with its trouble. */
function droppedOf(troubles: Outbox['troubles']): Outbox['undelivered'] {
  const counts = Object.entries(troubles).map(
    ([channel, trouble]) => [channel, (trouble as { dropped?: number }).dropped ?? 0] as const,
  );
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

/** What texts of 0.1.0 do not have is optional. */
interface Columns
  extends
    Pick<Outbox, 'restarts' | 'troubles' | 'missed'>,
    Partial<Pick<Outbox, 'undelivered' | 'moved' | 'slowPace'>> {
  readonly alerts: Table;
  readonly notes: Table;
}

function parse(source: string): Columns {
  try {
    const text = inflateRawSync(Buffer.from(source, 'base64'), { dictionary }).toString();
    const [, version, now, json = ''] = /^(\d+) (\d+) (.*)$/s.exec(text) ?? [];
    if (Number(version) === VERSION) {
      return JSON.parse(json, (_, value: unknown) =>
        typeof value === 'number' && value < 0 ? value + Number(now) + 1 : value,
      ) as Columns;
    }
  } catch (cause) {
    throw new TextError('the outbox is not readable', { cause });
  }
  throw new TextError('the outbox was written by another version of Keepalive');
}

/** The part of the notes that says something. */
function said(notes: Notes): Partial<Notes> {
  const entries = Object.entries(notes) as [keyof Notes, unknown][];
  return Object.fromEntries(
    entries.filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(NO_NOTES[name])),
  );
}

/** The names of the properties, then a column for each; false where a row has no such property. */
type Table = readonly [names: readonly string[], ...columns: (readonly unknown[])[]];

function toColumns(rows: readonly object[]): Table {
  const maps = rows.map((row) => new Map<string, unknown>(Object.entries(row)));
  const names = [...new Set(maps.flatMap((row) => [...row.keys()]))];
  return [
    names,
    ...names.map((name) => maps.map((row) => (row.has(name) ? (row.get(name) ?? null) : false))),
  ];
}

function fromColumns([names, ...columns]: Table): Record<string, unknown>[] {
  return (columns[0] ?? []).map((_, i) =>
    Object.fromEntries(
      names.map((name, n) => [name, columns[n]?.[i]] as const).filter(([, value]) => value !== false),
    ),
  );
}
