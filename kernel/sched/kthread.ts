// Kernel threads: made, run, stopped, parked and bound to CPUs (kernel/kthread.c).
import { KernelError } from '../errno.js';
import { mightSleep } from './core.js';
import { type Coroutine, type Process, Request } from './coroutine.js';
import { current, thisCpu } from './current.js';
import { effect } from './effect.js';
import { TASK_DEAD, TASK_PARKED, TASK_RUNNING, TASK_UNINTERRUPTIBLE, type Task } from './task.js';
import { wakeUpProcess, wakeUpState } from './wakeup.js';

/** Body of a kernel thread: process context. */
export type ThreadFn<T = undefined> = (data: T) => Process<unknown>;

/**
 * Makes a kernel thread that does not run before {@link wakeUpProcess} (kthread_create). Any context.
 *
 * @param name comm of the task, cut to 15 characters
 */
export function kthreadCreate<T>(fn: ThreadFn<T>, data: T, name: string): Task {
  return thisCpu().machine.create(name, () => fn(data));
}

/** As {@link kthreadCreate}, bound to one CPU (kthread_create_on_cpu). `EINVAL` for a CPU that the machine has not got. */
export function kthreadCreateOnCpu<T>(fn: ThreadFn<T>, data: T, cpuId: number, name: string): Task {
  return thisCpu().machine.create(name, () => fn(data), { cpusAllowed: 1 << cpuId });
}

/** Makes a kernel thread and wakes it (kthread_run). Any context. */
export function kthreadRun<T>(fn: ThreadFn<T>, data: T, name: string): Task {
  const task = kthreadCreate(fn, data, name);
  wakeUpProcess(task);
  return task;
}

/** Binds a thread that has not run yet to one CPU (kthread_bind). `EINVAL` for one that has, or for an unknown CPU. */
export function kthreadBind(task: Task, cpuId: number): void {
  if (task.started) {
    throw new KernelError('EINVAL', `kthread_bind: ${task.comm} runs already`, { hint: 'use setCpusAllowedPtr()' });
  }
  if (thisCpu().machine.cpus[cpuId] === undefined) throw new KernelError('EINVAL', `kthread_bind: no CPU ${cpuId}`);
  task.cpusAllowed = 1 << cpuId;
}

/** True once somebody wants the calling kthread to end. */
export function kthreadShouldStop(): boolean {
  return current().shouldStop;
}

/** True while somebody wants the calling kthread to park; it then calls {@link kthreadParkme}. */
export function kthreadShouldPark(): boolean {
  return current().shouldPark;
}

/** Sleeps in state P until {@link kthreadUnpark} (kthread_parkme). Called by the thread itself. */
export const kthreadParkme = effect(function* kthreadParkme() {
  const task = current();
  while (task.shouldPark) {
    task.state = TASK_PARKED;
    for (const parker of task.parkers) wakeUpProcess(parker);
    yield Request.schedule;
  }
  task.state = TASK_RUNNING;
});

/** Asks a thread to park and waits until it has (kthread_park). `ENOSYS` for one that has ended. Process context. */
export const kthreadPark = effect(function* kthreadPark(task: Task) {
  mightSleep('kthread_park');
  if (task.exited) throw new KernelError('ENOSYS', `kthread_park: ${task.comm} has ended`);
  if (task.shouldPark) throw new KernelError('EBUSY', `kthread_park: ${task.comm} is parked already`);
  const parker = current();
  task.shouldPark = true;
  if (task === parker) return;
  task.parkers.add(parker);
  wakeUpProcess(task);
  while (task.state !== TASK_PARKED && !task.exited) {
    parker.state = TASK_UNINTERRUPTIBLE;
    yield Request.schedule;
  }
  task.parkers.delete(parker);
});

/** Lets a parked thread go on (kthread_unpark). Any context. */
export function kthreadUnpark(task: Task): void {
  task.shouldPark = false;
  wakeUpState(task, TASK_PARKED);
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

/**
 * Asks a kthread to end, wakes it, unparks it, and waits for it (kthread_stop). Process context.
 *
 * @returns what its function returned; -4 (`-EINTR`) when it never ran
 */
export const kthreadStop = effect(function* kthreadStop(task: Task): Coroutine<unknown> {
  task.shouldStop = true;
  kthreadUnpark(task);
  wakeUpProcess(task);
  yield* joinTask(task);
  return task.exitValue;
});
