import { expect, it } from 'vitest';
import { explainAnswer } from '../../lib/cli/explain.js';
import { someAssertions } from '../support/targets.js';

const evaluator = {
  search: () => Promise.resolve('true' as const),
  groups: () => Promise.resolve('broken' as const),
  query: () => Promise.resolve('false' as const),
};

it.each([
  ['[{"waiting":7}]', 'waiting: 7'],
  ['{"waiting":7}', 'waiting: 7'],
  ['[{"waiting":7},{"waiting":8}]', 'waiting: missing'],
  ['[]', 'waiting: missing'],
])('the values of %s: %s', async (text, found) => {
  const answer = { at: 0, statusCode: null, body: { text, cut: false }, latency: 1, tlsExpiresAt: null };
  const explained = await explainAnswer(someAssertions({ expectJson: 'waiting < 5' }), answer, evaluator);
  expect(explained).toMatchObject([{ option: 'EXPECT_JSON', found }]);
});
