import { describe, expect, it } from 'vitest';
import {
  afterReading,
  isReadingDue,
  readingPace,
  troubleToTell,
  type OthersReading,
  type PeerState,
} from '../../lib/rules/peer-watch.js';

const MINUTE = 60_000;
const NOON = Date.UTC(2026, 10, 26, 12);
const TICK = 5 * MINUTE;
const READINGS: Readonly<Record<string, OthersReading>> = {
  r: { kind: 'running' },
  x: { kind: 'silent', message: 'connection refused' },
  u: { kind: 'unclear', message: 'it answers 404' },
  s: { kind: 'stopped', lastRunAt: NOON - 15 * MINUTE },
};

/** What is told after each reading, one every so many ms. */
function played(readings: string, every = TICK, start: PeerState | null = null): string {
  let known = start;
  return readings
    .split('')
    .map((name, index) => {
      const reading = READINGS[name] as OthersReading;
      known = afterReading('b.test', known, reading, NOON + index * every);
      return troubleToTell(known, TICK)?.kind[1] ?? '-';
    })
    .join('');
}

describe('a peer', () => {
  it.each([
    ['that runs', 'rrrr', '----'],
    ['that stops answering, after three ticks', 'rxxxx', '---ii'],
    ['that never answered, after three ticks', 'xxxxx', '---ii'],
    ['that answers now and then', 'rxxrxxrxx', '---------'],
    ['that answers something else', 'ruuu', '---n'],
    ['that answers something else, then nothing', 'ruxx', '---i'],
    ['whose runs have stopped, at once', 'rs', '-t'],
    ['whose runs have stopped, and which then goes away', 'rsxxx', '-tttt'],
    ['whose runs have stopped, and which then is slow once', 'rssxsr', '-tttt-'],
    ['that is well again', 'rxxxr', '---i-'],
  ])('%s', (_what, readings, told) => {
    expect(played(readings)).toBe(told);
  });

  it('is not told of for what lies between two runs of ours, nor for doubled triggers', () => {
    const wasWell = { peer: 'b.test', askedAt: NOON - 86_400_000, trouble: null };
    expect(played('xx', TICK, wasWell)).toBe('--');
    expect(played('rxxxxx', TICK / 2)).toBe('-----i');
  });

  it('has been in trouble since it last said something, or since its last run', () => {
    let known: PeerState | null = null;
    for (const [index, name] of 'rrxux'.split('').entries()) {
      known = afterReading('b.test', known, READINGS[name] as OthersReading, NOON + index * TICK);
    }
    expect(known).toEqual({
      peer: 'b.test',
      askedAt: NOON + 4 * TICK,
      trouble: { kind: 'silent', since: NOON + TICK, readings: 3, message: 'connection refused' },
    });
    expect(afterReading('b.test', known, READINGS.s as OthersReading, NOON).trouble).toEqual({
      kind: 'stopped',
      since: NOON - 15 * MINUTE,
      readings: 4,
      message: null,
    });
  });

  it('is asked once a tick, and at most once a minute', () => {
    const known = { peer: 'b.test', askedAt: NOON, trouble: null };
    expect(isReadingDue(null, TICK, NOON)).toBe(true);
    expect(isReadingDue(known, TICK, NOON + 0.9 * TICK - 1)).toBe(false);
    expect(isReadingDue(known, TICK, NOON + 0.9 * TICK)).toBe(true);
    expect(isReadingDue(known, 10_000, NOON + 53_000)).toBe(false);
    // The clock was set back.
    expect(isReadingDue(known, TICK, NOON - 1)).toBe(true);
    expect([readingPace(10_000), readingPace(TICK)]).toEqual([MINUTE, TICK]);
  });
});
