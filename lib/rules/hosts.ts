import { HOST_NAMES, type HostName, type Origin, type PublicTarget, type Verdict } from '../types.js';
import { DAY, HOUR, MINUTE, SECOND } from '../time.js';
import type { Allowance, Allowances } from './host-hours.js';

/**
 * Where a fact comes from. `vendor`: its documentation or code. `reported`: seen by users. `assumed`: nobody has said it.
 * Facts about hosts go stale: every rule falls back to the weaker claim when an answer does not look as described.
 */
export interface Source {
  readonly by: 'vendor' | 'reported' | 'assumed';
  /** When it was last looked up: year and month. */
  readonly on: string;
}

const VENDOR: Source = { by: 'vendor', on: '2026-11' };
const REPORTED: Source = { by: 'reported', on: '2026-11' };
const ASSUMED: Source = { by: 'assumed', on: '2026-11' };

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
interface AnswerRule {
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
  readonly source: Source;
}

/** What a host says of an app to anybody who asks, without a token. */
interface PublicWord {
  /** Where it is asked, for the address of a target. */
  readonly address: (target: URL) => URL;
  /** Where an empty POST wakes it, with the `x-csrf-token` and the cookies of the answer; null: a visit does. */
  readonly resume: ((target: URL) => URL) | null;
  /** What an answer of status 200 means; null: nothing that is known. */
  readonly read: (json: unknown) => HostVerdict | null;
  readonly source: Source;
}

/** What an operator has to know of a target, and what to do about it; each a sentence or two. */
export interface Advice {
  readonly what: string;
  readonly todo: string;
}

/** The rules of one host. A new host is a name in `types.ts` and a row in `HOSTS`. */
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
  /** What a name that does not exist means beside a typing error; null: nothing. */
  readonly nameGone: string | null;
  /** What the operator of any target there has to know, but of those at some paths. */
  readonly warnings: readonly (Advice & { readonly exceptPath?: RegExp })[];
  /** What else to know, for the table in the README; null: nothing. */
  readonly note: string | null;
  readonly sources: Readonly<Record<'sleepsAfter' | 'wakeTimeout' | 'activity' | 'warnings', Source>>;
}

/** Gateway statuses that an edge sends while no server is ready. */
const GATEWAY = [502, 503, 504];
const SQL = ['postgres:', 'mysql:'];
const EVERY_QUERY = [...SQL, 'redis:', 'rediss:', 'mongodb:'];

/** Numbers of Streamlit's states, as seen. The others are errors of the app or the platform. */
const STREAMLIT_RUNS = 5;
const STREAMLIT_ASLEEP = 12;
const STREAMLIT_BOOTING = [0, 1, 2, 3, 4, 6, 7];
const STREAMLIT_ERRORS = [10, 11, 13, 14];

const RUNNING: HostVerdict = { origin: 'running', message: null, askFor: 0 };
const asleep = (message: string): HostVerdict => ({ origin: 'asleep', message, askFor: 0 });
const unwakeable = (message: string): HostVerdict => ({ origin: 'unwakeable', message, askFor: 0 });

/** Undocumented, and readable without an account. */
const STREAMLIT_WORD: PublicWord = {
  address: (target) => new URL('/api/v2/app/status', target),
  resume: (target) => new URL('/api/v2/app/resume', target),
  read: (json) => {
    const status = numberAt(json, 'status');
    if (status === STREAMLIT_RUNS) return RUNNING;
    if (status === STREAMLIT_ASLEEP)
      return asleep('Streamlit says that the app sleeps: wake it in a browser if this lasts');
    if (STREAMLIT_BOOTING.some((each) => each === status))
      return asleep('Streamlit says that the app is starting');
    if (STREAMLIT_ERRORS.some((each) => each === status)) {
      return unwakeable('Streamlit says that the app cannot start: see its logs, under "Manage app"');
    }
    return null;
  },
  source: REPORTED,
};

