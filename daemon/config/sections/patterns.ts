// Patterns of presses: of one line under its interrupt, of several lines under `chords`.

import { z } from 'zod';
import { type ChordSpec, type PatternSpec, PRESS_PATTERNS } from '../action-types.js';
import type { ConfigPath } from '../errors.js';
import type { Rules } from '../rules.js';
import { duration, keys, name } from '../values.js';
import { actionsSchema, buildWork, checkWorkItem, queueSchema } from './work.js';

/** When a pattern that does not say is one. */
const AFTER_NS = 800e6;
const WITHIN_NS = 300e6;
const EVERY_NS = 200e6;
const CHORD_NS = 100e6;

/** One pattern of a line. */
export const patternSchema = keys({
  on: z
    .enum(PRESS_PATTERNS)
    .describe(
      '`single`: one press, told when it is let go and, beside a `double`, when no second comes in time. `double`: two, told at the second. `long`: held for `after`. `hold`: again and again while held. `release`: let go after a long press.',
    ),
  after: duration(1e6, 3600e9, 1)
    .optional()
    .describe('With `long`, `hold`, `release`: how long it is held until it counts.')
    .meta({ default: '800ms' }),
  within: duration(1e6, 60e9, 1)
    .optional()
    .describe('With `double`: how long after the first press is let go the second may come.')
    .meta({ default: '300ms' }),
  every: duration(1e6, 3600e9, 1)
    .optional()
    .describe('With `hold`: time from one run to the next.')
    .meta({ default: '200ms' }),
  queue: queueSchema,
  do: actionsSchema.describe('Actions, one after the other.'),
}).describe('A pattern of presses.');

/** A checked pattern. */
export type PatternInput = z.output<typeof patternSchema>;

/** Several lines that are pressed together. */
export const chordSchema = keys({
  name: name.optional().describe("Name in the log; the lines' names, joined with +, when left out."),
  lines: z.array(name).min(2).max(16).describe('The lines, each an input that reports both edges.'),
  within: duration(1e6, 60e9, 1)
    .default(CHORD_NS)
    .describe('Longest time from the first press to the last.')
    .meta({ default: '100ms' }),
  queue: queueSchema,
  do: actionsSchema.describe('Actions, one after the other.'),
}).describe('Lines that are pressed together.');

/** A checked chord. */
export type ChordInput = z.output<typeof chordSchema>;

/** What goes with which pattern. */
const OPTIONS = {
  after: ['long', 'hold', 'release'],
  within: ['double'],
  every: ['hold'],
} as const;

/** Checks the patterns of one interrupt. @param at where their list is */
export function checkPatterns(rules: Rules, patterns: readonly PatternInput[], at: ConfigPath): void {
  const once = new Set<string>();
  for (const [i, pattern] of patterns.entries()) {
    const path = [...at, i];
    if (once.has(pattern.on) && ['single', 'double'].includes(pattern.on)) {
      const hint = 'put all its actions into one';
      rules.add('CONFIG_DUPLICATE', [...path, 'on'], `${pattern.on} twice in one interrupt`, hint);
    }
    once.add(pattern.on);
    for (const [option, owners] of Object.entries(OPTIONS)) {
      const given = pattern[option as keyof typeof OPTIONS] !== undefined;
      if (!given || owners.some((owner) => owner === pattern.on)) continue;
      const hint = `${option} goes with ${owners.join(', ')}`;
      rules.add('CONFIG_CONFLICT', [...path, option], `${option} at a ${pattern.on} press`, hint, true);
    }
    checkWorkItem(rules, pattern, path, { place: 'press' });
  }
}

/** Checks `chords`. */
export function checkChords(rules: Rules): void {
  const names = new Map<string, ConfigPath>();
  for (const { path, input } of rules.pieces.chords) {
    if (input === undefined) continue;
    if (input.name !== undefined) rules.claim(names, input.name, [...path, 'name'], 'the name', 'give each its own');
    for (const [i, line] of input.lines.entries()) {
      const at = [...path, 'lines', i];
      if (input.lines.indexOf(line) < i) rules.add('CONFIG_DUPLICATE', at, `${line} twice in one chord`, 'remove one');
      else rules.bothEdges(line, at, 'a chord');
    }
    checkWorkItem(rules, input, path, { place: 'chord' });
  }
}

/** A pattern. @param toPath makes a path of the file absolute */
export function buildPattern(input: PatternInput, toPath: (path: string) => string): PatternSpec {
  return {
    on: input.on,
    afterNs: input.after ?? AFTER_NS,
    withinNs: input.within ?? WITHIN_NS,
    everyNs: input.every ?? EVERY_NS,
    ...buildWork(input, toPath),
  };
}

/** A chord. @param toPath makes a path of the file absolute */
export function buildChord(input: ChordInput, toPath: (path: string) => string): ChordSpec {
  return {
    name: input.name ?? input.lines.join('+'),
    lines: input.lines,
    withinNs: input.within,
    ...buildWork(input, toPath),
  };
}
