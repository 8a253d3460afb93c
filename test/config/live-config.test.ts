import { describe, expect, it } from 'vitest';
import { formatProblems } from '../../lib/config/config.js';
import { LiveConfig, originOf } from '../../lib/config/live-config.js';
import { MAX_TARGETS_FILE } from '../../lib/config/targets-bytes.js';
import { sharedContext } from '../../lib/run/run-context.js';

const ENV = { KEEP_ALIVE_TARGETS: 'https://user:canary@files.test/canary/targets.yaml' };
const listOf = (...ids: string[]) =>
  `targets:\n${ids.map((id) => `  - {id: ${id}, url: "http://${id}.test"}\n`).join('')}`;

/** A process that asks an address, which answers as it is told. */
function process(env: Readonly<Record<string, string>> = ENV) {
  const asked: Headers[] = [];
  const lines: string[] = [];
  let time = 0;
  let answer = (): Response | Promise<Response> => new Response(listOf('a'), { headers: { etag: '"1"' } });
  const live = new LiveConfig(env, null, {
    fetcher: (_url, init) => {
      asked.push(new Headers(init?.headers));
      return Promise.resolve().then(() => answer());
    },
    clock: () => time,
    log: (line) => lines.push(line),
  });
  return {
    live,
    asked,
    lines,
    pass: (ms: number) => (time += ms),
    answers: (next: typeof answer) => (answer = next),
    ids: async (mayBeOld = 0) => {
      const result = await live.current(mayBeOld);
      return result.ok
        ? result.config.targets.map(({ info }) => info.id).join()
        : formatProblems(result.problems);
    },
  };
}

describe('targets at an address', () => {
  it('are asked for with their version and login, and are the same configuration while nothing changes', async () => {
    const { live, asked, answers, ids } = process();
    const first = await live.current(0);
    answers(() => new Response(null, { status: 304 }));
    expect(await live.current(0)).toBe(first);
    expect(asked.map((headers) => [headers.get('authorization'), headers.get('if-none-match')])).toEqual([
      ['Basic dXNlcjpjYW5hcnk=', null],
      ['Basic dXNlcjpjYW5hcnk=', '"1"'],
    ]);
    answers(() => new Response(listOf('a')));
    expect(await live.current(0)).toBe(first);
    answers(() => new Response(listOf('a', 'b')));
    expect(await ids()).toBe('a,b');
  });

  it('are asked for by a run, and by readers only after a while; both at once share a question', async () => {
    const { asked, pass, ids } = process();
    expect(await Promise.all([ids(), ids(30_000), ids()])).toEqual(['a', 'a', 'a']);
    expect(asked).toHaveLength(1);
    pass(29_999);
    await ids(30_000);
    expect(asked).toHaveLength(1);
    await ids();
    expect(asked).toHaveLength(2);
    pass(30_000);
    await ids(30_000);
    expect(asked).toHaveLength(3);
  });

  it.each<[string, () => Response | Promise<Response>, RegExp]>([
    ['no connection', () => Promise.reject(new TypeError('fetch failed')), /no connection/],
    ['no answer in time', () => Promise.reject(new DOMException('', 'TimeoutError')), /no answer within 8 s/],
    ['an error', () => new Response('canary', { status: 503 }), /the answer was 503/],
    ['a page', () => new Response('<html>canary</html>'), /https:\/\/files\.test\/…:1:1: /],
    ['too much', () => new Response(new Uint8Array(MAX_TARGETS_FILE + 1)), /larger than 8 MB/],
    ['no text', () => new Response(new Uint8Array([0xff, 0xfe])), /not UTF-8/],
    ['a mistake', () => new Response(listOf('canary', 'canary')), /…:3:10: id: the same id/],
  ])('stay as they were last while there is %s, which is said once', async (_, broken, message) => {
    const { answers, ids, lines } = process();
    expect(await ids()).toBe('a');
    answers(broken);
    expect([await ids(), await ids()]).toEqual(['a', 'a']);
    expect(lines).toEqual([expect.stringMatching(message)]);
    expect(lines.join()).not.toContain('canary');
    answers(() => new Response(listOf('b')));
    expect(await ids()).toBe('b');
    answers(broken);
    await ids();
    expect(lines).toHaveLength(2);

    // Without a copy there is no configuration: nothing is pinged, and nothing is taken for removed.
    const young = process();
    young.answers(broken);
    expect(await young.ids()).toMatch(message);
    expect(await young.ids(30_000)).toMatch(message);
    expect(young.asked).toHaveLength(1);
    young.answers(() => new Response(listOf('c')));
    young.pass(5_000);
    expect(await young.ids(30_000)).toBe('c');
  });

  it('leave what runs share as it is: what could not be stored is not lost', async () => {
    const { live, answers } = process();
    const first = await live.current(0);
    answers(() => new Response(listOf('a', 'b')));
    const second = await live.current(0);
    if (!first.ok || !second.ok) throw new Error('not valid');
    expect(second.config).not.toBe(first.config);
    expect(originOf(second.config)).toBe(first.config);
    expect(sharedContext(second.config)).toBe(sharedContext(first.config));
  });

  it('are not asked for where a file or variables have them', async () => {
    const { live, asked, ids } = process({ TARGET_A_URL: 'http://a.test' });
    expect([live.isLive, await ids(), await ids()]).toEqual([false, 'a', 'a']);
    expect(asked).toHaveLength(0);
  });
});
