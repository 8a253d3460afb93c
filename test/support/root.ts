import { join } from 'node:path';

/** The folder of the repository: tests run elsewhere. */
export const ROOT = join(import.meta.dirname, '../..');
