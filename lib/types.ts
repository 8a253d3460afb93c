/** Words shared by every layer. Times are milliseconds since the epoch, durations are milliseconds. */

export type HostName =
  | 'railway'
  | 'render'
  | 'koyeb'
  | 'heroku'
  | 'fly'
  | 'replit'
  | 'huggingface'
  | 'supabase'
  | 'streamlit'
  | 'none';

export type ChannelName =
  'webhook' | 'slack' | 'discord' | 'telegram' | 'ntfy' | 'pagerduty' | 'email' | 'apprise';

/** What anybody may know of a target: views take this type, so that they cannot hold a header, body or token. */
export interface PublicTarget {
  /** Lower case letters, digits and `-`; unique in a configuration. */
  readonly id: string;
  readonly name: string;
  readonly group: string | null;
  readonly host: HostName;
  /** The target's URL without user info, query and fragment. */
  readonly healthUrl: string;
  readonly enabled: boolean;
  /** Time between two checks. */
  readonly interval: number;
  /** How long without a request until the host sleeps; null where it does not. */
  readonly sleepsAfter: number | null;
  /** How often it may be restarted in one incident; null: it never is. */
  readonly maxRestarts: number | null;
}

/** A time of day in whole minutes since local midnight, 0 to 1440. */
export interface WeeklyWindow {
  /** ISO weekdays on which the window begins, 1 (Monday) to 7. */
  readonly days: readonly number[];
  readonly fromMinute: number;
  /** At or before `fromMinute`: the window ends on the following day. */
  readonly toMinute: number;
  /** IANA time zone, e.g. `Europe/Paris`. */
  readonly timeZone: string;
}

export type MaintenanceWindow =
  | { readonly kind: 'once'; readonly from: number; readonly to: number }
  | { readonly kind: 'weekly'; readonly window: WeeklyWindow };

/** A status code range, both ends included. */
export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

export type TextPattern =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'regex'; readonly source: string; readonly flags: string };

