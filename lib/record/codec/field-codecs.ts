import { asList, asNumber, asObject, asText, asTime } from './json.js';
import { NewerTextError, TextError } from './text-error.js';
import { unzigzag, zigzag, type VarintReader, type VarintWriter } from './varint.js';

/**
 * How values of one type are stored. The unit is a column: the values of one property of many rows stand side by side,
 * since equal ones then cost next to nothing once they are deflated. A single value is a column of one.
 *
 * Grammar, all of it in varints (varint.ts) but for the characters of strings:
 * - `count`: the number. `whole`: its zigzag. `flag`: 0 or 1. A code: its number in a table of codes.ts.
 * - `time`: the zigzag of how long before the base it was, in ms.
 * - `nullable(field)`: 0 for null, otherwise one more than the field's number.
 * - `text`: the lengths of all values in UTF-16 code units, then all their characters.
 * - `optional(field)`: a column of flags, then the column of the values that are not null.
 * - `list(field)`: a column of lengths, then one column of all items.
 * - `record(fields)`: the column of its first property, then of its second, and so on.
 * - `variants(kinds)`: a column of the kinds' codes, then for each kind the record of the values that are of it.
 *
 * Worked value: the rows { at: base - 1, ok: true } and { at: base, ok: true } in `record({ at: time, ok: flag })` are
 * the numbers 2 0 1 1, and as text `$!##`.
 */
export interface Field<T> {
  write(values: readonly T[], out: VarintWriter): void;
  /**
   * Reads a column of so many values. It takes memory for what the text holds only, whatever the count.
   * @throws TextError
   */
  read(count: number, from: VarintReader): T[];
  /**
   * One value as version 1 of the outbox had it in JSON.
   * @param base times before it were written as the negative distance from it, less one
   * @throws TextError
   */
  parse(json: unknown, base: number): T;
}

/** A field whose values are one number each. */
interface NumberField<T> extends Field<T> {
  /** @returns a whole number from 0 */
  encode(value: T, base: number): number;
  decode(stored: number, base: number): T;
}

function numberField<T>({ encode, decode, parse }: Omit<NumberField<T>, 'write' | 'read'>): NumberField<T> {
  return {
    encode,
    decode,
    parse,
    write: (values, out) => {
      for (const value of values) out.number(encode(value, out.base));
    },
    read: (count, from) => {
      const values: T[] = [];
      for (let i = 0; i < count; i += 1) values.push(decode(from.number(), from.base));
      return values;
    },
  };
}

/** A number from 0; a negative one is stored as 0, a fraction rounded. */
export const count = numberField<number>({
  encode: (value) => Math.max(0, Math.round(value)),
  decode: (stored) => stored,
  parse: asNumber,
});

export const whole = numberField<number>({
  encode: (value) => zigzag(Math.round(value)),
  decode: unzigzag,
  parse: asNumber,
});

export const flag = numberField<boolean>({
  encode: Number,
  decode: (stored) => {
    if (stored > 1) throw new TextError('a flag is neither 0 nor 1');
    return stored === 1;
  },
  parse: (json) => {
    if (typeof json !== 'boolean') throw new TextError('a boolean is missing');
    return json;
  },
});

/** Ms since the epoch. */
export const time = numberField<number>({
  encode: (value, base) => zigzag(base - Math.round(value)),
  decode: (stored, base) => asTime(base - unzigzag(stored)),
  parse: (json, base) => {
    const value = asTime(json);
    return value < 0 ? asTime(value + base + 1) : value;
  },
});

/** A time as the number of whole units since the epoch. @param unit in ms */
export function timeIn(unit: number): NumberField<number> {
  const now = (base: number): number => Math.floor(base / unit);
  return numberField({
    encode: (value, base) => zigzag(now(base) - value),
    decode: (stored, base) => asTime((now(base) - unzigzag(stored)) * unit) / unit,
    parse: asNumber,
  });
}

/** Ms since the epoch, rounded to a unit. @param unit in ms */
export function timeRoundedTo(unit: number): NumberField<number> {
  const units = timeIn(unit);
  return numberField({
    encode: (value, base) => units.encode(Math.round(value / unit), base),
    decode: (stored, base) => units.decode(stored, base) * unit,
    parse: asTime,
  });
}

/** @param table from codes.ts; what is not in it is refused @param what the values are, for messages */
export function code<K extends string>(table: Readonly<Record<K, number>>, what: string): NumberField<K> {
  const codes = new Map<string, number>(Object.entries(table));
  const names = new Map([...codes].map(([name, number]) => [number, name as K]));
  const encode = (value: string): number => {
    const number = codes.get(value);
    if (number === undefined) throw new RangeError(`a ${what} has no code`);
    return number;
  };
  return numberField<K>({
    encode,
    decode: (stored) => {
      const name = names.get(stored);
      if (name === undefined) throw new NewerTextError(`${what} code ${stored} is unknown`);
      return name;
    },
    parse: (json) => {
      if (!codes.has(asText(json))) throw new NewerTextError(`a ${what} is unknown`);
      return json as K;
    },
  });
}

