#!/usr/bin/env node
import { readEnv } from '../lib/config/env.js';
import { start, StartError } from '../lib/local/start.js';

const USAGE = 'Usage: keepalive start';

async function main(command: string | undefined): Promise<void> {
  if (command !== 'start') {
    console.error(USAGE);
    process.exitCode = 2;
    return;
  }
  const running = await start(readEnv(), console.log);
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) process.exit(130);
    stopping = true;
    console.log(`${signal}: finishing the run under way (again: stop at once)`);
    running.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main(process.argv[2]).catch((error: unknown) => {
  console.error(error instanceof StartError ? error.message : error);
  process.exitCode = 1;
});
