// Work items that run in softirq context, on the CPU that queued them, one after the other (WQ_BH in kernel/workqueue.c).
import { cutsOff } from '../sched/atomic.js';
import { DONE, type Outcome, SUSPENDED } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { wakeUpProcess } from '../sched/wakeup.js';
import { HI_SOFTIRQ, TASKLET_SOFTIRQ } from '../softirq/softirq.js';
import { Tracepoint } from '../trace/ring.js';
import type { Flush, PoolWorkqueue, RunningWork, Work, WorkPool } from './work.js';

/** An item runs, and whom that keeps waiting. There is no task of its own. */
class BhRun implements RunningWork {
  readonly task = undefined;
  readonly currentWork: Work;
  readonly currentPwq: PoolWorkqueue;
  readonly flushes: Flush[];

  constructor(work: Work, pwq: PoolWorkqueue) {
    this.currentWork = work;
    this.currentPwq = pwq;
    this.flushes = work.flushes;
  }
}

interface Entry {
  readonly work: Work;
  readonly pwq: PoolWorkqueue;
}

/** The items of one CPU and softirq: TASKLET, or HI with WQ_HIGHPRI. */
export class BhPool implements WorkPool {
  readonly cpu: Cpu;
  readonly #vector: number;
  readonly #list: Entry[] = [];
  #running: BhRun | undefined;

  constructor(cpu: Cpu, highpri: boolean) {
    this.cpu = cpu;
    this.#vector = highpri ? HI_SOFTIRQ : TASKLET_SOFTIRQ;
  }

  insert(work: Work, pwq: PoolWorkqueue): void {
    work.pending = true;
    work.pool = this;
    this.#list.push({ work, pwq });
    this.cpu.softirqs.raise(this.#vector);
  }

  workerRunning(work: Work): BhRun | undefined {
    return this.#running?.currentWork === work ? this.#running : undefined;
  }

  /** The softirq: runs what is queued now; what is queued meanwhile waits for the next pass. */
  run(): Outcome {
    return this.#runSome(this.#list.length);
  }

  #runSome(count: number): Outcome {
    for (let left = count; left > 0; left--) {
      const entry = this.#list.shift();
      if (entry === undefined) return DONE;
      if (this.#call(entry) === SUSPENDED) return this.#deferRest(left - 1);
    }
    return DONE;
  }

  #deferRest(count: number): Outcome {
    return this.cpu.defer(() => this.#runSome(count));
  }

  #call({ work, pwq }: Entry): Outcome {
    const { cpu } = this;
    const { machine } = cpu;
    const running = new BhRun(work, pwq);
    work.flushes = [];
    work.pending = false;
    this.#running = running;
    cpu.trace(Tracepoint.workqueueExecuteStart, work.number, 0, machine.trace.intern(work.name));
    const where = `work ${work.name} of workqueue ${pwq.wq.name}`;
    let result: unknown;
    try {
      result = work.fn(work);
    } catch (error) {
      machine.oops(where, error);
    }
    if (cutsOff(cpu, where, result)) {
      return cpu.suspend(result, (error, thrown) => {
        if (thrown) machine.oops(where, error);
        return this.#finish(running);
      });
    }
    return this.#finish(running);
  }

  #finish({ currentWork: work, flushes }: BhRun): Outcome {
    const { cpu } = this;
    cpu.trace(Tracepoint.workqueueExecuteEnd, work.number, 0, cpu.machine.trace.intern(work.name));
    this.#running = undefined;
    for (const flush of flushes) {
      flush.done = true;
      wakeUpProcess(flush.task);
    }
    return DONE;
  }
}
