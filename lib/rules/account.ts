import { DAY, HOUR } from '../time.js';

/** What runs have used of the platform's allowances. Durations in ms. */
export interface Usage {
  /** Time in which the function ran, waiting included. */
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Of the store. */
  readonly commands: number;
  readonly invocations: number;
  /** Of QStash: the calls that it made. */
  readonly messages: number;
}

export interface UsageSince extends Usage {
  /** Ms since the epoch. */
  readonly since: number;
}

export interface MonthUsage extends UsageSince {
  /** A calendar month in UTC, counted from January 1970. */
  readonly month: number;
}

/** The account of an installation. */
export interface Account {
  readonly month: MonthUsage;
  /**
   * The month that was counted before: the last one, or where the clock was wrong for a while, the one to return to.
   * Null: none was.
   */
  readonly otherMonth: MonthUsage | null;
  /** The last day or less, from which the rest of the month is projected, whichever month it belongs to. */
  readonly recent: UsageSince;
  /** The day before `recent`, up to its beginning; null: it was not counted. */
  readonly before: UsageSince | null;
  /** The month in which people were told that an allowance will be exceeded; null: never. */
  readonly toldIn: number | null;
}

export const NO_USAGE: Usage = { wallMs: 0, cpuMs: 0, commands: 0, invocations: 0, messages: 0 };

export function plus(a: Usage, b: Usage): Usage {
  return combined(a, b, (x, y) => x + y);
}

/** What `a` is more than `b`. */
export function minus(a: Usage, b: Usage): Usage {
  return combined(a, b, (x, y) => x - y);
}

function combined(a: Usage, b: Usage, of: (x: number, y: number) => number): Usage {
  return {
    wallMs: of(a.wallMs, b.wallMs),
    cpuMs: of(a.cpuMs, b.cpuMs),
    commands: of(a.commands, b.commands),
    invocations: of(a.invocations, b.invocations),
    messages: of(a.messages, b.messages),
  };
}

/** The month (UTC) of a time, counted from January 1970. */
export function monthOf(time: number): number {
  const date = new Date(time);
  return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
}

/** When a month begins and ends, in ms since the epoch. */
export function monthSpan(month: number): { readonly from: number; readonly to: number } {
  return { from: Date.UTC(1970, month), to: Date.UTC(1970, month + 1) };
}

/**
 * Adds what was used at `now`. A month that has begun is counted from zero. While a clock is wrong, what is used goes to
 * the month that it shows; the other month is kept, so that the clock finds it as it was when it is right again.
 */
export function withUsage(account: Account | null, used: Usage, now: number): Account {
  const month = monthOf(now);
  const fresh: MonthUsage = { month, since: now, ...NO_USAGE };
  if (account === null) {
    const recent = { since: now, ...used };
    return { month: { ...fresh, ...used }, otherMonth: null, recent, before: null, toldIn: null };
  }
  const known = [account.month, account.otherMonth].find((each) => each?.month === month) ?? fresh;
  const isSame = account.month.month === month;
  return {
    month: { ...known, since: Math.min(known.since, now), ...plus(known, used) },
    otherMonth: isSame ? account.otherMonth : account.month,
    ...daysWith(account, used, now),
    toldIn: account.toldIn,
  };
}

function daysWith({ recent, before }: Account, used: Usage, now: number): Pick<Account, 'recent' | 'before'> {
  // The clock was set back: how long the time so far was is not known.
  if (recent.since > now) return { recent: { since: now, ...used }, before: null };
  if (now - recent.since >= DAY) return { recent: { since: now, ...used }, before: recent };
  return { recent: { ...recent, ...plus(recent, used) }, before };
}

/** What the month of `now` has come to; nothing where only other months were counted. */
export function monthUsage(account: Account | null, now: number): UsageSince | null {
  return account !== null && account.month.month === monthOf(now) ? account.month : null;
}

/** The last run, and how long it speaks for: until the next one. Both in ms. */
export interface LastUsage {
  readonly at: number;
  readonly pace: number;
}

/** How long a time has to be counted until the month is projected from it, in ms. */
const ENOUGH = HOUR;
/** The same until people are told of it: a day has quiet hours and busy ones. */
export const ENOUGH_TO_TELL = DAY;

/**
 * What the month of `now` comes to at its end if the rest of it uses as much as the last one or two days did.
 * @returns null: too little was counted to tell
 */
export function projected(
  account: Account | null,
  now: number,
  last: LastUsage,
  enough = ENOUGH,
): Usage | null {
  if (account === null) return null;
  const { recent, before } = account;
  const counted = Math.max(now, last.at + last.pace) - (before ?? recent).since;
  if (counted < enough) return null;
  const lately = before === null ? recent : plus(recent, before);
  const used = monthUsage(account, now) ?? NO_USAGE;
  const left = Math.max(0, monthSpan(monthOf(now)).to - Math.max(now, last.at + last.pace));
  return combined(used, lately, (soFar, rate) => soFar + (rate * left) / counted);
}
