import { TARGET_OPTIONS, type TargetOptionName } from './options.js';
import { fileName, inFileWords } from './targets-file.js';
import type { Form } from './values.js';

type Schema = Readonly<Record<string, unknown>>;

/** A text that takes a variable may stand for anything. */
const REFERENCE: Schema = { type: 'string', pattern: String.raw`\$\{[A-Za-z_]\w*\}` };
const TEXT: Schema = { type: ['string', 'number', 'boolean'] };

/**
 * The JSON Schema (draft 7, which editors know) of targets files, made of the table of options. What it refuses may still
 * be valid (texts are checked more exactly by `keepalive config`), but nothing that it takes has an unknown option.
 */
export function targetsSchema(): Schema {
  const names = Object.keys(TARGET_OPTIONS) as TargetOptionName[];
  const properties = (wanted: readonly TargetOptionName[]): Schema =>
    Object.fromEntries(wanted.map((name) => [fileName(name), optionSchema(name)]));
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Targets of Keepalive',
    type: 'object',
    required: ['targets'],
    additionalProperties: false,
    properties: {
      $schema: { type: 'string' },
      defaults: {
        description: 'Options of all targets, unless a target has its own.',
        type: ['object', 'null'],
        additionalProperties: false,
        properties: properties(names.filter((name) => name !== 'URL')),
      },
      targets: {
        type: 'array',
        items: {
          type: 'object',
          required: ['id'],
          additionalProperties: false,
          properties: {
            id: {
              description:
                'Names the target in addresses, variables and what is stored. With another id it is another target.',
              type: ['string', 'integer'],
              pattern: '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$',
            },
            ...properties(names),
          },
        },
      },
    },
  };
}

function optionSchema(name: TargetOptionName): Schema {
  const { value, help, default: fallback } = TARGET_OPTIONS[name];
  const description = inFileWords(`${help} Expected: ${value.expected}.`);
  const forms = [...formsOf(value.form), REFERENCE, { type: 'null' }];
  return {
    description,
    ...(fallback === null ? {} : { default: defaultOf(value.form, fallback) }),
    anyOf: forms,
  };
}

function formsOf(form: Form): readonly Schema[] {
  switch (form.kind) {
    case 'text':
      return [TEXT];
    case 'flag':
      return [{ type: 'boolean' }, { enum: [0, 1, 'true', 'false', 'yes', 'no', 'on', 'off'] }];
    case 'integer':
      return [{ type: 'integer', minimum: form.min, maximum: form.max }];
    case 'amount': {
      const off = form.mayBeOff ? '|off|none' : '';
      const pattern = String.raw`^(\d+(\.\d+)?\s*(${form.units.join('|')})?${off})$`;
      return [
        { type: 'string', pattern },
        { type: 'number', minimum: 0 },
      ];
    }
    case 'word':
      return [{ enum: form.words }];
    case 'list': {
      const item = form.words === undefined ? { type: ['string', 'integer'] } : { enum: form.words };
      return [{ type: ['string', 'integer'] }, { type: 'array', items: item }];
    }
    case 'map':
      return [{ type: 'object', additionalProperties: TEXT }, { type: 'string' }];
  }
}

/** A default as a file would have it. */
function defaultOf(form: Form, text: string): unknown {
  if (form.kind === 'flag') return text === 'true';
  if (form.kind === 'integer') return Number(text);
  return form.kind === 'map' ? JSON.parse(text) : text;
}
