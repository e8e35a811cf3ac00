// Effects: kernel primitives that a generator takes with `yield*` and an async function with `await`.
import { KernelError } from '../errno.js';
import { type Coroutine, isCoroutine, isPromiseLike, type Process, Request } from './coroutine.js';
import { current, runningCpu, setAsyncOwner, thisCpu } from './current.js';
import { TASK_UNINTERRUPTIBLE, type Task } from './task.js';
import { wakeUpProcess } from './wakeup.js';

/**
 * What a primitive returns: does nothing until it is taken, once, by `yield*` or `await`. A task does one thing at a time:
 * several that are awaited together (`Promise.all`) are done one after the other.
 */
export type Effect<R> = Coroutine<R> & PromiseLike<R>;

/** An effect that an async function awaits, on its way to the task that runs the function. */
interface Awaited {
  readonly coroutine: Coroutine;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** One call of an async function, by the task that waits for it. */
class AsyncCall {
  readonly task: Task;
  readonly awaited: Awaited[] = [];
  /** The task waits for it: until then, and when it is over, nobody would do what it awaits. */
  open = false;
  settled = false;
  value: unknown;
  error: unknown;
  failed = false;

  constructor(task: Task) {
    this.task = task;
  }

  submit(awaited: Awaited): void {
    this.awaited.push(awaited);
    wakeUpProcess(this.task);
  }

  /** The first outcome counts, whatever a thenable of the user's does. */
  settle(failed: boolean, value: unknown): void {
    if (this.settled) return;
    this.settled = true;
    this.failed = failed;
    if (failed) this.error = value;
    else this.value = value;
    wakeUpProcess(this.task);
  }
}

/** Follows a value through promises; the shape of Node's AsyncLocalStorage. What it follows is the model's own. */
export interface AsyncContext {
  run<R, A extends unknown[]>(store: unknown, fn: (...args: A) => R, ...args: A): R;
  getStore(): unknown;
}

let asyncContext: AsyncContext | undefined;

/** The calls behind promises that {@link callProcess} has returned. */
const callOfPromise = new WeakMap<PromiseLike<unknown>, AsyncCall>();

/** Where no context tells them apart: the calls under way. Weakly, since one may never settle and its machine be dropped. */
const openCalls = new Set<WeakRef<AsyncCall>>();

/**
 * Gives the model the means to tell which call an `await` belongs to when several async functions are under way; a host
 * on Node hands in `new AsyncLocalStorage()`. Without it, one async function at a time can await effects.
 */
export function provideAsyncContext(context: AsyncContext): void {
  asyncContext = context;
}

/** The only call under way, if there is only one. */
function onlyOpenCall(): AsyncCall | undefined {
  let only: AsyncCall | undefined;
  for (const ref of openCalls) {
    const call = ref.deref();
    if (call === undefined) openCalls.delete(ref);
    else if (only === undefined) only = call;
    else return undefined;
  }
  return only;
}

/** The call of the async function that is running: by the host's means, or because there is only one. */
function asyncCall(): AsyncCall | undefined {
  if (asyncContext === undefined) return onlyOpenCall();
  const store = asyncContext.getStore();
  return store instanceof AsyncCall && store.open ? store : undefined;
}

/** The task of the async function that is running after an `await`; `undefined` outside of any. */
export function asyncTask(): Task | undefined {
  return asyncCall()?.task;
}

setAsyncOwner(asyncTask);

function callOfAwait(): AsyncCall {
  const call = asyncCall();
  if (call !== undefined && !call.settled) return call;
  const told = asyncContext !== undefined;
  const where = told ? '' : ', or in one of several async functions at once';
  throw new KernelError('EPERM', `await of a kernel primitive outside of a task${where}`, {
    hint: told
      ? 'await it in an async function that the model has called and that is not done yet'
      : 'call provideAsyncContext(new AsyncLocalStorage()) once, or use a generator function and yield*',
  });
}

function then(
  this: Coroutine,
  onFulfilled?: (value: unknown) => unknown,
  onRejected?: (error: unknown) => unknown,
): Promise<unknown> {
  const taken = new Promise((resolve, reject) => {
    if (runningCpu() !== undefined) {
      throw new KernelError('EPERM', 'a kernel primitive was treated as a promise where a generator was running', {
        hint: 'use yield*',
      });
    }
    callOfAwait().submit({ coroutine: this, resolve, reject });
  });
  return taken.then(onFulfilled, onRejected);
}

/** Makes a primitive of a generator function: its generators can be awaited too. */
export function effect<A extends unknown[], R>(body: (...args: A) => Coroutine<R>): (...args: A) => Effect<R> {
  // Generators inherit from the prototype of their own function: one property there serves every call, at no cost to it.
  Object.defineProperty(body.prototype, 'then', { value: then });
  return body as (...args: A) => Effect<R>;
}

/**
 * Calls a function of the user's in process context; what it returns goes to {@link finish} unless it is a plain value.
 * A plain function may turn out to return a promise, so it too runs where its awaits can be told.
 */
export function callProcess<A extends unknown[], R>(fn: (...args: A) => Process<R>, ...args: A): Process<R> {
  if (asyncContext === undefined) return returned(fn(...args));
  const call = new AsyncCall(current());
  const result = asyncContext.run(call, fn, ...args);
  if (!isCoroutine(result) && isPromiseLike(result)) callOfPromise.set(result, call);
  return returned(result);
}

/** A plain function has left a call that has to wait to nobody; an async one is about to await it. */
function returned<R>(result: Process<R>): Process<R> {
  const cpu = runningCpu();
  if (cpu?.unstarted === undefined || isCoroutine(result)) return result;
  if (!isPromiseLike(result)) throw cpu.unstarted.abandon();
  if (cpu.unstarted.awaitable) cpu.unstarted = undefined;
  return result;
}

/** Sees a generator or a promise through to its result. Process context. */
export function* finish<R>(result: Process<R>): Coroutine<R> {
  if (isCoroutine(result)) return (yield* result) as R;
  return isPromiseLike(result) ? ((yield* settle(result)) as R) : result;
}

/** The task begins to wait for the call behind a promise. What the promise's own `then` throws is the call's outcome. */
function openCall(promise: PromiseLike<unknown>, task: Task): AsyncCall {
  const call = callOfPromise.get(promise) ?? new AsyncCall(task);
  callOfPromise.delete(promise);
  call.open = true;
  try {
    promise.then(
      (value) => call.settle(false, value),
      (error) => call.settle(true, error),
    );
  } catch (error) {
    call.settle(true, error);
  }
  return call;
}

/** Waits in state D for a promise, and does for the async function behind it what it awaits; holds virtual time meanwhile. */
function* settle<R>(promise: PromiseLike<R>): Coroutine<R> {
  const { machine, current: task } = thisCpu();
  const call = openCall(promise, task);
  const ref = new WeakRef(call);
  if (asyncContext === undefined) openCalls.add(ref);
  machine.clock.hold();
  try {
    while (!call.settled || call.awaited.length > 0) {
      const awaited = call.awaited.shift();
      if (awaited === undefined) {
        task.state = TASK_UNINTERRUPTIBLE;
        yield Request.schedule;
      } else {
        machine.clock.release();
        try {
          awaited.resolve(yield* awaited.coroutine);
        } catch (error) {
          awaited.reject(error);
        } finally {
          machine.clock.hold();
        }
      }
    }
  } finally {
    call.open = false;
    openCalls.delete(ref);
    machine.clock.release();
  }
  if (call.failed) throw call.error;
  return call.value as R;
}
