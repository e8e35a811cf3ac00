// Loading a configuration: from a file or a text to a frozen Config, or to the list of everything that is wrong.

import { closeSync, constants, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { buildConfig } from './build.js';
import type { Config } from './config.js';
import { type ConfigError, type ConfigPath, type Finding, formatPath, printable } from './errors.js';
import { type Pieces, takeApart } from './pieces.js';
import { checkRules } from './rules.js';
import { workItemsIn } from './sections/all-work.js';
import { type Place, parseSource } from './source.js';

/** A configuration, or what is wrong with the file: at least one error, in the order of the file. */
export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

/** Largest file read, in bytes. */
export const MAX_FILE_BYTES = 1024 * 1024;

/** Most errors listed; a file with more is not a configuration. */
const MAX_ERRORS = 100;

const FILE_FAULTS: Readonly<Record<string, readonly [message: string, hint: string]>> = {
  ENOENT: ['no such file', 'check the path'],
  EACCES: ['permission denied', 'make it readable for the user who runs this'],
  EISDIR: ['it is a directory', 'name the file in it'],
  ENOTDIR: ['part of the path is not a directory', 'check the path'],
  ELOOP: ['too many symbolic links', 'check the path'],
  ENAMETOOLONG: ['the path is too long', 'check the path'],
};

/** What is told with a file that is not there, or too large. */
export interface FileHints {
  readonly missing: string;
  readonly large: string;
}

const CONFIG_HINTS: FileHints = {
  missing: 'name one with --config FILE; examples/button-led.yaml is one to start from',
  large: 'is it a configuration at all?',
};

/** A finding with its place in a file. */
export function toError(finding: Finding, file: string, place: Place): ConfigError {
  const { code, message, hint } = finding;
  const error = { code, file, line: place.line, column: place.column, path: formatPath(finding.path), message };
  return Object.freeze(hint === undefined ? error : { ...error, hint });
}

/** A file as text, or why it cannot be read: an error at line 1, column 1. */
export type TextResult =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

function fileError(file: string, code: 'CONFIG_FILE' | 'CONFIG_LIMIT', message: string, hint: string): TextResult {
  return { ok: false, errors: [toError({ code, path: [], message, hint }, file, { line: 1, column: 1 })] };
}

/** Errors without repetition, in the order of the file, as many as are listed. */
export function inOrder(errors: ConfigError[]): ConfigError[] {
  const seen = new Set<string>();
  const distinct = errors.filter((error) => {
    const key = `${error.line}:${error.column}:${error.path}:${error.message}`;
    return seen.size !== seen.add(key).size;
  });
  return distinct.sort((a, b) => a.line - b.line || a.column - b.column).slice(0, MAX_ERRORS);
}

/** The modules that the file names, and where. */
function modulesIn(pieces: Pieces): { readonly module: string; readonly path: ConfigPath }[] {
  const found: { module: string; path: ConfigPath }[] = [];
  for (const { path, input } of pieces.interrupts) {
    if (input?.handler !== undefined) found.push({ module: input.handler, path: [...path, 'handler'] });
  }
  for (const { item, at } of workItemsIn(pieces)) {
    for (const [i, { module }] of item.do.entries()) {
      if (module !== undefined) found.push({ module, path: [...at, 'do', i, 'module'] });
    }
  }
  return found;
}

/**
 * Reads a configuration from its text.
 *
 * @param file name for messages; modules are looked up relative to its directory. Never throws.
 */
export function parseConfig(text: string, file: string): ConfigResult {
  const source = parseSource(text);
  const errors = source.findings.map((finding) => toError(finding, file, finding.place));
  if (source.value === undefined) return { ok: false, errors: inOrder(errors) };
  const limited = source.findings.some((finding) => finding.code === 'CONFIG_LIMIT');
  if (limited) return { ok: false, errors: inOrder(errors) };

  const pieces = takeApart(source.value);
  const unread = new Set(source.findings.filter((finding) => finding.path.length > 0).map((f) => formatPath(f.path)));
  for (const finding of [...pieces.findings, ...checkRules(pieces)]) {
    // What could not be read (an alias, a tag) has been said; that nothing is there follows from it.
    if (unread.has(formatPath(finding.path))) continue;
    errors.push(toError(finding, file, source.place(finding.path, finding.atKey)));
  }
  const directory = dirname(resolve(file));
  for (const { module, path } of modulesIn(pieces)) {
    if (existsSync(resolve(directory, module))) continue;
    const finding: Finding = {
      code: 'CONFIG_REFERENCE',
      path,
      message: `no file '${printable(module)}'`,
      hint: `it is looked for in ${directory}, beside the configuration`,
    };
    errors.push(toError(finding, file, source.place(path)));
  }
  return errors.length > 0
    ? { ok: false, errors: inOrder(errors) }
    : { ok: true, config: buildConfig(pieces, directory) };
}

/** Reads at most one byte more than is allowed: a device or a growing file cannot fill the memory. */
function readLimited(path: string): Uint8Array | 'not-a-file' | 'too-large' {
  // Without O_NONBLOCK, opening a FIFO would wait for its writer.
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const info = fstatSync(fd);
    if (info.isDirectory()) throw Object.assign(new Error('directory'), { code: 'EISDIR' });
    if (!info.isFile()) return 'not-a-file';
    const buffer = new Uint8Array(MAX_FILE_BYTES + 1);
    let length = 0;
    for (let got = -1; got !== 0 && length < buffer.length; length += got) {
      got = readSync(fd, buffer, length, buffer.length - length, null);
    }
    return length > MAX_FILE_BYTES ? 'too-large' : buffer.subarray(0, length);
  } finally {
    closeSync(fd);
  }
}

/** Reads a YAML file of at most {@link MAX_FILE_BYTES} bytes. Never throws. @param hints for what a missing and a large file is told with */
export function readText(path: string, hints: FileHints = CONFIG_HINTS): TextResult {
  let bytes: ReturnType<typeof readLimited>;
  try {
    bytes = readLimited(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const [message, hint] = FILE_FAULTS[code] ?? [`it cannot be read: ${String(error)}`, 'check the path'];
    return fileError(path, 'CONFIG_FILE', message, code === 'ENOENT' ? hints.missing : hint);
  }
  if (bytes === 'not-a-file') return fileError(path, 'CONFIG_FILE', 'it is not a regular file', 'name a YAML file');
  if (bytes === 'too-large') {
    return fileError(path, 'CONFIG_LIMIT', 'it is larger than 1 MiB', hints.large);
  }
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return fileError(path, 'CONFIG_FILE', 'it is not UTF-8 text', 'save it as UTF-8');
  }
}

/** Loads a configuration file. Never throws; a file that cannot be read is an error at line 1, column 1. */
export function loadConfig(path: string): ConfigResult {
  const read = readText(path);
  return read.ok ? parseConfig(read.text, path) : read;
}
