// Which task has a CPU: the switch from one to the next, and the end of a task (__schedule in kernel/sched/core.c).
import { Tracepoint } from '../trace/ring.js';
import { mightSleep } from './core.js';
import type { Cpu } from './cpu.js';
import { endTask } from './kthread-exit.js';
import { reportAtomic } from './schedule-debug.js';
import { signalPendingState } from './signal.js';
import { TASK_DEAD, TASK_RUNNING, TASK_UNINTERRUPTIBLE, type Task } from './task.js';
import { selectCpu } from './wakeup.js';

/** Puts the task that should run on the CPU; a voluntary switch takes one that is not TASK_RUNNING off the queue. */
export function switchTask(cpu: Cpu, voluntary: boolean): void {
  const { rq, current: previous } = cpu;
  cpu.needResched = false;
  cpu.charge();
  if (voluntary && previous.state !== TASK_RUNNING && previous.onRq) block(cpu, previous);
  if (previous.onRq && !previous.allows(cpu.id)) {
    rq.dequeue(previous);
    selectCpu(previous).activate(previous);
  }
  let next = rq.pick();
  if (next?.policy !== 'SCHED_FIFO' && cpu.machine.cpus.length > 1) next = pull(cpu, next);
  put(cpu, previous, next ?? cpu.idle);
}

/** Takes over a task that waits on another CPU, if that is of use here; the task to run then. */
function pull(cpu: Cpu, next: Task | undefined): Task | undefined {
  const pulled = cpu.machine.waitingElsewhere(cpu, next !== undefined);
  if (pulled === undefined) return next;
  pulled.cpu.rq.dequeue(pulled);
  cpu.adopt(pulled);
  return cpu.rq.pick();
}

/** A task goes to sleep, or ends; a signal that was sent already, and that ends such a sleep, keeps it awake. */
function block(cpu: Cpu, task: Task): void {
  if (signalPendingState(task.state, task)) {
    task.state = TASK_RUNNING;
    return;
  }
  cpu.rq.dequeue(task);
  if (task.state === TASK_UNINTERRUPTIBLE) cpu.machine.hungTasks.blocks(task);
  task.worker?.goesToSleep();
}

function put(cpu: Cpu, previous: Task, next: Task): void {
  cpu.fairSlice.arm(next);
  cpu.irqsEnabled = true;
  if (next === cpu.idle && !cpu.softirqs.due) cpu.softirqs.keepTick();
  if (next === previous) return;
  previous.preemptCount = cpu.preemptCount;
  cpu.trace(Tracepoint.schedSwitch, previous.pid, next.pid, next.nameId);
  cpu.current = next;
  next.cpu = cpu;
  cpu.preemptCount = next.preemptCount;
  if (previous === cpu.idle || next === cpu.idle) cpu.deferrable?.idleChanged();
  next.worker?.comesBack();
}

/** What an oops leaves behind of the contexts that it came from is put right (make_task_dead). */
function noteLeaks(cpu: Cpu, { comm, pid }: Task): void {
  const note = (what: string): void => cpu.machine.printk('info', `note: ${comm}[${pid}] exited with ${what}`);
  if (!cpu.irqsEnabled) note('irqs disabled');
  cpu.irqsEnabled = true;
  if (cpu.preemptCount !== 0) note(`preempt_count ${cpu.preemptCount}`);
  cpu.preemptCount = 0;
}

/** A body that returns with interrupts or preemption off (do_exit). */
function reportLeaks(cpu: Cpu): void {
  if (!cpu.irqsEnabled) {
    cpu.machine.warn('', 'do_exit');
    // Whatever locks of its own the exit takes with interrupts off, it leaves with interrupts on.
    cpu.irqsEnabled = true;
  }
  mightSleep('exit_signals');
}

/** The running task's body has returned `value`, or thrown it. */
export function exitTask(cpu: Cpu, value: unknown, thrown: boolean): void {
  const { machine, current: task } = cpu;
  if (endTask(task, value, thrown)) {
    machine.oops(`task ${task.comm}/${task.pid}`, value);
    noteLeaks(cpu, task);
  } else {
    reportLeaks(cpu);
  }
  machine.lockdep?.checkExit(cpu, task);
  if (cpu.preemptCount !== 0) reportAtomic(cpu);
  cpu.preemptCount = 0;
  task.state = TASK_DEAD;
  for (const notify of task.onExit) notify();
  machine.forget(task);
  switchTask(cpu, true);
}
