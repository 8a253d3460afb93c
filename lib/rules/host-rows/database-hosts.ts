import { DAY, HOUR } from '../../time.js';
import type { HostName } from '../../types.js';
import { REPORTED, VENDOR, type Host } from '../host.js';
import { SUPABASE_API } from './host-apis.js';

const SQL = ['postgres:', 'mysql:'];
const EVERY_QUERY = [...SQL, 'redis:', 'rediss:', 'mongodb:', 'mongodb+srv:'];

/** Hosts of databases. */
export const DATABASE_HOSTS = {
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
    api: SUPABASE_API,
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
    api: null,
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
        protocols: ['mongodb:', 'mongodb+srv:'],
        origin: 'container',
        looks: 'a connection that is answered',
        source: VENDOR,
      },
    ],
    word: null,
    api: null,
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
    api: null,
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
    api: null,
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
} satisfies Partial<Record<HostName, Host>>;
