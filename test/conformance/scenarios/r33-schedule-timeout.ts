// How long the sleeping calls sleep, in jiffies, and what they return when woken early.
import {
  current,
  jiffiesToMsecs,
  jiffiesToUsecs,
  MAX_JIFFY_OFFSET,
  msecsToJiffies,
  msleepInterruptible,
  nsecsToJiffies,
  schedule,
  scheduleTimeout,
  scheduleTimeoutIdle,
  scheduleTimeoutInterruptible,
  scheduleTimeoutUninterruptible,
  setCurrentState,
  TASK_UNINTERRUPTIBLE,
  usecsToJiffies,
  wakeUpProcess,
} from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';
import { ret, timed } from './_helpers.js';

function* values(o: Oracle) {
  o.variant('values');
  yield* timed(o, 'uninterruptible 3', scheduleTimeoutUninterruptible(3));
  yield* timed(o, 'interruptible 0', scheduleTimeoutInterruptible(0));
  yield* timed(o, '1', scheduleTimeoutIdle(1));
  ret(o, 'negative', yield* scheduleTimeoutInterruptible(-1));
  ret(o, 'state', current().state);
  for (const ms of [1, 4, 5, 0]) {
    yield* o.base();
    yield* o.sleep(ms);
    ret(o, `msleep ${ms}`, o.j());
  }
  yield* timed(o, 'msleep_interruptible 9', msleepInterruptible(9));
  yield* timed(o, 'running', scheduleTimeout(2));
}

function* woken(o: Oracle) {
  o.variant('woken');
  const sleeper = current();
  const waker = function* () {
    yield* o.thread('waker', function* () {
      yield* o.sleep(8);
      ret(o, 'wake_up_process', wakeUpProcess(sleeper));
    });
  };
  yield* waker();
  yield* timed(o, 'interruptible 10', scheduleTimeoutInterruptible(10));
  ret(o, 'wake running', wakeUpProcess(sleeper));
  yield* o.base();
  yield* waker();
  yield* o.sleep(40);
  ret(o, 'msleep 40 woken', o.j());
  yield* o.base();
  yield* waker();
  setCurrentState(TASK_UNINTERRUPTIBLE);
  yield* schedule();
  ret(o, 'schedule', o.j());
}

export default function* (o: Oracle) {
  yield* values(o);
  yield* woken(o);
  o.variant('jiffies');
  ret(o, 'usecs 1', usecsToJiffies(1));
  ret(o, 'usecs 4001', usecsToJiffies(4001));
  ret(o, 'nsecs', nsecsToJiffies(7_999_999));
  ret(o, 'msecs -1', msecsToJiffies(-1) === MAX_JIFFY_OFFSET);
  ret(o, 'to msecs', jiffiesToMsecs(7));
  ret(o, 'to usecs', jiffiesToUsecs(7));
}
