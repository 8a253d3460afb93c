import type { Socket } from 'node:net';
import { needsBody, type Body } from '../rules/assertions.js';
import { dialogueOf, lineBytes } from '../rules/queries.js';
import type { TargetOf } from '../types.js';
import { ByteCollector } from './bytes.js';
import { connect } from './connect.js';
import { closedEarly, closingOf, failureOf } from './failure.js';
import type { Probe, ProbeContext } from './probe-context.js';
import { playDialogue } from './steps.js';

/** An answer of which nothing tells the end is over when no more has come for so many ms. */
const PAUSE = 500;
/** Ms from the first byte until a regular expression is first looked for. Doubled each time that it is not found. */
const FIRST_LOOK = 50;

/**
 * TCP: good when the connection is accepted. Where QUERY or an assertion asks for more, the line is sent, and what comes
 * back is the answer, the greeting included.
 */
export const probeTcp: Probe<'tcp:'> = async (target, url, context) => {
  const { socket } = await connect(url, Number(url.port), context, () => true);
  try {
    return await answerOf(socket, target, url, context);
  } finally {
    socket.destroy();
  }
};

/** What comes back over a connection; null where nothing is asked and nothing is judged. */
export async function answerOf(
  socket: Socket,
  target: TargetOf<'tcp:' | 'tls:'>,
  url: URL,
  context: ProbeContext,
): Promise<Body | null> {
  const { query, assertions } = target;
  const dialogue = dialogueOf(query ?? '');
  if (dialogue !== null) return playDialogue(socket, dialogue.steps, { target, url }, context);
  if (query !== null || needsBody(assertions)) return converse(socket, target, context);
  context.trace.reached = true;
  return null;
}

/**
 * Sends the line and reads until the answer is whole: the expected text is there, the peer ends, or MAX_BODY is reached.
 * What else is to be judged is waited for until a pause; where nothing is expected, the first bytes are enough. The clock
 * stops at the bytes that decided. Rejects with a ProbeFailure.
 */
function converse(
  socket: Socket,
  { query, maxBody, assertions }: TargetOf<'tcp:' | 'tls:'>,
  { deadline, trace, evaluator }: ProbeContext,
): Promise<Body> {
  const { expectBody, rejectBody, expectJson, degradedJson } = assertions;
  const judgesMore = rejectBody !== null || expectJson !== null || degradedJson !== null;
  const line = query === null ? null : lineBytes(query);
  const start = deadline.elapsed;
  return deadline.guard<Body>('waiting for the answer', (resolve, reject) => {
    const received = new ByteCollector(maxBody);
    let isFound = expectBody === null;
    let isOver = false;
    let looks = 0;
    let isLooking = false;
    let lastAt = start;
    let pause: NodeJS.Timeout | undefined;
    let look: NodeJS.Timeout | undefined;

    const stop = () => {
      isOver = true;
      clearTimeout(pause);
      clearTimeout(look);
      socket.off('data', onData).off('end', onEnd).off('close', onClose).off('error', onError);
      socket.destroy();
    };
    const fail = (error: unknown) => {
      reject(failureOf(error, 'connect'));
      stop();
    };
    const finish = (cut = false, text = received.bytes.toString(), at = lastAt) => {
      resolve({ text, cut }, at);
      stop();
    };
    const waitForPause = () => {
      clearTimeout(pause);
      const { length } = received;
      // What has arrived while our process was busy is read first.
      const end = () => setImmediate(() => !isOver && received.length === length && finish());
      pause = setTimeout(end, PAUSE);
    };
    const lookLater = () => {
      if (isLooking || expectBody?.kind !== 'regex') return;
      isLooking = true;
      look = setTimeout(
        () => {
          const [text, at, { length }] = [received.bytes.toString(), lastAt, received];
          void evaluator.search(expectBody, text).then((found) => {
            isLooking = false;
            if (isOver) return;
            looks++;
            isFound = found !== 'false';
            if (!isFound && received.length > length) lookLater();
            else if (isFound && judgesMore) waitForPause();
            else if (isFound) finish(false, text, at);
          });
        },
        FIRST_LOOK * 2 ** looks,
      );
    };

    const onData = (bytes: Buffer) => {
      lastAt = deadline.elapsed;
      trace.ttfb ??= lastAt - start;
      trace.reached = true;
      const { length } = received;
      const room = maxBody - length;
      received.append(bytes, 0, Math.min(room, bytes.length));
      if (!isFound && expectBody?.kind === 'text') {
        const text = Buffer.from(expectBody.text);
        isFound = received.bytes.includes(text, Math.max(0, length - text.length));
      }
      if (bytes.length > room) finish(true);
      else if (isFound && !judgesMore) finish();
      else if (isFound) waitForPause();
      else {
        deadline.stage = 'waiting for the expected text';
        lookLater();
      }
    };
    const onEnd = () => (received.length > 0 ? finish() : fail(closedEarly()));
    const onClose = () => fail(closedEarly());
    // A server may reset the connection when it has said everything.
    const onError = (error: Error) => (isFound && received.length > 0 ? finish() : fail(error));
    if (socket.destroyed) {
      fail(closingOf(socket, 'connect'));
      return stop;
    }
    socket.on('data', onData).on('end', onEnd).on('close', onClose).on('error', onError);
    if (line === null) deadline.continueStep();
    else {
      deadline.beginStep();
      socket.write(line);
    }
    return stop;
  });
}
