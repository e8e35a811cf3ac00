// What changed from one configuration to the next, by section and by name.
import { isDeepStrictEqual } from 'node:util';
import type { Config } from './config.js';

/** A section that lists entries with names. */
export interface ListDiff<T> {
  /** In the order of the new list, as {@link changed} is. */
  readonly added: readonly T[];
  readonly changed: readonly { readonly before: T; readonly after: T }[];
  /** In the order of the old list. */
  readonly removed: readonly T[];
  /** As the old list has them, in the order of the new one. */
  readonly kept: readonly T[];
  /** Names in the order of the new list. */
  readonly order: readonly string[];
}

/** A section that is one value; `undefined` where the configuration has none. */
export interface ValueDiff<T> {
  readonly before: T;
  readonly after: T;
  readonly changed: boolean;
}

/** Of each section; {@link nameOf} has the names of entries. */
export type ConfigDiff = {
  readonly [K in keyof Config]-?: Exclude<Config[K], undefined> extends readonly (infer T)[]
    ? ListDiff<T>
    : ValueDiff<Config[K]>;
};

/** Entries have a name; those that have none are called after their lines, as a chord is. */
export function nameOf(entry: unknown): string {
  if (typeof entry !== 'object' || entry === null) return String(entry);
  if ('name' in entry && typeof entry.name === 'string') return entry.name;
  if ('lines' in entry && Array.isArray(entry.lines)) return entry.lines.join('+');
  return JSON.stringify(entry);
}

/** Names of the entries of a list, each once: the second of a name is `NAME#2`. */
function namesOf(list: readonly unknown[]): string[] {
  const seen = new Map<string, number>();
  return list.map((entry) => {
    const name = nameOf(entry);
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    return count === 1 ? name : `${name}#${count}`;
  });
}

/** Compares two lists by the names of their entries. */
export function diffLists<T>(before: readonly T[], after: readonly T[]): ListDiff<T> {
  const order = namesOf(after);
  const oldNames = namesOf(before);
  const old = new Map(before.map((entry, i) => [oldNames[i] ?? '', entry]));
  const added: T[] = [];
  const changed: { before: T; after: T }[] = [];
  const kept: T[] = [];
  after.forEach((entry, i) => {
    const name = order[i] ?? '';
    const was = old.get(name);
    if (was === undefined) added.push(entry);
    else if (isDeepStrictEqual(was, entry)) kept.push(was);
    else changed.push({ before: was, after: entry });
  });
  const names = new Set(order);
  const removed = before.filter((_, i) => !names.has(oldNames[i] ?? ''));
  return { added, changed, removed, kept, order };
}

function diffSection(before: unknown, after: unknown): ListDiff<unknown> | ValueDiff<unknown> {
  // A list that one of the two leaves out is empty there.
  if (Array.isArray(before) || Array.isArray(after)) {
    return diffLists(Array.isArray(before) ? before : [], Array.isArray(after) ? after : []);
  }
  return { before, after, changed: !isDeepStrictEqual(before, after) };
}

/** Compares two configurations, section by section: also those that only one of them has. */
export function diffConfigs(before: Config, after: Config): Partial<ConfigDiff> {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  return Object.fromEntries([...keys].map((key) => [key, diffSection(old.get(key), now.get(key))]));
}

/** Whether anything in a section is another. */
export function sectionChanged(diff: ListDiff<unknown> | ValueDiff<unknown>): boolean {
  if (!('added' in diff)) return diff.changed;
  return diff.added.length + diff.changed.length + diff.removed.length > 0;
}
