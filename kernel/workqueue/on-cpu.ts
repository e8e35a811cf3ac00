// A function that is to be run on every CPU, by their kworkers (schedule_on_each_cpu).
import type { Coroutine } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { flushWork } from './flush.js';
import { scheduleWorkOn } from './queue.js';
import { Work, type WorkFn } from './work.js';

/** Runs a function on every CPU at once, and waits until all are done (schedule_on_each_cpu). Process context. */
export const scheduleOnEachCpu = effect(function* scheduleOnEachCpu(fn: WorkFn): Coroutine<void> {
  const works = thisCpu().machine.cpus.map(({ id }) => {
    const work = new Work(fn);
    scheduleWorkOn(id, work);
    return work;
  });
  for (const work of works) yield* flushWork(work);
});
