// Puts times into the viewer's zone, tells what a bar stands for, and fetches the page anew from time to time.
// Without it the page says the same in UTC.

const PERIOD = 60_000;
const DAY = 86_400_000;
const FORMATS = {
  clock: new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', hour12: false }),
  full: new Intl.DateTimeFormat(undefined, {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
  }),
  day: new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' }),
  precise: new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' }),
  utcDay: new Intl.DateTimeFormat(undefined, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    timeZone: 'UTC',
  }),
};

function localise(root) {
  for (const time of root.querySelectorAll('time[data-show]')) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const { show } = time.dataset;
    time.title = FORMATS.precise.format(at);
    if (show === 'ago') time.textContent = ago(Date.now() - at.getTime());
    else if (show === 'day') time.textContent = FORMATS.day.format(at);
    else {
      const isToday = at.toDateString() === new Date().toDateString();
      time.textContent = FORMATS[isToday ? 'clock' : 'full'].format(at);
    }
  }
}

function ago(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 5) return 'just now';
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3_600) return `${Math.round(seconds / 60)} m ago`;
  if (seconds < 86_400) return `${Math.round(seconds / 3_600)} h ago`;
  return `${Math.round(seconds / 86_400)} d ago`;
}

// What stands beside a bar when it is pointed at.
const tip = document.createElement('div');
tip.className = 'tip';
tip.hidden = true;
tip.setAttribute('aria-hidden', 'true');
document.body.append(tip);

function pointAt(event) {
  const bars = event.target instanceof Element ? event.target.closest('svg.bars') : null;
  if (bars === null) {
    tip.hidden = true;
    return;
  }
  const days = bars.dataset.days.split(',');
  const box = bars.getBoundingClientRect();
  const part = Math.min(0.9999, Math.max(0, (event.clientX - box.left) / box.width));
  const index = Math.floor(part * days.length);
  const [uptime, observed] = days[index].split('/');
  const day = FORMATS.utcDay.format(new Date(Date.parse(bars.dataset.from) + index * DAY));
  tip.textContent =
    uptime === ''
      ? `${day}: no data`
      : uptime === '-'
        ? `${day}: not observed`
        : `${day}: ${uptime}% up${observed === undefined ? '' : `, ${observed}% observed`}`;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = box.left + ((index + 0.5) / days.length) * box.width - width / 2;
  const right = document.documentElement.clientWidth - width - 8;
  tip.style.left = `${window.scrollX + Math.min(Math.max(8, left), right)}px`;
  tip.style.top = `${window.scrollY + box.top - height - 8}px`;
}

document.addEventListener('pointermove', pointAt);
document.addEventListener('pointerdown', pointAt);
document.addEventListener('scroll', () => (tip.hidden = true), { passive: true });

// The page again, from time to time, as long as somebody can see it.
let current = null;
let loadedAt = Date.now();
let busy = false;

async function refresh() {
  if (busy || document.hidden) return;
  busy = true;
  const live = document.getElementById('live');
  try {
    const answer = await fetch(window.location.href, {
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
    const text = `Not updated since ${FORMATS.clock.format(loadedAt)}`;
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
  const open = [...main.querySelectorAll('details[open][id]')].map(({ id }) => id);
  const scrolled = [...main.querySelectorAll('.scroll')].map(({ scrollTop }) => scrollTop);
  current = html;
  main.replaceChildren(...document.adoptNode(fresh).childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute('open', '');
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
