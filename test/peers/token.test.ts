import { describe, expect, it } from 'vitest';
import { open, PEER_VERSION, seal } from '../../lib/peers/token.js';

const secret = 'a-secret-of-32-characters-length';
const NOW = Date.UTC(2026, 10, 26, 12);
const request = { secret, purpose: 'request' } as const;
const opened = (token: string, terms: Partial<Parameters<typeof open>[1]> = {}) =>
  open(token, { ...request, now: NOW, ...terms });

describe('a token', () => {
  it('holds what was sealed, and nobody without the secret can read any of it', async () => {
    const content = { url: 'https://a.test/?key=hunter2' };
    const { token, id } = await seal(content, { ...request, time: NOW });
    expect(await opened(token)).toEqual({ problem: null, id, content, from: null, until: NOW + 70_000 });
    const parts = token.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
    expect(parts.join()).not.toContain('hunter2');
    expect(await opened(token, { secret: `${secret}.` })).toEqual({ problem: 'forged' });
  });

  it('of a request is no answer, and the other way round', async () => {
    const { token } = await seal(null, { ...request, time: NOW });
    expect(await opened(token, { purpose: 'answer' })).toEqual({ problem: 'forged' });
  });

  it('is refused once any part of it was changed', async () => {
    const { token } = await seal({ a: 1 }, { ...request, time: NOW });
    const parts = token.split('.');
    for (const [index, part] of parts.entries()) {
      const changed = part === '' ? 'AAAA' : `${part.startsWith('A') ? 'B' : 'A'}${part.slice(1)}`;
      expect(await opened(parts.with(index, changed).join('.'))).toEqual({ problem: 'forged' });
    }
  });

  it.each([
    ['at once', 0, null],
    ['after a minute, and 9 s by which clocks may differ', 69_000, null],
    ['after 71 s', 71_000, 'clock'],
    ['9 s before it was made', -9_000, null],
    ['11 s before it was made', -11_000, 'clock'],
    ['ten minutes later', 600_000, 'clock'],
  ] as const)('opened %s', async (_when, later, problem) => {
    const { token } = await seal(null, { ...request, time: NOW });
    expect(await opened(token, { now: NOW + later })).toMatchObject({ problem });
  });

  it('of another version is named as one', async () => {
    const { EncryptJWT } = await import('jose/jwt/encrypt');
    const { hkdfSync } = await import('node:crypto');
    const key = new Uint8Array(hkdfSync('sha256', secret, '', 'keepalive peers: request', 32));
    const made = (claims: object) =>
      new EncryptJWT({ ...claims })
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .setIssuedAt(NOW / 1000)
        .setExpirationTime(NOW / 1000 + 60)
        .setJti('an-id')
        .encrypt(key);
    expect(await opened(await made({ version: PEER_VERSION, content: 1 }))).toMatchObject({ content: 1 });
    expect(await opened(await made({ version: PEER_VERSION + 1 }))).toEqual({
      problem: { version: PEER_VERSION + 1 },
    });
    expect(await opened(await made({ version: 'one' }))).toEqual({ problem: 'forged' });
    expect(await opened(await made({}))).toEqual({ problem: 'forged' });
  });
});
