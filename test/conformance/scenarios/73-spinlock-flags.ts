// What each way to take a spinlock does to preemption, interrupts and softirqs.
import {
  irqsDisabled,
  rawSpinLock,
  rawSpinUnlock,
  Spinlock,
  spinIsLocked,
  spinLock,
  spinLockBh,
  spinLockIrq,
  spinLockIrqsave,
  spinTrylock,
  spinTrylockIrqsave,
  spinUnlock,
  spinUnlockBh,
  spinUnlockIrq,
  spinUnlockIrqrestore,
  Tasklet,
  taskletSchedule,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

const bit = (value: boolean): number => (value ? 1 : 0);

function* plainAndBh(o: Oracle, S1: Spinlock, S2: Spinlock) {
  o.log('plain');
  yield* spinLock(S1);
  o.log('spin_lock');
  yield* spinLock(S2);
  o.log('spin_lock x2');
  spinUnlock(S2);
  spinUnlock(S1);
  o.log('unlocked');
  yield* spinLockBh(S1);
  o.log('spin_lock_bh');
  yield* spinLockBh(S2);
  o.log('spin_lock_bh x2');
  spinUnlockBh(S2);
  spinUnlockBh(S1);
  o.log('unlocked');
}

function* irq(o: Oracle, S1: Spinlock, S2: Spinlock) {
  yield* spinLockIrq(S1);
  o.log('spin_lock_irq');
  spinUnlockIrq(S1);
  o.log('unlocked');
  const outer = yield* spinLockIrqsave(S1);
  o.log('spin_lock_irqsave');
  const inner = yield* spinLockIrqsave(S2);
  o.log('spin_lock_irqsave x2');
  spinUnlockIrqrestore(S2, inner);
  o.log('inner restored');
  spinUnlockIrqrestore(S1, outer);
  o.log('outer restored');
  o.log('saved', { outer_irqs_off: bit(!outer), inner_irqs_off: bit(!inner) });
  const flags = yield* spinLockIrqsave(S1);
  yield* spinLockIrq(S2);
  o.log('irqsave + nested spin_lock_irq');
  spinUnlockIrq(S2);
  o.log('after nested spin_unlock_irq (irqs are on: classic bug)');
  spinUnlockIrqrestore(S1, flags);
}

function* trying(o: Oracle, S1: Spinlock, R: Spinlock) {
  yield* rawSpinLock(R);
  o.log('raw_spin_lock');
  rawSpinUnlock(R);
  o.log('spin_trylock', { ret: bit(spinTrylock(S1)), note: 'free' });
  o.log('held');
  o.log('spin_is_locked', { ret: bit(spinIsLocked(S1)) });
  o.log('spin_trylock', { ret: bit(spinTrylock(S1)), note: 'held' });
  spinUnlock(S1);
  const flags = spinTrylockIrqsave(S1);
  o.log('spin_trylock_irqsave', { ret: bit(flags !== undefined) });
  o.log('held');
  if (flags !== undefined) spinUnlockIrqrestore(S1, flags);
  o.log('unlocked');
}

function inHardirq(o: Oracle, S1: Spinlock): void {
  o.log('hardirq');
  spinLock(S1);
  o.log('hardirq spin_lock');
  spinUnlock(S1);
  const off = irqsDisabled();
  const flags = spinLockIrqsave(S1);
  o.log('hardirq spin_lock_irqsave');
  spinUnlockIrqrestore(S1, flags);
  o.log('hardirq after irqrestore');
  o.log('saved', { irqs_off: bit(off) });
}

function inTasklet(o: Oracle, S1: Spinlock): void {
  o.log('tasklet');
  spinLock(S1);
  o.log('tasklet spin_lock');
  spinUnlock(S1);
  spinLockBh(S1);
  o.log('tasklet spin_lock_bh');
  spinUnlockBh(S1);
  o.log('tasklet after spin_unlock_bh');
  const flags = spinLockIrqsave(S1);
  o.log('tasklet spin_lock_irqsave');
  spinUnlockIrqrestore(S1, flags);
  o.log('tasklet after irqrestore');
  spinLockIrq(S1);
  spinUnlockIrq(S1);
  o.log('tasklet after spin_unlock_irq');
}

export default function* (o: Oracle) {
  const [S1, S2, R] = [new Spinlock('S1'), new Spinlock('S2'), new Spinlock('R')];
  o.variant('task');
  yield* plainAndBh(o, S1, S2);
  yield* irq(o, S1, S2);
  yield* trying(o, S1, R);
  o.variant('hardirq');
  yield* o.hard(() => inHardirq(o, S1));
  o.variant('tasklet');
  taskletSchedule(new Tasklet(() => inTasklet(o, S1)));
  yield* o.sleep(10);
}
