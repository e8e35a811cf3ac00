// The storm guard: a line that interrupts too often is disabled for a while, so that the others keep their latency.
// Linux has none of its own; this one does what its spurious detection does, and enables the line again.
import { KernelError } from '../errno.js';
import { thisCpu } from '../sched/current.js';
import { HRTIMER_MODE_REL_HARD, HRTIMER_NORESTART, Hrtimer, hrtimerStart } from '../time/hrtimer.js';
import { __IRQF_TIMER, IRQ_NESTED_THREAD, IRQ_PER_CPU } from './flags.js';
import type { IrqDesc } from './irqdesc.js';
import { __disableIrq, __enableIrq } from './manage.js';

const NSEC_PER_SEC = 1_000_000_000;
const NSEC_PER_MSEC = 1_000_000;
/** The least default window, and the interrupts that one has time for. */
const LEAST_WINDOW_NS = 100 * NSEC_PER_MSEC;
const WINDOW_INTERRUPTS = 10;
const DEFAULT_BACKOFF_NS = 100 * NSEC_PER_MSEC;
/** The longest back-off, in first ones, unless it was chosen. */
const DEFAULT_GROWTH = 64;
/** Interrupts that may have been kept while a line was disabled: one by its flow, one by its chip. They are free. */
const KEPT = 2;
/** {@link IrqDesc.stormBudget} of a line without a guard: refilled once in a billion interrupts. */
export const UNGUARDED = 0x3fff_ffff;

/** How much a line may interrupt, and what happens when it does more. */
export interface StormLimits {
  /** Interrupts a second, on the average over {@link windowNs}. */
  readonly ratePerSec: number;
  /**
   * Default 100 ms, or the time of ten interrupts if that is longer. A storm is noticed after at most twice the interrupts
   * that a window may have.
   */
  readonly windowNs?: number;
  /** How long the line is disabled first; each further time of the same storm twice as long. Default 100 ms. */
  readonly backoffNs?: number;
  /** The longest; default 64 times {@link backoffNs}. */
  readonly maxBackoffNs?: number;
}

/** What the guard of a line has seen. */
export interface StormState {
  /** The line is disabled by the guard now. */
  readonly throttled: boolean;
  /** Storms: times that the line was disabled without having been, one window before. */
  readonly storms: number;
  /** Times that it was disabled. */
  readonly throttles: number;
  /** For how long in all, in ns. */
  readonly throttledNs: number;
  /** Length of the last back-off, in ns; 0 when no storm is going on. */
  readonly backoffNs: number;
  /** Edges that came while it was disabled and were merged into the one that is kept, as far as the chip lets them through. */
  readonly merged: number;
}

/** Told of storms, once each: further back-offs are counted only. Called in hard interrupt context, so short, and without waiting. */
export interface StormListener {
  began(limits: Required<StormLimits>): void;
  /** @param state counts of this storm alone */
  ended(state: StormState): void;
}

/** Limits with all defaults filled in. `EINVAL` for a rate or a time that is none. */
export function checkStormLimits(limits: StormLimits): Required<StormLimits> {
  if (typeof limits !== 'object') {
    throw new KernelError('EINVAL', `storm guard: limits ${limits}`, {
      hint: 'such as { ratePerSec: 10_000 }; null for none',
    });
  }
  const { ratePerSec, backoffNs = DEFAULT_BACKOFF_NS } = limits;
  const { windowNs = Math.max(LEAST_WINDOW_NS, (WINDOW_INTERRUPTS * NSEC_PER_SEC) / ratePerSec) } = limits;
  const { maxBackoffNs = backoffNs * DEFAULT_GROWTH } = limits;
  const all = { ratePerSec, windowNs, backoffNs, maxBackoffNs };
  for (const [name, value] of Object.entries(all)) {
    if (!(value > 0 && Number.isFinite(value))) {
      throw new KernelError('EINVAL', `storm guard: ${name} ${value} is not a number above 0`);
    }
  }
  if (ratePerSec * windowNs < NSEC_PER_SEC) {
    throw new KernelError(
      'EINVAL',
      `storm guard: windowNs ${windowNs} is too short for ${ratePerSec} interrupts a second`,
    );
  }
  if (maxBackoffNs < backoffNs) throw new KernelError('EINVAL', 'storm guard: maxBackoffNs is less than backoffNs');
  return all;
}

