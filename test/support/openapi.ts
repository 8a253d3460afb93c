import { FORMATS } from '../../lib/http/badge-endpoint.js';
import { ERROR_STATUS, type ErrorCode } from '../../lib/http/error-codes.js';
import { WINDOWS } from '../../lib/read/load.js';
import { STATUS_FILTERS } from '../../lib/read/paging.js';
import { METRICS } from '../../lib/view/badge-image.js';
import { schemasOf, type Schema } from './json-schema.js';

const TYPES = {
  'lib/read/views.ts': ['Stats', 'TargetHistory'],
  'lib/read/health.ts': ['Health'],
  'lib/run/report.ts': ['RunReport'],
  'lib/run/dispatch.ts': ['DispatchReport'],
  'lib/http/maintenance-endpoint.ts': ['MaintenanceWindows'],
  'lib/http/notes-endpoint.ts': ['ChangedNotes'],
};

const STORE = Object.keys(ERROR_STATUS).filter((code): code is ErrorCode => /^store_(?!missing)/.test(code));
/** Every read may answer these. */
const READ: readonly ErrorCode[] = ['unauthorized', 'config_invalid', 'internal', 'store_missing', ...STORE];
const WITH_SECRET: readonly ErrorCode[] = [
  'unauthorized',
  'config_invalid',
  'internal',
  'cron_secret_missing',
];
const CHANGE: readonly ErrorCode[] = [
  ...WITH_SECRET,
  ...STORE,
  ...(['bad_request', 'target_not_found', 'conflict', 'too_large', 'store_missing'] as const),
];

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: Schema): Schema => ({ 'application/json': { schema } });
const text = (type: string): Schema => ({ [type]: { schema: { type: 'string' } } });
const words = (name: string, values: readonly string[], fallback?: string): Schema => ({
  name,
  in: 'query',
  schema: { type: 'string', enum: values, ...(fallback === undefined ? {} : { default: fallback }) },
});
const inQuery = (name: string): Schema => ({ name, in: 'query', schema: { type: 'string' } });
const ID = {
  name: 'id',
  in: 'path',
  required: true,
  schema: { type: 'string' },
  description: "A target's id.",
};
const FILTERS = [
  {
    ...words('status', STATUS_FILTERS),
    description: 'Its targets alone; `unread`: those that cannot be read now, which no other status has.',
  },
  { ...inQuery('group'), description: 'Its targets alone; empty: those without a group.' },
];
const STATS_TOKEN = [{}, { statsToken: [] }];
const SECRET = [{ cronSecret: [] }];

/** The answers with these codes, by status. */
function errors(codes: readonly ErrorCode[]): Schema {
  const statuses = [...new Set(codes.map((code) => ERROR_STATUS[code]))].sort();
  return Object.fromEntries(
    statuses.map((status) => {
      const named = codes.filter((code) => ERROR_STATUS[code] === status);
      const schema = {
        allOf: [ref('Error'), { properties: { error: { properties: { code: { enum: named } } } } }],
      };
      return [status, { description: named.map((code) => `\`${code}\``).join(', '), content: json(schema) }];
    }),
  );
}

function read(
  summary: string,
  content: Schema,
  more: { codes?: readonly ErrorCode[]; parameters?: readonly Schema[]; other?: Schema } = {},
): Schema {
  const { codes = [], parameters = [], other = {} } = more;
  return {
    get: {
      summary,
      security: STATS_TOKEN,
      parameters,
      responses: { 200: { description: summary, content }, ...errors([...READ, ...codes]), ...other },
    },
  };
}

const RUN = (summary: string): Schema => ({
  summary,
  security: [...SECRET, { qstash: [] }],
  parameters: [{ ...words('async', ['1']), description: 'Answers 202 at once; the run goes on.' }],
  responses: {
    200: {
      description: 'The run, or how many runs of shards were started elsewhere.',
      content: json({ anyOf: [ref('RunReport'), ref('DispatchReport')] }),
    },
    202: { description: 'The run goes on.', content: json(ref('RunStarted')) },
    ...errors(WITH_SECRET),
    503: {
      description: 'The run, which could not be recorded, or `cron_secret_missing`.',
      content: json({ anyOf: [ref('RunReport'), ref('Error')] }),
    },
  },
});

