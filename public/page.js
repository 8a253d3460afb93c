// Puts times into the viewer's zone (or the page's own) and way of writing them, tells what a bar stands for, filters at each key, and fetches the page anew from
// time to time.
// Without it the page says the same in UTC.

const PERIOD = 60_000;
const DAY = 86_400_000;
// What it says, in the language of the page; places in braces are filled here.
const WORDS = JSON.parse(document.body.dataset.words);
const LANGUAGE = document.documentElement.lang;
// The zone of the page; where it has none, the viewer's.
const ZONE = document.documentElement.dataset.zone;
// The page's language as it is written where the viewer is: American English has 12 hours.
const LOCALE = window.navigator.languages.find((each) => each.split('-')[0] === LANGUAGE) ?? LANGUAGE;
const REGIONAL = LOCALE === 'en' ? 'en-GB' : LOCALE;
// Hours of a day with 24 have two digits.
const HOUR = new Intl.DateTimeFormat(REGIONAL, { hour: 'numeric' }).resolvedOptions().hour12
  ? 'numeric'
  : '2-digit';
const format = (options) => new Intl.DateTimeFormat(REGIONAL, { timeZone: ZONE, ...options });
const FORMATS = {
  clock: format({ hour: HOUR, minute: '2-digit' }),
  full: format({ day: 'numeric', month: 'short', hour: HOUR, minute: '2-digit' }),
  far: format({ day: 'numeric', month: 'short', year: 'numeric', hour: HOUR, minute: '2-digit' }),
  day: format({ day: 'numeric', month: 'short', year: 'numeric' }),
  precise: format({ dateStyle: 'full', timeStyle: 'long' }),
  date: new Intl.DateTimeFormat('sv', { timeZone: ZONE, year: 'numeric', month: '2-digit', day: '2-digit' }),
  offset: format({ timeZoneName: 'shortOffset' }),
  utcDay: format({ day: 'numeric', month: 'short', timeZone: 'UTC' }),
};
const NUMBERS = new Intl.NumberFormat(REGIONAL);
const WHOLE_PERCENT = new Intl.NumberFormat(REGIONAL, { style: 'percent' });
const AGO = new Intl.RelativeTimeFormat(REGIONAL, { style: 'short' });

function say(name, values = {}, words = WORDS) {
  return words[name].replace(/\{(\w+)\}/g, (_, place) => values[place]);
}

// What is on paper is read on another day.
let isPrinting = false;

function localise(root) {
  const today = FORMATS.date.format(Date.now());
  for (const time of root.querySelectorAll('time[data-show]')) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const { show } = time.dataset;
    time.title = FORMATS.precise.format(at);
    if (show === 'ago' && !isPrinting) time.textContent = ago(Date.now() - at.getTime());
    else if (show === 'day') time.textContent = FORMATS.day.format(at);
    else {
      const date = FORMATS.date.format(at);
      const { day = isPrinting ? '' : today, after } = time.dataset;
      const isNamed = date === (after === undefined ? day : FORMATS.date.format(new Date(after)));
      const isFar = isPrinting || date.slice(0, 4) !== today.slice(0, 4);
      time.textContent = FORMATS[isNamed ? 'clock' : isFar ? 'far' : 'full'].format(at);
    }
  }
  const zone = document.getElementById('zone');
  if (zone !== null && ZONE === undefined) zone.textContent = zoneName();
}

// `Europe/Paris (GMT+1)`
function zoneName() {
  const { timeZone } = FORMATS.clock.resolvedOptions();
  const offset = FORMATS.offset.formatToParts(Date.now()).find(({ type }) => type === 'timeZoneName');
  return timeZone === 'UTC' ? 'UTC' : `${timeZone} (${offset?.value ?? 'UTC'})`;
}

function ago(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 5) return say('justNow');
  if (seconds < 60) return AGO.format(-seconds, 'second');
  if (seconds < 3_600) return AGO.format(-Math.round(seconds / 60), 'minute');
  if (seconds < 86_400) return AGO.format(-Math.round(seconds / 3_600), 'hour');
  return AGO.format(-Math.round(seconds / 86_400), 'day');
}

// What stands beside a bar when it is pointed at, or chosen by the arrow keys: the day's item of the list behind the bars,
// or what the attributes say of a day that is not listed.
const tip = document.createElement('div');
tip.className = 'tip day';
tip.hidden = true;
tip.setAttribute('aria-hidden', 'true');
const spoken = document.createElement('div');
spoken.className = 'hidden';
spoken.setAttribute('aria-live', 'polite');
document.body.append(tip, spoken);

// The bars that the tip belongs to, and the day.
let shown = null;

