// The schema of the configuration as JSON Schema: for editors, and for the documentation.

import { z } from 'zod';
import { NAME } from './pieces.js';
import { fileSchema, LISTS, MAPPINGS, MAX_ENTRIES } from './schema.js';
import { actionSchema } from './sections/actions.js';
import { workItemSchema } from './sections/work.js';
import { type Forms, keys } from './values.js';

/** What is used of JSON Schema (draft 7). */
export interface JsonSchema {
  $ref?: string;
  type?: string | readonly string[];
  description?: string;
  default?: unknown;
  examples?: readonly unknown[];
  enum?: readonly unknown[];
  const?: unknown;
  pattern?: string;
  minimum?: number;
  maximum?: number;
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, JsonSchema>;
  required?: readonly string[];
  additionalProperties?: boolean | JsonSchema;
  propertyNames?: JsonSchema;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  definitions?: Record<string, JsonSchema>;
  /** What kind of text it is, where JSON knows only texts; not published. */
  kind?: string;
  /** Least and most, of what is no number; not published. */
  range?: string;
  [keyword: string]: unknown;
}

/** Schemas that stand in many places, and are written once. */
const SHARED: ReadonlyMap<string, z.ZodType> = new Map<string, z.ZodType>([
  ['action', actionSchema],
  ['workItem', workItemSchema],
]);

/** A reference to what is written once; `undefined` for another schema. */
function referenceTo(schema: z.core.$ZodType): JsonSchema | undefined {
  for (const [name, shared] of SHARED) if (schema === shared) return { $ref: `#/definitions/${name}` };
  return undefined;
}

/** A schema as JSON; one of {@link SHARED} inside of another is a reference to its definition. */
function toJson(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    target: 'draft-7',
    override: ({ zodSchema, jsonSchema }) => complete(schema, zodSchema, jsonSchema as JsonSchema),
  });
  return json as JsonSchema;
}

function complete(root: z.ZodType, schema: z.core.$ZodType, json: JsonSchema): void {
  // zod leaves these out of what is transformed: it cannot know whether they are of before or after.
  const written = z.globalRegistry.get(schema);
  if (written?.default !== undefined) json.default = written.default;
  if (Array.isArray(written?.examples)) json.examples = written.examples;
  const reference = schema === root ? undefined : referenceTo(schema);
  if (reference !== undefined) {
    for (const keyword of Object.keys(json)) delete json[keyword];
    Object.assign(json, reference);
  }
  const forms = json.forms as Forms | undefined;
  if (forms === undefined) return;
  json.anyOf = forms.map((form) => referenceTo(form) ?? toJson(form));
  delete json.forms;
}

/** The file with the schemas of its entries in their places. */
function wholeFile(): z.ZodType {
  const { shape } = fileSchema;
  const described = (schema: z.ZodType, key: keyof typeof shape) => schema.describe(shape[key].description ?? '');
  const names = z.string().regex(NAME);
  const entries = [
    ...Object.entries(MAPPINGS).map(([key, entry]) => [key, z.record(names, entry)] as const),
    ...Object.entries(LISTS).map(([key, entry]) => [key, z.array(entry).max(MAX_ENTRIES)] as const),
  ].map(([key, schema]) => [key, described(schema, key as keyof typeof shape)] as const);
  const optional = entries.map(([key, schema]) => [key, key === 'lines' ? schema : schema.optional()] as const);
  return keys({ ...shape, ...Object.fromEntries(optional) });
}

/** The schema with all that is known of each key. */
export function describedSchema(): JsonSchema {
  const definitions = Object.fromEntries([...SHARED].map(([name, schema]) => [name, toJson(schema)]));
  return { ...toJson(wholeFile()), definitions };
}

/** Keywords that say which values are right; a variable is right besides. */
const LIMITS = ['type', 'enum', 'const', 'pattern', 'minimum', 'maximum', 'minLength', 'maxLength'];

/** A value may be a text with a variable in place of what it is. */
function orVariable(json: JsonSchema): JsonSchema {
  const isText = json.type === 'string' && json.enum === undefined && json.pattern === undefined;
  const isLeaf = json.type !== 'object' && json.type !== 'array' && json.anyOf === undefined && json.$ref === undefined;
  if (!isLeaf || isText) return json;
  const limits: JsonSchema = {};
  const rest: JsonSchema = {};
  for (const [keyword, value] of Object.entries(json)) (LIMITS.includes(keyword) ? limits : rest)[keyword] = value;
  return { ...rest, anyOf: [limits, { $ref: '#/definitions/variable' }] };
}

/** A schema as editors want it: without what only we know, with variables wherever there is a value. */
function published(json: JsonSchema): JsonSchema {
  const { kind: _, range, properties, items, additionalProperties, anyOf, definitions, ...rest } = json;
  const result: JsonSchema = { ...rest };
  const each = (inner: Record<string, JsonSchema>) =>
    Object.fromEntries(Object.entries(inner).map(([key, schema]) => [key, published(schema)]));
  if (range !== undefined) result.description = `${json.description ?? ''} (${range})`.trim();
  if (properties !== undefined) result.properties = each(properties);
  if (definitions !== undefined) result.definitions = each(definitions);
  if (items !== undefined) result.items = published(items);
  if (anyOf !== undefined) result.anyOf = anyOf.map(published);
  if (typeof additionalProperties === 'object') result.additionalProperties = published(additionalProperties);
  else if (additionalProperties !== undefined) result.additionalProperties = additionalProperties;
  return orVariable(result);
}

const VARIABLE: JsonSchema = {
  type: 'string',
  pattern: '\\$\\{',
  description: `A text with variables of the environment: \${NAME}, or \${NAME:-default}.`,
};

/** The schema as it is published (schemas/gpio-irqd.schema.json) and printed by `gpio-irqd schema`. */
export function publishedSchema(): JsonSchema {
  // What must be there may be in another file: of those that include, and of those that are included.
  const { definitions, required: _, ...file } = published(describedSchema());
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $id: 'gpio-irqd.schema.json',
    title: 'gpio-irqd configuration',
    description: 'Lines, interrupts and what happens at them: docs/configuration.md.',
    ...file,
    definitions: { ...definitions, variable: VARIABLE },
  };
}

/** {@link publishedSchema} as the text of a file. */
export function schemaText(): string {
  return `${JSON.stringify(publishedSchema(), null, 2)}\n`;
}
