// Variables of the environment in values: `${NAME}`, `${NAME:-default}`, and `$${` for the text `${` itself.

import { printable } from './errors.js';
import { PLACEHOLDERS } from './template.js';

/** Where variables come from: `process.env`, or what a test has in its place. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A value whose variables have been filled in. What came out must not be shown: it may be a secret. */
export interface Substitution {
  /** As it stands in the file. */
  readonly raw: string;
  readonly text: string;
}

/** Why a value cannot be filled in. */
export interface VariableFault {
  readonly code: 'CONFIG_REFERENCE' | 'CONFIG_VALUE';
  readonly message: string;
  readonly hint: string;
  /** What of the text is wrong. */
  readonly token: string;
}

/** What begins a variable. */
export const START = '${';
const TOKEN = /\$\$\{|\$\{([^}]*)\}|\$\{/g;
const VARIABLE = /^([A-Za-z_][A-Za-z0-9_]{0,127})(?::-(.*))?$/s;

/** `${line}` has always been a `$` and a placeholder, and `${{` a `$` and a brace. */
function isOfTemplate(inner: string): boolean {
  return inner.startsWith('{') || Object.hasOwn(PLACEHOLDERS, inner);
}

function notSet(name: string, token: string): VariableFault {
  const hint = `set it in the environment of the daemon, or write \${${name}:-default}`;
  return { code: 'CONFIG_REFERENCE', message: `the variable ${name} is not set`, hint, token };
}

/** The text of one variable, or why there is none. As in a shell, `:-` is for a variable that is not set or is empty. */
function textOf(token: string, inner: string | undefined, environment: Environment): string | VariableFault {
  const [, name, otherwise] = VARIABLE.exec(inner ?? '') ?? [];
  if (inner === undefined || name === undefined) {
    const message = inner === undefined ? `a '\${' without its '}'` : `${printable(token)} is no variable`;
    const hint = `write \${NAME} or \${NAME:-default}, and $\${ for the text \${ itself`;
    return { code: 'CONFIG_VALUE', message, hint, token };
  }
  const value = Object.hasOwn(environment, name) ? environment[name] : undefined;
  if (otherwise !== undefined && (value ?? '') === '') return otherwise;
  return value ?? notSet(name, token);
}

/**
 * Fills in the variables of a text.
 *
 * @returns the text itself when it has none; `variables` is false when all that was done is to turn `$${` into `${`.
 */
export function substitute(
  raw: string,
  environment: Environment,
): VariableFault | (Substitution & { readonly variables: boolean }) {
  let text = '';
  let end = 0;
  let variables = false;
  for (const match of raw.matchAll(TOKEN)) {
    const [token, inner] = match;
    text += raw.slice(end, match.index);
    end = match.index + token.length;
    if (token === '$${') text += START;
    else if (inner !== undefined && isOfTemplate(inner)) text += token;
    else {
      const value = textOf(token, inner, environment);
      if (typeof value !== 'string') return value;
      text += value;
      variables = true;
    }
  }
  return { raw, text: text + raw.slice(end), variables };
}

/** What YAML would make of a text that stood there without quotes: a number, `true` or `false`, nothing; else the text. */
export function typed(text: string): string | number | boolean | null {
  if (/^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$/.test(text) || /^0x[0-9a-fA-F]+$/.test(text)) return Number(text);
  if (/^(true|True|TRUE)$/.test(text)) return true;
  if (/^(false|False|FALSE)$/.test(text)) return false;
  return /^(~|null|Null|NULL|)$/.test(text) ? null : text;
}
