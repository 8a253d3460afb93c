import { DAY, HOUR } from '../time.js';
import { delayAfter } from './delivery-outcome.js';

/** Something that subscribers are told. Times in ms since the epoch. */
export type News =
  | { readonly kind: 'down'; readonly target: string; readonly startedAt: number; readonly message: string }
  | { readonly kind: 'up'; readonly target: string; readonly startedAt: number; readonly endedAt: number }
  /** The id of a note; one that is taken away is told nobody any more. */
  | { readonly kind: 'note'; readonly note: string }
  | {
      readonly kind: 'maintenance';
      readonly from: number;
      readonly to: number;
      readonly targets: readonly string[];
    };

export interface PendingNews {
  /** Counts all news, from 1. */
  readonly number: number;
  readonly at: number;
  /** Where the sweep stood when it came: it is done when the sweep is there again. */
  readonly start: string;
  /** The sweep has begun at the top again since. */
  readonly lapped: boolean;
  readonly news: News;
}

/**
 * What subscribers are to be told, and who was. They stand in a ring, in the order of their keys, which are hashes. A sweep
 * goes round it for as long as there is news, and whoever it comes to gets all pending news in one mail. News that comes
 * while it is under way goes once round the ring from where the sweep stood then.
 */
export interface Mailing {
  /** The key of whom the sweep came to last; empty: of nobody. */
  readonly cursor: string;
  /** Oldest first. */
  readonly pending: readonly PendingNews[];
  /** The number of the latest news. */
  readonly latest: number;
  /** Those behind the cursor who were told out of turn, with the number of the latest news that they have. */
  readonly ahead: ReadonlyMap<string, number>;
  /** By target: the incident that subscribers were told of and that is not over, and when incidents were told of within an hour. */
  readonly told: ReadonlyMap<string, ToldOf>;
  /** Windows of maintenance that were told of and are not over. */
  readonly windows: readonly { readonly from: number; readonly to: number }[];
  /** The number in the id of the latest note that was seen. */
  readonly lastNote: number;
  /** The mark with which notes were read last; null: they were not. */
  readonly noteMark: number | null;
  /** Mails of the day (UTC) that is counted in days since the epoch. */
  readonly sent: { readonly day: number; readonly count: number };
  readonly trouble: MailTrouble | null;
  /** By key: those whose mail server says that there is no such mailbox. */
  readonly unknown: ReadonlyMap<string, UnknownMailbox>;
}

export interface UnknownMailbox {
  /** Mails in a row that were refused because of it. */
  readonly times: number;
  /** When the first of them was, ms since the epoch. */
  readonly since: number;
}

export interface ToldOf {
  /** When the incident began; null: no incident is open, as far as they know. */
  readonly since: number | null;
  readonly at: readonly number[];
}

/** Mails are not taken. */
export interface MailTrouble {
  /** Failed attempts in a row. */
  readonly failures: number;
  /** No attempt is made before. */
  readonly nextAt: number;
  /** Whose mail failed first. */
  readonly key: string;
  readonly message: string;
}

/** @param now news before it is no news: there was nobody to tell */
export function emptyMailing(now: number): Mailing {
  return {
    cursor: '',
    pending: [],
    latest: 0,
    ahead: new Map(),
    told: new Map(),
    windows: [],
    lastNote: now,
    noteMark: null,
    sent: { day: 0, count: 0 },
    trouble: null,
    unknown: new Map(),
  };
}

/** What is older is told nobody any more. */
const NEWS_FOR = DAY;
/** Incidents of one target that are told of within an hour: what comes and goes more often is told of when it lasts. */
const MOST_AN_HOUR = 3;
/** Maintenance that begins later is told of when it is nearer: the page shows as much of it. */
const AHEAD = 7 * DAY;

/** What is known of a target that the public may know of. */
export interface TargetSituation {
  readonly id: string;
  /** Null: none is open. */
  readonly incident: { readonly startedAt: number; readonly message: string } | null;
  /** No outage of it is told of now. */
  readonly muted: boolean;
  /** Its single windows of maintenance. */
  readonly windows: readonly { readonly from: number; readonly to: number }[];
}

/** When incidents ended that did since the last run, by target and by when they began. */
export type Ends = ReadonlyMap<string, ReadonlyMap<number, number>>;

