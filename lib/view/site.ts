import type { PageSettings } from '../types.js';

/** Whose page it is, and who may see it. */
export interface Site {
  /** Whoever sees it has signed in, and can sign out. */
  readonly isPrivate: boolean;
  readonly page: PageSettings;
}

/** The page of an operator who has said nothing of it. */
export const PLAIN_PAGE: PageSettings = {
  title: null,
  description: null,
  logoUrl: null,
  homeUrl: null,
  contactUrl: null,
  publicUrl: null,
  frameAncestors: ["'none'"],
};

/** What the page is called. */
export function siteName({ title }: PageSettings): string {
  return title ?? 'Keepalive';
}
