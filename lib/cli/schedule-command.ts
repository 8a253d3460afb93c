import { calledAs } from '../called-as.js';
import { FREE_MESSAGES_A_DAY } from '../rules/allowances.js';
import type { Config } from '../config/config.js';
import { CRON_PATH, FUNCTION_LIMIT } from '../config/vercel.js';
import { OperatorError } from '../operator-error.js';
import { callsADayOf, cadenceOf, cadenceWithin } from '../rules/cadence.js';
import { thousands } from './numbers.js';
import { openQstash, QstashError, type Qstash, type QstashSchedule } from './qstash.js';
import { intervalInWords } from '../rules/durations.js';
import { MINUTE } from '../time.js';

/** Why the schedule cannot be made; the message is for the operator. */
export class ScheduleError extends OperatorError {
  override readonly name = 'ScheduleError';
  constructor(
    readonly code: 'not_configured' | 'other_destination' | 'qstash',
    message: string,
    options: ErrorOptions = {},
  ) {
    super(message, options);
  }
}

interface ScheduleSetting {
  readonly qstash: Qstash;
  /** One for each prefix: it is made anew under the same name. */
  readonly scheduleId: string;
  readonly destination: string;
}

type Print = (line: string) => void;

/**
 * Makes the schedule of this installation, or changes it.
 * @param mayReplace whether one with the same name that calls another address gives way: a person may say so, a build may not
 * @throws ScheduleError
 */
export function createSchedule(
  config: Config,
  print: Print,
  { mayReplace }: { readonly mayReplace: boolean },
): Promise<void> {
  return withQstash(config, async ({ qstash, scheduleId, destination }) => {
    const all = await qstash.list();
    const former = all.find((each) => each.scheduleId === scheduleId);
    const isOurs = former === undefined || calls(former, destination);
    if (!isOurs && !mayReplace) throw otherDestination(former, destination);
    const { tick } = config.qstash;
    const { cron, period, callsADay } = cadenceOf(tick);
    await qstash.create({ scheduleId, cron, destination, timeout: FUNCTION_LIMIT / 1000 });
    print(`${scheduleId}: QStash calls ${destination} every ${intervalInWords(period)} (${cron}, UTC).`);
    if (!isOurs) print(`It called ${former.destination} before.`);
    if (period !== tick) {
      const why = period > tick ? 'no cron is quicker' : 'crons keep only what divides an hour or a day';
      print(
        `KEEP_ALIVE_TICK is ${intervalInWords(tick)}; ${why}: set KEEP_ALIVE_TICK=${variableOf(period)}.`,
      );
    }
    print(`${thousands(callsADay)} messages a day, the free plan has ${thousands(FREE_MESSAGES_A_DAY)}.`);
    if (callsADay > FREE_MESSAGES_A_DAY) {
      const enough = cadenceWithin(FREE_MESSAGES_A_DAY);
      print(
        `This tick needs a paid plan; KEEP_ALIVE_TICK=${variableOf(enough.period)} needs ${thousands(enough.callsADay)}.`,
      );
    }
    const others = all.filter((each) => each.scheduleId !== scheduleId && !each.isPaused);
    const callsOfOthers = others.reduce((sum, each) => sum + (callsADayOf(each.cron) ?? 0), 0);
    if (callsOfOthers > 0 && callsADay <= FREE_MESSAGES_A_DAY) {
      for (const line of ofOthers(callsADay, callsOfOthers, others.length)) print(line);
    }
    const { currentSigningKey, nextSigningKey } = config.qstash;
    if (currentSigningKey === null || nextSigningKey === null) {
      print('Set QSTASH_CURRENT_SIGNING_KEY and QSTASH_NEXT_SIGNING_KEY there: calls are refused without.');
    }
  });
}

/** What the other schedules of the account mean for ours: they share its messages. */
function ofOthers(callsADay: number, callsOfOthers: number, count: number): string[] {
  const all = callsADay + callsOfOthers;
  const who = count === 1 ? 'another schedule' : `${count} other schedules`;
  const sum = `With ${who} of this account it is ${thousands(all)} messages a day.`;
  if (all <= FREE_MESSAGES_A_DAY) return [sum];
  const ours = Math.floor((FREE_MESSAGES_A_DAY * callsADay) / all);
  const enough = cadenceWithin(ours);
  return [
    `Warning: ${sum} On the free plan QStash stops all of them for the rest of the day when ${thousands(FREE_MESSAGES_A_DAY)} are used up.`,
    `Set KEEP_ALIVE_TICK=${variableOf(enough.period)} here (${thousands(enough.callsADay)} a day) and as much longer a tick in the others, or use another Upstash account.`,
  ];
}

/** Shows the schedules that start runs of this installation. @throws ScheduleError */
export function listSchedules(config: Config, print: Print): Promise<void> {
  return withQstash(config, async ({ qstash, destination }) => {
    const found = (await qstash.list()).filter((each) => calls(each, destination));
    if (found.length === 0) print(`No schedule calls ${destination}.`);
    for (const { scheduleId, cron, destination: called, isPaused } of found) {
      print(`${scheduleId}  ${cron}  ${called}${isPaused ? '  paused' : ''}`);
    }
  });
}

/** Removes what `createSchedule` made. @throws ScheduleError */
export function removeSchedule(config: Config, print: Print): Promise<void> {
  return withQstash(config, async ({ qstash, scheduleId, destination }) => {
    const found = (await qstash.list()).find((each) => each.scheduleId === scheduleId);
    if (found === undefined) {
      print(`${scheduleId}: there is no such schedule.`);
      return;
    }
    if (!calls(found, destination)) throw otherDestination(found, destination);
    await qstash.remove(scheduleId);
    print(`${scheduleId}: removed.`);
  });
}

async function withQstash(config: Config, work: (setting: ScheduleSetting) => Promise<void>): Promise<void> {
  const { publicUrl, prefix } = config;
  const { url, token } = config.qstash;
  const missing = [
    ...(token === null ? ['QSTASH_TOKEN: missing, the console of QStash shows it'] : []),
    ...(publicUrl === null ? ['KEEP_ALIVE_PUBLIC_URL: missing, QStash has to know what to call'] : []),
  ];
  if (token === null || publicUrl === null) throw new ScheduleError('not_configured', missing.join('\n'));
  try {
    await work({
      qstash: openQstash({ url, token }),
      scheduleId: `keepalive-${prefix.replace(/[:{}]/g, '-')}`,
      destination: publicUrl + CRON_PATH,
    });
  } catch (error) {
    if (!(error instanceof QstashError)) throw error;
    const advice = error.code === 'unreachable' ? `: is QSTASH_URL (${url}) right?` : '.';
    throw new ScheduleError('qstash', error.message + advice, { cause: error });
  }
}

/** With or without a query, such as `?async=1`. */
function calls({ destination }: QstashSchedule, ours: string): boolean {
  return destination === ours || destination.startsWith(`${ours}?`);
}

function otherDestination({ scheduleId, destination }: QstashSchedule, ours: string): ScheduleError {
  return new ScheduleError(
    'other_destination',
    `${scheduleId} calls ${destination} and not ${ours}: left as it is. If that is an address of this project too, runs go on, and \`${calledAs()} schedule create\` replaces it. If that is another installation, set another KEEP_ALIVE_PREFIX here: with the same one they have one schedule, and in one database the same data.`,
  );
}

/** As KEEP_ALIVE_TICK takes it. */
function variableOf(period: number): string {
  return `${period / MINUTE}m`;
}
