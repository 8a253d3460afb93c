import type { HostWord, Origin } from '../types.js';
import type { Allowance } from './host-hours.js';

/**
 * Where a fact comes from. `vendor`: its documentation or code. `reported`: seen by users. `assumed`: nobody has said it.
 * Facts about hosts go stale: every rule falls back to the weaker claim when an answer does not look as described.
 */
export interface FactSource {
  readonly by: 'vendor' | 'reported' | 'assumed';
  /** When it was last looked up: year and month. */
  readonly on: string;
}

export const VENDOR: FactSource = { by: 'vendor', on: '2026-11' };
export const REPORTED: FactSource = { by: 'reported', on: '2026-11' };
export const ASSUMED: FactSource = { by: 'assumed', on: '2026-11' };

/** What is looked at to tell who answered. */
export interface HostAnswer {
  /** Of the target, such as `https:`. */
  readonly protocol: string;
  /** Of the address that answered; empty where it has none. */
  readonly path: string;
  /** Null for a protocol without one. */
  readonly statusCode: number | null;
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** Null where it was not read. */
  readonly body: string | null;
}

/** Who answered, by the rules of a host. */
export interface HostVerdict {
  readonly origin: Origin;
  /** What the answer means, and what to do; for the public. Null where there is nothing to say. */
  readonly message: string | null;
  /** Ms for which it is asked again, since a host that wakes may say the same for a moment. */
  readonly askFor: number;
}

/** One answer that is known. All conditions that are given must hold; the first rule that fits decides. */
export interface AnswerRule {
  readonly protocols?: readonly string[];
  readonly path?: RegExp;
  readonly statuses?: readonly number[];
  /** A header that must be there, with this value where one is given. */
  readonly header?: readonly [name: string, value?: RegExp];
  /** A header that must not be there. */
  readonly withoutHeader?: string;
  readonly body?: RegExp;
  readonly origin: Origin;
  /** At most 120 characters. */
  readonly message?: string;
  readonly askFor?: number;
  /** For the table of hosts: what the answer looks like. */
  readonly looks: string;
  readonly source: FactSource;
}

/** What a host says of an app to anybody who asks, without a token. */
export interface PublicWord {
  /** Where it is asked, for the address of a target; null: the address does not tell which app it is. */
  readonly address: (target: URL) => URL | null;
  /** Where an empty POST wakes it, with the `x-csrf-token` and the cookies of the answer; null: a visit does. */
  readonly resume: ((target: URL) => URL) | null;
  /** What an answer of status 200 means; null: nothing that is known. */
  readonly read: (json: unknown) => HostVerdict | null;
  readonly source: FactSource;
}

/** What a host's own API said of an app: `HostWord` without its time. */
export type HostSaid = Omit<HostWord, 'at'>;

/** What was said, or what has to be asked next. */
export type ApiAnswer = HostSaid | ApiQuestion;

/** One request to a host's own API. Its address is HTTPS, and of a host name that stands in the host's row. */
export interface ApiQuestion {
  readonly address: URL;
  readonly method: 'GET' | 'POST';
  /** With the token. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** What an answer of status 200 means. */
  readonly read: (json: unknown) => ApiAnswer;
}

/** A host's own API, which is asked with HOST_TOKEN. */
export interface HostApi {
  /** The first question; null: the address of the target does not tell which app it is. */
  readonly ask: (target: URL, token: string) => ApiQuestion | null;
  /** What HOST_TOKEN has to be. */
  readonly token: string;
  readonly tells: string;
  /** `account`: what it says of quotas may not concern the app, so that it explains failures and contradicts no answer. */
  readonly speaksOf: 'app' | 'account';
  readonly source: FactSource;
}

/** What an operator has to know of a target, and what to do about it; each a sentence or two. */
export interface Advice {
  readonly what: string;
  readonly todo: string;
}

/** The rules of one host. A new host is a name in `types.ts` and a row in lib/rules/host-rows. */
export interface Host {
  /** The host and its plan that sleeps, as people call it. */
  readonly title: string;
  /** What its usual domain names end in, each with its leading dot. */
  readonly domains: readonly string[];
  /** Ms without activity until it sleeps; null where it does not sleep, or nobody says after how long. */
  readonly sleepsAfter: number | null;
  /** Default time between checks, ms; null: half of `sleepsAfter`. */
  readonly interval: number | null;
  /** How long a request may have to wait until it is awake, ms; 0 where no request wakes it. */
  readonly wakeTimeout: number;
  /** How long its targets may be awake in a month, all together; null where there is no limit. */
  readonly monthlyHours: Allowance | null;
  /** What keeps it awake. */
  readonly activity: string;
  /** An answer of the app itself is a proof of activity, so that answers closer together than `sleepsAfter` kept it awake. */
  readonly answersCount: boolean;
  readonly answers: readonly AnswerRule[];
  /** Asked where an answer does not tell who gave it. Null: there is no such thing. */
  readonly word: PublicWord | null;
  /** Asked with HOST_TOKEN. Null: there is none, or nobody has described it. */
  readonly api: HostApi | null;
  /** What a name that does not exist means beside a typing error; null: nothing. */
  readonly nameGone: string | null;
  /** What the operator of any target there has to know, but of those at some paths. */
  readonly warnings: readonly (Advice & { readonly exceptPath?: RegExp })[];
  /** What else to know, for the table in docs/staying-awake.md; null: nothing. */
  readonly note: string | null;
  readonly sources: Readonly<Record<'sleepsAfter' | 'wakeTimeout' | 'activity' | 'warnings', FactSource>>;
}

export const RUNNING: HostVerdict = { origin: 'running', message: null, askFor: 0 };
export const asleep = (message: string): HostVerdict => ({ origin: 'asleep', message, askFor: 0 });
export const unwakeable = (message: string): HostVerdict => ({ origin: 'unwakeable', message, askFor: 0 });
