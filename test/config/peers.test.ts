import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../lib/config/config.js';

const SECRET = 'a-secret-of-32-characters-length';
const read = (env: Record<string, string>) => parseConfig({ TARGET_A_URL: 'https://a.test/', ...env });
const peersOf = (env: Record<string, string>) => {
  const result = read({ KEEP_ALIVE_PEER_SECRET: SECRET, ...env });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config.peers;
};

describe('KEEP_ALIVE_PEERS', () => {
  it.each([
    ['https://b.example.com', ['https://b.example.com']],
    [
      'https://b.example.com/, https://c.example.com:8443',
      ['https://b.example.com', 'https://c.example.com:8443'],
    ],
    ['https://b.example.com https://B.example.com', ['https://b.example.com']],
    [
      'http://localhost:3001 http://127.0.0.1:3002 http://[::1]:3003',
      ['http://localhost:3001', 'http://127.0.0.1:3002', 'http://[::1]:3003'],
    ],
    ['off', []],
  ])('%s', (text, urls) => {
    expect(peersOf({ KEEP_ALIVE_PEERS: text })).toEqual({
      urls,
      secret: SECRET,
      region: null,
      globalping: null,
    });
  });

  it.each([
    ['globalping', [], { token: null }],
    ['Globalping, https://b.example.com', ['https://b.example.com'], { token: 'a-token' }],
  ])('may name Globalping: %s', (text, urls, globalping) => {
    const token = globalping.token === null ? {} : { KEEP_ALIVE_GLOBALPING_TOKEN: globalping.token };
    expect(peersOf({ KEEP_ALIVE_PEERS: text, ...token })).toMatchObject({ urls, globalping });
  });

  it('leaves this installation out, so that all may have the same list', () => {
    const own = { KEEP_ALIVE_PUBLIC_URL: 'https://a.example.com', VERCEL_REGION: 'fra1' };
    expect(peersOf({ KEEP_ALIVE_PEERS: 'https://a.example.com https://b.example.com', ...own })).toEqual({
      ...{ urls: ['https://b.example.com'], secret: SECRET, region: 'fra1', globalping: null },
    });
  });

  it.each([
    ['http://b.example.com', 'what it carries could be read on the way'],
    ['https://b.example.com/api', 'a path'],
    ['https://u:p@b.example.com', 'a login'],
    ['b.example.com', 'no scheme'],
    [Array.from({ length: 11 }, (_, i) => `https://${i}.example.com`).join(), 'eleven'],
  ])('is refused as %s: %s', (text) => {
    expect(read({ KEEP_ALIVE_PEER_SECRET: SECRET, KEEP_ALIVE_PEERS: text })).toMatchObject({
      problems: [{ variable: 'KEEP_ALIVE_PEERS' }],
    });
  });

  it('needs the secret, of 32 characters', () => {
    const peers = { KEEP_ALIVE_PEERS: 'https://b.example.com' };
    const problems = [{ variable: 'KEEP_ALIVE_PEER_SECRET' }];
    expect(read(peers)).toMatchObject({ problems });
    expect(read({ ...peers, KEEP_ALIVE_PEER_SECRET: 'short' })).toMatchObject({ problems });
    expect(read({ KEEP_ALIVE_PEERS: 'off' }).ok).toBe(true);
    // Which needs no secret.
    expect(read({ KEEP_ALIVE_PEERS: 'globalping' }).ok).toBe(true);
    expect(read({ KEEP_ALIVE_PEERS: 'globalping https://b.example.com' })).toMatchObject({ problems });
  });

  it('are asked about every target, but for those with CONFIRM=false', () => {
    const result = read({ TARGET_B_URL: 'https://b.test/', TARGET_B_CONFIRM: 'false' });
    expect(result.ok && result.config.targets.map(({ confirm }) => confirm)).toEqual([true, false]);
  });
});
