/**
 * Ms for which a run waits for one answer of a database at most, before it goes on with what this process knows: no target
 * is to be pinged late because a database hangs.
 */
export function patience(tick: number): number {
  return tick / 5;
}
