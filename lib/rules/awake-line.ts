/** How much of a stretch of time a host is known to have been awake, and asleep. All in ms. */
export interface AwakeShare {
  readonly length: number;
  readonly awake: number;
  readonly slept: number;
}

/**
 * Shares of stretches that follow each other, oldest first. Time is counted when the ping after it is answered, and may
 * belong to a stretch before that one: what does not fit is moved back.
 */
export function spread(shares: readonly AwakeShare[]): AwakeShare[] {
  let awakeLeft = 0;
  let sleptLeft = 0;
  return shares
    .toReversed()
    .map(({ length, ...share }) => {
      const awake = Math.min(length, share.awake + awakeLeft);
      const slept = Math.min(length - awake, share.slept + sleptLeft);
      awakeLeft += share.awake - awake;
      sleptLeft += share.slept - slept;
      return { length, awake, slept };
    })
    .reverse();
}
