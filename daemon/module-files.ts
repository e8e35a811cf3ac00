// Files of the user's modules: whether they are others than when they were loaded.
import { statSync } from 'node:fs';

/** What tells a file from the one that was there before. */
function mark(path: string): string {
  const info = statSync(path, { bigint: true, throwIfNoEntry: false });
  return info === undefined ? 'none' : `${info.dev}:${info.ino}:${info.size}:${info.mtimeNs}`;
}

/** The files that a configuration has had loaded. What they import themselves is not looked at. */
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
