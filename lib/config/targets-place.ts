import { endpoint } from './request.js';
import { expectationOf, InvalidValue, value } from './values.js';

/** Where the targets are listed: a file, or an address. */
export type TargetsPlace =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'address'; readonly url: string; readonly authorization: string | null };

/** Found at the top level without being named. */
export const TARGETS_FILES: readonly string[] = ['targets.yaml', 'targets.yml', 'targets.json'];

export const targetsPlace = value(
  'the path of a file that ends in .yaml, .yml or .json, or an https:// address',
  (text): TargetsPlace | undefined => {
    if (/^[a-z][a-z\d+.-]*:\/\//i.test(text)) {
      const { data: address, error } = endpoint.safeParse(text);
      if (address === undefined) throw new InvalidValue(expectationOf(error));
      return address.url.startsWith('https:') ? { kind: 'address', ...address } : undefined;
    }
    return /\.(?:ya?ml|json)$/i.test(text) && !text.includes('\0') ? { kind: 'file', path: text } : undefined;
  },
);
