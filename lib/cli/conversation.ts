import { OperatorError } from '../operator-error.js';
import type { Terminal } from './terminal.js';

/** How `init` talks with its user. */
export interface Conversation {
  readonly begin: (title: string) => void;
  /** An answer; empty where an empty one is taken. @param problemOf what is wrong with an answer */
  readonly ask: (
    question: string,
    options: { readonly placeholder: string; readonly problemOf: (answer: string) => string | undefined },
  ) => Promise<string>;
  readonly confirm: (question: string) => Promise<boolean>;
  readonly say: (text: string, level?: 'info' | 'warning') => void;
  /** Shows that work is under way until `work` has ended, which says what came of it. */
  readonly waiting: (
    text: string,
    work: (update: (text: string) => void) => Promise<{ readonly text: string; readonly isGood: boolean }>,
  ) => Promise<void>;
  readonly end: (text: string) => void;
}

/** The user has cancelled the conversation. */
class Cancelled extends OperatorError {
  override readonly name = 'Cancelled';
}

/** Asks on the terminal. The library of prompts is loaded only here. */
export async function promptingConversation(): Promise<Conversation> {
  const { cancel, confirm, intro, log, outro, spinner, text } = await import('@clack/prompts');
  const answered = <Answer extends string | boolean>(answer: Answer | symbol): Answer => {
    if (typeof answer !== 'symbol') return answer;
    cancel('Cancelled.');
    throw new Cancelled('Nothing was written.');
  };
  return {
    begin: (title) => intro(title),
    ask: async (message, { placeholder, problemOf }) => {
      const validate = (answer: string | undefined): string | undefined => problemOf(answer?.trim() ?? '');
      return answered<string>(await text({ message, placeholder, validate, defaultValue: '' })).trim();
    },
    confirm: async (message) => answered<boolean>(await confirm({ message })),
    say: (message, level = 'info') => (level === 'info' ? log.info(message) : log.warn(message)),
    waiting: async (message, work) => {
      const shown = spinner();
      shown.start(message);
      const { text: result, isGood } = await work((update) => shown.message(update));
      if (isGood) shown.stop(result);
      else shown.error(result);
    },
    end: (message) => outro(message),
  };
}

/** Asks nothing: every question is answered by yes. */
export function silentConversation({ out }: Pick<Terminal, 'out'>): Conversation {
  return {
    begin: () => undefined,
    ask: () => Promise.resolve(''),
    confirm: () => Promise.resolve(true),
    say: (text) => out(text),
    waiting: async (_, work) => out((await work(() => undefined)).text),
    end: (text) => out(text),
  };
}
