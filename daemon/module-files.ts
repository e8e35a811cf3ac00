// Files of the user's modules: whether they are others than when they were loaded.
import { statSync } from 'node:fs';

/** What tells a file from the one that was there before. */
function mark(path: string): string {
  const info = statSync(path, { bigint: true, throwIfNoEntry: false });
  return info === undefined ? 'none' : `${info.dev}:${info.ino}:${info.size}:${info.mtimeNs}`;
}

/** The files that a configuration has had loaded. What they import themselves is not looked at. */
export class ModuleFiles {
  #marks = new Map<string, string>();

  /** Remembers files as they are now. Those that are known stay as they were, unless they are in `anew`. */
  note(paths: Iterable<string>, anew: ReadonlySet<string> = new Set()): void {
    const marks = new Map<string, string>();
    for (const path of paths) marks.set(path, (anew.has(path) ? undefined : this.#marks.get(path)) ?? mark(path));
    this.#marks = marks;
  }

  /** Known files that are others by now. */
  changed(): Set<string> {
    return new Set([...this.#marks].flatMap(([path, before]) => (mark(path) === before ? [] : path)));
  }
}
