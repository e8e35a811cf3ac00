// The tasks of a machine, as `ps -eLo pid,cls,rtprio,ni,psr,stat,comm` shows them.
import type { Machine } from '../machine.js';
import type { SchedPolicy, Task } from './task.js';

/** What is shown of a task. */
export interface TaskInfo {
  readonly pid: number;
  /** Up to 15 characters. */
  readonly comm: string;
  readonly policy: SchedPolicy;
  /** 1 to 99 under SCHED_FIFO, else 0. */
  readonly rtPriority: number;
  /** -20 to 19; without meaning under SCHED_FIFO. */
  readonly nice: number;
  /** The CPU that it runs on, or ran on last. */
  readonly cpu: number;
  /** CPUs that it may run on, as a bit mask. */
  readonly cpusAllowed: number;
  /** R, S, D, I, P or X. */
  readonly state: Task['stateLetter'];
  /** Time on a CPU, in ns. */
  readonly sumExecNs: number;
}

/** All tasks by pid, but for the CPUs' idle tasks. Any context, also outside of the model. */
export function taskList(machine: Machine): TaskInfo[] {
  return [...machine.tasks]
    .sort((a, b) => a.pid - b.pid)
    .map((task) => {
      const { pid, comm, policy, rtPriority, nice, cpusAllowed, sumExecNs } = task;
      return { pid, comm, policy, rtPriority, nice, cpu: task.cpu.id, cpusAllowed, state: task.stateLetter, sumExecNs };
    });
}

/** `<` for one that is served before others, `N` for one behind them, as ps marks them. */
function stat({ state, policy, nice }: TaskInfo): string {
  if (policy === 'SCHED_FIFO' || nice === 0) return state;
  return state + (nice < 0 ? '<' : 'N');
}

function row(task: TaskInfo): string {
  const fifo = task.policy === 'SCHED_FIFO';
  const columns = [
    String(task.pid).padStart(7),
    (fifo ? 'FF' : 'TS').padStart(3),
    (fifo ? String(task.rtPriority) : '-').padStart(6),
    (fifo ? '-' : String(task.nice)).padStart(3),
    String(task.cpu).padStart(3),
    stat(task).padEnd(4),
    task.comm,
  ];
  return `${columns.join(' ')}\n`;
}

/** {@link taskList} as text, with a header. */
export function showTasks(machine: Machine): string {
  return `    PID CLS RTPRIO  NI PSR STAT COMMAND\n${taskList(machine).map(row).join('')}`;
}