/** The guard of one line. The line counts down; the guard is asked only when its budget is used up. */
export class StormGuard {
  readonly #desc: IrqDesc;
  readonly #limits: Required<StormLimits>;
  readonly #listener: StormListener;
  /** Interrupts that a window may have. */
  readonly #budget: number;
  readonly #backoffTimer = new Hrtimer(() => this.#tryAgain(), HRTIMER_MODE_REL_HARD);
  readonly #quietTimer = new Hrtimer(() => this.#quiet(), HRTIMER_MODE_REL_HARD);
  #windowBeganNs = 0;
  #throttled = false;
  #throttledSinceNs = 0;
  #storms = 0;
  #throttles = 0;
  #throttledNs = 0;
  #backoffNs = 0;
  #merged = 0;
  /** {@link IrqDesc.coalesced} when the line was disabled last. */
  #coalescedBefore = 0;
  /** As the storm that is going on began. */
  #before: StormState;

  constructor(desc: IrqDesc, limits: Required<StormLimits>, listener: StormListener | undefined) {
    this.#desc = desc;
    this.#limits = limits;
    this.#listener = listener ?? logListener(desc);
    this.#budget = Math.min(Math.round((limits.ratePerSec * limits.windowNs) / NSEC_PER_SEC), UNGUARDED - KEPT);
    this.#beginWindow(desc.machine.clock.now(), KEPT);
    this.#before = this.state;
  }

  get state(): StormState {
    return {
      throttled: this.#throttled,
      storms: this.#storms,
      throttles: this.#throttles,
      throttledNs: this.#throttledNs,
      backoffNs: this.#backoffNs,
      merged: this.#merged + (this.#throttled ? this.#desc.coalesced - this.#coalescedBefore : 0),
    };
  }

  /** The line has used its budget up: either the window is long over, or this is a storm. */
  exhausted(): void {
    const now = this.#desc.machine.clock.now();
    const elapsed = now - this.#windowBeganNs;
    this.#beginWindow(now, 0);
    if (elapsed < this.#limits.windowNs && !this.#throttled && mayBeThrottled(this.#desc)) this.#throttle();
  }

  /** The line is not to be enabled any more: it has lost its last action, or its guard. */
  release(): void {
    if (this.#throttled) this.#endThrottle(this.#desc.machine.clock.now() - this.#throttledSinceNs);
    this.#backoffNs = 0;
    this.#stopTimers();
  }

  #stopTimers(): void {
    this.#backoffTimer.base?.remove(this.#backoffTimer);
    this.#quietTimer.base?.remove(this.#quietTimer);
  }

  /** `free` interrupts do not count against the line. */
  #beginWindow(now: number, free: number): void {
    this.#windowBeganNs = now;
    this.#desc.stormBudget = this.#budget + free;
  }

  #throttle(): void {
    const { backoffNs, maxBackoffNs } = this.#limits;
    this.#stopTimers();
    if (this.#backoffNs === 0) {
      this.#before = this.state;
      this.#storms++;
      this.#backoffNs = backoffNs;
      this.#listener.began(this.#limits);
    } else {
      this.#backoffNs = Math.min(this.#backoffNs * 2, maxBackoffNs);
    }
    this.#throttled = true;
    this.#throttles++;
    this.#throttledSinceNs = this.#windowBeganNs;
    this.#coalescedBefore = this.#desc.coalesced;
    __disableIrq(this.#desc);
    hrtimerStart(this.#backoffTimer, this.#backoffNs, HRTIMER_MODE_REL_HARD);
  }

  #endThrottle(lengthNs: number): void {
    this.#merged += this.#desc.coalesced - this.#coalescedBefore;
    this.#throttledNs += lengthNs;
    this.#throttled = false;
  }

