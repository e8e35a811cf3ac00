// Every error that a configuration file can have: its code, its place, and how it is printed.

/** Codes of configuration errors, each with what it stands for. Stable: programs may match on them. */
export const CONFIG_ERRORS = {
  CONFIG_FILE: 'The file is missing, cannot be read, is not a regular file, or is not UTF-8.',
  CONFIG_LIMIT: 'The file is larger, deeper or repeats more through aliases than is allowed.',
  CONFIG_SYNTAX: 'The text is not YAML.',
  CONFIG_DUPLICATE_KEY: 'A key stands twice in one mapping.',
  CONFIG_UNKNOWN_KEY: 'A key that means nothing at this place.',
  CONFIG_MISSING: 'Something required is not there, or is empty.',
  CONFIG_TYPE: 'A value of the wrong type.',
  CONFIG_VALUE: 'A value of the right type that is not one of those allowed.',
  CONFIG_RANGE: 'A number, length or duration out of its range.',
  CONFIG_DUPLICATE: 'Two entries claim what only one can have.',
  CONFIG_REFERENCE: 'A name that is defined nowhere in the file, or a file that does not exist.',
  CONFIG_TRUST: 'A file that others could have changed, or a secret that others may read.',
  CONFIG_CONTEXT: 'An action in a context that must not run it.',
  CONFIG_CONFLICT: 'Settings that exclude each other.',
} as const;

/** Code of a {@link ConfigError}. */
export type ConfigErrorCode = keyof typeof CONFIG_ERRORS;

/** Codes of what is allowed and probably not meant. Stable, too. */
export const CONFIG_WARNINGS = {
  CONFIG_UNUSED: 'Something that is defined and that nothing uses.',
  CONFIG_SUSPICIOUS: 'Settings that are allowed together, and seldom do what was meant.',
} as const;

/** Code of a {@link ConfigWarning}. */
export type ConfigWarningCode = keyof typeof CONFIG_WARNINGS;

/** Where in the parsed file: keys and list indices from the top. */
export type ConfigPath = readonly (string | number)[];

/** Something said of a place in a configuration file. */
export interface ConfigNote<C extends string = string> {
  readonly code: C;
  /** The file as the user named it. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units, as editors count. */
  readonly column: number;
  /** Behind the last character of what is wrong, as far as that is on the line. */
  readonly endColumn?: number;
  /** `lines.button1.edge`, `interrupts[0].thread[1]`; empty for the file as a whole. */
  readonly path: string;
  /** What is wrong. */
  readonly message: string;
  /** What would be right. */
  readonly hint?: string;
  /** The word that was probably meant. */
  readonly suggestion?: string;
}

/** One thing wrong in a configuration file. */
export type ConfigError = ConfigNote<ConfigErrorCode>;

/** One thing in a configuration file that is allowed, and probably not meant. */
export type ConfigWarning = ConfigNote<ConfigWarningCode>;

/** What is wrong at a path, before it has a place in a file. */
export interface Finding<C extends string = ConfigErrorCode> {
  readonly code: C;
  readonly path: ConfigPath;
  /** Point at the key, not at its value: the key itself is wrong, or something in its mapping is missing. */
  readonly atKey?: boolean;
  readonly message: string;
  readonly hint?: string;
  readonly suggestion?: string;
}

/** Writes a path as people say it: `interrupts[0].thread[1].log`. */
export function formatPath(path: ConfigPath): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? printable(step) : `.${printable(step)}`;
  }
  return text;
}

function formatNote(note: ConfigNote, kind: string): string {
  const place = `${note.file}:${note.line}:${note.column}`;
  const path = note.path === '' ? '' : `${note.path}: `;
  return `${place}: ${kind}${path}${note.message}${note.hint === undefined ? '' : `; ${note.hint}`}`;
}

/** One line: `FILE:LINE:COLUMN: path: message; hint`. */
export function formatConfigError(error: ConfigError): string {
  return formatNote(error, '');
}

/** One line: `FILE:LINE:COLUMN: warning: path: message; hint`. */
export function formatConfigWarning(warning: ConfigWarning): string {
  return formatNote(warning, 'warning: ');
}

/** Text of a file made safe for a terminal: control characters as escapes, cut at `most` characters. */
export function printable(text: string, most = 60): string {
  const cut = text.length > most ? `${text.slice(0, most - 3)}...` : text;
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, (c) => `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Who asks, in an address: a password may be in it. */
const ASKER = /(:\/\/)\S*@/g;

/** A value as it is named in a message: `'pull-upp'`, `42`, `a list`. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (typeof value === 'string') return `'${printable(value.replace(ASKER, '$1...@'))}'`;
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : String(value);
}
