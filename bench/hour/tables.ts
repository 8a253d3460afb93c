import { mannerOf, numberOf } from '../shards/targets.js';
import type { Manner } from '../shards/servers-child.js';
import { quantile, type Table } from '../table.js';
import type { Message } from './messages.js';
import type { Digest } from './receiver.js';
import type { Tick } from './tick.js';
import { alertsDue, compare, type Ping, type Recorded, type Seen, type Told } from './truth.js';

/** All that was seen. */
export interface Known {
  readonly targets: number;
  readonly ticks: readonly Tick[];
  readonly messages: readonly Message[];
  readonly recorded: {
    readonly targets: ReadonlyMap<string, Recorded>;
    readonly waiting: readonly Told[];
  };
  readonly seen: Seen;
  readonly kills: readonly { readonly at: number; readonly underWay: number }[];
  readonly digests: readonly Digest[];
}

const MINUTE = 60_000;
/** Ms after its tick within which a check is in time. */
const IN_TIME = 25_000;
/** Ms for which a run that was killed may keep its shard: the time limit of a function, and a margin. */
const LEASE = 330_000;

export function tickTable(
  { ticks, targets }: Known,
  { title, workers, memory }: { readonly title: string; readonly workers: number; readonly memory: number },
): Table {
  const row = (name: string, of: (tick: Tick) => number | null, digits = 1): string[] => {
    const values = ticks.flatMap((tick) => of(tick) ?? []).filter((value) => !Number.isNaN(value));
    const shown = [0.5, 0.95, 1].map((share) =>
      values.length === 0 ? '–' : quantile(values, share).toFixed(digits),
    );
    return [name, ...shown];
  };
  const seconds = (ms: number | null): number | null => (ms === null ? null : ms / 1000);
  return {
    title,
    note: `Half over HTTPS, 1 % failing, 0.1 % flapping; ${workers} processes of functions. Wall: from the trigger to the last run's answer. The most memory of a process: ${(memory / 2 ** 20).toFixed(0)} MB.`,
    columns: ['of a tick', 'p50', 'p95', 'max'],
    rows: [
      row('wall, s, without late messages', ({ wall }) => seconds(wall)),
      row('wall, s, with them', ({ wallOfAll }) => seconds(wallOfAll)),
      row('CPU of the functions, s', ({ cpu }) => seconds(cpu.functions)),
      row('the same a target, ms', ({ cpu }) => cpu.functions / targets, 2),
      row('CPU of Redis, s', ({ cpu }) => seconds(cpu.redis)),
      row("CPU of the targets' servers, s", ({ cpu }) => seconds(cpu.servers)),
      row('CPU of the bench and the REST front, s', ({ cpu }) => seconds(cpu.bench)),
      row('store commands', ({ commands }) => commands, 0),
      row('store commands of the dearest run', ({ commandsOfRun }) => commandsOfRun, 0),
      row('bytes to and from the store, a target', ({ bytes }) => bytes / targets, 0),
      row('p99 as reported, ms', ({ reported }) => reported, 0),
      row('p99 as the servers measured, ms', ({ real }) => real, 0),
    ],
  };
}

/** Why the run of a shard may not have been made in a tick, as far as the bench has done it. */
type Trouble = 'lost' | 'late' | 'killed' | 'locked by a killed run' | 'none';

