import type { Digest, DigestItem } from '../../lib/deliver/channel.js';
import type { Alert, PublicTarget } from '../../lib/types.js';

const MINUTE = 60_000;
export const NOON = Date.UTC(2026, 10, 20, 12, 0);

export function publicTarget(id: string, more: Partial<PublicTarget> = {}): PublicTarget {
  return {
    id,
    name: id,
    description: null,
    group: null,
    order: null,
    show: 'all',
    host: 'none',
    healthUrl: `https://${id}.example.com/health`,
    enabled: true,
    interval: 5 * MINUTE,
    sleepsAfter: null,
    maxRestarts: null,
    ...more,
  };
}

/** One alert of every kind, and of every form that reads differently. */
export const ALERTS: Readonly<Record<string, Alert>> = {
  down: {
    id: 'a1',
    at: NOON,
    kind: 'down',
    target: 'api',
    startedAt: NOON - 10 * MINUTE,
    failures: 3,
    message: 'status 503, expected 200-299',
  },
  'down at the first failure': {
    id: 'a2',
    at: NOON,
    kind: 'down',
    target: 'api',
    startedAt: NOON,
    failures: 1,
    message: 'name not found',
  },
  reminder: {
    id: 'a3',
    at: NOON,
    kind: 'reminder',
    target: 'api',
    startedAt: NOON - 26 * 60 * MINUTE,
    failures: 312,
    message: 'connection refused',
  },
  'up after down': {
    id: 'a4',
    at: NOON,
    kind: 'up',
    target: 'api',
    was: 'down',
    now: 'up',
    startedAt: NOON - 200 * MINUTE,
    endedAt: NOON,
    restarts: 0,
    message: null,
  },
  'up after two restarts': {
    id: 'a5',
    at: NOON,
    kind: 'up',
    target: 'api',
    was: 'down',
    now: 'up',
    startedAt: NOON - 12 * MINUTE,
    endedAt: NOON,
    restarts: 2,
    message: null,
  },
  'up, but degraded': {
    id: 'a6',
    at: NOON,
    kind: 'up',
    target: 'api',
    was: 'down',
    now: 'degraded',
    startedAt: NOON - 12 * MINUTE,
    endedAt: NOON,
    restarts: 1,
    message: 'took 3,200 ms',
  },
  'up after degraded': {
    id: 'a7',
    at: NOON,
    kind: 'up',
    target: 'api',
    was: 'degraded',
    now: 'up',
    startedAt: NOON - 12 * MINUTE,
    endedAt: NOON,
    restarts: 0,
    message: null,
  },
  'up after flapping': {
    id: 'a8',
    at: NOON,
    kind: 'up',
    target: 'api',
    was: 'flapping',
    now: 'up',
    startedAt: NOON - 90 * MINUTE,
    endedAt: NOON,
    restarts: 0,
    message: null,
  },
  degraded: { id: 'a9', at: NOON, kind: 'degraded', target: 'api', message: 'took 3,200 ms' },
  flapping: { id: 'a10', at: NOON, kind: 'flapping', target: 'api', transitions: 5, status: 'down' },
  slept: { id: 'a11', at: NOON, kind: 'slept', target: 'api', gap: 9 * MINUTE, wakeMs: 42_000 },
  contradicted: {
    ...{ id: 'a11b', at: NOON, kind: 'contradicted', target: 'api' },
    message: 'Railway says that the app sleeps',
  },
  certificate: {
    id: 'a12',
    at: NOON,
    kind: 'certificate',
    target: 'api',
    expiresAt: NOON + 6 * 24 * 60 * MINUTE,
  },
  'certificate that has ended': {
    id: 'a13',
    at: NOON,
    kind: 'certificate',
    target: 'api',
    expiresAt: NOON - MINUTE,
  },
  restart: {
    id: 'a14',
    at: NOON,
    kind: 'restart',
    target: 'api',
    number: 1,
    max: 3,
    answer: 'answered 201',
  },
  person_needed: {
    id: 'a15',
    at: NOON,
    kind: 'person_needed',
    target: 'api',
    restarts: 3,
    startedAt: NOON - 45 * MINUTE,
    message: 'status 503, expected 200-299',
  },
  'person_needed without a restart': {
    id: 'a16',
    at: NOON,
    kind: 'person_needed',
    target: 'api',
    restarts: 0,
    startedAt: NOON - 45 * MINUTE,
    message: 'status 503, expected 200-299',
  },
  missed: { id: 'a17', at: NOON, kind: 'missed', from: NOON - 95 * MINUTE, to: NOON },
  pace: {
    id: 'a19',
    at: NOON,
    kind: 'pace',
    expected: MINUTE,
    actual: 20 * MINUTE,
    slowFor: {
      count: 14,
      targets: [
        { target: 'app', interval: 7.5 * MINUTE, checkedEvery: 20 * MINUTE, sleepsAfter: 15 * MINUTE },
        { target: 'api', interval: 5 * MINUTE, checkedEvery: 20 * MINUTE, sleepsAfter: null },
      ],
    },
  },
  'pace that is only slower than expected': {
    id: 'a20',
    at: NOON,
    kind: 'pace',
    expected: MINUTE,
    actual: 10 * MINUTE,
    slowFor: { count: 0, targets: [] },
  },
  unwatched: {
    id: 'a21',
    at: NOON,
    kind: 'unwatched',
    target: 'api',
    was: 'down',
    because: 'removed',
    startedAt: NOON - 10 * MINUTE,
    endedAt: null,
  },
  'unwatched after its end': {
    id: 'a22',
    at: NOON,
    kind: 'unwatched',
    target: 'api',
    was: 'degraded',
    because: 'paused',
    startedAt: NOON - 10 * MINUTE,
    endedAt: NOON - 5 * MINUTE,
  },
  unrecorded: {
    id: 'a23',
    at: NOON,
    kind: 'unrecorded',
    from: NOON - 15 * MINUTE,
    message: "the store's allowance is used up",
  },
  undelivered: { id: 'a24', at: NOON, kind: 'undelivered', count: 3 },
  allowances: {
    id: 'a25',
    at: NOON,
    kind: 'allowances',
    over: [
      { resource: 'storeCommands', projected: 620_000, allowed: 500_000 },
      { resource: 'functionCpuHours', projected: 5, allowed: 4 },
    ],
  },
  peer_down: {
    id: 'a26',
    at: NOON,
    kind: 'peer_down',
    peer: 'b.example.com',
    how: 'silent',
    startedAt: NOON - 15 * MINUTE,
    message: 'connection refused',
  },
  'peer_down that answers': {
    id: 'a27',
    at: NOON,
    kind: 'peer_down',
    peer: 'b.example.com',
    how: 'stopped',
    startedAt: NOON - 15 * MINUTE,
    message: null,
  },
  peer_up: {
    id: 'a28',
    at: NOON,
    kind: 'peer_up',
    peer: 'b.example.com',
    now: 'running',
    startedAt: NOON - 95 * MINUTE,
    endedAt: NOON,
  },
  'peer_up of one that is none any more': {
    id: 'a29',
    at: NOON,
    kind: 'peer_up',
    peer: 'b.example.com',
    now: 'removed',
    startedAt: NOON - 95 * MINUTE,
    endedAt: NOON,
  },
  test: { id: 'a18', at: NOON, kind: 'test' },
};

