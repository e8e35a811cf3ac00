// `interrupts`: what happens on the edges of one line, context by context.

import { z } from 'zod';
import { INTERRUPT_FLAGS } from '../action-types.js';
import type { InterruptSpec } from '../config.js';
import type { ConfigPath } from '../errors.js';
import type { Rules } from '../rules.js';
import { keys, listOr, matching, name } from '../values.js';
import { actionSchema, buildAtomics, buildThreadActions, checkActions } from './actions.js';
import { buildPattern, checkPatterns, patternSchema } from './patterns.js';
import { actionsSchema, buildWork, checkWorkItem, workItemsAt, workSchema } from './work.js';

// A top half is short, and the levels that its actions set are kept for its thread as the bits of a word.
const atomicActions = z.array(actionSchema).min(1).max(32);

/** A module of handlers; relative to the file. */
const handlerPath = matching(
  /\.m?[jt]s$/,
  'write the path of a module of JavaScript or TypeScript: ./NAME.js, ./NAME.ts',
)
  .max(4096)
  .meta({ kind: 'path' });

const threadSchema = keys({
  priority: z
    .int()
    .min(1)
    .max(99)
    .optional()
    .describe('Real-time priority of the thread (SCHED_FIFO).')
    .meta({ default: 50 }),
  do: actionsSchema.describe('Actions, one after the other.'),
});

/** What happens on a line's edges. */
export const interruptSchema = keys({
  line: name.describe('The line: an input with an edge. One interrupt a line.'),
  name: matching(
    /^[\p{L}\p{N}\p{P}\p{S}]+( [\p{L}\p{N}\p{P}\p{S}]+)*$/u,
    'write letters, digits and punctuation, with single spaces between',
  )
    .max(64)
    .optional()
    .describe("Name in /proc/interrupts; the line's when left out."),
  flags: z
    .array(z.enum(INTERRUPT_FLAGS))
    .max(INTERRUPT_FLAGS.length)
    .default([])
    .describe(
      'Flags of the request. `oneshot`: as drivers ask for it; Linux masks only levels for it, so edges come as without it. `no_autoen`: it is disabled until `gpio-irqctl irq N enable`.',
    ),
  affinity: z
    .array(z.int().min(0).max(31))
    .min(1)
    .max(32)
    .optional()
    .describe('CPUs of the model that may handle it; all of them when left out.'),
  top_half: atomicActions.optional().describe('At once, in the hard interrupt handler: line operations only.'),
  tasklet: atomicActions.optional().describe('Soon after, in a tasklet: line operations only.'),
  thread: listOr(actionsSchema, threadSchema)
    .optional()
    .describe("In the interrupt's own thread: line operations and log. A list, or a mapping with a priority."),
  work: workSchema.optional().describe('When there is time, from a queue: everything. A work item, or a list of them.'),
  patterns: z.array(patternSchema).min(1).max(32).optional().describe('Work for patterns of presses.'),
  handler: handlerPath
    .optional()
    .describe('A module of JavaScript or TypeScript that handles the interrupt, in place of all actions.'),
}).describe("What happens on a line's edges.");

/** A checked interrupt. */
export type InterruptInput = z.output<typeof interruptSchema>;

/** Actions of the thread, and where they are below the interrupt. */
export function threadOf({ thread }: InterruptInput) {
  if (thread === undefined) return { actions: undefined, below: ['thread'], priority: undefined };
  if (Array.isArray(thread)) return { actions: thread, below: ['thread'], priority: undefined };
  return { actions: thread.do, below: ['thread', 'do'], priority: thread.priority };
}

