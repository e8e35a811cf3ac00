// The scheduler's calls: giving up the CPU, keeping it, and kernel threads (kernel/sched/core.c, kernel/kthread.c).
import { KernelError } from '../errno.js';
import type { Coroutine } from './coroutine.js';
import { Request } from './coroutine.js';
import { current, inInterrupt, thisCpu } from './current.js';
import { PREEMPT_OFFSET } from './preempt.js';
import { TASK_DEAD, TASK_UNINTERRUPTIBLE, type Task } from './task.js';
import { wakeUpProcess } from './wakeup.js';

/** Lets other tasks run; the caller sleeps if its state says so. Process context. */
export function* schedule(): Coroutine<void> {
  yield Request.schedule;
}

/** Lets interrupts and tasks of higher priority come in here, as any instruction of a real CPU would. */
export function* preemptPoint(): Coroutine<void> {
  yield Request.point;
}

export function preemptDisable(): void {
  thisCpu().preemptCount += PREEMPT_OFFSET;
}

/** Ends one {@link preemptDisable}; a due switch happens at the next `yield*` (give it {@link preemptPoint} to have it at once). */
export function preemptEnable(): void {
  thisCpu().preemptCount -= PREEMPT_OFFSET;
}

export function localIrqDisable(): void {
  thisCpu().irqsEnabled = false;
}

/** Enables interrupts; pending ones come in at the next `yield*` (give it {@link preemptPoint} to have them at once). */
export function localIrqEnable(): void {
  const cpu = thisCpu();
  cpu.machine.lockdep?.hardirqsOn(cpu);
  cpu.irqsEnabled = true;
}

/** Disables interrupts and returns what to hand to {@link localIrqRestore}. */
export function localIrqSave(): boolean {
  const cpu = thisCpu();
  const flags = cpu.irqsEnabled;
  cpu.irqsEnabled = false;
  return flags;
}

export function localIrqRestore(flags: boolean): void {
  const cpu = thisCpu();
  if (flags && !cpu.irqsEnabled) cpu.machine.lockdep?.hardirqsOn(cpu);
  cpu.irqsEnabled = flags;
}

/**
 * Complains when the caller may not sleep ("sleeping function called from invalid context").
 *
 * A task then sleeps all the same, as in the kernel; interrupt code has nothing that could sleep, so there it also throws
 * `EDEADLK`, which ends the handler.
 */
export function mightSleep(what: string): void {
  const cpu = thisCpu();
  if (cpu.preemptCount === 0 && cpu.irqsEnabled) return;
  const task = cpu.current;
  cpu.machine.bug(
    `sleeping function called from invalid context: ${what}`,
    `in_atomic(): ${cpu.preemptCount === 0 ? 0 : 1}, irqs_disabled(): ${cpu.irqsEnabled ? 0 : 1}, non_block: 0, pid: ${task.pid}, name: ${task.comm}`,
    `preempt_count: ${cpu.preemptCount.toString(16)}, expected: 0`,
    'RCU nest depth: 0, expected: 0',
    ...(cpu.machine.lockdep?.heldLines(task) ?? []),
  );
  if (inInterrupt()) {
    throw new KernelError('EDEADLK', `${what} called in interrupt context, where nothing can sleep`, {
      hint: 'do it in a thread function or a work item; udelay() waits in any context',
    });
  }
}

/** True once somebody wants the calling kthread to end. */
export function kthreadShouldStop(): boolean {
  return current().shouldStop;
}

/** Waits until a task has ended. Process context. */
export function* joinTask(task: Task): Coroutine<void> {
  mightSleep('kthread_stop');
  const waiter = current();
  if (task.state !== TASK_DEAD) task.onExit.push(() => wakeUpProcess(waiter));
  while (task.state !== TASK_DEAD) {
    waiter.state = TASK_UNINTERRUPTIBLE;
    yield Request.schedule;
  }
}

/** Asks a kthread to end, wakes it and waits for it. Process context; returns what its function returned. */
export function* kthreadStop(task: Task): Coroutine<unknown> {
  task.shouldStop = true;
  wakeUpProcess(task);
  yield* joinTask(task);
  return task.exitValue;
}
