import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { NewerTextError, TextError } from './text-error.js';

/**
 * Every stored text begins with the version of its format: a space, and the character whose code is 48 more than the
 * version, so that versions 2 to 9 are digits. Version 1 had no such mark, and none of its texts begins with a space.
 *
 * Worked value: ` 2[1767571200000,null,"request timed out"]` is an incident in version 2 of its format.
 */
const MARK = ' ';
const ZERO = '0'.charCodeAt(0);

/** How far a text may inflate, in bytes: many times what a state of 500 targets with long messages takes. */
const INFLATED_LIMIT = 4 * 1024 * 1024;

export function writeEnvelope(version: number, body: string): string {
  return MARK + String.fromCharCode(ZERO + version) + body;
}

/**
 * @param format what the text is, for messages ("the state")
 * @param known the latest version of the format that is known here
 * @throws NewerTextError naming both versions, TextError where there is no version behind the mark
 */
export function readEnvelope(
  text: string,
  format: string,
  known: number,
): { readonly version: number; readonly body: string } {
  if (!text.startsWith(MARK)) return { version: 1, body: text };
  const version = text.charCodeAt(1) - ZERO;
  if (!(version >= 2)) throw new TextError(`${format} begins with no version`);
  if (version > known) throw new NewerTextError(newer(format, version, known));
  return { version, body: text.slice(2) };
}

/** The version that a text says it has; null: it begins with the mark, and with no version behind it. */
export function versionOf(text: string): number | null {
  const version = text.startsWith(MARK) ? text.charCodeAt(1) - ZERO : 1;
  return version >= 1 ? version : null;
}

function newer(format: string, found: number, known: number): string {
  return `${format} is in version ${found} of its format, and this Keepalive knows versions up to ${known}: deploy the Keepalive that wrote it, or a later one`;
}

/**
 * Deflates a text into base64. Level 9 takes three times as long to save two hundredths.
 * @param dictionary what most texts hold: deflate refers to it instead of repeating it. A text can be read only with the
 * dictionary that it was written with: a new dictionary is a new version of the format.
 */
export function deflate(text: string, dictionary: Buffer, level = 7): string {
  return deflateRawSync(text, { level, dictionary }).toString('base64');
}

/** @throws TextError for what `deflate` did not write, and for what inflates to more than 4 MB */
export function inflate(source: string, dictionary: Buffer, format: string): string {
  try {
    return inflateRawSync(Buffer.from(source, 'base64'), {
      dictionary,
      maxOutputLength: INFLATED_LIMIT,
    }).toString();
  } catch (cause) {
    throw new TextError(`${format} cannot be inflated`, { cause });
  }
}
