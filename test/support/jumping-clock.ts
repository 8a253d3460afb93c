import { subscribe } from 'node:diagnostics_channel';
import { createConnection, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';

/**
 * Loaded before a built function (`--import`): its clock stands still while the process works, and jumps to the next timer
 * when it only waits. `ClockDriver` (driven-function.ts) is at the other end of CLOCK_PORT.
 */
export type ToClock =
  /** Sets the clock, ms since the epoch. Answered by `set`. */
  | { readonly kind: 'set'; readonly at: number }
  /** The target does not answer the request from this local port before so many ms are over; null: never. */
  | { readonly kind: 'sleep'; readonly port: number; readonly ms: number | null };
export type FromClock =
  | { readonly kind: 'set'; readonly at: number }
  | { readonly kind: 'woke'; readonly port: number; readonly at: number };

interface Timer {
  at: number;
  readonly run: () => void;
}

const { CLOCK_PORT, CLOCK_TARGETS, CLOCK_STORE, CLOCK_AT } = process.env;
/** Turns of the event loop without anything to wait for, after which the process only waits for the clock. */
const QUIET_TURNS = 8;

const real = { Date, setTimeout, setImmediate };
let now = Number(CLOCK_AT);
const origin = now;
const timers = new Set<Timer>();

globalThis.Date = new Proxy(real.Date, {
  construct: (target, args, made) =>
    Reflect.construct(target, args.length === 0 ? [now] : args, made) as object,
  get: (target, name) => (name === 'now' ? () => Math.floor(now) : (Reflect.get(target, name) as unknown)),
});
performance.now = () => now - origin;
// Checks are started as fast as the event loop is idle, which it is all the time by this clock.
performance.eventLoopUtilization = () => ({ idle: now - origin, active: 0, utilization: 0 });

function timer(run: () => void, ms = 0): Timer {
  const made = { at: now + Math.max(1, Number.isFinite(ms) ? ms : 1), run };
  timers.add(made);
  return made;
}

/** What Node's timers are asked for. */
class FakeTimeout {
  #timer: Timer;
  constructor(
    private readonly run: () => void,
    private readonly ms: number | undefined,
  ) {
    this.#timer = timer(run, ms);
  }
  ref = (): this => this;
  unref = (): this => this;
  hasRef = (): boolean => true;
  refresh(): this {
    this.close();
    this.#timer = timer(this.run, this.ms);
    return this;
  }
  close(): this {
    timers.delete(this.#timer);
    return this;
  }
}
globalThis.setTimeout = ((run: (...args: unknown[]) => void, ms?: number, ...args: unknown[]) =>
  new FakeTimeout(() => run(...args), ms)) as unknown as typeof setTimeout;
globalThis.clearTimeout = (timeout: unknown) => {
  if (timeout instanceof FakeTimeout) timeout.close();
};
AbortSignal.timeout = (ms) => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new DOMException('The operation timed out.', 'TimeoutError')), ms);
  return controller.signal;
};

/** What the process waits for that is no clock: requests, connections, work of other threads. */
const pending = new Set<unknown>();
function settle(work: unknown): void {
  if (pending.delete(work) && pending.size === 0) watch(0);
}
/** Those to targets, by local port. */
const ports = new Map<number, Socket>();

subscribe('undici:request:create', (message) => {
  const { request } = message as { request: { origin?: unknown } };
  if (String(request.origin) === CLOCK_STORE) pending.add(request);
});
for (const end of ['undici:request:trailers', 'undici:request:error']) {
  subscribe(end, (message) => settle((message as { request: unknown }).request));
}
subscribe('net.client.socket', (message) => {
  const { socket } = message as { socket: Socket };
  pending.add(socket);
  socket.once('close', () => {
    settle(socket);
    for (const [port, each] of ports) if (each === socket) ports.delete(port);
  });
  socket.once('connect', () => {
    if (String(socket.remotePort) !== CLOCK_TARGETS) settle(socket);
    else ports.set(socket.localPort ?? 0, socket);
  });
});
for (const name of ['importKey', 'verify', 'sign', 'digest'] as const) {
  const { subtle } = crypto;
  const call = subtle[name].bind(subtle) as (...args: unknown[]) => Promise<unknown>;
  Object.defineProperty(subtle, name, {
    value: async (...args: unknown[]) => {
      const work = call(...args);
      pending.add(work);
      try {
        return await work;
      } finally {
        settle(work);
      }
    },
  });
}

let requests = 0;
subscribe('http.server.request.start', () => {
  requests += 1;
  if (requests === 1) watch(0);
});
subscribe('http.server.response.finish', () => void (requests -= 1));

let watching = 0;
/** Jumps after some turns in which nothing was pending. Whatever settles last begins anew. */
function watch(quietTurns: number, id = ++watching): void {
  if (requests === 0 || pending.size > 0 || id !== watching) return;
  if (quietTurns >= QUIET_TURNS) jump();
  real.setImmediate(watch, quietTurns < QUIET_TURNS ? quietTurns + 1 : 0, id);
}

function jump(): void {
  let next: Timer | null = null;
  for (const each of timers) if (next === null || each.at < next.at) next = each;
  if (next === null) return;
  timers.delete(next);
  now = Math.max(now, next.at);
  next.run();
}

const driver = createConnection(Number(CLOCK_PORT), '127.0.0.1');
driver.unref();
const tell = (message: FromClock): void => void driver.write(`${JSON.stringify(message)}\n`);
createInterface(driver).on('line', (line) => {
  const message = JSON.parse(line) as ToClock;
  if (message.kind === 'set') {
    now = message.at;
    tell({ kind: 'set', at: now });
    return;
  }
  const { port, ms } = message;
  const socket = ports.get(port);
  settle(socket);
  if (ms !== null) {
    timer(() => {
      if (socket !== undefined && !socket.destroyed) pending.add(socket);
      tell({ kind: 'woke', port, at: now });
    }, ms);
  }
});
