/**
 * Names every .tsx file for Vercel's builder: behind an import of `x.js` it looks for `x.ts` only, and ships what else
 * a URL of this form points to (@vercel/nft 1.x, `maybeEmitDep`). Nothing reads it when it runs.
 */
export const TEMPLATES: readonly URL[] = [
  new URL('./awake-card.tsx', import.meta.url),
  new URL('./bars.tsx', import.meta.url),
  new URL('./card.tsx', import.meta.url),
  new URL('./components.tsx', import.meta.url),
  new URL('./episode-card.tsx', import.meta.url),
  new URL('./filter.tsx', import.meta.url),
  new URL('./freshness-notices.tsx', import.meta.url),
  new URL('./groups.tsx', import.meta.url),
  new URL('./history-page.tsx', import.meta.url),
  new URL('./last-check-card.tsx', import.meta.url),
  new URL('./latency-panel.tsx', import.meta.url),
  new URL('./layout.tsx', import.meta.url),
  new URL('./lines.tsx', import.meta.url),
  new URL('./maintenance-line.tsx', import.meta.url),
  new URL('./notes.tsx', import.meta.url),
  new URL('./notices.tsx', import.meta.url),
  new URL('./page-foot.tsx', import.meta.url),
  new URL('./past-days.tsx', import.meta.url),
  new URL('./phrase.tsx', import.meta.url),
  new URL('./current-problems.tsx', import.meta.url),
  new URL('./recent-checks.tsx', import.meta.url),
  new URL('./recovery-card.tsx', import.meta.url),
  new URL('./status-page.tsx', import.meta.url),
  new URL('./subscribe-page.tsx', import.meta.url),
  new URL('./target-page.tsx', import.meta.url),
  new URL('./upcoming.tsx', import.meta.url),
  new URL('./uptime-panel.tsx', import.meta.url),
];
