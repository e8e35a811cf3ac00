// What a JSON Schema says of a value, in a few words.

import type { JsonSchema } from '../../daemon/config/json-schema.js';

/** How the words are written. */
export interface WordStyle {
  /** What is typed as it stands. */
  code(text: string): string;
  /** What is explained in a place of its own. */
  link(what: 'action' | 'work item'): string;
}

/** A value as it is typed. */
export function typed(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function limits(schema: JsonSchema): string {
  const { minimum: least, maximum: most } = schema;
  if (least !== undefined && most !== undefined) return `, ${least} to ${most}`;
  return least === undefined ? '' : `, ${least} or more`;
}

/** What is written at a key. */
export function words(schema: JsonSchema, style: WordStyle): string {
  const code = (value: unknown): string => style.code(typed(value));
  if (schema.$ref !== undefined) return style.link(schema.$ref.endsWith('/action') ? 'action' : 'work item');
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map((each) => words(each, style)))].join(', or ');
  if (schema.enum !== undefined) return schema.enum.map(code).join(', ');
  if (schema.const !== undefined) return code(schema.const);
  if (schema.kind !== undefined) return schema.range === undefined ? schema.kind : `${schema.kind}, ${schema.range}`;
  if (schema.type === 'array') return `list of ${words(schema.items ?? {}, style)}`;
  if (schema.type === 'object') return 'mapping';
  if (schema.type === 'boolean') return [true, false].map(code).join(', ');
  if (schema.type === 'integer') return `whole number${limits(schema)}`;
  return schema.type === 'string' ? 'text' : String(schema.type ?? 'anything');
}

/** The mappings with keys of their own in a schema, its alternatives and the entries of its lists. */
export function mappingsIn(schema: JsonSchema): JsonSchema[] {
  if (schema.properties !== undefined) return [schema];
  return [...(schema.anyOf ?? []), ...(schema.items === undefined ? [] : [schema.items])].flatMap(mappingsIn);
}

/** Whether a default is worth a word. */
export function isShown(value: unknown): boolean {
  return value !== undefined && JSON.stringify(value) !== '[]' && JSON.stringify(value) !== '{}' && value !== '';
}
