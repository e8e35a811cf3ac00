// Work items: actions and the queue that they run on; of interrupts, patterns, chords and triggers.

import { z } from 'zod';
import type { WorkSpec } from '../action-types.js';
import { DEFAULT_QUEUE, SYSTEM_QUEUES } from '../config.js';
import type { ConfigPath } from '../errors.js';
import type { Rules } from '../rules.js';
import { keys, name, oneOrList } from '../values.js';
import { type ActionInput, type ActionSite, actionSchema, buildWorkAction, checkActions } from './actions.js';

/** A list of actions. */
export const actionsSchema = z.array(actionSchema).min(1).max(64);

/** A queue to run on. */
export const queueSchema = name
  .default(DEFAULT_QUEUE)
  .describe(
    "Queue that the actions run on: one of `workqueues`, or the kernel's `system_wq`, `system_highpri_wq`, `system_unbound_wq`.",
  );

/** A work item. */
export const workItemSchema = keys({
  queue: queueSchema,
  do: actionsSchema.describe('Actions, one after the other.'),
}).describe('A work item.');

/** One work item or a list of them. */
export const workSchema = oneOrList(workItemSchema, 64);

/** A checked work item. */
export interface WorkItemInput {
  readonly queue: string;
  readonly do: readonly ActionInput[];
}

/** The work items under a key, each with its path. */
export function workItemsAt(
  work: z.output<typeof workSchema> | undefined,
  path: ConfigPath,
): { readonly item: WorkItemInput; readonly at: ConfigPath }[] {
  return (work?.items ?? []).map((item, i) => ({ item, at: work?.listed === true ? [...path, i] : path }));
}

/** The queue must exist, and the actions must be right for it. */
export function checkWorkItem(rules: Rules, item: WorkItemInput, at: ConfigPath, site: ActionSite): void {
  const queue = rules.lookUp(rules.pieces.workqueues, item.queue, [...at, 'queue'], 'workqueue', SYSTEM_QUEUES);
  checkActions(rules, item.do, [...at, 'do'], site);
  const computes = item.do.findIndex((action) => action.module !== undefined);
  if (computes < 0) return;
  // A module computes for long, and its queue has to say so.
  const system = SYSTEM_QUEUES.some((known) => known === item.queue);
  if (!system && (queue === undefined || queue.flags.includes('cpu_intensive'))) return;
  const hint = system
    ? 'define one under workqueues with flags: [cpu_intensive], and name it as the queue'
    : `write flags: [cpu_intensive] at workqueues.${item.queue}`;
  const message = `a module on the queue ${item.queue}, which is not cpu_intensive`;
  rules.add('CONFIG_CONFLICT', [...at, 'do', computes, 'module'], message, hint, true);
}

/** A work item. @param toPath makes a path of the file absolute */
export function buildWork(item: WorkItemInput, toPath: (path: string) => string): WorkSpec {
  return { queue: item.queue, actions: item.do.map((action) => buildWorkAction(action, toPath)) };
}
