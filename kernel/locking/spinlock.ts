// Spinlocks: short sections that one CPU at a time is in, with preemption off (include/linux/spinlock.h).
import { localIrqEnable } from '../sched/core.js';
import { thisCpu } from '../sched/current.js';
import { localBhDisable, localBhEnable } from '../softirq/softirq.js';
import { type Acquiring, SpinCore } from './spin.js';
import * as ops from './spin-ops.js';

export type { Acquiring } from './spin.js';
export type { IrqFlags } from './spin-ops.js';

/**
 * A lock that is waited for by spinning. Its name, and the place where it is made, are its class for lockdep.
 *
 * ```ts
 * const lock = new Spinlock('counters');            // DEFINE_SPINLOCK(counters)
 * const handler = () => {                           // hard interrupt: interrupts are off already
 *   spinLock(lock);                                 // a plain function: an error if another CPU has it
 *   counters.edges++;
 *   spinUnlock(lock);
 *   return IRQ_HANDLED;
 * };
 * function* reader() {                              // task: the handler must not come in between
 *   const flags = yield* spinLockIrqsave(lock);     // a generator: spins until it is free
 *   const { edges } = counters;
 *   spinUnlockIrqrestore(lock, flags);
 *   return edges;
 * }
 * ```
 */
export class Spinlock {
  readonly core: SpinCore;

  constructor(name = 'lock') {
    this.core = new SpinCore('spinlock', name);
  }
}

/**
 * Disables preemption and takes the lock (spin_lock). Any context.
 *
 * A generator writes `yield*` before it, and spins while another CPU has the lock. A plain function cannot: there the
 * call throws `EAGAIN`. `EDEADLK`, after a report, if this CPU has it already.
 */
export function spinLock(lock: Spinlock): Acquiring<void> {
  return ops.lockPlain(lock.core, false);
}

/** As {@link spinLock}, within another lock of the same class, rightly: `subclass` 1 to 7 tells them apart. */
export function spinLockNested(lock: Spinlock, subclass: number): Acquiring<void> {
  return ops.lockPlain(lock.core, false, subclass);
}

/** As {@link spinLock}, with interrupts disabled (spin_lock_irq). */
export function spinLockIrq(lock: Spinlock): Acquiring<void> {
  return ops.lockIrq(lock.core, false);
}

/** As {@link spinLockIrq}; gives what {@link spinUnlockIrqrestore} puts back (spin_lock_irqsave). */
export function spinLockIrqsave(lock: Spinlock): Acquiring<boolean> {
  return ops.lockIrqsave(lock.core, false);
}

/** As {@link spinLock}, with softirqs disabled (spin_lock_bh). */
export function spinLockBh(lock: Spinlock): Acquiring<void> {
  return ops.lockBh(lock.core, false);
}

/** Takes the lock unless it is taken (spin_trylock). */
export function spinTrylock(lock: Spinlock): boolean {
  return ops.tryLock(lock.core, false);
}

/** As {@link spinTrylock}, with interrupts disabled if it is taken; if not they are on, also where they were off before. */
export function spinTrylockIrq(lock: Spinlock): boolean {
  thisCpu().irqsEnabled = false;
  if (ops.tryLock(lock.core, false)) return true;
  localIrqEnable();
  return false;
}

/** As {@link spinTrylock}, with interrupts disabled; gives what {@link spinUnlockIrqrestore} puts back, or undefined. */
export function spinTrylockIrqsave(lock: Spinlock): boolean | undefined {
  const cpu = thisCpu();
  const flags = cpu.irqsEnabled;
  cpu.irqsEnabled = false;
  if (ops.tryLock(lock.core, false)) return flags;
  cpu.irqsEnabled = flags;
  return undefined;
}

/** As {@link spinTrylock}, with softirqs disabled if it is taken. */
export function spinTrylockBh(lock: Spinlock): boolean {
  localBhDisable();
  if (ops.tryLock(lock.core, false)) return true;
  localBhEnable();
  return false;
}

/** Gives the lock to who has spun longest, and enables preemption; a due switch happens at the next `yield*`. */
export function spinUnlock(lock: Spinlock): void {
  ops.unlockPlain(lock.core, false);
}

/** As {@link spinUnlock}; enables interrupts, whatever they were. */
export function spinUnlockIrq(lock: Spinlock): void {
  ops.unlockIrq(lock.core, false);
}

/** As {@link spinUnlock}; interrupts are as they were before {@link spinLockIrqsave}. */
export function spinUnlockIrqrestore(lock: Spinlock, flags: ops.IrqFlags): void {
  ops.unlockIrqrestore(lock.core, false, flags);
}

/** As {@link spinUnlock}; enables softirqs if nothing else disables them. */
export function spinUnlockBh(lock: Spinlock): void {
  ops.unlockBh(lock.core, false);
}

/** Somebody has it (spin_is_locked). */
export function spinIsLocked(lock: Spinlock): boolean {
  return lock.core.locked;
}

/** Somebody spins for it (spin_is_contended). */
export function spinIsContended(lock: Spinlock): boolean {
  return lock.core.contended;
}

/** The same locks; they would go on spinning on a real-time kernel (raw_spinlock_t). */
export {
  Spinlock as RawSpinlock,
  spinLock as rawSpinLock,
  spinLockBh as rawSpinLockBh,
  spinLockIrq as rawSpinLockIrq,
  spinLockIrqsave as rawSpinLockIrqsave,
  spinTrylock as rawSpinTrylock,
  spinUnlock as rawSpinUnlock,
  spinUnlockBh as rawSpinUnlockBh,
  spinUnlockIrq as rawSpinUnlockIrq,
  spinUnlockIrqrestore as rawSpinUnlockIrqrestore,
};
