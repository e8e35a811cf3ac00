// What the coroutine of a kernel thread does around the function that it was made for (kthread in kernel/kthread.c).
import { ERRNO } from '../errno.js';
import { type Coroutine, isCoroutine, type Process } from './coroutine.js';
import { callProcess, finish } from './effect.js';
import { kthreadParkme } from './kthread.js';
import type { Task } from './task.js';

/** How a body of the host's ended, for the host, who waits for it outside of the model. */
export type Guarded<R> = { readonly ok: true; readonly value: R } | { readonly ok: false; readonly error: unknown };

/** Keeps what a body throws for its caller, who will report it. */
export function* guarded<R>(body: () => Process<R>): Coroutine<Guarded<R>> {
  try {
    return { ok: true, value: yield* finish(callProcess(body)) };
  } catch (error) {
    return { ok: false, error };
  }
}

/** Calls a thread's function, unless it is stopped before it begins; a generator function goes on in its place. */
export function* threadBody(self: () => Task, body: () => Process<unknown>): Coroutine {
  const task = self();
  yield* kthreadParkme();
  if (task.shouldStop) return -ERRNO.EINTR;
  task.started = true;
  const result = callProcess(body);
  if (!isCoroutine(result)) return yield* finish(result);
  task.frame.tail = result;
  return undefined;
}
