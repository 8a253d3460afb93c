import type { IncidentEvent } from '../rules/announce.js';
import type { TargetAlert } from '../types.js';
import { TextError } from './text.js';

/** How many incidents of a target are kept. */
const INCIDENTS_KEPT = 100;

export interface Incident {
  /** The first failed check of the series that led to `down`. */
  readonly startedAt: number;
  /** The first good check of the series that ended it; null: open. */
  readonly endedAt: number | null;
  /** Of the check with which the target was down. */
  readonly message: string;
  /** What was done about it, in the order of time. */
  readonly events: readonly IncidentEvent[];
  /** How much of it no check speaks for, ms; null: not known, since it began under a version that did not count that. */
  readonly unobserved: number | null;
}

/** The field of a slot's incident; `number` counts from 0. */
export function incidentField(slot: number, number: number): string {
  return `i${slot}.${number % INCIDENTS_KEPT}`;
}

export function incidentFields(slot: number): string[] {
  return Array.from({ length: INCIDENTS_KEPT }, (_, number) => incidentField(slot, number));
}

export function writeIncident({ startedAt, endedAt, message, events, unobserved }: Incident): string {
  const packed = events.map((event): PackedEvent =>
    event.kind === 'alert' ? [event.at, 0, event.alert] : [event.at, 1, event.answer],
  );
  return JSON.stringify([
    ...[startedAt, endedAt, message],
    ...(packed.length > 0 || unobserved !== null ? [packed] : []),
    ...(unobserved === null ? [] : [unobserved]),
  ]);
}

export function readIncident(text: string): Incident {
  const json: unknown = JSON.parse(text);
  if (!Array.isArray(json)) throw new TextError('an incident is not readable');
  const [startedAt, endedAt, message, packed = [], unobserved = null] = json as [
    number,
    number | null,
    string,
    PackedEvent[]?,
    number?,
  ];
  const events = packed.map(([at, kind, what]): IncidentEvent =>
    kind === 0 ? { kind: 'alert', at, alert: what } : { kind: 'restart', at, answer: what },
  );
  return { startedAt, endedAt, message, events, unobserved };
}

type PackedEvent =
  | readonly [at: number, kind: 0, alert: TargetAlert['kind']]
  | readonly [at: number, kind: 1, answer: string | null];
