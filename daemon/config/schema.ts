// The schema of the configuration file: which keys there are, of what type, in what range, and their defaults.

import { z } from 'zod';
import { DEFAULT_QUEUE, DRIVERS, WORKQUEUE_FLAGS } from './config.js';
import { formatDuration, parseDuration } from './duration.js';
import type { ConfigErrorCode } from './errors.js';
import { describe, printable } from './errors.js';
import { nearest } from './suggest.js';
import { isTemplate, PLACEHOLDERS, parseTemplate, type Template } from './template.js';

/** What a custom issue carries besides its message. */
export interface IssueParams {
  readonly code: ConfigErrorCode;
  readonly hint?: string;
}

type Context = z.core.$RefinementCtx;

export function issue(ctx: Context, code: ConfigErrorCode, message: string, hint: string): never {
  ctx.addIssue({ code: 'custom', message, params: { code, hint } satisfies IssueParams });
  return z.NEVER;
}

/** A duration with its unit, in ns, from `min` to `max`, in whole multiples of `step`. */
export function duration(min: number, max: number, step: number) {
  return z.unknown().transform((value, ctx): number => {
    const example = 'write a number with its unit: 5ms, 200us, 2s';
    if (typeof value !== 'string') return issue(ctx, 'CONFIG_TYPE', `${describe(value)} is not a duration`, example);
    const ns = parseDuration(value);
    if (ns === undefined) return issue(ctx, 'CONFIG_VALUE', `${describe(value)} is not a duration`, example);
    const range = `${formatDuration(min)} to ${formatDuration(max)}`;
    if (ns < min || ns > max) return issue(ctx, 'CONFIG_RANGE', `${describe(value)} is out of range`, range);
    if (ns % step !== 0) {
      return issue(ctx, 'CONFIG_RANGE', `${describe(value)} is too fine`, `whole multiples of ${formatDuration(step)}`);
    }
    return ns;
  });
}

const MIB = 1024 * 1024;
/** As systemd's MemoryMax: a number and its unit. */
const SIZE = /^(\d{1,6})(M|G)$/;
/** What Node needs to start a thread at all, and far more than a Pi has. */
const MEMORY_MIN = 16 * MIB;
const MEMORY_LIMIT = 16 * 1024 * MIB;

/** An amount of memory, in bytes. */
const memory = z.unknown().transform((value, ctx): number => {
  const [, digits, unit] = (typeof value === 'string' && SIZE.exec(value)) || [];
  if (digits === undefined) {
    const code = typeof value === 'string' ? 'CONFIG_VALUE' : 'CONFIG_TYPE';
    return issue(ctx, code, `${describe(value)} is not an amount of memory`, 'write a number with its unit: 64M, 1G');
  }
  const bytes = Number(digits) * (unit === 'G' ? 1024 * MIB : MIB);
  if (bytes >= MEMORY_MIN && bytes <= MEMORY_LIMIT) return bytes;
  return issue(ctx, 'CONFIG_RANGE', `${describe(value)} is out of range`, '16M to 16G');
});

/** Longest text of a log line or program argument, in characters. */
const MAX_TEXT = 4096;

/** A text with placeholders. */
const template = z
  .string()
  .max(MAX_TEXT)
  .transform((text, ctx): Template => {
    if (text.includes('\0')) return issue(ctx, 'CONFIG_VALUE', 'a NUL character in a text', 'remove it');
    const result = parseTemplate(text);
    if (isTemplate(result)) return result;
    if (result.unknown === undefined) {
      const brace = result.brace ?? '{';
      return issue(
        ctx,
        'CONFIG_VALUE',
        `a '${brace}' without its partner`,
        `write '${brace}${brace}' for the character itself`,
      );
    }
    const known = Object.keys(PLACEHOLDERS);
    const guess = nearest(result.unknown, known);
    const hint =
      guess === undefined ? `there are ${known.map((k) => `{${k}}`).join(', ')}` : `did you mean {${guess}}?`;
    return issue(
      ctx,
      'CONFIG_VALUE',
      `unknown placeholder {${printable(result.unknown)}}`,
      `${hint} ('{{' for a brace itself)`,
    );
  });

const name = z.string().min(1).max(64);
const level = z.literal([0, 1]);
/** An ES module; relative to the file. */
const modulePath = z
  .string()
  .regex(/\.m?js$/)
  .max(MAX_TEXT);

