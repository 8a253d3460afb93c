import ts from 'typescript';
import { join } from 'node:path';
import { ROOT } from './root.js';

export type Schema = Readonly<Record<string, unknown>>;

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  jsx: ts.JsxEmit.ReactJSX,
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
  noEmit: true,
  types: ['node'],
};

/**
 * JSON Schemas (2020-12) of exported types, as they are when JSON.stringify has written them.
 * @param roots names of types by the file that exports them, from the repository's root
 * @returns what goes under `components.schemas`: the types, and all named types within them
 * @throws Error for a type that JSON has no form for
 */
export function schemasOf(
  roots: Readonly<Record<string, readonly string[]>>,
): Readonly<Record<string, Schema>> {
  const files = Object.keys(roots).map((file) => join(ROOT, file));
  const program = ts.createProgram(files, OPTIONS);
  const checker = program.getTypeChecker();
  const made = new Map<string, { readonly type: ts.Type; schema: Schema }>();

  for (const [file, names] of Object.entries(roots)) {
    const source = program.getSourceFile(join(ROOT, file));
    const module = source && checker.getSymbolAtLocation(source);
    const exported = module === undefined ? [] : checker.getExportsOfModule(module);
    for (const name of names) {
      const symbol = exported.find((each) => each.name === name);
      if (symbol === undefined) throw new Error(`${file} exports no ${name}`);
      named(name, checker.getDeclaredTypeOfSymbol(symbol), symbol);
    }
  }
  return Object.fromEntries(
    [...made].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, { schema }]) => [name, schema]),
  );

  function named(name: string, type: ts.Type, symbol: ts.Symbol): Schema {
    const known = made.get(name);
    if (known === undefined) {
      const entry = { type, schema: {} as Schema };
      made.set(name, entry);
      entry.schema = { ...describe(symbol), ...structureOf(type) };
    } else if (known.type !== type) {
      throw new Error(`two types are called ${name}`);
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  /** A reference for our own named types, the schema itself for everything else. */
  function schemaOf(type: ts.Type): Schema {
    const symbol = type.aliasSymbol ?? (type.flags & ts.TypeFlags.Object ? type.getSymbol() : undefined);
    const declared = symbol?.declarations?.[0];
    const isOurs =
      declared !== undefined &&
      (ts.isInterfaceDeclaration(declared) || ts.isTypeAliasDeclaration(declared)) &&
      (declared.typeParameters ?? []).length === 0 &&
      !program.isSourceFileDefaultLibrary(declared.getSourceFile());
    return isOurs && symbol !== undefined ? named(symbol.name, type, symbol) : structureOf(type);
  }

  function structureOf(type: ts.Type): Schema {
    const { flags } = type;
    if (flags & ts.TypeFlags.Null) return { type: 'null' };
    if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
    if (flags & ts.TypeFlags.BooleanLiteral) return { const: checker.typeToString(type) === 'true' };
    if (flags & ts.TypeFlags.String) return { type: 'string' };
    if (flags & ts.TypeFlags.Number) return { type: 'number' };
    if (flags & ts.TypeFlags.Boolean) return { type: 'boolean' };
    if (type.isUnion()) return unionOf(type.types);
    if (checker.isArrayType(type)) {
      const [item] = checker.getTypeArguments(type as ts.TypeReference);
      if (item !== undefined) return { type: 'array', items: schemaOf(item) };
    }
    if ((flags & ts.TypeFlags.Object || type.isIntersection()) && type.getCallSignatures().length === 0) {
      return objectOf(type);
    }
    throw new Error(`JSON has no form for ${checker.typeToString(type)}`);
  }

  /** What is undefined is left out by JSON.stringify. */
  function unionOf(all: readonly ts.Type[]): Schema {
    const types = all.filter(({ flags }) => !(flags & ts.TypeFlags.Undefined));
    const isWord = (each: ts.Type): each is ts.StringLiteralType => each.isStringLiteral();
    const words = types.filter(isWord).map(({ value }) => value);
    const booleans = types.filter(({ flags }) => flags & ts.TypeFlags.BooleanLiteral);
    const others = types.filter((each) => !isWord(each) && (booleans.length < 2 || !booleans.includes(each)));
    const schemas: Schema[] = [
      ...(words.length === 0 ? [] : [{ type: 'string', enum: words }]),
      ...(booleans.length < 2 ? [] : [{ type: 'boolean' }]),
      ...others.map(schemaOf),
    ];
    return schemas.length === 1 && schemas[0] !== undefined ? schemas[0] : { anyOf: schemas };
  }

  function objectOf(type: ts.Type): Schema {
    const properties = checker.getPropertiesOfType(type);
    const isOptional = (property: ts.Symbol): boolean => (property.flags & ts.SymbolFlags.Optional) !== 0;
    return {
      type: 'object',
      properties: Object.fromEntries(
        properties.map((property) => {
          const found = checker.getTypeOfSymbol(property);
          return [property.name, { ...describe(property), ...schemaOf(found) }];
        }),
      ),
      required: properties.filter((property) => !isOptional(property)).map(({ name }) => name),
      additionalProperties: false,
    };
  }

  function describe(symbol: ts.Symbol): Schema {
    const text = ts.displayPartsToString(symbol.getDocumentationComment(checker)).replace(/\s+/g, ' ').trim();
    return text === '' ? {} : { description: text };
  }
}
