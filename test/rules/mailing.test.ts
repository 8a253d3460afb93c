import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMailing, writeMailing } from '../../lib/record/mailing-text.js';
import {
  afterMails,
  allowedNow,
  emptyMailing,
  isSendersFault,
  nextRecipients,
  wantsNotes,
  withNotes,
  withSituations,
  type Mailing,
  type MailOutcome,
  type TargetSituation,
} from '../../lib/rules/mailing.js';

const NOW = Date.UTC(2026, 0, 5, 12);
const MINUTE = 60_000;
const DAY = 86_400_000;
const target = (more: Partial<TargetSituation> = {}): TargetSituation => ({
  id: 'api',
  incident: null,
  muted: false,
  windows: [],
  ...more,
});
const down = (startedAt: number, id = 'api') =>
  target({ id, incident: { startedAt, message: 'status 503' } });
const kinds = ({ pending }: Mailing) => pending.map(({ news }) => news.kind);
/** News number n, of a target of its own. */
const one = (mailing: Mailing, n: number) =>
  withNotes(mailing, [{ id: `n${n}`, number: mailing.lastNote + 1 }], null, NOW);

describe('news', () => {
  it('is an incident that opens and ends, once each', () => {
    let mailing = withSituations(emptyMailing(NOW), [down(NOW)], new Map(), NOW);
    mailing = withSituations(mailing, [down(NOW)], new Map(), NOW + MINUTE);
    expect(kinds(mailing)).toEqual(['down']);
    const ends = new Map([['api', new Map([[NOW, NOW + 2 * MINUTE]])]]);
    mailing = withSituations(mailing, [target()], ends, NOW + 3 * MINUTE);
    expect(mailing.pending[1]?.news).toEqual({
      kind: 'up',
      target: 'api',
      startedAt: NOW,
      endedAt: NOW + 2 * MINUTE,
    });
    expect(kinds(withSituations(mailing, [target()], new Map(), NOW + 4 * MINUTE))).toEqual(['down', 'up']);
  });

  it('is no incident while it is muted, nor its end where nobody was told of it', () => {
    const muted = { ...down(NOW), muted: true };
    const mailing = withSituations(emptyMailing(NOW), [muted], new Map(), NOW);
    expect(kinds(mailing)).toEqual([]);
    expect(kinds(withSituations(mailing, [target()], new Map(), NOW + MINUTE))).toEqual([]);
    expect(kinds(withSituations(mailing, [down(NOW)], new Map(), NOW + MINUTE))).toEqual(['down']);
  });

  it('is three incidents of a target an hour at most, and the one that lasts', () => {
    let mailing = emptyMailing(NOW);
    for (let i = 0; i < 20; i += 1) {
      mailing = withSituations(mailing, [down(NOW + i)], new Map(), NOW + 2 * i * MINUTE);
      mailing = withSituations(mailing, [target()], new Map(), NOW + (2 * i + 1) * MINUTE);
    }
    expect(kinds(mailing)).toEqual(['down', 'up', 'down', 'up', 'down', 'up']);
    mailing = withSituations(mailing, [down(NOW + 99)], new Map(), NOW + 50 * MINUTE);
    expect(kinds(mailing)).toHaveLength(6);
    mailing = withSituations(mailing, [down(NOW + 99)], new Map(), NOW + 61 * MINUTE);
    expect(kinds(mailing).slice(6)).toEqual(['down']);
  });

  it('is maintenance that is planned, once, with all services that have it', () => {
    const window = { from: NOW + DAY, to: NOW + DAY + MINUTE };
    const past = { from: NOW - MINUTE, to: NOW + MINUTE };
    const far = { from: NOW + 8 * DAY, to: NOW + 9 * DAY };
    const targets = [target({ windows: [window, past, far] }), target({ id: 'web', windows: [window] })];
    let mailing = withSituations(emptyMailing(NOW), targets, new Map(), NOW);
    expect(mailing.pending.map(({ news }) => news)).toEqual([
      { kind: 'maintenance', ...window, targets: ['api', 'web'] },
    ]);
    mailing = withSituations(mailing, targets, new Map(), NOW + MINUTE);
    expect(kinds(mailing)).toHaveLength(1);
    expect(kinds(withSituations(mailing, targets, new Map(), NOW + DAY + MINUTE))).toEqual(['maintenance']);
  });

  it('is a note that was written since, looked for while its mark is fresh', () => {
    const before = emptyMailing(NOW);
    expect([wantsNotes(before, null, NOW), wantsNotes(before, NOW, NOW)]).toEqual([false, true]);
    const notes = [
      { id: 'old', number: NOW - 1 },
      { id: 'new', number: NOW + 1 },
    ];
    const after = withNotes(before, notes, NOW, NOW);
    expect(after.pending.map(({ news }) => news)).toEqual([{ kind: 'note', note: 'new' }]);
    expect(kinds(withNotes(after, notes, NOW, NOW))).toHaveLength(1);
    expect(wantsNotes(after, NOW, NOW + MINUTE)).toBe(true);
    expect(wantsNotes(after, NOW, NOW + 3 * MINUTE)).toBe(false);
    expect(wantsNotes(after, NOW + 5, NOW + 3 * MINUTE)).toBe(true);
  });

  it('is dropped after a day', () => {
    const mailing = withSituations(emptyMailing(NOW), [down(NOW)], new Map(), NOW);
    expect(kinds(withSituations(mailing, [down(NOW)], new Map(), NOW + DAY))).toEqual([]);
  });
});

