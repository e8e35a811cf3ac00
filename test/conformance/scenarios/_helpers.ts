// What several scenarios use: tasklets that go on to do something, and values returned, logged.
import { type Atomic, type Coroutine, KernelError, Tasklet, taskletSchedule } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

/** A tasklet that logs each run, and then does `act`. */
export class ActingTasklet extends Tasklet {
  runs = 0;
  act: (run: number) => Atomic<void> = () => {};

  constructor(o: Oracle, t: string) {
    super(() => {
      o.log('tasklet', { t, run: ++this.runs });
      return this.act(this.runs);
    });
  }
}

/** @returns what a hard interrupt does: it schedules a tasklet, and says that it was there */
export function interruptThatSchedules(o: Oracle, tasklet: Tasklet) {
  return () => {
    taskletSchedule(tasklet);
    o.log('hardirq');
  };
}

/** Logs what a call has returned. */
export function ret(o: Oracle, ev: string, value: number | boolean): void {
  o.log(ev, { ret: Number(value) });
}

/** Logs what a wait returns, and how many jiffies it took. */
export function* timed(o: Oracle, ev: string, wait: Coroutine<number>): Coroutine<void> {
  yield* o.base();
  ret(o, ev, yield* wait);
  ret(o, 'j', o.j());
}

/** 0, or the negative errno of what a plain call throws. */
export function errno(call: () => unknown): number {
  try {
    call();
    return 0;
  } catch (error) {
    if (error instanceof KernelError) return error.errno;
    throw error;
  }
}

/** What an effect gives, or the negative errno of what it throws. */
export function* resultOf(effect: Coroutine<number>): Coroutine<number> {
  try {
    return yield* effect;
  } catch (error) {
    if (error instanceof KernelError) return error.errno;
    throw error;
  }
}
