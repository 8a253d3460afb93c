import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocket, type RawData } from 'ws';
import { judgeMessage, needsBody, type Body } from '../rules/assertions.js';
import { dialogueOf, messageText } from '../rules/queries.js';
import { PROTOCOLS } from '../protocols.js';
import type { TargetOf, Verdict } from '../types.js';
import { connect, secure } from './connect.js';
import { closedWithoutTls, codeOf, failureOf, Interruption, ProbeFailure } from './failure.js';
import { mayBeOwnAnswer, missing, noteOrigin } from './http-probe.js';
import type { Probe, ProbeContext, Trace } from './probe-context.js';

type WebSocketTarget = TargetOf<'ws:' | 'wss:'>;

/** Bytes of the head of the server's answer at most, as for HTTP, and of all that comes before it. */
const MAX_HEAD = 256 * 1024;
/** Bytes that every frame takes besides its content, at least. */
const FRAME = 2;
/** Messages, pings and pongs of one attempt at most. */
const MOST_MESSAGES = 1_000;
/** How long the server has to answer our close frame, in ms. It is no part of the latency. */
const CLOSING = 500;
/** "Normal closure" (RFC 6455, 7.4.1). */
const NORMAL = 1_000;
/** What the library says in place of a code where none came, or no close frame. */
const WITHOUT_CODE = [1_005, 1_006];
/** A message, and a frame of more than 2^53 bytes. */
const TOO_LONG = ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH'];
const TOO_MUCH = 'headers too large';
const SUBPROTOCOL_HEADER = 'sec-websocket-protocol';

/** What a connection came to: the message that decides, null where no message is waited for or looked at. */
interface WebSocketOutcome {
  readonly body: Body | null;
}

/**
 * WebSocket: good when the handshake succeeds. With QUERY or an assertion about the body, a message must come back: the
 * first that fits decides, or one in which the rejected text is found.
 */
export const probeWebSocket: Probe<'ws:' | 'wss:'> = async (target, url, context) => {
  const { defaultPort } = PROTOCOLS[target.protocol];
  const port = url.port === '' ? defaultPort : Number(url.port);
  const { socket } = await connect(url, port, context, () => true);
  let client: WebSocket | null = null;
  try {
    const stream =
      target.protocol === 'wss:'
        ? await secure(socket, url, target.tlsVerify, ['http/1.1'], context)
        : socket;
    client = open(stream, target, url, context);
    const { body } = await converse(client, target, context).catch((error: unknown) => {
      throw target.protocol === 'ws:' ? withTlsAdvice(error, context.trace) : error;
    });
    await close(client, context);
    return body;
  } finally {
    client?.terminate();
    socket.destroy();
  }
};

/** Sends the handshake over a connected socket. The clock begins with its bytes. */
function open(
  socket: Socket,
  { headers, maxBody }: WebSocketTarget,
  url: URL,
  { deadline, userAgent }: ProbeContext,
): WebSocket {
  const entries = Object.entries({ ...missing({ 'User-Agent': userAgent }, headers), ...headers });
  const others = entries.filter(([name]) => name.toLowerCase() !== SUBPROTOCOL_HEADER);
  const before = socket.bytesRead;
  try {
    const client = new WebSocket(url, subprotocolsOf(headers), {
      createConnection: () => socket,
      headers: Object.fromEntries(others),
      maxPayload: maxBody,
      maxHeaderSize: MAX_HEAD,
      perMessageDeflate: false,
      // One message for each turn of the event loop: thousands fit into one piece of the stream.
      allowSynchronousEvents: false,
      finishRequest: (request) =>
        request
          .once('socket', () => deadline.beginStep())
          // Any number of 1xx answers may come before the one that counts.
          .on('information', () => {
            if (socket.bytesRead - before > MAX_HEAD) request.destroy(new ProbeFailure('protocol', TOO_MUCH));
          })
          .end(),
    });
    // Errors go on to come after the attempt has ended.
    return client.on('error', () => undefined);
  } catch (error) {
    throw new ProbeFailure('protocol', 'request cannot be sent', { cause: error });
  }
}

