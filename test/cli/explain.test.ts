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

it('the variables of an answer are values too, and functions are none', async () => {
  const variables = { status: 200, headers: { 'x-a': 'b' }, tls: undefined };
  const body = { text: '<html>', cut: false, variables };
  const answer = { at: 0, statusCode: null, body, latency: 1, tlsExpiresAt: null };
  const expectJson = '$headers."x-a" = "c" and $status = 200 and $exists($tls)';
  const explained = await explainAnswer(someAssertions({ expectJson }), answer, evaluator);
  expect(explained).toMatchObject([{ found: '$headers.x-a: "b", $status: 200, $tls: missing' }]);
});
