import type { Socket } from 'node:net';
import type { Deadline } from './deadline.js';
import { closedEarly, closingOf, failureOf } from './failure.js';

/** Reads an answer from the bytes as they come. Throws a ProbeFailure for what is none. */
export interface AnswerReader {
  readonly isOver: boolean;
  read(bytes: Buffer): void;
}

/** Questions and answers in turn over one connection. The socket is the caller's to destroy. */
export class Dialogue {
  constructor(private readonly socket: Socket) {}

  /**
   * Sends a question and has its answer read. What the server sends unasked waits for the next question.
   * Rejects with a ProbeFailure.
   * @returns ms from the question to the first byte of the answer
   */
  ask(question: Buffer, reader: AnswerReader, deadline: Deadline): Promise<number> {
    const start = deadline.elapsed;
    return deadline.guard('waiting for the answer', (resolve, reject) => {
      const { socket } = this;
      let ttfb: number | null = null;
      const leave = () => {
        socket.pause();
        // Node keeps a closed socket for a while, and with it what listens to it.
        socket.off('data', onData).off('end', onClose).off('close', onClose).off('error', onError);
      };
      const fail = (error: unknown) => {
        reject(failureOf(error, 'dialogue'));
        leave();
      };
      const onData = (bytes: Buffer) => {
        const at = deadline.elapsed;
        ttfb ??= at - start;
        try {
          reader.read(bytes);
        } catch (error) {
          fail(error);
          return;
        }
        if (!reader.isOver) return;
        resolve(ttfb, at);
        leave();
      };
      const onClose = () => fail(closedEarly());
      const onError = (error: Error) => fail(error);
      if (socket.destroyed) {
        fail(closingOf(socket, 'dialogue'));
        return leave;
      }
      socket.on('data', onData).on('end', onClose).on('close', onClose).on('error', onError);
      socket.resume();
      deadline.beginStep();
      socket.write(question);
      return () => {
        leave();
        socket.destroy();
      };
    });
  }
}
