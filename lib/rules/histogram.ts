/**
 * Latencies counted in buckets whose bounds grow by a tenth, so that a quantile is within 5 % of the true value
 * whatever the scale (the idea of DDSketch, Masson et al. 2019). Bucket i > 0 holds (1.1^(i-1), 1.1^i] ms, bucket 0
 * holds 0 and 1 ms.
 */
export type Histogram = ReadonlyMap<number, number>;

const GROWTH = 1.1;

export const EMPTY: Histogram = new Map();

function bucketOf(latency: number): number {
  return latency <= 1 ? 0 : Math.ceil(Math.log(latency) / Math.log(GROWTH) - 1e-9);
}

/** The value that is within 5 % of every latency in the bucket. */
function valueOf(bucket: number): number {
  return bucket === 0 ? 1 : (2 * GROWTH ** bucket) / (GROWTH + 1);
}

export function observe(histogram: Histogram, latency: number): Histogram {
  return add(histogram, new Map([[bucketOf(latency), 1]]));
}

export function add(a: Histogram, b: Histogram): Histogram {
  const sum = new Map(a);
  for (const [bucket, count] of b) sum.set(bucket, (sum.get(bucket) ?? 0) + count);
  return sum;
}

/** What `a` counted beyond `b`, where `a` continues `b`. */
export function subtract(a: Histogram, b: Histogram): Histogram {
  const rest = new Map<number, number>();
  for (const [bucket, count] of a) {
    const left = count - (b.get(bucket) ?? 0);
    if (left > 0) rest.set(bucket, left);
  }
  return rest;
}

export interface Percentiles {
  /** How many latencies they rest on. */
  readonly samples: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** In ms by nearest rank, within 5 % of the exact value; null without observations. */
export function percentiles(histogram: Histogram): Percentiles {
  const buckets = [...histogram].sort(([a], [b]) => a - b);
  const total = buckets.reduce((sum, [, count]) => sum + count, 0);
  const at = (quantile: number): number | null => {
    let rank = Math.ceil(quantile * total);
    for (const [bucket, count] of buckets) {
      rank -= count;
      if (rank <= 0) return Math.round(valueOf(bucket) * 10) / 10;
    }
    return null;
  };
  return { samples: total, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
