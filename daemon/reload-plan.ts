// What a reload has to touch: worked out before anything is, from two configurations alone.
import type { Config, LineSpec } from './config/config.js';
import { type ConfigDiff, diffConfigs, diffLists, type ListDiff, sectionChanged } from './config/diff.js';

/** What is to be done, by name. */
export interface ReloadPlan {
  readonly diff: Partial<ConfigDiff>;
  /** What the service is to go by afterwards: the new one, but for what takes effect only at the next start. */
  readonly config: Config;
  readonly lines: ListDiff<LineSpec>;
  /** Lines of before whose interrupts are freed. */
  readonly freed: ReadonlySet<string>;
  /** Lines of after whose interrupts are requested. */
  readonly requested: ReadonlySet<string>;
  /** Lines that have another descriptor than before, or none any more: other places, or the other direction. */
  readonly moved: ReadonlySet<string>;
  /** Queues of before that end, and of after that begin; one that has changed does both. */
  readonly queuesEnded: ReadonlySet<string>;
  readonly queuesBegun: ReadonlySet<string>;
  readonly chipsClosed: ReadonlySet<string>;
  readonly chipsOpened: ReadonlySet<string>;
  /** Whether all chords, and all triggers, begin anew. */
  readonly chords: boolean;
  readonly triggers: boolean;
  /** What takes effect only at the next start. */
  readonly restart: readonly { readonly key: string; readonly why: string }[];
}

/** Why some keys cannot change while the daemon runs. */
const AT_START: Readonly<Partial<Record<keyof Config, string>>> = {
  driver: 'all lines are held through the driver',
  chip: 'all lines that name no chip are held on it',
  cpus: 'the model is made with its CPUs',
  eventBuffer: 'the kernel makes the buffer when a line is requested',
  eventClock: 'events are told in one way for as long as the daemon runs',
};

/** Sections that the service itself takes over, or says of that they wait, as they are called in the file. */
export const SERVICE_SECTIONS: ReadonlySet<string> = new Set([
  ...['lines', 'interrupts', 'workqueues', 'chips', 'chords', 'triggers'],
  ...Object.keys(AT_START).map(keyInFile),
]);

/** What an entry refers to, wherever in it: lines, queues, and files of modules. */
interface References {
  readonly lines: ReadonlySet<string>;
  readonly queues: ReadonlySet<string>;
  readonly files: ReadonlySet<string>;
}

/** Files of modules are under these keys, as absolute paths. */
const FILE_KEYS = new Set(['path', 'handler']);

/** Finds what an entry refers to: specs name lines, queues and files under the same keys at whatever depth. */
export function referencesOf(entry: unknown): References {
  const found = { lines: new Set<string>(), queues: new Set<string>(), files: new Set<string>() };
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'lines' && Array.isArray(inner)) for (const line of inner) found.lines.add(String(line));
      else if (typeof inner !== 'string') look(inner);
      else if (key === 'line') found.lines.add(inner);
      else if (key === 'queue') found.queues.add(inner);
      else if (FILE_KEYS.has(key)) found.files.add(inner);
    }
  };
  look(entry);
  return found;
}

/** All files of modules that a configuration names. */
export function moduleFiles({ interrupts, chords, triggers }: Config): ReadonlySet<string> {
  return referencesOf([interrupts, chords, triggers]).files;
}

/** Whether a line's interrupts have to be requested anew. */
function wired(line: LineSpec): unknown[] {
  const { gpio, chip, direction, edge, activeLow, stormGuard } = line;
  return [gpio, chip, direction, edge, activeLow, stormGuard];
}

/** Where a line is; its descriptor is another when that is. */
function placed({ gpio, chip, direction }: LineSpec): unknown[] {
  return [gpio, chip, direction];
}

function differ(a: unknown[], b: unknown[]): boolean {
  return JSON.stringify(a) !== JSON.stringify(b);
}

function both(a: ReadonlySet<string>, b: ReadonlySet<string>): Set<string> {
  return new Set([...a, ...b]);
}

function common(a: ReadonlySet<string>, b: ReadonlySet<string>): Set<string> {
  return new Set([...a].filter((one) => b.has(one)));
}

function intersects(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  for (const one of a) if (b.has(one)) return true;
  return false;
}

const names = (entries: readonly { readonly name: string }[]): string[] => entries.map(({ name }) => name);

/** With what takes effect only at the next start as it was. */
function asItRuns(before: Config, after: Config): Config {
  const { driver, chip, cpus, eventBuffer, eventClock } = before;
  const { cpus: _cpus, eventBuffer: _eventBuffer, eventClock: _eventClock, ...others } = after;
  return Object.freeze({
    ...others,
    ...{ driver, chip },
    ...(cpus === undefined ? {} : { cpus }),
    ...(eventBuffer === undefined ? {} : { eventBuffer }),
    ...(eventClock === undefined ? {} : { eventClock }),
  });
}

