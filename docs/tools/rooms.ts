// What the model exports, room by room: which file declares each name of kernel/index.ts, with its docstring and values.
import { dirname, join } from 'node:path/posix';
import { type Declaration, type DeclarationFile, parseDeclarations } from './declarations.js';
import { type Docstring, parseDocstring } from './docstring.js';
import { type KnowsName, linuxNames } from './names.js';

/** One exported name. */
export interface Entry {
  readonly declaration: Declaration;
  readonly doc: Docstring;
  /** Names in Linux, the present one first. */
  readonly linux: readonly string[];
  /** Only its type can be imported: there is no `new`. */
  readonly typeOnly: boolean;
  /** Of a constant: what it is set to in the source, where that fits on a line. */
  readonly value: string | undefined;
}

/** One source file of a room. */
export interface RoomFile {
  /** From the root of the repository. */
  readonly path: string;
  /** Its first comment: what it is about. */
  readonly title: string;
  readonly entries: readonly Entry[];
}

/** A folder of kernel/, or one of the files at its top. */
export interface Room {
  readonly name: string;
  readonly files: readonly RoomFile[];
}

/** The texts of the model, by path from the root: sources as they are, declarations as tsc emits them. */
export interface ModelTexts {
  readonly sources: ReadonlyMap<string, string>;
  readonly declarations: ReadonlyMap<string, string>;
}

const INDEX = 'kernel/index.ts';

function required(texts: ReadonlyMap<string, string>, path: string, from: string): string {
  const text = texts.get(path);
  if (text === undefined) throw new Error(`${from} exports from ${path}, which does not exist`);
  return text;
}

/** A constant's right side in the source, for names that are written in capitals. */
function valueIn(source: string, name: string): string | undefined {
  return /^[A-Z0-9_]+$/.test(name)
    ? new RegExp(`^export const ${name}(?::[^=]+)? = ([^{[\\n]{1,60});$`, 'm').exec(source)?.[1]
    : undefined;
}

/** What `name` stands for in a file, under the name `as`. */
function find(file: DeclarationFile, name: string, as: string): Declaration | undefined {
  const alias = file.lists.find((list) => list.from === undefined && list.names?.some((listed) => listed.as === name));
  const original = alias?.names?.find((listed) => listed.as === name)?.name ?? name;
  const found = file.declarations.find((declaration) => declaration.name === original);
  if (found === undefined || original === as) return found;
  return {
    ...found,
    name: as,
    doc: `/** The same as {@link ${original}}. */`,
    signatures: found.signatures.map((signature) => signature.replace(original, as)),
    members: [],
  };
}

/** Every name that a file declares or lists. */
function ownNames(file: DeclarationFile): string[] {
  const listed = file.lists.filter(({ from }) => from === undefined).flatMap(({ names }) => names ?? []);
  return [...file.declarations.map(({ name }) => name), ...listed.map(({ as }) => as)];
}

/** Reads the rooms, in alphabetical order; their files likewise, and entries as they stand in the source. */
export function readRooms(texts: ModelTexts, knows: KnowsName): Room[] {
  const rooms = new Map<string, RoomFile[]>();
  const index = parseDeclarations(required(texts.sources, INDEX, 'this tool'));
  for (const list of index.lists) {
    const path = join(dirname(INDEX), list.from ?? '').replace(/\.js$/, '.ts');
    const source = required(texts.sources, path, INDEX);
    const file = parseDeclarations(required(texts.declarations, path.replace(/\.ts$/, '.d.ts'), INDEX));
    const wanted = list.names ?? ownNames(file).map((name) => ({ name, as: name, typeOnly: false }));
    const entries = wanted.flatMap(({ name, as, typeOnly }): Entry[] => {
      const declaration = find(file, name, as);
      if (declaration === undefined) return [];
      const doc = parseDocstring(declaration.doc);
      const linux = linuxNames(declaration, doc.text, knows);
      return [{ declaration, doc, linux, typeOnly, value: valueIn(source, name) }];
    });
    const inside = path.split('/').slice(1);
    const room = inside.length > 1 ? (inside[0] ?? '') : (inside[0] ?? '').replace(/\.ts$/, '');
    const title = (/^\/\/ ?(.*)/.exec(source)?.[1] ?? '').trim();
    const files = rooms.get(room) ?? [];
    rooms.set(room, [...files, { path, title, entries }]);
  }
  const byPath = (a: RoomFile, b: RoomFile): number => (a.path < b.path ? -1 : 1);
  return [...rooms]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, files]) => ({ name, files: merged(files).sort(byPath) }));
}

/** A file that the index names twice, for values and for types, is one. */
function merged(files: readonly RoomFile[]): RoomFile[] {
  const byPath = new Map<string, RoomFile>();
  for (const file of files) {
    const known = byPath.get(file.path);
    byPath.set(file.path, known === undefined ? file : { ...file, entries: [...known.entries, ...file.entries] });
  }
  return [...byPath.values()];
}
