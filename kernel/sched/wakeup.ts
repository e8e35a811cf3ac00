// Waking tasks: who was asleep becomes runnable on a CPU that suits it (try_to_wake_up in kernel/sched/core.c).
import { KernelError } from '../errno.js';
import type { Cpu } from './cpu.js';
import { MAX_PRIO, MAX_RT_PRIO, TASK_NEW, TASK_NORMAL, TASK_RUNNING, type Task } from './task.js';

/**
 * The CPU that a runnable task goes to: its last one if it would run there at once; else an idle one that it may use, or,
 * for SCHED_FIFO, the one with the least urgent task; else its last one.
 */
export function selectCpu(task: Task): Cpu {
  const { cpus } = task.cpu.machine;
  const last = task.allows(task.cpu.id) ? task.cpu : cpus.find((cpu) => task.allows(cpu.id));
  if (last === undefined) throw new KernelError('EINVAL', `task ${task.comm}: no CPU in its affinity mask`);
  if (cpus.length === 1) return last;
  const fifo = task.policy === 'SCHED_FIFO';
  if (isIdle(last) || (fifo && urgency(last) >= MAX_RT_PRIO)) return last;
  const idle = idleCpuFor(task, cpus);
  if (idle !== undefined || !fifo) return idle ?? last;
  let best = last;
  for (const cpu of cpus) if (task.allows(cpu.id) && urgency(cpu) > urgency(best)) best = cpu;
  return urgency(best) > task.prio ? best : last;
}

/** Priority of the most urgent task of a CPU; lower is more urgent. */
function urgency(cpu: Cpu): number {
  const first = cpu.rq.fifoFirst?.prio ?? MAX_PRIO;
  return cpu.current === cpu.idle ? first : Math.min(first, cpu.current.prio);
}

function isIdle(cpu: Cpu): boolean {
  return cpu.current === cpu.idle && cpu.rq.length === 0;
}

function idleCpuFor(task: Task, cpus: readonly Cpu[]): Cpu | undefined {
  for (const cpu of cpus) if (task.allows(cpu.id) && isIdle(cpu)) return cpu;
  return undefined;
}

/** Puts a new task on a run queue, of an idle CPU if there is one. */
export function wakeUpNewTask(task: Task): void {
  task.state = TASK_RUNNING;
  const idle = idleCpuFor(task, task.cpu.machine.cpus);
  (idle ?? selectCpu(task)).activate(task);
}

/** Wakes a task whose state is one of `states`; false when it was not asleep. Any context. */
export function wakeUpState(task: Task, states: number): boolean {
  if ((task.state & states) === 0) return false;
  task.state = TASK_RUNNING;
  if (!task.onRq) {
    if (task.blockedSinceNs >= 0) task.cpu.machine.hungTasks.unblocks(task);
    selectCpu(task).activate(task);
  }
  return true;
}

/** Wakes a sleeping task; false when it was not asleep. Any context. */
export function wakeUpProcess(task: Task): boolean {
  return wakeUpState(task, TASK_NORMAL | TASK_NEW);
}
