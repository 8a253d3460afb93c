import { dnsQuestion, lineBytes, RECORD_TYPES } from '../rules/queries.js';
import { PROTOCOLS, type Protocol } from '../types.js';

interface QueryRules {
  readonly isRequired: boolean;
  readonly expected: string;
  readonly isValid: (query: string) => boolean;
}

/** What the QUERY of a protocol has to be; one that is not here takes any text. */
const QUERIES: { readonly [Name in Protocol]?: QueryRules } = {
  'tcp:': {
    isRequired: false,
    expected: String.raw`expected a line in which a backslash begins one of \r, \n, \t, \0, \\ and \xHH`,
    isValid: (query) => lineBytes(query) !== null,
  },
  'dns:': {
    isRequired: true,
    expected: `expected a record type (${RECORD_TYPES.join(', ')}) and a name, such as A example.com`,
    isValid: (query) => dnsQuestion(query) !== null,
  },
};

/** What is wrong with the QUERY of a target; null where nothing is. */
export function queryProblem(protocol: Protocol, query: string | null): string | null {
  const rules = QUERIES[protocol];
  if (rules === undefined) return null;
  if (query === null)
    return rules.isRequired ? `${PROTOCOLS[protocol].form} needs a QUERY: ${rules.expected}` : null;
  return rules.isValid(query) ? null : rules.expected;
}
