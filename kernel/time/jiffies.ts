// jiffies: the count of ticks, its wrap-around, and conversions with the kernel's rounding (include/linux/jiffies.h).
import { KernelError } from '../errno.js';
import type { Machine } from '../machine.js';
import { thisCpu } from '../sched/current.js';

/** Ticks a second that a machine can have (CONFIG_HZ). */
export type Hz = 100 | 250 | 1000;
export const DEFAULT_HZ: Hz = 250;

const NSEC_PER_SEC = 1_000_000_000;
const USEC_PER_SEC = 1_000_000;
const MSEC_PER_SEC = 1_000;

/** The longest relative time in jiffies that makes sense, with 32-bit longs. */
export const MAX_JIFFY_OFFSET = 0x3fff_fffe;
/** As a time-out: wait for ever (LONG_MAX). */
export const MAX_SCHEDULE_TIMEOUT = 0x7fff_ffff;

export function checkHz(hz: number): Hz {
  if (hz === 100 || hz === 250 || hz === 1000) return hz;
  throw new KernelError('EINVAL', `HZ is 100, 250 or 1000, not ${hz}`);
}

/** jiffies at the start of the machine: five minutes before the 32-bit counter wraps. */
export function initialJiffies(hz: number): number {
  return (-300 * hz) >>> 0;
}

/** Counts ticks: many ask for them at one instant, and the division would be the dearest part of their answer. */
export class TickCount {
  readonly #bootNs: number;
  readonly #tickNs: number;
  #atNs = Number.NaN;
  #ticks = 0;

  constructor(bootNs: number, tickNs: number) {
    this.#bootNs = bootNs;
    this.#tickNs = tickNs;
  }

  /** Whole ticks from the start to a time. */
  at(ns: number): number {
    if (ns !== this.#atNs) {
      this.#atNs = ns;
      this.#ticks = Math.floor((ns - this.#bootNs) / this.#tickNs);
    }
    return this.#ticks;
  }
}

/** Ticks since the start of a machine, which never wraps. */
export function ticksOf(machine: Machine): number {
  return machine.ticks.at(machine.clock.now());
}

/** jiffies_64 of a machine. The ticks are counted, not taken: no tick interrupts a CPU that has nothing to do. */
export function jiffiesOf(machine: Machine): number {
  return initialJiffies(machine.hz) + ticksOf(machine);
}

/** As {@link jiffiesOf} at the last look at the clock: for bounds that are ticks long, behind a record or an account. */
export function jiffiesLately(machine: Machine): number {
  return initialJiffies(machine.hz) + machine.ticks.at(machine.clock.lastNs);
}

/** The tick counter: 32 bits, unsigned, wrapping five minutes after the start. Compare with {@link timeAfter}. */
export function jiffies(): number {
  return jiffiesOf(thisCpu().machine) >>> 0;
}

/** The tick counter that does not wrap (get_jiffies_64). */
export function getJiffies64(): number {
  return jiffiesOf(thisCpu().machine);
}

/** Ticks a second of the running machine (HZ). */
export function HZ(): Hz {
  return thisCpu().machine.hz;
}

/** True when `a` is later than `b`, across the wrap, for times less than half the range apart (time_after). */
export function timeAfter(a: number, b: number): boolean {
  return ((b - a) | 0) < 0;
}

export function timeBefore(a: number, b: number): boolean {
  return timeAfter(b, a);
}

export function timeAfterEq(a: number, b: number): boolean {
  return ((a - b) | 0) >= 0;
}

export function timeBeforeEq(a: number, b: number): boolean {
  return timeAfterEq(b, a);
}

/** `a` lies in `[b, c]`. */
export function timeInRange(a: number, b: number, c: number): boolean {
  return timeAfterEq(a, b) && timeBeforeEq(a, c);
}

/** `a` lies in `[b, c)`. */
export function timeInRangeOpen(a: number, b: number, c: number): boolean {
  return timeAfterEq(a, b) && timeBefore(a, c);
}

/** Rounds up; a negative number of milliseconds is for ever (msecs_to_jiffies). */
export function msecsToJiffies(ms: number, hz: number = HZ()): number {
  if ((ms | 0) < 0) return MAX_JIFFY_OFFSET;
  return Math.ceil(ms / (MSEC_PER_SEC / hz));
}

/** Rounds up (usecs_to_jiffies). */
export function usecsToJiffies(us: number, hz: number = HZ()): number {
  return Math.min(Math.ceil(us / (USEC_PER_SEC / hz)), MAX_JIFFY_OFFSET);
}

/** Rounds down (nsecs_to_jiffies). */
export function nsecsToJiffies(ns: number, hz: number = HZ()): number {
  return Math.floor(ns / (NSEC_PER_SEC / hz));
}

/** 32 bits, unsigned, as in the kernel (jiffies_to_msecs). */
export function jiffiesToMsecs(j: number, hz: number = HZ()): number {
  return (j * (MSEC_PER_SEC / hz)) >>> 0;
}

/** 32 bits, unsigned (jiffies_to_usecs). */
export function jiffiesToUsecs(j: number, hz: number = HZ()): number {
  return (j * (USEC_PER_SEC / hz)) >>> 0;
}

export function jiffiesToNsecs(j: number, hz: number = HZ()): number {
  return j * (NSEC_PER_SEC / hz);
}

/** Each CPU rounds to another tick than the next one does, so that they do not all have their timers at once. */
const CPU_SKEW = 3;

/** To a whole second, unless that is past: down from less than a quarter behind it, else up (round_jiffies_common). */
function rounded(j: number, up: boolean): number {
  const { id, machine } = thisCpu();
  const { hz } = machine;
  const skew = id * CPU_SKEW;
  const skewed = (j + skew) >>> 0;
  const rest = skewed % hz;
  const whole = (skewed - rest + (rest < Math.trunc(hz / 4) && !up ? 0 : hz) - skew) >>> 0;
  return timeAfter(whole, jiffies()) ? whole : j >>> 0;
}

/**
 * Rounds a time in jiffies to about a whole second, up or down, for timers that need not be exact: they run together, and the
 * CPU sleeps in between (round_jiffies). What would be past by that stays as it is. Any context.
 */
export function roundJiffies(j: number): number {
  return rounded(j, false);
}

/** As {@link roundJiffies}, for a delay from now in jiffies (round_jiffies_relative). */
export function roundJiffiesRelative(delay: number): number {
  const now = jiffies();
  return (rounded(delay + now, false) - now) | 0;
}

/** As {@link roundJiffies}, never down (round_jiffies_up). */
export function roundJiffiesUp(j: number): number {
  return rounded(j, true);
}

/** As {@link roundJiffiesRelative}, never down (round_jiffies_up_relative). */
export function roundJiffiesUpRelative(delay: number): number {
  const now = jiffies();
  return (rounded(delay + now, true) - now) | 0;
}
