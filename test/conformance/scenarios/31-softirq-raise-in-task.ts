// raise_softirq in a task: with bottom halves off they run when these are enabled, else in ksoftirqd.
import {
  __raiseSoftirqIrqoff,
  BLOCK_SOFTIRQ,
  localBhDisable,
  localIrqDisable,
  localIrqSave,
  openSoftirq,
  preemptDisable,
  raiseSoftirq,
  raiseSoftirqIrqoff,
  Spinlock,
  spinLockBh,
  spinUnlockBh,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

function* bhDisabled(o: Oracle) {
  o.variant('bh-disabled');
  localBhDisable();
  o.log('raise');
  raiseSoftirq(BLOCK_SOFTIRQ);
  o.log('after_raise');
  yield* o.localBhEnable();
  o.log('after_bh_enable');
  yield* o.sleep(10);
  o.variant('bh-disabled-nested');
  localBhDisable();
  localBhDisable();
  raiseSoftirq(BLOCK_SOFTIRQ);
  o.log('after_raise');
  yield* o.localBhEnable();
  o.log('after_inner_bh_enable');
  yield* o.localBhEnable();
  o.log('after_outer_bh_enable');
  yield* o.sleep(10);
}

function* bhEnabled(o: Oracle) {
  o.variant('bh-enabled-plain-task');
  o.log('raise');
  raiseSoftirq(BLOCK_SOFTIRQ);
  yield* o.point();
  o.log('after_raise');
  yield* o.sleep(10);
  o.log('after_sleep');
  o.variant('bh-enabled-preempt-disabled');
  preemptDisable();
  o.log('raise');
  raiseSoftirq(BLOCK_SOFTIRQ);
  yield* o.point();
  o.log('after_raise');
  yield* o.preemptEnable();
  o.log('after_preempt_enable');
  yield* o.sleep(10);
  o.log('after_sleep');
  o.variant('irqs-off');
  const flags = localIrqSave();
  o.log('raise');
  raiseSoftirqIrqoff(BLOCK_SOFTIRQ);
  o.log('after_raise');
  yield* o.localIrqRestore(flags);
  o.log('after_irq_restore');
  yield* o.sleep(10);
  o.log('after_sleep');
}

function* markOnly(o: Oracle) {
  localIrqDisable();
  __raiseSoftirqIrqoff(BLOCK_SOFTIRQ);
  o.log('after___raise');
  yield* o.localIrqEnable();
}

function* withoutWakeup(o: Oracle) {
  o.variant('__raise_softirq_irqoff-no-wakeup-then-hardirq');
  preemptDisable();
  yield* markOnly(o);
  o.log('before_hardirq');
  yield* o.hard(() => o.log('hardirq.nothing'));
  o.log('after_hardirq');
  yield* o.preemptEnable();
  yield* o.sleep(10);
  o.variant('__raise_softirq_irqoff-then-bh-pair');
  preemptDisable();
  yield* markOnly(o);
  localBhDisable();
  o.log('in_bh_disabled');
  yield* o.localBhEnable();
  o.log('after_bh_enable');
  yield* o.preemptEnable();
  yield* o.sleep(10);
}

function* others(o: Oracle) {
  o.variant('hardirq-raises-while-task-has-bh-disabled');
  localBhDisable();
  yield* o.hard(() => {
    o.log('hardirq.raise');
    raiseSoftirq(BLOCK_SOFTIRQ);
  });
  o.log('after_hardirq');
  yield* o.localBhEnable();
  o.log('after_bh_enable');
  o.variant('bh-disable+irqs-off,_local_bh_enable');
  const flags = localIrqSave();
  localBhDisable();
  raiseSoftirqIrqoff(BLOCK_SOFTIRQ);
  o.log('after_raise');
  yield* o.localIrqRestore(flags);
  o.log('after_irq_restore');
  yield* o.localBhEnable();
  o.log('after_bh_enable');
  o.variant('raise-twice-runs-once');
  yield* o.withBhOff(() => {
    raiseSoftirq(BLOCK_SOFTIRQ);
    raiseSoftirq(BLOCK_SOFTIRQ);
  });
  yield* o.sleep(10);
}

export default function* (o: Oracle) {
  openSoftirq(BLOCK_SOFTIRQ, () => o.log('softirq', { vec: 'BLOCK' }));
  yield* bhDisabled(o);
  yield* bhEnabled(o);
  yield* withoutWakeup(o);
  yield* others(o);
  o.variant('spin_lock_bh');
  const lock = new Spinlock('S1');
  yield* spinLockBh(lock);
  raiseSoftirq(BLOCK_SOFTIRQ);
  o.log('locked');
  spinUnlockBh(lock);
  yield* o.point();
  o.log('unlocked');
}
