// NAPI: the first packet interrupts, and what follows is polled until there is no more (include/linux/netdevice.h, net/core/dev.c).
import { KernelError } from '../errno.js';
import { ListHead, listDelInit } from '../lib/list.js';
import { mightSleep } from '../sched/core.js';
import type { Atomic } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { kthreadStop } from '../sched/kthread.js';
import type { Task } from '../sched/task.js';
import { assertIrqsDisabled } from '../softirq/softirq.js';
import { msleep, usleepRange } from '../time/delay.js';
import {
  HRTIMER_MODE_REL,
  HRTIMER_NORESTART,
  Hrtimer,
  type HrtimerFn,
  hrtimerCancel,
  hrtimerStart,
} from '../time/hrtimer.js';
import { type NetDevice, netdevPrintk } from './device.js';
import { napiThread } from './napi-thread.js';

/** Bits of {@link NapiStruct.state}, as numbers (include/linux/netdevice.h). */
export const NAPI_STATE_SCHED = 0;
export const NAPI_STATE_MISSED = 1;
export const NAPI_STATE_DISABLE = 2;
export const NAPI_STATE_NPSVC = 3;
export const NAPI_STATE_LISTED = 4;
export const NAPI_STATE_THREADED = 8;
export const NAPI_STATE_SCHED_THREADED = 9;

export const NAPIF_STATE_SCHED: number = 1 << NAPI_STATE_SCHED;
export const NAPIF_STATE_MISSED: number = 1 << NAPI_STATE_MISSED;
export const NAPIF_STATE_DISABLE: number = 1 << NAPI_STATE_DISABLE;
export const NAPIF_STATE_NPSVC: number = 1 << NAPI_STATE_NPSVC;
export const NAPIF_STATE_LISTED: number = 1 << NAPI_STATE_LISTED;
export const NAPIF_STATE_THREADED: number = 1 << NAPI_STATE_THREADED;
export const NAPIF_STATE_SCHED_THREADED: number = 1 << NAPI_STATE_SCHED_THREADED;

/** Packets that an instance may handle in one poll, unless it was added with another weight. */
export const NAPI_POLL_WEIGHT = 64;

/**
 * Handles up to `budget` packets and returns how many it has. Having less than that it must have called
 * {@link napiCompleteDone}, or nobody polls it again; having them all it must not. Softirq context, or process context with
 * bottom halves disabled in a thread of its own; may not sleep.
 */
export type NapiPollFn = (napi: NapiStruct, budget: number) => Atomic<number>;

const watchdog = (napi: NapiStruct): HrtimerFn => {
  return () => {
    if ((napi.state & (NAPIF_STATE_DISABLE | NAPIF_STATE_SCHED)) === 0) {
      napi.state |= NAPIF_STATE_SCHED;
      thisCpu().machine.net.schedule(napi);
    }
    return HRTIMER_NORESTART;
  };
};

/**
 * A source of packets that is polled (struct napi_struct). Extend it to carry data, where C uses container_of.
 *
 * ```ts
 * const napi = new NapiStruct();
 * netifNapiAdd(dev, napi, (self, budget) => {
 *   const done = receive(budget);
 *   if (done < budget && napiCompleteDone(self, done)) enableRxInterrupt();
 *   return done;
 * });
 * napiEnable(napi);
 * const handler = () => {
 *   disableRxInterrupt();
 *   napiSchedule(napi);
 *   return IRQ_HANDLED;
 * };
 * ```
 */
export class NapiStruct {
  /** NAPIF_STATE bits. */
  state = 0;
  weight = 0;
  poll: NapiPollFn = () => 0;
  dev: NetDevice | undefined;
  /** Number of its own on the machine, from when it is added. */
  napiId = 0;
  /** CPU on whose list it waits, or waited last; -1 for none. */
  listOwner = -1;
  /** The thread that polls it when its device is threaded. */
  thread: Task | undefined;
  /** Times that it is still polled by a timer. */
  deferHardIrqsCount = 0;
  readonly pollList: ListHead<NapiStruct> = new ListHead<NapiStruct>(this);
  readonly timer: Hrtimer = new Hrtimer(watchdog(this), HRTIMER_MODE_REL);
}

/** As {@link netifNapiAddWeight}, with {@link NAPI_POLL_WEIGHT} (netif_napi_add). */
export function netifNapiAdd(dev: NetDevice, napi: NapiStruct, poll: NapiPollFn): void {
  netifNapiAddWeight(dev, napi, poll, NAPI_POLL_WEIGHT);
}

