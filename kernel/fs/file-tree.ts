// The files of /proc and /sys: a tree of names, and what is read from and written to each (fs/proc/generic.c, fs/kernfs).
import { type ErrnoCode, KernelError } from '../errno.js';
import { isCoroutine, isPromiseLike, type Process } from '../sched/coroutine.js';
import { type Effect, effect, finish } from '../sched/effect.js';

/** What a file does. */
export interface FileOps {
  /** Permissions, e.g. 0o644. For `ls` only: whoever reads and writes is root. */
  readonly mode: number;
  /** The whole text. Any context, also outside of the model. */
  show?(): string;
  /** Takes what was written; throws a KernelError to refuse it. Process context. */
  store?(text: string): Process<void>;
}

/** A file or directory as {@link FileTree.list} shows it. */
export interface FileStat {
  readonly name: string;
  readonly directory: boolean;
  readonly mode: number;
}

type Directory = Map<string, Node>;
type Node = FileOps | Directory;

const DIRECTORY_MODE = 0o555;

function failure(code: ErrnoCode, path: string, what: string): KernelError {
  return new KernelError(code, `${path}: ${what}`, { subject: path });
}

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function compareNames([a]: readonly [string, Node], [b]: readonly [string, Node]): number {
  return a < b ? -1 : 1;
}

/** The virtual file systems of a machine. Each room of the model puts its files in; paths are absolute, `..` is a name as any. */
export class FileTree {
  readonly #root: Directory = new Map();

  /** Makes a file, and the directories on the way; one of that name is replaced. `ENOTDIR` when a file is in the way. */
  create(path: string, ops: FileOps): void {
    const names = namesOf(path);
    const name = names.pop();
    if (name === undefined) throw failure('EISDIR', path, 'is a directory');
    this.#makeDirectories(names, path).set(name, ops);
  }

  /** Makes a directory, and those on the way; one that is there stays as it is. `ENOTDIR` when a file is in the way. */
  mkdir(path: string): void {
    this.#makeDirectories(namesOf(path), path);
  }

  #makeDirectories(names: readonly string[], path: string): Directory {
    let at = this.#root;
    for (const name of names) {
      const next = at.get(name) ?? new Map<string, Node>();
      if (!(next instanceof Map)) throw failure('ENOTDIR', path, `'${name}' is a file`);
      at.set(name, next);
      at = next;
    }
    return at;
  }

  /** Takes a file away, or a directory with all that is in it; what is not there is left alone. */
  remove(path: string): void {
    const names = namesOf(path);
    const name = names.pop();
    const parent = this.#walk(names);
    if (name !== undefined && parent instanceof Map) parent.delete(name);
  }

  exists(path: string): boolean {
    return this.#walk(namesOf(path)) !== undefined;
  }

  #walk(names: readonly string[]): Node | undefined {
    let at: Node | undefined = this.#root;
    for (const name of names) at = at instanceof Map ? at.get(name) : undefined;
    return at;
  }

  #find(path: string): Node {
    let at: Node = this.#root;
    for (const name of namesOf(path)) {
      if (!(at instanceof Map)) throw failure('ENOTDIR', path, 'not a directory');
      const next: Node | undefined = at.get(name);
      if (next === undefined) throw failure('ENOENT', path, 'no such file or directory');
      at = next;
    }
    return at;
  }

  #file(path: string): FileOps {
    const node = this.#find(path);
    if (node instanceof Map) throw failure('EISDIR', path, 'is a directory');
    return node;
  }

  /** What is known of a file or directory. `ENOENT`, `ENOTDIR`. Any context. */
  stat(path: string): FileStat {
    return statOf(namesOf(path).at(-1) ?? '', this.#find(path));
  }

  /** What a directory has, by name; a file gives itself. `ENOENT`, `ENOTDIR`. Any context. */
  list(path: string): FileStat[] {
    const node = this.#find(path);
    if (!(node instanceof Map)) return [this.stat(path)];
    return [...node].sort(compareNames).map(([name, entry]) => statOf(name, entry));
  }

  /**
   * The text of a file. Any context, also outside of the model.
   *
   * @throws KernelError ENOENT, ENOTDIR, EISDIR; EIO in /proc, EACCES in /sys for one that can only be written
   */
  read(path: string): string {
    const file = this.#file(path);
    if (file.show === undefined) throw notFor(path, 'read');
    return file.show();
  }

  /**
   * Writes a file, as root. Process context.
   *
   * @throws KernelError ENOENT, ENOTDIR, EISDIR; EIO in /proc, EACCES in /sys for one that can only be read; and what the file
   *   says to the text
   */
  write(path: string, text: string): Effect<void> {
    return writeFile(path, this.#file(path), text);
  }
}

const writeFile = effect(function* writeFile(path: string, file: FileOps, text: string) {
  if (file.store === undefined) throw notFor(path, 'written');
  if (typeof text !== 'string') throw failure('EINVAL', path, `takes text, not ${String(text)}`);
  const result = file.store(text);
  if (isCoroutine(result) || isPromiseLike(result)) yield* finish(result);
});

/** /proc has files without the operation, /sys looks at it when they are opened. */
function notFor(path: string, what: string): KernelError {
  const [top] = namesOf(path);
  return failure(top === 'sys' ? 'EACCES' : 'EIO', path, `cannot be ${what}`);
}

function statOf(name: string, node: Node): FileStat {
  const directory = node instanceof Map;
  return { name, directory, mode: directory ? DIRECTORY_MODE : node.mode };
}
