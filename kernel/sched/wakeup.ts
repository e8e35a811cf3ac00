// Waking tasks: who was asleep becomes runnable on a CPU that suits it (try_to_wake_up in kernel/sched/core.c).
import { KernelError } from '../errno.js';
import type { Cpu } from './cpu.js';
import { TASK_NORMAL, TASK_RUNNING, type Task } from './task.js';

/** The CPU that a woken task goes to: its last one if idle, else the first idle one it may use, else its last one. */
function selectCpu(task: Task): Cpu {
  const { cpus } = task.cpu.machine;
  const last = task.allows(task.cpu.id) ? task.cpu : cpus.find((cpu) => task.allows(cpu.id));
  if (last === undefined) throw new KernelError('EINVAL', `task ${task.comm}: no CPU in its affinity mask`);
  if (isIdle(last)) return last;
  return cpus.find((cpu) => task.allows(cpu.id) && isIdle(cpu)) ?? last;
}

function isIdle(cpu: Cpu): boolean {
  return cpu.current === cpu.idle && cpu.rq.length === 0;
}

/** Puts a new task on a run queue. */
export function wakeUpNewTask(task: Task): void {
  selectCpu(task).activate(task);
}

/** Wakes a task whose state is one of `states`; false when it was not asleep. Any context. */
export function wakeUpState(task: Task, states: number): boolean {
  if ((task.state & states) === 0) return false;
  task.state = TASK_RUNNING;
  if (!task.onRq) selectCpu(task).activate(task);
  return true;
}

/** Wakes a sleeping task; false when it was not asleep. Any context. */
export function wakeUpProcess(task: Task): boolean {
  return wakeUpState(task, TASK_NORMAL);
}
