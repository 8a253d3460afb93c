import type { Summary } from '../read/views.js';
import { StaleNotice } from './freshness-notices.js';
import { renderPage } from './layout.js';
import type { Site } from './site.js';
import { PastDays } from './past-days.js';
import { PageFoot } from './page-foot.js';
import { counted, TEXT } from './text.js';
import { overallStatus } from './words.js';

const DAYS = 90;
/** Incidents that a day lists, folded ones counting as one. */
const LINES = 50;

/** `GET /history` with at least one target. */
export function historyPage(found: Summary, site: Site): string {
  const { freshness, targets, past } = found;
  return renderPage({
    ...site,
    title: TEXT.history,
    mood: overallStatus(freshness, targets).mood,
    refreshes: true,
    main: (
      <>
        <nav class="crumbs" aria-label="Breadcrumb">
          <a href="/">{TEXT.backToStatus}</a>
        </nav>
        <section class="head">
          <h1>{TEXT.historyTitle}</h1>
          <p class="quiet">{TEXT.daysNote}</p>
          <StaleNotice freshness={freshness} isPrivate={site.isPrivate} />
        </section>
        <section>
          <PastDays found={found} span={DAYS} withOpen lines={LINES} heading="h2" />
          {past.cutOff.length > 0 && <p class="quiet">{counted(TEXT.cutOff, past.cutOff.length)}</p>}
        </section>
        <PageFoot freshness={freshness} json="/api/keepalive" />
      </>
    ),
  });
}
