import type { Freshness, IncidentView, PastView, Summary, TargetSummary } from '../read/views.js';
import { Glyph, Moment } from './components.js';
import { FilterForm, filterState, isFiltering, matches, NO_FILTER, queryOf, type Filter } from './filter.js';
import { StaleNotice } from './freshness-notices.js';
import { Groups } from './groups.js';
import { renderPage } from './layout.js';
import type { Site } from './site.js';
import { CurrentNotes } from './notes.js';
import { PageFoot } from './page-foot.js';
import { PastDays } from './past-days.js';
import { Phrase, useWords } from './phrase.js';
import { Problems } from './current-problems.js';
import { Upcoming } from './upcoming.js';
import { overallStatus, type OverallStatus } from './words.js';
import type { JSX } from 'preact';

/** Days of past incidents below the services; the history has 90. */
const PAST_DAYS = 14;
/** Past incidents that a day lists. */
const LINES = 5;
/** Services of one page: so many take 72 KB, compressed. */
const ROWS = 1_000;
/** From so many services on there is something to filter. */
const FILTERED_FROM = 13;

/** `GET /` with at least one target. */
export function statusPage(found: Summary, site: Site, filter: Filter = NO_FILTER, page = 1): string {
  const { words } = site;
  const { freshness, targets, past, upcoming, notes } = found;
  const overall = overallStatus(freshness, targets, words);
  return renderPage({
    ...site,
    title: overall.sentence,
    mood: overall.mood,
    refreshes: true,
    main: (
      <>
        {site.page.description !== null && (
          <p class="about quiet">
            <bdi>{site.page.description}</bdi>
          </p>
        )}
        <Hero overall={overall} freshness={freshness} isPrivate={site.isPrivate} />
        <CurrentNotes notes={notes} now={freshness.updatedAt} />
        <Problems targets={targets} freshness={freshness} />
        <Upcoming spans={upcoming} now={freshness.updatedAt} />
        <Services targets={targets} past={past} freshness={freshness} filter={filter} page={page} />
        <section>
          <h2>{words.text('past')}</h2>
          <PastDays found={found} span={PAST_DAYS} withOpen={false} lines={LINES} heading="h3" />
          <p>
            <a href="/history">{words.text('historyLink')}</a>
          </p>
        </section>
        <PageFoot freshness={freshness} json="/api/keepalive" hasBars />
      </>
    ),
  });
}

function Hero({
  overall: { mood, sentence, remark },
  freshness,
  isPrivate,
}: {
  overall: OverallStatus;
  freshness: Freshness;
  isPrivate: boolean;
}): JSX.Element {
  const words = useWords();
  const { lastRunAt, updatedAt } = freshness;
  return (
    <section class={`hero ${mood}`}>
      <Glyph mood={mood} size={40} />
      <div>
        <h1>
          <bdi>{sentence}</bdi>
        </h1>
        <p class="quiet">
          {remark !== null && <span class="remark">{remark}</span>}
          {/* Where nothing was checked for long, the sentence says it. */}
          {!freshness.isStale && (
            <span>
              {lastRunAt === null ? (
                words.text('neverChecked')
              ) : (
                <Phrase name="checked" values={{ time: <Moment at={lastRunAt} now={updatedAt} ago /> }} />
              )}
            </span>
          )}
        </p>
      </div>
      <StaleNotice freshness={freshness} isPrivate={isPrivate} />
    </section>
  );
}

function Services({
  targets,
  past,
  freshness,
  filter,
  page,
}: {
  targets: readonly TargetSummary[];
  past: PastView;
  freshness: Freshness;
  filter: Filter;
  page: number;
}): JSX.Element {
  const words = useWords();
  const isFiltered = isFiltering(filter);
  const isShown = (target: TargetSummary): boolean => matches(filter, target);
  const shown = isFiltered ? targets.filter(isShown).length : targets.length;
  const pages = Math.max(1, Math.ceil(shown / ROWS));
  const current = Math.min(page, pages);
  const incidents = new Map<string, IncidentView[]>();
  for (const { target, incident } of past.incidents) {
    incidents.set(target.id, [...(incidents.get(target.id) ?? []), incident]);
  }
  return (
    <section data-filtered={isFiltered ? '' : undefined}>
      {(targets.length >= FILTERED_FROM || isFiltered) && (
        <FilterForm filter={filter} present={new Set(targets.map(filterState))} />
      )}
      <p
        id="shown"
        class="quiet"
        role="status"
        data-text={words.template('showing')}
        data-none={words.text('noMatch')}
      >
        {isFiltered && (
          <>
            {shown === 0
              ? words.text('noMatch')
              : words.text('showing', { count: shown, total: targets.length })}{' '}
            <a href="/">{words.text('showAll')}</a>
          </>
        )}
      </p>
      <Groups
        targets={targets}
        isShown={isShown}
        incidents={incidents}
        freshness={freshness}
        isFiltered={isFiltered}
        rows={{ first: (current - 1) * ROWS, count: ROWS }}
      />
      {pages > 1 && <Paging page={current} pages={pages} filter={filter} />}
    </section>
  );
}

/** Where the other pages are. */
function Paging({ page, pages, filter }: { page: number; pages: number; filter: Filter }): JSX.Element {
  const words = useWords();
  const to = (number: number): string => `/?${queryOf(filter, number)}`;
  return (
    <nav class="paging">
      {page > 1 && (
        <a rel="prev" href={to(page - 1)}>
          {words.text('previousPage')}
        </a>
      )}{' '}
      <span class="quiet">{words.text('pageOf', { page, pages })}</span>{' '}
      {page < pages && (
        <a rel="next" href={to(page + 1)}>
          {words.text('nextPage')}
        </a>
      )}
    </nav>
  );
}
