// The YAML text of a configuration: parsed into plain values, each path with its place in the file.

import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLError } from 'yaml';
import type { ConfigPath, Finding } from './errors.js';
import { printable } from './errors.js';

/** Deepest nesting; the schema itself needs seven. */
const MAX_DEPTH = 32;
/** Most values in a configuration, those that aliases repeat included. */
const MAX_VALUES = 20_000;

/** A place in the text, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
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
  /** Place of a value or of its key; of the nearest enclosing one when the path does not exist. */
  place(path: ConfigPath, atKey?: boolean): Place;
}

interface Offsets {
  readonly key: number | undefined;
  readonly value: number | undefined;
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
  readonly offsets = new Map<string, Offsets>();
  readonly findings: { readonly finding: Finding; readonly offset: number }[] = [];
  /** Anchored nodes so far. The library's own look-up walks the whole document for each alias. */
  readonly #anchors = new Map<string, Node>();
  #insideAlias = 0;
  #values = 0;
  #stopped = false;
  readonly #maxValues: number;

  constructor(maxValues: number) {
    this.#maxValues = maxValues;
  }

  walk(node: unknown, path: (string | number)[], key: number | undefined): unknown {
    if (this.#stopped) return null;
    const at = (node as Node | null)?.range?.[0] ?? key ?? 0;
    this.#note(path, key, node as Node | null);
    this.#values += 1;
    if (this.#values > this.#maxValues)
      return this.#stop(path, at, 'too many values', `at most ${this.#maxValues}, aliases included`);
    if (path.length > MAX_DEPTH) return this.#stop(path, at, 'nested too deeply', `at most ${MAX_DEPTH} levels`);
    if (isAlias(node)) return this.#walkAlias(node.source, path, at);
    return this.#walkNode(node as Node | null, path, at);
  }

  #walkAlias(anchor: string, path: (string | number)[], at: number): unknown {
    const target = this.#anchors.get(anchor);
    if (target === undefined) return this.#report('CONFIG_REFERENCE', path, at, 'an alias without its anchor');
    this.#insideAlias += 1;
    const value = this.#walkNode(target, path, at);
    this.#insideAlias -= 1;
    return value;
  }

  #walkNode(node: Node | null, path: (string | number)[], at: number): unknown {
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
    return isScalar(node) ? node.value : null;
  }

  #walkMap(pairs: readonly { key: unknown; value: unknown }[], path: (string | number)[]): unknown {
    const value: Record<string, unknown> = Object.create(null);
    for (const pair of pairs) {
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      value[key] = this.walk(pair.value, [...path, key], (pair.key as Node | null)?.range?.[0]);
    }
    return value;
  }

  /** A block collection is shown at its key, where the eye looks for it; a flow collection or scalar at its start. */
  #note(path: ConfigPath, key: number | undefined, node: Node | null): void {
    const range = node?.range;
    const block = (isMap(node) || isSeq(node)) && node.flow !== true;
    const empty = range === undefined || range === null || range[0] === range[1];
    const value = key !== undefined && (block || empty) ? key : range?.[0];
    this.offsets.set(JSON.stringify(path), { key, value });
  }

  #stop(path: ConfigPath, at: number, message: string, hint: string): null {
    this.#stopped = true;
    return this.#report('CONFIG_LIMIT', path.slice(0, 4), at, message, hint);
  }

  #report(code: Finding['code'], path: ConfigPath, offset: number, message: string, hint?: string): null {
    this.findings.push({ finding: { code, path, message, ...(hint === undefined ? {} : { hint }) }, offset });
    return null;
  }
}

/**
 * Parses the text of a file. Never throws: what is wrong is in `findings`, and then `value` is what could be read, if anything.
 *
 * @param maxValues most values, those that aliases repeat included
 */
export function parseSource(text: string, maxValues: number = MAX_VALUES): Source {
  const lines = new LineCounter();
  const toPlace = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    strict: true,
    stringKeys: true,
    version: '1.2',
  });
  const syntax = document.errors.map((error) => syntaxFinding(error, toPlace(error.pos[0])));
  const tooDeep = syntax.find((finding) => finding.code === 'CONFIG_LIMIT');
  const broken = syntax.some((finding) => finding.code !== 'CONFIG_DUPLICATE_KEY');
  const nowhere = (): Place => ({ line: 1, column: 1 });
  if (broken) return { value: undefined, findings: tooDeep === undefined ? syntax : [tooDeep], place: nowhere };

  const walker = new Walker(maxValues);
  const value = walker.walk(document.contents, [], undefined);
  const findings = [
    ...syntax,
    ...walker.findings.map(({ finding, offset }) => ({ ...finding, place: toPlace(offset) })),
  ];
  const place = (path: ConfigPath, atKey = false): Place => {
    for (let length = path.length; length >= 0; length--) {
      const found = walker.offsets.get(JSON.stringify(path.slice(0, length)));
      if (found === undefined) continue;
      const offset = atKey || length < path.length ? (found.key ?? found.value) : (found.value ?? found.key);
      return offset === undefined ? nowhere() : toPlace(offset);
    }
    return nowhere();
  };
  return { value, findings, place };
}
