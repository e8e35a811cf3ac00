// The schema of scenario files: what a header and a step may say, of what type and in what range.
import { z } from 'zod';
import { FAULTS } from '../../sim-fallback/index.js';
import { duration } from '../config/values.js';

/** The longest scenario, and the longest duration in one: 30 days. */
export const LONGEST_NS = 30 * 86_400e9;
/** Most steps of a YAML file, and most repetitions of one step. */
export const MAX_STEPS = 10_000;
export const MAX_REPEATS = 100_000_000;

const name = z.string().min(1).max(64);
const time = duration(0, LONGEST_NS, 1);
const span = duration(1, LONGEST_NS, 1);
const count = z.int().min(0).max(0xffff_ffff);

/** How a contact bounces (sim-fallback/board/bounce.ts). */
export const bounceSchema = z.strictObject({
  count: z.int().min(1).max(32).optional(),
  settle: duration(10_000, 1e9, 1).optional(),
  spacing: z.number().min(0.1).max(1).optional(),
});

/** `true`, `false`, or how. Not a union: its errors would name neither. */
const bounce = z.unknown().transform((value, ctx): boolean | z.output<typeof bounceSchema> => {
  if (typeof value === 'boolean') return value;
  const result = bounceSchema.safeParse(value);
  if (result.success) return result.data;
  for (const found of result.error.issues) ctx.issues.push({ ...found, input: value } as z.core.$ZodRawIssue);
  return z.NEVER;
});

/** When a step comes again. */
export const repeatSchema = z.strictObject({ every: span, count: z.int().min(1).max(MAX_REPEATS) });

/** One step: exactly one of its verbs, at a time; what goes with which verb is in steps.ts. */
export const stepSchema = z.strictObject({
  at: time,
  press: name.optional(),
  release: name.optional(),
  level: name.optional(),
  fault: z.enum(FAULTS).optional(),
  expect: name.optional(),
  expect_log: z.string().min(1).max(4096).optional(),
  expect_exec: z.string().min(1).max(4096).optional(),
  expect_http: z.string().min(1).max(4096).optional(),
  expect_publish: z.string().min(1).max(4096).optional(),
  hook: name.optional(),
  message: z.string().min(1).max(256).optional(),
  payload: z.string().max(16_384).optional(),
  hold: span.optional(),
  bounce: bounce.optional(),
  value: z.literal([0, 1, 'float']).optional(),
  line: name.optional(),
  width: span.optional(),
  rate: z.int().min(1).max(10_000_000).optional(),
  for: span.optional(),
  by: span.optional(),
  count: count.optional(),
  rising: count.optional(),
  falling: count.optional(),
  lost: count.optional(),
  dropped: count.optional(),
  repeat: repeatSchema.optional(),
});

/** The verbs of a step. */
export const VERBS = [
  ...(['press', 'release', 'level', 'fault', 'hook', 'message', 'expect'] as const),
  ...(['expect_log', 'expect_exec', 'expect_http', 'expect_publish'] as const),
] as const;

const pull = z.enum(['up', 'down', 'none']);

/** What is on the board, by the lines' names; what is left out is as the configuration suggests. */
export const boardSchema = z.strictObject({
  buttons: z
    .record(
      name,
      z.strictObject({
        pull: pull.optional(),
        to: z.enum(['ground', '3v3']).optional(),
        bounce: bounceSchema.optional(),
      }),
    )
    .optional(),
  leds: z.record(name, z.strictObject({ active: z.enum(['low', 'high']).default('high') })).optional(),
  wires: z
    .array(z.strictObject({ from: name, to: name }))
    .max(64)
    .optional(),
  pulls: z.record(name, pull).optional(),
});

/** What stands before the steps. */
const header = {
  scenario: z.literal(1),
  name: z.string().max(200).optional(),
  seed: z.int().min(0).max(0xffff_ffff).optional(),
  board: boardSchema.optional(),
  end: time.optional(),
  /** What the wall clock shows at the start. */
  clock: z.iso.datetime({ offset: true }).optional(),
};

/** The first line of a JSONL file; `recorded` is what a recording says of itself. */
export const headerSchema = z.strictObject({ ...header, recorded: z.record(z.string(), z.unknown()).optional() });

/** A YAML file; its steps are checked one by one, so that one bad step hides no other. */
export const fileSchema = z.strictObject({ ...header, steps: z.array(z.unknown()).max(MAX_STEPS).default([]) });

/** Types of checked entries. */
export type StepInput = z.output<typeof stepSchema>;
export type HeaderInput = z.output<typeof headerSchema>;
export type BoardInput = z.output<typeof boardSchema>;
export type BounceInput = z.output<typeof bounceSchema>;
