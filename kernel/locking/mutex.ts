// Mutexes: one task at a time, the others sleep in the order in which they came (kernel/locking/mutex.c).
import { ERRNO } from '../errno.js';
import { mightSleep } from '../sched/core.js';
import { type Coroutine, Request } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { type Effect, effect } from '../sched/effect.js';
import { signalPendingState } from '../sched/signal.js';
import { TASK_INTERRUPTIBLE, TASK_KILLABLE, TASK_RUNNING, TASK_UNINTERRUPTIBLE, type Task } from '../sched/task.js';
import { wakeUpProcess } from '../sched/wakeup.js';
import { lockContext } from './context.js';
import { reportCircle } from './deadlock.js';
import { LD_WAIT_SLEEP, LockMap } from './held.js';
import { herePlace, type Place } from './place.js';

/**
 * A lock for process context. Only its owner unlocks it, it is not taken twice, and no task ends with it.
 *
 * ```ts
 * const lock = new Mutex('config');                 // DEFINE_MUTEX(config)
 * function* change(key: string, value: number) {
 *   yield* mutexLock(lock);
 *   yield* msleep(5);                               // sleeping inside is allowed
 *   settings.set(key, value);
 *   mutexUnlock(lock);
 * }
 * async function read(key: string) {
 *   if ((await mutexLockInterruptible(lock)) !== 0) return undefined;
 *   const value = settings.get(key);
 *   mutexUnlock(lock);
 *   return value;
 * }
 * ```
 */
export class Mutex {
  readonly map: LockMap;
  owner: Task | undefined;
  /** Sleeping tasks, the first to be woken in front. */
  readonly waiters: Task[] = [];
  /** The first waiter was woken and found the lock taken again: the next unlock hands it over. */
  handoff = false;
  /** The waiter that was given the lock and has not run yet. */
  handedTo: Task | undefined;
  /** Shown when somebody waits for it in vain. */
  readonly describe: string;

  constructor(name = 'lock') {
    this.map = new LockMap(name, LD_WAIT_SLEEP, herePlace());
    this.describe = `mutex ${name}`;
  }
}

/** Takes the lock, asleep in state D while another has it (mutex_lock). Process context. */
export function mutexLock(lock: Mutex): Effect<number> {
  return lockEffect(lock, TASK_UNINTERRUPTIBLE, 0, placeIfWanted(lock));
}

/** As {@link mutexLock}; 0, or -4 (`-EINTR`) without the lock when a signal comes (mutex_lock_interruptible). */
export function mutexLockInterruptible(lock: Mutex): Effect<number> {
  return lockEffect(lock, TASK_INTERRUPTIBLE, 0, placeIfWanted(lock));
}

/** As {@link mutexLock}; 0, or -4 (`-EINTR`) without the lock when a fatal signal comes (mutex_lock_killable). */
export function mutexLockKillable(lock: Mutex): Effect<number> {
  return lockEffect(lock, TASK_KILLABLE, 0, placeIfWanted(lock));
}

/** As {@link mutexLock}, within another lock of the same class, rightly: `subclass` 1 to 7 tells them apart. */
export function mutexLockNested(lock: Mutex, subclass: number): Effect<number> {
  return lockEffect(lock, TASK_UNINTERRUPTIBLE, subclass, placeIfWanted(lock, subclass));
}

/** Takes the lock if it is free; false for its owner too (mutex_trylock). Process context. */
export function mutexTrylock(lock: Mutex): boolean {
  const context = lockContext();
  if (!tryTake(lock, context.current, false)) return false;
  const { lockdep } = context.machine;
  if (lockdep?.on === true) lockdep.acquire(context, lock.map, { trylock: true });
  return true;
}

/** Somebody has it (mutex_is_locked). */
export function mutexIsLocked(lock: Mutex): boolean {
  return lock.owner !== undefined;
}

/**
 * Frees the lock and wakes the first waiter (mutex_unlock). Whoever runs first may take it: the waiter is given it only
 * when it came too late once already. Its owner calls this, in process context.
 */
export function mutexUnlock(lock: Mutex): void {
  const context = lockContext();
  const { lockdep } = context.machine;
  if (lockdep?.on === true) lockdep.release(context, lock.map);
  if (lock.owner !== context.current) {
    const text = '__owner_task(owner) != current';
    const where = '__mutex_unlock_slowpath';
    if (lockdep === undefined) context.machine.warn(`DEBUG_LOCKS_WARN_ON(${text})`, where);
    else lockdep.warn(context, text, where);
  }
  const [first] = lock.waiters;
  lock.owner = lock.handoff ? first : undefined;
  lock.handedTo = lock.owner;
  lock.handoff = false;
  if (first !== undefined) wakeUpProcess(first);
}

/** Where the caller is, as long as lockdep wants to know. Taken when the lock is asked for: an `await` forgets it. */
function placeIfWanted(lock: Mutex, subclass = 0): Place | undefined {
  const context = lockContext();
  const { lockdep } = context.machine;
  return lockdep?.on === true ? lockdep.placeOf(context, lock.map, subclass) : undefined;
}

/** `handoff`: the caller is the first waiter, and wants the lock at the next unlock if it cannot have it now. */
function tryTake(lock: Mutex, task: Task, handoff: boolean): boolean {
  if (lock.owner === undefined) {
    lock.owner = task;
    return true;
  }
  if (handoff) lock.handoff = true;
  return false;
}

const lockEffect = effect(function* mutexLock(
  lock: Mutex,
  state: number,
  subclass: number,
  place: Place | undefined,
): Coroutine<number> {
  mightSleep('mutex_lock');
  const cpu = thisCpu();
  const { lockdep } = cpu.machine;
  if (lockdep?.on === true && place !== undefined) lockdep.acquire(cpu, lock.map, { subclass, place });
  if (tryTake(lock, cpu.current, false)) return 0;
  return yield* wait(lock, cpu.current, state);
});

function* wait(lock: Mutex, task: Task, state: number): Coroutine<number> {
  lock.waiters.push(task);
  task.blockedOn = lock;
  try {
    for (;;) {
      if (signalPendingState(state, task)) {
        forget(lock);
        return -ERRNO.EINTR;
      }
      task.state = state;
      if (state === TASK_UNINTERRUPTIBLE) reportCircle(thisCpu().machine, task);
      yield Request.schedule;
      if (lock.handedTo === task) {
        lock.handedTo = undefined;
        return 0;
      }
      if (tryTake(lock, task, lock.waiters[0] === task)) return 0;
    }
  } catch (error) {
    // In an interrupt: there is no task that could sleep.
    forget(lock);
    throw error;
  } finally {
    task.state = TASK_RUNNING;
    task.blockedOn = undefined;
    lock.waiters.splice(lock.waiters.indexOf(task), 1);
    if (lock.waiters.length === 0) lock.handoff = false;
  }
}

/** The lock that was asked for is not taken after all. */
function forget(lock: Mutex): void {
  const cpu = thisCpu();
  if (cpu.machine.lockdep?.on === true) cpu.machine.lockdep.release(cpu, lock.map);
}
