// The files that a configuration names: whether they are there, and whether others could have changed them.

import { lstatSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { faultOf } from '../file-faults.js';
import { ownFiles } from '../own-files.js';
import {
  alsoTrustOwnerOf,
  distrustOf,
  distrustOfProgram,
  PROGRAM_PATH,
  type TrustKind,
} from '../security/trusted-file.js';
import { type ConfigPath, type ConfigWarningCode, type Finding, printable } from './errors.js';
import type { Pieces } from './pieces.js';
import { workItemsIn } from './sections/all-work.js';

interface NamedFile {
  /** As the configuration has it. */
  readonly name: string;
  readonly path: ConfigPath;
}

/** Where the service has its configuration, which nobody watches being read. */
const SERVICE_DIRECTORY = '/etc/gpio-irqd/';

/** Files of the section `mqtt` and what they are. A certificate may be read by all, but not exchanged. */
const MQTT_FILES = {
  password_file: 'secret',
  key_file: 'secret',
  cert_file: 'config',
  ca_file: 'config',
} as const satisfies Readonly<Record<string, TrustKind>>;

function* modulesIn(pieces: Pieces): Generator<NamedFile> {
  for (const { path, input } of pieces.interrupts) {
    if (input?.handler !== undefined) yield { name: input.handler, path: [...path, 'handler'] };
  }
  for (const { item, at } of workItemsIn(pieces)) {
    for (const [i, { module }] of item.do.entries()) {
      if (module !== undefined) yield { name: module, path: [...at, 'do', i, 'module'] };
    }
  }
}

/** The programs that actions run, each with the directories that it is looked for in; not those that a placeholder names. */
function* programsIn(pieces: Pieces): Generator<NamedFile & { readonly searchPath: string }> {
  for (const { item, at } of workItemsIn(pieces)) {
    for (const [i, { exec, env }] of item.do.entries()) {
      const program = literal(exec?.[0]);
      const searchPath = env?.PATH === undefined ? PROGRAM_PATH : literal(env.PATH);
      if (program === undefined || searchPath === undefined) continue;
      yield { name: program, path: [...at, 'do', i, 'exec', 0], searchPath };
    }
  }
}

function literal(template: readonly unknown[] | undefined): string | undefined {
  const [text, ...more] = template ?? [];
  return typeof text === 'string' && more.length === 0 ? text : undefined;
}

/** The directory that a path at this place is relative to: that of the file that it stands in. */
export type DirectoryAt = (path: ConfigPath) => string;

/** Modules that are not there, are no files, or cannot be reached. */
export function checkPresent(pieces: Pieces, directoryAt: DirectoryAt): Finding[] {
  return [...modulesIn(pieces)].flatMap((module) => absenceOf(module, directoryAt(module.path)) ?? []);
}

/** Why a module cannot be there; `undefined` when it is. */
function absenceOf({ name, path }: NamedFile, directory: string): Finding | undefined {
  const file = resolve(directory, name);
  const shown = `'${printable(name)}'`;
  try {
    const info = statSync(file);
    if (info.isFile()) return undefined;
    const what = info.isDirectory() ? 'a directory' : 'not a regular file';
    return { code: 'CONFIG_FILE', path, message: `${shown} is ${what}`, hint: 'name the file of the module' };
  } catch (error) {
    if (isAbsent(error)) {
      const hint = `it is looked for in ${directory}, beside the configuration`;
      return { code: 'CONFIG_REFERENCE', path, message: `no file ${shown}`, hint };
    }
    const { words, hint = 'check the path' } = faultOf(error, file);
    return { code: 'CONFIG_FILE', path, message: `${shown} cannot be looked at: ${words}`, hint };
  }
}

function isAbsent(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** Passwords, keys, certificates and tokens. */
function* secretsIn({ mqtt, file }: Pieces): Generator<NamedFile & { readonly kind: TrustKind }> {
  for (const [key, kind] of Object.entries(MQTT_FILES)) {
    const name = mqtt?.[key as keyof typeof MQTT_FILES];
    if (name !== undefined) yield { name, path: ['mqtt', key], kind };
  }
  const token = file?.http?.token_file;
  if (token !== undefined) yield { name: token, path: ['http', 'token_file'], kind: 'secret' };
}

/** Secrets that are not there. No error: the configuration may be checked on another machine than the one that it is for. */
export function checkSecretsPresent(pieces: Pieces, directoryAt: DirectoryAt): Finding<ConfigWarningCode>[] {
  const missing = [...secretsIn(pieces)].filter(({ name, path }) => isMissing(resolve(directoryAt(path), name)));
  return missing.map(({ name, path }) => ({
    code: 'CONFIG_SUSPICIOUS',
    path,
    message: `no file '${printable(name)}'`,
    hint: 'the daemon does not start without it',
  }));
}

/** A file in a directory that only its user may look into may well be there. */
function isMissing(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) === undefined;
  } catch {
    return false;
  }
}

/** The files of code that a module is made of. A data file that it only names may be anybody's. */
function codeOf(module: string): string[] {
  return ownFiles(module).filter((file) => !file.endsWith('.json'));
}

/**
 * Modules with what they import by its place, programs, passwords and keys that others than root and the daemon's user could have
 * changed, or may read.
 */
export function checkTrust(pieces: Pieces, directoryAt: DirectoryAt): Finding[] {
  const findings: Finding[] = [];
  const add = (path: ConfigPath, distrust: ReturnType<typeof distrustOf>): void => {
    if (distrust !== undefined) findings.push({ code: 'CONFIG_TRUST', path, ...distrust });
  };
  const placeOf = ({ name, path }: NamedFile): string => resolve(directoryAt(path), name);
  for (const module of modulesIn(pieces)) {
    // Of what is none, checkPresent tells.
    if (absenceOf(module, directoryAt(module.path)) !== undefined) continue;
    for (const file of codeOf(placeOf(module))) add(module.path, distrustOf(file, 'code'));
  }
  for (const { name, path, searchPath } of programsIn(pieces)) add(path, distrustOfProgram(name, searchPath));
  for (const { kind, ...secret } of secretsIn(pieces)) add(secret.path, distrustOf(placeOf(secret), kind));
  return findings;
}

/** A file of the configuration itself. */
export function checkConfigFile(file: string): Finding[] {
  const distrust = distrustOf(resolve(file), 'config');
  return distrust === undefined ? [] : [{ code: 'CONFIG_TRUST', path: [], ...distrust }];
}

/**
 * As {@link checkConfigFile}, of the file that was named. By hand its owner is trusted with all that it names: it is the one
 * that somebody chose. As a service, and in /etc/gpio-irqd, only root and the daemon's user are.
 */
export function checkNamedFile(file: string): Finding[] {
  const path = resolve(file);
  if (process.env.NOTIFY_SOCKET === undefined && !path.startsWith(SERVICE_DIRECTORY)) alsoTrustOwnerOf(path);
  return checkConfigFile(path);
}
