import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import ts from 'typescript';

/**
 * Which parts of the house each part may import, from the top of the stairs to the bottom. `why` says where the code
 * belongs that wants more. A part is a folder of lib/, a file right in lib/, or a folder beside it.
 */
const LAYERS = {
  bin: {
    may: ['cli', 'config', 'local', 'rules'],
    why: 'bin reads the arguments and calls lib/cli or lib/local: the work belongs there.',
  },
  api: {
    may: ['http'],
    why: 'A file of api/ calls one function of lib/http: the work belongs there.',
  },
  local: {
    may: ['api', 'app', 'config', 'http', 'probe', 'read', 'record', 'rules', 'run', 'store'],
    why: 'lib/local runs on one machine what api/ offers: what others need too belongs further down.',
  },
  cli: {
    may: ['config', 'deliver', 'peers', 'probe', 'read', 'record', 'rules', 'run', 'store', 'view'],
    why: 'lib/cli stands beside lib/http: what both need belongs further down, in run, read, view or config.',
  },
  http: {
    may: ['app', 'config', 'peers', 'read', 'record', 'rules', 'run', 'store', 'view'],
    why: 'lib/http reads requests and makes responses: probing and delivering belong in lib/run.',
  },
  app: {
    may: ['config', 'record', 'run', 'store'],
    why: 'lib/app.ts opens what the requests of a process share: what it is used for belongs in lib/http.',
  },
  run: {
    may: ['config', 'deliver', 'peers', 'probe', 'record', 'rules', 'store', 'view'],
    why: 'lib/run makes a run out of parts: what requests and readers need belongs in lib/http, lib/read or lib/view.',
  },
  view: {
    may: ['read', 'rules'],
    why: 'lib/view shows the types of lib/read/views.ts, which hold no secret: load and compute what it shows in lib/read.',
  },
  read: {
    may: ['config', 'record', 'rules', 'store'],
    why: 'lib/read turns what is stored into answers: what it shares with lib/run belongs in lib/record or lib/rules.',
  },
  peers: {
    may: ['config', 'deliver', 'probe', 'rules'],
    why: 'lib/peers asks other installations and answers them: what a run makes of it is decided in lib/rules and lib/run.',
  },
  deliver: {
    may: ['config', 'probe', 'rules'],
    // Of lib/probe only what an error of a connection means.
    why: 'A channel turns a digest into requests: who is told of what is decided in lib/rules and lib/record.',
  },
  record: {
    may: ['rules'],
    why: 'lib/record turns checks into texts and back: lib/run and lib/read call the store and the network.',
  },
  probe: {
    may: ['rules'],
    why: 'A probe sees one target: what a run does with its attempts belongs in lib/run.',
  },
  config: {
    may: ['rules'],
    why: 'lib/config reads settings and knows nobody who uses them: what it needs of others belongs in lib/rules.',
  },
  store: { may: [], why: 'A store keeps texts: what they mean belongs in lib/record.' },
  rules: { may: [], why: 'Rules are pure: who has the clock, the network or the store calls them.' },
};

/** Words and constants that every part may use. They import nothing but each other. */
const EVERYBODY = [
  'types',
  'protocols',
  'time',
  'single-line',
  'called-as',
  'zod',
  'yaml',
  'message-format',
  'operator-error',
];

/** `lib/run/run.ts` is of the part `run`, `lib/app.ts` of `app`, `api/cron.ts` of `api`; null: not ours. */
function partOf(path) {
  const [top, ...rest] = path.split('/');
  if (top === 'api' || top === 'bin') return top;
  if (top !== 'lib' || rest.length === 0) return null;
  return rest.length === 1 ? rest[0].replace(/\.\w+$/, '') : rest[0];
}

