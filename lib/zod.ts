/** What is used of zod. `scripts/vendor.js` makes one file of it, because all of zod takes 50 ms to load. */
export {
  gt,
  lte,
  NEVER,
  nullable,
  number,
  optional,
  pipe,
  refine,
  strictObject,
  string,
  transform,
} from 'zod/mini';
export type { core, output, ZodMiniType } from 'zod/mini';
