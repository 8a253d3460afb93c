import type { PageSettings } from '../types.js';
import type { Words } from './language.js';

/** Whose page it is, who may see it, and in which language. */
export interface Site {
  /** Whoever sees it has signed in, and can sign out. */
  readonly isPrivate: boolean;
  readonly page: PageSettings;
  readonly words: Words;
}

/** The page of an operator who has said nothing of it. */
export const PLAIN_PAGE: PageSettings = {
  title: null,
  description: null,
  logoUrl: null,
  homeUrl: null,
  contactUrl: null,
  links: [],
  language: null,
  timeZone: null,
  publicUrl: null,
  frameAncestors: ["'none'"],
};

/** What the page is called. */
export function siteName({ title }: PageSettings): string {
  return title ?? 'Keepalive';
}
