// preempt_count and the interrupt flag in every kind of context.
import {
  flushWork,
  freeIrq,
  getCpu,
  HRTIMER_MODE_REL,
  HRTIMER_MODE_REL_SOFT,
  HRTIMER_NORESTART,
  Hrtimer,
  hrtimerStart,
  IRQ_WAKE_THREAD,
  jiffies,
  localBhDisable,
  localIrqDisable,
  localIrqSave,
  Mutex,
  modTimer,
  mutexLock,
  mutexUnlock,
  preemptDisable,
  putCpu,
  queueWork,
  Rwlock,
  readLock,
  readUnlock,
  Spinlock,
  spinLock,
  spinLockBh,
  spinLockIrq,
  spinLockIrqsave,
  spinUnlock,
  spinUnlockBh,
  spinUnlockIrq,
  spinUnlockIrqrestore,
  Tasklet,
  TIMER_IRQSAFE,
  TimerList,
  taskletHiSchedule,
  taskletSchedule,
  Work,
  writeLockBh,
  writeUnlockBh,
} from '../../../kernel/index.js';
import type { Line, Oracle } from '../vocabulary.js';

const NS_PER_MS = 1_000_000;

function* softirqs(o: Oracle) {
  taskletSchedule(new Tasklet(() => o.log('tasklet')));
  yield* o.sleep(10);
  taskletHiSchedule(new Tasklet(() => o.log('tasklet_hi')));
  yield* o.sleep(10);
}

function* timers(o: Oracle) {
  for (const [name, flags] of [
    ['timer', 0],
    ['timer_irqsafe', TIMER_IRQSAFE],
  ] as const) {
    modTimer(new TimerList(() => o.log(name), flags), jiffies() + 1);
    yield* o.sleep(20);
  }
  for (const [name, mode] of [
    ['hrtimer_hard', HRTIMER_MODE_REL],
    ['hrtimer_soft', HRTIMER_MODE_REL_SOFT],
  ] as const) {
    const fn = () => {
      o.log(name);
      return HRTIMER_NORESTART;
    };
    hrtimerStart(new Hrtimer(fn, mode), NS_PER_MS, mode);
    yield* o.sleep(20);
  }
}

function* interrupt(o: Oracle, A: Line) {
  const d = o.device('A', IRQ_WAKE_THREAD);
  yield* o.request(A, { handler: d.handler, thread: d.thread, name: 'ctx', dev: d });
  yield* o.pulse(A);
  yield* o.sleep(10);
  yield* freeIrq(A.irq, d);
}

function* works(o: Oracle) {
  const { systemWq, systemHighpriWq, systemUnboundWq, systemBhWq, systemBhHighpriWq } = o.machine.workqueues;
  for (const [name, wq] of [
    ['work_normal', systemWq],
    ['work_highpri', systemHighpriWq],
    ['work_unbound', systemUnboundWq],
    ['work_bh', systemBhWq],
    ['work_bh_highpri', systemBhHighpriWq],
  ] as const) {
    const work = new Work(() => o.log(name));
    queueWork(wq, work);
    yield* flushWork(work);
  }
}

function* spinlocks(o: Oracle) {
  const lock = new Spinlock('S1');
  yield* spinLock(lock);
  o.log('task_spin_lock');
  spinUnlock(lock);
  yield* spinLockBh(lock);
  o.log('task_spin_lock_bh');
  spinUnlockBh(lock);
  yield* spinLockIrq(lock);
  o.log('task_spin_lock_irq');
  spinUnlockIrq(lock);
  const flags = yield* spinLockIrqsave(lock);
  o.log('task_spin_lock_irqsave');
  spinUnlockIrqrestore(lock, flags);
}

function* otherLocks(o: Oracle) {
  const rwlock = new Rwlock('RW');
  yield* readLock(rwlock);
  o.log('task_read_lock');
  readUnlock(rwlock);
  yield* writeLockBh(rwlock);
  o.log('task_write_lock_bh');
  writeUnlockBh(rwlock);
  // rcu_read_lock() of preemptible RCU changes nothing that is seen here, and the model needs no RCU.
  o.log('task_rcu_read_lock');
  const mutex = new Mutex('MA');
  yield* mutexLock(mutex);
  o.log('task_mutex_lock');
  mutexUnlock(mutex);
}

function* tasks(o: Oracle) {
  localBhDisable();
  o.log('task_bh_disabled');
  localBhDisable();
  o.log('task_bh_disabled_twice');
  yield* o.localBhEnable();
  yield* o.localBhEnable();
  preemptDisable();
  o.log('task_preempt_disabled');
  yield* o.preemptEnable();
  yield* spinlocks(o);
  yield* otherLocks(o);
  localIrqDisable();
  o.log('task_irqs_off');
  yield* o.localIrqEnable();
  const flags = localIrqSave();
  localBhDisable();
  o.log('task_irqs_off_bh_off');
  yield* o.localIrqRestore(flags);
  yield* o.localBhEnable();
  getCpu();
  o.log('task_get_cpu');
  putCpu();
}

export default function* (o: Oracle) {
  const A = o.line('A', 'edge');
  o.log('task');
  yield* o.hard(() => o.log('hardirq'));
  yield* softirqs(o);
  yield* timers(o);
  yield* interrupt(o, A);
  yield* works(o);
  yield* tasks(o);
  o.log('task_end');
}
