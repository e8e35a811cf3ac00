// High-resolution timers: exact deadlines, first in first out when equal, in hard interrupt or softirq context (kernel/time/hrtimer.c).
import { KernelError } from '../errno.js';
import { cutsOff } from '../sched/atomic.js';
import { type Atomic, DONE, type Outcome, Request, SUSPENDED } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { LocalVector } from '../sched/local-interrupts.js';
import { SpinnerSet } from '../sched/spinner-set.js';
import { HRTIMER_SOFTIRQ } from '../softirq/softirq.js';
import { Tracepoint } from '../trace/ring.js';
import type { Alarm } from './clock.js';
import { type Deadline, DeadlineHeap } from './deadline-heap.js';

export const HRTIMER_NORESTART = 0;
export const HRTIMER_RESTART = 1;

/** Modes (include/linux/hrtimer.h): absolute or relative, and called in the interrupt or in HRTIMER softirq. */
export const HRTIMER_MODE_ABS = 0x00;
export const HRTIMER_MODE_REL = 0x01;
/** It stays on the CPU where it is started, as all do here. */
export const HRTIMER_MODE_PINNED = 0x02;
export const HRTIMER_MODE_SOFT = 0x04;
export const HRTIMER_MODE_HARD = 0x08;
export const HRTIMER_MODE_ABS_PINNED: number = HRTIMER_MODE_ABS | HRTIMER_MODE_PINNED;
export const HRTIMER_MODE_REL_PINNED: number = HRTIMER_MODE_REL | HRTIMER_MODE_PINNED;
export const HRTIMER_MODE_ABS_SOFT: number = HRTIMER_MODE_ABS | HRTIMER_MODE_SOFT;
export const HRTIMER_MODE_REL_SOFT: number = HRTIMER_MODE_REL | HRTIMER_MODE_SOFT;
export const HRTIMER_MODE_ABS_HARD: number = HRTIMER_MODE_ABS | HRTIMER_MODE_HARD;
export const HRTIMER_MODE_REL_HARD: number = HRTIMER_MODE_REL | HRTIMER_MODE_HARD;

/** Called when the timer is due; HRTIMER_RESTART queues it again, at the time that the function moved it to. */
export type HrtimerFn = (timer: Hrtimer) => Atomic<number>;

/** One timer (struct hrtimer). Set up once, started as often as needed. */
export class Hrtimer implements Deadline {
  readonly fn: HrtimerFn;
  readonly soft: boolean;
  /** Latest time at which it should be called, in ns of the machine's clock. */
  dueNs = 0;
  /** Earliest time: it is called then if the CPU handles timers anyway. */
  softNs = 0;
  order = 0;
  index = -1;
  /** Where it is queued or running, or was last. */
  base: HrtimerBase | undefined;
  /** Name of its function in the trace of that machine. */
  nameId = 0;

  /** `mode` decides the context of `fn`; whether times are relative is said when it is started. */
  constructor(fn: HrtimerFn, mode: number = HRTIMER_MODE_REL) {
    this.fn = fn;
    this.soft = (mode & HRTIMER_MODE_SOFT) !== 0;
  }
}

