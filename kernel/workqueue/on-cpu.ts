// Functions that are to be run on a certain CPU, on every CPU, or in process context, by kworkers (schedule_on_each_cpu).
import type { Coroutine, Process } from '../sched/coroutine.js';
import { inInterrupt, thisCpu } from '../sched/current.js';
import { callProcess, effect, finish } from '../sched/effect.js';
import { flushWork } from './flush.js';
import { scheduleWork, scheduleWorkOn } from './queue.js';
import { Work, type WorkFn } from './work.js';

/**
 * Runs a function on every CPU at once, and waits until all are done (schedule_on_each_cpu). Process context.
 *
 * @returns 0
 */
export const scheduleOnEachCpu = effect(function* scheduleOnEachCpu(fn: WorkFn): Coroutine<0> {
  const works = thisCpu().machine.cpus.map(({ id }) => {
    const work = new Work(fn);
    scheduleWorkOn(id, work);
    return work;
  });
  for (const work of works) yield* flushWork(work);
  return 0;
});

/**
 * Runs a function in a kworker of a CPU, and waits for what it returns (work_on_cpu). Process context.
 *
 * @throws KernelError EINVAL for a CPU that the machine has not got; and what the function throws
 */
export const workOnCpu = effect(function* workOnCpu<T, R>(
  cpuId: number,
  fn: (arg: T) => Process<R>,
  arg: T,
): Coroutine<R> {
  let outcome: { result: R } | { error: unknown } | undefined;
  const work = new Work(function* work_for_cpu_fn(): Coroutine<void> {
    try {
      outcome = { result: yield* finish(callProcess(fn, arg)) };
    } catch (error) {
      outcome = { error };
    }
  });
  scheduleWorkOn(cpuId, work);
  yield* flushWork(work);
  if (outcome === undefined) throw new Error('flush_work() came back before the item was done');
  if ('error' in outcome) throw outcome.error;
  return outcome.result;
});

/**
 * Calls a work function at once, or, in an interrupt or with bottom halves off, has a kworker do it
 * (execute_in_process_context). Any context.
 *
 * @param work the item to queue; its function is called
 * @returns 0 when it is done, 1 when it is queued
 */
export const executeInProcessContext = effect(function* executeInProcessContext(work: Work): Coroutine<0 | 1> {
  if (inInterrupt()) {
    scheduleWork(work);
    return 1;
  }
  yield* finish(callProcess(work.fn, work));
  return 0;
});
