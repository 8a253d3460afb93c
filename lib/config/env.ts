import { totalmem } from 'node:os';

/** The environment as it is now. No other module reads it. */
export function readEnv(): Record<string, string | undefined> {
  return process.env;
}

/** Bytes of memory that this process may use: the function's, the container's, or the machine's. */
export function memoryLimit(): number {
  const megabytes = Number(process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE);
  if (megabytes > 0) return megabytes * 1024 ** 2;
  const constrained = process.constrainedMemory();
  return constrained > 0 && constrained < totalmem() ? constrained : totalmem();
}
