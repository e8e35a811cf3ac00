// Workers that are idle for too long: a timer finds them, and a work item ends them (idle_worker_timeout, idle_cull_fn).
import { ListHead, listMoveTail } from '../lib/list.js';
import type { Coroutine } from '../sched/coroutine.js';
import { kthreadStop } from '../sched/kthread.js';
import { jiffiesOf } from '../time/jiffies.js';
import { modTimer, TIMER_DEFERRABLE, TimerList, timerDeleteSync, timerPending } from '../time/timer.js';
import { cancelWorkSync } from './cancel.js';
import type { WorkerPool } from './pool.js';
import { queueWork } from './queue.js';
import { Work } from './work.js';
import { WORKER_DIE, type Worker } from './worker.js';

/** Seconds that a spare worker may be idle. */
const IDLE_WORKER_TIMEOUT_SECS = 300;

/** Sees to it that a pool has not too many idle workers for long. */
export class IdleCuller {
  readonly #pool: WorkerPool;
  readonly #timer: TimerList;
  readonly #work: Work;

  constructor(pool: WorkerPool) {
    this.#pool = pool;
    const idle_worker_timeout = (): void => this.#onTimeout();
    const idle_cull_fn = (): Coroutine<void> => this.#cull();
    this.#timer = new TimerList(idle_worker_timeout, TIMER_DEFERRABLE);
    this.#work = new Work(idle_cull_fn);
  }

  /** There are too many idle workers now. */
  arm(): void {
    if (timerPending(this.#timer)) return;
    const { machine } = this.#pool;
    modTimer(this.#timer, jiffiesOf(machine) + IDLE_WORKER_TIMEOUT_SECS * machine.hz);
  }

  /** When the worker that is idle for the longest time has been so for too long, in jiffies; undefined when there are not too many. */
  #expires(): number | undefined {
    const pool = this.#pool;
    const oldest = pool.idleList.last;
    if (oldest === undefined || !pool.tooManyWorkers) return undefined;
    return oldest.lastActive + IDLE_WORKER_TIMEOUT_SECS * pool.machine.hz;
  }

  #onTimeout(): void {
    const { machine } = this.#pool;
    const expires = this.#expires();
    if (this.#work.pending || expires === undefined) return;
    if (jiffiesOf(machine) < expires) modTimer(this.#timer, expires);
    else queueWork(machine.workqueues.systemUnboundWq, this.#work);
  }

  *shutDown(): Coroutine<void> {
    yield* timerDeleteSync(this.#timer);
    yield* cancelWorkSync(this.#work);
  }

  *#cull(): Coroutine<void> {
    const pool = this.#pool;
    const dying = new ListHead<Worker>();
    for (let expires = this.#expires(); expires !== undefined; expires = this.#expires()) {
      const oldest = pool.idleList.last;
      if (jiffiesOf(pool.machine) < expires || oldest === undefined) {
        modTimer(this.#timer, expires);
        break;
      }
      setWorkerDying(oldest, dying);
    }
    yield* reapDyingWorkers(dying);
  }
}

/** Takes an idle worker out of its pool (set_worker_dying). */
export function setWorkerDying(worker: Worker, dying: ListHead<Worker>): void {
  const { pool } = worker;
  pool.nrWorkers--;
  pool.nrIdle--;
  pool.workers.delete(worker);
  worker.flags |= WORKER_DIE;
  listMoveTail(worker.entry, dying);
}

/** Lets the tasks of dying workers end, and waits for that. */
export function* reapDyingWorkers(dying: ListHead<Worker>): Coroutine<void> {
  for (const { task } of dying) if (task !== undefined) yield* kthreadStop(task);
}
