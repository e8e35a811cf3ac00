// The kinds of values that a configuration has: durations, amounts of memory, texts, names; each with what an editor and the documentation are told of it.

import { z } from 'zod';
import { formatDuration, parseDuration } from './duration.js';
import type { ConfigErrorCode } from './errors.js';
import { describe, printable } from './errors.js';
import { nearest } from './suggest.js';
import { isTemplate, PLACEHOLDERS, parseTemplate, type Template } from './template.js';

// zod would write a program for each kind of entry, which takes longer than the few checks that it would speed up.
z.config({ jitless: true });

/** What a custom issue carries besides its message. */
export interface IssueParams {
  readonly code: ConfigErrorCode;
  readonly hint?: string;
}

type Context = z.core.$RefinementCtx;

/** Says what is wrong with a value, in the words of the configuration. */
export function issue(ctx: Context, code: ConfigErrorCode, message: string, hint: string): never {
  ctx.addIssue({ code: 'custom', message, params: { code, hint } satisfies IssueParams });
  return z.NEVER;
}

/** A mapping with these keys and no others. The issue of an unknown key carries the known ones as its message. */
export function keys<S extends z.core.$ZodLooseShape>(shape: S) {
  const known = Object.keys(shape).join(' ');
  return z.strictObject(shape, { error: ({ code }) => (code === 'unrecognized_keys' ? known : undefined) });
}

/** Ports of TCP, 0 to 65535, as part of a form. */
export const PORT = String.raw`(\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])`;

/** A text of a form. @param hint how it is written, for a text that is not of the form */
export function matching(form: RegExp, hint: string) {
  return z.string().regex(form, { error: hint });
}

/** Checks a value by a schema from within a transform: what is wrong is told at its own path. */
function delegate<S extends z.ZodType>(schema: S, value: unknown, ctx: Context): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const found of result.error.issues) ctx.issues.push({ ...found, input: value } as z.core.$ZodRawIssue);
  return z.NEVER;
}

/** Any of several forms, as an editor sees it; see {@link publishedForm}. */
export type Forms = readonly z.ZodType[];

/** One entry or a list of 1 to `max` of them. Not a union: its errors would name neither. */
export function oneOrList<S extends z.ZodType>(schema: S, max: number) {
  const list = z.array(schema).min(1).max(max);
  return z
    .unknown()
    .transform((value, ctx): { items: z.output<S>[]; listed: boolean } =>
      Array.isArray(value)
        ? { items: delegate(list, value, ctx), listed: true }
        : { items: [delegate(schema, value, ctx)], listed: false },
    )
    .meta({ forms: [schema, list] satisfies Forms });
}

/** A list or, for what has a key of it, a mapping. Not a union: its errors would name neither. */
export function listOr<L extends z.ZodType, M extends z.ZodObject>(list: L, mapping: M) {
  const known = Object.keys(mapping.shape);
  return z
    .unknown()
    .transform((value, ctx): z.output<L> | z.output<M> =>
      known.some((key) => hasKey(value, key)) ? delegate(mapping, value, ctx) : delegate(list, value, ctx),
    )
    .meta({ forms: [list, mapping] satisfies Forms });
}

const BOOLEANS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true],
  [false, false],
  ['true', true],
  ['false', false],
]);

/** `true` or `false`, or what a schema says. Not a union: its errors would name neither. */
export function booleanOr<S extends z.ZodType>(schema: S) {
  return z
    .unknown()
    .transform(
      (value, ctx): boolean | z.output<S> =>
        // What a variable gave is text.
        BOOLEANS.get(value) ?? delegate(schema, value, ctx),
    )
    .meta({ forms: [z.boolean(), schema] satisfies Forms });
}

function hasKey(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, key);
}

/** What durations look like to an editor; the loader says more. */
const DURATION_PATTERN = '^\\d{1,15}(\\.\\d{1,9})?\\s?(ns|us|µs|ms|s|min|h)$';

/** The most that a duration may be, in hours or minutes where it is whole ones. */
function formatLong(ns: number): string {
  if (ns >= 3600e9 && ns % 3600e9 === 0) return `${ns / 3600e9}h`;
  return ns >= 60e9 && ns % 60e9 === 0 ? `${ns / 60e9}min` : formatDuration(ns);
}

