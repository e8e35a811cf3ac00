// Tasklets: scheduled, disabled, enabled and killed (include/linux/interrupt.h, kernel/softirq.c).
import { KernelError } from '../errno.js';
import { type Atomic, Request } from '../sched/coroutine.js';
import { inInterrupt, thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { waitEvent } from '../sched/wait.js';
import { nameOf, Tasklet, type TaskletFn } from './tasklet-list.js';

export { TASKLET_STATE_RUN, TASKLET_STATE_SCHED, Tasklet, type TaskletFn } from './tasklet-list.js';

/**
 * Gives a tasklet its function, and makes it enabled and idle (tasklet_setup); one that is made with its function needs no
 * such call. Any context.
 *
 * @deprecated for new code, as {@link Tasklet}
 * @throws KernelError EBUSY when it is scheduled or running, where the kernel would lose the list that it stands in:
 * {@link taskletKill} waits until it is not
 */
export function taskletSetup(tasklet: Tasklet, fn: TaskletFn): void {
  checkIdle(tasklet, 'tasklet_setup');
  tasklet.fn = fn;
  tasklet.name = nameOf(fn);
  tasklet.cpu = undefined;
  tasklet.count = 0;
  tasklet.useCallback = true;
  tasklet.data = 0;
}

/**
 * As {@link taskletSetup} in the old form: the function gets `data` (tasklet_init). Any context.
 *
 * @deprecated for {@link taskletSetup}, and with it for a thread function, a work item or a `WQ_BH` queue
 * @throws KernelError EBUSY when it is scheduled or running
 */
export function taskletInit<T>(tasklet: Tasklet, func: (data: T) => Atomic<void>, data: T): void {
  checkIdle(tasklet, 'tasklet_init');
  tasklet.fn = () => func(data);
  tasklet.name = nameOf(func);
  tasklet.cpu = undefined;
  tasklet.count = 0;
  tasklet.useCallback = false;
  tasklet.data = data;
}

/**
 * A tasklet in the old form, whose function gets 0 (DECLARE_TASKLET_OLD; `count` 1: DECLARE_TASKLET_DISABLED_OLD).
 *
 * @deprecated for `new Tasklet(fn)` (DECLARE_TASKLET), and with it for a thread function, a work item or a `WQ_BH` queue
 */
export function declareTaskletOld(func: (data: number) => Atomic<void>, count: 0 | 1 = 0): Tasklet {
  const tasklet = new Tasklet(() => {}, count);
  taskletInit(tasklet, func, 0);
  tasklet.count = count;
  return tasklet;
}

function checkIdle(tasklet: Tasklet, what: string): void {
  if (tasklet.state === 0) return;
  throw new KernelError('EBUSY', `${what}: ${tasklet.name} is in use`, { hint: 'yield* taskletKill() first' });
}

/**
 * Has a tasklet run on this CPU, in TASKLET softirq (tasklet_schedule). One that is scheduled already, in whichever
 * softirq, is left alone; one whose function is under way runs once more. Any context.
 *
 * A disabled one that is scheduled keeps ksoftirqd busy until it is enabled, as in the kernel: the vector stays raised, and
 * tasks of SCHED_NORMAL share the CPU with ksoftirqd.
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
  yield* taskletUnlockWait(tasklet);
});

/**
 * As {@link taskletDisableNosync}, and spins until its function has ended (tasklet_disable_in_atomic). Any context but the
 * tasklet's own.
 *
 * @deprecated as in the kernel: use {@link taskletDisable} in process context
 * @throws KernelError EDEADLK when the function is under way on this CPU, which would spin for ever
 */
export const taskletDisableInAtomic = effect(function* taskletDisableInAtomic(tasklet: Tasklet) {
  taskletDisableNosync(tasklet);
  const cpu = thisCpu();
  while (tasklet.running) {
    if (tasklet.cpu === cpu) {
      throw new KernelError('EDEADLK', `tasklet_disable_in_atomic: ${tasklet.name} runs on this CPU`, {
        hint: 'taskletDisableNosync() does not wait',
      });
    }
    tasklet.spinners.add(cpu.activation);
    yield Request.spin;
  }
});

/** Waits until the function of a tasklet has ended, if it is under way (tasklet_unlock_wait). `EDEADLK` in interrupt context. Process context. */
export const taskletUnlockWait = effect(function* taskletUnlockWait(tasklet: Tasklet) {
  yield* waitEvent(tasklet.waiters, () => !tasklet.running);
});

/**
 * Ends one disable; a tasklet that was scheduled meanwhile then runs, in ksoftirqd or behind the next interrupt
 * (tasklet_enable). Any context.
 *
 * @throws KernelError EINVAL when it is not disabled, where the kernel would let its count fall below 0
 */
export function taskletEnable(tasklet: Tasklet): void {
  if (tasklet.count === 0) throw new KernelError('EINVAL', `tasklet_enable: ${tasklet.name} is not disabled`);
  tasklet.count--;
  tasklet.retry();
}

/**
 * Waits until a tasklet has run, if it is scheduled, and is idle (tasklet_kill). What schedules it while its last run is
 * waited for does nothing; but one that schedules itself again and again on this CPU is never seen idle, nor is a disabled
 * one that is scheduled. Process context; in an interrupt it is reported.
 *
 * @throws KernelError EDEADLK in interrupt context, when it would have to wait
 */
export const taskletKill = effect(function* taskletKill(tasklet: Tasklet) {
  if (inInterrupt()) thisCpu().machine.printk('notice', 'softirq: Attempt to kill tasklet from interrupt');
  while (tasklet.scheduled) yield* waitEvent(tasklet.waiters, () => !tasklet.scheduled);
  tasklet.scheduled = true;
  try {
    yield* taskletUnlockWait(tasklet);
  } finally {
    tasklet.scheduled = false;
    tasklet.wakeWaiters();
  }
});
