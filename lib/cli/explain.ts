import { judgeAnswer, rangesText, type Answer, type Body, type Evaluator } from '../rules/assertions.js';
import type { Assertions, TextPattern } from '../types.js';
import { durationText } from '../rules/durations.js';
import { singleLine } from '../single-line.js';

/** One assertion and what an answer made of it. */
export interface Explained {
  /** The option that asks for it. */
  readonly option: string;
  readonly expected: string;
  /** What was found; of a body only its length, and the small values that an expression names. */
  readonly found: string;
  readonly holds: boolean;
  /** Why not; null where it holds. */
  readonly message: string | null;
}

const NOTHING: Assertions = {
  expectStatus: [{ from: 0, to: 999 }],
  expectBody: null,
  rejectBody: null,
  expectJson: null,
  degradedJson: null,
  degradedAfter: null,
  tlsExpiry: 0,
};

const ABOUT_THE_BODY: ReadonlySet<string> = new Set([
  'EXPECT_BODY',
  'REJECT_BODY',
  'EXPECT_JSON',
  'DEGRADED_JSON',
]);

const LONGEST_EXPECTED = 200;
const LONGEST_VALUE = 40;
const MOST_VALUES = 8;

/** Judges an answer by each assertion on its own, so that one that fails hides no other. */
export async function explainAnswer(
  assertions: Assertions,
  answer: Answer,
  evaluator: Evaluator,
): Promise<Explained[]> {
  const { statusCode, body, latency, tlsExpiresAt, at } = answer;
  const explain = async (
    option: string,
    only: Partial<Assertions>,
    expected: string,
    found: string,
  ): Promise<Explained> => {
    const judged = ABOUT_THE_BODY.has(option) ? answer : { ...answer, body: null };
    const { message } = await judgeAnswer({ ...NOTHING, ...only }, judged, evaluator);
    return {
      option,
      expected: singleLine(expected, LONGEST_EXPECTED),
      found,
      holds: message === null,
      message,
    };
  };
  const { expectStatus, expectBody, rejectBody, expectJson, degradedJson, degradedAfter, tlsExpiry } =
    assertions;
  const explained: Promise<Explained>[] = [];
  if (statusCode !== null) {
    explained.push(explain('EXPECT_STATUS', { expectStatus }, rangesText(expectStatus), `${statusCode}`));
  }
  if (body !== null) {
    const length = `${body.text.length} characters${body.cut ? ', and more than MAX_BODY behind them' : ''}`;
    const values = (source: string) => valuesOf(source, body);
    if (expectBody !== null) {
      explained.push(explain('EXPECT_BODY', { expectBody }, patternText(expectBody), length));
    }
    if (rejectBody !== null) {
      explained.push(explain('REJECT_BODY', { rejectBody }, `not ${patternText(rejectBody)}`, length));
    }
    if (expectJson !== null) {
      explained.push(explain('EXPECT_JSON', { expectJson }, expectJson, await values(expectJson)));
    }
    if (degradedJson !== null) {
      const found = await values(degradedJson);
      explained.push(explain('DEGRADED_JSON', { degradedJson }, `not ${degradedJson}`, found));
    }
  }
  if (degradedAfter !== null) {
    const expected = `at most ${degradedAfter} ms`;
    explained.push(explain('DEGRADED_AFTER', { degradedAfter }, expected, `${latency} ms`));
  }
  if (tlsExpiresAt !== null && tlsExpiry > 0) {
    const expected = `at least ${durationText(tlsExpiry)} left`;
    const left = tlsExpiresAt <= at ? 'none' : durationText(tlsExpiresAt - at);
    explained.push(explain('TLS_EXPIRY', { tlsExpiry }, expected, left));
  }
  return Promise.all(explained);
}

function patternText(pattern: TextPattern): string {
  return pattern.kind === 'text' ? JSON.stringify(pattern.text) : `/${pattern.source}/${pattern.flags}`;
}

/** `status: "ill", memory.percent: 93`: what the plain paths of an expression lead to, where that is small. */
async function valuesOf(source: string, { text, variables = {} }: Body): Promise<string> {
  const { default: jsonata } = await import('jsonata');
  const about = new Map(
    Object.entries({ ...variables, body: text }).map(([name, value]) => [`$${name}`, value]),
  );
  let paths: string[][] = [];
  let json: unknown;
  try {
    // A function is a variable as well.
    paths = plainPaths(jsonata(source).ast()).filter(
      ([first = '']) => !first.startsWith('$') || about.has(first),
    );
    json = JSON.parse(text);
  } catch {
    if (!paths.some(([first = '']) => about.has(first))) return `${text.length} characters`;
  }
  const valueAt = ([first = '', ...rest]: readonly string[]): unknown =>
    about.has(first) ? follow(about.get(first), rest) : follow(json, [first, ...rest]);
  const values = new Map(paths.map((path) => [path.join('.'), valueText(valueAt(path))]));
  if (values.size === 0) return 'JSON';
  return [...values]
    .slice(0, MOST_VALUES)
    .map(([path, value]) => `${singleLine(path, LONGEST_VALUE)}: ${value}`)
    .join(', ');
}

/** The paths of a JSONata syntax tree that are made of names alone. What stands inside a longer path is left out. */
function plainPaths(node: unknown): string[][] {
  if (Array.isArray(node)) return node.flatMap(plainPaths);
  if (typeof node !== 'object' || node === null) return [];
  if ('type' in node && node.type === 'path' && 'steps' in node && Array.isArray(node.steps)) {
    const names = node.steps.map(
      (step: unknown, index) => nameOf(step) ?? (index === 0 ? variableOf(step) : null),
    );
    return names.every((name) => name !== null) ? [names] : [];
  }
  const variable = variableOf(node);
  if (variable !== null) return [[variable]];
  return Object.values(node).flatMap(plainPaths);
}

function nameOf(step: unknown): string | null {
  if (typeof step !== 'object' || step === null || !('type' in step) || step.type !== 'name') return null;
  return 'value' in step && typeof step.value === 'string' && !('predicate' in step) && !('stages' in step)
    ? step.value
    : null;
}

/** `$headers`, of a variable by that name. */
function variableOf(step: unknown): string | null {
  if (typeof step !== 'object' || step === null || !('type' in step) || step.type !== 'variable') return null;
  return 'value' in step && typeof step.value === 'string' && /^[a-z]+$/.test(step.value)
    ? `$${step.value}`
    : null;
}

function follow(json: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => {
    const object = soleOf(value);
    return typeof object === 'object' && object !== null
      ? Object.getOwnPropertyDescriptor(object, name)?.value
      : undefined;
  }, json);
}

/** The one element of a list, such as the one row of a query: JSONata takes it for the list. */
function soleOf(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? (value[0] as unknown) : value;
}

function valueText(value: unknown): string {
  if (value === undefined) return 'missing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object' && value !== null) return 'an object';
  const text = JSON.stringify(value);
  return text.length > LONGEST_VALUE ? `a text of ${text.length - 2} characters` : singleLine(text);
}
