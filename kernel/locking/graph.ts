// The graph of lock classes, and the shortest paths through it that a deadlock would take.
import type { Dependency, LockClass, ReadMode } from './held.js';
import type { Place } from './place.js';

/** Kinds of a dependency: does the first taking exclude others, and does the second one wait for shared holders too. */
const RECURSIVE_SECOND = 0b0011;
const SHARED_FIRST = 0b0101;

/** The bit in {@link Dependency.kinds} for a lock taken as `second` inside one taken as `first`. */
export function dependencyBit(first: ReadMode, second: ReadMode): number {
  return 1 << ((first === 0 ? 1 : 0) | (second === 2 ? 0 : 2));
}

/** The same dependency, seen from its other end. */
export function reverseDependencyBit(first: ReadMode, second: ReadMode): number {
  return 1 << ((second === 2 ? 0 : 1) | (first === 0 ? 2 : 0));
}

/** A class on a path, reached from `parent`. */
export interface PathNode {
  readonly cls: LockClass;
  readonly parent: PathNode | undefined;
  /** Where the dependency from the parent was seen. */
  readonly place: Place | undefined;
  /** The way here ends in a taking that others of its kind do not wait for. */
  readonly onlyRecursive: boolean;
}

export type Direction = 'after' | 'before';

/** Nearest class for which `match` holds, in the order of distance; only along ways on which somebody really waits. */
export function search(
  root: LockClass,
  onlyRecursive: boolean,
  direction: Direction,
  match: (node: PathNode) => boolean,
): PathNode | undefined {
  const seen = [new Set<LockClass>(), new Set<LockClass>()] as const;
  const queue: PathNode[] = [{ cls: root, parent: undefined, place: undefined, onlyRecursive }];
  seen[onlyRecursive ? 1 : 0].add(root);
  for (let node = queue.shift(); node !== undefined; node = queue.shift()) {
    if (match(node)) return node;
    for (const dependency of node.cls[direction]) {
      const next = step(node, dependency);
      if (next === undefined || seen[0].has(next.cls) || seen[next.onlyRecursive ? 1 : 0].has(next.cls)) continue;
      seen[next.onlyRecursive ? 1 : 0].add(next.cls);
      queue.push(next);
    }
  }
  return undefined;
}

function step(from: PathNode, { cls, place, kinds }: Dependency): PathNode | undefined {
  // Behind a recursive reader only an exclusive taking makes anybody wait.
  const usable = from.onlyRecursive ? kinds & ~SHARED_FIRST : kinds;
  if (usable === 0) return undefined;
  return { cls, parent: from, place, onlyRecursive: (usable & ~RECURSIVE_SECOND) === 0 };
}

/** Notes that `second` was taken inside `first`. */
export function connect(
  first: LockClass,
  second: LockClass,
  firstRead: ReadMode,
  secondRead: ReadMode,
  place: Place,
): void {
  note(first.after, second, dependencyBit(firstRead, secondRead), place);
  note(second.before, first, reverseDependencyBit(firstRead, secondRead), place);
}

function note(list: Dependency[], cls: LockClass, kind: number, place: Place): void {
  const known = list.find((dependency) => dependency.cls === cls);
  if (known === undefined) list.push({ cls, place, kinds: kind });
  else known.kinds |= kind;
}
