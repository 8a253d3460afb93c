import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';

/** A program in a real terminal, 150 columns wide. */
export interface TerminalSession {
  /** What is on the screen now, without blanks at the ends of lines. */
  readonly screen: () => string;
  /** Waits until the screen shows the text. */
  readonly shows: (text: string) => Promise<void>;
  /** Types a text, and Enter. */
  readonly type: (text: string) => void;
  /** Presses a key, by tmux's name for it. */
  readonly press: (key: string) => void;
}

let sessions = 0;

/** Starts a program in a terminal of its own, which ends with the test. */
export function openTmux(
  command: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): TerminalSession {
  const socket = join(tmpdir(), `keepalive-tmux-${process.pid}-${++sessions}`);
  const tmux = (...args: string[]) =>
    execFileSync('tmux', ['-u', '-S', socket, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH, HOME: cwd, LANG: 'C.UTF-8' },
    });
  // tmux gives PATH of its own.
  const set = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const size = ['-x', '150', '-y', '60'];
  const script = '"$@"; code=$?; echo; echo "exit code $code"; sleep 1000';
  tmux(
    'new-session',
    '-d',
    '-s',
    's',
    ...size,
    '-c',
    cwd,
    'sh',
    '-c',
    script,
    'sh',
    'env',
    ...set,
    ...command,
  );
  onTestFinished(() => {
    tmux('kill-server');
    rmSync(socket, { force: true });
  });
  const screen = () =>
    tmux('capture-pane', '-p', '-t', 's')
      .replace(/[^\S\n]+$/gm, '')
      .trimEnd();
  return {
    screen,
    shows: (text) => expect.poll(screen, { timeout: 60_000 }).toContain(text),
    type: (text) => {
      tmux('send-keys', '-t', 's', '-l', text);
      tmux('send-keys', '-t', 's', 'Enter');
    },
    press: (key) => void tmux('send-keys', '-t', 's', key),
  };
}
