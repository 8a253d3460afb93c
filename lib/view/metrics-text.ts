import { WINDOWS } from '../read/load.js';
import type { PeersHealth } from '../read/health.js';
import type { Stats, TargetStats } from '../read/views.js';
import type { Status } from '../types.js';

type Labels = Readonly<Record<string, string>>;
/** Null: not known, so there is no sample. */
type Sample = readonly [labels: Labels, value: number | null];

/** How many other installations are watched, and how many of them are not well. */
type PeerFigures = Pick<PeersHealth, 'watched' | 'outOfOrder'>;

const NO_PEERS: PeerFigures = { watched: 0, outOfOrder: 0 };

interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'summary';
  readonly help: string;
  readonly samples: (stats: Stats, peers: PeerFigures) => readonly Sample[];
}

const STATUSES: readonly Status[] = ['pending', 'up', 'degraded', 'down', 'paused', 'sleeping'];

/** The first four are named as the blackbox exporter names them, so that its dashboards and alerts work. */
const FAMILIES: readonly Family[] = [
  perTarget('probe_success', 'gauge', 'Displays whether or not the probe was a success', (target) =>
    isProbed(target) ? Number(target.consecutiveFailures === 0) : null,
  ),
  perTarget(
    'probe_duration_seconds',
    'gauge',
    'Returns how long the probe took to complete in seconds',
    (target) => (isProbed(target) ? seconds(target.latency) : null),
  ),
  perTarget('probe_http_status_code', 'gauge', 'Response HTTP status code', (target) =>
    isProbed(target) ? target.lastStatusCode : null,
  ),
  perTarget(
    'probe_ssl_earliest_cert_expiry',
    'gauge',
    'Returns earliest SSL cert expiry in unixtime',
    (target) => (isKnown(target) ? timestamp(target.tls?.expiresAt) : null),
  ),
  single('keepalive_up', 'Whether runs come as often as they should', ({ isRunning }) => Number(isRunning)),
  single('keepalive_stale', 'Whether no run came for three ticks, so that nothing is known', ({ stale }) =>
    Number(stale),
  ),
  single('keepalive_last_run_timestamp_seconds', 'When the last run began', ({ lastRun }) =>
    timestamp(lastRun?.startedAt),
  ),
  peerGauge('keepalive_peers', 'Other installations that are watched', ({ watched }) => watched),
  peerGauge(
    'keepalive_peers_out_of_order',
    'Other installations that make no runs, or could not be read for three ticks',
    ({ outOfOrder }) => outOfOrder,
  ),
  {
    name: 'keepalive_target_info',
    type: 'gauge',
    help: 'What is known of a target by its configuration',
    samples: ({ targets }) =>
      targets.map(({ id, name, group, host, healthUrl }) => [
        { target: id, name, group: group ?? '', host, url: healthUrl ?? '' },
        1,
      ]),
  },
  {
    name: 'keepalive_target_status',
    type: 'gauge',
    help: 'Whether a target has this status',
    samples: ({ targets }) =>
      targets
        .filter(isKnown)
        .flatMap(({ id, status }) =>
          STATUSES.map((each): Sample => [{ target: id, status: each }, Number(status === each)]),
        ),
  },
  perTarget(
    'keepalive_checks_total',
    'counter',
    'Checks since the target was added, outside maintenance',
    ({ pingCount }) => pingCount,
  ),
  perTarget(
    'keepalive_check_failures_total',
    'counter',
    'Failed checks since the target was added, outside maintenance',
    ({ failedPings }) => failedPings,
  ),
  perTarget(
    'keepalive_last_check_timestamp_seconds',
    'gauge',
    'When the last check was made',
    ({ lastCheckAt }) => timestamp(lastCheckAt),
  ),
  perTarget(
    'keepalive_fails_here_alone',
    'gauge',
    'Whether the last check failed here, and most peers say that the target is well',
    // Every other check that has not failed has a latency.
    (target) =>
      isProbed(target) ? Number(target.consecutiveFailures === 0 && target.latency === null) : null,
  ),
  perWindow('keepalive_uptime_ratio', 'Good time over observed time', ({ uptimeRatio }) => uptimeRatio),
  perWindow('keepalive_coverage_ratio', 'Observed time over expected time', ({ coverage }) => coverage),
  {
    name: 'keepalive_latency_seconds',
    type: 'summary',
    help: 'Latency of the good checks of 24 hours, without cold starts',
    samples: ({ targets }) =>
      targets.flatMap(({ id, latencyMs: { p50, p95, p99 } }): Sample[] => [
        [{ target: id, quantile: '0.5' }, seconds(p50)],
        [{ target: id, quantile: '0.95' }, seconds(p95)],
        [{ target: id, quantile: '0.99' }, seconds(p99)],
      ]),
  },
  perTarget(
    'keepalive_latency_samples',
    'gauge',
    'Checks in 24 hours that keepalive_latency_seconds rests on',
    ({ lastCheckAt, latencyMs }) => (lastCheckAt === null ? null : latencyMs.samples),
  ),
  perTarget(
    'keepalive_cold_starts',
    'gauge',
    'Checks in 24 hours that found the host asleep',
    ({ lastCheckAt, awake }) => (lastCheckAt === null ? null : awake.coldStarts),
  ),
  perTarget(
    'keepalive_longest_gap_seconds',
    'gauge',
    'Longest time in 24 hours between two pings that reached the host',
    ({ awake }) => seconds(awake.longestGap),
  ),
  perTarget(
    'keepalive_kept_awake',
    'gauge',
    'Whether the host was kept awake for 24 hours, where that is known',
    (target) => {
      const { keptAwake } = target.awake;
      return keptAwake === null || !isKnown(target) ? null : Number(keptAwake);
    },
  ),
  perTarget('keepalive_incident_open', 'gauge', 'Whether an incident is open', (target) =>
    target.lastCheckAt === null || !isKnown(target) ? null : Number(target.incident !== null),
  ),
];

