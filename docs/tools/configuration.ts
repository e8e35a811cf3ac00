// What is made of the configuration's schema: its page in docs/, and the file that editors read.

import { describedSchema, type JsonSchema, schemaText } from '../../daemon/config/json-schema.js';
import { PLACEHOLDERS } from '../../daemon/config/template.js';
import { CONFIGURATION_INTRODUCTION, SECTION_EXAMPLES, SECTION_NOTES } from './configuration-text.js';
import { isShown, mappingsIn, typed, type WordStyle, words } from './schema-words.js';

/** A table that is still to be written: of the keys of a mapping that stands below another. */
interface Below {
  readonly title: string;
  readonly schema: JsonSchema;
}

const MARKDOWN: WordStyle = {
  code: (text) => `\`${text}\``,
  link: (what) => (what === 'action' ? '[action](#actions)' : '[work item](#work)'),
};

function code(value: unknown): string {
  return MARKDOWN.code(typed(value));
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function row(key: string, schema: JsonSchema, required: boolean): string {
  const initial = required ? '**required**' : isShown(schema.default) ? code(schema.default) : '';
  const examples = (schema.examples ?? []).map(code).join(', ');
  const meaning = `${schema.description ?? ''}${examples === '' ? '' : ` Such as ${examples}.`}`;
  return `| \`${key}\` | ${cell(words(schema, MARKDOWN))} | ${cell(initial)} | ${cell(meaning)} |`;
}

/** Writes sections, and each table of keys once. */
class Page {
  readonly #seen = new Map<string, string>();
  readonly lines: string[] = [];

  table(title: string, schema: JsonSchema): void {
    this.#seen.set(JSON.stringify(schema.properties), title);
    const entries = Object.entries(schema.properties ?? {});
    this.lines.push('| key | value | default | meaning |', '|---|---|---|---|');
    for (const [key, value] of entries) this.lines.push(row(key, value, schema.required?.includes(key) === true));
    this.lines.push('');
    const below = entries.flatMap(([key, value]): Below[] =>
      mappingsIn(value).map((inner) => ({ title: `${title}: ${key}`, schema: inner })),
    );
    for (const each of below) this.#below(each);
  }

  #below({ title, schema }: Below): void {
    const before = this.#seen.get(JSON.stringify(schema.properties));
    if (before !== undefined) return;
    this.lines.push(`### ${title}`, '');
    this.table(title, schema);
  }

  section(key: string, schema: JsonSchema): void {
    this.lines.push(`## ${key}`, '', schema.description ?? '', '');
    const note = SECTION_NOTES.get(key);
    if (note !== undefined) this.lines.push(note.trim(), '');
    const example = SECTION_EXAMPLES.get(key);
    if (example !== undefined) this.lines.push('```yaml', example.trimEnd(), '```', '');
    const entry = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : schema;
    const mappings = mappingsIn(entry);
    if (entry !== schema && mappings.length === 0) {
      this.lines.push(`Each entry: ${words(entry, MARKDOWN)}. ${entry.description ?? ''}`.trim(), '');
    }
    for (const mapping of mappings) this.table(key, mapping);
  }
}

function placeholders(): string[] {
  const rows = Object.entries(PLACEHOLDERS).map(([name, meaning]) => `| \`{${name}}\` | ${cell(meaning)} |`);
  return ['| placeholder | stands for |', '|---|---|', ...rows, ''];
}

function isSection({ type, additionalProperties, properties }: JsonSchema): boolean {
  return type === 'array' || properties !== undefined || typeof additionalProperties === 'object';
}

/** docs/configuration.md. */
export function configurationPage(): string {
  const { properties = {}, definitions = {}, required = [] } = describedSchema();
  const page = new Page();
  const entries = Object.entries(properties);
  page.lines.push(CONFIGURATION_INTRODUCTION.trim(), '', '## At the top', '');
  const single = entries.filter(([, schema]) => !isSection(schema));
  page.table('At the top', { properties: Object.fromEntries(single), required });
  for (const [key, schema] of entries) if (isSection(schema)) page.section(key, schema);
  page.section('work', definitions.workItem ?? {});
  page.section('actions', definitions.action ?? {});
  page.lines.push(
    '## Placeholders',
    '',
    'In texts, where they have a value; `{{` and `}}` are the braces themselves.',
    '',
  );
  page.lines.push(...placeholders());
  return `${page.lines.join('\n').trimEnd()}\n`;
}

/** The files that are made of the configuration's schema, by path. */
export function configurationFiles(): Map<string, string> {
  return new Map([
    ['docs/configuration.md', configurationPage()],
    ['schemas/gpio-irqd.schema.json', schemaText()],
  ]);
}
