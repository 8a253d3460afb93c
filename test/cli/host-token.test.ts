import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { check } from '../../lib/cli/check-command.js';
import { ofHostWords } from '../../lib/cli/target-findings.js';
import type { HostWord } from '../../lib/types.js';
import { configOf } from '../support/runs.js';
import { serveHttp } from '../support/servers.js';
import { goodCheck, type CheckChanges } from '../support/targets.js';
import { recordingTerminal } from '../support/terminal.js';

const TOKEN = 'FlyV1 fm2_S3cretOfTheOperator';
const NAME = 'edge.fly.dev';

/** What the commands say of a Fly app that answers 200 while the API of Fly answers like this. */
async function checked(
  api: { readonly status: number; readonly body: unknown },
  args: readonly string[] = [],
) {
  let authorization: string | undefined;
  const { port } = await serveHttp((request, response) => {
    const isApi = request.url?.includes('/machines') ?? false;
    if (isApi) authorization = request.headers.authorization;
    response.writeHead(isApi ? api.status : 200).end(isApi ? JSON.stringify(api.body) : 'ok');
  });
  writeFileSync('hosts', `127.0.0.1 ${NAME}\n`);
  const terminal = recordingTerminal({
    TARGET_EDGE_URL: `http://${NAME}:${port}/`,
    TARGET_EDGE_WAKE_TIMEOUT: '1s',
    TARGET_EDGE_RETRIES: '0',
    KEEP_ALIVE_HOST_TOKEN: TOKEN,
  });
  const code = await check(['edge', ...args], terminal, {
    hostsFile: 'hosts',
    hostAddress: ({ pathname }) => new URL(`http://127.0.0.1:${port}${pathname}`),
  });
  const text = [...terminal.lines, ...terminal.errors].join('\n');
  expect(text).not.toContain('S3cret');
  expect(authorization).toBe(TOKEN);
  return { code, text };
}

it.each([
  ['a machine runs', 200, [{ state: 'started' }], 0, 'Fly says that a machine is started.'],
  ['none does', 200, [{ state: 'stopped' }], 1, 'Fly says that no machine is started.'],
  [
    'it refuses the token',
    401,
    { error: 'unauthorized' },
    0,
    'Fly (auto stop) refuses KEEP_ALIVE_HOST_TOKEN: it has to be a token of the app (`fly tokens create deploy`).',
  ],
  [
    'it knows no such app',
    404,
    {},
    0,
    'Fly (auto stop) was asked with KEEP_ALIVE_HOST_TOKEN, which shows no app at this address.',
  ],
  [
    'it is down',
    500,
    {},
    0,
    'Fly (auto stop) was asked with KEEP_ALIVE_HOST_TOKEN, and said nothing that is known.',
  ],
])('keepalive check says what the API of the host said: %s', async (_, status, body, code, line) => {
  const found = await checked({ status, body });
  expect(found.text.split('\n')).toContain(line);
  expect(found.code).toBe(code);
});

it('keepalive check --json has it too', async () => {
  const { text } = await checked({ status: 200, body: [{ state: 'started' }] }, ['--json']);
  expect(JSON.parse(text)).toMatchObject({
    word: { says: 'running', at: expect.stringMatching(/Z$/) as unknown },
  });
});

it('an address that is given is not asked about with a token that may be for another host', async () => {
  const { port } = await serveHttp((_request, response) => response.end('ok'));
  const asked: URL[] = [];
  writeFileSync('hosts', `127.0.0.1 other.fly.dev\n`);
  const terminal = recordingTerminal({ KEEP_ALIVE_HOST_TOKEN: TOKEN });
  await check([`http://other.fly.dev:${port}/`], terminal, {
    hostsFile: 'hosts',
    hostAddress: (address) => {
      asked.push(address);
      return address;
    },
  });
  expect(asked).toEqual([]);
});

const [railway] = configOf({
  TARGET_API_URL: 'https://api.up.railway.app/',
  TARGET_API_HOST_TOKEN: 'S3cretOfTheOperator',
}).targets;

it.each<readonly [Omit<HostWord, 'at'>, CheckChanges, 'ok' | 'warning', string]>([
  [{ says: 'running', message: 'Railway says that it runs' }, {}, 'ok', 'api: Railway says that it runs'],
  [
    { says: 'asleep', message: 'Railway says that the app sleeps' },
    {},
    'warning',
    'api answers, but: Railway says that the app sleeps',
  ],
  // The host may speak of the moment before it woke.
  [
    { says: 'asleep', message: 'Railway says that the app sleeps' },
    { coldStart: true, wakeMs: 3_000 },
    'ok',
    'api: Railway says that the app sleeps',
  ],
  [
    { says: 'refused', message: null },
    {},
    'warning',
    'api: Railway serverless refuses TARGET_API_HOST_TOKEN: it has to be a project token',
  ],
  [
    { says: 'not_found', message: null },
    {},
    'warning',
    'api: Railway serverless was asked with TARGET_API_HOST_TOKEN, which shows no app at this address',
  ],
  [
    { says: 'silent', message: null },
    {},
    'warning',
    'api: Railway serverless was asked with TARGET_API_HOST_TOKEN, and said nothing that is known',
  ],
])('keepalive doctor says what it makes of %j', (word, changes, level, what) => {
  if (railway === undefined) throw new Error('no target');
  const looked = { target: railway, check: goodCheck(0, { word: { at: 0, ...word }, ...changes }) };
  const findings = ofHostWords([looked]);
  expect(findings).toMatchObject([{ area: 'hosts', level, what }]);
  expect(JSON.stringify(findings)).not.toContain('S3cret');
});
