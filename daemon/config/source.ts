// The YAML text of a configuration: parsed into plain values, each path with its place in the file.

import { isAlias, isMap, isScalar, isSeq, type Node, parseDocument, type YAMLError } from 'yaml';
import { type Environment, START, type Substitution, substitute } from './environment.js';
import type { ConfigPath, Finding } from './errors.js';
import { printable } from './errors.js';

/** Deepest nesting; the schema itself needs seven. */
const MAX_DEPTH = 32;
/** Most values in a configuration, those that aliases repeat included. */
const MAX_VALUES = 20_000;

/** A place in the text, all from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
  /** Behind the last character of what is meant, as far as that is on the line. */
  readonly endColumn?: number;
}

/** A syntax error with its place. */
export interface PlacedFinding extends Finding {
  readonly place: Place;
}

/** A parsed text. */
export interface Source {
  /** Mappings are objects without a prototype; `undefined` when the text could not be parsed. */
  readonly value: unknown;
  readonly findings: readonly PlacedFinding[];
  /** Values that variables were filled in; by path, as JSON. */
  readonly substitutions: ReadonlyMap<string, Substitution>;
  /** Values read, those that aliases repeat included. */
  readonly count: number;
  /** Place of a value or of its key; of the nearest enclosing one when the path does not exist. */
  place(path: ConfigPath, atKey?: boolean): Place;
}

/** From the first character to behind the last. */
type Span = readonly [start: number, end: number];

interface Spans {
  readonly key: Span | undefined;
  readonly value: Span | undefined;
}

/** How a text is read. */
export interface SourceOptions {
  /** Most values, those that aliases repeat included. */
  readonly maxValues?: number;
  /** Fills in variables; without it, `${NAME}` is a text as any other. */
  readonly environment?: Environment | undefined;
}

function spanOf(node: unknown): Span | undefined {
  const range = (node as Node | null | undefined)?.range;
  return range === undefined || range === null ? undefined : [range[0], range[1]];
}

const EXPLAINED: Readonly<Record<string, Pick<Finding, 'message' | 'hint'>>> = {
  TAB_AS_INDENT: { message: 'a tab as indentation', hint: 'indent with spaces' },
  MULTIPLE_DOCS: { message: 'a second document in the file', hint: 'keep one, without `---` in between' },
  RESOURCE_EXHAUSTION: { message: 'nested too deeply', hint: `at most ${MAX_DEPTH} levels` },
  NON_STRING_KEY: { message: 'a key that is not a plain word', hint: 'keys are names, such as `button1`' },
};

function syntaxFinding(error: YAMLError, place: Place): PlacedFinding {
  let code: Finding['code'] = 'CONFIG_SYNTAX';
  if (error.code === 'RESOURCE_EXHAUSTION') code = 'CONFIG_LIMIT';
  if (error.code === 'DUPLICATE_KEY') code = 'CONFIG_DUPLICATE_KEY';
  if (code === 'CONFIG_DUPLICATE_KEY') {
    return { code, path: [], place, message: 'the same key twice in one mapping', hint: 'remove or rename one' };
  }
  const known = EXPLAINED[error.code];
  return { code, path: [], place, message: printable(firstLine(error.message), 200), ...known };
}

function firstLine(text: string): string {
  const line = text.split('\n', 1)[0] ?? '';
  return line.charAt(0).toLowerCase() + line.slice(1);
}

/** Turns nodes into values and notes where each stands; stops at the limits. */
class Walker {
  readonly spans = new Map<string, Spans>();
  readonly findings: { readonly finding: Finding; readonly span: Span }[] = [];
  readonly substitutions = new Map<string, Substitution>();
  /** Anchored nodes so far. The library's own look-up walks the whole document for each alias. */
  readonly #anchors = new Map<string, Node>();
  #insideAlias = 0;
  count = 0;
  #stopped = false;
  readonly #text: string;
  readonly #maxValues: number;
  readonly #environment: Environment | undefined;

  constructor(text: string, { maxValues = MAX_VALUES, environment }: SourceOptions) {
    this.#text = text;
    this.#maxValues = maxValues;
    this.#environment = environment;
  }

  walk(node: unknown, path: (string | number)[], key: Span | undefined): unknown {
    if (this.#stopped) return null;
    const at = spanOf(node) ?? key ?? [0, 0];
    this.#note(path, key, node as Node | null);
    this.count += 1;
    if (this.count > this.#maxValues)
      return this.#stop(path, at, 'too many values', `at most ${this.#maxValues}, aliases included`);
    if (path.length > MAX_DEPTH) return this.#stop(path, at, 'nested too deeply', `at most ${MAX_DEPTH} levels`);
    if (isAlias(node)) return this.#walkAlias(node.source, path, at);
    return this.#walkNode(node as Node | null, path, at);
  }

  #walkAlias(anchor: string, path: (string | number)[], at: Span): unknown {
    const target = this.#anchors.get(anchor);
    if (target === undefined) return this.#report('CONFIG_REFERENCE', path, at, 'an alias without its anchor');
    this.#insideAlias += 1;
    const value = this.#walkNode(target, path, at);
    this.#insideAlias -= 1;
    return value;
  }

  #walkNode(node: Node | null, path: (string | number)[], at: Span): unknown {
    if (node?.tag !== undefined) {
      return this.#report(
        'CONFIG_TYPE',
        path,
        at,
        `the tag ${printable(node.tag.replace(/^tag:yaml\.org,2002:/, '!!'))}`,
        'tags are not used here; remove it',
      );
    }
    const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
    if (anchor !== undefined && node !== null && this.#insideAlias === 0) this.#anchors.set(anchor, node);
    if (isSeq(node)) return node.items.map((item, i) => this.walk(item, [...path, i], undefined));
    if (isMap(node)) return this.#walkMap(node.items, path);
    if (!isScalar(node)) return null;
    const { value } = node;
    return typeof value === 'string' && value.includes(START) ? this.#fillIn(value, path, at) : value;
  }

