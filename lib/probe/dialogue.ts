import type { Socket } from 'node:net';
import type { Deadline } from './deadline.js';
import { closedEarly, closingOf, failureOf, saysTooMuch } from './failure.js';

/** Reads an answer from the bytes as they come. Throws a ProbeFailure if the bytes are not a valid answer. */
export interface AnswerReader {
  readonly isOver: boolean;
  /** Returns how many of the bytes belong to the answer, as far as it is read. */
  read(bytes: Buffer): number;
}

/** Questions and answers in turn over one connection. The socket is the caller's to destroy. */
export class Dialogue {
  /** Bytes came behind the last answer. */
  #hasUnread = false;

  constructor(private readonly socket: Socket) {}

  /**
   * Sends a question and has its answer read. What the server has sent behind its last answer
   * is a fault. Rejects with a ProbeFailure.
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
          this.#hasUnread = reader.read(bytes) < bytes.length;
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
      if (this.#hasUnread) {
        fail(saysTooMuch());
        return leave;
      }
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
