/** The environment as it is now. The only place that reads it. */
export function readEnv(): Record<string, string | undefined> {
  return process.env;
}
