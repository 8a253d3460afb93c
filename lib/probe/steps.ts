import type { Socket } from 'node:net';
import { needsBody, type Body } from '../rules/assertions.js';
import { lineBytes, withGroups, type Step } from '../rules/queries.js';
import type { TargetOf, TextPattern } from '../types.js';
import { ByteCollector } from './bytes.js';
import { secure } from './connect.js';
import { closingOf, failureOf, ProbeFailure } from './failure.js';
import type { ProbeContext } from './probe-context.js';

/** A line of which nothing tells the end is judged when no more has come for so many ms. */
const PAUSE = 500;
const LINE_FEED = 0x0a;

interface Asked {
  readonly target: TargetOf<'tcp:' | 'tls:'>;
  readonly url: URL;
}

/**
 * Sends and waits in turn, as the steps of a QUERY say. A regular expression is looked for in one line at a time, a text in
 * all that has come since the step before. The clock stops at the bytes that decided. Rejects with a ProbeFailure.
 * @returns all that came, where an assertion looks at it
 */
export async function playDialogue(
  connected: Socket,
  steps: readonly Step[],
  { target, url }: Asked,
  context: ProbeContext,
): Promise<Body | null> {
  let socket = connected;
  const received = new ByteCollector(target.maxBody);
  /** Bytes that the steps so far have used. */
  let used = 0;
  let groups: readonly string[] = [];
  for (const [index, step] of steps.entries()) {
    if (step.kind === 'send') {
      if (socket.destroyed) throw closingOf(socket, 'dialogue');
      // Checked with the configuration, so that it can be written.
      socket.write(lineBytes(withGroups(step.text, groups)) ?? '');
    } else if (step.kind === 'starttls') {
      socket = await secure(socket, url, target.tlsVerify, undefined, context);
      used = received.length;
    } else {
      const found = await waitFor(
        socket,
        step.pattern,
        {
          ...{ received, used, number: index + 1, maxBody: target.maxBody },
          isAsked: steps[index - 1]?.kind === 'send',
        },
        context,
      );
      ({ used, groups } = found);
    }
    context.trace.reached = true;
  }
  if (!needsBody(target.assertions)) return null;
  return { text: received.bytes.toString(), cut: received.length >= target.maxBody };
}

interface Search {
  readonly received: ByteCollector;
  readonly used: number;
  /** The step's, from 1. */
  readonly number: number;
  readonly maxBody: number;
  /** The step before it has sent something. */
  readonly isAsked: boolean;
}

interface Found {
  readonly used: number;
  readonly groups: readonly string[];
}

function waitFor(
  socket: Socket,
  pattern: TextPattern,
  { received, used, number, maxBody, isAsked }: Search,
  { deadline, trace, evaluator }: ProbeContext,
): Promise<Found> {
  const start = deadline.elapsed;
  const missed = (): ProbeFailure =>
    new ProbeFailure('query', `what line ${number} of QUERY expects did not come`);
  return deadline.guard<Found>('waiting for the expected text', (resolve, reject) => {
    /** Where the line begins that is looked at next. */
    let from = used;
    /** Bytes in which the text was looked for. */
    let searched = used;
    let isOver = false;
    let isLooking = false;
    let hasEnded = false;
    let isFull = false;
    let at = start;
    let pause: NodeJS.Timeout | undefined;

    const stop = () => {
      isOver = true;
      clearTimeout(pause);
      socket.pause();
      // Node keeps a closed socket for a while, and with it what listens to it.
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError);
    };
    const fail = (error: unknown) => {
      reject(failureOf(error, 'dialogue'));
      stop();
    };
    const take = (found: Found, when: number) => {
      resolve(found, when);
      stop();
    };
    const lookForText = (text: string) => {
      const bytes = Buffer.from(text);
      const place = received.bytes.indexOf(bytes, Math.max(used, searched - bytes.length));
      searched = received.length;
      if (place >= 0) take({ used: place + bytes.length, groups: [] }, at);
      else if (isFull) fail(new ProbeFailure('too_large', 'the answer is longer than MAX_BODY'));
      else if (hasEnded) fail(missed());
    };
    /** Looks at each whole line, and at what is left behind them where nothing more comes. */
    const lookAtLines = async (expression: { source: string; flags: string }, isQuiet: boolean) => {
      if (isLooking) return;
      isLooking = true;
      for (;;) {
        const when = at;
        const { bytes } = received;
        const end = bytes.indexOf(LINE_FEED, from);
        const isLast = end < 0;
        if (isLast && !(isQuiet || hasEnded || isFull)) break;
        if (isLast && from >= bytes.length) break;
        const line = bytes
          .subarray(from, isLast ? bytes.length : end)
          .toString()
          .replace(/\r$/, '');
        const next = isLast ? bytes.length : end + 1;
        const found = await evaluator.groups(expression, line);
        if (isOver) return;
        if (typeof found !== 'string') {
          take({ used: next, groups: found }, when);
          return;
        }
        if (found === 'slow') {
          fail(new ProbeFailure('query', `the expression in line ${number} of QUERY took too long`));
          return;
        }
        // What is no whole line yet may still become one that fits.
        if (!isLast) from = next;
        else if (received.length === bytes.length) break;
      }
      isLooking = false;
      if (isFull) fail(new ProbeFailure('too_large', 'the answer is longer than MAX_BODY'));
      else if (hasEnded) fail(missed());
    };
    const look = (isQuiet: boolean) => {
      if (pattern.kind === 'text') lookForText(pattern.text);
      else void lookAtLines(pattern, isQuiet);
    };
    const lookLater = () => {
      clearTimeout(pause);
      pause = setTimeout(() => look(true), PAUSE);
    };
    const onData = (bytes: Buffer) => {
      at = deadline.elapsed;
      trace.ttfb ??= at - start;
      const room = maxBody - received.length;
      isFull ||= bytes.length > room;
      received.append(bytes, 0, Math.min(room, bytes.length));
      look(false);
      if (!isOver) lookLater();
    };
    const onEnd = () => {
      hasEnded = true;
      look(true);
    };
    const onError = (error: Error) => fail(error);
    /** What has come before may have ended it. */
    const readOn = () => {
      if (isOver) return;
      if (socket.destroyed) onEnd();
      else socket.resume();
    };
    socket.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError);
    if (isAsked) deadline.beginStep();
    else deadline.continueStep();
    if (received.length > used) {
      look(false);
      lookLater();
    }
    readOn();
    return stop;
  });
}
