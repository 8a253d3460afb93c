import type { Socket } from 'node:net';
import { afterAll, expect, test } from 'vitest';
import { afterEvents } from '../../lib/probe/event-loop.js';
import { createProber } from '../../lib/probe/probe.js';
import { serveTcp } from '../support/servers.js';
import { someTarget, type TargetOptions } from '../support/targets.js';

const never = new AbortController().signal;
const prober = createProber();
afterAll(() => prober.close());

/** Ms from the connection to each piece. */
const PAUSE = 100;
const text = (wanted: string) => ({ assertions: { expectBody: { kind: 'text', text: wanted } as const } });

/** Says each piece a while after the last one; who hears them asks nothing in between. */
const speaking =
  (...pieces: readonly string[]) =>
  (socket: Socket, told: () => void): void => {
    const say = (left: readonly string[]): void => {
      const [piece, ...rest] = left;
      if (piece === undefined) return;
      setTimeout(() => {
        told();
        socket.write(piece);
        say(rest);
      }, PAUSE);
    };
    say(pieces);
  };

/** A mail server: what it answers at once counts for nothing here. */
const mail = (socket: Socket, told: () => void): void => {
  socket.on('data', (line) =>
    socket.write(line.toString().startsWith('QUIT') ? '221 bye\r\n' : '250 ok\r\n'),
  );
  speaking('220 ready\r\n')(socket, told);
};

/** Keeps this process busy: what comes of an event waits for some forty ms. */
function keepBusy(): () => void {
  let isBusy = true;
  const work = (): void => {
    const end = performance.now() + 4;
    while (performance.now() < end);
    if (isBusy) afterEvents(work);
  };
  for (let i = 0; i < 10; i += 1) afterEvents(work);
  return () => (isBusy = false);
}

test.each<[string, string, TargetOptions, (socket: Socket, told: () => void) => void]>([
  ['a greeting', 'tcp://', text('hello'), speaking('hello\r\n')],
  ['two lines', 'tcp://', { query: 'expect ready\nexpect hello' }, speaking('ready\r\n', 'hello\r\n')],
  ['the greeting of a mail server', 'smtp://', {}, mail],
  ['the greeting of what is no MySQL', 'mysql://user@', {}, speaking('SSH-2.0-OpenSSH_9.2\r\n')],
])(
  'what a server says without being asked is not dated back while we are busy: %s',
  async (_, begin, options, serve) => {
    let took = Infinity;
    const { port } = await serveTcp((socket) => {
      const since = performance.now();
      serve(socket, () => (took = performance.now() - since));
    });
    const target = someTarget(`${begin}127.0.0.1:${port}`, options);
    const rest = keepBusy();
    const { outcome, timings } = await prober.attempt(target, never).finally(rest);
    expect(outcome).toBe(begin.startsWith('mysql') ? 'failed' : 'good');
    expect(timings.total).toBeGreaterThanOrEqual(took - 1);
    const { connect, ttfb } = timings;
    expect((connect ?? 0) + (ttfb ?? 0)).toBeLessThanOrEqual(timings.total + 0.1);
  },
);
