// The man page of the configuration file, made of its schema.

import { z } from 'zod';
import { fileSchema, LISTS, MAPPINGS } from '../../daemon/config/schema.js';
import { escaped, heading, item } from './man.js';

/** What is read of a JSON Schema. */
interface Schema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly examples?: readonly unknown[];
}

/** Deeper than this, a page is no longer read; `gpio-irqd check` knows the rest. */
const DEPTH_MAX = 4;

function schemaOf(type: z.ZodType): Schema {
  return z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }) as Schema;
}

/** The alternatives of a schema, itself if it has none. */
function alternatives(schema: Schema): readonly Schema[] {
  return schema.anyOf ?? schema.oneOf ?? [schema];
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** What is written there, in a few words. */
function kind(schema: Schema): string {
  const words = alternatives(schema).flatMap((each): string[] => {
    if (each.const !== undefined) return [shown(each.const)];
    if (each.enum !== undefined) return each.enum.map(shown);
    if (each.type === 'object') return ['keys'];
    if (each.type === 'array') return ['a list'];
    return typeof each.type === 'string' ? [each.type] : [];
  });
  return [...new Set(words)].join(' | ');
}

/** Objects whose keys are worth a list below: of the schema, of its alternatives, of the entries of lists. */
function objectsOf(schema: Schema): Schema[] {
  return alternatives(schema).flatMap((each): Schema[] => {
    if (each.anyOf !== undefined || each.oneOf !== undefined) return objectsOf(each);
    if (each.type === 'array' && each.items !== undefined) return objectsOf(each.items);
    return each.properties === undefined ? [] : [each];
  });
}

function keyLines(key: string, schema: Schema, required: boolean, depth: number): string[] {
  const what = kind(schema);
  const facts = [
    ...(required ? ['required'] : []),
    ...(schema.default === undefined ? [] : [`default: ${shown(schema.default)}`]),
    ...(schema.examples === undefined ? [] : [`such as ${schema.examples.map(shown).join(', ')}`]),
  ];
  const text = `${schema.description ?? ''}${facts.length === 0 ? '' : ` (${facts.join('; ')})`}`.trim();
  const tag = `\\fB${escaped(key)}\\fR${what === '' ? '' : `: ${escaped(what)}`}`;
  const below = depth < DEPTH_MAX ? keysOf(objectsOf(schema), depth + 1) : [];
  return [...item(tag, text), ...(below.length === 0 ? [] : ['.RS', ...below, '.RE'])];
}

/** The keys of all alternatives, each once. */
function keysOf(objects: readonly Schema[], depth: number): string[] {
  const seen = new Map<string, [schema: Schema, required: boolean]>();
  for (const { properties = {}, required = [] } of objects) {
    for (const [key, schema] of Object.entries(properties)) {
      if (!seen.has(key)) seen.set(key, [schema, objects.length === 1 && required.includes(key)]);
    }
  }
  return [...seen].flatMap(([key, [schema, required]]) => keyLines(key, schema, required, depth));
}

function sectionLines(key: string, schema: Schema, required: boolean): string[] {
  const entries: Readonly<Record<string, z.ZodType>> = { ...MAPPINGS, ...LISTS };
  const entry = entries[key];
  if (entry === undefined) return keyLines(key, schema, required, 0);
  const what = key in MAPPINGS ? 'by name' : 'a list';
  const text = `${schema.description ?? ''}${required ? ' (required)' : ''}`;
  const keys = keysOf(objectsOf(schemaOf(entry)), 1);
  return [...item(`\\fB${key}\\fR: ${what}`, text), ...(keys.length === 0 ? [] : ['.RS', ...keys, '.RE'])];
}

/** Writes gpio-irqd.yaml(5). */
export function configPage(version: string): string {
  const { properties = {}, required = [] } = schemaOf(fileSchema);
  const lines = [
    `.TH GPIO\\-IRQD.YAML 5 "" "gpio\\-irqd ${version}" "gpio\\-irqd"`,
    ...heading('NAME', ['gpio\\-irqd.yaml \\- configuration of gpio\\-irqd']),
    ...heading('SYNOPSIS', ['/etc/gpio\\-irqd/config.yaml']),
    ...heading('DESCRIPTION', [
      'The lines that the daemon holds, and what happens on their edges, in YAML.',
      'Durations have a unit: 200us, 5ms, 2s.',
      '.B gpio\\-irqd check',
      'says what is wrong with a file, and where.',
    ]),
    ...heading(
      'KEYS',
      Object.entries(properties).flatMap(([key, schema]) => sectionLines(key, schema, required.includes(key))),
    ),
    ...heading('SEE ALSO', ['.BR gpio\\-irqd (8),', '.BR gpio\\-irqctl (1)']),
  ];
  return `${lines.join('\n')}\n`;
}
