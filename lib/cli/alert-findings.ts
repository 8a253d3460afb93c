import type { Health } from '../read/health.js';
import { lengthInWords, paceInWords } from '../rules/durations.js';
import type { Moved } from '../rules/outbox.js';
import { timeUntilDown } from '../rules/trigger-pace.js';
import type { CheckTimes } from '../rules/trigger-pace.js';
import type { ChannelName, Target } from '../types.js';
import { error, ok, warning } from './finding.js';
import type { Finding } from './finding.js';

const OUTAGES_SHOWN = 5;

const TARGETS_NAMED = 3;

/**
 * How long the first alert of an outage takes. Those that take longest first; targets that are alike in one line.
 * @param hasChannels false: outages are seen, and nobody is told
 */
export function ofFirstAlerts(
  targets: readonly Target[],
  times: CheckTimes,
  { hasChannels }: { readonly hasChannels: boolean },
): Finding[] {
  const alike = new Map<string, { takes: number; checks: number; ids: string[] }>();
  for (const { info, failureThreshold: checks } of targets) {
    if (!info.enabled) continue;
    const takes = timeUntilDown(info.interval, checks, times);
    const key = `${lengthInWords(takes)} ${checks}`;
    const found = alike.get(key) ?? { takes, checks, ids: [] };
    found.ids.push(info.id);
    alike.set(key, found);
  }
  const longest = [...alike.values()].sort((a, b) => b.takes - a.takes).slice(0, OUTAGES_SHOWN);
  return longest.map(({ takes, checks, ids }) => {
    const more = ids.length - TARGETS_NAMED;
    const who = `${ids.slice(0, TARGETS_NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
    const failed = checks === 1 ? '1 failed check' : `${checks} failed checks`;
    return ok(
      'alerts',
      `an outage of ${who} is ${hasChannels ? 'told' : 'seen'} after about ${lengthInWords(takes)}: ${failed}, a run every ${paceInWords(times.pace)}`,
    );
  });
}

export function ofNoChannels(): Finding {
  return warning('alerts', {
    what: 'no channel is set up',
    why: 'Nobody is told when a target goes down.',
    todo: 'Set one of the ALERT_ variables, for example ALERT_NTFY_URL.',
  });
}

/** What the last deliveries came to. */
export function ofChannels({ channels }: Health['checks']['alerts']): Finding[] {
  return channels.map((channel) => {
    const { name, status } = channel;
    if (channel.status === 'healthy') {
      return ok('alerts', `${name} is set up (--send-test sends it a test)`);
    }
    const what = `${name} ${status === 'refused' ? 'refuses alerts' : 'fails'}: ${channel.trouble.message}`;
    return status === 'refused'
      ? error('alerts', {
          what,
          why: 'Nobody hears of outages there.',
          todo: `Correct its ALERT_ variables: it is tried again.`,
        })
      : warning('alerts', {
          what,
          why: 'Its alerts wait, and are sent again.',
          todo: `Look at the service.`,
        });
  });
}

/** What the last mails to subscribers came to. */
export function ofSubscribers({ subscribers }: Health['checks']['alerts']): Finding[] {
  if (subscribers === null) return [];
  const { status, trouble, message } = subscribers;
  const problems = [trouble?.message, message].flatMap((problem) => problem ?? []);
  if (problems.length === 0) return [ok('alerts', 'mails to subscribers are taken')];
  const why = 'Subscribers hear of it later, or not at all: news is told for a day.';
  const todo =
    status === 'failing'
      ? 'Look at the mail server (ALERT_SMTP_URL): it is tried again.'
      : 'Raise PAGE_MAILS_PER_DAY to what the plan of your mail service has.';
  return [warning('alerts', { what: `mails to subscribers: ${problems.join('; ')}`, why, todo })];
}

/** A Telegram group that became a supergroup; messages go there already. */
export function ofMovedChat(chat: string | null, moved: Moved | undefined): Finding[] {
  if (chat === null || moved?.from !== chat) return [];
  const what = 'telegram: the group moved to a new chat id';
  return [
    warning('alerts', {
      what,
      why: 'Messages follow as long as the store remembers it.',
      todo: `Set ALERT_TELEGRAM_CHAT=${moved.to}`,
    }),
  ];
}

/** What came of a test alert; null: it was taken. */
export function ofSentTest(
  name: ChannelName,
  failure: { message: string; permanent: boolean } | null,
): Finding {
  if (failure === null) {
    const how = name === 'pagerduty' ? ' (it resolves what was never opened, and wakes nobody)' : '';
    return ok('alerts', `${name} took a test alert${how}`);
  }
  return error('alerts', {
    what: `${name} did not take a test alert: ${failure.message}`,
    why: 'Nobody would hear of an outage there.',
    todo: failure.permanent
      ? 'Correct its ALERT_ variables.'
      : 'Try again; if it stays, look at the service.',
  });
}
