// What zod found, said in the words of the configuration: code, message, and what would be right.

import type { z } from 'zod';
import { type ConfigPath, describe, type Finding, printable } from './errors.js';
import { nearest } from './suggest.js';
import type { IssueParams } from './values.js';

type Issue = z.core.$ZodIssue;

const TYPES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

/** The value at a path of a parsed file; `undefined` when the path leads nowhere. */
export function valueAt(root: unknown, path: ConfigPath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** Puts a value in place of the one at a path. @returns false when the path leads nowhere */
export function setAt(root: unknown, path: ConfigPath, value: unknown): boolean {
  const key = path.at(-1);
  const holder = valueAt(root, path.slice(0, -1));
  if (key === undefined || typeof holder !== 'object' || holder === null) return false;
  return Reflect.set(holder, key, value);
}

function choices(value: unknown, allowed: readonly string[]): Pick<Finding, 'hint' | 'suggestion'> {
  const guess = typeof value === 'string' ? nearest(value, allowed) : undefined;
  const list = allowed.length === 1 ? (allowed[0] ?? '') : `one of ${allowed.join(', ')}`;
  if (guess === undefined) return { hint: `write ${list}` };
  return { hint: `did you mean ${guess}? (${list})`, suggestion: guess };
}

function wrongType(issue: Issue & { code: 'invalid_type' }, path: ConfigPath, value: unknown): Finding {
  const wanted = TYPES[issue.expected] ?? issue.expected;
  const key = path.at(-1);
  if (value === undefined) {
    return {
      code: 'CONFIG_MISSING',
      path,
      atKey: true,
      message: `${describe(key)} is missing`,
      hint: `add it: ${wanted}`,
    };
  }
  if (value === null) return { code: 'CONFIG_MISSING', path, message: 'it is empty', hint: `write ${wanted}` };
  let hint = `write ${wanted}`;
  if (wanted === 'a text' && typeof value !== 'object') hint = `write it in quotes: "${String(value)}"`;
  if (wanted === 'a list' && typeof value !== 'object') hint = `write a list: [${printable(String(value))}]`;
  if (wanted === 'a list' && key === 'exec')
    hint = 'write program and arguments one by one: [/usr/bin/program, argument]';
  if (wanted === 'a list' && typeof value === 'object') hint = 'write a list: each entry behind a dash';
  return { code: 'CONFIG_TYPE', path, message: `${describe(value)} is not ${wanted}`, hint };
}

function outOfRange(issue: Issue & { code: 'too_small' | 'too_big' }, path: ConfigPath, value: unknown): Finding {
  const small = issue.code === 'too_small';
  const bound = String(small ? issue.minimum : issue.maximum);
  if (issue.origin === 'number' || issue.origin === 'int') {
    const hint = small ? `${bound} or more` : `${bound} at most`;
    return { code: 'CONFIG_RANGE', path, message: `${describe(value)} is out of range`, hint };
  }
  const unit = issue.origin === 'string' ? 'characters' : 'entries';
  if (small)
    return { code: 'CONFIG_MISSING', path, message: 'it is empty', hint: 'write at least one, or leave the key out' };
  return { code: 'CONFIG_RANGE', path, message: 'it is too long', hint: `${bound} ${unit} at most` };
}

function unknownKeys(
  issue: Issue & { code: 'unrecognized_keys' },
  path: ConfigPath,
  known: readonly string[],
): Finding[] {
  return issue.keys.map((key) => ({
    code: 'CONFIG_UNKNOWN_KEY',
    path: [...path, key],
    atKey: true,
    message: 'unknown key',
    ...choices(key, known),
  }));
}

/**
 * Says what a zod issue means.
 *
 * @param root the parsed file, @param path where the issue is in it, @param keysAt the keys that are known at a path.
 */
export function explain(
  issue: Issue,
  root: unknown,
  path: ConfigPath,
  keysAt: (path: ConfigPath) => readonly string[],
): Finding[] {
  const value = valueAt(root, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return unknownKeys(issue, path, keysAt(path));
    case 'invalid_type':
      return [wrongType(issue, path, value)];
    case 'invalid_value': {
      const allowed = issue.values.map(String);
      if (value === undefined || value === null) {
        return [{ code: 'CONFIG_MISSING', path, message: 'it is empty', ...choices(value, allowed) }];
      }
      const message = `${describe(value)} is not allowed here`;
      return [{ code: 'CONFIG_VALUE', path, message, ...choices(value, allowed) }];
    }
    case 'too_small':
    case 'too_big':
      return [outOfRange(issue, path, value)];
    case 'invalid_format': {
      // The message of a form is how it is written (values.ts).
      return [{ code: 'CONFIG_VALUE', path, message: `${describe(value)} is not allowed here`, hint: issue.message }];
    }
    case 'custom': {
      const params = issue.params as IssueParams;
      return [{ path, message: issue.message, ...params }];
    }
    default:
      return [{ code: 'CONFIG_VALUE', path, message: issue.message }];
  }
}