/** As Gradio's own client asks it. It does not keep the Space awake. */
const HUGGING_FACE_WORD: PublicWord = {
  address: ({ hostname }) =>
    new URL(
      `https://huggingface.co/api/spaces/by-subdomain/${encodeURIComponent(hostname.split('.')[0] ?? '')}`,
    ),
  resume: null,
  read: (json) => {
    const stage = textAt(valueAt(json, 'runtime'), 'stage');
    switch (stage) {
      case 'RUNNING':
      case 'RUNNING_BUILDING':
        return RUNNING;
      case 'SLEEPING':
      case 'STOPPED':
        return asleep('Hugging Face says that the Space sleeps');
      case 'APP_STARTING':
      case 'RUNNING_APP_STARTING':
      case 'BUILDING':
        return asleep('Hugging Face says that the Space is being built or is starting');
      case 'PAUSED':
        return unwakeable(
          'the Space is paused: only its owner can start it, in its settings on Hugging Face',
        );
      case 'NO_APP_FILE':
      case 'CONFIG_ERROR':
      case 'BUILD_ERROR':
      case 'RUNTIME_ERROR':
        return unwakeable('the Space cannot start: see its logs on Hugging Face');
      case null:
      default:
        return null;
    }
  },
  source: VENDOR,
};

function valueAt(json: unknown, name: string): unknown {
  return typeof json === 'object' && json !== null
    ? Object.getOwnPropertyDescriptor(json, name)?.value
    : undefined;
}

function numberAt(json: unknown, name: string): number | null {
  const value = valueAt(json, name);
  return typeof value === 'number' ? value : null;
}

function textAt(json: unknown, name: string): string | null {
  const value = valueAt(json, name);
  return typeof value === 'string' ? value : null;
}

