// From an edge to the end of what it sets off: top half, interrupt thread, work item.
import {
  IRQ_HANDLED,
  IRQ_WAKE_THREAD,
  scheduleWork,
  Tasklet,
  taskletSchedule,
  udelay,
  Work,
} from '../../kernel/index.js';
import { type EdgeLine, edgeLine } from './machines.js';
import type { Operation, Repeat } from './operation.js';

/** Edges between which time does not go on, unless handlers need some: what that costs is the virtual clock's. */
const BURST = 1_000;
const BETWEEN_BURSTS_NS = 10_000;

/** Pulses, and sees to it that `served` has counted every one of them. */
function pulses({ machine, pulse, edges }: EdgeLine, served: () => number, burst = BURST): Repeat {
  return (count) => {
    const before = served();
    const edgesBefore = edges();
    for (let i = 0; i < count; i++) {
      pulse();
      if (i % burst === 0) machine.advance(BETWEEN_BURSTS_NS);
    }
    if (served() - before !== count || edges() - edgesBefore !== count) throw new Error('edges were lost');
  };
}

/** The whole way: the top half wakes the thread, which queues an item, which a kworker runs. */
function chain(lockdep: boolean): Repeat {
  let served = 0;
  const work = new Work(() => {
    served++;
  });
  const threadFn = () => {
    scheduleWork(work);
    return IRQ_HANDLED;
  };
  return pulses(
    edgeLine(() => IRQ_WAKE_THREAD, threadFn, { lockdep }),
    () => served,
  );
}

export const edges: readonly Operation[] = [
  {
    name: 'edge → top half → return',
    count: 1_000_000,
    allocationFree: true,
    prepare() {
      let served = 0;
      const line = edgeLine(() => {
        served++;
        return IRQ_HANDLED;
      }, null);
      return pulses(line, () => served);
    },
  },
  {
    name: 'edge → top half, a generator with `udelay(1)` → return',
    count: 100_000,
    prepare() {
      let served = 0;
      const line = edgeLine(function* () {
        yield* udelay(1);
        served++;
        return IRQ_HANDLED;
      }, null);
      return pulses(line, () => served, 1);
    },
  },
  {
    name: 'edge → top half → thread',
    count: 200_000,
    prepare() {
      let served = 0;
      const threadFn = () => {
        served++;
        return IRQ_HANDLED;
      };
      return pulses(
        edgeLine(() => IRQ_WAKE_THREAD, threadFn),
        () => served,
      );
    },
  },
  {
    name: 'edge → top half → tasklet',
    count: 200_000,
    prepare() {
      let served = 0;
      const tasklet = new Tasklet(() => {
        served++;
      });
      const line = edgeLine(() => {
        taskletSchedule(tasklet);
        return IRQ_HANDLED;
      }, null);
      return pulses(line, () => served);
    },
  },
  {
    name: 'edge → top half → work item',
    count: 100_000,
    prepare() {
      let served = 0;
      const work = new Work(() => {
        served++;
      });
      const line = edgeLine(() => {
        scheduleWork(work);
        return IRQ_HANDLED;
      }, null);
      return pulses(line, () => served);
    },
  },
  { name: 'edge → top half → thread → work item', count: 100_000, prepare: () => chain(false) },
  { name: 'edge → top half → thread → work item, the same with lockdep', count: 100_000, prepare: () => chain(true) },
];
