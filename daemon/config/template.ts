// Texts with placeholders: `button1 {edge} after {since_last}`, read once at load, filled in at each event.

/** What a text may mention; each is filled in by the daemon when the action runs. */
export const PLACEHOLDERS = {
  line: 'name of the line',
  gpio: 'number of the line on its chip',
  name: 'name of the interrupt',
  edge: '`rising` or `falling`, after active low was applied',
  value: 'level after the edge, 0 or 1',
  timestamp: 'stamp of the edge, ns of CLOCK_MONOTONIC',
  since_last: 'time since the edge before on this line, as a duration; `-` for the first',
  seqno: 'number of the edge on its line, from 1',
  time: 'when the action runs, by the wall clock: ISO 8601, UTC',
  pattern: 'how the button was pressed: `single`, `double`, `long`, `hold`, `release`',
  held: 'how long the button has been held, as a duration',
  count: 'number of the repetition while the button is held, from 1',
  lines: 'names of the lines of a chord, with commas between them',
  payload: 'what came with the hook or the message',
  topic: 'topic of the message',
} as const;

/** Name of a placeholder. */
export type Placeholder = keyof typeof PLACEHOLDERS;

/** What sets actions off. */
export type OccasionKind = 'edge' | 'press' | 'chord' | 'schedule' | 'hook' | 'mqtt';

/** Which placeholders there are for what sets actions off. */
export const PLACEHOLDERS_OF: Readonly<Record<OccasionKind, readonly Placeholder[]>> = {
  edge: ['line', 'gpio', 'name', 'edge', 'value', 'timestamp', 'since_last', 'seqno', 'time'],
  press: ['line', 'gpio', 'name', 'pattern', 'held', 'count', 'timestamp', 'time'],
  chord: ['name', 'lines', 'timestamp', 'time'],
  schedule: ['name', 'time'],
  hook: ['name', 'payload', 'time'],
  mqtt: ['name', 'topic', 'payload', 'time'],
};

/** Values of the placeholders that there are at one occasion. */
export type PlaceholderValues = Readonly<Partial<Record<Placeholder, string | number>>>;

/** A text cut at its placeholders: literal parts as strings, placeholders as objects. */
export type Template = readonly (string | { readonly placeholder: Placeholder })[];

/** Why a text is no template: the placeholder that does not exist, or the brace that does not match. */
export interface TemplateFault {
  readonly unknown?: string;
  readonly brace?: '{' | '}';
}

const TOKEN = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;

function isPlaceholder(name: string): name is Placeholder {
  return Object.hasOwn(PLACEHOLDERS, name);
}

/** Cuts a text at its placeholders. `{{` and `}}` stand for a brace. */
export function parseTemplate(text: string): Template | TemplateFault {
  const parts: (string | { readonly placeholder: Placeholder })[] = [];
  let literal = '';
  let end = 0;
  for (const match of text.matchAll(TOKEN)) {
    literal += text.slice(end, match.index);
    end = match.index + match[0].length;
    const name = match[1];
    if (match[0] === '{{' || match[0] === '}}') literal += match[0][0];
    else if (name === undefined) return { brace: match[0] === '{' ? '{' : '}' };
    else if (!isPlaceholder(name)) return { unknown: name };
    else {
      if (literal !== '') parts.push(literal);
      literal = '';
      parts.push(Object.freeze({ placeholder: name }));
    }
  }
  literal += text.slice(end);
  if (literal !== '') parts.push(literal);
  return Object.freeze(parts);
}

/** True for a {@link Template}, false for a {@link TemplateFault}. */
export function isTemplate(result: Template | TemplateFault): result is Template {
  return Array.isArray(result);
}

/** Fills in a template; what has no value stands for nothing. */
export function renderTemplate(template: Template, values: PlaceholderValues): string {
  let text = '';
  for (const part of template) text += typeof part === 'string' ? part : String(values[part.placeholder] ?? '');
  return text;
}

/** The placeholders that a template mentions. */
export function placeholdersIn(template: Template): readonly Placeholder[] {
  return template.flatMap((part) => (typeof part === 'string' ? [] : [part.placeholder]));
}
