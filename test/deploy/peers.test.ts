import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { runChild } from '../support/child.js';
import { buildFunctions, type BuiltFunction, type Deployable } from '../support/deployable.js';
import type { MeshOrder, MeshOutcome } from '../support/mesh-child.js';
import { ROOT } from '../support/root.js';

const PUBLIC = '44.55.66.77';
const NETWORK = `ip link set lo up && ip addr add ${PUBLIC}/32 dev lo`;
/** A network of its own, in which an address of the internet is this machine's, takes root on Linux. */
const CAN = spawnSync('unshare', ['--net', 'sh', '-c', NETWORK]).status === 0;

describe.runIf(CAN)('two deployments with two stores, and a third installation on a machine', () => {
  let deployable: Deployable;
  let outcome: MeshOutcome;
  beforeAll(async () => {
    deployable = await buildFunctions(['api/cron.ts', 'api/health.ts', 'api/probe.ts'], ROOT);
    const built = (name: string) => deployable.functions.get(`api/${name}.ts`) as BuiltFunction;
    const functions = { cron: built('cron'), health: built('health'), probe: built('probe') };
    const program = join(inject('transpiled'), 'bin/keepalive.js');
    const child = runChild(new URL('../support/mesh-child.ts', import.meta.url), [], { network: NETWORK });
    process.once('exit', () => child.kill('SIGKILL'));
    child.send({ address: PUBLIC, functions, program } satisfies MeshOrder);
    [outcome] = (await once(child, 'message')) as [MeshOutcome];
  }, 600_000);
  afterAll(() => deployable.remove());

  const HERE = 'status 503, expected 200-299';
  const INNER = 'false redirect to a private address';

  it('agree on what is seen from one place alone, and what from all', () => {
    expect(outcome.runs['both peers well']).toEqual({
      good: 'true',
      local: 'true answers from fra1 and the third, not from here',
      bad: `false ${HERE} (also from fra1 and the third)`,
      inner: INNER,
    });
  });

  it.each(['down', 'slow', 'lying', 'other version'])('have no opinion while %s', (mood) => {
    expect(outcome.runs[`one peer ${mood}`]).toEqual({
      good: 'true',
      local: `false ${HERE}`,
      bad: `false ${HERE} (also from the third)`,
      inner: INNER,
    });
    expect(outcome.took[`one peer ${mood}`]).toBeLessThan(30_000);
  });

  it('understand each other with clocks ten minutes apart', () => {
    for (const run of ['one peer with a clock ten minutes ahead', 'both again']) {
      expect(outcome.runs[run]).toEqual(outcome.runs['both peers well']);
    }
  });

  it('connect to no private address for each other', () => {
    expect(outcome.innerRequests).toBe(0);
  });

  it('refuse what is forged, replayed, too large or no question', () => {
    expect(outcome.statuses).toEqual({
      ...{ answered: 200, replayed: 409, forged: 401, oversized: 413, 'no question': 400 },
    });
  });

  it('tell of one whose runs have stopped', () => {
    expect(outcome.alerts.filter((text) => text.startsWith('Peer '))).toEqual([
      expect.stringMatching(/^Peer 127\.0\.0\.1:\d+ has stopped making runs – it answers/),
    ]);
  });
});
