// Bottom halves off, nested, with interrupts that raise softirqs, in a task and in a tasklet.
import {
  _localBhEnable,
  inAtomic,
  inInterrupt,
  inServingSoftirq,
  inSoftirq,
  localBhDisable,
  localBhEnable,
  localIrqDisable,
  localSoftirqPending,
  preemptDisable,
  Spinlock,
  spinLockBh,
  spinUnlockBh,
  taskletSchedule,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ActingTasklet, interruptThatSchedules } from './_helpers.js';

function inContext(o: Oracle, at: string): void {
  o.log('in', {
    at,
    interrupt: Number(inInterrupt()),
    softirq: Number(inSoftirq()),
    serving: Number(inServingSoftirq()),
    atomic: Number(inAtomic()),
    pending: localSoftirqPending(),
  });
}

function* inTask(o: Oracle, interrupt: () => void) {
  o.variant('task');
  inContext(o, 'task');
  localBhDisable();
  inContext(o, 'once');
  localBhDisable();
  yield* o.hard(interrupt);
  inContext(o, 'twice');
  localBhEnable();
  inContext(o, 'inner enabled');
  yield* o.localBhEnable();
  o.log('enabled');
  o.variant('spin_lock_bh and preempt off');
  const lock = new Spinlock('s');
  yield* spinLockBh(lock);
  yield* o.hard(interrupt);
  inContext(o, 'locked');
  spinUnlockBh(lock);
  yield* o.point();
  o.log('unlocked');
  preemptDisable();
  localBhDisable();
  yield* o.hard(interrupt);
  yield* o.localBhEnable();
  o.log('bh on, preemption off');
  yield* o.preemptEnable();
}

export default function* (o: Oracle) {
  const a = new ActingTasklet(o, 'a');
  const b = new ActingTasklet(o, 'b');
  const interrupt = interruptThatSchedules(o, a);
  yield* inTask(o, interrupt);
  o.variant('in a tasklet');
  b.act = function* (run) {
    inContext(o, 'tasklet');
    localBhDisable();
    inContext(o, 'tasklet bh off');
    if (run === 1) taskletSchedule(b);
    yield* o.localBhEnable();
    o.log('tasklet bh on');
    yield* o.hard(interrupt);
  };
  localBhDisable();
  taskletSchedule(b);
  yield* o.localBhEnable();
  yield* o.sleep(5);
  o.variant('_local_bh_enable');
  localBhDisable();
  taskletSchedule(a);
  localIrqDisable();
  _localBhEnable();
  yield* o.localIrqEnable();
  inContext(o, 'no softirq ran');
  yield* o.sleep(5);
}
