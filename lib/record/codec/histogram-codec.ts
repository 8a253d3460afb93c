import type { Histogram } from '../../rules/histogram.js';
import { count, type Field } from './field-codecs.js';
import { itemAt } from './json.js';
import { TextError } from './text-error.js';

/** The buckets in ascending order, each as its distance from the one before, followed by its count. */
export function flattenHistogram(histogram: Histogram): number[] {
  let previous = 0;
  return [...histogram]
    .sort(([a], [b]) => a - b)
    .flatMap(([bucket, observed]) => {
      const distance = bucket - previous;
      previous = bucket;
      return [distance, observed];
    });
}

export function unflattenHistogram(flat: readonly number[]): Histogram {
  const histogram = new Map<number, number>();
  let bucket = 0;
  for (let i = 0; i + 1 < flat.length; i += 2) {
    bucket += itemAt(flat, i);
    histogram.set(bucket, itemAt(flat, i + 1));
  }
  return histogram;
}

/** As columns: how many buckets each histogram has, then the distances of all, then the counts of all. */
export const histogramField: Field<Histogram> = {
  write: (values, out) => {
    const flat = values.map(flattenHistogram);
    const all = flat.flat();
    count.write(
      flat.map(({ length }) => length / 2),
      out,
    );
    for (const part of [0, 1]) {
      count.write(
        all.filter((_, i) => i % 2 === part),
        out,
      );
    }
  },
  read: (total, from) => {
    const lengths = count.read(total, from);
    const buckets = lengths.reduce((sum, length) => sum + length, 0);
    const distances = count.read(buckets, from);
    const counts = count.read(buckets, from);
    let i = 0;
    return lengths.map((length) => {
      const histogram = new Map<number, number>();
      let bucket = 0;
      for (const end = i + length; i < end; i += 1) {
        bucket += itemAt(distances, i);
        histogram.set(bucket, itemAt(counts, i));
      }
      return histogram;
    });
  },
  parse: () => {
    throw new TextError('a histogram was never stored as JSON of its own');
  },
};