function hideTip() {
  tip.hidden = true;
  shown = null;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

// How much of a day was observed, in percent: of `20x97 1x100`. Null where there is no data.
function observedOn(days, index) {
  if (days.dataset.observed === undefined) return 100;
  let left = index;
  for (const run of days.dataset.observed.split(' ')) {
    const [length, percent] = run.split('x');
    if (left < Number(length)) return percent === '' ? null : Number(percent);
    left -= Number(length);
  }
  return null;
}

// Whole units, as the page gives lengths.
function length(seconds) {
  const part = (count, unit) => `${NUMBERS.format(count)} ${say(`unit.${unit}`)}`;
  if (seconds < 60) return part(seconds, 's');
  const minutes = Math.round(seconds / 60);
  const rest = minutes % 60;
  return minutes < 60
    ? part(minutes, 'm')
    : `${part(Math.floor(minutes / 60), 'h')}${rest === 0 ? '' : ` ${part(rest, 'm')}`}`;
}

// The severity and the contents of a tip.
function dayOf(days, index) {
  const item = days.querySelector(`li[data-day="${index}"]`);
  if (item !== null) return [item.className, [...item.cloneNode(true).childNodes]];
  const date = element('b', FORMATS.utcDay.format(new Date(Date.parse(days.dataset.from) + index * DAY)));
  const observed = observedOn(days, index);
  const down = days.dataset.down
    ?.split(',')
    .map((pair) => pair.split(':').map(Number))
    .find(([day]) => day === index)?.[1];
  if (observed === null) return ['none', [date, ` ${say('dayNoData')}`]];
  if (observed === 0) return ['none', [date, ` ${say('dayUnseen')}`]];
  const some = element(
    'small',
    observed === 100 ? '' : ` ${say('observed', { share: WHOLE_PERCENT.format(observed / 100) })}`,
  );
  if (observed < 50) return ['none', [date, ` ${say('dayUnsure')}`, some]];
  if (down === undefined) return ['good', [date, ` ${say('dayFine')}`, some]];
  // From 5% of the observed part of the day on.
  const severity = down < 0.05 * 864 * observed ? 'troubled' : 'bad';
  return [severity, [date, ` ${say('dayBad', { length: length(down) })}`, some]];
}

function showDay(days, index) {
  const bars = days.querySelector('.bars');
  const count = (bars.viewBox.baseVal.width + 1) / 4;
  const day = Math.min(Math.max(0, index), count - 1);
  if (shown?.days !== days || shown.day !== day) {
    const [severity, contents] = dayOf(days, day);
    tip.className = `tip day ${severity}`;
    tip.replaceChildren(...contents);
  }
  shown = { days, day, count };
  tip.hidden = false;
  const box = bars.getBoundingClientRect();
  const { width, height } = tip.getBoundingClientRect();
  const left = box.left + ((day + 0.5) / count) * box.width - width / 2;
  const right = document.documentElement.clientWidth - width - 8;
  const top = box.top - height - 8;
  tip.style.left = `${window.scrollX + Math.max(8, Math.min(left, right))}px`;
  tip.style.top = `${window.scrollY + (top < 4 ? box.bottom + 8 : top)}px`;
}

let touched = false;

function pointAt(event) {
  touched = event.pointerType === 'touch';
  const bars = event.target instanceof Element ? event.target.closest('.bars') : null;
  if (bars === null) {
    if (!document.activeElement?.matches('.days > summary:focus-visible')) hideTip();
    return;
  }
  const box = bars.getBoundingClientRect();
  const part = Math.min(0.9999, Math.max(0, (event.clientX - box.left) / box.width));
  showDay(bars.closest('.days'), Math.floor((part * (bars.viewBox.baseVal.width + 1)) / 4));
}

document.addEventListener('pointermove', pointAt);
document.addEventListener('pointerdown', pointAt);
document.addEventListener('scroll', hideTip, { passive: true });
document.addEventListener('click', (event) => {
  // A tap shows the day; a click opens the list, as without scripts.
  if (touched && event.detail > 0 && event.target.closest?.('.days > summary')) event.preventDefault();
});

const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7, Home: -Infinity, End: Infinity };

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') hideTip();
  const days =
    event.target instanceof Element && event.target.matches('.days > summary')
      ? event.target.parentElement
      : null;
  if (days === null || !Object.hasOwn(STEPS, event.key)) return;
  event.preventDefault();
  const from = shown?.days === days ? shown.day : Infinity;
  const step = STEPS[event.key];
  // The first key of all goes to the last day, whichever it is.
  showDay(days, from === Infinity ? (step === -Infinity ? 0 : Infinity) : from + step);
  spoken.textContent = tip.textContent;
});
document.addEventListener('focusout', hideTip);

// Filters the services without asking for the page again.
function filterServices() {
  const form = document.querySelector('.filter');
  if (form === null) return;
  const name = form.elements.q.value.trim().toLowerCase();
  const state = form.elements.status.value;
  const isFiltered = name !== '' || state !== '';
  let count = 0;
  let total = 0;
  for (const group of document.querySelectorAll('.group')) {
    const title = group.querySelector('h2').textContent.toLowerCase();
    let inGroup = 0;
    for (const row of group.querySelectorAll('.target')) {
      const text = `${row.querySelector('.name').textContent.toLowerCase()}\n${title}`;
      row.hidden = (state !== '' && row.dataset.status !== state) || !text.includes(name);
      total += 1;
      if (!row.hidden) inGroup += 1;
    }
    count += inGroup;
    group.hidden = inGroup === 0;
    if (isFiltered) {
      group.dataset.wasOpen ??= String(group.open);
      group.open = true;
    } else if (group.dataset.wasOpen !== undefined) {
      group.open = group.dataset.wasOpen === 'true';
      delete group.dataset.wasOpen;
    }
  }
  const line = document.getElementById('shown');
  const { text, none } = line.dataset;
  const said = count === 0 ? none : text.replace('{count}', count).replace('{total}', total);
  line.textContent = isFiltered ? said : '';
  const query = new window.URLSearchParams(
    Object.entries({ q: name, status: state }).filter(([, value]) => value !== ''),
  );
  window.history.replaceState(
    null,
    '',
    `${window.location.pathname}${query.size > 0 ? `?${query}` : ''}${window.location.hash}`,
  );
}

