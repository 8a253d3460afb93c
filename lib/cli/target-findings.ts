import { calledAs } from '../called-as.js';
import type { HostHours } from '../rules/host-hours.js';
import { lengthInWords } from '../rules/durations.js';
import { adviceByText, wordInWords } from '../rules/host-advice.js';
import { contradicts, HOSTS } from '../rules/hosts.js';
import type { Check, Target } from '../types.js';
import { thousands } from './numbers.js';
import { error, ok, warning } from './finding.js';
import type { Finding } from './finding.js';

export function ofTarget({ info }: Target, check: Check): Finding {
  const { outcome, message, latency, coldStart, wakeMs, attempts } = check;
  if (outcome === 'failed') {
    return error('targets', {
      what: `${info.id} failed after ${attempts === 1 ? '1 attempt' : `${attempts} attempts`}: ${message}`,
      why: 'From here it does not answer as it should.',
      todo: `${calledAs()} check ${info.id} explains it.`,
    });
  }
  if (outcome === 'degraded') {
    return warning('targets', {
      what: `${info.id} is degraded: ${message}`,
      why: 'It answers, but not as it should.',
      todo: `${calledAs()} check ${info.id} explains it.`,
    });
  }
  if (coldStart) {
    return warning('targets', {
      what: `${info.id} was asleep, and woke in ${lengthInWords(wakeMs)}`,
      why: 'Nothing had pinged it in time.',
      todo: 'Look at the schedule; if runs come, set a shorter SLEEPS_AFTER.',
    });
  }
  return ok('targets', `${info.id} is good, ${latency} ms`);
}

/** Neither a target nor a control address answers. */
export function ofOwnNetwork(): Finding {
  return error('targets', {
    what: 'no target answers, and no control address either',
    why: 'The network of this machine is at fault; nothing is known of the targets.',
    todo: 'Try again from a machine that is online, or correct KEEP_ALIVE_CONTROL_URLS.',
  });
}

export function ofRestingTarget({ info }: Target): Finding {
  return ok('targets', `${info.id} is ${info.enabled ? 'outside its active hours' : 'paused'}: not checked`);
}

export function ofRestarts(targets: readonly Target[]): Finding[] {
  const ids = targets.filter(({ recovery }) => recovery !== null).map(({ info }) => info.id);
  return ids.length === 0 ? [] : [ok('restarts', `set up for ${ids.join(', ')} (never tried here)`)];
}

/** What the APIs of their hosts say of targets, beside what their answers say. */
export function ofHostWords(
  looked: readonly { readonly target: Target; readonly check: Check | null }[],
): Finding[] {
  return looked.flatMap(({ target, check }) => (check === null ? [] : ofHostWord(target, check)));
}

function ofHostWord({ info, hostToken }: Target, check: Check): Finding[] {
  if (hostToken === null || check.word === null) return [];
  const { id, host } = info;
  const { title } = HOSTS[host];
  const { text, isTrouble } = wordInWords(host, check.word, hostToken.variable);
  if (contradicts(host, check)) {
    return [
      warning('hosts', {
        what: `${id} answers, but: ${text}`,
        why: 'Something else may answer in its place, so that nothing shows that it is awake.',
        todo: `See what ${title} shows of it, and ping a path that only the app itself answers.`,
      }),
    ];
  }
  return isTrouble
    ? [
        warning('hosts', {
          what: `${id}: ${text}`,
          why: `${title} does not say whether it sleeps. Its checks go on without that.`,
          todo: 'Use a token of the account or project that the app belongs to (docs/hosts.md).',
        }),
      ]
    : [ok('hosts', `${id}: ${text}`)];
}

/** What to know of the hosts of the targets. */
export function ofHosts(targets: readonly Target[]): Finding[] {
  return adviceByText(targets).map(({ what, todo }) =>
    warning('hosts', {
      what,
      why: 'By the rules of the host, as far as they are known (docs/hosts.md).',
      todo,
    }),
  );
}

export function ofHours(hours: readonly HostHours[]): Finding[] {
  return hours.map(({ host, hours: used, allowance, message }) =>
    message === undefined
      ? ok('hours', `${host}: ${thousands(used)} of ${thousands(allowance)} hours this month`)
      : warning('hours', {
          what: message,
          why: 'When the hours are used up, the host suspends all of them.',
          todo: 'Set ACTIVE_HOURS, or SLEEPS_AFTER=off for those on a paid plan.',
        }),
  );
}
