import { join } from 'node:path';
import ts from 'typescript';
import { expect, inject, it } from 'vitest';
import * as codes from '../../lib/record/codes.js';
import { ROOT } from '../support/root.js';

it('codes are for ever: none is changed or removed, and new ones come behind', () => {
  expect({ ...codes }).toMatchInlineSnapshot(`
    {
      "ACTIVE_ALERT_CODES": {
        "degraded": 0,
        "down": 1,
        "flapping": 2,
      },
      "ALERT_CODES": {
        "allowances": 15,
        "certificate": 7,
        "contradicted": 16,
        "degraded": 4,
        "down": 0,
        "flapping": 5,
        "missed": 10,
        "pace": 11,
        "peer_down": 17,
        "peer_up": 18,
        "person_needed": 9,
        "reminder": 1,
        "restart": 8,
        "slept": 6,
        "test": 14,
        "undelivered": 13,
        "unrecorded": 12,
        "unwatched": 3,
        "up": 2,
      },
      "CHANNEL_CODES": {
        "apprise": 7,
        "discord": 2,
        "email": 6,
        "google_chat": 9,
        "ntfy": 4,
        "pagerduty": 5,
        "slack": 1,
        "teams": 8,
        "telegram": 3,
        "webhook": 0,
      },
      "EVENT_CODES": {
        "alert": 0,
        "restart": 1,
      },
      "HOST_SAYS_CODES": {
        "asleep": 1,
        "not_found": 5,
        "refused": 4,
        "running": 0,
        "silent": 3,
        "unwakeable": 2,
      },
      "OUTCOME_CODES": {
        "degraded": 1,
        "failed": 2,
        "good": 0,
      },
      "PEER_END_CODES": {
        "removed": 1,
        "running": 0,
      },
      "PEER_TROUBLE_CODES": {
        "silent": 2,
        "stopped": 0,
        "unclear": 1,
      },
      "REASON_CODES": {
        "blocked": 11,
        "body": 7,
        "connect": 1,
        "dns": 0,
        "host": 513,
        "json": 8,
        "local": 514,
        "protocol": 5,
        "query": 512,
        "redirect": 10,
        "reset": 4,
        "status": 6,
        "timeout": 3,
        "tls": 2,
        "too_large": 9,
      },
      "RESOURCE_CODES": {
        "functionCpuHours": 2,
        "functionMemoryGbHours": 1,
        "invocations": 3,
        "qstashMessages": 4,
        "storeCommands": 0,
      },
      "RUN_CODES": {
        "completed": 0,
        "inconclusive": 2,
        "partial": 1,
      },
      "STATUS_CODES": {
        "degraded": 2,
        "down": 3,
        "pending": 0,
        "up": 1,
      },
      "TARGET_ALERT_CODES": {
        "certificate": 7,
        "contradicted": 16,
        "degraded": 4,
        "down": 0,
        "flapping": 5,
        "person_needed": 9,
        "reminder": 1,
        "restart": 8,
        "slept": 6,
        "unwatched": 3,
        "up": 2,
      },
      "UNWATCHED_CODES": {
        "paused": 1,
        "removed": 0,
      },
    }
  `);
  for (const table of Object.values(codes)) {
    expect(Object.isFrozen(table)).toBe(true);
    expect(new Set(Object.values(table)).size).toBe(Object.keys(table).length);
  }
});

/** Files that were parsed before. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** What the compiler says of codes.ts when a line of another file of lib is replaced. */
function problemsWith(file: string, from: string, to: string): string[] {
  const changed = join(ROOT, 'lib', file);
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: ['node'],
  };
  const host = ts.createCompilerHost(options);
  const read = host.readFile.bind(host);
  host.readFile = (name) => {
    const text = read(name);
    if (name !== changed) return text;
    expect(text).toContain(from);
    return text?.replace(from, to);
  };
  const getSource = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) => {
    if (name === changed) return ts.createSourceFile(name, host.readFile(name) ?? '', ts.ScriptTarget.ES2023);
    if (!parsed.has(name)) parsed.set(name, getSource(name, ...rest));
    return parsed.get(name);
  };
  const program = ts.createProgram([join(ROOT, 'lib/record/codes.ts')], options, host);
  const source = program.getSourceFile(join(ROOT, 'lib/record/codes.ts'));
  return program
    .getSemanticDiagnostics(source)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' '));
}

it.runIf(inject('long')).each([
  ['types.ts', "  'blocked',", "  'blocked', 'quota',", 'quota'],
  ['types.ts', 'export type Outcome = ', "export type Outcome = 'local' | ", 'local'],
  ['types.ts', "  'webhook',", "  'webhook', 'pager',", 'pager'],
])('a word without a code does not compile: %s with %s', (file, from, to, word) => {
  expect(problemsWith(file, from, from)).toEqual([]);
  expect(problemsWith(file, from, to).join()).toContain(`'${word}' is missing`);
});
