import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calendarMaintenance, upcomingMaintenance } from '../../lib/read/maintenance-spans.js';
import type { MaintenanceSpan } from '../../lib/read/views.js';
import { calendar } from '../../lib/view/calendar.js';
import type { MaintenanceWindow } from '../../lib/types.js';
import { aTarget } from '../support/targets.js';
import { ENGLISH, HOSTILE } from '../support/views.js';

const NOW = Date.UTC(2026, 9, 20, 12);
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const iso = (time: number) => new Date(time).toISOString();
const span = (changes: Partial<MaintenanceSpan> = {}): MaintenanceSpan => ({
  ...{ from: iso(NOW), to: iso(NOW + HOUR), reason: null, targets: null },
  ...changes,
});
const render = (spans: readonly MaintenanceSpan[], now = NOW) =>
  calendar(spans, { origin: 'https://status.test', now, words: ENGLISH });

/** The properties of a calendar as a client reads them: lines unfolded, in the order of the text. */
function linesOf(text: string): string[] {
  expect(text.endsWith('\r\n')).toBe(true);
  const physical = text.slice(0, -2).split('\r\n');
  for (const line of physical) {
    expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75);
    expect(line).not.toMatch(/[\n\r]/);
  }
  return physical.join('\n').replaceAll('\n ', '').split('\n');
}
const valuesOf = (text: string, name: string) =>
  linesOf(text).flatMap((line) => (line.startsWith(`${name}:`) ? [line.slice(name.length + 1)] : []));

describe('the calendar', () => {
  it('has an event for a window', () => {
    const text = render([span({ reason: 'Upgrade; twice, at \\', targets: [{ id: 'api', name: 'A, B' }] })]);
    const lines = linesOf(text);
    expect(lines.slice(0, 4)).toEqual([
      'BEGIN:VCALENDAR',
      'VERSION:2.0',
      'PRODID:-//Keepalive//Maintenance//EN',
      'CALSCALE:GREGORIAN',
    ]);
    expect(lines.slice(-11)).toEqual([
      'BEGIN:VEVENT',
      expect.stringMatching(/^UID:\d+-[0-9a-f]{16}@keepalive$/),
      'DTSTAMP:20261020T000000Z',
      'DTSTART:20261020T120000Z',
      'DTEND:20261020T130000Z',
      'SUMMARY:Maintenance: A\\, B',
      'DESCRIPTION:Upgrade\\; twice\\, at \\\\',
      'URL:https://status.test/',
      'TRANSP:TRANSPARENT',
      'END:VEVENT',
      'END:VCALENDAR',
    ]);
  });

  it('has a component without any window too, as the format demands', () => {
    expect(linesOf(render([]))).toContain('BEGIN:VTIMEZONE');
    expect(valuesOf(render([]), 'BEGIN')).not.toContain('VEVENT');
  });

  it('keeps the UID of a window that ends sooner or gets a reason, and gives no two the same', () => {
    const uid = (changes: Partial<MaintenanceSpan>) => valuesOf(render([span(changes)]), 'UID')[0];
    expect(uid({ to: iso(NOW + 60_000), reason: 'x' })).toBe(uid({}));
    expect(uid({ targets: [{ id: 'api', name: 'new' }] })).toBe(
      uid({ targets: [{ id: 'api', name: 'old' }] }),
    );
    expect(uid({ targets: [{ id: 'api', name: 'x' }] })).not.toBe(uid({}));
    expect(uid({ from: iso(NOW + 1) })).not.toBe(uid({}));
    const uids = valuesOf(render([span(), span({ reason: 'x' })]), 'UID');
    expect(new Set(uids).size).toBe(2);
  });

  it('is the same all day, so that a client need not fetch it again', () => {
    expect(render([span()], NOW + 5 * HOUR)).toBe(render([span()]));
  });

  it.each(HOSTILE)('holds %j as text, in lines of 75 octets', (name) => {
    const text = render([span({ reason: name || 'x', targets: [{ id: 'api', name }] })]);
    expect(valuesOf(text, 'BEGIN')).toEqual(['VCALENDAR', 'VEVENT']);
    expect(valuesOf(text, 'SUMMARY')).toHaveLength(1);
  });

  it('folds between characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (reason) => {
        const text = render([span({ reason })]);
        linesOf(text);
        expect(text).not.toContain('\ufffd');
      }),
    );
  });
});

