/** Bytes of a targets file at most: 10,000 targets have some 2 MB. */
export const MAX_TARGETS_FILE = 8 * 1024 * 1024;

/** What is wrong with the bytes of a targets file, or why there are none. */
export class TargetsError extends Error {
  override readonly name = 'TargetsError';
}

export function tooLarge(): TargetsError {
  return new TargetsError(`the targets file is larger than ${MAX_TARGETS_FILE / 1024 ** 2} MB`);
}

/** @throws TargetsError */
export function textOfBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new TargetsError('the targets file is not UTF-8 text', { cause });
  }
}
