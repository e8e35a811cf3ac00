// Tasklets: scheduled, disabled, enabled and killed (include/linux/interrupt.h, kernel/softirq.c).
import { KernelError } from '../errno.js';
import { mightSleep } from '../sched/core.js';
import { type Coroutine, Request } from '../sched/coroutine.js';
import { current, inInterrupt, thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { TASK_RUNNING, TASK_UNINTERRUPTIBLE } from '../sched/task.js';
import { nameOf, type Tasklet, type TaskletFn } from './tasklet-list.js';

export { TASKLET_STATE_RUN, TASKLET_STATE_SCHED, Tasklet, type TaskletFn } from './tasklet-list.js';

/**
 * Gives a tasklet its function, and makes it enabled and idle (tasklet_setup); one that is made with its function needs no
 * such call. Any context.
 *
 * @throws KernelError EBUSY when it is scheduled or running: {@link taskletKill} waits until it is not
 */
export function taskletSetup(tasklet: Tasklet, fn: TaskletFn): void {
  if (tasklet.state !== 0) {
    throw new KernelError('EBUSY', `tasklet_setup: ${tasklet.name} is in use`, { hint: 'yield* taskletKill() first' });
  }
  tasklet.fn = fn;
  tasklet.name = nameOf(fn);
  tasklet.count = 0;
}

/**
 * Has a tasklet run on this CPU, in TASKLET softirq (tasklet_schedule). One that is scheduled already, in whichever
 * softirq, is left alone; one whose function is under way runs once more. Any context.
 */
export function taskletSchedule(tasklet: Tasklet): void {
  if (tasklet.scheduled) return;
  tasklet.scheduled = true;
  thisCpu().tasklets.add(tasklet);
}

/** As {@link taskletSchedule}, in HI softirq: before all others (tasklet_hi_schedule). */
export function taskletHiSchedule(tasklet: Tasklet): void {
  if (tasklet.scheduled) return;
  tasklet.scheduled = true;
  thisCpu().hiTasklets.add(tasklet);
}

/** Keeps a tasklet from running until {@link taskletEnable}; it may be running still (tasklet_disable_nosync). Nests. Any context. */
export function taskletDisableNosync(tasklet: Tasklet): void {
  tasklet.count++;
}

/**
 * As {@link taskletDisableNosync}, and waits until its function has ended (tasklet_disable). Process context.
 *
 * @throws KernelError EDEADLK in interrupt context, when it would have to wait
 */
export const taskletDisable = effect(function* taskletDisable(tasklet: Tasklet) {
  taskletDisableNosync(tasklet);
  mightSleep('tasklet_disable');
  yield* waitWhile(tasklet, () => tasklet.running);
});

/** Ends one disable; a tasklet that was scheduled meanwhile then runs, in ksoftirqd (tasklet_enable). Any context. */
export function taskletEnable(tasklet: Tasklet): void {
  if (tasklet.count === 0) throw new KernelError('EINVAL', `tasklet_enable: ${tasklet.name} is not disabled`);
  tasklet.count--;
  tasklet.unpark();
}

/**
 * Waits until a tasklet has run, if it is scheduled, and is idle (tasklet_kill). What schedules it while its last run is
 * waited for does nothing, so one that schedules itself is caught too. A disabled one that is scheduled never becomes
 * idle. Process context; in an interrupt it is reported.
 *
 * @throws KernelError EDEADLK in interrupt context, when it would have to wait
 */
export const taskletKill = effect(function* taskletKill(tasklet: Tasklet) {
  if (inInterrupt()) thisCpu().machine.printk('notice', 'Attempt to kill tasklet from interrupt');
  mightSleep('tasklet_kill');
  yield* waitWhile(tasklet, () => tasklet.scheduled);
  tasklet.scheduled = true;
  try {
    yield* waitWhile(tasklet, () => tasklet.running);
  } finally {
    tasklet.scheduled = false;
    tasklet.wakeWaiters();
  }
});

function* waitWhile(tasklet: Tasklet, condition: () => boolean): Coroutine<void> {
  const task = current();
  try {
    while (condition()) {
      tasklet.waiters.add(task);
      task.state = TASK_UNINTERRUPTIBLE;
      yield Request.schedule;
    }
  } finally {
    task.state = TASK_RUNNING;
    tasklet.waiters.delete(task);
  }
}
