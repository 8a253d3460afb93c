import { describe, expect, it } from 'vitest';
import { configOf } from '../support/runs.js';
import {
  examinePeers,
  ofGlobalping,
  ofOnlyPeer,
  ofPeer,
  ofRuns,
  ofUnasked,
} from '../../lib/cli/peer-findings.js';

const answered = (skew: number) =>
  ({ problem: null, answer: { isWell: null, place: 'fra1' }, skew, tookMs: 120 }) as const;

describe('the doctor on peers', () => {
  it.each([
    ['in reach', answered(0), 'ok', 'b.example.com answers from fra1 in 120 ms'],
    [
      'whose clock is ahead',
      answered(600_000),
      'warning',
      'the clock of b.example.com is 10 m ahead of ours',
    ],
    [
      'whose clock is behind',
      answered(-7_200_000),
      'warning',
      'the clock of b.example.com is 2 h behind ours',
    ],
    [
      'of another version',
      { problem: 'it answers 400: This is version 1 of a request; version 2 is spoken here.' },
      'warning',
      'b.example.com gives no opinion: it answers 400: This is version 1 of a request; version 2 is spoken here.',
    ],
  ] as const)('says of one %s', (_how, asked, level, what) => {
    expect(ofPeer('b.example.com', asked)).toMatchObject({ area: 'peers', level, what });
  });

  it.each([
    [{ kind: 'running' }, ['b.example.com makes its runs, or has none to make']],
    [{ kind: 'stopped', lastRunAt: 0 }, ['b.example.com has stopped making runs']],
    [
      { kind: 'unclear', message: 'it answers 404' },
      ['b.example.com does not say whether it makes runs (it answers 404)'],
    ],
    // That it does not answer is said already.
    [{ kind: 'silent', message: 'connection refused' }, []],
  ] as const)('says whether its runs come: %o', (reading, what) => {
    expect(ofRuns('b.example.com', reading).map((found) => found.what)).toEqual(what);
  });

  it('says that one alone is no majority, and nothing where there are none', async () => {
    expect(ofOnlyPeer(1)).toMatchObject([{ level: 'warning' }]);
    expect(ofOnlyPeer(2)).toEqual([]);
    expect(
      await examinePeers(
        { peers: { urls: [], secret: null, region: null, globalping: null }, targets: [] },
        null,
      ),
    ).toEqual([]);
  });

  it('says what is left of the tests of Globalping, and what it is not asked about', () => {
    expect(ofGlobalping({ limit: 250, remaining: 247 }, { hasToken: true })).toEqual({
      ...{ area: 'peers', level: 'ok' },
      what: 'Globalping answers: 247 of 250 free tests are left in this hour, 3 a failed check',
    });
    expect(ofGlobalping('it answers 401', { hasToken: true })).toMatchObject({
      level: 'warning',
      what: 'Globalping gives no opinion: it answers 401',
    });
    const { targets } = configOf({
      TARGET_A_URL: 'https://a.com/',
      TARGET_B_URL: 'https://b.com/?key=1',
      TARGET_C_URL: 'https://c.com/?key=1',
      TARGET_C_CONFIRM: 'false',
      TARGET_D_URL: 'tcp://d.com:25',
    });
    expect(ofUnasked(targets).map(({ what }) => what)).toEqual([
      'Globalping is not asked about b (a query string), d (not HTTP)',
    ]);
  });

  it('asks each', async () => {
    const peers = {
      urls: ['http://127.0.0.1:1'],
      secret: 'a-secret-of-32-characters-length',
      region: null,
      globalping: null,
    };
    expect(await examinePeers({ peers, targets: [] }, null)).toMatchObject([
      { level: 'warning', what: '127.0.0.1:1 gives no opinion: connection refused' },
      { level: 'warning' },
    ]);
  });
});
