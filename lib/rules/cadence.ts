import { DAY, MINUTE } from '../time.js';

/** A cron schedule and how often it calls. */
export interface Cadence {
  readonly cron: string;
  /** Ms between two calls. */
  readonly period: number;
  readonly callsADay: number;
}

const MINUTES_A_DAY = DAY / MINUTE;
/** Periods in minutes that divide an hour or a day, so that a cron expression can keep them evenly. */
const STEPS = Array.from({ length: MINUTES_A_DAY }, (_, index) => index + 1).filter((minutes) =>
  minutes < 60 ? 60 % minutes === 0 : minutes % 60 === 0 && MINUTES_A_DAY % minutes === 0,
);

/** The cadence nearest to a tick (ms) that is not slower; a minute where the tick is shorter. */
export function cadenceOf(tick: number): Cadence {
  return cadence(STEPS.findLast((step) => step * MINUTE <= tick) ?? 1);
}

/** The quickest cadence with at most so many calls a day. */
export function cadenceWithin(callsADay: number): Cadence {
  return cadence(STEPS.find((step) => MINUTES_A_DAY / step <= callsADay) ?? MINUTES_A_DAY);
}

function cadence(minutes: number): Cadence {
  return { cron: cronOf(minutes), period: minutes * MINUTE, callsADay: MINUTES_A_DAY / minutes };
}

function cronOf(minutes: number): string {
  if (minutes < 60) return `${every(minutes)} * * * *`;
  return minutes < MINUTES_A_DAY ? `0 ${every(minutes / 60)} * * *` : '0 0 * * *';
}

function every(step: number): string {
  return step === 1 ? '*' : `*/${step}`;
}

/**
 * How many calls a day a cron expression makes at most, whatever its days are; null where it is none. A time zone
 * (`CRON_TZ=…`) may stand before it.
 */
export function callsADayOf(cron: string): number | null {
  const fields = cron.replace(/^CRON_TZ=\S+/, '').match(/\S+/g) ?? [];
  if (fields.length !== 5) return null;
  const [minute = '', hour = ''] = fields;
  const minutes = valuesOf(minute, 60);
  const hours = valuesOf(hour, 24);
  return minutes === null || hours === null ? null : minutes * hours;
}

/** How many values below `end` a field such as `0-20/5` or `1,31` names; null where it is none. */
function valuesOf(field: string, end: number): number | null {
  const values = new Set<number>();
  for (const part of field.split(',')) {
    const [, all, first, last, step] = /^(?:(\*)|(\d{1,2})(?:-(\d{1,2}))?)(?:\/(\d{1,2}))?$/.exec(part) ?? [];
    if (all === undefined && first === undefined) return null;
    const from = Number(first ?? 0);
    const to =
      all !== undefined || (last === undefined && step !== undefined) ? end - 1 : Number(last ?? from);
    const by = Number(step ?? 1);
    if (by === 0 || from > to || to >= end) return null;
    for (let each = from; each <= to; each += by) values.add(each);
  }
  return values.size;
}
