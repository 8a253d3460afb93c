import type { Config } from '../../lib/config/config.js';
import type { Dump } from '../../lib/cli/dump.js';
import { Ledger } from '../../lib/record/ledger.js';
import { OUTBOX_FIELD, STATE_FIELD } from '../../lib/record/fields.js';
import type { Check } from '../../lib/types.js';
import { chanceOf, checkOf, type Life } from '../../test/support/lives.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** As long as a log reaches: until then nobody can see how often was checked. */
const FINE = 26 * HOUR;
const LOG = 2 * HOUR;

const LIVES: readonly Life[] = [
  { latency: 45 },
  { latency: 180, outages: [{ ago: 5 * HOUR, length: 25 * MINUTE }] },
  { latency: 900, coldStarts: [8 * HOUR] },
  { latency: 95, tlsExpiresAt: Date.UTC(2100, 0), outages: [{ ago: 40 * DAY, length: 3 * HOUR }] },
  { latency: 320, degradedFor: 30 * MINUTE },
];

/** What runs each minute have left in a store after so many days: told by the hour but for the last 26. */
export function lived({ targets }: Config, days: number, now: number): Dump {
  const chance = chanceOf(42);
  const fields = new Map<string, string>();
  const logs = new Map<string, string>();
  const begin = now - days * DAY;
  const fine = Math.max(begin, now - FINE);
  const tell = (from: number, to: number, every: number): void => {
    const stored = { state: fields.get(STATE_FIELD) ?? null, outbox: fields.get(OUTBOX_FIELD) ?? null };
    const watched = targets.map((target) => ({ ...target, info: { ...target.info, interval: every } }));
    const ledger = new Ledger(stored, { targets: watched, tick: HOUR, channels: [], reminder: null }, from);
    let checks = new Map<string, Check>();
    let last = from;
    for (let at = from; at < to; at += every) {
      last = at;
      checks = new Map(
        targets.map(({ info: { id } }, i) => [
          id,
          checkOf(LIVES[i % LIVES.length] ?? { latency: 45 }, at, now - at, every, chance),
        ]),
      );
      ledger.record(at, checks);
    }
    const failed = [...checks.values()].filter(({ outcome }) => outcome === 'failed').length;
    const { fields: changed, append } = ledger.close({
      ...{ id: String(last), at: last, status: 'completed', durationMs: 900, checked: checks.size, failed },
      commands: 7,
    });
    for (const [name, text] of Object.entries(changed)) fields.set(name, text);
    if (append !== null && every === MINUTE) {
      logs.set(append.log, (logs.get(append.log) ?? '').slice(0, append.offset) + append.text);
    }
  };
  for (let at = begin; at < fine; at += DAY) tell(at, Math.min(at + DAY, fine), HOUR);
  for (let at = fine; at < now; at = (Math.floor(at / LOG) + 1) * LOG) {
    tell(at, Math.min((Math.floor(at / LOG) + 1) * LOG, now), MINUTE);
  }
  return { fields, logs };
}
