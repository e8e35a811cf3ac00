// Signals end the waits that can be interrupted, or only the fatal one does.
import {
  allowSignal,
  Completion,
  type Coroutine,
  completeAll,
  current,
  downInterruptible,
  fatalSignalPending,
  flushSignals,
  Mutex,
  msleepInterruptible,
  mutexIsLocked,
  mutexLock,
  mutexLockInterruptible,
  mutexLockKillable,
  mutexUnlock,
  reinitCompletion,
  Semaphore,
  SIGKILL,
  SIGUSR1,
  scheduleTimeoutInterruptible,
  sendSig,
  signalPending,
  up,
  WaitQueueHead,
  waitEventInterruptible,
  waitEventKillable,
  waitForCompletionInterruptible,
  waitForCompletionInterruptibleTimeout,
  waitForCompletionKillable,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret } from './_helpers.js';

/** What they wait for. */
class Things {
  readonly q = new WaitQueueHead();
  readonly m = new Mutex('m');
  readonly sem = new Semaphore(0);
  readonly comp = new Completion();
}

function waits({ q, m, sem, comp }: Things): { readonly [t: string]: () => Coroutine<number> } {
  return {
    w1: () => waitEventInterruptible(q, () => false),
    w2: () => waitEventKillable(q, () => false),
    w3: () => waitForCompletionInterruptible(comp),
    w4: () => mutexLockInterruptible(m),
    w5: () => downInterruptible(sem),
    w6: () => mutexLockKillable(m),
    w7: () => waitForCompletionKillable(comp),
    w8: () => waitForCompletionInterruptibleTimeout(comp, 1000),
    *w9() {
      return Number((yield* msleepInterruptible(1000)) > 500);
    },
  };
}

function* waiter(o: Oracle, { m }: Things, t: string, wait: () => Coroutine<number>): Coroutine<void> {
  allowSignal(SIGUSR1);
  allowSignal(SIGKILL);
  o.log('begin', { t });
  o.log('end', { t, ret: yield* wait(), pending: Number(signalPending()), fatal: Number(fatalSignalPending()) });
  flushSignals();
  ret(o, 'flushed', signalPending());
  if (t !== 'w4') return;
  const locked = yield* mutexLockInterruptible(m);
  o.log('locked', { ret: locked });
  if (locked === 0) mutexUnlock(m);
}

function* pendingBefore(o: Oracle, { q, m, sem, comp }: Things) {
  o.variant('signal pending before');
  allowSignal(SIGUSR1);
  sendSig(SIGUSR1, current());
  ret(o, 'pending', signalPending());
  ret(o, 'mutex', yield* mutexLockInterruptible(m));
  mutexUnlock(m);
  ret(o, 'completion', yield* waitForCompletionInterruptible(comp));
  ret(o, 'down', yield* downInterruptible(sem));
  ret(o, 'event true', yield* waitEventInterruptible(q, () => true));
  ret(o, 'event false', yield* waitEventInterruptible(q, () => false));
  ret(o, 'timeout', yield* scheduleTimeoutInterruptible(5));
  ret(o, 'msleep', (yield* msleepInterruptible(20)) >= 16);
  reinitCompletion(comp);
  ret(o, 'completion', yield* waitForCompletionInterruptible(comp));
  ret(o, 'completion timeout', yield* waitForCompletionInterruptibleTimeout(comp, 5));
  ret(o, 'down', yield* downInterruptible(sem));
  flushSignals();
  ret(o, 'pending', signalPending());
}

export default function* (o: Oracle) {
  const things = new Things();
  const { m, sem, comp } = things;
  yield* mutexLock(m);
  for (const [t, wait] of Object.entries(waits(things))) {
    const task = yield* o.thread(t, () => waiter(o, things, t, wait));
    o.log('started');
    for (const [log, sig] of [['usr1', SIGUSR1] as const, ['kill', SIGKILL] as const]) {
      sendSig(sig, task);
      yield* o.point();
      o.log(log);
      yield* o.sleep(2);
    }
  }
  ret(o, 'is_locked', mutexIsLocked(m));
  mutexUnlock(m);
  yield* o.sleep(4);
  ret(o, 'is_locked', mutexIsLocked(m));
  completeAll(comp);
  up(sem);
  yield* o.sleep(4);
  yield* pendingBefore(o, things);
}
