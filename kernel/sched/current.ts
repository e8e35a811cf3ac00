// The CPU whose code is running now: what `smp_processor_id()` and `current` stand for.
import { KernelError } from '../errno.js';
import type { Cpu } from './cpu.js';
import { type Context, contextOf, HARDIRQ_MASK, NMI_MASK, SOFTIRQ_MASK, SOFTIRQ_OFFSET } from './preempt.js';
import type { Task } from './task.js';

let running: Cpu | undefined;
let asyncOwner: () => Task | undefined = () => undefined;

/** Sets how to find the task of an async function that goes on after an `await`, outside of the engine. */
export function setAsyncOwner(find: () => Task | undefined): void {
  asyncOwner = find;
}

/** Makes `cpu` the running one and returns the one before; for the engine only. */
export function switchCpu(cpu: Cpu | undefined): Cpu | undefined {
  const before = running;
  running = cpu;
  return before;
}

/** The running CPU, or `undefined` outside the model. */
export function runningCpu(): Cpu | undefined {
  return running;
}

function outside(): KernelError {
  return new KernelError('EPERM', 'called outside of any context of the model', {
    hint: 'kernel functions are called from handlers and tasks; start a task with machine.spawn(), call() or runTask()',
  });
}

/** The running CPU; in an async function after an `await`, the one of its task. `EPERM` outside the model's contexts. */
export function thisCpu(): Cpu {
  const cpu = running ?? asyncOwner()?.cpu;
  if (cpu === undefined) throw outside();
  return cpu;
}

/** The running task; in an interrupt, the task that was interrupted. `EPERM` outside the model's contexts. */
export function current(): Task {
  const task = running === undefined ? asyncOwner() : running.current;
  if (task === undefined) throw outside();
  return task;
}

/** preempt_count of the caller. An async function after an `await` is plain process context. */
export function preemptCount(): number {
  if (running !== undefined) return running.preemptCount;
  if (asyncOwner() === undefined) throw outside();
  return 0;
}

export function smpProcessorId(): number {
  return thisCpu().id;
}

/** The kind of context that the caller runs in. */
export function context(): Context {
  return contextOf(preemptCount());
}

/** In a hard interrupt. */
export function inHardirq(): boolean {
  return (preemptCount() & HARDIRQ_MASK) !== 0;
}

/** In a softirq that is being served. */
export function inServingSoftirq(): boolean {
  return (preemptCount() & SOFTIRQ_OFFSET) !== 0;
}

/** In a softirq, or with softirqs disabled. */
export function inSoftirq(): boolean {
  return (preemptCount() & SOFTIRQ_MASK) !== 0;
}

/** In an NMI, a hard interrupt or a softirq, or with softirqs disabled. */
export function inInterrupt(): boolean {
  return (preemptCount() & (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_MASK)) !== 0;
}

/** In a task, with softirqs possibly disabled. */
export function inTask(): boolean {
  return (preemptCount() & (NMI_MASK | HARDIRQ_MASK | SOFTIRQ_OFFSET)) === 0;
}

/** Preemption is off, whatever the reason. */
export function inAtomic(): boolean {
  return preemptCount() !== 0;
}

/** The task may lose its CPU here: nothing keeps preemption off, nor interrupts (preemptible). */
export function preemptible(): boolean {
  return preemptCount() === 0 && !irqsDisabled();
}

export function irqsDisabled(): boolean {
  return running !== undefined && !running.irqsEnabled;
}
