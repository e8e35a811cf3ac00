// Suspend to idle: tasks frozen, lines suspended, and the CPUs idle until something wakes the machine up (kernel/power/suspend.c).
import { KernelError } from '../errno.js';
import { resumeDeviceIrqs, suspendDeviceIrqs } from '../irq/pm.js';
import { mightSleep } from '../sched/core.js';
import type { Coroutine } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { waitEventIdle } from '../sched/wait.js';
import { freezeKernelThreads, thawKernelThreads } from './freezer.js';
import { pmWakeupClear, pmWakeupPending } from './wakeup.js';

/** States of {@link pmSuspend} (include/linux/suspend.h). */
export const PM_SUSPEND_TO_IDLE = 1;
export const PM_SUSPEND_STANDBY = 2;
export const PM_SUSPEND_MEM = 3;

function* s2idleLoop(): Coroutine<void> {
  const { power } = thisCpu().machine;
  while (!pmWakeupPending()) {
    power.s2idleState = 'enter';
    yield* waitEventIdle(power.s2idleWait, () => power.s2idleState === 'wake');
    power.s2idleState = 'none';
  }
}

function* enterState(): Coroutine<void> {
  const { machine } = thisCpu();
  pmWakeupClear(0);
  yield* freezeKernelThreads();
  try {
    yield* suspendDeviceIrqs();
    yield* s2idleLoop();
    yield* resumeDeviceIrqs();
  } finally {
    machine.printk('info', 'Restarting tasks ... done.');
    thawKernelThreads();
  }
}

/**
 * Suspends the machine, and returns when it has been woken up and resumed (pm_suspend): by the first interrupt of a line
 * armed with {@link enableIrqWake}, which {@link pmWakeupIrq} then tells, or by {@link pmSystemWakeup}.
 *
 * Suspend to idle is what there is, as on a Pi: IRQF_NO_SUSPEND lines are handled, timers run, and the clock goes on,
 * CLOCK_MONOTONIC and CLOCK_BOOTTIME being the same. Tasks go on too, but for freezable ones ({@link setFreezable}) and
 * freezable work queues. Process context.
 *
 * ```ts
 * enableIrqWake(button);
 * yield* pmSuspend(PM_SUSPEND_TO_IDLE);
 * if (pmWakeupIrq() === button) log('good morning');
 * ```
 *
 * @throws KernelError EINVAL (another state), EBUSY (a suspend is under way, a task does not freeze, a wake-up came before it had)
 */
export const pmSuspend = effect(function* pmSuspend(state: number) {
  mightSleep('pm_suspend');
  const { machine } = thisCpu();
  const { power } = machine;
  if (state !== PM_SUSPEND_TO_IDLE) {
    throw new KernelError('EINVAL', `no suspend state ${state}`, { hint: 'PM_SUSPEND_TO_IDLE is what there is' });
  }
  machine.printk('info', 'PM: suspend entry (s2idle)');
  if (power.inTransition) throw new KernelError('EBUSY', 'a suspend is under way');
  power.inTransition = true;
  try {
    yield* enterState();
  } finally {
    power.inTransition = false;
    machine.printk('info', 'PM: suspend exit');
  }
});
