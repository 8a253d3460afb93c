import { calledAs } from '../called-as.js';
import { keepForFunctions } from '../config/targets-source.js';
import { configWarnings, validConfig } from '../config/valid.js';
import { adviceByText } from '../rules/host-advice.js';
import { monthlyHours } from '../rules/host-hours.js';
import { MONTHLY_HOURS } from '../rules/hosts.js';
import { COMMANDS } from './commands.js';
import { jsonText, type Terminal } from './terminal.js';
import { readArguments, UsageError } from './usage.js';

/**
 * `keepalive config`: checks the configuration, and shows what is in force or what a new targets file changes. A build on
 * Vercel runs it.
 * @returns the exit code
 * @throws UsageError ConfigError
 */
export async function config(args: readonly string[], { env, out, err, paint }: Terminal): Promise<number> {
  const { words, has, value } = readArguments('config', COMMANDS.config, args);
  const [newFile] = words;
  const oldFile = value('diff');
  if ((newFile === undefined) !== (oldFile === undefined)) {
    throw new UsageError('keepalive config: two targets files are compared: --diff <old-file> <new-file>.');
  }
  if (newFile !== undefined && oldFile !== undefined) {
    const { difference, differenceLines } = await import('./diff.js');
    const found = await difference(oldFile, newFile, env);
    out(has('json') ? jsonText(found) : differenceLines(found, paint).join('\n'));
    return 0;
  }
  // Vercel sets it while it builds, to what becomes of the build.
  const isProductionBuild = env.VERCEL_ENV?.trim() === 'production';
  for (const warning of configWarnings(env)) err(warning);
  const valid = await validConfig(env, { isProductionBuild });
  const { targets, tick, qstash } = valid;
  const { inForceLines, settingsInForce } = await import('./settings-command.js');
  if (has('json')) {
    out(jsonText(await settingsInForce(valid, env)));
    return 0;
  }
  out(`The configuration is valid: ${targets.length === 1 ? '1 target' : `${targets.length} targets`}.`);
  const times = { pace: tick, tick, lastRunMs: 0 };
  for (const { message } of monthlyHours(targets, MONTHLY_HOURS, Date.now(), times)) {
    if (message !== undefined) out(message);
  }
  if (env.VERCEL !== undefined) await keepForFunctions(env);
  // The log of a build shows what is about to be deployed.
  if (env.VERCEL !== undefined && targets.length > 0) {
    const { planLines, planOf } = await import('./plan-command.js');
    for (const line of ['', ...planLines(planOf(valid), paint)]) out(line);
  }
  for (const { what, todo } of adviceByText(targets)) out(`${what} ${todo}`);
  if (env.VERCEL === undefined) {
    for (const line of inForceLines(await settingsInForce(valid, env), has('all'), paint)) out(line);
  }
  if (targets.length > 0) {
    const { misfit } = await import('./plan-command.js');
    const reason = misfit(valid);
    if (reason !== null) {
      err(reason);
      return 1;
    }
  }
  // A production build: what it deploys is to be called.
  if (isProductionBuild && qstash.token !== null) {
    const { createSchedule, ScheduleError } = await import('./schedule-command.js');
    await createSchedule(valid, out, { mayReplace: false }).catch((error: unknown) => {
      if (!(error instanceof ScheduleError)) throw error;
      err(`Warning: the QStash schedule was not made. ${error.message}`);
      err(
        `The build goes on. Until there is a schedule, the crons of vercel.json start runs, about every 12 minutes. The next production build tries again; \`${calledAs()} schedule create\` makes it by hand.`,
      );
    });
  }
  return 0;
}
