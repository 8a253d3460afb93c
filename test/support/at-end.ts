type Close = () => Promise<void>;

const closers: Close[] = [];

/**
 * Closes what a support module has opened when the test file ends. Files share a process: a hook of the module's own would hold
 * for the first file alone that uses it.
 */
export function atEnd(close: Close): void {
  closers.push(close);
}

export async function closeAll(): Promise<void> {
  await Promise.all(closers.splice(0).map((close) => close()));
}
