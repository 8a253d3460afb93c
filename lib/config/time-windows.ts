import type { MaintenanceWindow, WeeklyWindow } from '../types.js';
import { isSingleLine } from '../single-line.js';
import { isOff, parseDuration, value } from './values.js';

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const DAY_MINUTES = 1440;

const WEEKLY = 'Mon-Fri 08:00-20:00 Europe/Paris';

/** One weekly window; null for `always`. Days and time zone may be left out: every day, UTC. */
export const activeHours = value(
  `hours such as ${WEEKLY}, or always`,
  (text): WeeklyWindow | null | undefined => (/^always$/i.test(text) ? null : parseWeekly(text)),
);

/** Windows with `;` between, each with its reason in brackets where it has one; empty for `off`. */
export const maintenance = value(
  'windows such as 2026-12-01T02:00Z/2h (new disks) or Sun 02:00-03:00 UTC with ; between (none in a reason, which has 200 characters at most), or off',
  (text): MaintenanceWindow[] | undefined => {
    if (isOff(text)) return [];
    const entries = text
      .split(';')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== '');
    const windows = entries.map(parseWindow);
    return windows.includes(undefined) ? undefined : windows.filter((window) => window !== undefined);
  },
  { kind: 'list', separator: ';' },
);

/** Characters of a reason at most. */
export const LONGEST_REASON = 200;

function parseWindow(entry: string): MaintenanceWindow | undefined {
  const begins = entry.endsWith(')') ? entry.indexOf('(') : -1;
  const reason = begins < 0 ? '' : entry.slice(begins + 1, -1).trim();
  const text = begins < 0 ? entry : entry.slice(0, begins).trim();
  const window = parseOnce(text) ?? parseRepeated(text);
  if (window === undefined || begins < 0) return window;
  const isFit = reason !== '' && isSingleLine(reason) && Array.from(reason).length <= LONGEST_REASON;
  return isFit ? { ...window, reason } : undefined;
}

function parseRepeated(text: string): MaintenanceWindow | undefined {
  const window = parseWeekly(text);
  return window && { kind: 'weekly', window };
}

/** `2026-12-01T02:00Z/2h`; seconds may follow, and an offset such as +01:00 may stand for Z. */
function parseOnce(text: string): MaintenanceWindow | undefined {
  const [, date, time, zone, length] =
    /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d)?)(Z|[+-]\d\d:\d\d)\s*\/\s*(\S+)$/i.exec(text) ?? [];
  if (date === undefined || time === undefined || zone === undefined || length === undefined)
    return undefined;
  const from = Date.parse(`${date}T${time}${zone.toUpperCase()}`);
  const lasts = parseDuration(length);
  // Date.parse takes 30 February for 2 March.
  const dateExists = new Date(`${date}T00:00Z`).toISOString().startsWith(date);
  return dateExists && lasts !== undefined && lasts > 0 && Number.isFinite(from)
    ? { kind: 'once', from, to: from + lasts }
    : undefined;
}

function parseWeekly(text: string): WeeklyWindow | undefined {
  // Not one expression with white space on both sides: that takes quadratic time on long runs of white space.
  const compact = text
    .split(/([-,])/)
    .map((part) => part.trim())
    .join('');
  const [, dayList = 'Mon-Sun', start, end, timeZone = 'UTC'] =
    /^(?:([a-z,-]+)\s+)?(\d?\d:\d\d)-(\d?\d:\d\d)(?:\s+(\S+))?$/i.exec(compact) ?? [];
  const days = parseDays(dayList);
  const fromMinute = parseMinute(start);
  const toMinute = parseMinute(end);
  if (days === undefined || fromMinute === undefined || toMinute === undefined) return undefined;
  if (fromMinute === DAY_MINUTES || !isTimeZone(timeZone)) return undefined;
  return { days, fromMinute, toMinute, timeZone };
}

/** `Mon-Fri`, `Sat,Sun`, `Fri-Mon`: ISO weekdays, sorted. */
function parseDays(text: string): number[] | undefined {
  const days = new Set<number>();
  for (const entry of text.toLowerCase().split(',')) {
    const [first = '', last = first, ...rest] = entry.split('-');
    const from = DAYS.indexOf(first);
    const to = DAYS.indexOf(last);
    if (from < 0 || to < 0 || rest.length > 0) return undefined;
    for (let day = from; ; day = (day + 1) % 7) {
      days.add(day + 1);
      if (day === to) break;
    }
  }
  return [...days].sort();
}

function parseMinute(text: string | undefined): number | undefined {
  const [hours = NaN, minutes = NaN] = text?.split(':').map(Number) ?? [];
  const minute = hours * 60 + minutes;
  return minutes < 60 && minute <= DAY_MINUTES ? minute : undefined;
}

/** Throws for an unknown zone. Offsets such as +01:00 are no zones on every supported Node version. */
export function isTimeZone(timeZone: string): boolean {
  if (timeZone === 'UTC') return true;
  new Intl.DateTimeFormat('en-US', { timeZone });
  return /^[a-z]/i.test(timeZone);
}
