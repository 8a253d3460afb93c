import type { Socket } from 'node:net';
import { ByteCollector } from './bytes.js';
import type { Deadline, Stage } from './deadline.js';
import { closedEarly, closingOf, failureOf, ProbeFailure, saysTooMuch } from './failure.js';

/** How a protocol cuts its bytes into messages, each with a header that says how long it is. */
export interface Framing {
  /** In bytes. */
  readonly headerLength: number;
  /** Bytes that follow a header; throws a RangeError for a header that cannot be one. */
  payloadLength(header: Buffer): number;
  /** The message of the failure where something is no message of this protocol. */
  readonly notSpoken: string;
}

export interface Message {
  readonly header: Buffer;
  readonly payload: Buffer;
}

export interface Step<T> {
  readonly stage: Stage;
  /** Null: the server speaks first. */
  readonly send: Buffer | null;
  /** Bytes that the messages of this step may have. */
  readonly budget: number;
  /**
   * Called with each message; what it returns ends the step. The bytes may not be kept: they are overwritten. It may throw a
   * ProbeFailure, or a RangeError for a malformed message.
   */
  readonly take: (message: Message) => T | undefined;
  /** Ends the step at a message that is beyond the budget. It is not read. */
  readonly tooMuch: () => T;
}

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * Questions and answers over one connection, in messages of a binary protocol. Holds one message at a time, and none that is
 * longer than its step allows. Rejects with a ProbeFailure. The socket is the caller's to destroy.
 */
export class FramedDialogue {
  /** From the last question to the first bytes that came after it, in ms; null: none came. */
  firstByteAfter: number | null = null;
  readonly #message: ByteCollector;
  /** Length of the message under way as far as it is known: that of its header at first. */
  #length: number;
  #hasHeader = false;
  /** What came behind the message that ended a step. */
  #unread = NOTHING;

  /** @param largest budget of all steps */
  constructor(
    private readonly socket: Socket,
    private readonly deadline: Deadline,
    private readonly framing: Framing,
    largest: number,
  ) {
    this.#message = new ByteCollector(largest);
    this.#length = framing.headerLength;
  }

  /** Whether more has come than what ended the last step. */
  get hasUnread(): boolean {
    return this.#unread.length > 0;
  }

  ask<T>(step: Step<T>): Promise<T> {
    const { socket, deadline } = this;
    const start = deadline.elapsed;
    return deadline.guard<T>(step.stage, (resolve, reject) => {
      let spent = 0;
      const detach = () => {
        socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', fail);
        socket.pause();
      };
      // The clock stops before the cleaning up.
      const fail = (error: unknown) => {
        reject(this.#failureOf(error));
        detach();
      };
      const read = (bytes: Buffer, at: number): boolean => {
        try {
          const result = this.#read(bytes, step, (length) => (spent += length) > step.budget);
          if (result === undefined) return false;
          resolve(result, at);
          detach();
        } catch (error) {
          fail(error);
        }
        return true;
      };
      const onData = (bytes: Buffer) => {
        const at = deadline.elapsed;
        this.firstByteAfter ??= at - start;
        read(bytes, at);
      };
      const onEnd = () => fail(closedEarly());

      this.firstByteAfter = null;
      if (step.send !== null && this.hasUnread) {
        fail(saysTooMuch());
        return detach;
      }
      if (read(this.#unread, start)) return detach;
      if (socket.destroyed) {
        fail(closingOf(socket, 'connect'));
        return detach;
      }
      socket.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', fail);
      if (step.send === null) deadline.continueStep();
      else {
        deadline.beginStep();
        socket.write(step.send);
      }
      socket.resume();
      return detach;
    });
  }

  /** Sends what has no answer. */
  tell(bytes: Buffer): void {
    if (!this.socket.destroyed) this.socket.write(bytes);
  }

  #read<T>(bytes: Buffer, { take, tooMuch }: Step<T>, isTooMuch: (length: number) => boolean): T | undefined {
    const { framing } = this;
    const message = this.#message;
    let at = 0;
    while (at < bytes.length) {
      const end = Math.min(bytes.length, at + this.#length - message.length);
      message.append(bytes, at, end);
      at = end;
      if (message.length < this.#length) break;
      if (!this.#hasHeader) {
        this.#hasHeader = true;
        this.#length += framing.payloadLength(message.bytes);
        if (isTooMuch(this.#length)) return tooMuch();
        if (this.#length > framing.headerLength) continue;
      }
      const whole = message.bytes;
      message.clear();
      this.#hasHeader = false;
      this.#length = framing.headerLength;
      const result = take({
        header: whole.subarray(0, framing.headerLength),
        payload: whole.subarray(framing.headerLength),
      });
      if (result !== undefined) {
        this.#unread = bytes.subarray(at);
        return result;
      }
    }
    this.#unread = NOTHING;
    return undefined;
  }

  #failureOf(error: unknown): ProbeFailure {
    const isNoMessage = error instanceof RangeError;
    return isNoMessage ? new ProbeFailure('protocol', this.framing.notSpoken) : failureOf(error, 'connect');
  }
}
