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
}

/** The field of a slot's incident; `number` counts from 0. */
export function incidentField(slot: number, number: number): string {
  return `i${slot}.${number % INCIDENTS_KEPT}`;
}

export function incidentFields(slot: number): string[] {
  return Array.from({ length: INCIDENTS_KEPT }, (_, number) => incidentField(slot, number));
}

export function writeIncident({ startedAt, endedAt, message }: Incident): string {
  return JSON.stringify([startedAt, endedAt, message]);
}

export function readIncident(text: string): Incident {
  const json: unknown = JSON.parse(text);
  if (!Array.isArray(json)) throw new TextError('an incident is not readable');
  const [startedAt, endedAt, message] = json as [number, number | null, string];
  return { startedAt, endedAt, message };
}
