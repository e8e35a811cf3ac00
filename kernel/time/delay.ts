// Delays: busy ones for any context, sleeping ones for process context (include/linux/delay.h).
import { KernelError } from '../errno.js';
import { mightSleep } from '../sched/core.js';
import { Request } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { TASK_UNINTERRUPTIBLE } from '../sched/task.js';
import { wakeUpProcess } from '../sched/wakeup.js';

const NS_PER_US = 1_000;
const NS_PER_MS = 1_000_000;

function positive(value: number, what: string): number {
  if (!(value >= 0 && Number.isFinite(value)))
    throw new KernelError('EINVAL', `${what}(${value}): not a length of time`);
  return value;
}

/** Keeps the CPU busy for `ns`; interrupts come in if they are enabled, and their time counts towards the delay. Any context. */
export const ndelay = effect(function* ndelay(ns: number) {
  const cpu = thisCpu();
  cpu.setBusy(cpu.machine.clock.now() + positive(ns, 'ndelay'));
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

/** Sleeps for `ns`, uninterruptibly. Process context. */
export const nsleep = effect(function* nsleep(ns: number) {
  mightSleep('nsleep');
  const { clock } = thisCpu().machine;
  const task = thisCpu().current;
  const due = clock.now() + positive(ns, 'nsleep');
  const timer = thisCpu().hrtimers.create(() => wakeUpProcess(task));
  timer.schedule(due);
  while (clock.now() < due) {
    task.state = TASK_UNINTERRUPTIBLE;
    yield Request.schedule;
  }
  timer.cancel();
});

/** Sleeps for at least `ms` milliseconds. Process context. */
export const msleep = effect(function* msleep(ms: number) {
  yield* nsleep(positive(ms, 'msleep') * NS_PER_MS);
});

/** Sleeps for `min` to `max` microseconds; the model takes `min`. Process context. */
export const usleepRange = effect(function* usleepRange(min: number, max: number) {
  if (max < min) throw new KernelError('EINVAL', `usleep_range(${min}, ${max}): max is less than min`);
  yield* nsleep(positive(min, 'usleepRange') * NS_PER_US);
});
