import type { Summary } from '../read/views.js';
import { StaleNotice } from './freshness-notices.js';
import { renderPage } from './layout.js';
import type { Site } from './site.js';
import { PastDays } from './past-days.js';
import { PageFoot } from './page-foot.js';
import { overallStatus } from './words.js';

const DAYS = 90;
/** Incidents that a day lists, folded ones counting as one. */
const LINES = 50;

/** `GET /history` with at least one target. */
export function historyPage(found: Summary, site: Site): string {
  const { words } = site;
  const { freshness, targets, past } = found;
  return renderPage({
    ...site,
    title: words.text('history'),
    mood: overallStatus(freshness, targets, words).mood,
    refreshes: true,
    main: (
      <>
        <nav class="crumbs" aria-label={words.text('breadcrumb')}>
          <a href="/">{words.text('backToStatus')}</a>
        </nav>
        <section class="head">
          <h1>{words.text('historyTitle')}</h1>
          <p class="quiet">{words.text('daysNote', { zone: words.timeZone ?? 'UTC' })}</p>
          <StaleNotice freshness={freshness} isPrivate={site.isPrivate} />
        </section>
        <section>
          <PastDays found={found} span={DAYS} withOpen lines={LINES} heading="h2" />
          {past.cutOff.length > 0 && (
            <p class="quiet">{words.text('cutOff', { count: past.cutOff.length })}</p>
          )}
        </section>
        <PageFoot freshness={freshness} json="/api/keepalive" />
      </>
    ),
  });
}
