import { TOOLS, type ToolName } from '../commands.js';

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z]/g, '');

/** The tool of this name, whatever its capitals and the marks in it: `cron-job.org`, `UptimeKuma`. */
export function toolNamed(word: string): ToolName | undefined {
  return TOOLS.find((tool) => plain(tool) === plain(word));
}

/** The one tool that a part of its name, or more than it, may mean: `kuma`, `blackbox_exporter`; undefined: none or several. */
export function toolMeant(word: string): ToolName | undefined {
  const wanted = plain(word);
  if (wanted.length < 4) return undefined;
  if (wanted.startsWith('prometheus')) return 'blackbox';
  const like = TOOLS.filter((tool) => plain(tool).includes(wanted) || wanted.includes(plain(tool)));
  return like.length === 1 ? like[0] : undefined;
}

/** Names that a configuration of each tool has, in one of its forms, and no other tool's has together. */
const MARKS = {
  'uptime-kuma': [['monitorList'], ['maxretries', 'accepted_statuscodes_json']],
  uptimerobot: [
    ['monitors', 'friendly_name'],
    ['data', 'friendlyName'],
  ],
  gatus: [['endpoints', 'conditions']],
  uptimeflare: [['workerConfig']],
  upptime: [['sites', 'owner']],
  blackbox: [['scrape_configs']],
  'cronjob.org': [['jobId', 'requestMethod']],
} as const satisfies Record<ToolName, readonly (readonly string[])[]>;

/** The tool whose configuration a text looks like. */
export function toolOf(source: string): ToolName | undefined {
  const has = (mark: string): boolean => new RegExp(String.raw`\b${mark}["']?\s{0,9}:`).test(source);
  return TOOLS.find((tool) => MARKS[tool].some((form) => form.every(has)));
}