const TARGET = { type: ['string', 'null'], description: "A target's id; null or nothing: all targets." };
interface ChangeBody {
  readonly properties: Schema;
  readonly required?: readonly string[];
  /** Parameters of the query that say the same as properties of the body. */
  readonly query: readonly string[];
}
interface ChangeAnswer {
  readonly of: string;
  readonly codes?: readonly ErrorCode[];
}
const change = (
  summary: string,
  { properties, required = [], query }: ChangeBody,
  { of, codes = [] }: ChangeAnswer,
): Schema => ({
  summary,
  security: SECRET,
  parameters: query.map((name) => ({
    ...{ name, in: 'query', schema: { type: 'string' }, description: `As \`${name}\` of the body.` },
  })),
  requestBody: {
    required: required.length > 0,
    content: json({ type: 'object', properties, required, additionalProperties: false }),
  },
  responses: {
    200: { description: 'What is in force now.', content: json(ref(of)) },
    ...errors([...CHANGE, ...codes]),
  },
});

/** The same paths with names for the functions that generators make of them: `getKeepaliveById`, `deleteNotes`. */
function named(paths: Readonly<Record<string, Schema>>): Schema {
  const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
  const nameOf = (path: string) =>
    path.replace('/api', '').replace('{id}', 'byId').split(/[/.]/).map(capital).join('');
  return Object.fromEntries(
    Object.entries(paths).map(([path, methods]) => [
      path,
      Object.fromEntries(
        Object.entries(methods).map(([method, operation]) => [
          method,
          { operationId: method + nameOf(path), ...(operation as Schema) },
        ]),
      ),
    ]),
  );
}