/** Checks `interrupts`: who has which line and name, and what each does. */
export function checkInterrupts(rules: Rules): void {
  const byLine = new Map<string, ConfigPath>();
  const byName = new Map<string, ConfigPath>();
  for (const { path, input } of rules.pieces.interrupts) {
    if (input === undefined) continue;
    checkSource(rules, input, path);
    const hint = 'EBUSY: put all actions of a line in one interrupt';
    rules.claim(byLine, input.line, [...path, 'line'], 'the line', hint);
    const nameless = input.name === undefined;
    if (!(nameless && byLine.get(input.line)?.[1] !== path[1])) {
      const at = [...path, nameless ? 'line' : 'name'];
      rules.claim(byName, input.name ?? input.line, at, 'the name', 'give each interrupt its own');
    }
    checkBody(rules, input, path);
  }
}

/** The line of an interrupt: it must exist, be an input, and report edges. */
function checkSource(rules: Rules, interrupt: InterruptInput, path: ConfigPath): void {
  const at = [...path, 'line'];
  if (interrupt.patterns !== undefined) rules.bothEdges(interrupt.line, at, 'a pattern');
  else rules.edges(interrupt.line, at);
}

function checkBody(rules: Rules, interrupt: InterruptInput, path: ConfigPath): void {
  const parts = (['top_half', 'tasklet', 'thread', 'work', 'patterns'] as const).filter(
    (part) => interrupt[part] !== undefined,
  );
  if (interrupt.handler !== undefined && parts[0] !== undefined) {
    const hint = `a handler module replaces them: remove it, or ${parts.join(' and ')}`;
    rules.add('CONFIG_CONFLICT', [...path, 'handler'], `handler beside ${parts.join(', ')}`, hint, true);
  }
  if (interrupt.handler === undefined && parts.length === 0) {
    rules.add('CONFIG_MISSING', path, 'the interrupt does nothing', 'add top_half, thread, work or handler');
  }
  const cpus = rules.pieces.file?.cpus ?? 1;
  for (const [i, cpu] of interrupt.affinity?.entries() ?? []) {
    if (cpu < cpus) continue;
    const hint = cpus === 1 ? 'the model has CPU 0 only; write cpus: 2 or more' : `0 to ${cpus - 1}, by cpus: ${cpus}`;
    rules.add('CONFIG_RANGE', [...path, 'affinity', i], `there is no CPU ${cpu}`, hint);
  }
  if (interrupt.handler !== undefined && interrupt.flags.includes('no_autoen')) {
    const hint =
      'the module shares the line with the count of its edges; call dev.kernel.disableIrqNosync in it instead';
    rules.add('CONFIG_CONFLICT', [...path, 'flags'], 'no_autoen beside handler', hint, true);
  }
  const { line } = interrupt;
  checkActions(rules, interrupt.top_half ?? [], [...path, 'top_half'], { place: 'top_half', line });
  checkActions(rules, interrupt.tasklet ?? [], [...path, 'tasklet'], { place: 'tasklet', line });
  const thread = threadOf(interrupt);
  checkActions(rules, thread.actions ?? [], [...path, ...thread.below], { place: 'thread', line });
  for (const { item, at } of workItemsAt(interrupt.work, [...path, 'work'])) {
    checkWorkItem(rules, item, at, { place: 'work', line });
  }
  checkPatterns(rules, interrupt.patterns ?? [], [...path, 'patterns']);
}

/** An interrupt. @param toPath makes a path of the file absolute */
export function buildInterrupt(input: InterruptInput, toPath: (path: string) => string): InterruptSpec {
  const thread = threadOf(input);
  return {
    name: input.name ?? input.line,
    line: input.line,
    flags: [...new Set(input.flags)],
    affinity: input.affinity,
    topHalf: buildAtomics(input.top_half),
    tasklet: buildAtomics(input.tasklet),
    thread: buildThreadActions(thread.actions),
    priority: thread.priority,
    work: (input.work?.items ?? []).map((item) => buildWork(item, toPath)),
    patterns: (input.patterns ?? []).map((pattern) => buildPattern(pattern, toPath)),
    handler: input.handler === undefined ? undefined : toPath(input.handler),
  };
}
