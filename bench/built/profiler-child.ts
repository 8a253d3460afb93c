import { renameSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

/** Loaded before a function (`--import`): SIGUSR2 begins a CPU profile; the next ends it and writes it to PROFILE. */
const { PROFILE = '' } = process.env;
const session = new Session();
let isRunning = false;

process.on('SIGUSR2', () => {
  void toggle();
});

async function toggle(): Promise<void> {
  if (!isRunning) {
    isRunning = true;
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 500 });
    await session.post('Profiler.start');
    return;
  }
  const { profile } = await session.post('Profiler.stop');
  writeFileSync(`${PROFILE}.part`, JSON.stringify(profile));
  renameSync(`${PROFILE}.part`, PROFILE);
}