/** The description of the HTTP API, made of the types and tables that make its answers. */
export function openApi(): Schema {
  const badge = (status: string): Schema => ({
    description: status,
    content: { ...text('image/svg+xml'), ...json(ref('ShieldsBadge')) },
  });
  return {
    openapi: '3.1.0',
    info: {
      title: 'Keepalive',
      version: '1',
      license: { name: 'MIT', identifier: 'MIT' },
      description:
        'Durations are milliseconds, times ISO 8601 in UTC, ratios 0 to 1 or null. HEAD works wherever GET does. Reads may be read by pages of any origin.',
    },
    servers: [{ url: '/', description: 'The installation that serves this document.' }],
    paths: named({
      '/api/keepalive': read('The figures of all targets, and at most 500 of them.', json(ref('Stats')), {
        codes: ['bad_request'],
        parameters: [
          ...FILTERS,
          { ...inQuery('after'), description: 'Targets whose ids come behind this one: see `next`.' },
        ],
      }),
      '/api/keepalive/{id}': read('One target with its history.', json(ref('TargetHistory')), {
        codes: ['target_not_found'],
        parameters: [ID],
      }),
      '/api/health': {
        get: {
          summary: 'Whether Keepalive itself is well.',
          security: STATS_TOKEN,
          responses: {
            200: { description: 'Healthy or degraded.', content: json(ref('Health')) },
            ...errors(['unauthorized', 'config_invalid', 'internal']),
            503: { description: 'Critical.', content: json(ref('Health')) },
          },
        },
      },
      '/api/badge/{id}': read(
        'A badge.',
        { ...text('image/svg+xml'), ...json(ref('ShieldsBadge')) },
        {
          parameters: [
            ID,
            words('metric', METRICS, 'status'),
            words('window', WINDOWS),
            words('format', FORMATS, 'svg'),
            { name: 'label', in: 'query', schema: { type: 'string' } },
          ],
          other: {
            304: { description: 'As known.' },
            400: badge('An unknown metric, window or format.'),
            404: badge('No target has this id.'),
          },
        },
      ),
      '/api/metrics': read('Prometheus text.', text('text/plain'), {
        codes: ['bad_request', 'answer_too_large'],
        parameters: FILTERS,
        other: { 304: { description: 'As known.' } },
      }),
      '/api/feed': read('Atom, an entry an incident.', text('application/atom+xml'), {
        other: { 304: { description: 'As known.' } },
      }),
      '/api/cron': { get: RUN('Makes a run.'), post: RUN('Makes a run, as QStash asks for it.') },
      '/api/calendar.ics': read('iCalendar, an event a window of maintenance.', text('text/calendar'), {
        other: { 304: { description: 'As known.' } },
      }),
      '/api/maintenance': {
        post: change(
          'Begins maintenance.',
          {
            properties: {
              target: TARGET,
              minutes: { type: 'number', exclusiveMinimum: 0, maximum: 10_080 },
              reason: { type: ['string', 'null'], maxLength: 200 },
            },
            required: ['minutes'],
            query: ['target'],
          },
          { of: 'MaintenanceWindows', codes: ['maintenance_full'] },
        ),
        delete: change(
          'Ends maintenance.',
          { properties: { target: TARGET }, query: ['target'] },
          { of: 'MaintenanceWindows' },
        ),
      },
      '/api/probe': {
        post: {
          summary:
            'One attempt at a target of another installation that has the same KEEP_ALIVE_PEER_SECRET.',
          description:
            'The request and the answer are encrypted and authenticated (JWT: dir, A256GCM), and good once, for a minute.',
          security: [],
          requestBody: { required: true, content: text('application/jwt') },
          responses: {
            200: { description: 'Whether the target is well.', content: text('application/jwt') },
            ...errors([
              ...(['bad_request', 'unauthorized', 'clock_differs', 'not_found', 'conflict'] as const),
              ...(['too_large', 'too_many_attempts', 'config_invalid', 'internal'] as const),
            ]),
          },
        },
      },
      '/api/notes': {
        post: change(
          'Writes a note.',
          {
            properties: {
              text: { type: 'string', minLength: 1, maxLength: 1_000 },
              target: TARGET,
              until: { type: ['string', 'null'], format: 'date-time' },
            },
            required: ['text'],
            query: ['target'],
          },
          { of: 'ChangedNotes', codes: ['notes_full'] },
        ),
        delete: change(
          'Takes notes away.',
          { properties: { id: { type: 'string' }, target: TARGET }, query: ['id', 'target'] },
          { of: 'ChangedNotes', codes: ['note_not_found'] },
        ),
      },
    }),
    components: {
      schemas: {
        ...schemasOf(TYPES),
        Error: {
          type: 'object',
          properties: {
            error: {
              type: 'object',
              properties: {
                code: { type: 'string', enum: Object.keys(ERROR_STATUS) },
                message: { type: 'string' },
              },
              required: ['code', 'message'],
            },
          },
          required: ['error'],
        },
        RunStarted: {
          type: 'object',
          properties: { trigger: { type: 'string' }, status: { const: 'started' } },
          required: ['trigger', 'status'],
          additionalProperties: false,
        },
        ShieldsBadge: {
          type: 'object',
          properties: {
            schemaVersion: { const: 1 },
            label: { type: 'string' },
            message: { type: 'string' },
            color: { type: 'string' },
            isError: { const: true },
          },
          required: ['schemaVersion', 'label', 'message', 'color'],
          additionalProperties: false,
        },
      },
      securitySchemes: {
        statsToken: { type: 'http', scheme: 'bearer', description: 'STATS_TOKEN, where it is set.' },
        cronSecret: { type: 'http', scheme: 'bearer', description: 'CRON_SECRET.' },
        qstash: { type: 'apiKey', in: 'header', name: 'Upstash-Signature' },
      },
    },
  };
}