export interface RequestOptions {
  readonly method: string;
  /** Names in lower case; none that says how the connection is used, or how long the body is. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** What must hold of an answer, and what makes it `degraded` rather than good. */
export interface Assertions {
  readonly expectStatus: readonly StatusRange[];
  readonly expectBody: TextPattern | null;
  readonly rejectBody: TextPattern | null;
  /** JSONata source. */
  readonly expectJson: string | null;
  /** JSONata source. */
  readonly degradedJson: string | null;
  readonly degradedAfter: number | null;
  /** A certificate nearer to its end than this is `degraded`. */
  readonly tlsExpiry: number;
}

export interface Recovery {
  readonly url: string;
  readonly request: RequestOptions;
  readonly cooldown: number;
  readonly max: number;
  readonly grace: number;
}

/** A target as configured. Everything outside `info` may hold secrets. */
export interface Target {
  readonly info: PublicTarget;
  /** `http:`, `https:`, `tcp:` or `tls:`. */
  readonly url: string;
  readonly request: RequestOptions;
  readonly assertions: Assertions;
  /** One attempt as a whole. */
  readonly timeout: number;
  /** Attempts after the first, 0 or more. */
  readonly retries: number;
  readonly retryDelay: number;
  /** 0: the host is not expected to sleep. */
  readonly wakeTimeout: number;
  /** Bytes read at most, after decompression. */
  readonly maxBody: number;
  /** 0 does not follow. */
  readonly maxRedirects: number;
  readonly tlsVerify: boolean;
  readonly allowPrivate: boolean;
  readonly failureThreshold: number;
  readonly successThreshold: number;
  /** Null: always. */
  readonly activeHours: WeeklyWindow | null;
  readonly maintenance: readonly MaintenanceWindow[];
  /** Null: all channels that are set. */
  readonly alerts: readonly ChannelName[] | null;
  readonly recovery: Recovery | null;
}

/** The part of a target that views work from. */
export type WatchedTarget = Pick<Target, 'info' | 'activeHours' | 'maintenance'>;

export type Reason =
  | 'dns'
  | 'connect'
  | 'tls'
  | 'timeout'
  | 'reset'
  | 'protocol'
  | 'status'
  | 'body'
  | 'json'
  | 'too_large'
  | 'redirect'
  | 'blocked';

/** Phases of one attempt in ms, to a tenth; null where a phase did not take place or was not reached. */
export interface Timings {
  readonly dns: number | null;
  readonly connect: number | null;
  readonly tls: number | null;
  readonly ttfb: number | null;
  readonly total: number;
}

export type Outcome = 'good' | 'degraded' | 'failed';

/** One request, judged by the target's assertions. */
export interface Attempt {
  readonly outcome: Outcome;
  /** Null when good; a degraded attempt has a message but no reason. */
  readonly reason: Reason | null;
  /** Short (at most 120 characters), for the public: holds no secret, header, query or body. */
  readonly message: string | null;
  /** The last HTTP status received, also when a redirect or the body failed after it. */
  readonly statusCode: number | null;
  readonly timings: Timings;
  readonly tlsExpiresAt: number | null;
  /** It was cut short because its run was over: it says nothing of the target. */
  readonly interrupted?: true;
  /** The platform itself answered that no server is there. */
  readonly noServer: boolean;
  /** It reached the host's own server, as far as the answer tells: no answer, or one of the platform's edge, did not. */
  readonly reached: boolean;
}

/** One judged probe of a target, as it is recorded. */
export interface Check {
  /** When its round began. */
  readonly at: number;
  readonly outcome: Outcome;
  readonly reason: Reason | null;
  readonly message: string | null;
  readonly statusCode: number | null;
  /** Of the attempt that decided, whole ms; null when failed. */
  readonly latency: number | null;
  readonly attempts: number;
  readonly coldStart: boolean;
  /** The deciding attempt reached the host's own server. */
  readonly reached: boolean;
  /** From the first attempt to the end of the good one, when it was a cold start. */
  readonly wakeMs: number | null;
  readonly timings: Timings;
  readonly tlsExpiresAt: number | null;
}

export type Status = 'pending' | 'up' | 'degraded' | 'down' | 'paused' | 'sleeping';

export interface Transition {
  readonly target: string;
  readonly from: Status;
  readonly to: Status;
  readonly at: number;
  /** The message of the check that brought it about; null when good. */
  readonly reason: string | null;
}

/** What is said of one target. Times are ms since the epoch. */
export type TargetAlert = { readonly target: string } & (
  | {
      /** `reminder`: it was said before, and it is down still. */
      readonly kind: 'down' | 'reminder';
      /** The first failed check of the series. */
      readonly startedAt: number;
      /** Failed checks in a row. */
      readonly failures: number;
      readonly message: string;
    }
  | {
      /** What was said of it before is over. */
      readonly kind: 'up';
      readonly was: 'down' | 'degraded' | 'flapping';
      /** `degraded`: it answers again, but not as it should. */
      readonly now: 'up' | 'degraded';
      readonly startedAt: number;
      readonly endedAt: number;
      /** How often it was restarted meanwhile. */
      readonly restarts: number;
      readonly message: string | null;
    }
  | {
      /** It was removed or paused while people took it for down, degraded or flapping. */
      readonly kind: 'unwatched';
      readonly was: 'down' | 'degraded' | 'flapping';
      readonly because: 'removed' | 'paused';
      readonly startedAt: number;
      /** Null: it was not over. */
      readonly endedAt: number | null;
    }
  | { readonly kind: 'degraded'; readonly message: string }
  | {
      readonly kind: 'flapping';
      /** Within the last hour. */
      readonly transitions: number;
      readonly status: 'up' | 'degraded' | 'down';
    }
  | {
      /** It was pinged in time, and slept all the same. */
      readonly kind: 'slept';
      /** Ms since the ping before that reached the host. */
      readonly gap: number;
      readonly wakeMs: number;
    }
  | { readonly kind: 'certificate'; readonly expiresAt: number }
  | {
      readonly kind: 'restart';
      /** From 1. */
      readonly number: number;
      readonly max: number;
      /** What the restart request came to. */
      readonly answer: string;
    }
  | {
      /** All restarts of the incident are used up. */
      readonly kind: 'person_needed';
      readonly restarts: number;
      readonly startedAt: number;
      readonly message: string;
    }
);

/** A target that runs come too seldom for. Durations in ms. */
export interface SlowTarget {
  readonly target: string;
  readonly interval: number;
  /** Time between two of its checks at the pace of the runs. */
  readonly checkedEvery: number;
  /** Where it falls asleep between two checks: after how long. */
  readonly sleepsAfter: number | null;
}

/** The first few of them, by id; `count` is how many there are. */
export interface SlowTargets {
  readonly count: number;
  readonly targets: readonly SlowTarget[];
}

/** What is said to people: facts, which `rules/wording.ts` puts into words. */
export type Alert = {
  /** Unique; the same however often it has to be sent. */
  readonly id: string;
  readonly at: number;
} & (
  | TargetAlert
  | {
      /** The pinger itself: no run came in this time. */
      readonly kind: 'missed';
      readonly from: number;
      readonly to: number;
    }
  | {
      /** The pinger itself: runs come more seldom than expected. All in ms. */
      readonly kind: 'pace';
      /** Between two runs, by KEEP_ALIVE_TICK. */
      readonly expected: number;
      /** Between two runs, the median of the last ones. */
      readonly actual: number;
      readonly slowFor: SlowTargets;
    }
  | {
      /** The store takes no records. */
      readonly kind: 'unrecorded';
      /** The first run that could not be recorded. */
      readonly from: number;
      /** Of the store's error. */
      readonly message: string;
    }
  | {
      /** Alerts that this channel did not take within a day, and never gets. */
      readonly kind: 'undelivered';
      readonly count: number;
    }
  | {
      /** Sent by `keepalive doctor` to see whether a channel works. Nothing happened. */
      readonly kind: 'test';
    }
);
