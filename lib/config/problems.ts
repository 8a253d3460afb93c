/** What is wrong with one variable. Holds no value, and no part of one: a mistyped value may be a secret. */
export interface Problem {
  readonly variable: string;
  readonly message: string;
}

/** One line a problem: `TARGET_API_TIMOUT: unknown option, did you mean TIMEOUT?`. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(({ variable, message }) => `${variable}: ${message}`).join('\n');
}
