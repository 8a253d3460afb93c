import type { Config } from '../config/config.js';
import type { Health } from '../read/health.js';
import { endOf, type State } from '../record/state-model.js';
import { intervalInWords, lengthInWords, paceInWords } from '../rules/durations.js';
import { CRITICAL_AFTER_TICKS, MISSED_AFTER_TICKS, isSlow as isSlowPace } from '../rules/trigger-pace.js';
import { tooSlowInWords } from '../rules/wording.js';
import { DAY } from '../time.js';
import { error, ok, warning } from './finding.js';
import type { Finding } from './finding.js';

export function ofSchedule(
  schedule: Health['checks']['schedule'],
  state: State | null,
  { targets }: Pick<Config, 'targets'>,
  { now, isLocal }: { readonly now: number; readonly isLocal: boolean },
): Finding[] {
  const findings: Finding[] = [];
  const { lastRunAt, actualIntervalMs: actual, expectedIntervalMs: expected, tooSlowFor } = schedule;
  const last =
    lastRunAt === null ? '' : `the last run came ${lengthInWords(now - Date.parse(lastRunAt))} ago`;
  const tick = intervalInWords(expected);
  const isSlow = isSlowPace({ expected, actual });
  const lookAtTrigger = isLocal
    ? 'Start it: npm start.'
    : 'Look at the trigger: is it set up, does it send CRON_SECRET, what is it answered?';
  if (lastRunAt === null) {
    findings.push(
      warning('schedule', {
        what: 'no run came yet',
        why: 'Without runs nothing is pinged.',
        todo: lookAtTrigger,
      }),
    );
  } else if (isSlow && actual !== null) {
    findings.push(
      warning('schedule', {
        what: `runs come every ${paceInWords(actual)} (expected every ${tick})`,
        why: 'Targets are pinged that seldom, and the page is out of date in between.',
        todo: `Let the trigger come every ${tick}, or set KEEP_ALIVE_TICK to its pace.`,
      }),
    );
  } else if (schedule.status === 'critical') {
    findings.push(
      error('schedule', {
        what: `${last}: none for more than ${CRITICAL_AFTER_TICKS} ticks`,
        why: 'Nothing is pinged, and hosts fall asleep.',
        todo: lookAtTrigger,
      }),
    );
  } else if (state?.lastRun && now - endOf(state.lastRun) > MISSED_AFTER_TICKS * expected) {
    findings.push(
      warning('schedule', { what: `${last}: it is late`, why: 'Pings come late.', todo: lookAtTrigger }),
    );
  } else if (actual === null) {
    findings.push(ok('schedule', `${last}, one is expected every ${tick}`));
  } else {
    findings.push(ok('schedule', `${last}; runs come every ${paceInWords(actual)} (expected every ${tick})`));
  }
  const missed = state?.gaps.filter(({ to }) => to > now - DAY) ?? [];
  const [gap] = missed.slice(-1);
  if (gap !== undefined && !isSlow) {
    findings.push(
      warning('schedule', {
        what: `runs were missed ${missed.length === 1 ? 'once' : `${missed.length} times`} within 24 h, the last time for ${lengthInWords(gap.to - gap.from)}`,
        why: 'What happened meanwhile is not known; coverage is lower.',
        todo: isLocal
          ? 'npm start was not running, or the machine slept: let it run all the time.'
          : 'Look at the log of the trigger. A second trigger does no harm: doubled runs ping once.',
      }),
    );
  }
  for (const slow of tooSlowInWords(tooSlowFor)) {
    findings.push(
      warning('schedule', {
        what: `the pace of the runs is ${slow}`,
        why: 'Between two runs nothing is pinged.',
        todo: 'Let the trigger come more often, or set an INTERVAL (or SLEEPS_AFTER) that this pace can keep.',
      }),
    );
  }
  for (const { info } of targets) {
    if (!info.enabled || info.sleepsAfter === null || info.interval < info.sleepsAfter) continue;
    findings.push(
      warning('schedule', {
        what: `${info.id} is pinged every ${intervalInWords(info.interval)}, and sleeps after ${intervalInWords(info.sleepsAfter)}`,
        why: 'It falls asleep between two pings.',
        todo: 'Set a shorter INTERVAL.',
      }),
    );
  }
  return findings;
}

export function ofQStash({ token, currentSigningKey, nextSigningKey }: Config['qstash']): Finding[] {
  if (token === null && currentSigningKey === null && nextSigningKey === null) return [];
  const missing = [
    ...(currentSigningKey === null ? ['QSTASH_CURRENT_SIGNING_KEY'] : []),
    ...(nextSigningKey === null ? ['QSTASH_NEXT_SIGNING_KEY'] : []),
  ];
  if (missing.length === 0) {
    const rest = token === null ? 'both signing keys are set' : 'token and both signing keys are set';
    return [ok('QStash', rest)];
  }
  return [
    (missing.length === 1 ? error : warning)('QStash', {
      what: `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not set`,
      why:
        missing.length === 1
          ? 'Signatures are refused as soon as QStash changes its keys.'
          : 'The signatures of QStash cannot be verified.',
      todo: 'Copy both signing keys from the QStash console.',
    }),
  ];
}
