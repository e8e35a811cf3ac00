// timer_list: timers in jiffies, in TIMER softirq context, on a wheel that rounds up (kernel/time/timer.c).
import { KernelError } from '../errno.js';
import type { LockMap } from '../locking/held.js';
import { cutsOff } from '../sched/atomic.js';
import { type Atomic, DONE, type Outcome, Request } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { inHardirq, thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { Tracepoint } from '../trace/ring.js';
import { jiffiesOf } from './jiffies.js';
import { acquireTimerMap, releaseTimerMap, touchTimerMap } from './timer-lock-map.js';
import type { TimerBase } from './timer-wheel.js';

/** It does not wake an idle CPU: it is late until the CPU has something to do, or another timer is due there. */
export const TIMER_DEFERRABLE = 0x0008_0000;
/** It stays on its CPU; in each TIMER softirq those come first (addTimerLocal and addTimerOn set it). */
export const TIMER_PINNED = 0x0010_0000;
/** The function is called with interrupts off, and may be waited for with interrupts off. */
export const TIMER_IRQSAFE = 0x0020_0000;

/** Softirq context; may not sleep. */
export type TimerFn = (timer: TimerList) => Atomic<void>;

/** What a list of timers begins with. */
export interface TimerLink {
  next: TimerList | undefined;
}

/** One timer (struct timer_list, as timer_setup makes it). Extend it to carry data, where C uses from_timer. */
export class TimerList implements TimerLink {
  readonly fn: TimerFn;
  /** TIMER_, or-ed. */
  flags: number;
  /** When it is due, in jiffies (32 bits). */
  expires = 0;
  next: TimerList | undefined;
  /** What points at it; undefined when it is not pending. */
  previous: TimerLink | undefined;
  /** Bucket of the wheel. */
  bucket = -1;
  /** Where it is pending or running, or was last. */
  base: TimerBase | undefined;
  /** Name of its function in the trace of that machine. */
  nameId = 0;
  /** For lockdep: see timer-lock-map.ts. */
  lockMap: LockMap | undefined;
  /** It cannot be armed any more (timer_shutdown). */
  shutdown = false;

  constructor(fn: TimerFn, flags = 0) {
    this.fn = fn;
    this.flags = flags;
  }

  get pending(): boolean {
    return this.previous !== undefined;
  }
}

/** Calls a timer's function, and puts right what it may have left wrong. For the wheel. */
export function callTimerFn(cpu: Cpu, timer: TimerList): Outcome {
  const irqSafe = (timer.flags & TIMER_IRQSAFE) !== 0;
  const count = cpu.preemptCount;
  if (irqSafe) cpu.irqsEnabled = false;
  acquireTimerMap(cpu, timer);
  cpu.trace(Tracepoint.timerExpireEntry, timer.expires | 0, 0, timer.nameId);
  let result: unknown;
  try {
    result = timer.fn(timer);
  } catch (error) {
    cpu.machine.oops(`timer function ${timer.fn.name}`, error);
  }
  return result === undefined ? conclude(cpu, timer, count) : goOn(cpu, timer, count, result);
}

/** Goes on with what the function has returned: behind a generator when that is done. */
function goOn(cpu: Cpu, timer: TimerList, count: number, result: unknown): Outcome {
  const where = `timer function ${timer.fn.name}`;
  if (!cutsOff(cpu, where, result)) return conclude(cpu, timer, count);
  return cpu.suspend(result, (value, thrown) => {
    if (thrown) cpu.machine.oops(where, value);
    return conclude(cpu, timer, count);
  });
}

function conclude(cpu: Cpu, timer: TimerList, count: number): Outcome {
  cpu.trace(Tracepoint.timerExpireExit, timer.expires | 0, 0, timer.nameId);
  releaseTimerMap(cpu, timer);
  cpu.irqsEnabled = true;
  if (cpu.preemptCount === count) return DONE;
  const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
  cpu.machine.warnOnce(
    'timer preempt leak',
    `timer: ${timer.fn.name} preempt leak: ${hex(count)} -> ${hex(cpu.preemptCount)}`,
    'call_timer_fn',
  );
  cpu.preemptCount = count;
  return DONE;
}

/** 64-bit jiffies of a 32-bit expiry, which is less than half the range away. */
function expires64(cpu: Cpu, expires: number): number {
  const now = jiffiesOf(cpu.machine);
  return now + ((expires - now) | 0);
}

function baseOf(cpu: Cpu, timer: TimerList): TimerBase {
  if ((timer.flags & (TIMER_DEFERRABLE | TIMER_PINNED)) === 0) return cpu.timers;
  if ((timer.flags & TIMER_DEFERRABLE) === 0) {
    cpu.pinnedTimers ??= cpu.timers.twin(false);
    return cpu.pinnedTimers;
  }
  cpu.deferrable ??= cpu.timers.twin(true);
  return cpu.deferrable;
}

function arm(timer: TimerList, expires: number, target: Cpu | undefined): 0 | 1 {
  const cpu = thisCpu();
  if (!Number.isFinite(expires))
    throw new KernelError('EINVAL', `timer ${timer.fn.name}: expires at ${expires} jiffies`);
  if (timer.shutdown) return 0;
  const value = expires >>> 0;
  const wasPending = timer.pending;
  if (wasPending && timer.expires === value && target === undefined) return 1;
  const at = expires64(cpu, value);
  if (wasPending && target === undefined && timer.base?.keepsPlace(timer, at) === true) {
    timer.expires = value;
    return 1;
  }
  if (wasPending) timer.base?.detach(timer);
  // A timer whose function is under way stays on its CPU, so that it never runs on two, unless a CPU was asked for.
  const running = target === undefined && timer.base?.running === timer ? timer.base : undefined;
  const base = running ?? baseOf(target ?? cpu, timer);
  timer.expires = value;
  base.add(timer, at);
  return wasPending ? 1 : 0;
}

/**
 * Arms a timer, or moves an armed one, to `expires` in jiffies (mod_timer). It runs behind the next tick: one armed for
 * now + n runs when jiffies is now + n + 1, long ones up to an eighth of their time later. Any context.
 *
 * @returns 1 when it was pending, else 0
 * @throws KernelError EINVAL when `expires` is no finite number
 */
export function modTimer(timer: TimerList, expires: number): 0 | 1 {
  return arm(timer, expires, undefined);
}

/** As {@link modTimer}, but leaves a timer alone that is not pending (mod_timer_pending). */
export function modTimerPending(timer: TimerList, expires: number): 0 | 1 {
  return timer.pending ? arm(timer, expires, undefined) : 0;
}

/** As {@link modTimer}, but never makes a pending timer later (timer_reduce). */
export function timerReduce(timer: TimerList, expires: number): 0 | 1 {
  if (timer.pending && ((expires - timer.expires) | 0) >= 0) return 1;
  return arm(timer, expires, undefined);
}

/** Arms a timer for its `expires` (add_timer). One that is pending stays as it is, with a warning. Any context. */
export function addTimer(timer: TimerList): void {
  if (!warnPending(timer, 'add_timer')) arm(timer, timer.expires, undefined);
}

/** As {@link addTimer}, on this CPU for good: sets TIMER_PINNED (add_timer_local). */
export function addTimerLocal(timer: TimerList): void {
  if (warnPending(timer, 'add_timer_local')) return;
  timer.flags |= TIMER_PINNED;
  arm(timer, timer.expires, undefined);
}

/** As {@link addTimer}, and takes TIMER_PINNED away (add_timer_global). */
export function addTimerGlobal(timer: TimerList): void {
  if (warnPending(timer, 'add_timer_global')) return;
  timer.flags &= ~TIMER_PINNED;
  arm(timer, timer.expires, undefined);
}

/**
 * As {@link addTimer}, on the given CPU for good: sets TIMER_PINNED (add_timer_on).
 *
 * @throws KernelError EINVAL for a CPU that the machine has not got
 */
export function addTimerOn(timer: TimerList, cpuId: number): void {
  const target = thisCpu().machine.cpus[cpuId];
  if (target === undefined) throw new KernelError('EINVAL', `add_timer_on: no CPU ${cpuId}`);
  if (warnPending(timer, 'add_timer_on')) return;
  timer.flags |= TIMER_PINNED;
  arm(timer, timer.expires, target);
}

function warnPending(timer: TimerList, what: string): boolean {
  if (timer.pending) thisCpu().machine.warnOnce(what, '', what);
  return timer.pending;
}

/** True while it is armed and its function has not been called (timer_pending). */
export function timerPending(timer: TimerList): boolean {
  return timer.pending;
}

/** Disarms a timer; 1 when it was pending. Its function may be under way (timer_delete, formerly del_timer). Any context. */
export function timerDelete(timer: TimerList): 0 | 1 {
  if (!timer.pending) return 0;
  timer.base?.detach(timer);
  return 1;
}

/** As {@link timerDelete}; the timer can never be armed again. Its function may be under way (timer_shutdown). Any context. */
export function timerShutdown(timer: TimerList): 0 | 1 {
  timer.shutdown = true;
  return timerDelete(timer);
}

/** As {@link timerDelete}, or -1 without doing anything while its function is under way (try_to_del_timer_sync). */
export function tryToDelTimerSync(timer: TimerList): -1 | 0 | 1 {
  return timer.base?.running === timer ? -1 : timerDelete(timer);
}

/**
 * Disarms a timer and spins until its function has ended, if that is under way on another CPU (timer_delete_sync,
 * formerly del_timer_sync). Not from the timer's own function, which would wait for itself; in a hard interrupt, which
 * could wait for a function that it has interrupted, it warns, but of TIMER_IRQSAFE.
 */
export const timerDeleteSync = effect(function* timerDeleteSync(timer: TimerList) {
  touchTimerMap(timer);
  if (inHardirq() && (timer.flags & TIMER_IRQSAFE) === 0) thisCpu().machine.warn('', '__timer_delete_sync');
  for (;;) {
    const result = tryToDelTimerSync(timer);
    if (result >= 0) return result as 0 | 1;
    timer.base?.addSpinner(thisCpu());
    yield Request.spin;
  }
});

/** As {@link timerDeleteSync}; the timer can never be armed again (timer_shutdown_sync). */
export const timerShutdownSync = effect(function* timerShutdownSync(timer: TimerList) {
  timer.shutdown = true;
  return yield* timerDeleteSync(timer);
});
