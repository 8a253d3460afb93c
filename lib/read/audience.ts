import type { PublicTarget, WatchedTarget } from '../types.js';

/** Who asks. `trusted`: a caller who has shown STATS_TOKEN. */
export type Audience = 'public' | 'trusted';

/** Where nobody says who asks, it is the public. */
export interface Audienced {
  readonly audience?: Audience | undefined;
}

/** The targets that the audience may know of. */
export function shownTargets({
  targets,
  audience = 'public',
}: Audienced & { readonly targets: readonly WatchedTarget[] }): readonly WatchedTarget[] {
  const isHidden = ({ info }: WatchedTarget): boolean => audience === 'public' && info.show === 'none';
  return targets.some(isHidden) ? targets.filter((target) => !isHidden(target)) : targets;
}

/** The same for one target; undefined where there is none, or it is not shown. */
export function shownTarget<T extends WatchedTarget>(
  targets: readonly T[],
  id: string,
  audience: Audience,
): T | undefined {
  const target = targets.find(({ info }) => info.id === id);
  return target !== undefined && shownTargets({ targets: [target], audience }).length > 0
    ? target
    : undefined;
}

/** What the audience may know of a target's address. */
export interface AddressView {
  /** Null: it is not shown. */
  readonly healthUrl: string | null;
  /** A message of a check without what names an address, where that is not shown. */
  readonly clean: (text: string) => string;
}

export function addressView({ show, healthUrl }: PublicTarget, audience: Audience = 'public'): AddressView {
  if (audience === 'trusted' || show === 'all') return { healthUrl, clean: (text) => text };
  const own = ownNames(healthUrl);
  return {
    healthUrl: null,
    clean: (text) => own.reduce((rest, name) => rest.replace(name, HIDDEN), text.replace(ADDRESS, HIDDEN)),
  };
}

/** In place of an address. */
const HIDDEN = '…';

/**
 * Messages are fixed texts and name no host. What older versions stored, and what others say of restarts, might: URLs,
 * host names, addresses of IPv4 and IPv6.
 */
const ADDRESS =
  /(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,20}:\/\/\S+|(?<![\w.-])(?:[\w-]+\.)+[a-z][a-z0-9-]+(?::\d+)?(?![\w-])|\b\d{1,3}(?:\.\d{1,3}){3}\b|\[?(?:[\da-f]{0,4}:){2,}[\da-f.]*\]?/gi;

/** Forms of the host names of an address, which may be of a single word; a MongoDB one has several. */
function ownNames(healthUrl: string): RegExp[] {
  const authority = /^[a-z+]+:\/\/([^/?#]*)/i.exec(healthUrl)?.[1] ?? '';
  return authority
    .split(',')
    .map((place) => place.replace(/:\d*$/, '').replace(/^\[|\]$/g, ''))
    .filter((name) => name !== '')
    .map((name) => new RegExp(`(?<![\\w-])${name.replace(/\W/g, '\\$&')}(?![\\w-])`, 'gi'));
}