/** How many edges a line may have before it is disabled for a while; a rate of 0 is as many as come. */
export const stormGuardSchema = z.strictObject({
  rate: z.int().min(0).max(1_000_000),
  window: duration(1e6, 60e9, 1).optional(),
  backoff: duration(1e6, 3600e9, 1).optional(),
  max_backoff: duration(1e6, 3600e9, 1).optional(),
});

/** A line of the chip. */
export const lineSchema = z.strictObject({
  gpio: z.int().min(0),
  direction: z.enum(['in', 'out']).default('in'),
  edge: z.enum(['none', 'rising', 'falling', 'both']).optional(),
  bias: z.enum(['as-is', 'disabled', 'pull-up', 'pull-down']).default('as-is'),
  active: z.enum(['low', 'high']).default('high'),
  // The kernel takes microseconds in 32 bits.
  debounce: duration(0, 0xffff_ffff * 1000, 1000).optional(),
  initial: z.literal([0, 1, 'keep']).optional(),
  drive: z.enum(['push-pull', 'open-drain', 'open-source']).optional(),
  storm_guard: stormGuardSchema.optional(),
});

/** One action: exactly one of its verbs `set`, `toggle`, `log`, `exec`, `module`; which context may run which is in rules.ts. */
export const actionSchema = z.strictObject({
  set: name.optional(),
  value: level.optional(),
  toggle: name.optional(),
  log: template.optional(),
  exec: z.array(template).min(1).max(64).optional(),
  module: modulePath.optional(),
  timeout: duration(1e6, 3600e9, 1).optional(),
});

/** The verbs of an action. */
export const VERBS = ['set', 'toggle', 'log', 'exec', 'module'] as const;

const actions = z.array(actionSchema).min(1).max(64);
// A top half is short, and the levels that its actions set are kept for its thread as the bits of a word.
const topHalf = z.array(actionSchema).min(1).max(32);

const workItem = z.strictObject({ queue: name.default(DEFAULT_QUEUE), do: actions });

/** One work item or a list of them. Not a union: its errors would name neither. */
const work = z.unknown().transform((value, ctx): { items: z.output<typeof workItem>[]; listed: boolean } => {
  const listed = Array.isArray(value);
  const result = listed ? z.array(workItem).min(1).max(64).safeParse(value) : workItem.safeParse(value);
  if (!result.success) {
    for (const found of result.error.issues) ctx.issues.push({ ...found, input: value } as z.core.$ZodRawIssue);
    return z.NEVER;
  }
  return { items: Array.isArray(result.data) ? result.data : [result.data], listed };
});

/** What happens on a line's edges. */
export const interruptSchema = z.strictObject({
  line: name,
  name: z
    .string()
    .regex(/^[\p{L}\p{N}\p{P}\p{S}]+( [\p{L}\p{N}\p{P}\p{S}]+)*$/u)
    .max(64)
    .optional(),
  top_half: topHalf.optional(),
  thread: actions.optional(),
  work: work.optional(),
  handler: modulePath.optional(),
});

/** A workqueue. */
export const workqueueSchema = z.strictObject({
  flags: z.array(z.enum(WORKQUEUE_FLAGS)).max(WORKQUEUE_FLAGS.length).default([]),
  max_active: z.int().min(1).max(512).optional(),
  memory_max: memory.optional(),
});

const CHIP = /^(auto|gpiochip\d{1,4}|label:[\x21-\x7e]{1,31})$/;

/** The file. Its mappings are checked entry by entry with the schemas above, so that one bad entry hides no other. */
export const fileSchema = z.strictObject({
  driver: z.enum(DRIVERS).default('auto'),
  chip: z.string().regex(CHIP).default('auto'),
  storm_guard: stormGuardSchema.optional(),
  lines: z.record(z.string(), z.unknown()),
  interrupts: z.array(z.unknown()).max(1024).default([]),
  workqueues: z.record(z.string(), z.unknown()).default({}),
});

/** Types of checked entries, before they become a {@link import('./config.js').Config}. */
export type StormGuardInput = z.output<typeof stormGuardSchema>;
export type LineInput = z.output<typeof lineSchema>;
export type ActionInput = z.output<typeof actionSchema>;
export type InterruptInput = z.output<typeof interruptSchema>;
export type WorkqueueInput = z.output<typeof workqueueSchema>;
