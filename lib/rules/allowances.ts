import { RESOURCES, type Resource } from '../types.js';
import type { Usage } from './account.js';
import { DAY, HOUR } from '../time.js';

/**
 * What plans allow. From the vendors' pages of 2026-11: https://upstash.com/pricing/redis,
 * https://upstash.com/pricing/qstash, https://vercel.com/docs/functions/usage-and-pricing. Facts of this kind go stale:
 * they stand here and nowhere else, but for the hosts' own (hosts.ts).
 */

/** Commands a month of Upstash Redis on its free plan. */
const FREE_COMMANDS = 500_000;

/** Deliveries a day of QStash on its free plan; each attempt counts. */
export const FREE_MESSAGES_A_DAY = 1_000;

/** Values of KEEP_ALIVE_PLAN. `none`: no allowance is watched. */
export const PLAN_NAMES = ['hobby', 'pro', 'none'] as const;
export type PlanName = (typeof PLAN_NAMES)[number];

/** What a plan of Vercel allows its functions a month. */
export interface FunctionAllowances {
  readonly invocations: number;
  readonly cpuHours: number;
  /** Memory of an instance times the time from the first byte in to the last byte out, waiting included. */
  readonly memoryGbHours: number;
  /** Of an instance. On Hobby it cannot be configured. */
  readonly memoryGb: number;
}

const FUNCTIONS: Readonly<Record<PlanName, FunctionAllowances | null>> = {
  hobby: { invocations: 1_000_000, cpuHours: 4, memoryGbHours: 360, memoryGb: 2 },
  pro: { invocations: 10_000_000, cpuHours: 16, memoryGbHours: 1_440, memoryGb: 2 },
  none: null,
};

/** What is watched. Null: it is not. */
export interface Limits {
  readonly functions: FunctionAllowances | null;
  /** Store commands a month. */
  readonly commands: number | null;
  /** Read regions of the database: it bills every write once more for each. */
  readonly readRegions: number;
  readonly messagesADay: number | null;
}

export const NO_LIMITS: Limits = { functions: null, commands: null, readRegions: 0, messagesADay: null };

/** What decides which allowances are watched. */
export interface LimitedBy {
  /** Null: not set, and not on Vercel. */
  readonly plan: PlanName | null;
  readonly store: { readonly kind: string };
  /** All databases over which the shards of these targets are spread; absent: it is one. */
  readonly stores?: readonly { readonly store: { readonly kind: string } }[];
  readonly targets?: readonly unknown[];
  readonly shardSize?: number;
  readonly readRegions: number;
  readonly qstash: { readonly token: string | null };
}

/** @param isLocal runs are made by `npm start`: no function is paid for */
export function limitsOf(
  { plan, store, stores = [], targets = [], shardSize = Infinity, readRegions, qstash }: LimitedBy,
  { isLocal }: { readonly isLocal: boolean },
): Limits {
  if (plan === 'none') return NO_LIMITS;
  // Each has an allowance of its own, where there are shards for it.
  const shards = Math.max(1, Math.ceil(targets.length / shardSize));
  const kinds = [store, ...stores.slice(1, shards).map((each) => each.store)].map(({ kind }) => kind);
  const free = kinds.filter((kind) => kind === 'upstash').length;
  return {
    functions: isLocal || plan === null ? null : FUNCTIONS[plan],
    commands: free === kinds.length ? free * FREE_COMMANDS : null,
    readRegions,
    messagesADay: isLocal || qstash.token === null ? null : FREE_MESSAGES_A_DAY,
  };
}

/** The shards that share what is allowed: all of them, and those that are in one database, which has its own commands. */
export interface Among {
  readonly all: number;
  readonly together: number;
}

/** The share that each of so many shards has of all that is allowed. */
export function shareOf(limits: Limits, { all: shards, together }: Among): Limits {
  const { functions, commands, messagesADay } = limits;
  return {
    ...limits,
    functions: functions && {
      ...functions,
      invocations: functions.invocations / shards,
      cpuHours: functions.cpuHours / shards,
      memoryGbHours: functions.memoryGbHours / shards,
    },
    commands: commands && commands / together,
    messagesADay: messagesADay && messagesADay / shards,
  };
}

/** Each resource's share of a usage, in its own unit, and what is allowed of it in a month of so many ms; null: not watched. */
const MEASURES: Readonly<
  Record<
    Resource,
    {
      readonly amount: (usage: Usage, limits: Limits) => number;
      readonly allowed: (limits: Limits, month: number) => number | null;
    }
  >
> = {
  storeCommands: {
    // Nearly all of ours write.
    amount: ({ commands }, { readRegions }) => commands * (1 + readRegions),
    allowed: ({ commands }) => commands,
  },
  functionMemoryGbHours: {
    amount: ({ wallMs }, { functions }) => (wallMs / HOUR) * (functions?.memoryGb ?? 0),
    allowed: ({ functions }) => functions?.memoryGbHours ?? null,
  },
  functionCpuHours: {
    amount: ({ cpuMs }) => cpuMs / HOUR,
    allowed: ({ functions }) => functions?.cpuHours ?? null,
  },
  invocations: {
    amount: ({ invocations }) => invocations,
    allowed: ({ functions }) => functions?.invocations ?? null,
  },
  qstashMessages: {
    amount: ({ messages }) => messages,
    allowed: ({ messagesADay }, month) => messagesADay && (messagesADay * month) / DAY,
  },
};

export interface Allowed {
  readonly resource: Resource;
  readonly amount: (usage: Usage) => number;
  readonly allowed: number;
}

/** The resources that are watched, in the order of `RESOURCES`. @param month its length in ms */
export function watched(limits: Limits, month: number): Allowed[] {
  return RESOURCES.flatMap((resource) => {
    const { amount, allowed } = MEASURES[resource];
    const most = allowed(limits, month);
    return most === null ? [] : [{ resource, amount: (usage) => amount(usage, limits), allowed: most }];
  });
}
