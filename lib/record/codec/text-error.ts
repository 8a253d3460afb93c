/** A stored text cannot be read: it is not what Keepalive wrote. */
export class TextError extends Error {
  override readonly name: string = 'TextError';
}

/**
 * A stored text was written by a newer Keepalive: in a version of its format, or with a code, that is not known here.
 */
export class NewerTextError extends TextError {
  override readonly name = 'NewerTextError';
}
