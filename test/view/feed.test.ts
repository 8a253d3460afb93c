import { parseAtomFeed } from 'feedsmith';
import { describe, expect, it } from 'vitest';
import type { RecentIncidents, TargetIncident } from '../../lib/read/views.js';
import { atomFeed } from '../../lib/view/atom-feed.js';
import { ENGLISH, HOSTILE, NOW } from '../support/views.js';
import { elementsOf } from '../support/xml.js';

const MINUTE = 60_000;
const SINCE = NOW - 30 * 86_400_000;
const ORIGIN = 'https://status.example.com';
const iso = (time: number) => new Date(time).toISOString();

function incident(
  startedAt: number,
  endedAt: number | null,
  { id = 'api', name = 'api', message = 'status 503, expected 200-299' } = {},
): TargetIncident {
  const durationMs = (endedAt ?? NOW) - startedAt;
  return {
    target: { id, name },
    incident: {
      startedAt: iso(startedAt),
      endedAt: endedAt === null ? null : iso(endedAt),
      durationMs,
      unobservedMs: 0,
      message,
      events: [],
    },
  };
}

const render = (incidents: readonly TargetIncident[], origin = ORIGIN, staleSince: string | null = null) => {
  const recent: RecentIncidents = { since: iso(SINCE), staleSince, incidents, notes: [] };
  return atomFeed(recent, origin, { name: 'Keepalive', words: ENGLISH });
};

/** The feed as a reader understands it. What RFC 4287 asks for is checked on the way. */
async function read(incidents: readonly TargetIncident[], origin = ORIGIN) {
  const xml = await render(incidents, origin);
  const elements = elementsOf(xml);
  const entries = elements.filter(({ name }) => name === 'entry').length;
  const count = (name: string) => elements.filter((each) => each.name === name).length;
  expect(elements.at(-1)).toMatchObject({
    name: 'feed',
    attributes: { xmlns: 'http://www.w3.org/2005/Atom' },
  });
  expect([count('id'), count('title'), count('updated'), count('summary'), count('name')]).toEqual([
    entries + 1,
    entries + 1,
    entries + 1,
    entries,
    1,
  ]);
  const ids = elements.filter(({ name }) => name === 'id').map(({ text }) => text);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(URL.canParse(id)).toBe(true);
  return parseAtomFeed(xml);
}

describe('the feed', () => {
  it('is one without an entry where there was no incident', async () => {
    const feed = await read([]);
    expect(feed).toMatchObject({
      id: expect.stringMatching(/^tag:keepalive,2026:feed\/\d+$/) as string,
      updated: iso(SINCE),
      links: [
        { rel: 'alternate', href: `${ORIGIN}/` },
        { rel: 'self', href: `${ORIGIN}/api/feed` },
      ],
    });
    expect(feed.entries ?? []).toEqual([]);
  });

  it('tells of incidents that are open and of such that are over', async () => {
    const open = incident(NOW - 3 * MINUTE, null, { id: 'shop', name: 'The shop' });
    const over = incident(NOW - 60 * MINUTE, NOW - 48 * MINUTE);
    const feed = await read([open, over]);
    expect(feed.updated).toBe(iso(NOW - 3 * MINUTE));
    expect(feed.entries).toMatchObject([
      {
        title: { value: 'The shop is down' },
        summary: { value: 'Down since 2026-01-05 11:57:00 UTC: status 503, expected 200-299' },
        published: iso(NOW - 3 * MINUTE),
        updated: iso(NOW - 3 * MINUTE),
        links: [{ href: `${ORIGIN}/t/shop` }],
      },
      {
        title: { value: 'api was down for 12 m' },
        summary: {
          value: 'Down from 2026-01-05 11:00:00 UTC to 2026-01-05 11:12:00 UTC: status 503, expected 200-299',
        },
        published: iso(NOW - 60 * MINUTE),
        updated: iso(NOW - 48 * MINUTE),
        links: [{ href: `${ORIGIN}/t/api` }],
      },
    ]);
  });

  it('does not say that a target is down where no run came for three ticks', async () => {
    const open = incident(NOW - 30 * MINUTE, null);
    const [entry] = parseAtomFeed(await render([open], ORIGIN, iso(NOW - 10 * MINUTE))).entries ?? [];
    expect(entry).toMatchObject({
      title: { value: 'api was down when it was last checked' },
      summary: {
        value:
          'Down since 2026-01-05 11:30:00 UTC, nothing was checked since 2026-01-05 11:50:00 UTC: status 503, expected 200-299',
      },
      updated: iso(NOW - 10 * MINUTE),
    });
  });

  it('knows an incident again when it is over, and says that it changed', async () => {
    const before = (await read([incident(NOW - 3 * MINUTE, null)])).entries?.[0];
    const after = (await read([incident(NOW - 3 * MINUTE, NOW)], 'http://localhost:3000')).entries?.[0];
    expect(after?.id).toBe(before?.id);
    expect(after?.published).toBe(before?.published);
    expect([before?.updated, after?.updated]).toEqual([iso(NOW - 3 * MINUTE), iso(NOW)]);
  });

  it('is the same however long an incident stays open', async () => {
    const early = incident(NOW - 3 * MINUTE, null);
    const late = { ...early, incident: { ...early.incident, durationMs: 999 * MINUTE } };
    expect(await render([late])).toBe(await render([early]));
  });

  it.each(HOSTILE)('is a feed, and shows text as text, where name and message are %j', async (text) => {
    const xml = await render([incident(NOW - MINUTE, null, { name: text, message: text })]);
    const title = elementsOf(xml).find(
      ({ name, attributes }) => name === 'title' && attributes.type === 'html',
    );
    expect(title?.text).toMatch(/ is down$/);
    expect(title?.text).not.toMatch(/[<>\u202a-\u202e\u2066-\u2069]|&(?!amp;|lt;|gt;)/);
    const feed = await read([incident(NOW - MINUTE, null, { name: text, message: text })]);
    expect(feed.entries).toHaveLength(1);
  });

  it.each([1, 50])('has %i entries', async (count) => {
    const incidents = Array.from({ length: count }, (_, i) =>
      incident(NOW - i * MINUTE, NOW, { id: `t${i % 7}` }),
    );
    expect((await read(incidents)).entries).toHaveLength(count);
  });
});
