import type { NoteView, RecentIncidents, TargetIncident } from '../read/views.js';
import { fill, TEXT } from './text.js';
import { unobservedInWords } from './words.js';
import { lengthInWords } from '../rules/durations.js';
import { singleLine } from '../single-line.js';

/**
 * Atom: one entry an incident, and one a note. An incident's id stays when the incident is resolved, and its `updated` changes. The feed's own id
 * is made of the first run, so that it is the same under every address.
 * @param origin where the page is, without a slash at its end
 * @param name what the page is called
 */
export async function atomFeed(
  { since, staleSince, incidents, notes }: RecentIncidents,
  origin: string,
  name: string,
): Promise<string> {
  const { Feed } = await import('feed');
  const self = `${origin}/api/feed`;
  const updated = [
    ...incidents.map((found) => updatedAt(found, staleSince)),
    ...notes.map(({ at }) => at),
  ].reduce((a, b) => (a > b ? a : b), since);
  const feed = new Feed({
    title: fill(TEXT.feedTitle, { name }),
    id: `tag:keepalive,2026:feed/${Date.parse(since)}`,
    link: `${origin}/`,
    feedLinks: { atom: self },
    updated: new Date(updated),
    author: { name },
    generator: 'Keepalive',
  });
  for (const { id, at, target, name, text } of notes) {
    feed.addItem({
      id: `tag:keepalive,2026:note/${id}`,
      title: html(noteTitle(name ?? target)),
      description: text.split('\n').map(html).join('<br>'),
      link: `${origin}${target === null ? '/' : `/t/${target}`}`,
      published: new Date(at),
      date: new Date(at),
    });
  }
  for (const found of incidents) {
    feed.addItem({
      id: `tag:keepalive,2026:${found.target.id}/${Date.parse(found.incident.startedAt)}`,
      title: html(title(found, staleSince)),
      description: html(summary(found, staleSince)),
      link: `${origin}/t/${found.target.id}`,
      published: new Date(found.incident.startedAt),
      date: new Date(updatedAt(found, staleSince)),
    });
  }
  return feed.atom1();
}

function noteTitle(name: NoteView['name']): string {
  return name === null ? TEXT.noteOnAll : fill(TEXT.noteOn, { name });
}

function updatedAt({ incident }: TargetIncident, staleSince: string | null): string {
  return incident.endedAt ?? staleSince ?? incident.startedAt;
}

function title({ target, incident }: TargetIncident, staleSince: string | null): string {
  const open = staleSince === null ? 'is down' : 'was down when it was last checked';
  const state = incident.endedAt === null ? open : `was down for ${lengthInWords(incident.durationMs)}`;
  return `${singleLine(target.name) || target.id} ${state}`;
}

function summary(
  { incident: { startedAt, endedAt, unobservedMs, message } }: TargetIncident,
  staleSince: string | null,
): string {
  const unchecked = staleSince === null ? '' : `, nothing was checked since ${time(staleSince)}`;
  const length =
    endedAt === null
      ? `Down since ${time(startedAt)}${unchecked}`
      : `Down from ${time(startedAt)} to ${time(endedAt)}`;
  const span = `${length}${unobservedInWords(unobservedMs)}`;
  return message === '' ? `${span}.` : `${span}: ${message}`;
}

function time(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

/** The library declares titles and summaries to be HTML. */
function html(text: string): string {
  return singleLine(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