  /** The back-off is over: the line may show whether the storm is. */
  #tryAgain(): typeof HRTIMER_NORESTART {
    const desc = this.#desc;
    const now = desc.machine.clock.now();
    this.#endThrottle(now - this.#throttledSinceNs);
    this.#beginWindow(now, KEPT);
    hrtimerStart(this.#quietTimer, this.#limits.windowNs, HRTIMER_MODE_REL_HARD);
    // Somebody may have enabled it meanwhile, though nobody had to.
    if (desc.depth > 0) __enableIrq(desc);
    return HRTIMER_NORESTART;
  }

  /** A whole window without having to disable the line again. */
  #quiet(): typeof HRTIMER_NORESTART {
    const { throttles, throttledNs, merged } = this.#before;
    this.#backoffNs = 0;
    this.#listener.ended({
      ...this.state,
      throttles: this.#throttles - throttles,
      throttledNs: this.#throttledNs - throttledNs,
      merged: this.#merged - merged,
    });
    return HRTIMER_NORESTART;
  }
}

/** Tells the kernel log. */
function logListener({ irq, machine }: IrqDesc): StormListener {
  return {
    began({ ratePerSec, backoffNs }) {
      const rate = `more than ${ratePerSec} interrupts a second`;
      machine.printk(
        'warning',
        `irq ${irq}: storm: ${rate}; disabled for ${milliseconds(backoffNs)}, then tried again`,
      );
    },
    ended({ throttles, throttledNs }) {
      const times = `disabled ${throttles} time${throttles === 1 ? '' : 's'}, ${milliseconds(throttledNs)} in all`;
      machine.printk('notice', `irq ${irq}: storm is over: ${times}`);
    },
  };
}

/** Per-CPU interrupts, the timer's, and those behind a chip that sleeps, whose parent's line is guarded, are left alone. */
function mayBeThrottled(desc: IrqDesc): boolean {
  if ((desc.settings & (IRQ_PER_CPU | IRQ_NESTED_THREAD)) !== 0) return false;
  return desc.actions.every(({ flags }) => (flags & __IRQF_TIMER) === 0);
}

function milliseconds(ns: number): string {
  return `${Math.round(ns / 10_000) / 100} ms`;
}

/** Called when the budget of a line is used up. Hard interrupt context. */
export function stormBudgetExhausted(desc: IrqDesc): void {
  if (desc.storm === undefined) desc.stormBudget = UNGUARDED;
  else desc.storm.exhausted();
}

/** Guards a line by other limits than before, or, with null, not at all. Lets a line go that is disabled by its guard. */
export function setStormGuard(desc: IrqDesc, limits: StormLimits | null, listener?: StormListener): void {
  const checked = limits === null ? undefined : checkStormLimits(limits);
  const throttled = desc.storm?.state.throttled === true;
  desc.storm?.release();
  desc.storm = checked === undefined ? undefined : new StormGuard(desc, checked, listener);
  if (desc.storm === undefined) desc.stormBudget = UNGUARDED;
  if (throttled && desc.depth > 0) __enableIrq(desc);
}

/**
 * Sets how much a line may interrupt; null for as much as it likes. New lines have {@link MachineOptions.stormGuard}. Any
 * context of the model.
 *
 * @param listener told of storms, in place of the kernel log
 * @throws KernelError EINVAL (unknown irq, a rate or time that is none)
 */
export function irqSetStormGuard(irq: number, limits: StormLimits | null, listener?: StormListener): void {
  setStormGuard(thisCpu().machine.irqs.get(irq), limits, listener);
}

/** What the guard of a line has seen; `undefined` for a line without. Any context of the model. `EINVAL` for an unknown irq. */
export function irqStormState(irq: number): StormState | undefined {
  return thisCpu().machine.irqs.get(irq).storm?.state;
}