/** By tick and shard. */
function troublesOf({ ticks, messages }: Known): (tick: number, shard: number) => Trouble {
  const killedAt = new Map<number, number[]>();
  for (const { shard, deliveries } of messages) {
    if (shard === null) continue;
    for (const { at, outcome } of deliveries)
      if (outcome === 'killed') killedAt.set(shard, [...(killedAt.get(shard) ?? []), at]);
  }
  const inTick = ticks.map(({ at }) => {
    const its = messages.filter((message) => message.at >= at - 1_000 && message.at < at + MINUTE - 1_000);
    const trigger = its.find(({ shard }) => shard === null);
    return { at, trigger, of: (shard: number) => its.filter((message) => message.shard === shard) };
  });
  return (tick, shard) => {
    const found = inTick[tick];
    if (found?.trigger === undefined) return 'none';
    const { trigger, at } = found;
    if (trigger.fate === 'lost') return 'lost';
    const its = found.of(shard);
    if (its.some(({ deliveries }) => deliveries.some(({ outcome }) => outcome === 'killed'))) return 'killed';
    if (its.length === 0)
      return trigger.deliveries.some(({ outcome }) => outcome === 'killed')
        ? 'killed'
        : trigger.fate === 'delayed'
          ? 'late'
          : 'none';
    if (its.every(({ fate }) => fate === 'lost')) return 'lost';
    const wasKilled = (killedAt.get(shard) ?? []).some(
      (killed) => killed <= at + MINUTE && killed > at - LEASE,
    );
    if (wasKilled) return 'locked by a killed run';
    return trigger.fate === 'delayed' || its.some(({ fate }) => fate === 'delayed') ? 'late' : 'none';
  };
}

export function checkTable(known: Known): Table {
  const { ticks, targets, recorded, seen } = known;
  const troubleOf = troublesOf(known);
  const late = new Map<Trouble, number>();
  const missed = new Map<Trouble, number>();
  let [inTime, longest] = [0, 0];
  const gaps: number[] = [];
  const add = (counts: Map<Trouble, number>, of: Trouble): void => {
    counts.set(of, (counts.get(of) ?? 0) + 1);
  };
  const shardOf = new Map([...recorded.targets].map(([id, { shard }]) => [numberOf(id), shard]));
  for (let target = 0; target < targets; target += 1) {
    const pings = seen.pingsOf(target);
    for (const [i, ping] of pings.entries()) {
      const before = pings[i - 1];
      if (before === undefined) continue;
      gaps.push(ping.at - before.at);
      longest = Math.max(longest, ping.at - before.at);
    }
    const shard = shardOf.get(target) ?? -1;
    for (const [n, { at }] of ticks.entries()) {
      const ping = pings.find((each) => each.at >= at && each.at < at + MINUTE);
      if (ping !== undefined && ping.at - at <= IN_TIME) {
        inTime += 1;
        continue;
      }
      const own = troubleOf(n, shard);
      // After a late run a check is due a tick later.
      const trouble = own === 'none' && n > 0 && troubleOf(n - 1, shard) === 'late' ? 'late' : own;
      add(ping === undefined ? missed : late, trouble);
    }
  }
  const all = targets * ticks.length;
  const share = (count: number): string => `${((100 * count) / all).toFixed(3)} %`;
  const row = (name: string, count: number): string[] => [name, String(count), share(count)];
  const explained = (counts: ReadonlyMap<Trouble, number>, name: string): string[][] =>
    (['lost', 'late', 'killed', 'locked by a killed run', 'none'] as const).flatMap((trouble) => {
      const count = counts.get(trouble) ?? 0;
      const why = trouble === 'none' ? 'for no reason that the bench knows' : REASONS[trouble];
      return count === 0 && trouble !== 'none' ? [] : [row(`${name}, ${why}`, count)];
    });
  return {
    title: 'Every target checked in time',
    note: `One check a target and tick is due. In time: the request came within ${IN_TIME / 1000} s of the trigger. Between two checks of a target: p50 ${(quantile(gaps, 0.5) / 1000).toFixed(1)} s, p99 ${(quantile(gaps, 0.99) / 1000).toFixed(1)} s, at most ${(longest / 1000).toFixed(1)} s.`,
    columns: ['checks', 'number', 'share'],
    rows: [
      row('due', all),
      row('in time', inTime),
      ...explained(late, 'later in the minute'),
      ...explained(missed, 'not made'),
    ],
  };
}