/** The source file that an import names; null: a package. */
function sourceOf(importer, specifier) {
  if (specifier.startsWith('#')) {
    const path = specifier.slice(1).replace(/^messages\//, 'view/messages/');
    return resolve(import.meta.dirname, `lib/${path}.ts`);
  }
  if (!specifier.startsWith('.')) return null;
  const path = resolve(dirname(importer), specifier);
  const stem = path.replace(/\.js$/, '');
  return [`${stem}.ts`, `${stem}.tsx`, path].find((each) => existsSync(each)) ?? null;
}

/** Runs `check(node, path)` for every import and re-export of one of our files. */
function eachImport(context, check) {
  const look = (node) => {
    const specifier = node.source?.value;
    const path = typeof specifier === 'string' ? sourceOf(context.filename, specifier) : null;
    if (path !== null) check(node.source, path);
  };
  return {
    ImportDeclaration: look,
    ImportExpression: look,
    ExportNamedDeclaration: look,
    ExportAllDeclaration: look,
  };
}

/** Each part imports only what stands below it on the stairs. */
const layers = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      layer: '{{from}} may not import {{to}}. {{why}}',
      unknown: '{{from}} is a new part: give it a row in lint-rules.js.',
    },
  },
  create(context) {
    const from = partOf(relative(import.meta.dirname, context.filename));
    if (from === null) return {};
    const { may, why } = EVERYBODY.includes(from)
      ? { may: [], why: 'Every part uses this file, so it uses none of them.' }
      : (LAYERS[from] ?? {});
    return eachImport(context, (node, path) => {
      const to = partOf(relative(import.meta.dirname, path));
      if (may === undefined) context.report({ node, messageId: 'unknown', data: { from } });
      else if (to !== from && to !== null && !EVERYBODY.includes(to) && !may.includes(to)) {
        context.report({ node, messageId: 'layer', data: { from, to, why } });
      }
    });
  },
};

/** By path: what a file imports, as of the time when it was last changed. */
const imports = new Map();

function importsOf(path) {
  const { mtimeMs } = statSync(path);
  const known = imports.get(path);
  if (known?.mtimeMs === mtimeMs) return known.paths;
  const { importedFiles } = ts.preProcessFile(readFileSync(path, 'utf8'), true, true);
  const paths = importedFiles.flatMap(({ fileName }) => sourceOf(path, fileName) ?? []);
  imports.set(path, { mtimeMs, paths });
  return paths;
}

/** The files on the way from one file to another, both included; null: no import leads there. */
function wayBetween(from, to, seen = new Set()) {
  if (from === to) return [to];
  if (seen.has(from)) return null;
  seen.add(from);
  for (const next of importsOf(from)) {
    const way = wayBetween(next, to, seen);
    if (way !== null) return [from, ...way];
  }
  return null;
}

/** No file imports itself by way of others, not even their types. */
const noCircles = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      circle:
        'This import closes a circle: {{way}}. Move what both sides need into a file of its own, which imports neither.',
    },
  },
  create(context) {
    return eachImport(context, (node, path) => {
      const way = wayBetween(path, context.filename);
      if (way === null) return;
      const names = [context.filename, ...way].map((each) => relative(import.meta.dirname, each));
      context.report({ node, messageId: 'circle', data: { way: names.join(' → ') } });
    });
  },
};

/**
 * An object looked up by a text from outside finds `constructor` and the other names of Object.prototype. A Map does
 * not. Keys whose type is a union of literals are known, and may be looked up.
 */
const noIndexByText = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { text: 'An object is looked up by a text: use a Map, or a key whose type lists all keys.' },
  },
  create(context) {
    const { getTypeAtLocation, program } = context.sourceCode.parserServices;
    const checker = program.getTypeChecker();
    return {
      'MemberExpression[computed=true]'(node) {
        const isText = (type) => (type.isUnion() ? type.types.some(isText) : (type.flags & TEXT) !== 0);
        if (!isText(getTypeAtLocation(node.property))) return;
        const object = checker.getApparentType(getTypeAtLocation(node.object));
        if (checker.getStringIndexType?.(object) ?? object.getStringIndexType()) {
          context.report({ node, messageId: 'text' });
        }
      },
    };
  },
};
const TEXT = ts.TypeFlags.String | ts.TypeFlags.TemplateLiteral;

export default { rules: { layers, 'no-circles': noCircles, 'no-index-by-text': noIndexByText } };