/** Prometheus' text format, version 0.0.4. What is not known has no sample. */
export function metricsText(stats: Stats, peers: PeerFigures = NO_PEERS): string {
  const known = { ...stats, targets: stats.targets.filter(({ unread }) => unread !== true) };
  return FAMILIES.flatMap(({ name, type, help, samples }) => {
    const lines = samples(known, peers).flatMap(([labels, value]) =>
      value === null ? [] : [`${name}${labelText(labels)} ${value}\n`],
    );
    return lines.length === 0 ? [] : [`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`, ...lines];
  }).join('');
}

function single(name: string, help: string, value: (stats: Stats) => number | null): Family {
  return { name, type: 'gauge', help, samples: (stats) => [[{}, value(stats)]] };
}

/** Nothing where there are none. */
function peerGauge(name: string, help: string, value: (peers: PeerFigures) => number): Family {
  const samples = (_: Stats, peers: PeerFigures): Sample[] =>
    peers.watched === 0 ? [] : [[{}, value(peers)]];
  return { name, type: 'gauge', help, samples };
}

function perTarget(
  name: string,
  type: Family['type'],
  help: string,
  value: (target: TargetStats) => number | null,
): Family {
  const samples = ({ targets }: Stats): Sample[] =>
    targets.map((target) => [{ target: target.id }, value(target)]);
  return { name, type, help, samples };
}

function perWindow(
  name: string,
  help: string,
  values: (target: TargetStats) => TargetStats['uptimeRatio'],
): Family {
  const samples = ({ targets }: Stats): Sample[] =>
    targets.flatMap((target) =>
      WINDOWS.map((window): Sample => [{ target: target.id, window }, values(target)[window]]),
    );
  return { name, type: 'gauge', help, samples };
}

/** Of a target that rests, the last check says nothing about now. */
function isProbed(target: TargetStats): boolean {
  const { status, lastCheckAt } = target;
  return isKnown(target) && lastCheckAt !== null && status !== 'paused' && status !== 'sleeping';
}

/** Not where runs have stopped: what the last check found says nothing about now. */
function isKnown({ lastKnownStatus }: TargetStats): boolean {
  return lastKnownStatus === null;
}

/** Rounded to a microsecond, which removes the rounding error of the division. */
function seconds(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms * 1_000) / 1e6;
}

function timestamp(time: string | null | undefined): number | null {
  return time == null ? null : Date.parse(time) / 1_000;
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
