import type { RecentIncidents, TargetIncident } from '../read/views.js';
import type { Words } from './language.js';
import { singleLine } from '../single-line.js';

/**
 * Atom: one entry an incident, and one a note. An incident's id stays when the incident is resolved, and its `updated` changes. The feed's own id
 * is made of the first run, so that it is the same under every address.
 * @param origin where the page is, without a slash at its end
 * @param site.name what the page is called
 */
export async function atomFeed(
  { since, staleSince, incidents, notes, unread }: RecentIncidents,
  origin: string,
  { name, words }: { readonly name: string; readonly words: Words },
): Promise<string> {
  const { Feed } = await import('feed');
  const self = `${origin}/api/feed`;
  const updated = [
    ...incidents.map((found) => updatedAt(found, staleSince)),
    ...notes.map(({ at }) => at),
  ].reduce((a, b) => (a > b ? a : b), since);
  const feed = new Feed({
    title: words.text('feedTitle', { name }),
    ...(unread !== undefined && {
      description: `${words.text('unread', { count: unread })}. ${words.text('unreadWhy')}`,
    }),
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
      title: html(
        name === null && target === null
          ? words.text('noteOnAll')
          : words.text('noteOn', { name: name ?? target ?? '' }),
      ),
      description: text.split('\n').map(html).join('<br>'),
      link: `${origin}${target === null ? '/' : `/t/${target}`}`,
      published: new Date(at),
      date: new Date(at),
    });
  }
  for (const found of incidents) {
    feed.addItem({
      id: `tag:keepalive,2026:${found.target.id}/${Date.parse(found.incident.startedAt)}`,
      title: html(title(found, staleSince, words)),
      description: html(summary(found, staleSince, words)),
      link: `${origin}/t/${found.target.id}`,
      published: new Date(found.incident.startedAt),
      date: new Date(updatedAt(found, staleSince)),
    });
  }
  return feed.atom1();
}

function updatedAt({ incident }: TargetIncident, staleSince: string | null): string {
  return incident.endedAt ?? staleSince ?? incident.startedAt;
}

function title({ target, incident }: TargetIncident, staleSince: string | null, words: Words): string {
  const name = singleLine(target.name) || target.id;
  if (incident.endedAt !== null) {
    return words.text('feedLasted', { name, length: words.length(incident.durationMs) });
  }
  return words.text(staleSince === null ? 'feedDown' : 'feedWasDown', { name });
}

function summary(
  { incident: { startedAt, endedAt, unobservedMs, message } }: TargetIncident,
  staleSince: string | null,
  words: Words,
): string {
  const from = time(startedAt);
  const span =
    endedAt !== null
      ? words.text('feedFromTo', { from, to: time(endedAt) })
      : staleSince === null
        ? words.text('feedSince', { from })
        : words.text('feedSinceUnchecked', { from, time: time(staleSince) });
  const unobserved =
    unobservedMs === null || unobservedMs === 0
      ? ''
      : `, ${words.text('feedUnobserved', { length: words.length(unobservedMs) })}`;
  return message === '' ? `${span}${unobserved}.` : `${span}${unobserved}: ${message}`;
}

function time(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)} UTC`;
}

/** The library declares titles and summaries to be HTML. */
function html(text: string): string {
  return singleLine(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