const REASONS: Readonly<Record<Exclude<Trouble, 'none'>, string>> = {
  lost: 'because a message was lost',
  late: 'because a message was late',
  killed: 'because a process was killed',
  'locked by a killed run': 'because a run that was killed held the lease',
};

export function messageTable({ messages, kills }: Known): Table {
  const row = (name: string, those: readonly Message[]): string[] => {
    const count = (of: (message: Message) => boolean): string => String(those.filter(of).length);
    const answered = (of: (delivery: Message['deliveries'][number]) => boolean): string =>
      count(({ deliveries }) => deliveries.some(of));
    return [
      name,
      String(those.length),
      count(({ fate }) => fate === 'lost'),
      count(({ deliveries }) => deliveries.length > 1),
      count(({ fate }) => fate === 'delayed'),
      answered(({ outcome }) => outcome === 'killed'),
      answered(({ report }) => report?.status === 'skipped'),
      answered(({ outcome }) => typeof outcome === 'number' && outcome >= 400),
    ];
  };
  const underWay = kills.reduce((sum, each) => sum + each.underWay, 0);
  return {
    title: 'What became of the messages',
    note: `${kills.length} processes were killed, with ${underWay} calls under way.`,
    columns: ['', 'sent', 'lost', 'doubled', 'late', 'killed', 'skipped', 'answered 4xx or 5xx'],
    rows: [
      row(
        'triggers',
        messages.filter(({ shard }) => shard === null),
      ),
      row(
        'runs of shards',
        messages.filter(({ shard }) => shard !== null),
      ),
    ],
  };
}

export function recordTable(known: Known): Table {
  const { targets, recorded, seen, messages } = known;
  const total = { pinged: 0, recorded: 0, failures: 0, matched: 0, off: 0, twice: 0, exact: 0 };
  const unrecorded: { readonly ping: Ping; readonly shard: number }[] = [];
  let [unseen, broken, different] = [0, 0, 0];
  const errors: number[] = [];
  const latencies: [recorded: number, real: number][] = [];
  for (let target = 0; target < targets; target += 1) {
    const pings = seen.pingsOf(target);
    total.pinged += pings.length;
    const its = recorded.targets.get(`service-${target}`);
    const checks = its?.checks ?? [];
    const found = compare(pings, checks);
    total.recorded += its?.pings ?? 0;
    total.failures += its?.failures ?? 0;
    total.matched += found.matched;
    const failed = checks.filter(({ isFailed }) => isFailed).length;
    if (its !== undefined && (its.pings !== checks.length || its.failures !== failed)) total.off += 1;
    if (found.unrecorded.length === 0 && found.unseen.length === 0 && found.different.length === 0)
      total.exact += 1;
    for (const ping of found.unrecorded) unrecorded.push({ ping, shard: its?.shard ?? -1 });
    unseen += found.unseen.filter(({ isBroken }) => !isBroken).length;
    broken += found.unseen.filter(({ isBroken }) => isBroken).length;
    different += found.different.length;
    for (const pair of found.latencies) {
      latencies.push([pair[0], pair[1]]);
      errors.push(pair[0] - pair[1]);
    }
  }
  const killed = messages.flatMap(({ shard, deliveries }) =>
    deliveries.flatMap(({ at, endedAt, outcome }) => (outcome === 'killed' ? [{ shard, at, endedAt }] : [])),
  );
  const isOfKilled = ({ ping, shard }: (typeof unrecorded)[number]): boolean =>
    killed.some(
      (each) =>
        each.shard === shard && ping.at >= each.at - 500 && ping.at <= (each.endedAt ?? Infinity) + 500,
    );
  const ofKilled = unrecorded.filter(isOfKilled).length;
  const p99 = (of: readonly number[]): string => quantile(of, 0.99).toFixed(0);
  return {
    title: 'What is on record against what the servers saw',
    note: `Of ${targets} targets, ${total.exact} have each check on record that their server saw, and no other. p99 on record ${p99(latencies.map(([own]) => own))} ms, of the same answers as the servers measured ${p99(latencies.map(([, real]) => real))} ms; the difference: p50 ${quantile(errors, 0.5).toFixed(1)}, p99 ${p99(errors)} ms.`,
    columns: ['checks', 'number'],
    rows: [
      ['that the servers saw', total.pinged],
      ['on record (the counters of all targets)', total.recorded],
      ['failed, on record', total.failures],
      ['on record and seen', total.matched],
      ['seen and not on record, of a run that was killed', ofKilled],
      ['seen and not on record otherwise', unrecorded.length - ofKilled],
      ['on record and not seen: must be 0', unseen],
      ['on record as failed on the way to the server', broken],
      ['on record with another outcome than was answered: must be 0', different],
      ['targets whose counters differ from their recent checks: must be 0', total.off],
    ].map((cells) => cells.map(String)),
  };
}