/** A duration with its unit, in ns, from `min` to `max`, in whole multiples of `step`. */
export function duration(min: number, max: number, step: number) {
  const range = `${formatDuration(min)} to ${formatLong(max)}`;
  return z
    .unknown()
    .transform((value, ctx): number => {
      const example = 'write a number with its unit: 5ms, 200us, 2s';
      if (typeof value !== 'string') return issue(ctx, 'CONFIG_TYPE', `${describe(value)} is not a duration`, example);
      const ns = parseDuration(value);
      if (ns === undefined) return issue(ctx, 'CONFIG_VALUE', `${describe(value)} is not a duration`, example);
      if (ns < min || ns > max) return issue(ctx, 'CONFIG_RANGE', `${describe(value)} is out of range`, range);
      if (ns % step !== 0) {
        const hint = `whole multiples of ${formatDuration(step)}`;
        return issue(ctx, 'CONFIG_RANGE', `${describe(value)} is too fine`, hint);
      }
      return ns;
    })
    .meta({ type: 'string', pattern: DURATION_PATTERN, kind: 'duration', range });
}

const MIB = 1024 * 1024;
/** As systemd's MemoryMax: a number and its unit. */
const SIZE = /^(\d{1,6})(M|G)$/;
/** What Node needs to start a thread at all, and far more than a Pi has. */
const MEMORY_MIN = 16 * MIB;
const MEMORY_LIMIT = 16 * 1024 * MIB;

/** An amount of memory, in bytes. */
export const memory = z
  .unknown()
  .transform((value, ctx): number => {
    const [, digits, unit] = (typeof value === 'string' && SIZE.exec(value)) || [];
    if (digits === undefined) {
      const code = typeof value === 'string' ? 'CONFIG_VALUE' : 'CONFIG_TYPE';
      return issue(ctx, code, `${describe(value)} is not an amount of memory`, 'write a number with its unit: 64M, 1G');
    }
    const bytes = Number(digits) * (unit === 'G' ? 1024 * MIB : MIB);
    if (bytes >= MEMORY_MIN && bytes <= MEMORY_LIMIT) return bytes;
    return issue(ctx, 'CONFIG_RANGE', `${describe(value)} is out of range`, '16M to 16G');
  })
  .meta({ type: 'string', pattern: SIZE.source, kind: 'memory', range: '16M to 16G' });

/** Longest text of a log line or program argument, in characters. */
export const MAX_TEXT = 4096;

/** A text with placeholders. */
export const template = z
  .string()
  .max(MAX_TEXT)
  .transform((text, ctx): Template => {
    if (text.includes('\0')) return issue(ctx, 'CONFIG_VALUE', 'a NUL character in a text', 'remove it');
    const result = parseTemplate(text);
    if (isTemplate(result)) return result;
    if (result.unknown === undefined) {
      const brace = result.brace ?? '{';
      const hint = `write '${brace}${brace}' for the character itself`;
      return issue(ctx, 'CONFIG_VALUE', `a '${brace}' without its partner`, hint);
    }
    const known = Object.keys(PLACEHOLDERS);
    const guess = nearest(result.unknown, known);
    const hint =
      guess === undefined ? `there are ${known.map((k) => `{${k}}`).join(', ')}` : `did you mean {${guess}}?`;
    const message = `unknown placeholder {${printable(result.unknown)}}`;
    return issue(ctx, 'CONFIG_VALUE', message, `${hint} ('{{' for a brace itself)`);
  })
  .meta({ kind: 'text with placeholders' });

/** A name that refers to an entry, or that an entry has. */
export const name = z.string().min(1).max(64);

/** A logical level. */
export const level = z.literal([0, 1]);

/** An ES module; relative to the file. */
export const modulePath = matching(/\.m?js$/, 'write the path of a JavaScript module, ./NAME.js or ./NAME.mjs')
  .max(MAX_TEXT)
  .meta({ kind: 'path' });

/** Another file; relative to the file that names it. */
export const filePath = matching(/^[^\0]+$/, 'write the path of a file')
  .max(MAX_TEXT)
  .meta({ kind: 'path' });
