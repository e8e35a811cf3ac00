// The manager of a pool: the worker that makes another one, and calls the rescuers when that does not work (manage_workers).
import type { Machine } from '../machine.js';
import type { Coroutine } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { WaitQueueHead, waitEvent, wakeUpAll } from '../sched/wait.js';
import { jiffies } from '../time/jiffies.js';
import { scheduleTimeoutInterruptible } from '../time/timeout.js';
import { modTimer, timerDeleteSync } from '../time/timer.js';
import type { WorkerPool } from './pool.js';
import type { Worker } from './worker.js';

/** What comes of the making of a worker. */
export type WorkerCreation = 'works' | 'fails' | 'blocks';

/** The memory that new threads need, as far as a test takes it away. */
export class ThreadMemory {
  readonly #machine: Machine;
  readonly #changed = new WaitQueueHead();
  #creation: WorkerCreation = 'works';
  #told = false;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  get creation(): WorkerCreation {
    return this.#creation;
  }

  set creation(creation: WorkerCreation) {
    this.#creation = creation;
    wakeUpAll(this.#changed);
  }

  /** True when there is memory for a thread; waits for it, in state D, while that blocks. */
  *get(): Coroutine<boolean> {
    if (this.#creation === 'blocks') yield* waitEvent(this.#changed, () => this.#creation !== 'blocks');
    return this.available();
  }

  /** True when there is memory at once. */
  available(): boolean {
    if (this.#creation === 'fails' && !this.#told) {
      this.#told = true;
      this.#machine.printk('err', 'workqueue: Failed to create a worker thread: -ENOMEM');
    }
    return this.#creation === 'works';
  }
}

/** Makes a worker if that can be done at once; else {@link manageWorkers} is the way. */
export function makeWorker(pool: WorkerPool): boolean {
  if (pool.machine.workqueues.memory.creation !== 'works') return false;
  pool.addWorker();
  return true;
}

/** Call for help after 10 ms, at least two ticks; then every 100 ms; and try again a second after a failure. */
const maydayInitialTimeout = (hz: number): number => Math.max(Math.trunc(hz / 100), 2);
export const maydayInterval = (hz: number): number => hz / 10;
const createCooldown = (hz: number): number => hz;

/** Makes a worker, however long that takes; on return none is needed, or there is an idle one. */
export function* manageWorkers(pool: WorkerPool, manager: Worker): Coroutine<void> {
  const { hz, workqueues } = pool.machine;
  pool.manager = manager;
  do {
    modTimer(pool.maydayTimer, jiffies() + maydayInitialTimeout(hz));
    for (;;) {
      if (yield* workqueues.memory.get()) {
        pool.addWorker();
        break;
      }
      if (!pool.needToCreateWorker) break;
      yield* scheduleTimeoutInterruptible(createCooldown(hz));
      if (!pool.needToCreateWorker) break;
    }
    yield* timerDeleteSync(pool.maydayTimer);
  } while (pool.needToCreateWorker);
  pool.manager = undefined;
  wakeUpAll(pool.managerWait);
}

/** The mayday timer: whoever has items on the pool's list and a rescuer has it called (pool_mayday_timeout). */
export function poolMaydayTimeout(pool: WorkerPool): void {
  if (pool.needToCreateWorker) for (const work of pool.worklist) work.pwq?.wq.rescuer?.mayday(work.pwq);
  modTimer(pool.maydayTimer, jiffies() + maydayInterval(thisCpu().machine.hz));
}
