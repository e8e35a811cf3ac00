// What workers and items are at, at the moment (work_busy, current_work, wq_worker_comm).
import { current, inTask, thisCpu } from '../sched/current.js';
import type { Task } from '../sched/task.js';
import { WORK_BUSY_PENDING, WORK_BUSY_RUNNING, WORK_CPU_UNBOUND } from './flags.js';
import type { Work } from './work.js';
import { Worker } from './worker.js';
import type { Workqueue } from './workqueue.js';

/** Length of a worker's description, with the end mark, and of what is shown of its name and that. */
const WORKER_DESC_LEN = 32;
const PROC_COMM_LEN = 64;

function workerOf(task: Task): Worker | undefined {
  return task.worker instanceof Worker ? task.worker : undefined;
}

/** The worker that the caller is (current_wq_worker); none in an interrupt that has come to it. */
export function currentWqWorker(): Worker | undefined {
  return inTask() ? workerOf(current()) : undefined;
}

/** The item whose function the caller is in; undefined for no worker, and in softirq context (current_work). Any context. */
export function currentWork(): Work | undefined {
  return currentWqWorker()?.currentWork;
}

/** The caller runs in the rescuer of a queue (current_is_workqueue_rescuer). Any context. */
export function currentIsWorkqueueRescuer(): boolean {
  return currentWqWorker()?.rescues !== undefined;
}

/** Whether an item is queued, WORK_BUSY_PENDING, or running, WORK_BUSY_RUNNING, or both (work_busy). Any context. */
export function workBusy(work: Work): number {
  const running = work.pool?.workerRunning(work) !== undefined;
  return (work.pending ? WORK_BUSY_PENDING : 0) | (running ? WORK_BUSY_RUNNING : 0);
}

/**
 * Items of the queue wait because max_active of them are active (workqueue_congested). Any context.
 *
 * @param cpuId WORK_CPU_UNBOUND for the local one
 */
export function workqueueCongested(cpuId: number, wq: Workqueue): boolean {
  return !wq.pwqOn(cpuId === WORK_CPU_UNBOUND ? thisCpu().id : cpuId).inactiveWorks.empty;
}

/** Says what the item is about that the caller runs, at most 31 characters, for {@link wqWorkerComm} (set_worker_desc). */
export function setWorkerDesc(desc: string): void {
  const worker = currentWqWorker();
  if (worker !== undefined) worker.desc = desc.slice(0, WORKER_DESC_LEN - 1);
}

/**
 * The name of a task as `ps` shows it: for a worker with what it does, `kworker/0:1+events`, or did last, `kworker/0:1-events`
 * (wq_worker_comm).
 */
export function wqWorkerComm(task: Task): string {
  const worker = workerOf(task);
  if (worker === undefined) return task.comm;
  const { name, desc, currentWork: work } = worker;
  if (desc === '') return name;
  return `${name}${work === undefined ? '-' : '+'}${desc}`.slice(0, PROC_COMM_LEN - 1);
}
