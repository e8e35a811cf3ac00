// The scheduler's calls: giving up the CPU, keeping it, and who runs first and where (kernel/sched/core.c, syscalls.c).
import { KernelError } from '../errno.js';
import { type Coroutine, Request } from './coroutine.js';
import type { Cpu } from './cpu.js';
import { current, inInterrupt, runningCpu, thisCpu } from './current.js';
import { placeOf, stackDump } from './debug.js';
import { effect } from './effect.js';
import { PREEMPT_OFFSET } from './preempt.js';
import { scheduleDebug } from './schedule-debug.js';
import { MAX_RT_PRIO, TASK_RUNNING, type Task } from './task.js';
import { selectCpu } from './wakeup.js';

export { joinTask, kthreadShouldStop, kthreadStop } from './kthread.js';

const MIN_NICE = -20;
const MAX_NICE = 19;

/** Lets other tasks run; the caller sleeps if its state says so. Process context. */
export const schedule = effect(function* schedule(): Coroutine<void> {
  scheduleDebug(thisCpu());
  yield Request.schedule;
});

/** Lets interrupts and tasks of higher priority come in here, as any instruction of a real CPU would. */
export const preemptPoint = effect(function* preemptPoint(): Coroutine<void> {
  yield Request.point;
});

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
 * Complains when the caller may not sleep ("sleeping function called from invalid context"), at most once a second.
 *
 * It does not stop anybody: what then really sleeps meets the scheduler, which throws `EDEADLK` in interrupt code.
 *
 * @param what the kernel name of the function that the caller called
 */
export function mightSleep(what: string): void {
  const cpu = thisCpu();
  const { state } = cpu.current;
  if (state !== TASK_RUNNING && runningCpu() !== undefined && !inInterrupt()) reportBlockingOp(cpu, state);
  mightResched(what);
}

/** Complains as {@link mightSleep} does, but not about a state that is set already: who only lets others run keeps it (__might_resched). */
function mightResched(what: string): void {
  const cpu = thisCpu();
  const task = cpu.current;
  if ((cpu.preemptCount === 0 && cpu.irqsEnabled) || !cpu.machine.mightSleepReportDue()) return;
  cpu.machine.bug(
    `sleeping function called from invalid context at ${placeOf(new Error().stack)}`,
    `in_atomic(): ${cpu.preemptCount === 0 ? 0 : 1}, irqs_disabled(): ${cpu.irqsEnabled ? 0 : 1}, non_block: 0, pid: ${task.pid}, name: ${task.comm}`,
    `preempt_count: ${(cpu.preemptCount >>> 0).toString(16)}, expected: 0`,
    'RCU nest depth: 0, expected: 0',
    ...(cpu.machine.lockdep?.heldLines(task) ?? []),
    `called: ${what}`,
  );
}

function reportBlockingOp(cpu: Cpu, state: number): void {
  const text = `do not call blocking ops when !TASK_RUNNING; state=${state.toString(16)}`;
  cpu.machine.warnOnce('blocking ops', text, '__might_sleep');
}

/** Sets the state of the calling task, before it looks once more at what it waits for and calls {@link schedule}. */
export function setCurrentState(state: number): void {
  current().state = state;
}

/** Lets tasks of the same priority run first (yield). Process context. */
export const schedYield = effect(function* schedYield() {
  const cpu = thisCpu();
  cpu.charge();
  cpu.rq.yieldTask(cpu.current);
  yield Request.schedule;
});

/**
 * Lets another task run if one is due (cond_resched); true when one did. With kernel preemption it has run already, and
 * this is false. Process context.
 */
export const condResched = effect(function* condResched() {
  mightResched('cond_resched');
  yield Request.point;
  const cpu = thisCpu();
  if (cpu.machine.preempt === 'full' || !cpu.needResched || cpu.preemptCount !== 0) return false;
  yield Request.condResched;
  return true;
});

/** Changes a task's place in the order in which tasks run. */
function reorder(task: Task, change: () => void): void {
  const { cpu, onRq } = task;
  if (cpu.current === task) cpu.charge();
  if (onRq) cpu.rq.dequeue(task);
  change();
  if (!onRq) return;
  cpu.rq.enqueue(task);
  cpu.reschedule();
}

/** Share of the CPU of a fair task: -20 (most) to 19 (set_user_nice); out of that range it does nothing, as in the kernel. Any context. */
export function setUserNice(task: Task, nice: number): void {
  if (nice < MIN_NICE || nice > MAX_NICE) return;
  reorder(task, () => {
    task.nice = nice;
  });
}

function setFifo(task: Task, priority: number): void {
  reorder(task, () => {
    task.policy = 'SCHED_FIFO';
    task.rtPriority = priority;
  });
}

/** Makes a task SCHED_FIFO of the middle priority, 50 (sched_set_fifo). Any context. */
export function schedSetFifo(task: Task): void {
  setFifo(task, MAX_RT_PRIO / 2);
}

/** Makes a task SCHED_FIFO of the lowest priority, 1: just before all fair ones (sched_set_fifo_low). Any context. */
export function schedSetFifoLow(task: Task): void {
  setFifo(task, 1);
}

/** Makes a task SCHED_FIFO of a priority, 1 to 99, as chrt does (sched_setscheduler). Any context. `EINVAL` for another priority. */
export function schedSetscheduler(task: Task, policy: 'SCHED_FIFO', priority: number): void {
  if (!Number.isInteger(priority) || priority < 1 || priority >= MAX_RT_PRIO) {
    throw new KernelError('EINVAL', `task ${task.comm}: ${policy} has no priority ${priority}`, { hint: '1 to 99' });
  }
  setFifo(task, priority);
}

/** Makes a task SCHED_NORMAL (sched_set_normal). Any context. */
export function schedSetNormal(task: Task, nice: number): void {
  reorder(task, () => {
    task.policy = 'SCHED_NORMAL';
    task.rtPriority = 0;
    task.nice = Math.max(MIN_NICE, Math.min(MAX_NICE, nice));
  });
}

/**
 * Sets the CPUs that a task may run on (set_cpus_allowed_ptr). A task elsewhere moves: at once while it waits, at its next
 * preemptible point while it runs (the caller itself at its next `yield*`). Any context.
 *
 * @param mask bit n for CPU n
 * @throws KernelError EINVAL when the machine has none of them
 */
export function setCpusAllowedPtr(task: Task, mask: number): void {
  const { machine } = task.cpu;
  if ((mask & machine.cpuMask) === 0) {
    throw new KernelError('EINVAL', `task ${task.comm}: affinity mask ${mask.toString(16)} has no CPU of this machine`);
  }
  task.cpusAllowed = mask;
  const { cpu } = task;
  if (!task.onRq || task.allows(cpu.id)) return;
  if (cpu.current === task) {
    cpu.reschedule();
    return;
  }
  cpu.rq.dequeue(task);
  selectCpu(task).activate(task);
}

/** Prints the CPU, the task and the stack of the caller, context by context (dump_stack). Any context. */
export function dumpStack(): void {
  const cpu = thisCpu();
  cpu.machine.printk('info', stackDump(cpu, new Error().stack).join('\n'));
}
