import { describe, expect, test } from 'vitest';
import { HttpParser } from '../../lib/probe/http-parser.js';
import { nextHop } from '../../lib/probe/redirect.js';
import { LINEAR, growth } from '../support/growth.js';

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;

function read(pieces: readonly Buffer[]): void {
  const reader = new HttpParser({ method: 'GET', maxBody: 1e9, keepBody: true, onHead: () => true });
  try {
    for (const piece of pieces) reader.read(piece);
  } catch {
    // Whether it is refused does not matter here.
  }
}

const inOne = (text: string) => [Buffer.from(text, 'latin1')];
const byByte = (text: string) => Array.from(Buffer.from(text, 'latin1'), (byte) => Buffer.of(byte));

/** Bytes of a head at most, with room for the rest of it. */
const HEAD = 16_000;

describe('an answer is read in linear time', () => {
  test.each<[string, number, (size: number) => readonly Buffer[]]>([
    ['a value of spaces', HEAD, (size) => inOne(`${OK}x: x${' '.repeat(size)}y\r\n\r\n`)],
    ['a value of tabs', HEAD, (size) => inOne(`${OK}x: x${'\t '.repeat(size / 2)}y\r\n\r\n`)],
    ['a folded value', HEAD, (size) => inOne(`${OK}x: x\r\n${' y\r\n'.repeat(size / 4)}\r\n`)],
    ['folds of spaces', HEAD, (size) => inOne(`${OK}x: x\r\n${' '.repeat(size)}y\r\n\r\n`)],
    ['many headers', HEAD, (size) => inOne(`${OK}${'a:b\r\n'.repeat(size / 5)}\r\n`)],
    ['many lines without CR', HEAD, (size) => inOne(`HTTP/1.1 200 OK\n${'a:b\n'.repeat(size / 4)}\n`)],
    ['a long name', HEAD, (size) => inOne(`${OK}${'a'.repeat(size)}:b\r\n\r\n`)],
    ['a head byte by byte', HEAD, (size) => byByte(`${OK}x: ${'y'.repeat(size)}\r\n\r\n`)],
    ['lines byte by byte', HEAD, (size) => byByte(`${OK}${'a:b\r\n'.repeat(size / 5)}\r\n`)],
    ['a head that does not end', HEAD, (size) => byByte(`${OK}${'\r'.repeat(size)}`)],
    [
      'interim heads of spaces',
      HEAD * 16,
      (size) => inOne(`HTTP/1.1 103 x\r\nx: x${' '.repeat(size / 16)}y\r\n\r\n`.repeat(16)),
    ],
    ['many lengths', HEAD, (size) => inOne(`${OK}content-length: 1${',1'.repeat(size / 2)}\r\n\r\na`)],
    ['codings', HEAD, (size) => inOne(`${OK}transfer-encoding: ${', '.repeat(size / 2)}x\r\n\r\na`)],
    ['codings of spaces', HEAD, (size) => inOne(`${OK}transfer-encoding: x,${' '.repeat(size)}x\r\n\r\na`)],
    ['a long chunk size', HEAD, (size) => byByte(`${CHUNKED}1${' '.repeat(size)}\r\na`)],
    ['a chunk extension', HEAD, (size) => byByte(`${CHUNKED}1;${'x'.repeat(size)}\r\na`)],
    ['trailers', HEAD, (size) => byByte(`${CHUNKED}0\r\n${'a:b\r\n'.repeat(size / 5)}\r\n`)],
    ['chunks of one byte', 800_000, (size) => inOne(`${CHUNKED}${'1\r\na\r\n'.repeat(size / 6)}`)],
    ['a body byte by byte', 80_000, (size) => byByte(`${OK}\r\n${'a'.repeat(size)}`)],
    ['empty lines before it', 800_000, (size) => inOne(`${'\r\n'.repeat(size / 2)}${OK}\r\n`)],
  ])('%s', (_name, largest, piecesOf) => {
    const prepare = (size: number) => {
      const pieces = piecesOf(size);
      return () => read(pieces);
    };
    expect(growth(prepare, largest / 8)).toBeLessThan(LINEAR);
  });
});

test('a redirect to a host of many letters is read in linear time', () => {
  const from = { url: new URL('https://a.test/'), method: 'GET', body: null, headers: {} };
  const prepare = (size: number) => {
    const letters = Array.from({ length: size }, (_, i) => String.fromCharCode(0x4e00 + i)).join('');
    return () => {
      try {
        nextHop(from, `http://${letters}.example/`, 302);
      } catch {
        // No name is that long.
      }
    };
  };
  expect(growth(prepare, 600)).toBeLessThan(LINEAR);
});
