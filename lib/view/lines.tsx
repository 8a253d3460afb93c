import type { JSX } from 'preact';
import { useWords } from './phrase.js';

const WIDTH = 96;
const HEIGHT = 24;

/** A small line of latencies from zero up, with gaps where nothing was measured. */
export function Sparkline({ values }: { values: readonly (number | null)[] }): JSX.Element | null {
  const words = useWords();
  const measured = values.filter((value) => value !== null);
  if (measured.length === 0) return null;
  const top = Math.max(...measured) * 1.15;
  const x = (i: number): number => tenth((i / Math.max(1, values.length - 1)) * WIDTH);
  const y = (value: number): number => tenth(HEIGHT - 1 - (value / top) * (HEIGHT - 2));
  let line = '';
  for (const [i, value] of values.entries()) {
    if (value === null) continue;
    const isAlone = (values[i - 1] ?? null) === null;
    line += `${isAlone ? 'M' : 'L'}${x(i)} ${y(value)}`;
    if (isAlone && (values[i + 1] ?? null) === null) line += 'h.1';
  }
  const label = words.text('sparkline', {
    from: words.latency(Math.min(...measured)),
    to: words.latency(Math.max(...measured)),
  });
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path d={line} />
    </svg>
  );
}

const CHART = { width: 720, height: 180, left: 48, bottom: 22, top: 8 };

/** Median and 95th percentile by the hour: what the chart is without scripts. */
export function LatencyFigure({
  hours,
  label,
}: {
  hours: readonly { readonly from: string; readonly p50: number | null; readonly p95: number | null }[];
  label: string;
}): JSX.Element {
  const words = useWords();
  const top = Math.max(1, ...hours.map(({ p95 }) => p95).filter((value) => value !== null)) * 1.1;
  const { width, height, left, bottom } = CHART;
  const x = (i: number): number => tenth(left + (i / Math.max(1, hours.length - 1)) * (width - left));
  const y = (value: number): number => tenth(height - bottom - (value / top) * (height - bottom - CHART.top));
  const line = (of: 'p50' | 'p95'): string => {
    let path = '';
    for (const [i, hour] of hours.entries()) {
      const value = hour[of];
      if (value !== null)
        path += `${(hours[i - 1]?.[of] ?? null) === null ? 'M' : 'L'}${x(i)} ${y(value)}h.1`;
    }
    return path;
  };
  const ticks = [0, 0.5, 1].map((part) => (top / 1.1) * part);
  const every = Math.max(1, Math.ceil(hours.length / 6));
  return (
    <svg class="figure" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {ticks.map((value) => (
        <g>
          <path class="grid" d={`M${left} ${y(value)}H${width}`} />
          <text x={left - 8} y={y(value) + 4} text-anchor="end">
            {words.latency(Math.round(value))}
          </text>
        </g>
      ))}
      {hours.map(({ from }, i) =>
        i % every === 0 && i + every / 2 < hours.length ? (
          <text x={x(i)} y={height - 4}>
            {hours.length > 30 ? words.day(words.dateOf(from), from) : words.clock(from).replace(' UTC', '')}
          </text>
        ) : null,
      )}
      <path class="p95" d={line('p95')} />
      <path class="p50" d={line('p50')} />
    </svg>
  );
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
