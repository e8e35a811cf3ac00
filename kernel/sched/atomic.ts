// What functions of the user's return in atomic context: nothing more to do, a generator to go on with, or a mistake.
import { type Coroutine, DONE, isCoroutine, isPromiseLike, type Outcome, Request, SUSPENDED } from './coroutine.js';
import type { Cpu } from './cpu.js';
import { thisCpu } from './current.js';
import { schedulingWhileAtomic } from './schedule-debug.js';

/**
 * True when an atomic function returned a generator, which then cuts off its caller ({@link Cpu.suspend}).
 *
 * A promise is reported: the function has slept, and nobody can wait for it here.
 */
export function cutsOff(cpu: Cpu, where: string, result: unknown): result is Coroutine {
  if (typeof result !== 'object' || result === null) return false;
  if (isCoroutine(result)) return true;
  if (!isPromiseLike(result)) return false;
  const { machine } = cpu;
  machine.bug(
    schedulingWhileAtomic(cpu),
    `${where} returned a promise; async code belongs in a thread function or in a work item`,
  );
  result.then(undefined, (error) => machine.oops(where, error));
  return false;
}

/** Goes on behind interrupt code that was called, at once, or when a handler of that which is a generator is done. For flow handlers. */
export function afterOutcome(outcome: Outcome, rest: () => void): Outcome {
  if (outcome !== SUSPENDED) {
    rest();
    return DONE;
  }
  return thisCpu().defer(() => {
    rest();
    return DONE;
  });
}

/** Goes on, in a generator, behind interrupt code that it has called, also if a handler of that was a generator. Any context. */
export function* finishOutcome(outcome: Outcome): Coroutine<void> {
  if (outcome !== SUSPENDED) return;
  thisCpu().pushSuspended();
  yield Request.point;
}
