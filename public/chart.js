// Draws the series of a target's page with uPlot, in place of the figures that are there without scripts.
// `page.js` runs before it.
/* global uPlot, HOUR, REGIONAL, ZONE, say */

const OUTCOMES = ['good', 'degraded', 'failed', 'cold'];
const [DEGRADED, FAILED, COLD] = [1, 2, 3];
const HEIGHT = 200;
const CLOCK = new Intl.DateTimeFormat(REGIONAL, { hour: HOUR, minute: '2-digit', timeZone: ZONE });
const DATE = new Intl.DateTimeFormat(REGIONAL, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  timeZone: ZONE,
});
const DIGITS = [0, 2].map(
  (digits) =>
    new Intl.NumberFormat(REGIONAL, { minimumFractionDigits: digits, maximumFractionDigits: digits }),
);
/** What it says, in the language of the page. */
let chartWords = {};
const sayOfChart = (name, values) => say(name, values, chartWords);

// The colours of the theme in force, which a canvas takes as values only.
function colours() {
  const probe = document.createElement('span');
  document.body.append(probe);
  const names = ['accent', 'band', 'quiet', 'line', 'down-bar', 'degraded-bar', 'rest', 'surface'];
  const found = names.map((name) => {
    probe.style.color = `var(--${name})`;
    return [name, getComputedStyle(probe).color];
  });
  probe.remove();
  return Object.fromEntries(found);
}

function milliseconds(value) {
  if (value === null || value === undefined) return '–';
  if (value < 1000) return `${DIGITS[0].format(value)} ${sayOfChart('unit.ms')}`;
  return `${DIGITS[value < 10_000 ? 1 : 0].format(value / 1000)} ${sayOfChart('unit.s')}`;
}

function axes(colour) {
  const common = { stroke: colour.quiet, font: '12px system-ui, sans-serif', ticks: { show: false } };
  return [
    {
      ...common,
      grid: { show: false },
      size: 28,
      space: 70,
      values: (_, times) =>
        times.map((time, i) => {
          const at = new Date(time * 1000);
          const before = times[i - 1];
          const isNewDay = before === undefined || DATE.format(before * 1000) !== DATE.format(at);
          const isMidnight = DATE.format(at) !== DATE.format(at - 1);
          return isNewDay && isMidnight ? DATE.format(at) : CLOCK.format(at);
        }),
    },
    {
      ...common,
      size: 64,
      grid: { stroke: colour.line, width: 1 },
      values: (_, values) => values.map((value) => milliseconds(value)),
    },
  ];
}

// Marks that the scale of latencies has no room for: failures over the whole height, cold starts at the top.
function drawMarks(plot, times, failed, cold, colour) {
  const { ctx, bbox } = plot;
  const ratio = window.devicePixelRatio || 1;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left - 6 * ratio, bbox.top - 6 * ratio, bbox.width + 12 * ratio, bbox.height + 12 * ratio);
  ctx.clip();
  for (const [i, time] of times.entries()) {
    const x = plot.valToPos(time, 'x', true);
    if (failed(i)) {
      ctx.fillStyle = colour['down-bar'];
      ctx.globalAlpha = 0.16;
      ctx.fillRect(x - 1.5 * ratio, bbox.top, 3 * ratio, bbox.height);
      ctx.globalAlpha = 1;
      ctx.fillRect(x - 1.5 * ratio, bbox.top + bbox.height - 9 * ratio, 3 * ratio, 9 * ratio);
    }
    if (cold(i)) {
      ctx.fillStyle = colour.rest;
      ctx.beginPath();
      const y = bbox.top + 6 * ratio;
      for (const [dx, dy] of [
        [0, -5],
        [5, 0],
        [0, 5],
        [-5, 0],
      ]) {
        ctx.lineTo(x + dx * ratio, y + dy * ratio);
      }
      ctx.fill();
    }
  }
  ctx.restore();
}