/** The timers of one CPU, and the clock event device that interrupts for the first of them. */
export class HrtimerBase {
  readonly #cpu: Cpu;
  readonly #hard = new DeadlineHeap<Hrtimer>();
  readonly #soft = new DeadlineHeap<Hrtimer>();
  #device: Alarm;
  readonly #spinners: SpinnerSet;
  /** Timers whose functions are under way, hard and soft. */
  #runningHard: Hrtimer | undefined;
  #runningSoft: Hrtimer | undefined;
  #softRaised = false;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
    this.#spinners = new SpinnerSet(cpu);
    this.#device = cpu.machine.clock.createAlarm(() => cpu.raiseLocal(LocalVector.timer));
  }

  /**
   * Takes another clock event device in place of the CPU's own, which is exact (clockevents_register_device). It calls
   * {@link interrupt} in the interrupt that it makes, and may do so early or for nothing.
   */
  setDevice(device: Alarm): void {
    this.#device.cancel();
    this.#device = device;
    this.#program();
  }

  start(timer: Hrtimer, softNs: number, rangeNs: number): void {
    if (timer.base === this) {
      this.remove(timer);
    } else {
      timer.base?.remove(timer);
      timer.base = this;
      timer.nameId = this.#cpu.machine.trace.intern(timer.fn.name);
    }
    timer.softNs = softNs;
    this.#enqueue(timer, softNs + rangeNs);
  }

  /** True when it was queued. */
  remove(timer: Hrtimer): boolean {
    if (timer.index < 0) return false;
    const heap = this.#heapOf(timer);
    const first = heap.first === timer;
    heap.remove(timer);
    if (first) this.#program();
    return true;
  }

  isRunning(timer: Hrtimer): boolean {
    return this.#runningHard === timer || this.#runningSoft === timer;
  }

  /** The caller spins ({@link Request.spin}) until the function that is under way here has ended. */
  addSpinner(cpu: Cpu): void {
    this.#spinners.add(cpu, 'hrtimerTryToCancel() does not wait');
  }

  /** The timer interrupt: raises HRTIMER softirq if one of the soft timers is due, and calls the hard ones that are. */
  interrupt(): Outcome {
    const now = this.#cpu.machine.clock.now();
    const soft = this.#soft.first;
    if (!this.#softRaised && soft !== undefined && soft.dueNs <= now) {
      this.#softRaised = true;
      this.#cpu.softirqs.raise(HRTIMER_SOFTIRQ);
    }
    return this.#run(this.#hard, now);
  }

  /** HRTIMER softirq. */
  runSoft(): Outcome {
    return this.#run(this.#soft, this.#cpu.machine.clock.now());
  }

  #run(heap: DeadlineHeap<Hrtimer>, now: number): Outcome {
    for (let timer = heap.first; timer !== undefined && timer.softNs <= now; timer = heap.first) {
      if (this.#call(heap, timer) === SUSPENDED) return this.#cpu.defer(() => this.#run(heap, now));
      if (this.#hostWaits(heap, timer)) break;
    }
    if (heap === this.#soft) this.#softRaised = false;
    this.#program();
    return DONE;
  }

  /** As {@link Machine.hostWaits}; a timer that starts itself again and again for a time that is past is taken out first. */
  #hostWaits(heap: DeadlineHeap<Hrtimer>, timer: Hrtimer): boolean {
    try {
      return this.#cpu.machine.hostWaits();
    } catch (error) {
      heap.remove(timer);
      this.#program();
      throw error;
    }
  }

  #call(heap: DeadlineHeap<Hrtimer>, timer: Hrtimer): Outcome {
    const cpu = this.#cpu;
    heap.remove(timer);
    this.#setRunning(heap, timer);
    cpu.trace(Tracepoint.hrtimerExpireEntry, timer.soft ? 1 : 0, 0, timer.nameId);
    let result: unknown = HRTIMER_NORESTART;
    try {
      result = timer.fn(timer);
    } catch (error) {
      cpu.machine.oops('hrtimer function', error);
    }
    if (typeof result !== 'number' && cutsOff(cpu, 'hrtimer function', result)) {
      return cpu.suspend(result, (value, thrown) => {
        if (thrown) cpu.machine.oops('hrtimer function', value);
        return this.#finish(heap, timer, thrown ? HRTIMER_NORESTART : value);
      });
    }
    return this.#finish(heap, timer, result);
  }

  #finish(heap: DeadlineHeap<Hrtimer>, timer: Hrtimer, result: unknown): Outcome {
    this.#cpu.trace(Tracepoint.hrtimerExpireExit, timer.soft ? 1 : 0, 0, timer.nameId);
    if (result === HRTIMER_RESTART && timer.index < 0) heap.put(timer, timer.dueNs);
    this.#setRunning(heap, undefined);
    this.#spinners.release();
    return DONE;
  }

  #setRunning(heap: DeadlineHeap<Hrtimer>, timer: Hrtimer | undefined): void {
    if (heap === this.#hard) this.#runningHard = timer;
    else this.#runningSoft = timer;
  }

  #heapOf(timer: Hrtimer): DeadlineHeap<Hrtimer> {
    return timer.soft ? this.#soft : this.#hard;
  }

  #enqueue(timer: Hrtimer, dueNs: number): void {
    if (this.#heapOf(timer).put(timer, dueNs)) this.#program();
  }

  #program(): void {
    const hard = this.#hard.first?.dueNs ?? Number.POSITIVE_INFINITY;
    const soft = this.#softRaised ? Number.POSITIVE_INFINITY : (this.#soft.first?.dueNs ?? Number.POSITIVE_INFINITY);
    const due = Math.min(hard, soft);
    if (due === Number.POSITIVE_INFINITY) this.#device.cancel();
    else if (!this.#device.scheduled || this.#device.dueNs !== due) this.#device.schedule(due);
  }
}

function checked(ns: number, what: string): number {
  if (Number.isFinite(ns)) return ns;
  throw new KernelError('EINVAL', `${what}: ${ns} ns is not a time`);
}

/** CLOCK_MONOTONIC in ns: the machine's clock (ktime_get). Any context. */
export function ktimeGet(): number {
  return thisCpu().machine.clock.now();
}

/**
 * Starts a timer, or moves a started one, to be called between `ns` and `ns + rangeNs` (hrtimer_start_range_ns). Any
 * context. It goes to this CPU; one whose function is under way elsewhere stays there, so that it never runs on two.
 *
 * @param ns since the clock's origin, or from now with HRTIMER_MODE_REL
 * @param mode HRTIMER_MODE_SOFT in it must be as the timer was made; else it warns, and the timer keeps its context
 * @throws KernelError EINVAL for what is no time, or a negative range
 */