export function itemOf(alert: Alert, target: Partial<PublicTarget> = {}): DigestItem {
  return { alert, target: 'target' in alert ? publicTarget(alert.target, target) : null };
}

export function digestOf(items: readonly DigestItem[], more: Partial<Digest> = {}): Digest {
  return { id: 'msg_1', at: NOON, items, pageUrl: 'https://status.example.com/', ...more };
}

/** `target` is down, in `message`. */
export function downAlert(target: string, message: string, more: Partial<Alert> = {}): Alert {
  return { ...ALERTS.down, id: `down-${target}`, target, message, ...more } as Alert;
}

/** Texts that mean something to one channel or another, or that break what cuts them. */
export const HOSTILE: Readonly<Record<string, string>> = {
  'Slack mentions and links': '<!channel> <!here> <@U123> <https://evil.example|click>',
  'Discord mentions and links':
    '@everyone @here <@123456789> <@&987654321> [click](https://evil.example) ||hidden||',
  'a link half open': '<https://evil.example [click](https://evil.example',
  HTML: '</b></p><script>alert(1)</script><a href="https://evil.example">',
  'every emphasis': '**bold** *bold* __under__ _it_ ~~gone~~ ~gone~ `code` ```block',
  'emphasis half open': '*_~`',
  'turned and unseen characters': '\u202egnp.exe\u202c \u2066rtl\u2069 \u200b\ufeff',
  'control characters and lines':
    'NUL\u0000BEL\u0007ESC\u001b[31mred\r\nSubject: injected\n\n.\n> quote\n# title',
  'what is escaped already': '&amp; &lt; &#x3c; &quot; \\* \\\\',
  'joined emoji': '👨‍👩‍👧‍👦'.repeat(40),
  'long, two units a character': '𝕏'.repeat(3_000),
  'long, with marks': 'é̂̃'.repeat(500),
  'long, of quotes': '"'.repeat(5_000),
  'long, of ampersands': '&'.repeat(5_000),
  'long, of backslashes': '\\'.repeat(5_000),
  'lone surrogates': 'lone \ud83d surrogate \udc4d',
  'nothing to be seen': '\u202e\u200b',
  nothing: '',
  blanks: '   ',
};
