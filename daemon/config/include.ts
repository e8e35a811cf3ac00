// Gathering the files of a configuration: the one that is named, and those that it includes.

import { readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { faultOf } from '../file-faults.js';
import type { Environment } from './environment.js';
import { type ConfigError, type ConfigPath, type Finding, printable } from './errors.js';
import { Checker } from './pieces.js';
import { readText, toError } from './read.js';
import { redactValue } from './redact.js';
import { includeSchema } from './sections/include.js';
import { parseSource, type Source } from './source.js';

/** Deepest chain of files that include each other. */
const MAX_DEPTH = 8;
/** Most files of one configuration. */
export const MAX_FILES = 64;
/** Most characters of all its files. */
const MAX_CHARACTERS = 1024 * 1024;
/** Most values in all its files, those that aliases repeat included. */
const MAX_VALUES = 20_000;

/** One file of a configuration. */
export interface Part {
  /** As the user would name it. */
  readonly file: string;
  /** Where it is; paths in it are relative to this. */
  readonly directory: string;
  readonly text: string;
  readonly source: Source;
}

/** All files of a configuration. */
export interface Gathered {
  /** The named file first, each with those that it includes behind it. */
  readonly parts: readonly Part[];
  readonly errors: readonly ConfigError[];
  /** A file could not be read, or is no YAML: to check what is there would bring errors that only follow from this. */
  readonly incomplete: boolean;
}

/** `true` for what a parsed mapping is. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isYaml(name: string): boolean {
  return /^[^.].*\.ya?ml$/.test(name);
}

/** A file to be included: why it cannot be is told at `path` of the part that includes it. */
interface Inclusion {
  readonly by: Part;
  readonly path: ConfigPath;
  /** Files that lead to it, by their real paths. */
  readonly chain: readonly string[];
}

class Gatherer {
  readonly parts: Part[] = [];
  readonly errors: ConfigError[] = [];
  incomplete = false;
  #characters = 0;
  #values = 0;
  /** A file went over the limits; those behind it are not read. */
  #full = false;
  readonly #environment: Environment;
  /** By real path: where each file was included. */
  readonly #seen = new Map<string, string>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Adds a file and what it includes. @param chain real paths of the files that lead here, its own last */
  add(file: string, text: string, chain: readonly string[]): void {
    this.#characters += text.length;
    const maxValues = Math.max(0, MAX_VALUES - this.#values);
    const source = parseSource(text, { maxValues, environment: this.#environment });
    this.#values += source.count;
    const part: Part = { file, directory: dirname(resolve(file)), text, source };
    this.parts.push(part);
    for (const finding of source.findings) this.errors.push(toError(finding, file, finding.place));
    const limited = source.findings.some((finding) => finding.code === 'CONFIG_LIMIT');
    this.#full ||= limited;
    if (source.value === undefined || limited) this.incomplete = true;
    else this.#includes(part, chain);
  }

  #includes(part: Part, chain: readonly string[]): void {
    const root = part.source.value;
    if (!isMapping(root) || !Object.hasOwn(root, 'include')) return;
    const substitutionAt = (path: ConfigPath) => part.source.substitutions.get(JSON.stringify(path));
    const checker = new Checker(root, substitutionAt);
    const include = checker.check(includeSchema, ['include']);
    for (const finding of checker.findings) this.#refuse(part, finding);
    for (const [i, entry] of include?.items.entries() ?? []) {
      const path = include?.listed === true ? ['include', i] : ['include'];
      this.#entry(entry, { by: part, path, chain });
    }
  }

  #refuse(part: Part, finding: Finding): void {
    this.incomplete = true;
    const { file, source } = part;
    const told = redactValue(finding, source.substitutions.get(JSON.stringify(finding.path)));
    this.errors.push(toError(told, file, source.place(finding.path, finding.atKey)));
  }

  #entry(entry: string, inclusion: Inclusion): void {
    const { by, path } = inclusion;
    const absolute = resolve(by.directory, entry);
    const shown = entry.startsWith('/') ? entry : join(dirname(by.file), entry);
    let names: string[] | undefined;
    try {
      if (statSync(absolute).isDirectory()) names = readdirSync(absolute).filter(isYaml).sort();
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
      const { words, hint: usual = 'check the path' } = faultOf(error, absolute);
      const shown = `'${printable(entry)}'`;
      const message = missing ? `no file or directory ${shown}` : `${shown} cannot be read: ${words}`;
      const hint = missing ? `it is looked for in ${by.directory}` : usual;
      this.#refuse(by, { code: missing ? 'CONFIG_REFERENCE' : 'CONFIG_FILE', path, message, hint });
      return;
    }
    if (names === undefined) this.#file(absolute, shown, inclusion);
    else for (const name of names) this.#file(join(absolute, name), join(shown, name), inclusion);
  }

  #file(absolute: string, shown: string, inclusion: Inclusion): void {
    const { by, path, chain } = inclusion;
    if (this.#full) return;
    const real = this.#unseen(absolute, shown, inclusion);
    if (real === undefined) return;
    const over = this.#overLimit(chain);
    if (over !== undefined) {
      this.#refuse(by, { code: 'CONFIG_LIMIT', path, ...over });
      return;
    }
    const read = readText(absolute);
    if (read.ok) {
      this.add(shown, read.text, [...chain, real]);
      return;
    }
    this.incomplete = true;
    for (const error of read.errors) this.errors.push(Object.freeze({ ...error, file: shown }));
  }

  #overLimit(chain: readonly string[]): { readonly message: string; readonly hint: string } | undefined {
    if (chain.length >= MAX_DEPTH) return { message: 'included too deeply', hint: `at most ${MAX_DEPTH} files deep` };
    if (this.parts.length >= MAX_FILES) return { message: 'too many files', hint: `at most ${MAX_FILES} in all` };
    if (this.#characters <= MAX_CHARACTERS) return undefined;
    return { message: 'the files are larger than 1 MiB together', hint: 'is all of it a configuration?' };
  }

  /** Notes a file as included. @returns its real path; `undefined` when it is already, which is an error */
  #unseen(absolute: string, shown: string, { by, path, chain }: Inclusion): string | undefined {
    let real = absolute;
    try {
      real = realpathSync(absolute);
    } catch {
      // Reading it says why.
    }
    const before = this.#seen.get(real);
    const circle = chain.includes(real);
    const { line, column } = by.source.place(path);
    if (before === undefined && !circle) {
      this.#seen.set(real, `${by.file}:${line}:${column}`);
      return real;
    }
    const message = circle ? `'${printable(shown)}' would include itself` : `'${printable(shown)}' is included already`;
    const hint = circle ? 'remove one include of the circle' : `at ${before}`;
    this.#refuse(by, { code: 'CONFIG_DUPLICATE', path, message, hint });
    return undefined;
  }
}

/** Reads the files that a configuration includes. Never throws. @param text of the file that is named */
export function gather(text: string, file: string, environment: Environment): Gathered {
  const gatherer = new Gatherer(environment);
  let real = resolve(file);
  try {
    real = realpathSync(file);
  } catch {
    // A text that is in no file can be included by none.
  }
  gatherer.add(file, text, [real]);
  const { parts, errors, incomplete } = gatherer;
  return { parts, errors, incomplete };
}
