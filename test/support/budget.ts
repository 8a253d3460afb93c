/** What the contract allows (SPEC, section 4). */
export const COMMANDS_A_RUN = 10;
export const COMMANDS_DELIVERING = 12;
/** What a run records while it goes on. */
export const COMMANDS_A_CHECKPOINT = 3;
export const COMMANDS_A_READ = 2;
export const BYTES_A_TARGET = 200;
export const STORED_A_TARGET = 16 * 1024;
