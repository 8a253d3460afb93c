import { randomBytes } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ANSWER_LIMIT } from '../../lib/config/vercel.js';
import { fitted, tooLargeText } from '../../lib/http/answer-size.js';

const LONG = 'probe_success{target="api"} 1\n'.repeat(200_000);
const NOISE = randomBytes(ANSWER_LIMIT).toString('base64');

function fit(body: string, accepted: string | null, isOnVercel = true) {
  const headers = accepted === null ? {} : { 'accept-encoding': accepted };
  const answer = new Response(body, { headers: { 'content-type': 'text/plain', etag: '"tag"' } });
  return fitted(new Request('https://a.example/', { headers }), answer, { isOnVercel });
}

describe('an answer that Vercel would not pass on', () => {
  it('is compressed for a client that takes it like that, with a tag that says so', async () => {
    const found = await fit(LONG, 'gzip');
    if (!(found instanceof Response)) throw new Error('too large');
    const names = ['content-encoding', 'vary', 'etag', 'content-type'];
    expect(names.map((name) => found.headers.get(name))).toEqual([
      ...['gzip', 'accept-encoding', 'W/"tag"', 'text/plain'],
    ]);
    expect(gunzipSync(await found.arrayBuffer()).toString()).toBe(LONG);
  });

  it.each([
    ['a client that takes no compression', LONG, 'identity', false],
    ['a client that does not say', LONG, null, false],
    ['what compression does not make small', NOISE, 'gzip', true],
  ])('is refused: %s', async (_, body, accepted, isCompressed) => {
    const found = await fit(body, accepted);
    expect(found).toMatchObject({ isCompressed });
  });

  it('stays as it is on one machine', async () => {
    const found = await fit(LONG, 'identity', false);
    expect(found instanceof Response && (await found.text()) === LONG).toBe(true);
  });
});

it.each([ANSWER_LIMIT, 10])('an answer of %i bytes stays as it is', async (bytes) => {
  const found = await fit('x'.repeat(bytes), 'gzip');
  expect(found instanceof Response && [(await found.text()).length, found.headers.get('etag')]).toEqual([
    ...[bytes, '"tag"'],
  ]);
});

it.each([
  [
    { bytes: 18_600_000, isCompressed: false },
    '?group=',
    '18.6 MB',
    'send "Accept-Encoding: gzip", or ask for',
  ],
  [
    { bytes: 5_000_000, isCompressed: true },
    '?group=',
    '5.0 MB',
    'at most: ask for some of the targets with ?group=',
  ],
  [{ bytes: 5_000_000, isCompressed: true }, '', '5.0 MB', 'passes on 4.5 MB at most.'],
])('%j with the filters "%s" says %s, and %s', (size, filters, ...expected) => {
  for (const part of expected) expect(tooLargeText(size, filters)).toContain(part);
});
