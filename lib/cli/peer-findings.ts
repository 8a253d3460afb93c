import type { Config } from '../config/config.js';
import { send } from '../deliver/send.js';
import { Peer, type Asked } from '../peers/ask.js';
import { Globalping, unasked, type TestsLeft } from '../peers/globalping.js';
import { TESTS_A_QUESTION } from '../rules/opinions.js';
import { lengthInWords } from '../rules/durations.js';
import type { PeerReading } from '../rules/peer-watch.js';
import { PEER_TROUBLES } from '../rules/wording.js';
import { MINUTE, SECOND } from '../time.js';
import type { Target } from '../types.js';
import { ok, warning, type Finding } from './finding.js';

/** Ms that a peer may take to say that it is there. */
const PATIENCE = 10 * SECOND;
/** Targets that are named. */
const MOST_NAMED = 10;

/**
 * Asks every peer whether it would answer a question, and whether its runs come; nothing is probed.
 * @param installation of this one, which may be among them
 */
export async function examinePeers(
  { peers: { urls, secret, globalping }, targets }: Pick<Config, 'peers' | 'targets'>,
  installation: string | null,
): Promise<Finding[]> {
  const limits = globalping === null ? [] : await examineGlobalping(globalping.token, targets);
  if (secret === null || urls.length === 0) return limits;
  const looked = await Promise.all(
    urls.map(async (url) => {
      const peer = new Peer(url, secret, { send, now: Date.now, installation });
      const [asked, reading] = await Promise.all([
        peer.ask(null, AbortSignal.timeout(PATIENCE)),
        peer.health(AbortSignal.timeout(PATIENCE)),
      ]);
      return [ofPeer(peer.name, asked), ...ofRuns(peer.name, reading)];
    }),
  );
  return [...looked.flat(), ...(globalping === null ? ofOnlyPeer(urls.length) : limits)];
}

async function examineGlobalping(token: string | null, targets: readonly Target[]): Promise<Finding[]> {
  const globalping = new Globalping(token, { send, now: Date.now });
  const left = await globalping.testsLeft(AbortSignal.timeout(PATIENCE)).catch((error: unknown) =>
    // Messages of ours, and of connections: none holds the token.
    error instanceof Error ? error.message : 'it cannot be asked',
  );
  return [ofGlobalping(left, { hasToken: token !== null }), ...ofUnasked(targets)];
}

/** @param left in words why that is not known */
export function ofGlobalping(
  left: TestsLeft | string,
  { hasToken }: { readonly hasToken: boolean },
): Finding {
  if (typeof left === 'string') {
    return warning('peers', {
      what: `Globalping gives no opinion: ${left}`,
      why: 'A target that fails here is not looked at from other places before it counts as failed.',
      todo: hasToken
        ? 'See whether KEEP_ALIVE_GLOBALPING_TOKEN is right, and whether api.globalping.io can be reached'
        : 'See whether api.globalping.io can be reached',
    });
  }
  const { limit, remaining } = left;
  const shared = hasToken
    ? ''
    : ', shared with everybody at this address without KEEP_ALIVE_GLOBALPING_TOKEN';
  return ok(
    'peers',
    `Globalping answers: ${remaining} of ${limit} free tests are left in this hour, ${TESTS_A_QUESTION} a failed check${shared}`,
  );
}

/** The targets that Globalping is not asked about, and why. */
export function ofUnasked(targets: readonly Target[]): Finding[] {
  const left = targets.flatMap((target) => {
    const why = target.confirm ? unasked(target) : null;
    return why === null ? [] : [`${target.info.id} (${why})`];
  });
  if (left.length === 0) return [];
  const shown = left.slice(0, MOST_NAMED).join(', ');
  const more = left.length > MOST_NAMED ? ` and ${left.length - MOST_NAMED} more` : '';
  return [ok('peers', `Globalping is not asked about ${shown}${more}`)];
}

export function ofPeer(name: string, asked: Asked): Finding {
  if (asked.problem !== null) {
    return warning('peers', {
      what: `${name} gives no opinion: ${asked.problem}`,
      why: 'A target that fails here is not looked at from there before it counts as failed.',
      todo: 'See that it runs this version of Keepalive, and that KEEP_ALIVE_PEER_SECRET is the same there and here',
    });
  }
  const { answer, skew, tookMs } = asked;
  const where = answer.place === null ? '' : ` from ${answer.place}`;
  if (Math.abs(skew) >= MINUTE) {
    return warning('peers', {
      what: `the clock of ${name} is ${lengthInWords(Math.abs(skew))} ${skew > 0 ? 'ahead of' : 'behind'} ours`,
      why: 'It is asked twice by each process before it has an opinion.',
      todo: 'Set the clock that is wrong',
    });
  }
  return ok('peers', `${name} answers${where} in ${tookMs} ms`);
}

/** One that does not answer at all, or is this installation itself, is told of by `ofPeer`. */
export function ofRuns(name: string, reading: PeerReading): Finding[] {
  if (reading.kind === 'silent' || reading.kind === 'ourselves') return [];
  if (reading.kind === 'running') return [ok('peers', `${name} makes its runs, or has none to make`)];
  const told = reading.kind === 'unclear' ? ` (${reading.message})` : '';
  return [
    warning('peers', {
      what: `${name} ${PEER_TROUBLES[reading.kind]}${told}`,
      why: 'Nobody may be watching its targets.',
      todo:
        reading.kind === 'stopped'
          ? 'See whether its trigger is set up, and what its log says'
          : 'See what its /api/health answers',
    }),
  ];
}

export function ofOnlyPeer(count: number): Finding[] {
  if (count !== 1) return [];
  return [
    warning('peers', {
      what: 'a single peer is set in KEEP_ALIVE_PEERS',
      why: 'One opinion against our own is no majority: a target that fails here alone still counts as failed.',
      todo: 'Add another one',
    }),
  ];
}
