import type { IncidentEvent } from '../rules/alert-evaluation.js';
import { TARGET_ALERT_CODES } from './codes.js';
import { readEnvelope, writeEnvelope } from './codec/envelope.js';
import { asList, asNumber, asText, asTime, orNull, parseJson } from './codec/json.js';
import { NewerTextError, TextError } from './codec/text-error.js';

/** Of the format of an incident. Version 1 has the same body and no version before it. */
const VERSION = 2;

/** How many incidents of a target are kept. */
export const INCIDENTS_KEPT = 100;

export interface Incident {
  /** The first failed check of the series that led to `down`. */
  readonly startedAt: number;
  /** The first good check of the series that ended it; null: open. */
  readonly endedAt: number | null;
  /** Of the check with which the target was down. */
  readonly message: string;
  /** What was done about it, in the order of time. */
  readonly events: readonly IncidentEvent[];
  /**
   * How much of it no check speaks for, ms; null: not known, since it began under a version that did not count that.
   */
  readonly unobserved: number | null;
}

/** The field of a slot's incident; `number` counts from 0. */
export function incidentField(slot: number, number: number): string {
  return `i${slot}.${number % INCIDENTS_KEPT}`;
}

export function incidentFields(slot: number): string[] {
  return Array.from({ length: INCIDENTS_KEPT }, (_, number) => incidentField(slot, number));
}

/**
 * An incident is the envelope with the version (codec/envelope.ts), then a JSON list: when it began, when it ended, the
 * message, then its events and `unobserved`, each left out where nothing follows. An event is a list of its time, 0 and
 * the alert's kind, or its time, 1 and the answer.
 *
 * Worked value: ` 2[1767614400000,1767614700000,"request timed out",[[1767614520000,0,"down"]],0]`.
 */
export function writeIncident({ startedAt, endedAt, message, events, unobserved }: Incident): string {
  const packed = events.map((event) =>
    event.kind === 'alert' ? [event.at, 0, event.alert] : [event.at, 1, event.answer],
  );
  const body = JSON.stringify([
    ...[startedAt, endedAt, message],
    ...(packed.length > 0 || unobserved !== null ? [packed] : []),
    ...(unobserved === null ? [] : [unobserved]),
  ]);
  return writeEnvelope(VERSION, body);
}

/** @throws TextError for what is no incident */
export function readIncident(text: string): Incident {
  const { body } = readEnvelope(text, 'an incident', VERSION);
  const [startedAt, endedAt, message, events = [], unobserved = null] = asList(
    parseJson(body, 'an incident'),
  );
  return {
    startedAt: asTime(startedAt),
    endedAt: orNull(endedAt, asTime),
    message: asText(message),
    events: asList(events).map(readEvent),
    unobserved: orNull(unobserved, asNumber),
  };
}

function readEvent(packed: unknown): IncidentEvent {
  const [time, kind, what = null] = asList(packed);
  const at = asTime(time);
  if (kind === 1) return { kind: 'restart', at, answer: orNull(what, asText) };
  if (kind !== 0) throw new TextError('an event of an incident is of no kind');
  const alert = asText(what);
  if (!isTargetAlert(alert)) throw new NewerTextError('an event of an incident is an unknown alert');
  return { kind: 'alert', at, alert };
}

function isTargetAlert(kind: string): kind is (IncidentEvent & { kind: 'alert' })['alert'] {
  return Object.hasOwn(TARGET_ALERT_CODES, kind);
}
