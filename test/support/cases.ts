import { inject } from 'vitest';

/** How many cases a long law generates: all of them in `npm run test:long`, a sixth in `npm test`. */
export const cases = (all: number): { readonly numRuns: number } => ({
  numRuns: inject('long') ? all : Math.ceil(all / 6),
});