export function hrtimerStartRangeNs(timer: Hrtimer, ns: number, rangeNs: number, mode: number): void {
  const cpu = thisCpu();
  const start = checked(ns, 'hrtimer_start') + ((mode & HRTIMER_MODE_REL) === 0 ? 0 : cpu.machine.clock.now());
  if (checked(rangeNs, 'hrtimer_start') < 0) throw new KernelError('EINVAL', `hrtimer_start: a range of ${rangeNs} ns`);
  if (((mode & HRTIMER_MODE_SOFT) !== 0) !== timer.soft) {
    cpu.machine.warnOnce('hrtimer_start_range_ns', '', 'hrtimer_start_range_ns');
  }
  const base = timer.base?.isRunning(timer) === true ? timer.base : cpu.hrtimers;
  base.start(timer, Math.max(0, start), rangeNs);
}

/** Starts a timer for exactly `ns` (hrtimer_start). As {@link hrtimerStartRangeNs}. */
export function hrtimerStart(timer: Hrtimer, ns: number, mode: number): void {
  hrtimerStartRangeNs(timer, ns, 0, mode);
}

/** Starts a timer for the time that it has: that of {@link hrtimerSetExpires}, or as it was cancelled (hrtimer_start_expires). */
export function hrtimerStartExpires(timer: Hrtimer, mode: number): void {
  hrtimerStartRangeNs(timer, timer.softNs, timer.dueNs - timer.softNs, mode);
}

/** As {@link hrtimerStartExpires}, the time being absolute (hrtimer_restart). */
export function hrtimerRestart(timer: Hrtimer): void {
  hrtimerStartExpires(timer, HRTIMER_MODE_ABS | (timer.soft ? HRTIMER_MODE_SOFT : 0));
}

/**
 * Gives a timer that is not queued its time, in ns of the machine's clock (hrtimer_set_expires): for
 * {@link hrtimerStartExpires}, or in its function, which then returns HRTIMER_RESTART.
 *
 * @throws KernelError EINVAL for what is no time; EBUSY while the timer is queued
 */
export function hrtimerSetExpires(timer: Hrtimer, ns: number): void {
  if (timer.index >= 0) throw new KernelError('EBUSY', 'hrtimer_set_expires: the timer is queued');
  timer.dueNs = checked(ns, 'hrtimer_set_expires');
  timer.softNs = ns;
}

/** Latest time at which it is, or was, to be called, in ns of the machine's clock (hrtimer_get_expires). */
export function hrtimerGetExpires(timer: Hrtimer): number {
  return timer.dueNs;
}

/** Earliest time (hrtimer_get_softexpires). As {@link hrtimerGetExpires}. */
export function hrtimerGetSoftexpires(timer: Hrtimer): number {
  return timer.softNs;
}

/** Waits for its time (hrtimer_is_queued). */
export function hrtimerIsQueued(timer: Hrtimer): boolean {
  return timer.index >= 0;
}

/** Its function is under way (hrtimer_callback_running). */
export function hrtimerCallbackRunning(timer: Hrtimer): boolean {
  return timer.base?.isRunning(timer) === true;
}

/** Queued, or its function is under way (hrtimer_active). */
export function hrtimerActive(timer: Hrtimer): boolean {
  return hrtimerIsQueued(timer) || hrtimerCallbackRunning(timer);
}

/** 1 when it was queued and is not any more, 0 when it was not, -1 when its function is under way (hrtimer_try_to_cancel). */
export function hrtimerTryToCancel(timer: Hrtimer): -1 | 0 | 1 {
  if (hrtimerCallbackRunning(timer)) return -1;
  return timer.base?.remove(timer) === true ? 1 : 0;
}

/** Cancels a timer, spinning while its function is under way on another CPU; 1 when it was queued (hrtimer_cancel). */
export const hrtimerCancel = effect(function* hrtimerCancel(timer: Hrtimer) {
  for (;;) {
    const result = hrtimerTryToCancel(timer);
    if (result >= 0) return result as 0 | 1;
    timer.base?.addSpinner(thisCpu());
    yield Request.spin;
  }
});

/** Moves a timer on past `now` by whole intervals; returns how many. Of one that is queued it warns (hrtimer_forward). */
export function hrtimerForward(timer: Hrtimer, now: number, intervalNs: number): number {
  if (now < timer.dueNs) return 0;
  if (timer.index >= 0) {
    thisCpu().machine.warn('', 'hrtimer_forward');
    return 0;
  }
  const step = Math.max(1, checked(intervalNs, 'hrtimer_forward'));
  const overruns = Math.floor((now - timer.dueNs) / step) + 1;
  timer.dueNs += overruns * step;
  timer.softNs += overruns * step;
  return overruns;
}

/** As {@link hrtimerForward}, past the present (hrtimer_forward_now). */
export function hrtimerForwardNow(timer: Hrtimer, intervalNs: number): number {
  return hrtimerForward(timer, ktimeGet(), intervalNs);
}

/** Ns until it is due, negative when that is past (hrtimer_get_remaining). */
export function hrtimerGetRemaining(timer: Hrtimer): number {
  return timer.dueNs - ktimeGet();
}
