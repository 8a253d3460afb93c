import { asleep, REPORTED, RUNNING, unwakeable, VENDOR, type PublicWord } from '../host.js';
import { numberAt, textAt, valueAt } from './json-values.js';

/** Numbers of Streamlit's states, as seen. The others are errors of the app or the platform. */
const STREAMLIT_RUNS = 5;
const STREAMLIT_ASLEEP = 12;
const STREAMLIT_BOOTING = [0, 1, 2, 3, 4, 6, 7];
const STREAMLIT_ERRORS = [10, 11, 13, 14];

/** On the host of a target, which may be one of WebSocket. */
function webAddress(path: string, target: URL): URL {
  const address = new URL(path, target);
  address.protocol = address.protocol.replace(/^ws/, 'http');
  return address;
}

/** Undocumented, and readable without an account. */
export const STREAMLIT_WORD: PublicWord = {
  address: (target) => webAddress('/api/v2/app/status', target),
  resume: (target) => webAddress('/api/v2/app/resume', target),
  read: (json) => {
    const status = numberAt(json, 'status');
    if (status === STREAMLIT_RUNS) return RUNNING;
    if (status === STREAMLIT_ASLEEP)
      return asleep('Streamlit says that the app sleeps: wake it in a browser if this lasts');
    if (STREAMLIT_BOOTING.some((each) => each === status))
      return asleep('Streamlit says that the app is starting');
    if (STREAMLIT_ERRORS.some((each) => each === status)) {
      return unwakeable('Streamlit says that the app cannot start: see its logs, under "Manage app"');
    }
    return null;
  },
  source: REPORTED,
};

const SPACE = /^([a-z0-9-]+)(?:\.static)?\.hf\.space\.?$/;

/** As Gradio's own client asks it. It does not keep the Space awake. */
export const HUGGING_FACE_WORD: PublicWord = {
  address: ({ hostname }) => {
    // Behind a domain of its own, its first label may be the name of a stranger's Space.
    const name = SPACE.exec(hostname)?.[1];
    return name === undefined ? null : new URL(`https://huggingface.co/api/spaces/by-subdomain/${name}`);
  },
  resume: null,
  read: (json) => {
    const stage = textAt(valueAt(json, 'runtime'), 'stage');
    switch (stage) {
      case 'RUNNING':
      case 'RUNNING_BUILDING':
        return RUNNING;
      case 'SLEEPING':
      case 'STOPPED':
        return asleep('Hugging Face says that the Space sleeps');
      case 'APP_STARTING':
      case 'RUNNING_APP_STARTING':
      case 'BUILDING':
        return asleep('Hugging Face says that the Space is being built or is starting');
      case 'PAUSED':
        return unwakeable(
          'the Space is paused: only its owner can start it, in its settings on Hugging Face',
        );
      case 'NO_APP_FILE':
      case 'CONFIG_ERROR':
      case 'BUILD_ERROR':
      case 'RUNTIME_ERROR':
        return unwakeable('the Space cannot start: see its logs on Hugging Face');
      case null:
      default:
        return null;
    }
  },
  source: VENDOR,
};