describe('the sweep', () => {
  const keys = Array.from({ length: 12 }, (_, i) => String.fromCharCode(97 + i));

  it('tells everybody all news once, whatever fails, comes and is stored on the way', () => {
    const steps = fc.array(
      fc.oneof(
        fc.constant('news' as const),
        fc.record({
          most: fc.integer({ min: 1, max: 5 }),
          fails: fc.array(fc.boolean(), { maxLength: 5 }),
        }),
      ),
      { maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, (plan) => {
        let mailing = emptyMailing(NOW);
        let count = 0;
        const got = new Map(keys.map((key) => [key, [] as number[]]));
        const send = (most: number, fails: readonly boolean[]): boolean => {
          const next = nextRecipients(mailing, keys, most);
          const outcomes = next.recipients.map(({ key, news }, i): MailOutcome => {
            if (fails[i] === true) return { kind: 'failed', permanent: false, byReply: false, message: '' };
            got.get(key)?.push(...news.map(({ number }) => number));
            return { kind: 'sent' };
          });
          mailing = afterMails(next.mailing, keys, next.recipients, outcomes, NOW);
          mailing = readMailing(writeMailing(mailing), 0);
          return next.recipients.length > 0;
        };
        for (const step of plan) {
          if (step === 'news') mailing = one(mailing, (count += 1));
          else send(step.most, step.fails);
        }
        while (send(3, []));
        const all = Array.from({ length: count }, (_, i) => i + 1);
        for (const numbers of got.values()) expect(numbers).toEqual(all);
        expect(mailing.pending).toEqual([]);
      }),
    );
  });

  it('goes on among subscribers that come and go, and tells nobody twice', () => {
    let mailing = one(emptyMailing(NOW), 1);
    const told: string[] = [];
    let present = keys;
    for (;;) {
      const { mailing: at, recipients } = nextRecipients(mailing, present, 2);
      if (recipients.length === 0) break;
      told.push(...recipients.map(({ key }) => key));
      mailing = afterMails(at, present, recipients, [{ kind: 'sent' }, { kind: 'sent' }], NOW);
      present = present
        .filter((key) => key !== 'f')
        .concat(`0${told.length}`)
        .sort();
    }
    expect(new Set(told).size).toBe(told.length);
    expect(told).not.toContain('f');
  });

  it('passes over a recipient whose mail fails a second time by a reply of the server', () => {
    const failed = { kind: 'failed', permanent: false, byReply: true, message: 'answered 450' } as const;
    let mailing = one(emptyMailing(NOW), 1);
    const send = (outcomes: readonly MailOutcome[]) => {
      const { mailing: at, recipients } = nextRecipients(mailing, keys, 2);
      mailing = afterMails(at, keys, recipients, outcomes, NOW);
      return recipients.map(({ key }) => key);
    };
    expect(send([failed, { kind: 'sent' }])).toEqual(['a', 'b']);
    expect(mailing.trouble).toMatchObject({ key: 'a', failures: 1, nextAt: NOW + 30_000 });
    expect(send([failed, { kind: 'sent' }])).toEqual(['a', 'c']);
    expect(mailing.trouble).toBeNull();
    expect(send([{ kind: 'sent' }, { kind: 'sent' }])).toEqual(['d', 'e']);
  });

  it.each([
    [{ sent: 0, refused: 5, unknown: 5 }, 100, true],
    [{ sent: 0, refused: 4, unknown: 0 }, 100, false],
    [{ sent: 1, refused: 50, unknown: 0 }, 51, false],
    [{ sent: 0, refused: 2, unknown: 0 }, 2, true],
    [{ sent: 0, refused: 2, unknown: 1 }, 2, false],
    [{ sent: 0, refused: 0, unknown: 0 }, 0, false],
  ])('of %j, with %i subscribers, it is the fault of the sender: %s', (counts, subscribers, is) => {
    expect(isSendersFault(counts, subscribers)).toBe(is);
  });

  it('waits after a failure, and sends no more than is allowed a day', () => {
    const sent = { day: Math.floor(NOW / DAY), count: 248 };
    const mailing = { ...one(emptyMailing(NOW), 1), sent };
    expect(allowedNow(mailing, 250, NOW)).toBe(2);
    expect(allowedNow(mailing, 240, NOW)).toBe(0);
    expect(allowedNow(mailing, 250, NOW + DAY)).toBe(250);
    const trouble = { failures: 1, nextAt: NOW + 1, key: 'a', message: '' };
    expect(allowedNow({ ...mailing, trouble }, 250, NOW)).toBe(0);
    expect(allowedNow({ ...mailing, trouble }, 250, NOW + 1)).toBe(2);
  });
});