const SUNDAYS: MaintenanceWindow = {
  kind: 'weekly',
  window: { days: [7], fromMinute: 120, toMinute: 180, timeZone: 'Europe/Paris' },
};

describe('the windows that it holds', () => {
  it('are expanded in UTC, true over the change of the clocks', () => {
    const found = calendarMaintenance([aTarget('a', { maintenance: [SUNDAYS] })], [], NOW);
    const starts = found.map(({ from }) => from);
    expect(starts[0]).toBe('2026-10-18T00:00:00.000Z');
    // The hour from 02:00 comes twice on 25 October, and is one window.
    expect(found[1]).toMatchObject({ from: '2026-10-25T00:00:00.000Z', to: '2026-10-25T02:00:00.000Z' });
    expect(starts[2]).toBe('2026-11-01T01:00:00.000Z');
    expect(starts).toHaveLength(14);
  });

  it('are one where targets share them, and all where all do', () => {
    const targets = ['a', 'b', 'c'].map((id) => aTarget(id, { maintenance: id === 'c' ? [] : [SUNDAYS] }));
    const [first] = upcomingMaintenance(targets, [], NOW);
    expect(first?.targets?.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(upcomingMaintenance(targets.slice(0, 2), [], NOW)[0]?.targets).toBeNull();
  });

  it('have the reasons that are configured', () => {
    const targets = ['a', 'b'].map((id) =>
      aTarget(id, { maintenance: [id === 'a' ? { ...SUNDAYS, reason: 'back up' } : SUNDAYS] }),
    );
    const found = upcomingMaintenance(targets, [], NOW);
    expect(found.map(({ reason, targets: those }) => [reason, those?.map(({ id }) => id)])).toEqual([
      ['back up', ['a']],
      [null, ['b']],
    ]);
  });

  it('come from requests too, with their reason', () => {
    const begun = [{ target: 'a', from: NOW - DAY, to: NOW + DAY, reason: 'deploy' }];
    expect(calendarMaintenance([aTarget('a')], begun, NOW)).toMatchObject([
      { from: iso(NOW - DAY), to: iso(NOW + DAY), reason: 'deploy', targets: [{ id: 'a' }] },
    ]);
    expect(calendarMaintenance([aTarget('b')], begun, NOW)).toEqual([]);
  });
});

describe('upcoming is what begins within 7 days', () => {
  const once = (from: number): MaintenanceWindow => ({
    kind: 'once',
    from: NOW + from,
    to: NOW + from + HOUR,
  });
  it.each([
    [-1, 0],
    [0, 0],
    [1, 1],
    [7 * DAY, 1],
    [7 * DAY + 1, 0],
  ])('a window that begins %d ms from now: %d', (from, count) => {
    expect(upcomingMaintenance([aTarget('a', { maintenance: [once(from)] })], [], NOW)).toHaveLength(count);
  });

  it('not a weekly window that is under way, nor one without end', () => {
    const tuesday = { days: [2], fromMinute: 11 * 60, toMinute: 13 * 60, timeZone: 'UTC' };
    const always = { days: [1, 2, 3, 4, 5, 6, 7], fromMinute: 0, toMinute: 1440, timeZone: 'UTC' };
    const of = (window: typeof always) =>
      upcomingMaintenance([aTarget('a', { maintenance: [{ kind: 'weekly', window }] })], [], NOW);
    expect(of(tuesday).map(({ from }) => from)).toEqual(['2026-10-27T11:00:00.000Z']);
    expect(of(always)).toEqual([]);
  });
});
