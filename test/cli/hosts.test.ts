import { expect, it } from 'vitest';
import type { OutgoingHttpHeaders } from 'node:http';
import { check } from '../../lib/cli/check-command.js';
import type { HostName } from '../../lib/types.js';
import { serveHttp } from '../support/servers.js';
import { recordingTerminal } from '../support/terminal.js';

/** An answer as people have recorded it of the host, with other names. */
interface Recorded {
  readonly host: HostName;
  readonly path?: string;
  readonly status: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string;
  /** What follows after the first answer. */
  readonly then?: Omit<Recorded, 'host'>;
  readonly options?: Readonly<Record<string, string>>;
  /** Whether the check is good. */
  readonly good: boolean;
  /** What `keepalive check` says: who answered, the verdict, the conclusion. */
  readonly says: readonly string[];
  /** How many requests it makes. */
  readonly requests?: number;
}

const CLOUDFLARE = { server: 'cloudflare', 'cf-ray': '8d0000000000aaaa-FRA' };
const RAILWAY = { server: 'railway-edge', 'x-railway-edge': 'railway/europe-west4-drams3a' };
const NOT_FOUND = JSON.stringify({ status: 'error', code: 404, message: 'Application not found' });

const ANSWERS: Readonly<Record<string, Recorded>> = {
  'Render, the app': {
    host: 'render',
    status: 200,
    headers: { ...CLOUDFLARE, 'x-render-origin-server': 'uvicorn', 'rndr-id': '9f3df134-ca16-458d' },
    body: '{"status":"healthy"}',
    good: true,
    says: [
      '  answered by the app itself: it is awake, and this request counts as activity',
      'some is good (# ms, 1 attempt)',
    ],
  },
  'Render, without the header that only the app’s answers have': {
    host: 'render',
    status: 200,
    headers: CLOUDFLARE,
    body: '<title>Service waking up</title>',
    good: true,
    says: [
      '  answered by the app or the edge of Render free: it proves nothing',
      'some is good (# ms, 1 attempt)',
    ],
  },
  'Render, robots.txt from the edge': {
    host: 'render',
    path: '/robots.txt',
    status: 200,
    headers: CLOUDFLARE,
    body: 'User-agent: *\nDisallow: /\n',
    good: false,
    says: [
      '  answered by the edge of Render free, in place of the app: it counts for nothing',
      "some FAILED after 1 attempt: Render's edge may answer /robots.txt for a sleeping app: choose another path",
    ],
  },
  'Render, a wake that takes a while': {
    host: 'render',
    status: 503,
    headers: { ...CLOUDFLARE, 'x-render-routing': 'hibernate-wake-error' },
    then: { status: 200, headers: { 'x-render-origin-server': 'Render' }, good: true, says: [] },
    good: true,
    says: [
      '  answered by Render free, which says that the app sleeps or is waking',
      '  answered by the app itself: it is awake, and this request counts as activity',
      'some is good (# ms, 2 attempts, it slept and woke in # s)',
    ],
    requests: 2,
  },
  'Render, an app that does not wake': {
    host: 'render',
    status: 503,
    headers: { ...CLOUDFLARE, 'x-render-routing': 'dynamic-hibernate-error-503' },
    options: { WAKE_TIMEOUT: '1s', RETRIES: '0', EXPECT_STATUS: '200-599' },
    good: false,
    says: [
      '  answered by Render free, which says that the app sleeps or is waking',
      'some FAILED after 1 attempt: Render did not wake it: if that lasts for minutes, the app does not start; see its logs',
    ],
  },
  'Render, suspended': {
    host: 'render',
    status: 503,
    headers: { ...CLOUDFLARE, 'x-render-routing': 'suspend' },
    body: 'Service Suspended',
    good: false,
    says: [
      '  answered by Render free, which says that no request can wake it',
      "some FAILED after 1 attempt: suspended on Render: resume it there, or wait for the month's end if its 750 hours are used up",
    ],
  },
  'Render, suspended by its owner': {
    host: 'render',
    status: 503,
    headers: { ...CLOUDFLARE, 'x-render-routing': 'suspend-by-user' },
    good: false,
    says: ['  answered by Render free, which says that no request can wake it'],
  },
  'Render, no such service': {
    host: 'render',
    status: 404,
    headers: { ...CLOUDFLARE, 'x-render-routing': 'no-server' },
    body: 'Not Found',
    options: { EXPECT_STATUS: '404' },
    good: false,
    says: [
      'some FAILED after 1 attempt: Render has no service of this name: look whether it was deleted or renamed',
    ],
  },
  'Render, too many requests': {
    host: 'render',
    status: 429,
    headers: { ...CLOUDFLARE, 'x-render-routing': 'rate-limited' },
    good: false,
    says: ['some FAILED after 1 attempt: Render limits the rate of requests: ping it more seldom'],
  },
  'Railway, the app': {
    host: 'railway',
    status: 200,
    headers: { ...RAILWAY, 'x-railway-request-id': 'ucE8S2t-Qn6AKhHY0_TJvA' },
    body: 'ok',
    good: true,
    says: ['  answered by the app itself: it is awake, and this request counts as activity'],
  },
  'Railway, the app refuses': {
    host: 'railway',
    status: 401,
    headers: RAILWAY,
    options: { EXPECT_STATUS: '401' },
    good: true,
    says: ['  answered by the app itself: it is awake, and this request counts as activity'],
  },
  'Railway, a wake': {
    host: 'railway',
    status: 502,
    headers: { ...RAILWAY, 'x-railway-fallback': 'true' },
    body: 'Application failed to respond',
    then: { status: 200, headers: RAILWAY, good: true, says: [] },
    good: true,
    says: [
      '  answered by Railway serverless, which says that the app sleeps or is waking',
      'some is good (# ms, 2 attempts, it slept and woke in # s)',
    ],
    requests: 2,
  },
  'Railway, not found while it wakes': {
    host: 'railway',
    status: 404,
    headers: { ...RAILWAY, 'x-railway-fallback': 'true' },
    body: NOT_FOUND,
    then: { status: 200, headers: RAILWAY, good: true, says: [] },
    good: true,
    says: ['some is good (# ms, 2 attempts, it slept and woke in # s)'],
    requests: 2,
  },
  'Railway, not found for good': {
    host: 'railway',
    status: 404,
    headers: { ...RAILWAY, 'x-railway-fallback': 'true' },
    body: NOT_FOUND,
    options: { WAKE_TIMEOUT: '1s', RETRIES: '0' },
    good: false,
    says: [
      '  answered by Railway serverless, which says that no request can wake it',
      'some FAILED after 1 attempt: Railway runs nothing here: look whether the service is removed, paused or out of credit',
    ],
  },
  'Koyeb, the app': {
    host: 'koyeb',
    status: 200,
    headers: { server: 'istio-envoy', 'x-envoy-upstream-service-time': '4' },
    good: true,
    says: ['  answered by the app itself: it is awake, and this request counts as activity'],
  },
  'Heroku, who knows': {
    host: 'heroku',
    status: 200,
    headers: { server: 'Heroku', via: '1.1 heroku-router' },
    good: true,
    says: ['  answered by the app or the edge of Heroku Eco: it proves nothing'],
  },
  'Fly, whose headers prove nothing': {
    host: 'fly',
    status: 200,
    headers: { server: 'Fly/x', 'fly-request-id': '01J-fra' },
    good: true,
    says: ['  answered by the app or the edge of Fly (auto stop): it proves nothing'],
  },
  'Hugging Face, the Space': {
    host: 'huggingface',
    status: 200,
    headers: { 'x-proxied-host': 'http://10.0.0.1', 'x-proxied-replica': 'a1b2c3d4-x' },
    good: true,
    says: ['  answered by the app itself: it is awake, and this request counts as activity'],
  },
  'Hugging Face, starting': {
    host: 'huggingface',
    status: 503,
    then: { status: 200, headers: { 'x-proxied-replica': 'a1b2c3d4-x' }, good: true, says: [] },
    good: true,
    says: ['some is good (# ms, 2 attempts, it slept and woke in # s)'],
    requests: 2,
  },
  'Streamlit, the container': {
    host: 'streamlit',
    path: '/~/+/_stcore/health',
    status: 200,
    body: 'ok',
    good: true,
    says: ['  answered by the app itself: it is awake; whether this request keeps it awake is not known'],
  },
  'Streamlit, the container sleeps': {
    host: 'streamlit',
    path: '/~/+/_stcore/health',
    status: 400,
    options: { WAKE_TIMEOUT: '1s', RETRIES: '0' },
    good: false,
    says: [
      '  answered by Streamlit Community Cloud, which says that the app sleeps or is waking',
      'some FAILED after 1 attempt: the Streamlit app sleeps: open it in a browser and press the button that wakes it',
    ],
    // The host is asked for its word, too.
    requests: 2,
  },
  'Supabase, a table': {
    host: 'supabase',
    path: '/rest/v1/todos?select=id&limit=1',
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8', 'content-range': '0-0/*' },
    body: '[{"id":1}]',
    good: true,
    says: ['  answered by the app itself: it is awake; whether this request keeps it awake is not known'],
  },
  'Supabase, the gateway over a dead database': {
    host: 'supabase',
    path: '/rest/v1/todos',
    status: 401,
    body: '{"message":"No API key found in request"}',
    options: { EXPECT_STATUS: '200,401' },
    good: false,
    says: [
      '  answered by the edge of Supabase free, in place of the app: it counts for nothing',
      "some FAILED after 1 attempt: Supabase's gateway refused it before the database: send a valid `apikey` header, ask a table",
    ],
  },
  'Supabase, paused': {
    host: 'supabase',
    path: '/rest/v1/todos',
    status: 540,
    good: false,
    says: ['some FAILED after 1 attempt: the Supabase project is paused: restore it in the dashboard'],
  },
  'Supabase, restricted': {
    host: 'supabase',
    path: '/rest/v1/todos',
    status: 402,
    good: false,
    says: [
      'some FAILED after 1 attempt: Supabase restricts the project (fair use): see usage and billing in the dashboard',
    ],
  },
  'Azure, stopped': {
    host: 'azure',
    status: 403,
    body: '<html><title>Web App - Unavailable</title><h1>Error 403 - This web app is stopped.</h1></html>',
    good: false,
    says: [
      'some FAILED after 1 attempt: the Azure app is stopped: its CPU minutes of the day are used up, or start it in the portal',
    ],
  },
  'Azure, the app refuses': {
    host: 'azure',
    status: 403,
    body: 'Forbidden',
    options: { RETRIES: '0' },
    good: false,
    says: ['some FAILED after 1 attempt: status 403, expected 200-299'],
  },
};

it.each(Object.entries(ANSWERS))('%s', async (_, recorded) => {
  let requests = 0;
  const { port } = await serveHttp((_request, response) => {
    const { status, headers, body } = requests === 0 ? recorded : (recorded.then ?? recorded);
    requests += 1;
    response.writeHead(status, headers).end(body);
  });
  const set = Object.entries({ HOST: recorded.host, ...recorded.options });
  const env = {
    TARGET_SOME_URL: `http://127.0.0.1:${port}${recorded.path ?? '/'}`,
    ...Object.fromEntries(set.map(([option, value]) => [`TARGET_SOME_${option}`, value])),
  };
  const terminal = recordingTerminal(env);
  const code = await check(['some'], terminal);
  const text = [...terminal.errors, ...terminal.lines]
    .join('\n')
    .replace(/\b\d+(?:\.\d+)? ms\b/g, '# ms')
    .replace(/woke in \d+ s/, 'woke in # s');
  for (const line of recorded.says) expect(text.split('\n')).toContain(line);
  expect([code, requests]).toEqual([recorded.good ? 0 : 1, recorded.requests ?? 1]);
});