/**
 * The mailing with the news of these targets: it compares what subscribers know with what is. Nobody is told the end of
 * what nobody was told of.
 */
export function withSituations(
  before: Mailing,
  targets: readonly TargetSituation[],
  ends: Ends,
  now: number,
): Mailing {
  const told = new Map<string, ToldOf>();
  const news: News[] = [];
  for (const { id, incident, muted } of targets) {
    const known = before.told.get(id) ?? { since: null, at: [] };
    const at = known.at.filter((each) => Math.abs(now - each) < HOUR);
    let open = known.since;
    if (open !== null && incident?.startedAt !== open) {
      const endedAt = ends.get(id)?.get(open) ?? now;
      news.push({ kind: 'up', target: id, startedAt: open, endedAt: Math.max(open, endedAt) });
      open = null;
    }
    if (open === null && incident !== null && !muted && at.length < MOST_AN_HOUR) {
      open = incident.startedAt;
      at.push(now);
      news.push({ kind: 'down', target: id, ...incident });
    }
    if (open !== null || at.length > 0) told.set(id, { since: open, at });
  }
  const coming = comingWindows(targets, now);
  const isKnown = ({ from, to }: { readonly from: number; readonly to: number }): boolean =>
    before.windows.some((each) => each.from === from && each.to === to);
  for (const window of coming) if (!isKnown(window)) news.push({ kind: 'maintenance', ...window });
  const windows = [
    ...before.windows.filter(({ to }) => to > now),
    ...coming.filter((window) => !isKnown(window)).map(({ from, to }) => ({ from, to })),
  ];
  return withNews({ ...before, told, windows }, news, now);
}

function comingWindows(
  targets: readonly TargetSituation[],
  now: number,
): { readonly from: number; readonly to: number; readonly targets: readonly string[] }[] {
  const found = new Map<string, { from: number; to: number; targets: string[] }>();
  for (const { id, windows } of targets) {
    for (const { from, to } of windows) {
      if (from <= now || from > now + AHEAD) continue;
      const key = `${from} ${to}`;
      const window = found.get(key) ?? { from, to, targets: [] };
      found.set(key, window);
      window.targets.push(id);
    }
  }
  return [...found.values()].sort((a, b) => a.from - b.from || a.to - b.to);
}

/** How long after a mark a note may still appear, in ms: the mark is written first. */
const NOTE_PATIENCE = 2 * 60_000;

/** Whether notes are to be read: one was written since they were read last, or may be just now. */
export function wantsNotes({ noteMark }: Mailing, mark: number | null, now: number): boolean {
  return mark !== null && (mark !== noteMark || Math.abs(now - mark) < NOTE_PATIENCE);
}

/** @param notes those that the public may see, oldest first, with the number that their id stands for */
export function withNotes(
  before: Mailing,
  notes: readonly { readonly id: string; readonly number: number }[],
  mark: number | null,
  now: number,
): Mailing {
  const fresh = notes.filter(({ number }) => number > before.lastNote);
  const lastNote = fresh.reduce((last, { number }) => Math.max(last, number), before.lastNote);
  const news = fresh.map(({ id }): News => ({ kind: 'note', note: id }));
  return withNews({ ...before, lastNote, noteMark: mark }, news, now);
}

function withNews(before: Mailing, news: readonly News[], now: number): Mailing {
  const more = news.map((each, i): PendingNews => ({
    number: before.latest + 1 + i,
    at: now,
    start: before.cursor,
    lapped: false,
    news: each,
  }));
  // What lies far ahead is from before the clock was set back.
  const kept = before.pending.filter(({ at }) => Math.abs(now - at) < NEWS_FOR);
  const pending = [...kept, ...more];
  return {
    ...before,
    pending,
    latest: before.latest + more.length,
    ahead: pending.length === 0 ? new Map() : before.ahead,
  };
}

/** Nobody is there to be told: what is pending is dropped. */
export function withoutPending(mailing: Mailing): Mailing {
  return { ...mailing, pending: [], ahead: new Map(), trouble: null };
}

