import type { Store } from '../../lib/store/store.js';

interface StoreCall {
  readonly name: 'claim' | 'commit';
  /** Which claim or commit of this store it is, from 1. */
  readonly number: number;
}

/** The same store, with something around each claim and commit. */
export function meddled(
  store: Store,
  around: <T>(call: StoreCall, work: () => Promise<T>) => Promise<T>,
): Store {
  let calls = 0;
  const wrapped: Store = {
    kind: store.kind,
    get writes() {
      return store.writes;
    },
    metered: () => wrapped,
    shard: () => wrapped,
    renew: (ttl) => store.renew(ttl),
    underWay: (shards) => store.underWay(shards),
    claim: (request) => around({ name: 'claim', number: ++calls }, () => store.claim(request)),
    commit: (commit) => around({ name: 'commit', number: ++calls }, () => store.commit(commit)),
    swap: (swap) => store.swap(swap),
    replace: (replacement) => store.replace(replacement),
    read: (request) => store.read(request),
    now: () => store.now(),
    ping: () => store.ping(),
    close: () => store.close(),
  };
  return wrapped;
}
