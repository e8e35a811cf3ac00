// Freezing what must not run while devices are suspended: freezable tasks and work (kernel/freezer.c, kernel/power/process.c).
import { KernelError } from '../errno.js';
import { kthreadShouldStop, mightSleep } from '../sched/core.js';
import { type Coroutine, Request } from '../sched/coroutine.js';
import { current, thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { TASK_IDLE, TASK_NORMAL, TASK_RUNNING, type Task } from '../sched/task.js';
import { wakeUpProcess, wakeUpState } from '../sched/wakeup.js';
import { usleepRange } from '../time/delay.js';
import { jiffiesOf } from '../time/jiffies.js';
import { freezeWorkqueuesBegin, freezeWorkqueuesBusy, thawWorkqueues } from '../workqueue/freeze.js';
import { showFreezableWorkqueues } from '../workqueue/show.js';
import { pmWakeupPending } from './wakeup.js';

/** How long tasks may take to freeze (/sys/power/pm_freeze_timeout). */
const FREEZE_TIMEOUT_SECS = 20;
const NSEC_PER_SEC = 1_000_000_000;
/** Between two looks, in µs: each twice as long, to the longest. */
const FIRST_SLEEP_US = 1_000;
const LONGEST_SLEEP_US = 8_000;

function freezing(task: Task): boolean {
  const { power } = thisCpu().machine;
  return power.freezing && power.freezable.has(task);
}

/** Sleeps until the tasks are thawed, or this one is to stop. */
function* refrigerator(task: Task): Coroutine<boolean> {
  const { frozen } = thisCpu().machine.power;
  let was = false;
  frozen.add(task);
  while (freezing(task) && !kthreadShouldStop()) {
    was = true;
    task.state = TASK_IDLE;
    yield Request.schedule;
  }
  frozen.delete(task);
  task.state = TASK_RUNNING;
  return was;
}

/** Waits while the tasks are frozen, if this one may be; true if it had to wait (try_to_freeze). Process context. */
export const tryToFreeze = effect(function* tryToFreeze() {
  mightSleep('try_to_freeze');
  const task = current();
  return freezing(task) ? yield* refrigerator(task) : false;
});

/**
 * Lets this task be frozen, which kthreads otherwise are not (set_freezable). It then calls {@link tryToFreeze} in its loop:
 * a suspend wakes it up for that. Process context.
 */
export const setFreezable = effect(function* setFreezable() {
  thisCpu().machine.power.freezable.add(current());
  return yield* tryToFreeze();
});

/** Wakes the tasks that are to freeze; how many have not done so. */
function freezeTasks(): number {
  const { tasks, power } = thisCpu().machine;
  let todo = 0;
  for (const task of tasks) {
    if (!power.freezable.has(task) || power.frozen.has(task) || task === current()) continue;
    wakeUpState(task, TASK_NORMAL);
    todo++;
  }
  return todo;
}

/** What has not frozen yet: tasks, and whether items of work queues run. */
interface Unfrozen {
  readonly tasks: number;
  readonly wqBusy: boolean;
}

function unfrozen(): Unfrozen | undefined {
  const tasks = freezeTasks();
  const wqBusy = freezeWorkqueuesBusy();
  return tasks === 0 && !wqBusy ? undefined : { tasks, wqBusy };
}

/**
 * Freezes freezable tasks and work queues (freeze_kernel_threads). Process context.
 *
 * @throws KernelError EBUSY when one does not freeze within 20 s, or a wake-up comes; all is thawed then
 */
export function* freezeKernelThreads(): Coroutine<void> {
  const { machine } = thisCpu();
  machine.printk('info', 'Freezing remaining freezable tasks');
  machine.power.freezing = true;
  const began = machine.clock.now();
  const end = jiffiesOf(machine) + FREEZE_TIMEOUT_SECS * machine.hz;
  freezeWorkqueuesBegin();
  let todo = unfrozen();
  let us = FIRST_SLEEP_US;
  while (todo !== undefined && jiffiesOf(machine) <= end && !pmWakeupPending()) {
    yield* usleepRange(us / 2, us);
    us = Math.min(us * 2, LONGEST_SLEEP_US);
    todo = unfrozen();
  }
  const seconds = ((machine.clock.now() - began) / NSEC_PER_SEC).toFixed(3);
  if (todo !== undefined) refuse(todo, seconds);
  machine.printk('info', `Freezing remaining freezable tasks completed (elapsed ${seconds} seconds)`);
}

/** Thaws what has frozen, and says what has not. */
function refuse({ tasks, wqBusy }: Unfrozen, seconds: string): never {
  const { machine } = thisCpu();
  const how = pmWakeupPending() ? 'aborted' : 'failed';
  const refusing = `${tasks} tasks refusing to freeze, wq_busy=${wqBusy ? 1 : 0}`;
  machine.printk('err', `Freezing remaining freezable tasks ${how} after ${seconds} seconds (${refusing}):`);
  if (wqBusy) showFreezableWorkqueues();
  thawKernelThreads();
  throw new KernelError('EBUSY', `suspend ${how}: ${refusing}`);
}

/** Undoes {@link freezeKernelThreads} (thaw_processes). */
export function thawKernelThreads(): void {
  const { power } = thisCpu().machine;
  power.freezing = false;
  thawWorkqueues();
  for (const task of power.frozen) wakeUpProcess(task);
}
