import { writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import type { Start } from '../start.js';

/** One cold start. Arguments: a built function or '', then optionally what it is asked: method, URL and bearer. */
async function start(): Promise<void> {
  const files = process.env.LIST_FILES === undefined ? null : await watchFiles();
  const [entrypoint = '', method, url = '', bearer = ''] = process.argv.slice(2);
  const handlers = entrypoint === '' ? {} : await load(entrypoint);
  const imported = taken();
  const filesImported = files?.length ?? 0;
  let status: number | null = null;
  if (method !== undefined) {
    const headers = { authorization: `Bearer ${bearer}` };
    const handler = entrypoint === '' ? fetch : handlers[method];
    if (handler === undefined) throw new Error(`${entrypoint} has no ${method}`);
    const answer = await handler(new Request(url, { method, headers }));
    await answer.text();
    ({ status } = answer);
  }
  const answered = taken();
  const told: Start = { imported, answered, status, filesImported, files: files ?? [] };
  writeSync(3, JSON.stringify(told));
  process.exit();
}

type Handlers = Readonly<Record<string, (request: Request) => Promise<Response>>>;

async function load(entrypoint: string): Promise<Handlers> {
  return (await import(pathToFileURL(entrypoint).href)) as Handlers;
}

/** Ms since the process began, and ms of CPU that all its threads used. */
function taken(): Start['imported'] {
  const { user, system } = process.cpuUsage();
  return { wall: performance.now(), cpu: (user + system) / 1000 };
}

/** Grows by every file that is parsed from now on, be it imported or required. */
async function watchFiles(): Promise<readonly string[]> {
  const { Session } = await import('node:inspector');
  const session = new Session();
  const files: string[] = [];
  session.connect();
  session.post('Debugger.enable');
  session.on('Debugger.scriptParsed', ({ params: { url } }) => {
    if (url.startsWith('file:') || url.startsWith('/')) files.push(url);
  });
  return files;
}

await start();