function checksOf([times, latencies, outcomes, reasons], colour) {
  const line = latencies.map((value, i) => (outcomes[i] === COLD ? null : value));
  const slow = latencies.map((value, i) => (outcomes[i] === DEGRADED ? value : null));
  return {
    data: [times, line, slow],
    series: [
      {},
      {
        stroke: colour.accent,
        width: 1.4,
        points: { show: times.length < 100, size: 4, fill: colour.accent },
      },
      {
        paths: () => null,
        points: { show: true, size: 7, fill: colour['degraded-bar'], stroke: colour['degraded-bar'] },
      },
    ],
    marks: (plot) =>
      drawMarks(
        plot,
        times,
        (i) => outcomes[i] === FAILED,
        (i) => outcomes[i] === COLD,
        colour,
      ),
    say: (i) => {
      const reason = reasons[i] === 0 ? '' : ` (${reasons[i]})`;
      const latency = outcomes[i] === FAILED ? '' : `${milliseconds(latencies[i])}, `;
      return `${latency}${sayOfChart(`outcome.${OUTCOMES[outcomes[i]]}`)}${reason}`;
    },
  };
}

function hoursOf([times, p50, p95, failures, coldStarts], colour) {
  return {
    data: [times, p95, p50],
    series: [
      {},
      { stroke: 'transparent', width: 0, points: { show: false } },
      {
        stroke: colour.accent,
        width: 1.6,
        points: { show: times.length < 12, size: 4, fill: colour.accent },
      },
    ],
    bands: [{ series: [1, 2], fill: colour.band }],
    marks: (plot) =>
      drawMarks(
        plot,
        times,
        (i) => failures[i] > 0,
        (i) => coldStarts[i] > 0,
        colour,
      ),
    say: (i) =>
      [
        sayOfChart('chartHour', { p50: milliseconds(p50[i]), p95: milliseconds(p95[i]) }),
        ...(failures[i] > 0 ? [sayOfChart('chartFailed', { count: DIGITS[0].format(failures[i]) })] : []),
        ...(coldStarts[i] > 0
          ? [sayOfChart('chartColdStarts', { count: DIGITS[0].format(coldStarts[i]) })]
          : []),
      ].join(', '),
  };
}

const plots = new Map();
const resized = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    plots.get(target)?.setSize({ width: Math.floor(contentRect.width), height: HEIGHT });
  }
});

function draw(element) {
  chartWords = JSON.parse(element.dataset.words);
  const colour = colours();
  const series = JSON.parse(element.dataset.series);
  const chart = element.dataset.chart === 'checks' ? checksOf(series, colour) : hoursOf(series, colour);
  const end = Date.parse(element.dataset.now) / 1000;
  const span = element.dataset.chart === 'checks' ? 86_400 : 7 * 86_400;
  const begin = Math.max(end - span, chart.data[0][0] ?? end - span);
  const tip = document.createElement('div');
  tip.className = 'tip';
  tip.hidden = true;
  tip.setAttribute('aria-hidden', 'true');
  const figure = element.querySelector('.figure');
  const label = (figure ?? element).getAttribute('aria-label') ?? '';
  element.replaceChildren();
  element.setAttribute('role', 'img');
  element.setAttribute('aria-label', label);
  const options = {
    width: Math.floor(element.clientWidth),
    height: HEIGHT,
    padding: [12, 22, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: true, y: false }, points: { size: 7 } },
    scales: {
      x: { range: (_, from, to) => (from === to ? [begin, end] : [from, to]) },
      y: { range: (_, __, top) => [0, Math.max(1, top ?? 1) * 1.12] },
    },
    axes: axes(colour),
    series: chart.series,
    bands: chart.bands ?? [],
    hooks: {
      drawClear: [chart.marks],
      setCursor: [
        (plot) => {
          const { idx, left } = plot.cursor;
          tip.hidden = idx === null || idx === undefined || left < 0;
          if (tip.hidden) return;
          const at = new Date(chart.data[0][idx] * 1000);
          tip.textContent = `${DATE.format(at)}, ${CLOCK.format(at)}: ${chart.say(idx)}`;
          const x = plot.valToPos(chart.data[0][idx], 'x') + plot.bbox.left / (window.devicePixelRatio || 1);
          const room = element.clientWidth - tip.offsetWidth;
          tip.style.left = `${Math.max(0, Math.min(room, x - tip.offsetWidth / 2))}px`;
          tip.style.top = '-26px';
        },
      ],
    },
  };
  const plot = new uPlot(options, chart.data, element);
  plot.setScale('x', { min: begin, max: end });
  element.append(tip);
  plots.set(element, plot);
  resized.observe(element);
}

function drawAll() {
  for (const [element, plot] of plots) {
    resized.unobserve(element);
    plot.destroy();
  }
  plots.clear();
  for (const element of document.querySelectorAll('[data-chart]')) draw(element);
}

drawAll();
document.addEventListener('keepalive:swapped', drawAll);
document.addEventListener('keepalive:theme', drawAll);
window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
