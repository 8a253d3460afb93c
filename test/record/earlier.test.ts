import { expect, it } from 'vitest';
import { OUTBOX_FIELD, STATE_FIELD } from '../../lib/record/fields.js';
import { Ledger } from '../../lib/record/ledger.js';
import { readOutbox } from '../../lib/record/outbox-text.js';
import { readState } from '../../lib/record/state.js';
import { aTarget, goodCheck } from '../support/targets.js';

const NOW = Date.UTC(2026, 0, 5, 12);
const MINUTE = 60_000;

/** Written before the intervals between runs were kept (version 0.1.0). */
const STATE =
  'Q4sQY4zoMDczNDGywB4dRYj4ACkzQY8PXMFuiSvUwTGVm5iXUqxkZY6IAvSQ1TVEhCpKkKKGJChgdJQKUvNSMvPSQakHI2QNDQxMkEPW0Ahn0MKl0DFUDRqXeMoA2XCQTdHQ3AbLcdFwAqwjNhYA';
const OUTBOX = 'M1QwNDczNzM0MQEXJwrIMUd0oCCbCi2sjEGlFXJxZQYprmoB';

it('what the version before wrote is read, and continued', () => {
  expect(readState(STATE)).toMatchObject({
    revision: 3,
    intervals: [],
    lost: null,
    targets: [{ id: 'api' }],
  });
  expect(readOutbox(OUTBOX)).toMatchObject({ missed: { length: 600_000 }, slowPace: null });
  const at = NOW + MINUTE;
  const settings = { targets: [aTarget('api')], tick: MINUTE, channels: ['slack'], reminder: null } as const;
  const ledger = new Ledger({ state: STATE, outbox: OUTBOX }, settings, at);
  ledger.record(at, new Map([['api', goodCheck(at)]]));
  const lastRun = {
    id: 's',
    at,
    status: 'completed',
    durationMs: 0,
    checked: 1,
    failed: 0,
    commands: 7,
  } as const;
  const { fields } = ledger.close(lastRun);
  expect(readState(fields[STATE_FIELD] ?? '')).toMatchObject({ revision: 4, intervals: [60] });
  expect(readOutbox(fields[OUTBOX_FIELD] ?? '')).toMatchObject({ missed: { length: 600_000 } });
});