/** Mails that may be sent now. */
export function allowedNow({ sent, trouble }: Mailing, mailsPerDay: number, now: number): number {
  if (trouble !== null && now < trouble.nextAt && trouble.nextAt <= now + DAY) return 0;
  return Math.max(0, mailsPerDay - sentToday({ sent }, now));
}

/** Mails that were sent in the day (UTC). */
export function sentToday({ sent }: Pick<Mailing, 'sent'>, now: number): number {
  return sent.day === dayOf(now) ? sent.count : 0;
}

/** Somebody who is to be told something. */
export interface Recipient {
  readonly key: string;
  /** At least one, oldest first. */
  readonly news: readonly PendingNews[];
}

/**
 * The next ones that are to be told, in turn, and the mailing as it is before the first of them; none: it is done.
 * @param keys of all subscribers, ascending
 */
export function nextRecipients(
  mailing: Mailing,
  keys: readonly string[],
  most: number,
): { readonly mailing: Mailing; readonly recipients: readonly Recipient[] } {
  let left = mailing;
  const recipients: Recipient[] = [];
  let sweep = mailing;
  while (recipients.length < most) {
    const next = step(sweep, keys);
    if (next === null) {
      // Nothing is left for anybody behind those that were found.
      if (recipients.length === 0) left = withoutPending(sweep);
      break;
    }
    sweep = next.after;
    if (next.recipient === null) {
      if (recipients.length === 0) left = sweep;
      continue;
    }
    recipients.push(next.recipient);
  }
  return { mailing: left, recipients };
}

/** Goes on to the next subscriber; null: no news is left for it, so that the sweep is over. */
function step(
  mailing: Mailing,
  keys: readonly string[],
): { readonly after: Mailing; readonly recipient: Recipient | null } | null {
  let { pending } = mailing;
  let index = firstBehind(keys, mailing.cursor);
  if (index === keys.length) {
    pending = pending.filter(({ lapped }) => !lapped).map((each) => ({ ...each, lapped: true }));
    index = 0;
  }
  const key = keys[index];
  if (key === undefined) return null;
  pending = pending.filter(({ lapped, start }) => !lapped || key <= start);
  if (pending.length === 0) return null;
  const has = mailing.ahead.get(key) ?? 0;
  const news = pending.filter(({ number }) => number > has);
  const ahead = new Map([...mailing.ahead].filter(([each]) => each !== key));
  return {
    after: { ...mailing, cursor: key, pending, ahead },
    recipient: news.length === 0 ? null : { key, news },
  };
}

