import { createHash } from 'node:crypto';
import type { MaintenanceSpan } from '../read/views.js';
import { singleLine } from '../single-line.js';
import { DAY } from '../time.js';
import type { Words } from './language.js';
import { namesInWords } from './words.js';

/** Octets of a line at most, its break apart (RFC 5545, 3.1). */
const LINE = 75;

/**
 * Windows of maintenance as iCalendar (RFC 5545), one event each, in UTC. Its UID is made of when it begins and whom it
 * concerns, so that it stays when it ends sooner or gets another reason.
 * @param origin where the page is, without a slash at its end
 */
export function calendar(
  spans: readonly MaintenanceSpan[],
  { origin, now, words }: { readonly origin: string; readonly now: number; readonly words: Words },
): string {
  // The same all day, so that a client need not fetch again what it has.
  const stamp = utc(Math.floor(now / DAY) * DAY);
  const used = new Map<string, number>();
  const events = spans.flatMap((span) => {
    const uid = uidOf(span);
    const before = used.get(uid) ?? 0;
    used.set(uid, before + 1);
    return eventLines(span, { uid: before === 0 ? uid : `${before + 1}-${uid}`, stamp, origin, words });
  });
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Keepalive//Maintenance//EN',
    'CALSCALE:GREGORIAN',
    `X-WR-CALNAME:${escaped(words.text('calendarName'))}`,
    'REFRESH-INTERVAL;VALUE=DURATION:PT1H',
    'X-PUBLISHED-TTL:PT1H',
    ...(events.length === 0 ? NOTHING : events),
    'END:VCALENDAR',
  ];
  return lines.map((line) => `${folded(line)}\r\n`).join('');
}

/** A calendar must have one component at least (RFC 5545, 3.6). */
const NOTHING = [
  'BEGIN:VTIMEZONE',
  'TZID:UTC',
  'BEGIN:STANDARD',
  'DTSTART:19700101T000000',
  'TZOFFSETFROM:+0000',
  'TZOFFSETTO:+0000',
  'END:STANDARD',
  'END:VTIMEZONE',
];

function eventLines(
  { from, to, reason, targets }: MaintenanceSpan,
  {
    uid,
    stamp,
    origin,
    words,
  }: { readonly uid: string; readonly stamp: string; readonly origin: string; readonly words: Words },
): string[] {
  const names =
    targets === null
      ? words.text('everything')
      : namesInWords(
          targets.map(({ name }) => name),
          false,
          words,
        );
  return [
    'BEGIN:VEVENT',
    `UID:${uid}@keepalive`,
    `DTSTAMP:${stamp}`,
    `DTSTART:${utc(Date.parse(from))}`,
    `DTEND:${utc(Math.max(Date.parse(to), Date.parse(from) + 1_000))}`,
    `SUMMARY:${escaped(words.text('calendarEvent', { names }))}`,
    ...(reason === null ? [] : [`DESCRIPTION:${escaped(reason)}`]),
    `URL:${origin}/`,
    'TRANSP:TRANSPARENT',
    'END:VEVENT',
  ];
}

function uidOf({ from, targets }: MaintenanceSpan): string {
  const who = JSON.stringify(targets?.map(({ id }) => id) ?? null);
  return `${Date.parse(from)}-${createHash('sha256').update(who).digest('hex').slice(0, 16)}`;
}

/** `20261201T020000Z` */
function utc(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}

function escaped(text: string): string {
  return singleLine(text).replaceAll(/[\\;,]/g, '\\$&');
}

/** Cut between characters, so that no line has more octets than it may; each further one begins with a space. */
function folded(line: string): string {
  const lines: string[] = [];
  let current = '';
  let octets = 0;
  for (const character of line) {
    const more = Buffer.byteLength(character);
    if (octets + more > LINE) {
      lines.push(current);
      current = ' ';
      octets = 1;
    }
    current += character;
    octets += more;
  }
  return [...lines, current].join('\r\n');
}
