// What several scenarios use: tasklets that go on to do something, and values returned, logged.
import { type Atomic, type Coroutine, KernelError, Tasklet } from '../../../kernel/index.js';
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

/** Logs what a call has returned. */
export function ret(o: Oracle, ev: string, value: number | boolean): void {
  o.log(ev, { ret: Number(value) });
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
