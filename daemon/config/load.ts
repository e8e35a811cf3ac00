// Loading a configuration: from a file or a text to a frozen Config, or to the list of everything that is wrong.

import { resolve } from 'node:path';
import { buildConfig } from './build.js';
import type { Config } from './config.js';
import type { Environment } from './environment.js';
import {
  type ConfigError,
  type ConfigNote,
  type ConfigPath,
  type ConfigWarning,
  type Finding,
  formatPath,
} from './errors.js';
import { checkConfigFile, checkNamedFile, checkPresent, checkSecretsPresent, checkTrust } from './files.js';
import { gather, type Part } from './include.js';
import { type Located, Merged } from './merge.js';
import { takeApart } from './pieces.js';
import { readText, toError } from './read.js';
import { redactMentions, redactValue } from './redact.js';
import { checkRules } from './rules.js';
import { checkSuspicious } from './suspicious.js';

export { type FileHints, MAX_FILE_BYTES, readText, type TextResult, toError } from './read.js';

/** What was read: each file of the configuration, as the user would name it, with its text. The named one is the first. */
export type ConfigTexts = ReadonlyMap<string, string>;

/** A configuration, or what is wrong with its files: at least one error, file by file, in the order of each. */
export type ConfigResult =
  | {
      readonly ok: true;
      readonly config: Config;
      /** What is allowed and probably not meant, in the same order. */
      readonly warnings: readonly ConfigWarning[];
      readonly texts: ConfigTexts;
    }
  | { readonly ok: false; readonly errors: readonly ConfigError[]; readonly texts: ConfigTexts };

/** How a configuration is read. */
export interface LoadOptions {
  /**
   * Refuses what others than root and the daemon's user could have changed, and secrets that others may read: for a daemon
   * that runs by itself. Replays and tests run where everything may belong to anyone.
   */
  readonly trusted?: boolean;
  /** What variables stand for; default: the environment of the process. */
  readonly environment?: Environment;
}

/** Most errors listed; a file with more is not a configuration. */
const MAX_ERRORS = 100;

/** Errors without repetition, file by file, in the order of each, as many as are listed. */
export function inOrder<C extends string>(
  errors: readonly ConfigNote<C>[],
  files: readonly string[] = [],
): ConfigNote<C>[] {
  const seen = new Set<string>();
  const distinct = errors.filter((error) => {
    const key = `${error.file}:${error.line}:${error.column}:${error.path}:${error.message}`;
    return seen.size !== seen.add(key).size;
  });
  const rank = (error: ConfigNote): number => files.indexOf(error.file);
  return distinct.sort((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column).slice(0, MAX_ERRORS);
}

/** Gives findings their places, and takes out of them what must not be shown. */
class Placer {
  readonly #unread = new Set<string>();
  readonly #parts: readonly Part[];

  constructor(parts: readonly Part[]) {
    this.#parts = parts;
    for (const { file, source } of parts) {
      for (const { path } of source.findings) if (path.length > 0) this.#unread.add(`${file}:${formatPath(path)}`);
    }
  }

  /** @returns none for what could not be read (an alias, a tag): that has been said, and that nothing is there follows. */
  notes<C extends string>(finding: Finding<C>, { part, path }: Located): ConfigNote<C>[] {
    if (this.#unread.has(`${part.file}:${formatPath(path)}`)) return [];
    let told = redactValue({ ...finding, path }, part.source.substitutions.get(JSON.stringify(path)));
    for (const { source } of this.#parts) told = redactMentions(told, source.substitutions.values());
    return [toError(told, part.file, part.source.place(path, finding.atKey))];
  }
}

/** The included files that others could have changed. */
function untrusted(parts: readonly Part[]): ConfigError[] {
  return parts.flatMap(({ file }) =>
    checkConfigFile(file).map((finding) => toError(finding, file, { line: 1, column: 1 })),
  );
}

/**
 * Reads a configuration from its text, and from the files that it includes. Never throws.
 *
 * @param file name for messages; the paths in the text are relative to its directory.
 */
export function parseConfig(text: string, file: string, options: LoadOptions = {}): ConfigResult {
  const { trusted = false, environment = process.env } = options;
  const { parts, errors: unreadable, incomplete } = gather(text, file, environment);
  const texts: ConfigTexts = new Map(parts.map((part) => [part.file, part.text]));
  const files = [...texts.keys()];
  const [root, ...included] = parts;
  if (incomplete || root === undefined) return { ok: false, errors: inOrder(unreadable, files), texts };

  const merged = new Merged(root, parts);
  const placer = new Placer(parts);
  const directoryAt = (path: ConfigPath): string => merged.locate(path).part.directory;
  const pieces = takeApart(merged.value, merged.substitutionAt);
  const findings = [
    ...pieces.findings,
    ...checkRules(pieces, merged.where),
    ...checkPresent(pieces, directoryAt),
    ...(trusted ? checkTrust(pieces, directoryAt) : []),
  ];
  const errors = [
    ...unreadable,
    ...(trusted ? untrusted(included) : []),
    ...merged.findings.flatMap((finding) => placer.notes(finding, finding)),
    ...findings.flatMap((finding) => placer.notes(finding, merged.locate(finding.path))),
  ];
  if (errors.length > 0) return { ok: false, errors: inOrder(errors, files), texts };
  const config = buildConfig(pieces, (at) => (path) => resolve(directoryAt(at), path));
  const suspicious = [...checkSuspicious(pieces), ...(trusted ? checkSecretsPresent(pieces, directoryAt) : [])];
  const warnings = suspicious.flatMap((finding) => placer.notes(finding, merged.locate(finding.path)));
  return { ok: true, config, warnings: inOrder(warnings, files), texts };
}

/** Loads a configuration file. Never throws; a file that cannot be read is an error at line 1, column 1. */
export function loadConfig(path: string, options: LoadOptions = {}): ConfigResult {
  const read = readText(path);
  if (!read.ok) return { ...read, texts: new Map() };
  const distrust = options.trusted === true ? checkNamedFile(path) : [];
  if (distrust.length > 0) {
    const errors = distrust.map((finding) => toError(finding, path, { line: 1, column: 1 }));
    return { ok: false, errors, texts: new Map([[path, read.text]]) };
  }
  return parseConfig(read.text, path, options);
}
