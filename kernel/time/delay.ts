// Delays: busy ones for any context, sleeping ones for process context (include/linux/delay.h).
import { KernelError } from '../errno.js';
import { Request } from '../sched/coroutine.js';
import { inInterrupt, thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { TASK_UNINTERRUPTIBLE } from '../sched/task.js';
import { HRTIMER_MODE_ABS } from './hrtimer.js';
import { jiffiesToMsecs, msecsToJiffies } from './jiffies.js';
import { scheduleHrtimeoutRange, scheduleTimeoutInterruptible, scheduleTimeoutUninterruptible } from './timeout.js';

const NS_PER_US = 1_000;
const NS_PER_MS = 1_000_000;
const MS_PER_S = 1_000;

function positive(value: number, what: string): number {
  if (!(value >= 0 && Number.isFinite(value)))
    throw new KernelError('EINVAL', `${what}(${value}): not a length of time`);
  return value;
}

/** Keeps the CPU busy for `ns`; interrupts come in if they are enabled, and their time counts towards the delay. Any context. */
export const ndelay = effect(function* ndelay(ns: number) {
  const cpu = thisCpu();
  cpu.setBusy(cpu.machine.clock.now() + positive(ns, 'ndelay'));
  if (!inInterrupt()) cpu.softirqs.keepTick();
  yield Request.busy;
});

/** As {@link ndelay}, in microseconds. */
export const udelay = effect(function* udelay(us: number) {
  yield* ndelay(positive(us, 'udelay') * NS_PER_US);
});

/** As {@link ndelay}, in milliseconds. Sleep with {@link msleep} instead wherever sleeping is allowed. */
export const mdelay = effect(function* mdelay(ms: number) {
  yield* ndelay(positive(ms, 'mdelay') * NS_PER_MS);
});

/**
 * Sleeps for at least `ms` milliseconds, in jiffies: rounded up, and to the tick after that. With HZ 250 `msleep(1)` takes
 * 4 to 8 ms; {@link usleepRange} is exact. Process context.
 */
export const msleep = effect(function* msleep(ms: number) {
  let timeout = msecsToJiffies(positive(ms, 'msleep'));
  while (timeout > 0) timeout = yield* scheduleTimeoutUninterruptible(timeout);
});

/** As {@link msleep}, in seconds. */
export const ssleep = effect(function* ssleep(seconds: number) {
  yield* msleep(positive(seconds, 'ssleep') * MS_PER_S);
});

/** As {@link msleep}, but a signal ends it; returns the milliseconds that were left (msleep_interruptible). */
export const msleepInterruptible = effect(function* msleepInterruptible(ms: number) {
  const task = thisCpu().current;
  let timeout = msecsToJiffies(positive(ms, 'msleep_interruptible'));
  while (timeout > 0 && task.pendingSignals === 0) timeout = yield* scheduleTimeoutInterruptible(timeout);
  return jiffiesToMsecs(timeout);
});

/**
 * Sleeps for `min` to `max` microseconds (usleep_range): `max`, unless its CPU handles a timer earlier, from `min` on.
 * Process context.
 */
export const usleepRange = effect(function* usleepRange(min: number, max: number) {
  if (max < min) throw new KernelError('EINVAL', `usleep_range(${min}, ${max}): max is less than min`);
  const task = thisCpu().current;
  const range = (max - min) * NS_PER_US;
  const due = thisCpu().machine.clock.now() + positive(min, 'usleep_range') * NS_PER_US;
  do {
    task.state = TASK_UNINTERRUPTIBLE;
  } while ((yield* scheduleHrtimeoutRange(due, range, HRTIMER_MODE_ABS)) !== 0);
});

/** Sleeps for exactly `ns`, which no function of the kernel promises: `schedule_hrtimeout` until the time is over. Process context. */
export const nsleep = effect(function* nsleep(ns: number) {
  const { current: task, machine } = thisCpu();
  const due = machine.clock.now() + positive(ns, 'nsleep');
  do {
    task.state = TASK_UNINTERRUPTIBLE;
  } while ((yield* scheduleHrtimeoutRange(due, 0, HRTIMER_MODE_ABS)) !== 0);
});

/** Waits for `us` microseconds in the way that suits the time: busy up to 10, then {@link usleepRange}, from 20 ms on {@link msleep} (fsleep). Process context. */
export const fsleep = effect(function* fsleep(us: number) {
  if (us <= 10) yield* udelay(us);
  else if (us <= 20_000) yield* usleepRange(us, 2 * us);
  else yield* msleep(Math.ceil(us / MS_PER_S));
});
