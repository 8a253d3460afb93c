import { dialogueOf, dnsQuestion, ESCAPED_LINE, lineBytes, RECORD_TYPES } from '../rules/queries.js';
import { mongoQueryProblem } from '../rules/mongo-command.js';
import { redisQueryProblem } from '../rules/redis-command.js';
import { PROTOCOLS, type Protocol } from '../protocols.js';

/** What is wrong with a QUERY, as far as it can be told without asking; null where nothing is, and for a missing one that is not needed. */
type QueryProblem = (query: string | null) => string | null;

const QUESTION = `expected a record type (${RECORD_TYPES.join(', ')}) and a name, such as A example.com`;

const ofGiven =
  (problemOf: (query: string) => string | null): QueryProblem =>
  (query) =>
    query === null ? null : problemOf(query);

const NOTHING: QueryProblem = () => null;

/** A dialogue, in which not every kind of connection can begin TLS, or what `problemOf` judges. */
const orDialogue = (mayBeginTls: boolean, problemOf: (query: string) => string | null): QueryProblem =>
  ofGiven((query) => {
    const dialogue = dialogueOf(query);
    if (dialogue === null) return problemOf(query);
    if (dialogue.problem !== null) return dialogue.problem;
    const isOdd = dialogue.steps.some(({ kind }) => kind === 'starttls') && !mayBeginTls;
    return isOdd ? 'expected no starttls: only tcp:// begins without TLS and may go on with it' : null;
  });

const line = (query: string): string | null =>
  lineBytes(query) === null ? `expected ${ESCAPED_LINE}` : null;

const PROBLEMS: Readonly<Record<Protocol, QueryProblem>> = {
  'http:': NOTHING,
  'https:': NOTHING,
  'tcp:': orDialogue(true, line),
  'tls:': orDialogue(false, line),
  'dns:': (query) => {
    if (query === null) return `${PROTOCOLS['dns:'].form} needs a QUERY: ${QUESTION}`;
    return dnsQuestion(query) === null ? QUESTION : null;
  },
  'smtp:': NOTHING,
  'smtps:': NOTHING,
  'grpc:': NOTHING,
  'grpcs:': NOTHING,
  'ws:': orDialogue(false, () => null),
  'wss:': orDialogue(false, () => null),
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