document.addEventListener('input', async (event) => {
  if (!event.target.closest?.('.filter')) return;
  // A page that the server has filtered does not hold the other services.
  if (document.querySelector('[data-filtered]') !== null) await refresh();
  filterServices();
});
document.addEventListener('submit', (event) => {
  if (!event.target.matches('.filter') || document.querySelector('[data-filtered]') !== null) return;
  event.preventDefault();
  filterServices();
});

// The page again, from time to time, as long as somebody can see it.
let current = null;
let loadedAt = Date.now();
let busy = false;

async function refresh() {
  if (busy || document.hidden) return;
  busy = true;
  const live = document.getElementById('live');
  try {
    // Without the query: what is filtered out may be wanted next.
    const answer = await fetch(window.location.pathname, {
      cache: 'no-cache',
      headers: { accept: 'text/html' },
      signal: AbortSignal.timeout(20_000),
    });
    if (answer.status === 401) {
      window.location.reload();
      return;
    }
    if (!answer.ok) throw new Error(String(answer.status));
    swap(new DOMParser().parseFromString(await answer.text(), 'text/html'));
    loadedAt = Date.now();
    if (live.textContent !== '') live.textContent = '';
  } catch {
    const text = say('notUpdated', { time: FORMATS.clock.format(loadedAt) });
    if (live.textContent !== text) live.textContent = text;
  } finally {
    busy = false;
  }
}

function swap(next) {
  const main = document.getElementById('main');
  const fresh = next.getElementById('main');
  if (fresh === null || !('refresh' in fresh.dataset)) throw new Error('not the page');
  const html = fresh.innerHTML;
  document.title = next.title;
  if (html === current) {
    localise(main);
    return;
  }
  const { scrollX, scrollY } = window;
  const focus = pathTo(document.activeElement, main);
  // What a visitor has opened or closed stays so; groups that are closed because nothing was wrong may open.
  const open = [...main.querySelectorAll('details[open][id]:not(.group)')].map(({ id }) => id);
  const form = main.querySelector('.filter');
  const [name, state] = form === null ? ['', ''] : [form.elements.q.value, form.elements.status.value];
  const scrolled = [...main.querySelectorAll('.scroll')].map(({ scrollTop }) => scrollTop);
  current = html;
  main.replaceChildren(...document.adoptNode(fresh).childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute('open', '');
  for (const [id, isOpen] of toggled) document.getElementById(id)?.toggleAttribute('open', isOpen);
  const anew = main.querySelector('.filter');
  if (anew !== null && (name !== '' || state !== '')) {
    anew.elements.q.value = name;
    anew.elements.status.value = state;
    filterServices();
  }
  hideTip();
  main.querySelectorAll('.scroll').forEach((each, i) => (each.scrollTop = scrolled[i] ?? 0));
  localise(main);
  document.querySelector('.pulse')?.replaceWith(next.querySelector('.pulse') ?? '');
  document.dispatchEvent(new CustomEvent('keepalive:swapped'));
  focused(focus, main)?.focus({ preventScroll: true });
  window.scrollTo(scrollX, scrollY);
}

// Where the focus is: the element's id, or which of its like it is.
function pathTo(element, main) {
  if (element === null || element === main || !main.contains(element)) return null;
  if (element.id !== '') return { id: element.id };
  const href = element.getAttribute('href');
  const like = href === null ? element.localName : `${element.localName}[href="${CSS.escape(href)}"]`;
  return { like, index: [...main.querySelectorAll(like)].indexOf(element) };
}

function focused(path, main) {
  if (path === null) return null;
  return path.id === undefined
    ? main.querySelectorAll(path.like)[path.index]
    : document.getElementById(path.id);
}

// Groups that the visitor has opened or closed, by id.
const toggled = new Map();
document.addEventListener('click', (event) => {
  const group = event.target.closest?.('.group > summary')?.parentElement;
  if (group) toggled.set(group.id, !group.open);
});

function print(isBeginning) {
  isPrinting = isBeginning;
  localise(document);
}

window.addEventListener('beforeprint', () => print(true));
window.addEventListener('afterprint', () => print(false));

localise(document);
if ('refresh' in document.getElementById('main').dataset) {
  setInterval(refresh, PERIOD);
  setInterval(() => localise(document.getElementById('main')), 10_000);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && Date.now() - loadedAt > PERIOD) refresh();
  });
  window.addEventListener('online', refresh);
  document.addEventListener('keepalive:refresh', refresh);
}
