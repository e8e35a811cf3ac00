// Reading a YAML file as text: of limited size, in UTF-8, and with a clear word when it cannot be read.

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { faultOf } from '../file-faults.js';
import { type ConfigError, type ConfigNote, type Finding, formatPath } from './errors.js';
import type { Place } from './source.js';

/** Largest file read, in bytes. */
export const MAX_FILE_BYTES = 1024 * 1024;

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
export function toError<C extends string>(finding: Finding<C>, file: string, place: Place): ConfigNote<C> {
  const { code, message, hint, suggestion } = finding;
  return Object.freeze({
    code,
    file,
    ...place,
    path: formatPath(finding.path),
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(suggestion === undefined ? {} : { suggestion }),
  });
}

/** A file as text, or why it cannot be read: an error at line 1, column 1. */
export type TextResult =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly errors: readonly ConfigError[] };

function fileError(file: string, code: 'CONFIG_FILE' | 'CONFIG_LIMIT', message: string, hint: string): TextResult {
  return { ok: false, errors: [toError({ code, path: [], message, hint }, file, { line: 1, column: 1 })] };
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
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const { words, hint } = faultOf(error, path);
    if (hint === undefined) return fileError(path, 'CONFIG_FILE', `it cannot be read: ${words}`, 'check the path');
    return fileError(path, 'CONFIG_FILE', words, missing ? hints.missing : hint);
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
