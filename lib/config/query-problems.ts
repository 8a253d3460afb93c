import { dnsQuestion, lineBytes, RECORD_TYPES } from '../rules/queries.js';
import { mongoQueryProblem } from '../rules/mongo-command.js';
import { redisQueryProblem } from '../rules/redis-command.js';
import { PROTOCOLS, type Protocol } from '../protocols.js';

/** What is wrong with a QUERY, as far as it can be told without asking; null where nothing is, and for a missing one that is not needed. */
type QueryProblem = (query: string | null) => string | null;

const LINE = String.raw`expected a line in which a backslash begins one of \r, \n, \t, \0, \\ and \xHH`;
const QUESTION = `expected a record type (${RECORD_TYPES.join(', ')}) and a name, such as A example.com`;

const ofGiven =
  (problemOf: (query: string) => string | null): QueryProblem =>
  (query) =>
    query === null ? null : problemOf(query);

const NOTHING: QueryProblem = () => null;

const PROBLEMS: Readonly<Record<Protocol, QueryProblem>> = {
  'http:': NOTHING,
  'https:': NOTHING,
  'tcp:': (query) => (query === null || lineBytes(query) !== null ? null : LINE),
  'tls:': NOTHING,
  'dns:': (query) => {
    if (query === null) return `${PROTOCOLS['dns:'].form} needs a QUERY: ${QUESTION}`;
    return dnsQuestion(query) === null ? QUESTION : null;
  },
  'smtp:': NOTHING,
  'smtps:': NOTHING,
  'grpc:': NOTHING,
  'grpcs:': NOTHING,
  'ws:': NOTHING,
  'wss:': NOTHING,
  'redis:': ofGiven(redisQueryProblem),
  'rediss:': ofGiven(redisQueryProblem),
  'mysql:': NOTHING,
  'postgres:': NOTHING,
  'mongodb:': ofGiven(mongoQueryProblem),
  'mongodb+srv:': ofGiven(mongoQueryProblem),
};

export function queryProblem(protocol: Protocol, query: string | null): string | null {
  return PROBLEMS[protocol](query);
}
