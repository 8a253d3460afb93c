import { defaultInterval } from '../../lib/config/host-defaults.js';
import { intervalInWords } from '../../lib/rules/durations.js';
import type { Host, FactSource } from '../../lib/rules/host.js';
import { HOSTS } from '../../lib/rules/hosts.js';
import { HOST_NAMES, type HostName, type Origin } from '../../lib/types.js';

const KNOWN = HOST_NAMES.filter((host) => host !== 'none');

/** The table of hosts in docs/staying-awake.md. */
export function hostsTable(): string {
  return table(
    ['host', '`HOST`', 'sleeps after', 'pinged every', 'what to know'],
    KNOWN.map((host) => {
      const { title, note } = HOSTS[host];
      return [title, `\`${host}\``, sleep(host), intervalInWords(interval(host)), note ?? ''];
    }),
  );
}

/** All facts about hosts, with their sources: docs/hosts.md. */
export function hostsPage(): string {
  const sections = KNOWN.map((host) => {
    const { title, domains, wakeTimeout, activity, answersCount, warnings, word, api, nameGone, sources } =
      HOSTS[host];
    const facts = [
      ['domains', domains.map((domain) => `\`*${domain}\``).join(', '), ''],
      ['sleeps after', sleep(host), source(sources.sleepsAfter)],
      ['pinged every', intervalInWords(interval(host)), ''],
      [
        'may take to wake',
        wakeTimeout === 0 ? 'no request wakes it' : intervalInWords(wakeTimeout),
        source(sources.wakeTimeout),
      ],
      ['activity', activity, source(sources.activity)],
      [
        'an answer of the app',
        answersCount ? 'proves that it is kept awake' : 'does not prove that it is kept awake',
        source(sources.activity),
      ],
      ...(['container', 'edge', 'asleep', 'unwakeable'] as const).flatMap((origin) => answers(host, origin)),
      ...(word === null ? [] : [['its own word', wordText(word), source(word.source)]]),
      ...(api === null
        ? []
        : [
            [
              'its own API, with `HOST_TOKEN`',
              `${api.tells}; \`HOST_TOKEN\` is ${api.token}`,
              source(api.source),
            ],
          ]),
      ...(nameGone === null ? [] : [['no such name', nameGone, source(sources.warnings)]]),
      ...warnings.map(({ what, todo }) => ['warning', `${what} ${todo}`, source(sources.warnings)]),
    ];
    return `## ${title}\n\n${table(['fact', '', 'source'], facts)}`;
  });
  return `# Hosts that sleep\n\n${INTRODUCTION}\n\n${sections.join('\n\n')}\n`;
}

const INTRODUCTION = `What Keepalive knows of each host, made from \`lib/rules/host-rows\`: \`UPDATE_DOCS=1 npx vitest run test/rules/hosts-table.test.ts\`. FactSource: the vendor, users who reported it, or nobody (assumed), and when it was last looked up. An answer that looks like none of these proves nothing: the host is not called awake, nor asleep.`;

const ANSWERED_BY: Readonly<Record<Exclude<Origin, 'unknown' | 'running'>, string>> = {
  container: 'the app itself answers',
  edge: 'the edge answers in its place',
  asleep: 'it sleeps or is waking',
  unwakeable: 'no request can wake it',
};

function answers(host: HostName, origin: Exclude<Origin, 'unknown' | 'running'>): string[][] {
  const rules = HOSTS[host].answers.filter((rule) => rule.origin === origin);
  const looks = [...new Map(rules.map((rule) => [rule.looks, rule.source]))];
  if (looks.length === 0 && origin === 'container') return [[ANSWERED_BY[origin], 'nothing tells', '']];
  return looks.map(([text, from]) => [ANSWERED_BY[origin], text, source(from)]);
}

function wordText({ address, resume }: NonNullable<Host['word']>): string {
  const app = new URL('https://my-app.hf.space/');
  const from = address(app)?.href.replace('https://my-app.hf.space', '').replace('my-app', '<name>');
  const wakes = resume === null ? 'a visit wakes it' : `\`POST ${resume(app).pathname}\` wakes it`;
  return `asked where an answer tells nothing: \`${from}\`; ${wakes}`;
}

function interval(host: HostName): number {
  return defaultInterval(host, HOSTS[host].sleepsAfter);
}

function sleep(host: HostName): string {
  const { sleepsAfter } = HOSTS[host];
  return sleepsAfter === null ? '–' : intervalInWords(sleepsAfter);
}

function source({ by, on }: FactSource): string {
  return `${by}, ${on}`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
