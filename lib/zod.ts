/** What is used of zod. `scripts/vendor.js` makes one file of it, because all of zod takes 50 ms to load. */
export {
  array,
  boolean,
  gt,
  lte,
  NEVER,
  nullable,
  number,
  object,
  optional,
  pipe,
  record,
  refine,
  strictObject,
  string,
  transform,
  union,
  unknown,
} from 'zod/mini';
export type { core, output, ZodMiniType } from 'zod/mini';
