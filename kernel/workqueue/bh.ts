// Work items in softirq context, one after the other on the CPU that queued them (bh_worker, WQ_BH).
import { cutsOff } from '../sched/atomic.js';
import { DONE, type Outcome, SUSPENDED } from '../sched/coroutine.js';
import { jiffiesLately, msecsToJiffies } from '../time/jiffies.js';
import type { WorkerPool } from './pool.js';
import type { PoolWorkqueue } from './pwq.js';
import type { Work } from './work.js';
import { WORKER_PREP, type Worker } from './worker.js';

/** Items in one softirq, and how long it may go on taking more. */
const BH_WORKER_RESTARTS = 10;
const BH_WORKER_MS = 2;

/** The softirq of a pool that has items. What is left when its time is over waits for the next one, which it raises. */
export function runBhPool(pool: WorkerPool): Outcome {
  const worker = pool.idleList.first;
  if (worker === undefined) return DONE;
  const { machine } = pool;
  pool.leaveIdle(worker);
  worker.clrFlags(WORKER_PREP);
  return runSome(worker, BH_WORKER_RESTARTS, jiffiesLately(machine) + msecsToJiffies(BH_WORKER_MS, machine.hz));
}

function runSome(worker: Worker, restarts: number, endJiffies: number): Outcome {
  const { pool } = worker;
  const { cpu } = pool;
  if (cpu === undefined) return DONE;
  let left = restarts;
  for (;;) {
    let work = worker.scheduled.first;
    if (work === undefined) {
      const first = pool.worklist.first;
      const done =
        first === undefined || left === 0 || (left < BH_WORKER_RESTARTS && jiffiesLately(cpu.machine) >= endJiffies);
      if (done) break;
      left--;
      pool.assignWork(first, worker);
      work = worker.scheduled.first;
    }
    if (work !== undefined && callOne(worker, work) === SUSPENDED) {
      return cpu.defer(() => runSome(worker, left, endJiffies));
    }
  }
  worker.setFlags(WORKER_PREP);
  pool.enterIdle(worker);
  pool.kick();
  return DONE;
}

function callOne(worker: Worker, work: Work): Outcome {
  const { cpu } = worker.pool;
  if (cpu === undefined) return DONE;
  const pwq = worker.claim(work);
  const { look } = cpu.machine;
  look.others();
  let result: unknown;
  try {
    result = work.fn(work);
  } catch (error) {
    worker.oops(work, pwq, error);
  }
  look.othersDone();
  if (cutsOff(cpu, `work ${work.name} of workqueue ${pwq.wq.name}`, result)) {
    return cpu.suspend(result, (error, thrown) => {
      if (thrown) worker.oops(work, pwq, error);
      return conclude(worker, work, pwq);
    });
  }
  return conclude(worker, work, pwq);
}

function conclude(worker: Worker, work: Work, pwq: PoolWorkqueue): Outcome {
  worker.called(work, pwq);
  worker.retire();
  return DONE;
}
