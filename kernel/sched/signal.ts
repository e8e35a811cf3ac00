// Signals to kernel threads: ignored unless allowed, and then a reason for interruptible sleeps to end (kernel/signal.c).
import { KernelError } from '../errno.js';
import { current } from './current.js';
import { TASK_INTERRUPTIBLE, TASK_WAKEKILL, type Task } from './task.js';
import { wakeUpState } from './wakeup.js';

export const SIGHUP = 1;
export const SIGINT = 2;
export const SIGKILL = 9;
export const SIGUSR1 = 10;
export const SIGTERM = 15;

function maskOf(sig: number): number {
  if (Number.isInteger(sig) && sig >= 1 && sig <= 31) return 1 << (sig - 1);
  throw new KernelError('EINVAL', `${sig} is no signal that a kernel thread can get`, { hint: '1 to 31' });
}

/**
 * The calling kthread wants to get `sig`, which it would else never see (allow_signal).
 *
 * ```ts
 * function* worker() {
 *   allowSignal(SIGTERM);
 *   for (;;) {
 *     const error = yield* waitEventInterruptible(readable, () => items.length > 0);
 *     if (error !== 0 && kernelDequeueSignal() === SIGTERM) return;
 *     use(items.shift());
 *   }
 * }
 * // elsewhere: sendSig(SIGTERM, task);
 * ```
 */
export function allowSignal(sig: number): void {
  current().allowedSignals |= maskOf(sig);
}

/** The calling kthread ignores `sig` again; one that is pending is dropped (disallow_signal). */
export function disallowSignal(sig: number): void {
  const task = current();
  task.allowedSignals &= ~maskOf(sig);
  task.pendingSignals &= ~maskOf(sig);
}

/** Sends a signal to a kthread, which wakes it if it sleeps interruptibly; dropped unless allowed (send_sig). Any context. */
export function sendSig(sig: number, task: Task): void {
  const mask = maskOf(sig);
  if ((task.allowedSignals & mask) === 0) return;
  task.pendingSignals |= mask;
  wakeUpState(task, sig === SIGKILL ? TASK_INTERRUPTIBLE | TASK_WAKEKILL : TASK_INTERRUPTIBLE);
}

/** A signal waits to be taken (signal_pending). */
export function signalPending(task: Task = current()): boolean {
  return task.pendingSignals !== 0;
}

/** SIGKILL waits to be taken (fatal_signal_pending). */
export function fatalSignalPending(task: Task = current()): boolean {
  return (task.pendingSignals & maskOf(SIGKILL)) !== 0;
}

/** A signal is pending that ends a sleep in `state` (signal_pending_state). */
export function signalPendingState(state: number, task: Task): boolean {
  if ((state & (TASK_INTERRUPTIBLE | TASK_WAKEKILL)) === 0 || task.pendingSignals === 0) return false;
  return (state & TASK_INTERRUPTIBLE) !== 0 || fatalSignalPending(task);
}

/** Takes the lowest pending signal of the calling kthread; 0 when there is none (kernel_dequeue_signal). */
export function kernelDequeueSignal(): number {
  const task = current();
  if (task.pendingSignals === 0) return 0;
  const lowest = task.pendingSignals & -task.pendingSignals;
  task.pendingSignals &= ~lowest;
  return 32 - Math.clz32(lowest);
}

/** Drops all pending signals of a task (flush_signals). */
export function flushSignals(task: Task = current()): void {
  task.pendingSignals = 0;
}
