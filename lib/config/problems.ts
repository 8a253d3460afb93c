/** What is wrong with one variable. Holds no value, and no part of one: a mistyped value may be a secret. */
export interface Problem {
  readonly variable: string;
  readonly message: string;
}

/** One line per problem: `TARGET_API_TIMOUT: unknown option, did you mean TIMEOUT?`. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(({ variable, message }) => `${variable}: ${message}`).join('\n');
}

/** Sorted by variable, then by message. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  return problems.toSorted((a, b) => compare(a.variable, b.variable) || compare(a.message, b.message));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
