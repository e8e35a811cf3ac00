// `workqueues`: the queues that work items run on, by name.

import { z } from 'zod';
import { SYSTEM_QUEUES, WORKQUEUE_FLAGS, type WorkqueueSpec } from '../config.js';
import type { Rules } from '../rules.js';
import { keys, memory } from '../values.js';

/** Heap of a worker thread when its workqueue does not say: many times what most modules need. */
const MEMORY_MAX = 64 * 1024 * 1024;

/** A workqueue. */
export const workqueueSchema = keys({
  flags: z
    .array(z.enum(WORKQUEUE_FLAGS))
    .max(WORKQUEUE_FLAGS.length)
    .default([])
    .describe(
      '`unbound`: tied to no CPU. `highpri`: before the items of other queues. `cpu_intensive`: modules run in threads.',
    ),
  max_active: z
    .int()
    .min(1)
    .max(512)
    .optional()
    .describe("Items in flight at once; when left out the kernel's 256, with `cpu_intensive` one a spare processor."),
  memory_max: memory
    .optional()
    .describe('With `cpu_intensive`: heap that a worker thread may fill.')
    .meta({ default: '64M' }),
}).describe('A queue for work items.');

/** A checked workqueue. */
export type WorkqueueInput = z.output<typeof workqueueSchema>;

/** What a queue may be called, and which settings go together. */
export function checkWorkqueues(rules: Rules): void {
  for (const [queue, { path, input }] of rules.pieces.workqueues ?? []) {
    if (input?.memory_max !== undefined && !input.flags.includes('cpu_intensive')) {
      const hint = 'its modules run in worker threads: add cpu_intensive to its flags, or remove memory_max';
      rules.add('CONFIG_CONFLICT', [...path, 'memory_max'], 'memory_max without cpu_intensive', hint, true);
    }
    if (SYSTEM_QUEUES.some((system) => system === queue)) {
      rules.add('CONFIG_DUPLICATE', path, `${queue} is the kernel's own queue`, 'take another name', true);
    }
  }
}

/** A workqueue. */
export function buildWorkqueue(queue: string, input: WorkqueueInput): WorkqueueSpec {
  const { flags, max_active: maxActive = 0, memory_max: memoryMax = MEMORY_MAX } = input;
  return { name: queue, flags: [...new Set(flags)], maxActive, memoryMax };
}