  #fillIn(raw: string, path: (string | number)[], at: Span): string | null {
    if (this.#environment === undefined) return raw;
    const result = substitute(raw, this.#environment);
    if ('message' in result) {
      const start = at[0] + Math.max(0, this.#text.slice(...at).indexOf(result.token));
      const found = this.#text.startsWith(result.token, start);
      const span: Span = found ? [start, start + result.token.length] : at;
      return this.#report(result.code, path, span, result.message, result.hint);
    }
    if (result.variables) this.substitutions.set(JSON.stringify(path), { raw, text: result.text });
    return result.text;
  }

  #walkMap(pairs: readonly { key: unknown; value: unknown }[], path: (string | number)[]): unknown {
    const value: Record<string, unknown> = Object.create(null);
    for (const pair of pairs) {
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      value[key] = this.walk(pair.value, [...path, key], spanOf(pair.key));
    }
    return value;
  }

  /** A block collection is shown at its key, where the eye looks for it; a flow collection or scalar at its start. */
  #note(path: ConfigPath, key: Span | undefined, node: Node | null): void {
    const span = spanOf(node);
    const block = (isMap(node) || isSeq(node)) && node.flow !== true;
    const empty = span === undefined || span[0] === span[1];
    this.spans.set(JSON.stringify(path), { key, value: key !== undefined && (block || empty) ? key : span });
  }

  #stop(path: ConfigPath, at: Span, message: string, hint: string): null {
    this.#stopped = true;
    return this.#report('CONFIG_LIMIT', path.slice(0, 4), at, message, hint);
  }

  #report(code: Finding['code'], path: ConfigPath, span: Span, message: string, hint?: string): null {
    this.findings.push({ finding: { code, path, message, ...(hint === undefined ? {} : { hint }) }, span });
    return null;
  }
}

/** Turns offsets into places. */
class Places {
  /** Where each line begins. The library's own count misses lines inside of what it cannot read. */
  readonly #starts: readonly number[];
  readonly #text: string;

  constructor(text: string) {
    const starts = [0];
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
    this.#starts = starts;
    this.#text = text;
  }

  /** The last line, from 0, that begins at an offset or before. */
  #lineOf(offset: number): number {
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The beginning of a line. */
  lineText(line: number): string {
    const start = this.#starts[line - 1] ?? 0;
    const end = this.#starts[line] ?? this.#text.length;
    return this.#text.slice(start, Math.min(end, start + LINE_MAX));
  }

  at([offset, end]: Span): Place {
    const start = Math.min(Math.max(0, offset), this.#text.length);
    const index = this.#lineOf(start);
    const next = this.#starts[index + 1];
    const last = Math.min(end, next === undefined ? this.#text.length : next - 1);
    const column = start - (this.#starts[index] ?? 0) + 1;
    const place = { line: index + 1, column };
    return last > start ? { ...place, endColumn: column + last - start } : place;
  }
}

/** Longest part of a line that is looked at for a hint. */
const LINE_MAX = 500;

const NOWHERE: Place = { line: 1, column: 1 };

/** What is said of an unquoted variable inside `{ }` or `[ ]`, which YAML takes for one more mapping. */
function unquotedVariable(finding: PlacedFinding, places: Places): PlacedFinding {
  if (finding.code !== 'CONFIG_SYNTAX') return finding;
  const line = places.lineText(finding.place.line);
  if (!line.includes(START) || !(line.includes(' {') || line.includes('['))) return finding;
  return { ...finding, hint: `inside { } and [ ], put quotes around a variable: "\${NAME}"` };
}

/** Parses the text of a file. Never throws: what is wrong is in `findings`, and then `value` is what could be read, if anything. */
export function parseSource(text: string, options: SourceOptions = {}): Source {
  const places = new Places(text);
  const document = parseDocument(text, {
    prettyErrors: false,
    strict: true,
    stringKeys: true,
    version: '1.2',
  });
  const syntax = document.errors.map((error) => unquotedVariable(syntaxFinding(error, places.at(error.pos)), places));
  const tooDeep = syntax.find((finding) => finding.code === 'CONFIG_LIMIT');
  const broken = syntax.some((finding) => finding.code !== 'CONFIG_DUPLICATE_KEY');
  if (broken) {
    const findings = tooDeep === undefined ? syntax : [tooDeep];
    return { value: undefined, findings, substitutions: new Map(), count: 0, place: () => NOWHERE };
  }

  const walker = new Walker(text, options);
  const value = walker.walk(document.contents, [], undefined);
  const found = walker.findings.map(({ finding, span }) => ({ ...finding, place: places.at(span) }));
  const place = (path: ConfigPath, atKey = false): Place => {
    for (let length = path.length; length >= 0; length--) {
      const spans = walker.spans.get(JSON.stringify(path.slice(0, length)));
      if (spans === undefined) continue;
      const span = atKey || length < path.length ? (spans.key ?? spans.value) : (spans.value ?? spans.key);
      return span === undefined ? NOWHERE : places.at(span);
    }
    return NOWHERE;
  };
  const { substitutions, count } = walker;
  return { value, findings: [...syntax, ...found], substitutions, count, place };
}
