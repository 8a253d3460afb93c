import type { Incident } from '../record/incidents.js';
import type { IncidentEvent } from '../rules/alert-evaluation.js';
import { addressView, shownTargets, type AddressView, type Audienced } from './audience.js';
import { staleSince } from './health.js';
import { noteViews } from './notes.js';
import type { TargetAlert, WatchedTarget } from '../types.js';
import { latestIncidents, type Present, type ResolvedIncidents } from './load.js';
import { isUnread, type Joined } from './shards.js';
import type {
  IncidentEventView,
  IncidentView,
  RecentIncidents,
  RestartView,
  TargetIncident,
} from './views.js';
import { lengthInWords } from '../rules/durations.js';

/** The latest incidents of all targets, at most `limit`: those that are open, then those that ended last. */
export function recentIncidents(
  watch: Audienced & {
    readonly enabled: boolean;
    readonly tick: number;
    readonly targets: readonly WatchedTarget[];
  },
  loaded: Joined<Present & ResolvedIncidents>,
  now: number,
  limit: number,
): RecentIncidents {
  const { state, notes } = loaded;
  const unread = shownTargets(watch).filter(({ info }) => isUnread(loaded, info.id)).length;
  const incidents = latestIncidents(watch, loaded, now);
  const stale = staleSince(watch, state, now);
  const all = shownTargets(watch).flatMap(({ info }) =>
    (incidents.get(info.id) ?? []).map((incident) => ({ info, incident })),
  );
  return {
    since: new Date(state?.firstRunAt ?? now).toISOString(),
    staleSince: stale === null ? null : new Date(stale).toISOString(),
    incidents: all
      .sort(({ incident: a }, { incident: b }) => endOf(b) - endOf(a) || b.startedAt - a.startedAt)
      .slice(0, limit)
      .map(({ info, incident }): TargetIncident => ({
        target: { id: info.id, name: info.name },
        incident: incidentView(incident, now, { clean: addressView(info, watch.audience).clean }),
      })),
    notes: noteViews(notes, shownTargets(watch)),
    ...(unread > 0 && { unread }),
  };
}

function endOf({ endedAt }: Incident): number {
  return endedAt ?? Number.MAX_SAFE_INTEGER;
}

/**
 * @param clean what becomes of its texts: `addressView`
 * @param notes those that were written about its target in it (`noteEvents`)
 */
export function incidentView(
  incident: Incident,
  now: number,
  { clean, notes = [] }: Pick<AddressView, 'clean'> & { readonly notes?: readonly IncidentEventView[] },
): IncidentView {
  const { startedAt, endedAt, message, unobserved } = incident;
  const durationMs = Math.max(0, (endedAt ?? now) - startedAt);
  return {
    startedAt: new Date(startedAt).toISOString(),
    endedAt: endedAt === null ? null : new Date(endedAt).toISOString(),
    durationMs,
    unobservedMs: unobserved === null ? null : Math.min(durationMs, unobserved),
    message: clean(message),
    // A note is what its operator wants to be read.
    events: eventViews(incident, notes, clean),
  };
}

const ALERT_TEXTS: Readonly<Partial<Record<TargetAlert['kind'], string>>> = {
  down: 'Alert: down',
  reminder: 'Alert: still down',
  degraded: 'Alert: degraded',
  flapping: 'Alert: flapping',
  up: 'Alert: up again',
  person_needed: 'Alert: a person is needed',
};

/** The failed checks that it is made of, and what was done about them. */
function eventViews(
  { startedAt, endedAt, events }: Incident,
  notes: readonly IncidentEventView[],
  clean: AddressView['clean'],
): IncidentEventView[] {
  let number = 0;
  const done = events.map((event, i): IncidentEventView => {
    const at = iso(event.at);
    if (event.kind === 'alert') {
      const { alert: code } = event;
      return { at, kind: 'alert', code, text: ALERT_TEXTS[code] ?? code };
    }
    number += 1;
    const restart: RestartView = {
      number,
      answer: event.answer === null ? null : clean(event.answer),
      ...outcomeOf(event, events.slice(i + 1), endedAt),
    };
    return { at, kind: 'restart', code: 'restart', text: restartText(restart), restart };
  });
  const checks: IncidentEventView[] = [
    { at: iso(startedAt), kind: 'check', code: 'first_failed', text: 'First failed check' },
    ...(endedAt === null
      ? []
      : [{ at: iso(endedAt), kind: 'check', code: 'first_good', text: 'First good check' } as const]),
  ];
  return [...checks, ...done, ...notes].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** Whether a restart brought the target back, as far as the checks that follow tell. */
function outcomeOf(
  { at }: IncidentEvent,
  later: readonly IncidentEvent[],
  endedAt: number | null,
): Pick<RestartView, 'helped' | 'upAfterMs'> {
  const isFollowed = later.some((event) => event.kind === 'restart' || event.alert === 'person_needed');
  if (isFollowed) return { helped: false, upAfterMs: null };
  return endedAt === null || endedAt < at
    ? { helped: null, upAfterMs: null }
    : { helped: true, upAfterMs: endedAt - at };
}

function restartText({ number, answer, helped, upAfterMs }: RestartView): string {
  const outcome =
    helped === false ? ', did not help' : upAfterMs === null ? '' : `, up ${lengthInWords(upAfterMs)} later`;
  return `Restart ${number}: ${answer ?? 'not known to be made'}${outcome}`;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
