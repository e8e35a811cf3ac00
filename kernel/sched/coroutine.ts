// How handlers give the CPU back: plain functions do not, generators at every `yield*`, async functions at every `await`.
import { KernelError } from '../errno.js';

/** What a kernel primitive tells the CPU when it yields. User code never yields these itself: it writes `yield* msleep(5)`. */
export const Request = {
  /** Nothing is asked: interrupts and tasks of higher priority may come in here. */
  point: 0,
  /** Run another task; the current one stays away if its state is not TASK_RUNNING. */
  schedule: 1,
  /** The CPU is busy until `Frame.busyUntilNs`. */
  busy: 2,
  /** The CPU is busy until another one clears `Frame.spinning`. */
  spin: 3,
  /** As point; without kernel preemption it is also where another task may be put on the CPU (cond_resched). */
  condResched: 4,
} as const;

/** For whoever yields what is no {@link Request}. */
export function badRequest(request: unknown): KernelError {
  return new KernelError('EINVAL', `a handler yielded ${String(request)}, which asks for nothing`, {
    hint: 'write `yield* msleep(5)`, with the star',
  });
}

/** A function body in progress that the CPU can go on with. */
export type Coroutine<R = unknown> = Generator<number, R, unknown>;

/** What an atomic handler may return: its result, or a generator that comes to it. */
export type Atomic<R> = R | Coroutine<R>;

/** What a function in process context may return: also a promise. */
export type Process<R> = Atomic<R> | PromiseLike<R>;

export function isCoroutine(value: unknown): value is Coroutine {
  return typeof value === 'object' && value !== null && 'next' in value && typeof value.next === 'function';
}

export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/** Outcome of interrupt code that ran to its end. */
export const DONE = 0;
/** Outcome of interrupt code that waits for a generator; what is left to do was given to {@link Frame.continuations}. */
export const SUSPENDED = -1;
export type Outcome = typeof DONE | typeof SUSPENDED;

/** The rest of what was cut off by a generator; called with its result, or with what it threw. */
export type Continuation = (value: unknown, thrown: boolean) => Outcome;

/** A call of a plain function that has to wait, which its caller must start with `yield*`. */
export interface Unstarted {
  /** An `await` does it too. */
  readonly awaitable: boolean;
  /** Takes the call back, and says what the caller did wrong. */
  abandon(): KernelError;
}

/** An activation: a task's body, or interrupt code that a generator has cut off. */
export class Frame {
  coroutine: Coroutine;
  /** Takes the place of the coroutine when that is done, where `yield*` would have each resume pass through both. */
  tail: Coroutine | undefined;
  /** The CPU has nothing else to do for this activation before this time. */
  busyUntilNs = 0;
  /** The CPU waits for another one to give this activation a spinlock. */
  spinning = false;
  /** Its code is the model's own now, which tells {@link Machine.look} itself when it calls others. */
  own = false;
  /** It asked for another task, when softirqs were due that come first. */
  scheduleDue = false;
  /** It asked for what it may not have: thrown at its `yield`, where its own code can tidy up and its caller can report it. */
  fault: unknown;
  /** The activation that interrupt code came on top of, if that was cut off too. */
  below: Frame | undefined;
  /** What follows when the coroutine is done, innermost first. */
  readonly continuations: Continuation[] = [];

  constructor(coroutine: Coroutine) {
    this.coroutine = coroutine;
  }

  /** Its code goes on to the next `yield` or to its end, at first with its {@link fault}. */
  resume(): IteratorResult<number, unknown> {
    const { coroutine, fault } = this;
    if (fault === undefined) return coroutine.next();
    this.fault = undefined;
    return coroutine.throw(fault);
  }
}
