// What V8 has compiled, kept in a file: a start reads it, and compiles next to nothing.
//
// The file has the code of the modules that a start loads (CommonJS, made by packaging/bundle.mjs), as far as it ran when the file was
// written. It is of use to this Node with these options of V8 alone; another one compiles, as without the file. It lies beside
// the modules, so that whoever can change it can change those as well; their names change with what is in them.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';

/**
 * Where the code of a module is in the file: the module's path from the file's folder, the first byte behind the index, how many, and
 * {@link sumOf} them.
 */
export type Place = readonly [path: string, offset: number, size: number, sum: number];

/** The file begins with the size of its index, in bytes, and with {@link sumOf} that; the index, in JSON, comes next. */
export const SUM_AT = 8;
export const INDEX_AT = 16;

const WORD = 4;
/** One word of each 512 bytes is summed up: what disks lose is as much or more, and to sum up all would take a start longer. */
const SUMMED_APART = 512;

/** What is read at once, at most, by all modules but a very large one, in bytes; of this, what is not used costs nothing. */
const SCRATCH_BYTES = 1024 * 1024;

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

/** Tells bytes from those that have lost a block. V8 looks at none of the code that it takes, and damaged code ends the process. */
export function sumOf(bytes: Buffer): number {
  const last = bytes.length - WORD;
  let sum = bytes.length;
  for (let at = 0; at < last; at += SUMMED_APART) sum = Math.imul(sum ^ bytes.readInt32LE(at), 0x01000193);
  return (last < 0 ? sum : Math.imul(sum ^ bytes.readInt32LE(last), 0x01000193)) >>> 0;
}

/** Memory for one thing after the other that is read: memory is dear while it is new. It is given back when nothing is read any more. */
export class Scratch {
  #memory: WeakRef<Buffer> | undefined;

  /** @returns as many bytes or more, which the next one who calls writes over */
  take(size: number): Buffer {
    const known = this.#memory?.deref();
    if (known !== undefined && known.length >= size) return known;
    const made = Buffer.allocUnsafeSlow(Math.max(size, SCRATCH_BYTES));
    this.#memory = new WeakRef(made);
    return made;
  }
}

/** What V8 has made of a module before, or nothing; it may lie in the scratch memory. */
export type CodeOf = (path: string, scratch: Scratch) => Buffer | undefined;

/** Loads modules of CommonJS in the place of `require`, which finds them afterwards. */
export class Loader {
  /** By path, in the order of their begin. */
  readonly scripts = new Map<string, Script>();
  readonly #modules = new Map<string, NodeJS.Module>();
  readonly #takes: (path: string) => boolean;
  readonly #codeOf: CodeOf;
  readonly #scratch = new Scratch();

  /** @param takes whether a module that another one requires is loaded here, too */
  constructor(takes: (path: string) => boolean, codeOf: CodeOf) {
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
    const source = this.#read(filename);
    const cachedData = this.#codeOf(filename, this.#scratch);
    const script = new Script(source, { filename, ...(cachedData !== undefined && { cachedData }) });
    this.scripts.set(filename, script);
    return script;
  }

  /** A module's text, which the bundler writes in ASCII, as {@link Module.wrap} makes it; that would copy it twice. */
  #read(path: string): string {
    const fd = openSync(path, 'r');
    try {
      const end = HEAD.length + fstatSync(fd).size;
      const scratch = this.#scratch.take(end + TAIL.length);
      HEAD.copy(scratch);
      let at = HEAD.length;
      for (let got = 1; at < end && got > 0; at += got) got = readSync(fd, scratch, at, end - at, null);
      TAIL.copy(scratch, at);
      return scratch.toString('latin1', 0, at + TAIL.length);
    } finally {
      closeSync(fd);
    }
  }
}

/** A file of what is kept. It stays open, for modules that are loaded late. */
export class KeptCode {
  readonly #fd: number;
  /** Where the code begins. */
  readonly #begin: number;
  /** By path of the module. */
  readonly #places: ReadonlyMap<string, Place>;

  private constructor(fd: number, begin: number, places: ReadonlyMap<string, Place>) {
    this.#fd = fd;
    this.#begin = begin;
    this.#places = places;
  }

  /**
   * Opens the file for this Node, if there is one that can be read and whose index is whole.
   *
   * @param folder as {@link cachePath} wants it
   */
  static open(folder: string): KeptCode | undefined {
    let fd: number | undefined;
    try {
      fd = openSync(cachePath(folder), 'r');
      const head = readAt(fd, 0, INDEX_AT, Buffer.alloc(INDEX_AT));
      const size = Number(head.readBigUInt64LE());
      if (size > fstatSync(fd).size) throw new RangeError('the file is cut off');
      const text = readAt(fd, INDEX_AT, size, Buffer.alloc(size));
      if (sumOf(text) !== head.readUInt32LE(SUM_AT)) throw new RangeError('the index is damaged');
      const index: readonly Place[] = JSON.parse(text.toString());
      return new KeptCode(fd, INDEX_AT + size, new Map(index.map((place) => [join(folder, place[0]), place])));
    } catch {
      if (fd !== undefined) closeSync(fd);
      return undefined;
    }
  }

  /** The module with which the daemon begins. */
  get first(): string | undefined {
    const [first] = this.#places.keys();
    return first;
  }

  has(path: string): boolean {
    return this.#places.has(path);
  }

  /** As {@link CodeOf}: nothing of a module that is not in the file, or whose code there is damaged. */
  codeOf(path: string, scratch: Scratch): Buffer | undefined {
    const place = this.#places.get(path);
    if (place === undefined) return undefined;
    const [, offset, size, sum] = place;
    try {
      const code = readAt(this.#fd, this.#begin + offset, size, scratch.take(size));
      return sumOf(code) === sum ? code : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Reads that many bytes into the begin of a buffer. @throws {RangeError} when the file ends before */
function readAt(fd: number, from: number, size: number, into: Buffer): Buffer {
  let at = 0;
  for (let got = 1; at < size && got > 0; at += got) got = readSync(fd, into, at, size - at, from + at);
  if (at < size) throw new RangeError('the file is cut off');
  return into.subarray(0, size);
}

/**
 * Loads the module with which the daemon begins, if there is a file for this Node.
 *
 * @param folder as {@link cachePath} wants it
 */
export function loadFromCache(folder: string): void {
  const kept = KeptCode.open(folder);
  if (kept?.first === undefined) return;
  const loader = new Loader(
    (path) => kept.has(path),
    (path, scratch) => kept.codeOf(path, scratch),
  );
  try {
    loader.load(kept.first);
  } catch {
    // Of another version of the package. What is wrong with this one is found out when it is loaded without the file.
  }
}
