// Reads a declaration file, as tsc emits it: what it exports, with docstrings. No more of TypeScript than such files contain.

/** What is exported under one name. */
export interface Declaration {
  readonly kind: 'function' | 'const' | 'class' | 'interface' | 'type';
  readonly name: string;
  /** Without `export declare`, comments and the closing semicolon; several for an overloaded function, none for a class. */
  readonly signatures: readonly string[];
  /** As in the source, with its comment marks. */
  readonly doc: string | undefined;
  /** Of a class or an interface. */
  readonly members: readonly Member[];
}

/** A property, method or constructor of a class or an interface. */
export interface Member {
  /** `constructor` for a constructor. */
  readonly name: string;
  readonly signature: string;
  readonly doc: string | undefined;
}

/** One name of an export list: `export { name as as }`. */
export interface ListedName {
  readonly name: string;
  readonly as: string;
  readonly typeOnly: boolean;
}

/** `export { … }`, `export { … } from` and `export * from`. */
export interface ExportList {
  /** The other file as it is written there; undefined for names of the file itself. */
  readonly from: string | undefined;
  /** Undefined for everything that the other file exports. */
  readonly names: readonly ListedName[] | undefined;
  readonly doc: string | undefined;
}

/** What one file exports. */
export interface DeclarationFile {
  readonly declarations: readonly Declaration[];
  readonly lists: readonly ExportList[];
}

/** One statement or member, with the docstring right before it. */
interface Statement {
  readonly doc: string | undefined;
  readonly text: string;
}

const OPENING = '({[';
const CLOSING = ')}]';
const BLOCK = /^(?:export )?(?:declare )?(?:abstract )?(?:class|interface|enum|namespace|module)\b/;

/** The end of what begins at `at` and is no code: a comment or a string; `at` itself when code begins there. */
function skipped(text: string, at: number): number {
  const two = text.slice(at, at + 2);
  if (two === '//') return endOf(text, '\n', at);
  if (two === '/*') return endOf(text, '*/', at);
  const quote = text[at];
  if (quote !== '"' && quote !== "'" && quote !== '`') return at;
  let end = at + 1;
  while (end < text.length && text[end] !== quote) end += text[end] === '\\' ? 2 : 1;
  return end + 1;
}

function endOf(text: string, mark: string, from: number): number {
  const found = text.indexOf(mark, from + 2);
  return found < 0 ? text.length : found + mark.length;
}

/** The statements of a file, or the members of a body. */
function statements(text: string): Statement[] {
  const found: Statement[] = [];
  let doc: string | undefined;
  let code = '';
  let depth = 0;
  const finish = (): void => {
    const trimmed = code.trim();
    if (trimmed !== '') found.push({ doc, text: trimmed });
    doc = undefined;
    code = '';
  };
  for (let at = 0; at < text.length; ) {
    const next = skipped(text, at);
    if (next > at) {
      const piece = text.slice(at, next);
      // Comments within a statement stay: they are the docstrings of its members.
      if (!piece.startsWith('/') || code.trim() !== '') code += piece;
      else if (piece.startsWith('/**')) doc = piece;
      at = next;
      continue;
    }
    const char = text[at] ?? '';
    if (OPENING.includes(char)) depth++;
    if (CLOSING.includes(char)) depth--;
    if (char !== ';' || depth > 0) code += char;
    if (depth === 0 && (char === ';' || (char === '}' && BLOCK.test(code.trimStart())))) finish();
    at++;
  }
  finish();
  return found;
}

/** Code on one line, and names of types without the file that they come from. */
function tidy(code: string): string {
  return code
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/import\("[^"]*"\)\./g, '')
    .replace(/\s+/g, ' ')
    .replace(/,? \}/g, ' }')
    .trim();
}

function memberOf({ doc, text }: Statement): Member | undefined {
  if (/^(?:#|private\b|protected\b)/.test(text)) return undefined;
  const name = /^(?:(?:static|readonly|abstract|override|get|set) )*(\[[^\]]*\]|[\w$]+)/.exec(text)?.[1];
  return name === undefined ? undefined : { name, doc, signature: tidy(text) };
}

function membersOf(text: string): Member[] {
  const body = text.slice(text.indexOf('{') + 1, text.lastIndexOf('}'));
  return statements(body)
    .map(memberOf)
    .filter((member) => member !== undefined);
}

function listOf({ doc, text }: Statement): ExportList | undefined {
  const from = /from\s+['"]([^'"]+)['"]$/.exec(text)?.[1];
  if (/^export\s+\*/.test(text)) return { from, names: undefined, doc };
  const inner = /^export\s+(type\s+)?\{([^}]*)\}/.exec(text);
  if (inner === null) return undefined;
  const names = (inner[2] ?? '').split(',').flatMap((item): ListedName[] => {
    const [, type, name, as] = /^\s*(type\s+)?([\w$]+)(?:\s+as\s+([\w$]+))?\s*$/.exec(item) ?? [];
    if (name === undefined) return [];
    return [{ name, as: as ?? name, typeOnly: type !== undefined || inner[1] !== undefined }];
  });
  return { from, names, doc };
}

const HEAD = /^export (?:declare )?(?:abstract )?(function\*?|const|let|class|interface|type) ([\w$]+)([\s\S]*)$/;

function declarationOf({ doc, text }: Statement): Declaration | undefined {
  const [, keyword, name, rest] = HEAD.exec(text) ?? [];
  if (keyword === undefined || name === undefined || rest === undefined) return undefined;
  if (keyword === 'class' || keyword === 'interface') {
    return { kind: keyword, name, doc, signatures: [], members: membersOf(text) };
  }
  if (keyword === 'type') return { kind: 'type', name, doc, signatures: [tidy(`type ${name}${rest}`)], members: [] };
  const signature = keyword.startsWith('function') ? tidy(`${name}${rest}`) : callable(name, tidy(`${name}${rest}`));
  const kind = /^[(<]/.test(signature.slice(name.length)) ? 'function' : 'const';
  return { kind, name, doc, signatures: [signature], members: [] };
}

/** `name: (a: A) => R` as `name(a: A): R`; anything else as it is. */
function callable(name: string, signature: string): string {
  const type = signature.slice(name.length + 2);
  if (!/^[(<]/.test(type)) return signature;
  let depth = 0;
  for (let at = 0; at < type.length; at++) {
    if (OPENING.includes(type[at] ?? '')) depth++;
    if (CLOSING.includes(type[at] ?? '')) depth--;
    if (depth === 0 && type.startsWith(') => ', at)) return `${name}${type.slice(0, at + 1)}: ${type.slice(at + 5)}`;
  }
  return signature;
}

/** Overloads follow each other; the docstring is the first that there is. */
function merge(all: readonly Declaration[]): Declaration[] {
  const merged: Declaration[] = [];
  for (const next of all) {
    const last = merged.at(-1);
    if (last?.name !== next.name || last.kind !== next.kind) {
      merged.push(next);
      continue;
    }
    merged[merged.length - 1] = {
      ...last,
      doc: last.doc ?? next.doc,
      signatures: [...last.signatures, ...next.signatures],
    };
  }
  return merged;
}

/** Reads the text of a `.d.ts` file, or of a source file that only re-exports. */
export function parseDeclarations(text: string): DeclarationFile {
  const all = statements(text);
  return {
    declarations: merge(all.map(declarationOf).filter((declaration) => declaration !== undefined)),
    lists: all.map(listOf).filter((list) => list !== undefined),
  };
}
