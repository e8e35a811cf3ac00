// Read-write spinlocks: many readers or one writer, first come, first served (include/linux/rwlock.h).
import { type Acquiring, SpinCore } from './spin.js';
import * as ops from './spin-ops.js';

/**
 * A spinlock that readers share. A reader waits behind a writer that waits, except in interrupts.
 *
 * ```ts
 * const lock = new Rwlock('routes');
 * function* lookUp(key: string) {
 *   yield* readLock(lock);
 *   const route = routes.get(key);
 *   readUnlock(lock);
 *   return route;
 * }
 * function* change(key: string, route: number) {
 *   yield* writeLock(lock);
 *   routes.set(key, route);
 *   writeUnlock(lock);
 * }
 * ```
 */
export class Rwlock {
  readonly core: SpinCore;

  constructor(name = 'rwlock') {
    this.core = new SpinCore('rwlock', name);
  }
}

/** Takes the lock together with other readers (read_lock). Context and errors as for spinLock. */
export function readLock(lock: Rwlock): Acquiring<void> {
  return ops.lockPlain(lock.core, true);
}

export function readLockIrq(lock: Rwlock): Acquiring<void> {
  return ops.lockIrq(lock.core, true);
}

export function readLockIrqsave(lock: Rwlock): Acquiring<boolean> {
  return ops.lockIrqsave(lock.core, true);
}

export function readLockBh(lock: Rwlock): Acquiring<void> {
  return ops.lockBh(lock.core, true);
}

export function readTrylock(lock: Rwlock): boolean {
  return ops.tryLock(lock.core, true);
}

export function readUnlock(lock: Rwlock): void {
  ops.unlockPlain(lock.core, true);
}

export function readUnlockIrq(lock: Rwlock): void {
  ops.unlockIrq(lock.core, true);
}

export function readUnlockIrqrestore(lock: Rwlock, flags: ops.IrqFlags): void {
  ops.unlockIrqrestore(lock.core, true, flags);
}

export function readUnlockBh(lock: Rwlock): void {
  ops.unlockBh(lock.core, true);
}

/** Takes the lock alone (write_lock). Context and errors as for spinLock. */
export function writeLock(lock: Rwlock): Acquiring<void> {
  return ops.lockPlain(lock.core, false);
}

export function writeLockIrq(lock: Rwlock): Acquiring<void> {
  return ops.lockIrq(lock.core, false);
}

export function writeLockIrqsave(lock: Rwlock): Acquiring<boolean> {
  return ops.lockIrqsave(lock.core, false);
}

export function writeLockBh(lock: Rwlock): Acquiring<void> {
  return ops.lockBh(lock.core, false);
}

export function writeTrylock(lock: Rwlock): boolean {
  return ops.tryLock(lock.core, false);
}

export function writeUnlock(lock: Rwlock): void {
  ops.unlockPlain(lock.core, false);
}

export function writeUnlockIrq(lock: Rwlock): void {
  ops.unlockIrq(lock.core, false);
}

export function writeUnlockIrqrestore(lock: Rwlock, flags: ops.IrqFlags): void {
  ops.unlockIrqrestore(lock.core, false, flags);
}

export function writeUnlockBh(lock: Rwlock): void {
  ops.unlockBh(lock.core, false);
}