/** Who answered the handshake. */
function noteAnswer(
  statusCode: number,
  response: IncomingMessage,
  target: WebSocketTarget,
  context: ProbeContext,
): void {
  const headers = new Map(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
  noteOrigin({ statusCode, headers }, null, target, new URL(target.url), context);
}

/** Those that we offer. The library checks the server's choice against them. */
function subprotocolsOf(headers: WebSocketTarget['headers']): string[] {
  return Object.entries(headers)
    .filter(([name]) => name.toLowerCase() === SUBPROTOCOL_HEADER)
    .flatMap(([, value]) => value.split(',').map((name) => name.trim()));
}

async function converse(
  client: WebSocket,
  target: WebSocketTarget,
  context: ProbeContext,
): Promise<WebSocketOutcome> {
  const { deadline, trace, evaluator } = context;
  const { assertions, query, maxBody } = target;
  const steps = dialogueOf(query ?? '')?.steps ?? null;
  /** The failure where the server's choice of a subprotocol is not ours. */
  let otherSubprotocol: ProbeFailure | null = null;
  const isLookedAt = steps !== null || needsBody(assertions);
  const start = deadline.elapsed;
  /** What the last message lacked. */
  let unfit: Verdict | null = null;

  const answered = deadline.guard<WebSocketOutcome>('waiting for the answer', (resolve, reject) => {
    const waiting: { readonly text: string; readonly at: number }[] = [];
    let isJudging = false;
    let isClosed = false;
    let isOver = false;
    let read = 0;
    let messages = 0;
    /** Nothing more is taken on: what waits is judged, and then the attempt ends. */
    let tooMuch: ProbeFailure | null = null;
    let whyClosed = new ProbeFailure('reset', 'connection closed early');

    const take = (body: Body | null, at = deadline.elapsed) => {
      trace.ttfb = at - start;
      resolve({ body }, at);
      stop();
    };
    const fail = (failure: ProbeFailure) => {
      reject(failure);
      stop();
    };
    /** Returns false where it is too much. */
    const count = (bytes: number): boolean => {
      read += bytes + FRAME;
      messages++;
      if (read > maxBody + FRAME) {
        tooMuch ??= new ProbeFailure('too_large', 'no message within MAX_BODY fits');
      } else if (messages > MOST_MESSAGES) {
        tooMuch ??= new ProbeFailure('too_large', `none of the first ${MOST_MESSAGES} messages fits`);
      }
      if (tooMuch === null) return true;
      client.off('message', onMessage).off('ping', onPing).off('pong', onPing);
      if (!isJudging) fail(tooMuch);
      return false;
    };

    let step = 0;
    /** Sends until something is expected. Returns whether all steps are done. */
    const play = (groups: readonly string[]): boolean => {
      for (; steps?.[step]?.kind === 'send'; step++) {
        const next = steps[step];
        if (next?.kind === 'send') client.send(messageText(next.text, groups));
      }
      return step >= (steps?.length ?? 0);
    };
    /** Null: it is the message that decides. */
    const judgeStep = async (text: string): Promise<Verdict | null> => {
      const next = steps?.[step];
      if (next?.kind !== 'expect') return null;
      const { pattern } = next;
      const groups =
        pattern.kind === 'regex'
          ? await evaluator.groups(pattern, text)
          : text.includes(pattern.text)
            ? []
            : 'false';
      const message = `what line ${step + 1} of QUERY expects did not come`;
      if (typeof groups === 'string') return { outcome: 'failed', reason: 'query', message };
      step++;
      if (isOver || play(groups)) return null;
      return {
        outcome: 'failed',
        reason: 'query',
        message: `what line ${step + 1} of QUERY expects did not come`,
      };
    };

    const judge = async () => {
      isJudging = true;
      client.pause();
      for (const next of waiting) {
        const body = { text: next.text, cut: false };
        const lack =
          steps === null ? await judgeMessage(assertions, body, evaluator) : await judgeStep(next.text);
        if (isOver) return;
        unfit = lack;
        if (lack === null) {
          take(body, next.at);
          return;
        }
      }
      waiting.length = 0;
      isJudging = false;
      if (tooMuch !== null) fail(tooMuch);
      else if (isClosed) fail(failureOfVerdict(unfit) ?? whyClosed);
      else client.resume();
    };

    const onOpen = () => {
      trace.reached = true;
      if (steps !== null) {
        if (play([])) take(null);
      } else if (query !== null) client.send(query);
      else if (!isLookedAt) take(null);
    };
    const onUpgrade = (response: IncomingMessage) => {
      noteAnswer(101, response, target, context);
      const chosen = response.headers[SUBPROTOCOL_HEADER];
      otherSubprotocol = failureOfSubprotocol(subprotocolsOf(target.headers), chosen);
    };
    const onMessage = (data: RawData) => {
      const at = deadline.elapsed;
      if (!isLookedAt) {
        take(null, at);
        return;
      }
      const bytes = bytesOf(data);
      if (!count(bytes.length)) return;
      waiting.push({ text: bytes.toString(), at });
      if (!isJudging) void judge();
    };
    const onPing = (data: Buffer) => {
      count(data.length);
    };
    const onRefused = (_request: unknown, response: IncomingMessage) => {
      const status = response.statusCode ?? 0;
      trace.ttfb = deadline.elapsed - start;
      trace.statusCode = status;
      trace.reached = mayBeOwnAnswer(status, assertions);
      noteAnswer(status, response, target, context);
      fail(new ProbeFailure('status', `status ${status}, expected 101 (the WebSocket handshake is refused)`));
    };
    const onError = (error: Error) => {
      whyClosed = failureOfClient(error, trace.reached);
      if (codeOf(error) === '' && otherSubprotocol !== null) whyClosed = otherSubprotocol;
      if (whyClosed.code === 'too_large' && !isLookedAt) take(null);
      else onClose(NORMAL);
    };
    const onClose = (code: number) => {
      if (code !== NORMAL && !WITHOUT_CODE.includes(code)) {
        whyClosed = new ProbeFailure('reset', `the server closed the connection with code ${code}`);
      }
      isClosed = true;
      if (!isJudging) fail(failureOfVerdict(unfit) ?? whyClosed);
    };
    const stop = () => {
      isOver = true;
      client
        .off('upgrade', onUpgrade)
        .off('open', onOpen)
        .off('message', onMessage)
        .off('ping', onPing)
        .off('pong', onPing)
        .off('unexpected-response', onRefused)
        .off('error', onError)
        .off('close', onClose);
    };

    client
      .on('upgrade', onUpgrade)
      .on('open', onOpen)
      .on('message', onMessage)
      .on('ping', onPing)
      .on('pong', onPing)
      .on('unexpected-response', onRefused)
      .on('error', onError)
      .on('close', onClose);
    return stop;
  });

  try {
    return await answered;
  } catch (error) {
    const isTimeout =
      error instanceof ProbeFailure && error.code === 'timeout' && !(error instanceof Interruption);
    throw (isTimeout ? failureOfVerdict(unfit) : null) ?? error;
  }
}

/** Says goodbye and waits a moment for the server to do the same. The clock stands still. */
async function close(client: WebSocket, { deadline }: ProbeContext): Promise<void> {
  const { elapsed } = deadline;
  deadline.pause();
  await deadline.guard<undefined>('waiting for the answer', (resolve) => {
    const done = () => {
      clearTimeout(timer);
      resolve(undefined, elapsed);
    };
    const timer = setTimeout(done, CLOSING);
    if (client.readyState === client.CLOSED) done();
    client.once('close', done);
    client.resume();
    client.close(NORMAL);
    return () => clearTimeout(timer);
  });
}

function bytesOf(data: RawData): Buffer {
  if (Array.isArray(data)) return Buffer.concat(data);
  return Buffer.isBuffer(data) ? data : Buffer.from(data);
}

function failureOfVerdict(verdict: Verdict | null): ProbeFailure | null {
  return verdict?.outcome === 'failed' ? new ProbeFailure(verdict.reason, verdict.message) : null;
}

/** Null where the server chose one that we offer, or none where we offer none. */
function failureOfSubprotocol(offered: readonly string[], chosen: string | undefined): ProbeFailure | null {
  if (chosen === undefined ? offered.length === 0 : offered.includes(chosen)) return null;
  const message =
    offered.length === 0
      ? 'the server chose a subprotocol that was not offered: set Sec-WebSocket-Protocol in HEADERS'
      : 'the server chose none of the subprotocols in HEADERS: check Sec-WebSocket-Protocol';
  return new ProbeFailure('protocol', message);
}

/** What a record of TLS begins with that says what is wrong (RFC 8446, 5.1). */
const ALERT = 21;

/** The failure of an attempt without TLS, with what to do about it where the server may expect TLS. */
function withTlsAdvice(error: unknown, { reached, statusCode }: Trace): unknown {
  if (!(error instanceof ProbeFailure) || reached || statusCode !== null) return error;
  const { cause } = error;
  const isParser = typeof cause === 'object' && cause !== null && 'rawPacket' in cause;
  const isAlert = isParser && Buffer.isBuffer(cause.rawPacket) && cause.rawPacket[0] === ALERT;
  return error.code === 'reset' || isAlert ? closedWithoutTls('wss://') : error;
}

/** Errors of the connection and of Node's HTTP parser have codes of their own. */
function failureOfClient(error: Error, isOpen: boolean): ProbeFailure {
  const code = codeOf(error);
  if (TOO_LONG.includes(code)) {
    return new ProbeFailure('too_large', 'message larger than MAX_BODY', { cause: error });
  }
  if (code === '' || code.startsWith('WS_ERR_')) {
    const message = isOpen ? 'no valid WebSocket messages' : 'no valid WebSocket handshake';
    return new ProbeFailure('protocol', message, { cause: error });
  }
  return failureOf(error, isOpen ? 'dialogue' : 'exchange');
}
