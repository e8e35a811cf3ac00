// Freezing: what is queued on WQ_FREEZABLE queues waits until the machine is awake again (freeze_workqueues_begin).
import type { Machine } from '../machine.js';
import { thisCpu } from '../sched/current.js';
import { WQ_FREEZABLE } from './flags.js';

function adjustAll({ workqueues }: Machine): void {
  for (const wq of workqueues.all) wq.adjustMaxActive();
}

/** From now on no item of a WQ_FREEZABLE queue begins (freeze_workqueues_begin). Process context. */
export function freezeWorkqueuesBegin(): void {
  const { machine } = thisCpu();
  if (machine.workqueues.freezing) machine.warnOnce('freeze_workqueues_begin', '', 'freeze_workqueues_begin');
  machine.workqueues.freezing = true;
  adjustAll(machine);
}

/** Items of WQ_FREEZABLE queues that had begun, or were about to, are not done yet (freeze_workqueues_busy). Process context. */
export function freezeWorkqueuesBusy(): boolean {
  const { machine } = thisCpu();
  const { workqueues } = machine;
  if (!workqueues.freezing) machine.warnOnce('freeze_workqueues_busy', '', 'freeze_workqueues_busy');
  for (const { flags, pwqs } of workqueues.all) {
    if ((flags & WQ_FREEZABLE) === 0) continue;
    for (const pwq of pwqs) if (pwq.nrActive > 0) return true;
  }
  return false;
}

/** Lets all that was kept back begin (thaw_workqueues). Process context. */
export function thawWorkqueues(): void {
  const { machine } = thisCpu();
  if (!machine.workqueues.freezing) return;
  machine.workqueues.freezing = false;
  adjustAll(machine);
}
