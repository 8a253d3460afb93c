import type { StoreError, StoreErrorCode } from '../store/store.js';
import { error, ok, warning } from './finding.js';
import type { Finding } from './finding.js';

export interface StoreFacts {
  readonly kind: 'upstash' | 'redis' | 'sqlite';
  /** Those that it was chosen by. */
  readonly variables: readonly string[];
  /** Of one call, in ms, the median of several. */
  readonly latency: number;
  /** Of several databases, what this one is for. */
  readonly use?: string;
}

/** The store seen from here may be slower than from the functions. */
const SLOW = 1_000;

export function ofStore({ kind, variables, latency, use }: StoreFacts): Finding[] {
  const from = variables.length === 0 ? '' : `, from ${variables.join(' and ')}`;
  return [
    ok(
      'store',
      `${kind} answers in ${latency} ms, reads and writes${from}${use === undefined ? '' : `; ${use}`}`,
    ),
    ...(latency > SLOW
      ? [
          warning('store', {
            what: `the store takes ${latency} ms an answer`,
            why: 'A run makes several calls one after another, and has less time left for pings.',
            todo: 'Choose a database near the functions (from elsewhere it may be quicker than from here).',
          }),
        ]
      : []),
  ];
}

/** A runner holds its database for itself. */
export function ofHeldDatabase(): Finding {
  return ok('store', 'a running npm start uses the database: what it has recorded was read from a copy');
}

const STORE_TODO: Readonly<Record<StoreErrorCode, string>> = {
  store_unreachable: 'Look at the address in it, and whether the database still exists.',
  store_timeout: 'Look at the address in it, and at the state of the database.',
  store_denied: 'Copy the token (or password) again from the database, the one that may write.',
  store_limit: "Look at the plan's usage, or at the disk.",
  store_answer: 'Look at the address in it: it has to be that of the REST API, or of the Redis itself.',
  store_corrupt: 'Set another KEEP_ALIVE_PREFIX (or KEEP_ALIVE_DATABASE) to begin anew.',
  store_mismatch: 'Set the address and token (or password) of the database in which the data is.',
};

interface FailedCall extends Pick<StoreFacts, 'kind' | 'variables'> {
  /** Reading had worked. */
  readonly writing: boolean;
  /** Some targets live in it, others in other databases. */
  readonly isOneOfSeveral?: boolean;
}

/** A call that failed. */
export function ofStoreError(
  { code, message }: Pick<StoreError, 'code' | 'message'>,
  { kind, variables, writing, isOneOfSeveral = false }: FailedCall,
): Finding {
  if (kind === 'sqlite' && code === 'store_unreachable') {
    return warning('store', {
      what: message,
      why: 'What is in the database cannot be looked at.',
      todo: 'Look at KEEP_ALIVE_DATABASE. If npm start is running, ask its /api/health.',
    });
  }
  const names = variables.join(' and ');
  const whose = isOneOfSeveral ? ' of the targets that live there' : '';
  const why = `Pings still go out, but nothing is recorded${whose}, and people are told only of what the running process remembers.`;
  if (writing && code === 'store_denied') {
    return error('store', {
      what: `${names}: the store may be read, and not be written to`,
      why,
      todo: 'It is a read-only token: set the other one, that may write.',
    });
  }
  return error('store', {
    // Of several databases, the message names its own.
    what:
      names === '' || variables.some((name) => message.startsWith(name)) ? message : `${names}: ${message}`,
    why,
    todo: STORE_TODO[code],
  });
}

/** Targets live in a database that is not set. @param name of the variable with its address */
export function ofMissingDatabase(name: string): Finding {
  return error('store', {
    what: `${name} is not set, and targets live in the database that it named`,
    why: 'They are pinged, but nothing of them is recorded. No other place is given to them.',
    todo: 'Set it again. If the database is gone: keepalive export --incomplete, then import that with --force.',
  });
}

/** @param problem why no targets are put there */
export function ofForeignDatabase(name: string, problem: string): Finding {
  return error('store', {
    what: `${name}: ${problem}`,
    why: 'Nothing is recorded of targets that live in the database that it named, and no others are put there.',
    todo: 'Set the variable to the database in which the targets live, or to an empty one where none do. If theirs is gone: stop the runs, keepalive export --incomplete, then import that with --force.',
  });
}

/** @param other the variable whose database it is */
export function ofExchangedDatabase(name: string, other: string): Finding {
  return error('store', {
    what: `${name}: the database is that of ${other}`,
    why: 'Nothing is recorded of targets that live in a database whose variable names another one.',
    todo: `Let ${other} name this database again, and ${name} its own.`,
  });
}

/** @param other the variable of a database that is in use */
export function ofEmptyFirstDatabase(name: string, other: string): Finding {
  return error('store', {
    what: `${name}: the database is empty, and the one of ${other} belongs to an installation whose first database holds data`,
    why: 'Nothing is recorded of any target: who lives where is in the first database.',
    todo: `Set ${name} to the first database of that installation. If its data is gone: stop the runs, keepalive export --incomplete, then import that with --force. Only if this installation is new: set ${other} to an empty database.`,
  });
}

/** A file was chosen for the embedded database, and does not exist yet. */
export function ofNoFileYet(): Finding {
  return ok('store', 'KEEP_ALIVE_DATABASE: no such file yet, npm start makes it');
}

export function ofNoStore(): Finding {
  return error('store', {
    what: 'no database is configured',
    why: 'Functions keep nothing: pings go out, but nothing is recorded, and people are told only of what the running process remembers.',
    todo: 'Set UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN (or REDIS_URL). Only npm start needs none: it makes a file.',
  });
}

export function ofReadOnlyVariable(variables: readonly string[]): Finding[] {
  const [name] = variables;
  return name === undefined ? [] : [ok('store', `${name} is set, and never used: it may only read`)];
}
