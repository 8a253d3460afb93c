import { HOUR, MINUTE } from '../../time.js';
import type { HostName } from '../../types.js';
import { ASSUMED, REPORTED, VENDOR, type Host } from '../host.js';
import { HUGGING_FACE_WORD, STREAMLIT_WORD } from './public-words.js';

/** Hosts of data apps. */
export const DATA_APP_HOSTS = {
  huggingface: {
    title: 'Hugging Face Spaces',
    domains: ['.hf.space'],
    sleepsAfter: 48 * HOUR,
    interval: null,
    wakeTimeout: 3 * MINUTE,
    monthlyHours: null,
    activity: 'a request to the Space',
    answersCount: true,
    answers: [
      {
        header: ['x-proxied-replica'],
        origin: 'container',
        looks: '`x-proxied-replica` or `x-proxied-host`',
        source: REPORTED,
      },
      {
        header: ['x-proxied-host'],
        origin: 'container',
        looks: '`x-proxied-replica` or `x-proxied-host`',
        source: REPORTED,
      },
    ],
    word: HUGGING_FACE_WORD,
    api: null,
    nameGone: null,
    warnings: [],
    note: 'a visit wakes it, in minutes where it has to be built; one that its owner paused is started by its owner alone',
    sources: { sleepsAfter: VENDOR, wakeTimeout: ASSUMED, activity: VENDOR, warnings: VENDOR },
  },
  streamlit: {
    title: 'Streamlit Community Cloud',
    domains: ['.streamlit.app', '.streamlitapp.com', '.share.streamlit.io'],
    sleepsAfter: 12 * HOUR,
    interval: null,
    wakeTimeout: 5 * MINUTE,
    monthlyHours: null,
    activity: 'visits; whether a request without a session counts is not known',
    answersCount: false,
    answers: [
      {
        path: /^\/~\/\+\/_stcore\/health\/?$/,
        statuses: [200],
        body: /^\s*ok\s*$/i,
        origin: 'container',
        looks: '`ok` from `/~/+/_stcore/health`',
        source: REPORTED,
      },
      {
        protocols: ['ws:', 'wss:'],
        path: /^\/~\/\+\/_stcore\/stream\/?$/,
        statuses: [101],
        origin: 'container',
        looks: 'a WebSocket session at `/~/+/_stcore/stream`',
        source: REPORTED,
      },
      {
        protocols: ['http:', 'https:', 'ws:', 'wss:'],
        path: /^\/~\/\+(?:\/|$)/,
        statuses: [400],
        origin: 'asleep',
        message: 'the Streamlit app sleeps: open it in a browser and press the button that wakes it',
        looks: '400 from `/~/+/`',
        source: REPORTED,
      },
    ],
    word: STREAMLIT_WORD,
    api: null,
    nameGone: null,
    warnings: [
      {
        what: 'Streamlit answers this path by a proxy, with 200 also while the app sleeps.',
        todo: 'Ping /~/+/_stcore/health, which only the app itself answers.',
        exceptPath: /^\/~\/\+\//,
      },
    ],
    note: 'ping `/~/+/_stcore/health`: every other path is answered by a proxy, with 200 also while the app sleeps; whether a ping counts as a visit is not known, so `keptAwake` is never `true`; a session, as a visitor has one: `wss://<app>/~/+/_stcore/stream` with `HEADERS={"Sec-WebSocket-Protocol":"streamlit"}`',
    sources: { sleepsAfter: VENDOR, wakeTimeout: REPORTED, activity: VENDOR, warnings: REPORTED },
  },
} satisfies Partial<Record<HostName, Host>>;