/** With entries that are kept and have a module that is another among the changed ones, behind the others. */
function withFiles<T>(diff: ListDiff<T>, changedFiles: ReadonlySet<string>): ListDiff<T> {
  const isOther = (entry: T): boolean => intersects(referencesOf(entry).files, changedFiles);
  const others = diff.kept.filter(isOther).map((entry) => ({ before: entry, after: entry }));
  return { ...diff, changed: [...diff.changed, ...others], kept: diff.kept.filter((entry) => !isOther(entry)) };
}

function namesOf(diff: ListDiff<{ readonly name: string }>, side: 'before' | 'after'): Set<string> {
  const changed = diff.changed.map((change) => change[side]);
  return new Set(names([...(side === 'before' ? diff.removed : diff.added), ...changed]));
}

/**
 * Works out what has to be touched.
 *
 * @param changedFiles absolute paths of modules whose files are others than when they were loaded
 */
export function planReload(before: Config, after: Config, changedFiles: ReadonlySet<string> = new Set()): ReloadPlan {
  const diff = diffConfigs(before, after);
  const lines = diffLists(before.lines, after.lines);
  const queues = diffLists(before.workqueues, after.workqueues);
  const chips = diffLists(before.chips ?? [], after.chips ?? []);
  const interrupts = diffLists(before.interrupts, after.interrupts);
  const moved = new Set([
    ...names(lines.removed),
    ...lines.changed
      .filter((line) => differ(placed(line.before), placed(line.after)))
      .map(({ after: line }) => line.name),
  ]);
  const [chipsClosed, chipsOpened] = [namesOf(chips, 'before'), namesOf(chips, 'after')];
  // The descriptors of a chip that is opened anew are others, too.
  for (const line of before.lines) if (line.chip !== undefined && chipsClosed.has(line.chip)) moved.add(line.name);
  const stale = staleQueues(before, changedFiles);
  const queuesEnded = both(namesOf(queues, 'before'), stale);
  const queuesBegun = both(namesOf(queues, 'after'), common(stale, new Set(queues.order)));
  const outdated = (entry: unknown): boolean => {
    const refers = referencesOf(entry);
    return (
      intersects(refers.lines, moved) ||
      intersects(refers.queues, queuesEnded) ||
      intersects(refers.files, changedFiles)
    );
  };
  const touched = new Set<string>();
  for (const { before: was, after: is } of interrupts.changed) touched.add(was.line).add(is.line);
  for (const { line } of [...interrupts.added, ...interrupts.removed]) touched.add(line);
  for (const entry of after.interrupts) if (outdated(entry)) touched.add(entry.line);
  for (const { before: was, after: is } of lines.changed) if (differ(wired(was), wired(is))) touched.add(is.name);
  for (const line of [...lines.added, ...lines.removed]) touched.add(line.name);
  for (const line of moved) touched.add(line);
  const withEdges = (config: Config): Set<string> => new Set(names(config.lines.filter(({ edge }) => edge !== 'none')));
  const changedSection = (key: 'chords' | 'triggers'): boolean => {
    const section = diff[key];
    return (section !== undefined && sectionChanged(section)) || (after[key] ?? []).some(outdated);
  };
  return {
    diff: {
      ...diff,
      interrupts: withFiles(interrupts, changedFiles),
      ...(diff.chords !== undefined && { chords: withFiles(diff.chords, changedFiles) }),
      ...(diff.triggers !== undefined && { triggers: withFiles(diff.triggers, changedFiles) }),
    },
    config: asItRuns(before, after),
    lines,
    freed: common(touched, withEdges(before)),
    requested: common(touched, withEdges(after)),
    moved,
    queuesEnded,
    queuesBegun,
    chipsClosed,
    chipsOpened,
    chords: changedSection('chords'),
    triggers: changedSection('triggers'),
    restart: restartsOf(diff),
  };
}

/** Queues whose threads have modules loaded that are others by now. */
function staleQueues(config: Config, changedFiles: ReadonlySet<string>): Set<string> {
  const stale = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('queue' in value && typeof value.queue === 'string' && intersects(referencesOf(value).files, changedFiles)) {
      stale.add(value.queue);
    }
    for (const inner of Object.values(value)) look(inner);
  };
  look([config.interrupts, config.chords, config.triggers]);
  return stale;
}

function restartsOf(diff: Partial<ConfigDiff>): { key: string; why: string }[] {
  return Object.entries(AT_START).flatMap(([key, why]) => {
    const section = Object.entries(diff).find(([name]) => name === key)?.[1];
    return section !== undefined && sectionChanged(section) ? { key: keyInFile(key), why } : [];
  });
}

/** What a key of the configuration is called in its file. */
export function keyInFile(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
