import { formatProblems, parseConfig, textsOf, type Config } from './config.js';
import { loadTargets } from './targets-source.js';
import { checkExpressions } from './expressions.js';
import { missingInProduction } from './production.js';
import { placeInWords, sortProblems, type Problem } from './problems.js';
import { OperatorError } from '../operator-error.js';
import { nearMisses, warningsOf } from './warnings.js';

export type Env = Readonly<Record<string, string | undefined>>;

/** All problems of a configuration. The message has one line per problem, for the operator. */
export class ConfigError extends OperatorError {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly Problem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super(`${count} in the configuration:\n${formatProblems(problems)}`);
  }
}

/**
 * The configuration, its expressions checked too.
 * @param isProductionBuild what is built here goes into production: then what every production needs has to be set, and
 * a misspelt name that was certainly meant for us is a problem, since nobody reads the warnings of a build
 * @throws ConfigError with all problems together
 */
export async function validConfig(
  env: Env,
  { isProductionBuild } = { isProductionBuild: false },
): Promise<Config> {
  const file = await loadTargets(env);
  const result = parseConfig(env, file);
  const texts = textsOf(env);
  const found = result.ok ? [] : result.problems;
  const others = await checkExpressions(texts, file);
  const ofProduction = isProductionBuild
    ? [
        ...missingInProduction(texts, file),
        ...nearMisses(texts).flatMap(({ isCertain, ...problem }) => (isCertain ? [problem] : [])),
      ]
    : [];
  const known = new Set(found.map(placeInWords));
  const added = ofProduction.filter((problem) => !known.has(placeInWords(problem)));
  const problems = [...found, ...others, ...added];
  if (result.ok && problems.length === 0) return result.config;
  throw new ConfigError(sortProblems(problems));
}

/** One warning per line about variables that are set and look wrong. The configuration need not be valid. */
export function configWarnings(env: Env): readonly string[] {
  return warningsOf(textsOf(env)).map((warning) => `Warning: ${placeInWords(warning)}: ${warning.message}`);
}