export function nullable<T>(field: NumberField<T>): NumberField<T | null> {
  return numberField<T | null>({
    encode: (value, base) => (value === null ? 0 : field.encode(value, base) + 1),
    decode: (stored, base) => (stored === 0 ? null : field.decode(stored - 1, base)),
    parse: (json, base) => (json === null ? null : field.parse(json, base)),
  });
}

export const text: Field<string> = {
  write: (values, out) => {
    count.write(
      values.map(({ length }) => length),
      out,
    );
    for (const value of values) out.string(value);
  },
  read: (total, from) => count.read(total, from).map((length) => from.string(length)),
  parse: asText,
};

export function optional<T>(field: Field<T>): Field<T | null> {
  return {
    write: (values, out) => {
      flag.write(
        values.map((value) => value !== null),
        out,
      );
      field.write(
        values.filter((value) => value !== null),
        out,
      );
    },
    read: (total, from) => {
      const flags = flag.read(total, from);
      const present = field.read(flags.filter(Boolean).length, from).values();
      return flags.map((isPresent) => (isPresent ? (present.next().value as T) : null));
    },
    parse: (json, base) => (json === null ? null : field.parse(json, base)),
  };
}

export function list<T>(field: Field<T>): Field<readonly T[]> {
  return {
    write: (values, out) => {
      count.write(
        values.map(({ length }) => length),
        out,
      );
      field.write(
        values.flatMap((value) => [...value]),
        out,
      );
    },
    read: (total, from) => {
      const lengths = count.read(total, from);
      const items = field.read(
        lengths.reduce((sum, length) => sum + length, 0),
        from,
      );
      let end = 0;
      return lengths.map((length) => items.slice(end, (end += length)));
    },
    parse: (json, base) => asList(json).map((item) => field.parse(item, base)),
  };
}

/** A field for each property of a type. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> };

export function record<T extends object>(fields: Fields<T>): Field<T> {
  const columns = Object.entries(fields) as [keyof T & string, Field<unknown>][];
  const blank = Object.fromEntries(columns.map(([name]) => [name, null]));
  return {
    write: (values, out) => {
      for (const [name, field] of columns) {
        field.write(
          values.map((value) => value[name]),
          out,
        );
      }
    },
    read: (total, from) => {
      const rows: Record<string, unknown>[] = [];
      for (const [name, field] of columns) {
        const values = field.read(total, from);
        // Copies of one object share its hidden class: that is three times as fast as objects made of entries.
        if (rows.length === 0) values.forEach(() => rows.push({ ...blank }));
        for (let i = 0; i < rows.length; i += 1) {
          const value = values[i];
          const row = rows[i];
          if (value !== null && row !== undefined) row[name] = value;
        }
      }
      return rows as T[];
    },
    parse: (json, base) => {
      const properties = asObject(json);
      return Object.fromEntries(
        columns.map(([name, field]) => [name, field.parse(properties.get(name), base)]),
      ) as T;
    },
  };
}

/** The part of a union whose member is of one kind. */
type OfKind<T, K> = T extends { readonly kind: infer M } ? (K extends M ? Omit<T, 'kind'> : never) : never;

/** Values of a union that is told apart by `kind`. */
export function variants<T extends { readonly kind: string }>(
  kind: NumberField<T['kind']>,
  fieldsOf: { readonly [K in T['kind']]: Fields<OfKind<T, K>> },
): Field<T> {
  const kinds = Object.entries<Fields<object>>(fieldsOf).map(
    ([name, fields]) => [name as T['kind'], record<object>(fields)] as const,
  );
  const recordOf = new Map<string, Field<object>>(kinds);
  return {
    write: (values, out) => {
      kind.write(
        values.map((value) => value.kind),
        out,
      );
      for (const [name, fields] of kinds) {
        fields.write(
          values.filter((value) => value.kind === name),
          out,
        );
      }
    },
    read: (total, from) => {
      const found = kind.read(total, from);
      const rows = new Map<string, Iterator<object>>(
        kinds.map(([name, fields]) => {
          const values = fields.read(found.filter((each) => each === name).length, from);
          return [name, values.values()];
        }),
      );
      return found.map((name) => ({ kind: name, ...(rows.get(name)?.next().value as object) }) as T);
    },
    parse: (json, base) => {
      const name = kind.parse(asObject(json).get('kind'), base);
      return { kind: name, ...recordOf.get(name)?.parse(json, base) } as T;
    },
  };
}

/** A field whose values are stored as those of another one. */
export function mapped<T, S>(field: Field<S>, to: (value: T) => S, from: (stored: S) => T): Field<T> {
  return {
    write: (values, out) => field.write(values.map(to), out),
    read: (total, reader) => field.read(total, reader).map(from),
    parse: (json, base) => from(field.parse(json, base)),
  };
}
