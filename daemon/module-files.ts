// The user's modules: whether their files are others than when they were loaded.
import { statSync } from 'node:fs';
import { ownFiles } from './own-files.js';

/** What tells a module from the one that was there before: its file, and those that it imports by their places. */
function mark(path: string): string {
  return ownFiles(path)
    .map((file) => `${file} ${markOfFile(file)}`)
    .join('\n');
}

/** A file that cannot be looked at is another one than before: whoever loads it says why, and nobody has to when it is named no more. */
function markOfFile(path: string): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true });
    return `${dev}:${ino}:${size}:${mtimeNs}`;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'none';
  }
}

/** The modules that a configuration has had loaded, by their files; a module is another when a file is that it imports. */
export class ModuleFiles {
  #marks: ReadonlyMap<string, string> = new Map();

  /** What tells files as they are now; of those that are known as they were, unless they are in `anew`. */
  look(paths: Iterable<string>, anew: ReadonlySet<string> = new Set()): ReadonlyMap<string, string> {
    const marks = new Map<string, string>();
    for (const path of paths) marks.set(path, (anew.has(path) ? undefined : this.#marks.get(path)) ?? mark(path));
    return marks;
  }

  /** Knows files from now on as {@link look} has found them: before they were loaded, lest one that changes meanwhile is missed. */
  note(marks: ReadonlyMap<string, string>): void {
    this.#marks = marks;
  }

  /** Known files that are others by now. */
  changed(): Set<string> {
    return new Set([...this.#marks].flatMap(([path, before]) => (mark(path) === before ? [] : path)));
  }
}
