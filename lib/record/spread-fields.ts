import { TextError } from './codec/text-error.js';
import { ONE_STORE, readShards, type Shards } from './directory.js';
import { COPIED_FIELDS, DIRECTORY_FIELD, SHARDS_FIELD, STORE_FIELDS } from './fields.js';

/** What several databases are opened with as one store: `STORE_FIELDS`, and where they find the layout. */
export const SPREAD_FIELDS = {
  ...STORE_FIELDS,
  copied: new Set(COPIED_FIELDS) as ReadonlySet<string>,
  layoutField: SHARDS_FIELD,
  directoryField: DIRECTORY_FIELD,
  layoutIn,
};

function layoutIn(text: string | null): Required<Pick<Shards, 'count' | 'layout' | 'store'>> | null {
  try {
    const shards = readShards(text);
    return shards && { count: shards.count, layout: shards.layout ?? ONE_STORE, store: shards.store ?? 1 };
  } catch (error) {
    if (error instanceof TextError) return null;
    throw error;
  }
}
