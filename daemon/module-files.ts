// The user's modules: whether their files are others than when they were loaded.
import { statSync } from 'node:fs';
import { ownFiles } from './own-files.js';

/** What tells a module from the one that was there before: its file, and those that it imports by their places. */
function mark(path: string): string {
  return ownFiles(path)
    .map((file) => `${file} ${markOfFile(file)}`)
    .join('\n');
}

function markOfFile(path: string): string {
  const info = statSync(path, { bigint: true, throwIfNoEntry: false });
  return info === undefined ? 'none' : `${info.dev}:${info.ino}:${info.size}:${info.mtimeNs}`;
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
