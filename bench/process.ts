import { readdir, readFile } from 'node:fs/promises';

/** CPU ms of a process's threads so far (Linux). */
export async function cpuTime(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const times = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').catch(() => '0')),
  );
  return times.reduce((sum, time) => sum + Number(time.split(' ')[0]), 0) / 1e6;
}

/** The most memory that a process ever had, in bytes (Linux). */
export async function peakMemory(pid: number): Promise<number> {
  const [, kilobytes] = /VmHWM:\s*(\d+)/.exec(await readFile(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
