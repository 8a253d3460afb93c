import { calledAs } from '../called-as.js';
import type { Budget } from '../read/health.js';
import { RESOURCE_WORDS } from '../rules/wording.js';
import { RESOURCES, type Resource } from '../types.js';
import type { Finding } from './finding.js';
import { ok, warning } from './finding.js';
import { thousands } from './numbers.js';

/** What happens when an allowance is used up, and what uses less of it. */
const REMEDIES: Readonly<Record<Resource, { readonly why: string; readonly todo: string }>> = {
  storeCommands: {
    why: 'When the allowance is used up, nothing is recorded until the month ends; the paid plan bills every command.',
    todo: 'Let the trigger come less often and set KEEP_ALIVE_TICK to its pace (2m halves the cost), or take the paid plan.',
  },
  functionMemoryGbHours: {
    why: 'When the allowance is used up, Vercel pauses the project.',
    todo: 'Let the trigger come less often, or set shorter TIMEOUT for targets that hang.',
  },
  functionCpuHours: {
    why: 'When the allowance is used up, Vercel pauses the project.',
    todo: 'Let the trigger come less often, or check fewer targets.',
  },
  invocations: {
    why: 'When the allowance is used up, Vercel pauses the project.',
    todo: 'Let the trigger come less often.',
  },
  qstashMessages: {
    why: 'When the messages of a day are used up, QStash starts no more runs until the next day.',
    todo: `Let QStash call every 2 minutes at most: set KEEP_ALIVE_TICK=2m, then ${calledAs()} schedule create.`,
  },
};

/** What the month uses of each allowance that is watched. Hours of hosts are told of elsewhere (`ofHours`). */
export function ofBudget(budget: Budget): Finding[] {
  return RESOURCES.flatMap((resource) => {
    const figures = budget[resource];
    if (figures === null) return [];
    const { used, projected, allowed } = figures;
    const end = projected === null ? 'too early to project' : `${amount(projected)} by its end`;
    const what = `${RESOURCE_WORDS[resource]}: ${amount(used)} used this month, ${end}, ${amount(allowed)} allowed`;
    return Math.max(used, projected ?? 0) > allowed
      ? [warning('budget', { what, ...REMEDIES[resource] })]
      : [ok('budget', what)];
  });
}

function amount(value: number): string {
  return value < 10 ? String(Math.round(value * 100) / 100) : thousands(value);
}
