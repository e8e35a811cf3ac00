// Takes a docstring apart: what it means, in which context it may be called, parameters, result and errors.

/** A docstring in parts. Texts are Markdown that may hold `{@link NAME}`. */
export interface Docstring {
  /** Paragraphs and code blocks, without what the other parts hold. */
  readonly text: string;
  /** E.g. `Process context.`; undefined when it does not say. */
  readonly context: string | undefined;
  readonly params: readonly { readonly name: string; readonly text: string }[];
  readonly returns: string | undefined;
  /** Each begins with an error code. */
  readonly errors: readonly string[];
}

const FENCE = /(```[\s\S]*?```)/;
/** A sentence that says where a function may be called, or where it is. */
const CONTEXT = /^(?:Any|Process|Hard interrupt|Softirq|Interrupt|Atomic) context\b/;
/** A sentence that begins with an error code. */
const ERROR = /^`E[A-Z]+`/;

/** The text without comment marks, lines kept. */
function unmarked(doc: string): string {
  return doc
    .replace(/^\/\*\*/, '')
    .replace(/\*\/$/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
    .join('\n')
    .trim();
}

/** Sentences of one paragraph, each with its full stop. */
function sentences(paragraph: string): string[] {
  return paragraph.split(/(?<=[.!?]\)?) +(?=[A-Z`])(?<!\b(?:e\.g\.|i\.e\.) +)/);
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** Reads a docstring with its comment marks; an absent one says nothing. */
export function parseDocstring(doc: string | undefined): Docstring {
  const [body = '', ...tags] = unmarked(doc ?? '').split(/^@(?=(?:param|returns|throws)\b)/m);
  const paragraphs: string[] = [];
  const errors: string[] = [];
  let context: string | undefined;
  for (const part of body.split(FENCE)) {
    if (part.startsWith('```')) {
      paragraphs.push(part);
      continue;
    }
    for (const paragraph of part.split(/\n\s*\n/)) {
      const kept = sentences(oneLine(paragraph)).filter((sentence) => {
        if (ERROR.test(sentence)) errors.push(sentence);
        else if (context === undefined && CONTEXT.test(sentence)) context = sentence;
        else return true;
        return false;
      });
      if (kept.join('') !== '') paragraphs.push(kept.join(' '));
    }
  }
  const tagged = (tag: string): string[] =>
    tags.filter((text) => text.startsWith(`${tag} `)).map((text) => oneLine(text.slice(tag.length)));
  return {
    text: paragraphs.join('\n\n'),
    context,
    params: tagged('param').map((text) => {
      const [, name = '', meaning = ''] = /^(\S+)\s*(.*)$/.exec(text) ?? [];
      return { name, text: meaning };
    }),
    returns: tagged('returns')[0],
    errors: [...errors, ...tagged('throws').map((text) => text.replace(/^KernelError /, ''))],
  };
}
