import type { Assertions, Reason, StatusRange, TextPattern, Verdict } from '../types.js';
import { durationText } from './durations.js';

/** A body as text. `cut`: it was longer than the target's MAX_BODY, and the text is only its beginning. */
export interface Body {
  readonly text: string;
  readonly cut: boolean;
  /** What else of the answer an expression may name, such as `$headers`. */
  readonly variables?: Variables;
}

/** By their names without the `$`. Values as JSON has them. */
export type Variables = Readonly<Record<string, unknown>>;

/** What a target answered. */
export interface Answer {
  /** When it came, ms since the epoch. */
  readonly at: number;
  /** Null for a protocol without one. */
  readonly statusCode: number | null;
  /** Null where no assertion needs it. */
  readonly body: Body | null;
  /** Whole ms. */
  readonly latency: number;
  /** Ms since the epoch. */
  readonly tlsExpiresAt: number | null;
}

/** `slow`: it took too long and was stopped. `broken`: the expression itself failed. `not_json`: it looks at no JSON. */
export type Evaluation = 'true' | 'false' | 'not_json' | 'slow' | 'broken';

interface RegexPattern {
  readonly source: string;
  readonly flags: string;
}

/** Evaluates expressions that may never end, each within a time limit. Never rejects. */
export interface Evaluator {
  /** Whether a regular expression is found in the text. */
  search(pattern: RegexPattern, text: string): Promise<Evaluation>;
  /** What the groups of a regular expression hold where it is found in the text, empty for those that hold nothing. */
  groups(pattern: RegexPattern, text: string): Promise<readonly string[] | Exclude<Evaluation, 'true'>>;
  /**
   * Whether a JSONata expression over the JSON text gives `true` itself. One that looks at variables alone does so
   * whatever the text is.
   */
  query(expression: string, json: string, variables?: Variables): Promise<Evaluation>;
}

const GOOD: Verdict = { outcome: 'good', reason: null, message: null };

/** Whether an assertion looks at the body, so that it must be read whole. */
export function needsBody(assertions: Assertions): boolean {
  const { expectBody, rejectBody, expectJson, degradedJson } = assertions;
  return expectBody !== null || rejectBody !== null || expectJson !== null || degradedJson !== null;
}

/**
 * Judges an answer: status, then body, then JSON, then what makes it degraded. The first that does not hold decides.
 * Messages are fixed for a target, but for the status received.
 */
export async function judgeAnswer(
  assertions: Assertions,
  answer: Answer,
  evaluator: Evaluator,
): Promise<Verdict> {
  return (
    judgeStatus(assertions, answer.statusCode) ??
    (await judgeBody(assertions, answer.body, evaluator)) ??
    (await judgeDegraded(assertions, answer, evaluator)) ??
    GOOD
  );
}

function judgeStatus({ expectStatus }: Assertions, statusCode: number | null): Verdict | null {
  if (statusCode === null || expectStatus.some(({ from, to }) => from <= statusCode && statusCode <= to))
    return null;
  return failed('status', `status ${statusCode}, expected ${rangesText(expectStatus)}`);
}

async function judgeBody(
  assertions: Assertions,
  body: Body | null,
  evaluator: Evaluator,
): Promise<Verdict | null> {
  if (body === null) return null;
  const { expectBody, rejectBody, expectJson, degradedJson } = assertions;
  const tooLarge = body.cut ? failed('too_large', 'body too large') : null;
  if (expectBody) {
    const found = await find(expectBody, body.text, evaluator);
    if (found === 'false') return tooLarge ?? failed('body', 'expected text not found');
    if (found !== 'true') return failed('body', `body expression ${trouble(found)}`);
  }
  if (rejectBody) {
    const found = await find(rejectBody, body.text, evaluator);
    if (found === 'true') return failed('body', 'rejected text found');
    if (found !== 'false') return failed('body', `body expression ${trouble(found)}`);
    if (tooLarge !== null) return tooLarge;
  }
  if (expectJson !== null) {
    const holds = await query(expectJson, body, evaluator);
    if (holds === 'not_json') return tooLarge ?? failed('json', 'body is not JSON');
    if (holds === 'false') return failed('json', 'JSON expression is not true');
    if (holds !== 'true') return failed('json', `JSON expression ${trouble(holds)}`);
  }
  if (tooLarge !== null && degradedJson !== null) {
    if ((await query(degradedJson, body, evaluator)) === 'not_json') return tooLarge;
  }
  return null;
}

/** A JSON text that was cut off is none. */
function query(expression: string, body: Body, evaluator: Evaluator): Promise<Evaluation> {
  const { text, cut, variables } = body;
  return evaluator.query(expression, cut ? '' : text, { ...variables, body: text });
}

/**
 * Whether a message decides where several may come: it is as expected, or the rejected text is in it. Null: it does; else
 * what it lacks.
 */
export async function judgeMessage(
  assertions: Assertions,
  message: Body,
  evaluator: Evaluator,
): Promise<Verdict | null> {
  const rejecting = { ...assertions, expectBody: null, expectJson: null };
  if ((await judgeBody(rejecting, message, evaluator)) !== null) return null;
  return judgeBody(assertions, message, evaluator);
}

/** An expression that cannot be evaluated means degraded and not failed: it must not take a target down. */
async function judgeDegraded(
  { degradedJson, degradedAfter, tlsExpiry }: Assertions,
  { at, body, latency, tlsExpiresAt }: Answer,
  evaluator: Evaluator,
): Promise<Verdict | null> {
  if (degradedJson !== null && body !== null) {
    const holds = await query(degradedJson, body, evaluator);
    if (holds === 'true') return degraded('degraded by JSON expression');
    if (holds === 'not_json') return degraded('body is not JSON');
    if (holds !== 'false') return degraded(`degraded expression ${trouble(holds)}`);
  }
  if (degradedAfter !== null && latency > degradedAfter) return degraded(`slower than ${degradedAfter} ms`);
  if (tlsExpiresAt !== null && tlsExpiry > 0 && tlsExpiresAt - at < tlsExpiry)
    return degraded(
      tlsExpiresAt <= at
        ? 'certificate has expired'
        : `certificate ends in less than ${durationText(tlsExpiry)}`,
    );
  return null;
}

async function find(pattern: TextPattern, text: string, evaluator: Evaluator): Promise<Evaluation> {
  if (pattern.kind === 'regex') return evaluator.search(pattern, text);
  return text.includes(pattern.text) ? 'true' : 'false';
}

function trouble(evaluation: Evaluation): string {
  return evaluation === 'slow' ? 'took too long' : 'failed';
}

function failed(reason: Reason, message: string): Verdict {
  return { outcome: 'failed', reason, message };
}

function degraded(message: string): Verdict {
  return { outcome: 'degraded', reason: null, message };
}

const LONGEST_RANGES = 80;

/** `200-299,301`, cut where it gets long. */
export function rangesText(ranges: readonly StatusRange[]): string {
  const text = ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
  return text.length > LONGEST_RANGES ? `${text.slice(0, LONGEST_RANGES)}…` : text;
}
