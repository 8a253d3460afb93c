import { TARGET_OPTIONS } from '../../config/options.js';
import type { TargetDraft } from './tool.js';

/** A window of maintenance, in whatever form the API gave it. `from` in ms, `days` from 1 (Monday) to 7. */
export type UptimeRobotWindow =
  | { readonly kind: 'once'; readonly from: number; readonly minutes: number }
  | { readonly kind: 'daily'; readonly time: string; readonly minutes: number }
  | {
      readonly kind: 'weekly';
      readonly time: string;
      readonly minutes: number;
      readonly days: readonly number[];
    }
  /** Monthly, or unknown. */
  | { readonly kind: 'other' };

const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** Sets the windows that can be told; the others are listed. The API does not say in which time zone they are. */
export function setWindows(draft: TargetDraft, what: string, windows: readonly UptimeRobotWindow[]): void {
  const known = windows
    .map(windowText)
    .filter(
      (text): text is string => text !== null && TARGET_OPTIONS.MAINTENANCE.value.safeParse(text).success,
    );
  for (let lost = windows.length - known.length; lost > 0; lost -= 1)
    draft.leave(what, 'write it as maintenance, with its time zone');
  if (known.length === 0) return;
  draft.set('MAINTENANCE', known, what);
  draft.carry(known.length - 1);
}

function windowText(window: UptimeRobotWindow): string | null {
  if (window.kind === 'other' || !(window.minutes > 0)) return null;
  const { minutes } = window;
  if (window.kind === 'once') {
    const from = new Date(window.from);
    return Number.isNaN(from.getTime()) ? null : `${from.toISOString().slice(0, 16)}Z/${minutes}m`;
  }
  const [, hour, minute] = /^(\d\d?):(\d\d)/.exec(window.time) ?? [];
  if (hour === undefined || minute === undefined || minutes >= 1440) return null;
  const end = (Number(hour) * 60 + Number(minute) + minutes) % 1440;
  const until = `${String(Math.floor(end / 60)).padStart(2, '0')}:${String(end % 60).padStart(2, '0')}`;
  const days = window.kind === 'weekly' ? window.days.map((day) => WEEKDAYS[day % 7]).join(',') : 'Mon-Sun';
  return `${days} ${hour.padStart(2, '0')}:${minute}-${until} UTC`;
}