/**
 * Adds an instance to a device, disabled: {@link napiEnable} lets it be scheduled (netif_napi_add_weight). One that was
 * added already is left alone, with a warning; a weight over 64 is reported. Process context.
 */
export function netifNapiAddWeight(dev: NetDevice, napi: NapiStruct, poll: NapiPollFn, weight: number): void {
  const { machine } = thisCpu();
  if ((napi.state & NAPIF_STATE_LISTED) !== 0) {
    machine.warn('', 'netif_napi_add_weight');
    return;
  }
  if (weight > NAPI_POLL_WEIGHT && machine.net.firstTime('weight')) {
    netdevPrintk(machine, dev, 'err', `netif_napi_add_weight() called with weight ${weight}`);
  }
  napi.poll = poll;
  napi.weight = weight;
  napi.dev = dev;
  napi.listOwner = -1;
  napi.state |= NAPIF_STATE_LISTED | NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC;
  dev.napiList.unshift(napi);
  napi.napiId = machine.net.nextNapiId();
  if (dev.threaded) napi.thread = napiThread(machine, napi);
}

/** Takes a disabled instance from its device, and ends its thread (netif_napi_del). Process context. */
export const netifNapiDel = effect(function* netifNapiDel(napi: NapiStruct) {
  mightSleep('netif_napi_del');
  if ((napi.state & NAPIF_STATE_LISTED) === 0) return;
  napi.state &= ~NAPIF_STATE_LISTED;
  const list = napi.dev?.napiList ?? [];
  list.splice(list.indexOf(napi), 1);
  const { thread } = napi;
  napi.thread = undefined;
  if (thread !== undefined) yield* kthreadStop(thread);
});

/**
 * Lets an instance be scheduled (napi_enable). It is not scheduled by that, even if it was meanwhile; but what was missed
 * is polled for once more when it is. Any context.
 *
 * @throws KernelError EINVAL when it is enabled already, where the kernel stops with a BUG
 */
export function napiEnable(napi: NapiStruct): void {
  if ((napi.state & NAPIF_STATE_SCHED) === 0) {
    throw new KernelError(
      'EINVAL',
      `napi_enable: ${napi.dev?.name ?? 'an instance without a device'} is enabled already`,
    );
  }
  napi.state &= ~(NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC);
  if (napi.dev?.threaded === true && napi.thread !== undefined) napi.state |= NAPIF_STATE_THREADED;
}

/**
 * Keeps an instance from being scheduled, and waits until it has been polled to its end (napi_disable). A second call
 * without {@link napiEnable} waits for ever. Process context.
 */
export const napiDisable = effect(function* napiDisable(napi: NapiStruct) {
  mightSleep('napi_disable');
  napi.state |= NAPIF_STATE_DISABLE;
  while ((napi.state & (NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC)) !== 0) yield* usleepRange(20, 200);
  napi.state |= NAPIF_STATE_SCHED | NAPIF_STATE_NPSVC;
  napi.state &= ~NAPIF_STATE_THREADED;
  yield* hrtimerCancel(napi.timer);
  napi.state &= ~NAPIF_STATE_DISABLE;
});

/** Waits until an instance is not scheduled any more, which it may become again at once (napi_synchronize). Process context. */
export const napiSynchronize = effect(function* napiSynchronize(napi: NapiStruct) {
  while ((napi.state & NAPIF_STATE_SCHED) !== 0) yield* msleep(1);
});

/** True when an instance is scheduled, being polled, or disabled (napi_is_scheduled). Any context. */
export function napiIsScheduled(napi: NapiStruct): boolean {
  return (napi.state & NAPIF_STATE_SCHED) !== 0;
}

/** An instance is about to be disabled (napi_disable_pending). Any context. */
export function napiDisablePending(napi: NapiStruct): boolean {
  return (napi.state & NAPIF_STATE_DISABLE) !== 0;
}

/**
 * Claims an instance for {@link __napiSchedule}; false when it is claimed already, and then it will be polled once more, or
 * when it is about to be disabled (napi_schedule_prep). Any context.
 */
export function napiSchedulePrep(napi: NapiStruct): boolean {
  const { state } = napi;
  if ((state & NAPIF_STATE_DISABLE) !== 0) return false;
  const scheduled = (state & NAPIF_STATE_SCHED) !== 0;
  napi.state = state | NAPIF_STATE_SCHED | (scheduled ? NAPIF_STATE_MISSED : 0);
  return !scheduled;
}

