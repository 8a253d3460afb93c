import type { Config } from '../config/config.js';
import { error, ok, warning } from './finding.js';
import type { Finding } from './finding.js';

/** A secret of fewer different characters is a pattern. */
const FEWEST_CHARACTERS = 6;

const COMMON =
  /^(?:bearer|secret|password|passwort|changeme|change-me|keepalive|example|undefined|null|test|your[-_])|12345|qwert/i;

const NEW_SECRET = 'Make a new one: openssl rand -hex 32';

/** @param isLocal whether runs are made by `npm start`, which needs no secret for them */
export function ofSecrets(
  { cronSecret, statsToken, qstash }: Pick<Config, 'cronSecret' | 'statsToken' | 'qstash'>,
  { isLocal }: { readonly isLocal: boolean },
): Finding[] {
  const findings: Finding[] = [];
  if (cronSecret === null && isLocal) {
    findings.push(ok('secrets', 'CRON_SECRET is not set: npm start needs none for its runs'));
  } else if (cronSecret === null && (qstash.currentSigningKey ?? qstash.nextSigningKey) !== null) {
    findings.push(
      warning('secrets', {
        what: 'CRON_SECRET is not set: only QStash can start runs',
        why: 'No other trigger is let in, and nobody can begin maintenance.',
        todo: `Set CRON_SECRET where the functions run. ${NEW_SECRET}`,
      }),
    );
  } else if (cronSecret === null) {
    findings.push(
      error('secrets', {
        what: 'CRON_SECRET is not set',
        why: 'Every call of /api/cron is answered 503: nothing is pinged, unless by npm start.',
        todo: `Set CRON_SECRET where the functions run and at the trigger. ${NEW_SECRET}`,
      }),
    );
  } else if (isWeak(cronSecret)) {
    findings.push(
      warning('secrets', {
        what: 'CRON_SECRET is easy to guess',
        why: 'Whoever guesses it starts runs and mutes alerts.',
        todo: `Set another CRON_SECRET. ${NEW_SECRET}`,
      }),
    );
  } else findings.push(ok('secrets', 'CRON_SECRET is set'));
  if (statsToken !== null && statsToken === cronSecret) {
    findings.push(
      error('secrets', {
        what: 'STATS_TOKEN is the same as CRON_SECRET',
        why: 'Whoever may read the figures can start runs and mute alerts.',
        todo: `Set another STATS_TOKEN. ${NEW_SECRET}`,
      }),
    );
  } else if (statsToken !== null && isWeak(statsToken)) {
    findings.push(
      warning('secrets', {
        what: 'STATS_TOKEN is easy to guess',
        why: 'Whoever guesses it reads all figures.',
        todo: `Set another STATS_TOKEN. ${NEW_SECRET}`,
      }),
    );
  } else if (statsToken !== null) findings.push(ok('secrets', 'STATS_TOKEN is set'));
  return findings;
}

function isWeak(secret: string): boolean {
  return new Set(secret).size < FEWEST_CHARACTERS || COMMON.test(secret);
}