/** The index of the first key behind another one. */
function firstBehind(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((keys[middle] ?? '') > key) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * What came of a mail. `refused`: this recipient's is not taken, and others may be; `isUnknown`: because there is no such
 * mailbox. `nothing`: there was none to send.
 */
export type MailOutcome =
  | { readonly kind: 'sent' | 'nothing' }
  | { readonly kind: 'refused'; readonly isUnknown: boolean; readonly message: string }
  | {
      readonly kind: 'failed';
      readonly permanent: boolean;
      readonly byReply: boolean;
      readonly message: string;
    };

/** Refusals in a row, and nothing sent, that are taken for a fault of the sender: a quota, a block. */
const REFUSED_IN_A_ROW = 5;
/** Refusals in a row after which a run ends at the latest. */
const MOST_REFUSED = 160;

/**
 * Refusals after which a run that has sent nothing ends. Twice as many after each run that ended so: those at the front may
 * be mailboxes that are gone, and then one behind them is told.
 */
export function mostRefused({ trouble }: Mailing): number {
  return Math.min(MOST_REFUSED, REFUSED_IN_A_ROW * 2 ** (trouble?.failures ?? 0));
}

/** Whether it is the sender's fault that all mails of a run were refused. */
export function isSendersFault({
  sent,
  refused,
}: {
  readonly sent: number;
  readonly refused: number;
}): boolean {
  return sent === 0 && refused >= REFUSED_IN_A_ROW;
}

/**
 * The mailing after these mails. It goes on behind the last recipient before which all were dealt with; those that come
 * behind a failure and were told are remembered.
 * @param keys of all subscribers, ascending @param outcomes of the recipients that `nextRecipients` gave, in turn
 */
export function afterMails(
  mailing: Mailing,
  keys: readonly string[],
  recipients: readonly Recipient[],
  outcomes: readonly MailOutcome[],
  now: number,
): Mailing {
  const day = dayOf(now);
  const sentNow = outcomes.filter(({ kind }) => kind === 'sent').length;
  const count = sentToday(mailing, now) + sentNow;
  const stuck = mailing.trouble?.key;
  const failedAt = outcomes.findIndex(
    (outcome, i) => outcome.kind === 'failed' && !(outcome.byReply && recipients[i]?.key === stuck),
  );
  const unknown = unknownAfter(mailing.unknown, recipients, outcomes, now);
  let left: Mailing = { ...mailing, sent: { day, count }, unknown };
  const dealtWith = failedAt === -1 ? recipients.length : failedAt;
  for (let passed = 0; passed < dealtWith;) {
    const next = step(left, keys);
    if (next === null) break;
    left = next.after;
    if (next.recipient !== null) passed += 1;
  }
  const failure = outcomes[failedAt];
  if (failure?.kind !== 'failed') return sentNow > 0 ? { ...left, trouble: null } : left;
  const ahead = new Map(left.ahead);
  for (const [i, { key, news }] of recipients.entries()) {
    if (i > failedAt && outcomes[i]?.kind === 'sent') ahead.set(key, news.at(-1)?.number ?? 0);
  }
  const key = recipients[failedAt]?.key ?? '';
  return { ...left, ahead, trouble: troubleAfter(sentNow > 0 ? null : mailing.trouble, failure, key, now) };
}

/**
 * The mailing where it is the sender's fault that all were refused: it begins again where it was before the first of them.
 * @param message what the server answered
 */
export function afterRefusals(before: Mailing, message: string, now: number): Mailing {
  const failure = { permanent: true, message: `every recipient was refused (${message})` };
  return { ...before, trouble: troubleAfter(before.trouble, failure, '', now) };
}

/** Mails in a row that say that there is no such mailbox, and for how long, after which an address is taken away. */
const UNKNOWN_TIMES = 3;
const UNKNOWN_FOR = 7 * DAY;
/** What is older says nothing of the mailbox of today. */
const UNKNOWN_KEPT = 90 * DAY;
/** More than are refused while mails are told; beyond it, the oldest are forgotten. */
const MOST_UNKNOWN = 1_000;

function unknownAfter(
  before: Mailing['unknown'],
  recipients: readonly Recipient[],
  outcomes: readonly MailOutcome[],
  now: number,
): Mailing['unknown'] {
  const unknown = new Map([...before].filter(([, { since }]) => Math.abs(now - since) < UNKNOWN_KEPT));
  for (const [i, { key }] of recipients.entries()) {
    const outcome = outcomes[i];
    if (outcome?.kind === 'sent') unknown.delete(key);
    if (outcome?.kind !== 'refused' || !outcome.isUnknown) continue;
    const { times, since } = unknown.get(key) ?? { times: 0, since: now };
    unknown.set(key, { times: times + 1, since });
  }
  return unknown.size <= MOST_UNKNOWN ? unknown : new Map([...unknown].slice(-MOST_UNKNOWN));
}

/** The keys of those whose addresses are to be taken away: so many mails in a row, over a week or more, found no mailbox. */
export function goneKeys({ unknown }: Mailing, now: number): readonly string[] {
  return [...unknown].flatMap(([key, { times, since }]) =>
    times >= UNKNOWN_TIMES && now - since >= UNKNOWN_FOR ? [key] : [],
  );
}

/** The mailing once the addresses of these keys are taken away. */
export function withoutGone(mailing: Mailing, gone: readonly string[]): Mailing {
  const unknown = new Map(mailing.unknown);
  for (const key of gone) unknown.delete(key);
  return { ...mailing, unknown };
}

/** Sooner again after what may pass by itself, as alerts are (`delayAfter` in delivery-outcome.ts). */
function troubleAfter(
  before: MailTrouble | null,
  { permanent, message }: { readonly permanent: boolean; readonly message: string },
  key: string,
  now: number,
): MailTrouble {
  const failures = (before?.failures ?? 0) + 1;
  return { failures, nextAt: now + delayAfter({ failures, permanent }), key, message };
}

function dayOf(now: number): number {
  return Math.floor(now / DAY);
}
