import { formatProblems, parseConfig, type Config, type Problem } from './config.js';
import { checkExpressions } from './expressions.js';

export type Env = Readonly<Record<string, string | undefined>>;

/** All that is wrong with a configuration, one line a problem, as its operator should read it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  constructor(readonly problems: readonly Problem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super(`${count} in the configuration:\n${formatProblems(problems)}`);
  }
}

/** The configuration, its expressions checked too. @throws ConfigError */
export async function validConfig(env: Env): Promise<Config> {
  const result = parseConfig(env);
  if (!result.ok) throw new ConfigError(result.problems);
  const problems = await checkExpressions(result.config);
  if (problems.length > 0) throw new ConfigError(problems);
  return result.config;
}
