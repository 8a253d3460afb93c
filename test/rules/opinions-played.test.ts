import { expect, inject, it } from 'vitest';
import { withOpinions, type FailedCheck, type Opinion } from '../../lib/rules/opinions.js';
import { judge, newcomer } from '../../lib/rules/status.js';
import { failedCheck, goodCheck } from '../support/targets.js';

const TARGETS = 100;
const THRESHOLDS = { failureThreshold: 3, successThreshold: 2 };
/** Checks in all; the long run's take about a minute. */
const CHECKS = inject('long') ? 10_000_000 : 100_000;
/** The places: ours, and two peers. */
const PLACES = 3;
/** Share of requests that are lost on any way. */
const LOSS = 0.01;

/** Deterministic: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Played {
  falseDowns: number;
  missed: number;
  outages: number;
  /** Checks by which an outage was told later than without peers, the most. */
  latest: number;
  asked: number;
  failing: number;
}

/**
 * Targets with real outages of all lengths, places of which one at a time sees everything, or a third of the targets, as
 * failing for a while, and losses. A check has two retries, as by default; peers make two attempts.
 */
function play(hasPeers: boolean): Played {
  const random = randomFrom(20_26);
  const result: Played = { falseDowns: 0, missed: 0, outages: 0, latest: 0, asked: 0, failing: 0 };
  const targets = Array.from({ length: TARGETS }, () => ({
    state: newcomer(0),
    outageLeft: 0,
    outageTicks: 0,
    isTold: false,
  }));
  let badPlace = -1;
  let badLeft = 0;
  let badIsPartial = false;
  for (let tick = 1; tick <= CHECKS / TARGETS; tick += 1) {
    if (badLeft > 0) badLeft -= 1;
    else if (random() < 0.02) {
      badLeft = 1 + Math.floor(random() ** 3 * 200);
      badPlace = Math.floor(random() * PLACES);
      badIsPartial = random() < 0.5;
    } else badPlace = -1;
    for (const [index, target] of targets.entries()) {
      if (target.outageLeft === 0 && random() < 0.0005) {
        target.outageLeft = 1 + Math.floor(random() ** 3 * 500);
        target.outageTicks = 0;
        target.isTold = false;
        result.outages += 1;
      }
      const isOut = target.outageLeft > 0;
      const sees = (place: number): boolean =>
        !isOut && random() >= LOSS && !(place === badPlace && (!badIsPartial || index % 3 === 0));
      const isWellHere = sees(0) || sees(0) || sees(0);
      let check = isWellHere ? goodCheck(tick) : failedCheck(tick);
      if (!isWellHere) {
        result.failing += 1;
        if (hasPeers && target.state.status !== 'down') {
          const opinions: Opinion[] = [1, 2].map((place) => ({
            place: `place-${place}`,
            isWell: sees(place) || sees(place),
          }));
          result.asked += opinions.length;
          check = withOpinions(check as FailedCheck, opinions);
        }
      }
      const before = target.state.status;
      target.state = judge(target.state, check, THRESHOLDS);
      const isNew = target.state.status === 'down' && before !== 'down';
      if (isNew && !isOut) result.falseDowns += 1;
      if (!isOut) continue;
      target.outageTicks += 1;
      target.outageLeft -= 1;
      if (isNew || (target.outageTicks === 1 && target.state.status === 'down')) {
        target.isTold = true;
        result.latest = Math.max(result.latest, target.outageTicks - THRESHOLDS.failureThreshold);
      }
      const isOver = target.outageLeft === 0;
      if (isOver && target.outageTicks > THRESHOLDS.failureThreshold && !target.isTold) result.missed += 1;
    }
  }
  return result;
}

it('three places, losses, and one bad place at a time: no target is called down that is not, and no outage is missed', () => {
  const alone = play(false);
  const together = play(true);
  expect(alone.falseDowns).toBeGreaterThan(50);
  expect(alone.outages).toBeGreaterThan(20);
  expect(together).toMatchObject({ falseDowns: 0, missed: 0, latest: 0 });
  expect(together.asked).toBeLessThanOrEqual(2 * together.failing);
  if (inject('long')) console.log({ alone, together });
});
