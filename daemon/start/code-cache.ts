// What V8 has compiled, kept in a file: a start reads it, and compiles next to nothing.
//
// The file has the code of the modules that a start loads (CommonJS, made by packaging/bundle.mjs), as far as it ran when the file was
// written. It is of use to this Node with these options of V8 alone; another one compiles, as without the file. It lies beside
// the modules, so that whoever can change it can change those as well; their names change with what is in them.

import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';

/** Where the code of a module is in the file: the module's path from the file's folder, the first byte, and how many. */
export type Place = readonly [path: string, offset: number, size: number];

/** The file begins with the size of its index, in bytes, and with {@link sumOf} the rest; the index, in JSON, comes next. */
export const SUM_AT = 8;
export const INDEX_AT = 16;

const WORD = Int32Array.BYTES_PER_ELEMENT;
/** One word of each 512 bytes is summed up: what disks lose is as much or more, and to sum up all would take a start longer. */
const WORDS_APART = 128;

/** All files' names begin so. */
const BEGIN = 'start';
/** Most of a file's name that tells of Node and its options. */
const NAME_MAX = 100;
/** As Node's own loader runs a module of CommonJS. */
const [HEAD = Buffer.alloc(0), TAIL = Buffer.alloc(0)] = Module.wrap('|')
  .split('|')
  .map((text) => Buffer.from(text));

/**
 * The file for this Node and its options. V8 itself refuses what another one has made after all.
 *
 * @param folder where the entries of the program are
 */
export function cachePath(folder: string): string {
  const { version, arch, execArgv, env } = process;
  const words = [BEGIN, version, arch, ...execArgv, env.NODE_OPTIONS ?? ''].join(' ').trim();
  return join(folder, `${words.replace(/[^\w.=-]+/g, '_').slice(0, NAME_MAX)}.cache`);
}

/** What a file is called until it is whole. It ends as the others do, by which packages find and remove them. */
export function unfinishedPath(path: string): string {
  return path.replace(/\.cache$/, `.${process.pid}.part.cache`);
}

/** Whether kept code is of no use to this Node, whatever its options: another Node's, or from a write that was cut off. */
export function isOutdated(name: string): boolean {
  if (!name.startsWith(`${BEGIN}_`) || !name.endsWith('.cache')) return false;
  const own = [BEGIN, process.version, process.arch].join('_');
  const isOwn = name.startsWith(`${own}.`) || name.startsWith(`${own}_`);
  return !isOwn || /\.\d+\.part\.cache$/.test(name);
}

/** Tells a file from one that has lost a block. V8 looks at none of the code that it takes, and damaged code ends the process. */
export function sumOf(file: Buffer): number {
  const words = new Int32Array(file.buffer, file.byteOffset, Math.floor(file.length / WORD));
  let sum = file.length;
  for (let at = INDEX_AT / WORD; at < words.length; at += WORDS_APART)
    sum = Math.imul(sum ^ (words[at] ?? 0), 0x01000193);
  return sum >>> 0;
}

/** Loads modules of CommonJS in the place of `require`, which finds them afterwards. */
export class Loader {
  /** By path, in the order of their begin. */
  readonly scripts = new Map<string, Script>();
  readonly #modules = new Map<string, NodeJS.Module>();
  readonly #takes: (path: string) => boolean;
  readonly #codeOf: (path: string) => Buffer | undefined;
  /** Every source is read into the same memory, which is dear while it is new. */
  #scratch = Buffer.alloc(0);

  /** @param takes whether a module that another one requires is loaded here, too @param codeOf what V8 has made of it before */
  constructor(takes: (path: string) => boolean, codeOf: (path: string) => Buffer | undefined) {
    this.#takes = takes;
    this.#codeOf = codeOf;
  }

  /** What a module exports; it is run at the first time. */
  load(path: string): unknown {
    const known = this.#modules.get(path);
    if (known !== undefined) return known.exports;
    const script = this.#compile(path);
    const module = new Module(path);
    module.filename = path;
    const native = createRequire(path);
    const own = (id: string): unknown => {
      const target = join(dirname(path), id);
      return id.startsWith('.') && this.#takes(target) ? this.load(target) : native(id);
    };
    this.#modules.set(path, module);
    native.cache[path] = module;
    const run: (...scope: unknown[]) => void = script.runInThisContext();
    try {
      run.call(module.exports, module.exports, Object.assign(own, native), module, path, dirname(path));
    } catch (error) {
      this.#modules.delete(path);
      delete native.cache[path];
      throw error;
    }
    module.loaded = true;
    return module.exports;
  }

  #compile(filename: string): Script {
    const cachedData = this.#codeOf(filename);
    const source = this.#read(filename);
    const script = new Script(source, { filename, ...(cachedData !== undefined && { cachedData }) });
    this.scripts.set(filename, script);
    return script;
  }

  /** A module's text, which the bundler writes in ASCII, as {@link Module.wrap} makes it; that would copy it twice. */
  #read(path: string): string {
    const fd = openSync(path, 'r');
    try {
      const end = HEAD.length + fstatSync(fd).size;
      const size = end + TAIL.length;
      if (this.#scratch.length < size) this.#scratch = Buffer.allocUnsafeSlow(size);
      HEAD.copy(this.#scratch);
      let at = HEAD.length;
      for (let got = 1; at < end && got > 0; at += got) got = readSync(fd, this.#scratch, at, end - at, null);
      TAIL.copy(this.#scratch, at);
      return this.#scratch.toString('latin1', 0, at + TAIL.length);
    } finally {
      closeSync(fd);
    }
  }
}

/**
 * Loads the module with which the daemon begins, if there is a file for this Node.
 *
 * @param folder as {@link cachePath} wants it
 */
export function loadFromCache(folder: string): void {
  const code = readCode(folder);
  const [first] = code.keys();
  if (first === undefined) return;
  const loader = new Loader(
    (path) => code.has(path),
    (path) => code.get(path),
  );
  try {
    loader.load(first);
  } catch {
    // Of another version of the package. What is wrong with this one is found out when it is loaded without the file.
  }
}

/** By path of the module. Nothing when there is no file, or one that cannot be read or is damaged. */
function readCode(folder: string): ReadonlyMap<string, Buffer> {
  try {
    const file = readFileSync(cachePath(folder));
    if (file.readUInt32LE(SUM_AT) !== sumOf(file)) return new Map();
    const begin = INDEX_AT + Number(file.readBigUInt64LE());
    const index: readonly Place[] = JSON.parse(file.toString('utf8', INDEX_AT, begin));
    return new Map(index.map(([path, offset, size]) => [join(folder, path), file.subarray(offset, offset + size)]));
  } catch {
    return new Map();
  }
}
