// The man page of the configuration file, made of its schema.

import { describedSchema, type JsonSchema } from '../../daemon/config/json-schema.js';
import { PLACEHOLDERS } from '../../daemon/config/template.js';
import { escaped, heading, item } from './man.js';
import { isShown, mappingsIn, typed, type WordStyle, words } from './schema-words.js';

const PLAIN: WordStyle = { code: (text) => text, link: (what) => what };

function facts(schema: JsonSchema, required: boolean): string {
  const { default: initial, examples = [] } = schema;
  const all = [
    ...(required ? ['required'] : []),
    ...(!required && isShown(initial) ? [`default: ${typed(initial)}`] : []),
    ...(examples.length === 0 ? [] : [`such as ${examples.map(typed).join(', ')}`]),
  ];
  return all.length === 0 ? '' : ` (${all.join('; ')})`;
}

function indented(lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['.RS', ...lines, '.RE'];
}

/** Writes each mapping's keys once, where they stand first. */
class Page {
  /** Where the keys of a mapping are. */
  readonly #seen = new Map<string, string>();

  keys(mappings: readonly JsonSchema[], where: string): string[] {
    return mappings.flatMap((mapping) => this.#mapping(mapping, where));
  }

  #mapping({ properties = {}, required = [] }: JsonSchema, where: string): string[] {
    const form = JSON.stringify(properties);
    const before = this.#seen.get(form);
    if (before !== undefined) return ['.PP', `Keys as at \\fB${escaped(before)}\\fR.`];
    this.#seen.set(form, where);
    return Object.entries(properties).flatMap(([key, schema]) => this.#key(key, schema, required.includes(key)));
  }

  #key(key: string, schema: JsonSchema, required: boolean): string[] {
    const tag = `\\fB${escaped(key)}\\fR: ${escaped(words(schema, PLAIN))}`;
    const text = `${schema.description ?? ''}${facts(schema, required)}`;
    return [...item(tag, text), ...indented(this.keys(mappingsIn(schema), key))];
  }

  /** A key at the top of the file. */
  section(key: string, schema: JsonSchema, required: boolean): string[] {
    const entry = schema.additionalProperties;
    if (typeof entry !== 'object') return this.#key(key, schema, required);
    const each = entry.properties === undefined ? `by name: ${words(entry, PLAIN)}` : 'mapping by name';
    const tag = `\\fB${escaped(key)}\\fR: ${escaped(each)}`;
    return [
      ...item(tag, `${schema.description ?? ''}${facts(schema, required)}`),
      ...indented(this.keys(mappingsIn(entry), key)),
    ];
  }
}

/** Writes gpio-irqd.yaml(5). */
export function configPage(version: string): string {
  const { properties = {}, required = [], definitions = {} } = describedSchema();
  const page = new Page();
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
      Object.entries(properties).flatMap(([key, schema]) => page.section(key, schema, required.includes(key))),
    ),
    ...heading('WORK ITEMS', page.keys(mappingsIn(definitions.workItem ?? {}), 'work items')),
    ...heading('ACTIONS', page.keys(mappingsIn(definitions.action ?? {}), 'actions')),
    ...heading('PLACEHOLDERS', [
      'In texts of actions, where they have a value; {{ and }} are the braces themselves.',
      ...Object.entries(PLACEHOLDERS).flatMap(([name, meaning]) => item(`\\fB{${name}}\\fR`, meaning)),
    ]),
    ...heading('SEE ALSO', ['.BR gpio\\-irqd (8),', '.BR gpio\\-irqctl (1)']),
  ];
  return `${lines.join('\n')}\n`;
}
