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