export function alertTable({ digests, recorded, ticks, targets }: Known): Table {
  const repeats = digests.length - new Set(digests.map(({ id }) => id)).size;
  const digestsOf = new Map<string, Set<string>>();
  const told = new Map<string, Told>();
  for (const { id, alerts } of digests) {
    for (const alert of alerts) {
      told.set(alert.id, { id: alert.id, kind: alert.kind, target: alert.target?.id ?? null });
      digestsOf.set(alert.id, (digestsOf.get(alert.id) ?? new Set()).add(id));
    }
  }
  const row = (kind: 'down' | 'up', isSteady: boolean): string[] => {
    const counts = { due: 0, once: 0, twice: 0, waiting: 0, missing: 0, wrong: 0 };
    for (let target = 0; target < targets; target += 1) {
      if (changesOften(mannerOf(target)) === isSteady) continue;
      const id = `service-${target}`;
      const due = alertsDue(recorded.targets.get(id)?.checks ?? [])[kind];
      const its = [...told.values()].filter((each) => each.kind === kind && each.target === id);
      const open = recorded.waiting.filter(
        (each) => each.kind === kind && each.target === id && !told.has(each.id),
      );
      const twice = its.filter((each) => (digestsOf.get(each.id)?.size ?? 0) > 1).length;
      counts.due += due;
      counts.once += its.length - twice;
      counts.twice += twice;
      counts.waiting += open.length;
      counts.missing += Math.max(0, due - its.length - open.length);
      counts.wrong += Math.max(0, its.length + open.length - due);
    }
    return [isSteady ? kind : `${kind}, of a target that flaps`, ...Object.values(counts).map(String)];
  };
  const others = new Map<string, number>();
  for (const { kind } of told.values())
    if (kind !== 'down' && kind !== 'up') others.set(kind, (others.get(kind) ?? 0) + 1);
  const inTick = ticks.map(
    ({ at }) => digests.filter(({ receivedAt }) => receivedAt >= at && receivedAt < at + MINUTE).length,
  );
  const withAny = inTick.filter((count) => count > 0);
  const failing = Array.from({ length: targets }, (_, i) => mannerOf(i)).filter(
    (manner) => manner !== 'ok',
  ).length;
  const rest = [...others].map(([kind, count]) => `${count} × ${kind}`).join(', ');
  return {
    title: 'What people were told',
    note: `One channel; ${failing} targets fail or flap. Of one that flaps people are told that it does, and no more of its outages. ${digests.length} digests in ${withAny.length} ticks, at most ${Math.max(0, ...withAny)} in one. ${repeats} were the same digest again (with the same id). Other alerts: ${rest === '' ? 'none' : rest}.`,
    columns: [
      'alerts',
      'due by the checks on record',
      'said once',
      'said twice',
      'still to be sent',
      'missing',
      'false',
    ],
    rows: [row('down', true), row('up', true), row('down', false), row('up', false)],
  };
}

function changesOften(manner: Manner): boolean {
  return manner === 'flaps' || manner === 'flickers';
}