export const HOSTS: Readonly<Record<HostName, Host>> = {
  railway: {
    title: 'Railway serverless',
    domains: ['.up.railway.app', '.railway.app'],
    sleepsAfter: 5 * MINUTE,
    interval: null,
    wakeTimeout: 90 * SECOND,
    monthlyHours: null,
    activity: 'packets that the app sends, so a ping counts by its answer',
    answersCount: true,
    answers: [
      {
        header: ['x-railway-fallback', /^true$/i],
        statuses: GATEWAY,
        origin: 'asleep',
        message: "Railway's edge found no running app: it did not wake, or listens on another port",
        looks: '502 with `x-railway-fallback: true`',
        source: VENDOR,
      },
      {
        // The same is reported of the first seconds of a wake.
        header: ['x-railway-fallback', /^true$/i],
        statuses: [404],
        origin: 'unwakeable',
        askFor: 20 * SECOND,
        message: 'Railway runs nothing here: look whether the service is removed, paused or out of credit',
        looks: '404 with `x-railway-fallback: true` for more than 20 s',
        source: REPORTED,
      },
      {
        header: ['x-railway-fallback', /^true$/i],
        origin: 'edge',
        message: "Railway's edge answered in place of the app: look at the deployment's logs",
        looks: 'anything else with `x-railway-fallback: true`',
        source: ASSUMED,
      },
      {
        header: ['x-railway-edge'],
        withoutHeader: 'x-railway-fallback',
        origin: 'container',
        looks: '`x-railway-edge` or `x-railway-request-id` without `x-railway-fallback`',
        source: REPORTED,
      },
      {
        header: ['x-railway-request-id'],
        withoutHeader: 'x-railway-fallback',
        origin: 'container',
        looks: '`x-railway-edge` or `x-railway-request-id` without `x-railway-fallback`',
        source: REPORTED,
      },
    ],
    word: null,
    nameGone: null,
    warnings: [
      {
        what: "Railway's free plan has $1 of credit a month: an app that is kept awake uses it up in about 10 days, and then everything stops.",
        todo: 'Set ACTIVE_HOURS, or use a paid plan.',
      },
    ],
    note: 'sleeps after 5 to 10 minutes in practice',
    sources: { sleepsAfter: VENDOR, wakeTimeout: ASSUMED, activity: VENDOR, warnings: VENDOR },
  },
  render: {
    title: 'Render free',
    domains: ['.onrender.com'],
    sleepsAfter: 15 * MINUTE,
    interval: null,
    wakeTimeout: 90 * SECOND,
    monthlyHours: { hours: 750, plan: 'free' },
    activity: 'an inbound HTTP or WebSocket request',
    answersCount: true,
    answers: [
      {
        header: ['x-render-routing', /^suspend/],
        origin: 'unwakeable',
        message:
          "suspended on Render: resume it there, or wait for the month's end if its 750 hours are used up",
        looks: '503 with `x-render-routing: suspend` or `suspend-by-user`',
        source: REPORTED,
      },
      {
        header: ['x-render-routing', /^no-server$/],
        origin: 'unwakeable',
        message: 'Render has no service of this name: look whether it was deleted or renamed',
        looks: '404 with `x-render-routing: no-server`',
        source: REPORTED,
      },
      {
        header: ['x-render-routing', /rate-limit/],
        origin: 'edge',
        message: 'Render limits the rate of requests: ping it more seldom',
        looks: '429 with `x-render-routing: rate-limited`',
        source: REPORTED,
      },
      {
        header: ['x-render-routing', /hibernate|^dynamic-free-error/],
        origin: 'asleep',
        message: 'Render did not wake it: if that lasts for minutes, the app does not start; see its logs',
        looks:
          '503 with `x-render-routing: hibernate-wake-error` or `dynamic-hibernate-error-503`, 502 with `dynamic-free-error`',
        source: REPORTED,
      },
      {
        header: ['x-render-origin-server'],
        origin: 'container',
        looks: '`x-render-origin-server`',
        source: REPORTED,
      },
      {
        path: /^\/robots\.txt$/i,
        origin: 'edge',
        message: "Render's edge may answer /robots.txt for a sleeping app: choose another path",
        looks: '`/robots.txt` without `x-render-origin-server`',
        source: REPORTED,
      },
    ],
    word: null,
    nameGone: null,
    warnings: [],
    note: 'wakes in about a minute; 750 hours a month for a workspace: one service awake all month uses 720 to 744 of them, and beyond them all its free services are suspended until the month ends: with two set `ACTIVE_HOURS`',
    sources: { sleepsAfter: VENDOR, wakeTimeout: VENDOR, activity: VENDOR, warnings: VENDOR },
  },
  koyeb: {
    title: 'Koyeb free',
    domains: ['.koyeb.app'],
    sleepsAfter: HOUR,
    interval: null,
    wakeTimeout: 90 * SECOND,
    monthlyHours: null,
    activity: 'traffic, held WebSocket or HTTP/2 streams included',
    answersCount: true,
    answers: [
      {
        header: ['x-envoy-upstream-service-time'],
        origin: 'container',
        looks: '`x-envoy-upstream-service-time`',
        source: REPORTED,
      },
    ],
    word: null,
    nameGone: null,
    warnings: [],
    note: 'wakes in 1 to 5 s; standard instances sleep after 5 minutes by default: set `SLEEPS_AFTER=5m` there; the free plan is closed to newcomers',
    sources: { sleepsAfter: VENDOR, wakeTimeout: VENDOR, activity: VENDOR, warnings: REPORTED },
  },
  heroku: {
    title: 'Heroku Eco',
    domains: ['.herokuapp.com'],
    sleepsAfter: 30 * MINUTE,
    interval: null,
    wakeTimeout: 90 * SECOND,
    monthlyHours: { hours: 1000, plan: 'Eco' },
    activity: 'web traffic',
    answersCount: false,
    answers: [],
    word: null,
    nameGone: null,
    warnings: [],
    note: 'wakes in 3 to 10 s; 1,000 hours a month for all Eco dynos of an account',
    sources: { sleepsAfter: REPORTED, wakeTimeout: REPORTED, activity: REPORTED, warnings: REPORTED },
  },
  fly: {
    title: 'Fly (auto stop)',
    domains: ['.fly.dev'],
    sleepsAfter: 5 * MINUTE,
    interval: null,
    wakeTimeout: 90 * SECOND,
    monthlyHours: null,
    activity: "load, as Fly's proxy sees it: every few minutes it stops one idle machine of a region",
    answersCount: false,
    answers: [],
    word: null,
    nameGone: null,
    warnings: [
      {
        what: 'Pings do not prove that a machine runs on Fly.',
        todo: 'Set min_machines_running = 1 in fly.toml, which keeps one awake without any ping, and SLEEPS_AFTER=off here.',
      },
    ],
    note: 'early requests may fail; `SLEEPS_AFTER=off` where machines are not stopped',
    sources: { sleepsAfter: VENDOR, wakeTimeout: VENDOR, activity: VENDOR, warnings: VENDOR },
  },
  replit: {
    title: 'Replit Autoscale',
    domains: ['.replit.app', '.repl.co'],
    sleepsAfter: 15 * MINUTE,
    interval: null,
    wakeTimeout: 90 * SECOND,
    monthlyHours: null,
    activity: 'requests; reports disagree whether it sleeps after 5 or 15 minutes',
    answersCount: false,
    answers: [],
    word: null,
    nameGone: null,
    warnings: [],
    note: 'wakes in 5 to 30 s; an address at `replit.dev` ends with the session of the editor',
    sources: { sleepsAfter: REPORTED, wakeTimeout: REPORTED, activity: REPORTED, warnings: REPORTED },
  },
  huggingface: {
    title: 'Hugging Face Spaces',
    domains: ['.hf.space'],
    sleepsAfter: 48 * HOUR,
    interval: null,
    wakeTimeout: 3 * MINUTE,
    monthlyHours: null,
    activity: 'a request to the Space',
    answersCount: true,
    answers: [
      {
        header: ['x-proxied-replica'],
        origin: 'container',
        looks: '`x-proxied-replica` or `x-proxied-host`',
        source: REPORTED,
      },
      {
        header: ['x-proxied-host'],
        origin: 'container',
        looks: '`x-proxied-replica` or `x-proxied-host`',
        source: REPORTED,
      },
    ],
    word: HUGGING_FACE_WORD,
    nameGone: null,
    warnings: [],
    note: 'a visit wakes it, in minutes where it has to be built; one that its owner paused is started by its owner alone',
    sources: { sleepsAfter: VENDOR, wakeTimeout: ASSUMED, activity: VENDOR, warnings: VENDOR },
  },
  supabase: {
    title: 'Supabase free',
    domains: ['.supabase.co', '.pooler.supabase.com', '.supabase.in'],
    sleepsAfter: 7 * DAY,
    interval: null,
    wakeTimeout: 0,
    monthlyHours: null,
    activity: '"sufficient database activity": a few requests to the database each day',
    answersCount: false,
    answers: [
      {
        statuses: [540],
        origin: 'unwakeable',
        message: 'the Supabase project is paused: restore it in the dashboard',
        looks: '540',
        source: VENDOR,
      },
      {
        statuses: [402],
        origin: 'unwakeable',
        message: 'Supabase restricts the project (fair use): see usage and billing in the dashboard',
        looks: '402',
        source: VENDOR,
      },
      {
        statuses: [401],
        origin: 'edge',
        message:
          "Supabase's gateway refused it before the database: send a valid `apikey` header, ask a table",
        looks: '401, also over a dead database',
        source: REPORTED,
      },
      {
        path: /^\/rest\/v1\/[^/]/,
        statuses: [200, 206],
        body: /^\s*\[/,
        origin: 'container',
        looks: '200 with a JSON array from a table',
        source: REPORTED,
      },
      {
        protocols: SQL,
        origin: 'container',
        looks: 'the answer to a query',
        source: VENDOR,
      },
    ],
    word: null,
    nameGone: 'name not found: a paused Supabase project loses its name; restore it in the dashboard',
    warnings: [
      {
        what: 'Real queries reduce the risk that Supabase pauses a free project. Projects were paused in spite of them, so nothing is promised.',
        todo: 'Ask a table of the database a few times a day, and restore the project by hand if it is paused.',
      },
    ],
    note: 'is restored by hand, so the ping must do a real query: a `rest/v1` URL of a table with the `apikey` header; queries reduce the risk and prove nothing',
    sources: { sleepsAfter: VENDOR, wakeTimeout: VENDOR, activity: VENDOR, warnings: REPORTED },
  },
  streamlit: {
    title: 'Streamlit Community Cloud',
    domains: ['.streamlit.app', '.streamlitapp.com', '.share.streamlit.io'],
    sleepsAfter: 12 * HOUR,
    interval: null,
    wakeTimeout: 5 * MINUTE,
    monthlyHours: null,
    activity: 'visits; whether a request without a session counts is not known',
    answersCount: false,
    answers: [
      {
        path: /^\/~\/\+\/_stcore\/health\/?$/,
        statuses: [200],
        body: /^\s*ok\s*$/i,
        origin: 'container',
        looks: '`ok` from `/~/+/_stcore/health`',
        source: REPORTED,
      },
      {
        path: /^\/~\/\+(?:\/|$)/,
        statuses: [400],
        origin: 'asleep',
        message: 'the Streamlit app sleeps: open it in a browser and press the button that wakes it',
        looks: '400 from `/~/+/`',
        source: REPORTED,
      },
    ],
    word: STREAMLIT_WORD,
    nameGone: null,
    warnings: [
      {
        what: 'Streamlit answers this path by a proxy, with 200 also while the app sleeps.',
        todo: 'Ping /~/+/_stcore/health, which only the app itself answers.',
        exceptPath: /^\/~\/\+\//,
      },
    ],
    note: 'ping `/~/+/_stcore/health`: every other path is answered by a proxy, with 200 also while the app sleeps; whether a ping counts as a visit is not known, so `keptAwake` is never `true`',
    sources: { sleepsAfter: VENDOR, wakeTimeout: REPORTED, activity: VENDOR, warnings: REPORTED },
  },
  aiven: {
    title: 'Aiven free',
    domains: ['.aivencloud.com'],
    sleepsAfter: null,
    interval: 12 * HOUR,
    wakeTimeout: 0,
    monthlyHours: null,
    activity: 'use of the service; after how long without it a service is powered off is not said',
    answersCount: false,
    answers: [
      { protocols: EVERY_QUERY, origin: 'container', looks: 'the answer to a query', source: VENDOR },
    ],
    word: null,
    nameGone: 'name not found: a powered-off Aiven service may lose its name; power it on in the console',
    warnings: [
      {
        what: 'Aiven powers off free services that are "unused for some time".',
        todo: 'Look out for the mail that it sends before; power on by hand.',
      },
    ],
    note: 'is powered on by hand; a mail comes before',
    sources: { sleepsAfter: VENDOR, wakeTimeout: VENDOR, activity: VENDOR, warnings: VENDOR },
  },
  atlas: {
    title: 'MongoDB Atlas M0',
    domains: ['.mongodb.net'],
    sleepsAfter: 30 * DAY,
    interval: null,
    wakeTimeout: 0,
    monthlyHours: null,
    activity: 'a connection to the cluster',
    answersCount: true,
    answers: [
      {
        protocols: ['mongodb:'],
        origin: 'container',
        looks: 'a connection that is answered',
        source: VENDOR,
      },
    ],
    word: null,
    nameGone: 'name not found: look whether the Atlas cluster is paused or deleted',
    warnings: [],
    note: 'is resumed by hand',
    sources: { sleepsAfter: VENDOR, wakeTimeout: VENDOR, activity: VENDOR, warnings: VENDOR },
  },
  aura: {
    title: 'Neo4j Aura free',
    domains: ['.databases.neo4j.io'],
    sleepsAfter: 72 * HOUR,
    interval: null,
    wakeTimeout: 0,
    monthlyHours: null,
    activity: 'a query over Bolt; requests over HTTP count for nothing',
    answersCount: false,
    answers: [],
    word: null,
    nameGone:
      'name not found: a paused Aura instance loses its name; resume it within 30 days, or it is deleted',
    warnings: [
      {
        what: 'Aura counts only queries over Bolt, which no target can send: no ping keeps it awake. It is paused after 72 hours, and deleted after 30 days of pause.',
        todo: 'Send a query every day by other means, and resume a paused instance within 30 days.',
      },
    ],
    note: 'is resumed by hand, and **deleted after 30 days of pause**; no ping keeps it awake',
    sources: { sleepsAfter: VENDOR, wakeTimeout: VENDOR, activity: VENDOR, warnings: VENDOR },
  },
  azure: {
    title: 'Azure App Service F1',
    domains: ['.azurewebsites.net'],
    sleepsAfter: 20 * MINUTE,
    interval: null,
    wakeTimeout: 90 * SECOND,
    monthlyHours: null,
    activity: 'requests',
    answersCount: false,
    answers: [
      {
        statuses: [403],
        body: /web app (?:is|has been) stopped/i,
        origin: 'unwakeable',
        message:
          'the Azure app is stopped: its CPU minutes of the day are used up, or start it in the portal',
        looks: '403 "This web app is stopped"',
        source: REPORTED,
      },
    ],
    word: null,
    nameGone: null,
    warnings: [
      {
        what: "Azure's F1 plan has 60 CPU minutes a day, and each start of the app costs some: beyond them it is stopped until the day ends.",
        todo: 'See how many it uses in the portal, under Quotas.',
      },
    ],
    note: '60 CPU minutes a day, beyond which it is stopped',
    sources: { sleepsAfter: REPORTED, wakeTimeout: ASSUMED, activity: REPORTED, warnings: REPORTED },
  },
  pythonanywhere: {
    title: 'PythonAnywhere free',
    domains: ['.pythonanywhere.com'],
    sleepsAfter: null,
    interval: null,
    wakeTimeout: 0,
    monthlyHours: null,
    activity: 'a person who presses the button that extends the app, each month',
    answersCount: false,
    answers: [],
    word: null,
    nameGone: null,
    warnings: [
      {
        what: 'PythonAnywhere disables a free web app each month unless a person extends it: no ping does.',
        todo: 'Put the day into your calendar, and press the button on its Web page.',
      },
    ],
    note: 'does not sleep; a person has to extend it each month',
    sources: { sleepsAfter: REPORTED, wakeTimeout: ASSUMED, activity: REPORTED, warnings: REPORTED },
  },
  neon: {
    title: 'Neon',
    domains: ['.neon.tech'],
    // It suspends after 5 minutes and wakes within a query: to keep it awake would only use up its hours.
    sleepsAfter: null,
    interval: 6 * HOUR,
    wakeTimeout: 0,
    monthlyHours: null,
    activity: 'a query; it need not be kept awake',
    answersCount: false,
    answers: [{ protocols: SQL, origin: 'container', looks: 'the answer to a query', source: VENDOR }],
    word: null,
    nameGone: null,
    warnings: [
      {
        what: 'Neon need not be kept awake: it wakes in less than a second, and each ping uses 5 minutes of its compute hours.',
        todo: 'Ping it seldom (INTERVAL=6h), or not at all.',
      },
    ],
    note: '**do not keep it awake**: it suspends after 5 minutes, wakes in less than a second, and pings use up its hours',
    sources: { sleepsAfter: VENDOR, wakeTimeout: VENDOR, activity: VENDOR, warnings: VENDOR },
  },
  none: {
    title: 'any other',
    domains: [],
    sleepsAfter: null,
    interval: null,
    wakeTimeout: 0,
    monthlyHours: null,
    activity: '',
    answersCount: false,
    answers: [],
    word: null,
    nameGone: null,
    warnings: [],
    note: null,
    sources: { sleepsAfter: ASSUMED, wakeTimeout: ASSUMED, activity: ASSUMED, warnings: ASSUMED },
  },
};

export const MONTHLY_HOURS: Allowances = Object.fromEntries(
  Object.entries(HOSTS).flatMap(([host, { monthlyHours }]) =>
    monthlyHours === null ? [] : [[host, monthlyHours]],
  ),
);

/** What is worth saying of domains whose hosts have no rules. */
const OTHER_DOMAINS: readonly (Advice & { readonly domains: readonly string[] })[] = [
  {
    domains: ['.glitch.me'],
    what: 'Glitch ended its hosting in July 2025: nothing answers there any more.',
    todo: 'Move the app, and remove this target.',
  },
  {
    domains: ['.cyclic.app', '.cyclic.co'],
    what: 'Cyclic closed in May 2024: nothing answers there any more.',
    todo: 'Move the app, and remove this target.',
  },
  {
    domains: ['.deta.app', '.deta.dev'],
    what: 'Deta closed in October 2024: nothing answers there any more.',
    todo: 'Move the app, and remove this target.',
  },
  {
    domains: ['.b4a.run', '.back4app.io'],
    what: 'The free address of a Back4App container changes every hour.',
    todo: 'Give it a domain of your own.',
  },
  {
    domains: ['.replit.dev'],
    what: 'An address at replit.dev ends with the session of the editor.',
    todo: 'Use the address of the deployment, at replit.app.',
  },
];

/** The host that a host name's domain belongs to; `none` where it is no domain of a known host. */
export function hostOf(hostname: string): HostName {
  return HOST_NAMES.find((host) => isBelow(hostname, HOSTS[host].domains)) ?? 'none';
}

type Advised = Pick<PublicTarget, 'host' | 'enabled' | 'healthUrl'>;

/** What the operator of a target has to know of its host. */
export function adviceOn({ host, enabled, healthUrl }: Advised): Advice[] {
  if (!enabled) return [];
  const { hostname, pathname } = new URL(healthUrl);
  const ofDomain = OTHER_DOMAINS.filter(({ domains }) => host === 'none' && isBelow(hostname, domains));
  const ofHost = HOSTS[host].warnings.filter(({ exceptPath }) => !exceptPath?.test(pathname));
  const ofPath = HOSTS[host].answers.flatMap(({ path, origin, message = '' }) =>
    origin === 'edge' && path?.test(pathname) ? [{ what: `${message}.`, todo: PATH_TODO }] : [],
  );
  return [...ofHost, ...ofPath, ...ofDomain].map(({ what, todo }) => ({ what, todo }));
}

const PATH_TODO = 'Ping a path that only the app itself answers.';

/** What is said of each target, said once: `a, b: …`. */
export function adviceByText(targets: readonly { readonly info: Advised & Pick<PublicTarget, 'id'> }[]) {
  const found = new Map<string, Advice & { readonly targets: string[] }>();
  for (const { info } of targets) {
    for (const advice of adviceOn(info)) {
      const known = found.get(advice.what) ?? { ...advice, targets: [] };
      known.targets.push(info.id);
      found.set(advice.what, known);
    }
  }
  return [...found.values()].map(({ what, todo, targets: ids }) => ({
    what: `${ids.join(', ')}: ${what}`,
    todo,
  }));
}

function isBelow(hostname: string, domains: readonly string[]): boolean {
  const name = hostname.replace(/\.$/, '').toLowerCase();
  return domains.some((domain) => name.endsWith(domain));
}

/** Whether a body can tell who answered. @param answer null: any answer of the host */
export function looksAtBody(host: HostName, answer: Omit<HostAnswer, 'body'> | null): boolean {
  return HOSTS[host].answers.some(
    (rule) => rule.body !== undefined && (answer === null || fits(rule, { ...answer, body: null }, true)),
  );
}

const UNKNOWN: HostVerdict = { origin: 'unknown', message: null, askFor: 0 };

/** Who answered. What looks like nothing known is `unknown`: it proves nothing. */
export function verdictOf(host: HostName, answer: HostAnswer): HostVerdict {
  const rule = HOSTS[host].answers.find((each) => fits(each, answer, false));
  if (rule === undefined) return UNKNOWN;
  return { origin: rule.origin, message: rule.message ?? null, askFor: rule.askFor ?? 0 };
}

/** Whether the host is asked for its word: nobody answered, or the answer does not tell who gave it, or how it can be woken. */
export function wantsWord(verdict: HostVerdict | null): boolean {
  return verdict === null || verdict.origin === 'unknown' || verdict.origin === 'asleep';
}

/** What an answer and the host's word come to. @param verdict null: nobody answered @param word null: there is none */
export function withWord(verdict: HostVerdict | null, word: HostVerdict | null): HostVerdict | null {
  if (word === null) return verdict;
  // That it runs does not say that it answers, and a host that says so may not know yet that it has fallen asleep.
  return word.origin === 'running' && verdict?.origin !== 'unknown' ? verdict : word;
}

/** An answer that the host gave in place of the app is no good one, whatever the target expects. */
export function withHostVerdict(verdict: Verdict, { origin, message }: HostVerdict): Verdict {
  if (origin === 'container' || origin === 'unknown' || origin === 'running') return verdict;
  return {
    outcome: 'failed',
    reason: verdict.outcome === 'failed' && origin !== 'unwakeable' ? verdict.reason : 'host',
    message: message ?? verdict.message ?? 'the host answered in place of the app',
  };
}

function fits(rule: AnswerRule, answer: HostAnswer, whateverBody: boolean): boolean {
  const { protocols = ['http:', 'https:'], path, statuses, header, withoutHeader, body } = rule;
  const value = header && answer.headers.get(header[0]);
  return (
    protocols.includes(answer.protocol) &&
    (path === undefined || path.test(answer.path)) &&
    (statuses === undefined || (answer.statusCode !== null && statuses.includes(answer.statusCode))) &&
    (header === undefined || (value !== undefined && (header[1]?.test(value.trim()) ?? true))) &&
    (withoutHeader === undefined || !answer.headers.has(withoutHeader)) &&
    (body === undefined || whateverBody || (answer.body !== null && body.test(answer.body)))
  );
}
