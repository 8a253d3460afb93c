import type { Config, Problem } from '../config/config.js';
import { placeInWords } from '../config/problems.js';
import { error, ok, warning } from './finding.js';
import type { Finding } from './finding.js';

export function ofProblems(problems: readonly Problem[]): Finding[] {
  return problems.map((problem) =>
    error('configuration', {
      what: `${placeInWords(problem)}: ${problem.message}`,
      why: 'With it a deployment fails, npm start does not start, and nothing else can be examined.',
      todo: `Correct ${placeInWords(problem)}.`,
    }),
  );
}

export function ofWarnings(warnings: readonly Problem[]): Finding[] {
  return warnings.map((problem) =>
    warning('configuration', {
      what: `${placeInWords(problem)}: ${problem.message}`,
      why: 'It may not do what it was set for.',
      todo: `Correct ${placeInWords(problem)}, or leave it where it is for another program.`,
    }),
  );
}

export function ofTargetsConfigured({ enabled, targets }: Config): Finding[] {
  if (targets.length === 0) {
    return [
      error('configuration', {
        what: 'no target is configured',
        why: 'There is nothing to ping.',
        todo: 'Set TARGET_<ID>_URL or KEEP_ALIVE_URLS, or list targets in targets.yaml.',
      }),
    ];
  }
  const count = targets.length === 1 ? '1 target' : `${targets.length} targets`;
  if (enabled) return [ok('configuration', `valid, ${count}`)];
  return [
    warning('configuration', {
      what: `valid, ${count}, all of them paused`,
      why: 'Nothing is pinged.',
      todo: 'Remove KEEP_ALIVE_ENABLED=false.',
    }),
  ];
}
