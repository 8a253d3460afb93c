/** Words shared by every layer. Times are milliseconds since the epoch, durations are milliseconds. */
import type { Protocol, PROTOCOLS } from './protocols.js';

/** Hosts whose rules are known (`rules/host-rows`), and `none` for all others. */
export const HOST_NAMES = [
  'railway',
  'render',
  'koyeb',
  'heroku',
  'fly',
  'replit',
  'huggingface',
  'supabase',
  'streamlit',
  'aiven',
  'atlas',
  'aura',
  'azure',
  'pythonanywhere',
  'neon',
  'none',
] as const;
export type HostName = (typeof HOST_NAMES)[number];

/** Where alerts can go: `config/alerts.ts` has the settings of each, `deliver/channels.ts` its sender. */
export const CHANNEL_NAMES = [
  'webhook',
  'slack',
  'discord',
  'telegram',
  'ntfy',
  'pagerduty',
  'email',
  'apprise',
  'teams',
  'google_chat',
] as const;
export type ChannelName = (typeof CHANNEL_NAMES)[number];

/** How much of a target the public sees: all, all but its address, nothing. */
export const SHOW_LEVELS = ['all', 'name', 'none'] as const;
export type ShowLevel = (typeof SHOW_LEVELS)[number];

/** What anybody may know of a target: views take this type, so that they cannot hold a header, body or token. */
export interface PublicTarget {
  /** Lower case letters, digits and `-`; unique in a configuration. */
  readonly id: string;
  readonly name: string;
  readonly group: string | null;
  /** What the operator says of it to visitors: one line, in which addresses become links. */
  readonly description: string | null;
  /** Where it is shown among the others, the lowest first; null: behind those that have one. */
  readonly order: number | null;
  /** Looked at where views are made (`read/audience.ts`). */
  readonly show: ShowLevel;
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

/** Languages of the pages: `view/messages` has a catalogue for each. */
export const LANGUAGES = ['en', 'fr', 'de', 'es', 'pt', 'it'] as const;
export type Language = (typeof LANGUAGES)[number];

export interface PageLink {
  readonly label: string;
  /** `https:` or `mailto:`. */
  readonly url: string;
}

/** What the operator says of the page as a whole. All of it is public. */
export interface PageSettings {
  /** The name of the page; null: Keepalive. */
  readonly title: string | null;
  readonly description: string | null;
  /** An `https:` address, or a `data:` URL of an image. */
  readonly logoUrl: string | null;
  readonly homeUrl: string | null;
  /** `https:` or `mailto:`. */
  readonly contactUrl: string | null;
  /** Further links at the top. */
  readonly links: readonly PageLink[];
  /** Null: the visitor's. */
  readonly language: Language | null;
  /** An IANA name; null: the visitor's. */
  readonly timeZone: string | null;
  /** Its origin, for addresses that have to be absolute; null: not known. */
  readonly publicUrl: string | null;
  /** Sources of CSP's `frame-ancestors`, at least one. */
  readonly frameAncestors: readonly string[];
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

export type MaintenanceWindow = (
  | { readonly kind: 'once'; readonly from: number; readonly to: number }
  | { readonly kind: 'weekly'; readonly window: WeeklyWindow }
) & {
  /** What it is about, for the public. */
  readonly reason?: string;
};

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

/** What must hold of an answer, and what makes it `degraded` rather than good. What a protocol's answers lack is not judged. */
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

/** PEM; the key is secret. */
export interface ClientCertificate {
  /** With those that vouch for it. */
  readonly cert: string;
  readonly key: string;
}

/** What a target has for each group of options. Durations in ms. */
export interface GroupFields {
  readonly http: {
    readonly request: RequestOptions;
    /** 0: redirects are not followed. */
    readonly maxRedirects: number;
    /** Redirects may lead to private addresses. */
    readonly allowPrivate: boolean;
  };
  readonly headers: {
    /** Headers of the request, with the address's user info as `Authorization`. Names as written. */
    readonly headers: Readonly<Record<string, string>>;
  };
  readonly body: {
    /** Bytes read at most, after decompression. */
    readonly maxBody: number;
  };
  readonly query: {
    /** What is asked; null: the protocol's own question. It may hold a secret. */
    readonly query: string | null;
  };
  readonly tls: {
    readonly tlsVerify: boolean;
    /** What a server gets that asks who calls; null: nothing. */
    readonly clientCertificate: ClientCertificate | null;
  };
  readonly hosts: {
    /** Further hosts of the address, as `host:port`, in its order. */
    readonly moreHosts: readonly string[];
  };
}

/** Which addresses of a name count: those of one version alone, or of the other one where there are none. */
export const IP_VERSIONS = ['4', '6', '4,6', '6,4'] as const;
export type IpVersions = (typeof IP_VERSIONS)[number];

/** What every target has. Everything outside `info` may hold secrets. */
export interface CommonTarget {
  readonly info: PublicTarget;
  /** Lets the host's own API say whether it sleeps; null: that is not asked. */
  readonly hostToken: { readonly value: string; readonly variable: string } | null;
  /** User info is left out where it is a header (HTTP, WebSocket, gRPC), and percent-encoded in every other address. */
  readonly url: string;
  readonly assertions: Assertions;
  /** Null: all addresses count. */
  readonly ipVersion: IpVersions | null;
  /** One attempt as a whole. */
  readonly timeout: number;
  /** Attempts after the first, 0 or more. */
  readonly retries: number;
  readonly retryDelay: number;
  /** 0: the host is not expected to sleep. */
  readonly wakeTimeout: number;
  readonly failureThreshold: number;
  readonly successThreshold: number;
  /** Peers are asked before a failed check counts. */
  readonly confirm: boolean;
  /** Null: always. */
  readonly activeHours: WeeklyWindow | null;
  readonly maintenance: readonly MaintenanceWindow[];
  /** Null: all channels that are set. */
  readonly alerts: readonly ChannelName[] | null;
  readonly recovery: Recovery | null;
}

type Intersection<Union> = (Union extends unknown ? (each: Union) => void : never) extends (
  all: infer All,
) => void
  ? All
  : never;

/** A target of one protocol, or of any of several. */
export type TargetOf<Name extends Protocol> = Name extends Protocol
  ? CommonTarget & { readonly protocol: Name } & Intersection<
        GroupFields[(typeof PROTOCOLS)[Name]['groups'][number]]
      >
  : never;

/** A target as configured. */
export type Target = TargetOf<Protocol>;
export type HttpTarget = TargetOf<'http:' | 'https:'>;

/** The part of a target that views work from. */
export type WatchedTarget = Pick<CommonTarget, 'info' | 'activeHours' | 'maintenance'>;

/** Why an attempt failed. */
export const REASONS = [
  'dns',
  'connect',
  'tls',
  'timeout',
  'reset',
  'protocol',
  'status',
  'body',
  'json',
  'too_large',
  'redirect',
  'blocked',
  'query',
  'host',
] as const;
export type Reason = (typeof REASONS)[number];
/** Why a check is not good. `local`: it failed here and nowhere else, so that it is degraded. */
export type CheckReason = Reason | 'local';

/**
 * Who answered, by the rules of the target's host (`rules/hosts.ts`). `container`: the app itself. `unknown`: nothing
 * tells. `edge`: the host's edge, in place of the app. `asleep`: the host, which says that the app sleeps or is waking.
 * `unwakeable`: the host, which says that no request can wake it. `running`: nothing tells, but the host says that it runs.
 */
export const ORIGINS = ['container', 'unknown', 'running', 'edge', 'asleep', 'unwakeable'] as const;
export type Origin = (typeof ORIGINS)[number];

/**
 * What a host's own API says of an app. `asleep`: it sleeps or is waking. `unwakeable`: no request can wake it. `silent`:
 * nothing that is known, or no answer. `refused`: it does not take the token. `not_found`: the token shows no such app.
 */
export const HOST_SAYS = ['running', 'asleep', 'unwakeable', 'silent', 'refused', 'not_found'] as const;

/** What a host said when it was asked with HOST_TOKEN. */
export interface HostWord {
  /** When it was asked. */
  readonly at: number;
  readonly says: (typeof HOST_SAYS)[number];
  /** What it said, in words of ours, for the public: at most 120 characters. Null where there is nothing to say. */
  readonly message: string | null;
}

/** Phases of one attempt in ms, to a tenth; null where a phase did not take place or was not reached. */
export interface Timings {
  readonly dns: number | null;
  readonly connect: number | null;
  readonly tls: number | null;
  readonly ttfb: number | null;
  readonly total: number;
}

/** What is said of an answer. The message is for the public: at most 120 characters, no secret, header, query or body. */
export type Verdict =
  | { readonly outcome: 'good'; readonly reason: null; readonly message: null }
  | { readonly outcome: 'degraded'; readonly reason: null; readonly message: string }
  | { readonly outcome: 'failed'; readonly reason: Reason; readonly message: string };

export type Outcome = Verdict['outcome'];

/** One request, judged by the target's assertions. */
export type Attempt = Verdict & {
  /** The last HTTP status received, also when a redirect or the body failed after it. */
  readonly statusCode: number | null;
  readonly timings: Timings;
  /** The earliest end of a certificate met, ms since the epoch. */
  readonly tlsExpiresAt: number | null;
  /** It was cut short because its run was over: it says nothing of the target. */
  readonly interrupted?: true;
  /** Null: nobody answered. */
  readonly origin: Origin | null;
  /** Ms for which it is asked again, since a host that wakes may give the same answer for a moment; else 0. */
  readonly askFor: number;
  /** What the host's own API last said; null: it is not asked. */
  readonly word: HostWord | null;
  /** It reached the host's own server, as far as the answer tells: no answer, or one of the platform's edge, did not. */
  readonly reached: boolean;
};

/** What the attempts of a check came to. `latency` is that of the deciding attempt in whole ms. */
type CheckResult =
  | (Extract<Verdict, { outcome: 'good' | 'degraded' }> & {
      readonly latency: number;
      readonly coldStart: false;
      readonly wakeMs: null;
      readonly wakeMsAtLeast: null;
    })
  | (Extract<Verdict, { outcome: 'good' }> & {
      readonly latency: number;
      readonly coldStart: true;
      /** From the first attempt to the end of the good one. */
      readonly wakeMs: number;
      /**
       * From the first attempt to the end of the last one that failed, where the host woke between two runs; null: it was
       * asked every few seconds until it woke.
       */
      readonly wakeMsAtLeast: number | null;
    })
  | (Extract<Verdict, { outcome: 'failed' }> & {
      readonly latency: null;
      readonly coldStart: false;
      readonly wakeMs: null;
      readonly wakeMsAtLeast: null;
    })
  | {
      /** It failed here, and most opinions are that the target is well. */
      readonly outcome: 'degraded';
      readonly reason: 'local';
      /** From where it answers. */
      readonly message: string;
      readonly latency: null;
      readonly coldStart: false;
      readonly wakeMs: null;
      readonly wakeMsAtLeast: null;
    };

/** One judged probe of a target, as it is recorded. */
export type Check = CheckResult & {
  /** When its round began. */
  readonly at: number;
  readonly statusCode: number | null;
  readonly attempts: number;
  /** The deciding attempt reached the host's own server. */
  readonly reached: boolean;
  /** Of the deciding attempt. */
  readonly origin: Origin | null;
  /** What the host's own API last said; null: it is not asked. */
  readonly word: HostWord | null;
  readonly timings: Timings;
  readonly tlsExpiresAt: number | null;
};

/**
 * A check that its run left open, since the host may be waking: the next runs go on asking. It is neither good nor bad.
 */
export interface OpenCheck {
  readonly outcome: 'waking';
  /** When the round of its first attempt began. */
  readonly at: number;
  /** When its last attempt ended. */
  readonly lastAt: number;
  /** Of all runs so far. */
  readonly attempts: number;
  /** Of the last attempt. */
  readonly statusCode: number | null;
  readonly message: string;
}

/** What a run makes of a target. */
export type CheckOrOpen = Check | OpenCheck;

export const STATUSES = ['pending', 'up', 'degraded', 'down', 'paused', 'sleeping'] as const;
export type Status = (typeof STATUSES)[number];

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
      /** Null: it woke between two runs. */
      readonly wakeMs: number | null;
    }
  | {
      /** It was pinged in time and answers, and its host says that it does not run. */
      readonly kind: 'contradicted';
      /** What the host says. */
      readonly message: string;
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

/** What platforms allow so much of in a month: `rules/allowances.ts` has the measure of each. */
export const RESOURCES = [
  'storeCommands',
  'functionMemoryGbHours',
  'functionCpuHours',
  'invocations',
  'qstashMessages',
] as const;
export type Resource = (typeof RESOURCES)[number];

/** What a month comes to of a resource, in its own unit. */
export interface OverAllowance {
  readonly resource: Resource;
  readonly projected: number;
  readonly allowed: number;
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
      /** The pinger itself: it will use more of these in this month than is allowed, although it waits for less. */
      readonly kind: 'allowances';
      readonly over: readonly OverAllowance[];
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
      /** Another installation, which is asked for second opinions. */
      readonly kind: 'peer_down';
      /** Its host. */
      readonly peer: string;
      /** As in `PeerTrouble`. */
      readonly how: 'stopped' | 'unclear' | 'silent';
      readonly startedAt: number;
      /** What its last answer lacked; null where its runs have stopped. */
      readonly message: string | null;
    }
  | {
      /** What was said of a peer is over: it is well, or it is none any more. */
      readonly kind: 'peer_up';
      readonly peer: string;
      readonly now: 'running' | 'removed';
      readonly startedAt: number;
      readonly endedAt: number;
    }
  | {
      /** Sent by `keepalive doctor` to see whether a channel works. Nothing happened. */
      readonly kind: 'test';
    }
);
