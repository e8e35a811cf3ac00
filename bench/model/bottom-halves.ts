// Bottom halves without the edge before them: work items, delayed ones, and tasklets, few and many at a time.
import {
  allocWorkqueue,
  type Coroutine,
  cancelDelayedWork,
  DelayedWork,
  flushWork,
  jiffies,
  localBhDisable,
  localBhEnable,
  type Machine,
  modTimer,
  preemptPoint,
  queueDelayedWork,
  queueWork,
  Tasklet,
  TimerList,
  taskletSchedule,
  timerDelete,
  Work,
} from '../../kernel/index.js';
import { benchMachine } from './machines.js';
import type { Operation, Repeat } from './operation.js';

/** Timers and delayed items that wait while one comes and goes. */
const PENDING = 100_000;
/** Jiffies ahead: what is pending is spread over them, and never due while it is measured. */
const AHEAD = 10_000_000;
const SPREAD = 1_000_000;

/** Does `count` operations in groups of `size`, all in one task, and sees to it that `served` has counted them. */
function inGroups(machine: Machine, size: number, served: () => number, group: () => Coroutine<void>): Repeat {
  return (count) => {
    const before = served();
    machine.runTask(function* () {
      for (let done = 0; done < count; done += size) yield* group();
    });
    if (served() - before !== Math.ceil(count / size) * size) throw new Error('not all of them ran');
  };
}

/** `size` items queued on a bound queue, then run by a kworker. */
function works(size: number): Repeat {
  const machine = benchMachine();
  const wq = allocWorkqueue('bench', 0, 0);
  let served = 0;
  const items = Array.from({ length: size }, () => new Work(() => void served++, 'item'));
  const [last] = items.slice(-1);
  if (last === undefined) throw new RangeError('no items');
  return inGroups(
    machine,
    size,
    () => served,
    function* () {
      for (const item of items) queueWork(wq, item);
      yield* flushWork(last);
    },
  );
}

/** `size` tasklets scheduled with softirqs off, then run where they are on again. */
function tasklets(size: number): Repeat {
  const machine = benchMachine();
  let served = 0;
  const items = Array.from({ length: size }, () => new Tasklet(() => void served++));
  return inGroups(
    machine,
    size,
    () => served,
    function* () {
      localBhDisable();
      for (const item of items) taskletSchedule(item);
      localBhEnable();
      yield* preemptPoint();
    },
  );
}

/** Arms and cancels one after the other of those that are not pending, among {@link PENDING} that are. */
function timers(): Repeat {
  const machine = benchMachine();
  const fn = (): void => {
    throw new Error('none is due');
  };
  const expiry = (i: number): number => jiffies() + AHEAD + ((i * 7919) % SPREAD);
  machine.runTask(() => {
    for (let i = 0; i < PENDING; i++) modTimer(new TimerList(fn), expiry(i));
  });
  const timer = new TimerList(fn);
  return (count) =>
    machine.runTask(() => {
      for (let i = 0; i < count; i++) {
        modTimer(timer, expiry(i));
        timerDelete(timer);
      }
    });
}

/** As {@link timers}, of delayed work. */
function delayedWorks(): Repeat {
  const machine = benchMachine();
  const wq = allocWorkqueue('bench', 0, 0);
  const fn = (): void => {
    throw new Error('none is due');
  };
  const delay = (i: number): number => AHEAD + ((i * 7919) % SPREAD);
  machine.runTask(() => {
    for (let i = 0; i < PENDING; i++) queueDelayedWork(wq, new DelayedWork(fn), delay(i));
  });
  const work = new DelayedWork(fn);
  return (count) =>
    machine.runTask(() => {
      for (let i = 0; i < count; i++) {
        queueDelayedWork(wq, work, delay(i));
        cancelDelayedWork(work);
      }
    });
}

const of = (name: string, count: number, prepare: () => Repeat): Operation => ({ name, count, prepare });

export const bottomHalves: readonly Operation[] = [
  of('work item: queued, run; 10 at a time', 100_000, () => works(10)),
  of('work item: the same, 1,000 at a time', 100_000, () => works(1_000)),
  { ...of('work item: the same, 100,000 at a time', 100_000, () => works(100_000)), whole: true },
  of('tasklet: scheduled, run; 10 at a time', 200_000, () => tasklets(10)),
  of('tasklet: the same, 1,000 at a time', 200_000, () => tasklets(1_000)),
  { ...of('tasklet: the same, 100,000 at a time', 100_000, () => tasklets(100_000)), whole: true },
  of('timer_list: armed and cancelled, 100,000 pending', 200_000, timers),
  of('delayed work: armed and cancelled, 100,000 pending', 200_000, delayedWorks),
];