/** Has an instance that {@link napiSchedulePrep} has claimed polled on this CPU, or by its thread (__napi_schedule). Any context. */
export function __napiSchedule(napi: NapiStruct): void {
  thisCpu().machine.net.schedule(napi);
}

/** As {@link __napiSchedule}, where interrupts are off already (__napi_schedule_irqoff); where they are not, lockdep warns. */
export function __napiScheduleIrqoff(napi: NapiStruct): void {
  assertIrqsDisabled(thisCpu(), '____napi_schedule');
  __napiSchedule(napi);
}

/** Has an instance polled, unless it is going to be; false then, and while it is disabled (napi_schedule). Any context. */
export function napiSchedule(napi: NapiStruct): boolean {
  if (!napiSchedulePrep(napi)) return false;
  __napiSchedule(napi);
  return true;
}

/** As {@link napiSchedule}, where interrupts are off already: in a hard handler (napi_schedule_irqoff). */
export function napiScheduleIrqoff(napi: NapiStruct): void {
  if (napiSchedulePrep(napi)) __napiScheduleIrqoff(napi);
}

/**
 * Has an instance that is scheduled polled once more; true when it is, or is about to be disabled
 * (napi_if_scheduled_mark_missed). Any context.
 */
export function napiIfScheduledMarkMissed(napi: NapiStruct): boolean {
  if ((napi.state & NAPIF_STATE_DISABLE) !== 0) return true;
  if ((napi.state & NAPIF_STATE_SCHED) === 0) return false;
  napi.state |= NAPIF_STATE_MISSED;
  return true;
}

/**
 * Ends the polling of an instance that has handled `workDone` packets, less than its budget (napi_complete_done). Called by
 * its poll function.
 *
 * @returns false when the device should not interrupt yet: it was scheduled meanwhile and is polled again, it is disabled,
 * or a timer will poll it
 */
export function napiCompleteDone(napi: NapiStruct, workDone: number): boolean {
  if ((napi.state & NAPIF_STATE_NPSVC) !== 0) return false;
  const timeoutNs = deferral(napi, workDone);
  listDelInit(napi.pollList);
  napi.listOwner = -1;
  const { state } = napi;
  if ((state & NAPIF_STATE_SCHED) === 0) thisCpu().machine.warnOnce('napi not SCHED', '', 'napi_complete_done');
  napi.state = state & ~(NAPIF_STATE_MISSED | NAPIF_STATE_SCHED | NAPIF_STATE_SCHED_THREADED);
  if ((state & NAPIF_STATE_MISSED) !== 0) {
    napi.state |= NAPIF_STATE_SCHED;
    __napiSchedule(napi);
    return false;
  }
  if (timeoutNs > 0) hrtimerStart(napi.timer, timeoutNs, HRTIMER_MODE_REL);
  return timeoutNs === 0;
}

/** Ns after which a timer polls, in place of an interrupt; 0 for not at all. */
function deferral(napi: NapiStruct, workDone: number): number {
  const { dev } = napi;
  if (dev === undefined) return 0;
  if (workDone > 0) napi.deferHardIrqsCount = dev.napiDeferHardIrqs;
  if (napi.deferHardIrqsCount === 0) return 0;
  napi.deferHardIrqsCount--;
  return dev.groFlushTimeoutNs;
}

/** As {@link napiCompleteDone}, having found nothing (napi_complete). */
export function napiComplete(napi: NapiStruct): boolean {
  return napiCompleteDone(napi, 0);
}

/**
 * Has the instances of a device polled by threads `napi/DEVICE-ID` of their own, SCHED_NORMAL, or in NET_RX softirq again
 * (dev_set_threaded). One that is being polled changes over when it is scheduled next. Process context.
 */
export function devSetThreaded(dev: NetDevice, threaded: boolean): void {
  if (dev.threaded === threaded) return;
  const { machine } = thisCpu();
  if (threaded) for (const napi of dev.napiList) napi.thread ??= napiThread(machine, napi);
  dev.threaded = threaded;
  for (const napi of dev.napiList) {
    if (threaded) napi.state |= NAPIF_STATE_THREADED;
    else napi.state &= ~NAPIF_STATE_THREADED;
  }
}
