// The timer wheel of one CPU: levels of 64 buckets, each level eight times coarser than the one below (kernel/time/timer.c).
import { KernelError } from '../errno.js';
import { DONE, type Outcome, SUSPENDED } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { SpinnerSet } from '../sched/spinner-set.js';
import { TIMER_SOFTIRQ } from '../softirq/softirq.js';
import { HRTIMER_MODE_ABS_HARD, HRTIMER_NORESTART, Hrtimer } from './hrtimer.js';
import { initialJiffies, jiffiesOf, ticksOf } from './jiffies.js';
import { callTimerFn, type TimerLink, type TimerList } from './timer.js';

const LEVEL_SIZE = 64;
const LEVEL_FACTOR = 8;

const MAX_LEVELS = 9;
/** Jiffies that one bucket of a level stands for. */
const GRAIN = Float64Array.from({ length: MAX_LEVELS }, (_, level) => LEVEL_FACTOR ** level);
/** Relative time from which on a timer goes to a level, and up to which the wheel reaches. */
const LEVEL_START = Float64Array.from(
  { length: MAX_LEVELS + 1 },
  (_, level) => (LEVEL_SIZE - 1) * LEVEL_FACTOR ** (level - 1),
);

function granularity(level: number): number {
  return GRAIN[level] ?? 1;
}

function levelStart(level: number): number {
  return LEVEL_START[level] ?? Number.POSITIVE_INFINITY;
}

/**
 * Timers of one CPU. Those of one bucket run newest first, buckets that are due together coarsest first.
 *
 * All times are 64-bit jiffies. The tick is an hrtimer that is armed only for the first bucket in use.
 */
export class TimerBase {
  /** The timer whose function is under way. */
  running: TimerList | undefined;
  readonly #cpu: Cpu;
  readonly #deferrable: boolean;
  readonly #levels: number;
  readonly #buckets: TimerLink[];
  readonly #expiry: Float64Array;
  /** Two words of bits a level: buckets in use. */
  readonly #used: Uint32Array;
  /** Lists being run, by level. */
  readonly #expired: TimerLink[];
  readonly #spinners: SpinnerSet;
  readonly #tick: Hrtimer;
  #clk: number;
  #nextExpiry = Number.POSITIVE_INFINITY;
  /** Where {@link #place} puts its second result. */
  #placedExpiry = 0;

  /** `deferrable`: while the CPU is idle no tick comes for its timers. */
  constructor(cpu: Cpu, deferrable = false) {
    this.#deferrable = deferrable;
    const { hz } = cpu.machine;
    this.#cpu = cpu;
    this.#spinners = new SpinnerSet(cpu);
    this.#levels = hz > 100 ? MAX_LEVELS : MAX_LEVELS - 1;
    this.#buckets = Array.from({ length: this.#levels * LEVEL_SIZE }, () => ({ next: undefined }));
    this.#expired = Array.from({ length: this.#levels }, () => ({ next: undefined }));
    this.#expiry = new Float64Array(this.#levels * LEVEL_SIZE);
    this.#used = new Uint32Array(this.#levels * 2);
    this.#clk = initialJiffies(hz);
    this.#tick = new Hrtimer(() => this.#onTick(), HRTIMER_MODE_ABS_HARD);
  }

  /** Puts a timer that is not pending on the wheel. */
  add(timer: TimerList, expires: number): void {
    this.#forward();
    const bucket = this.#place(expires);
    const link = this.#link(bucket);
    if (timer.base !== this) {
      timer.base = this;
      timer.nameId = this.#cpu.machine.trace.intern(timer.fn.name);
    }
    timer.bucket = bucket;
    timer.next = link.next;
    timer.previous = link;
    if (link.next !== undefined) link.next.previous = timer;
    link.next = timer;
    this.#expiry[bucket] = this.#placedExpiry;
    this.#setUsed(bucket, true);
    if (this.#placedExpiry < this.#nextExpiry) {
      this.#nextExpiry = this.#placedExpiry;
      this.#program();
    }
  }

  /** True when a pending timer would stay in its bucket with another expiry. */
  keepsPlace(timer: TimerList, expires: number): boolean {
    this.#forward();
    return this.#place(expires) === timer.bucket;
  }

  /** Takes a pending timer off. */
  detach(timer: TimerList): void {
    const { previous, next, bucket } = timer;
    if (previous === undefined) return;
    previous.next = next;
    if (next !== undefined) next.previous = previous;
    timer.previous = undefined;
    timer.next = undefined;
    if (this.#link(bucket).next !== undefined || previous !== this.#buckets[bucket]) return;
    this.#setUsed(bucket, false);
    if (this.#expiry[bucket] === this.#nextExpiry) {
      this.#findNextExpiry();
      this.#program();
    }
  }

  /** The caller spins ({@link Request.spin}) until the function that is under way here has ended. */
  addSpinner(cpu: Cpu): void {
    this.#spinners.add(cpu, 'timerDelete() does not wait');
  }

  /** Another base of the same CPU: for its deferrable timers, or for the pinned ones. */
  twin(deferrable: boolean): TimerBase {
    return new TimerBase(this.#cpu, deferrable);
  }

  /** Of deferrable timers: the CPU has become idle, or has something to do again. */
  idleChanged(): void {
    this.#program();
  }

  /** TIMER softirq: runs every bucket that is due. */
  run(): Outcome {
    for (;;) {
      for (let level = this.#levels - 1; level >= 0; level--) {
        if (this.#runList(level) === SUSPENDED) return this.#cpu.defer(() => this.run());
      }
      const now = jiffiesOf(this.#cpu.machine);
      if (now < this.#clk || now < this.#nextExpiry) break;
      this.#collect();
    }
    this.#program();
    return DONE;
  }

  #runList(level: number): Outcome {
    const list = this.#expired[level];
    for (let timer = list?.next; timer !== undefined; timer = list?.next) {
      this.detach(timer);
      this.running = timer;
      if (callTimerFn(this.#cpu, timer) === SUSPENDED) return this.#cpu.defer(() => this.#endRunning());
      this.#endRunning();
    }
    return DONE;
  }

  #endRunning(): Outcome {
    this.running = undefined;
    this.#spinners.release();
    return DONE;
  }

  /** Moves the buckets of the next expiry to the lists to be run. */
  #collect(): void {
    const clk = this.#nextExpiry;
    let index = clk;
    for (let level = 0; level < this.#levels; level++) {
      const bucket = level * LEVEL_SIZE + (index % LEVEL_SIZE);
      const link = this.#link(bucket);
      const list = this.#expired[level];
      if (link.next !== undefined && list !== undefined) {
        list.next = link.next;
        list.next.previous = list;
        link.next = undefined;
        this.#setUsed(bucket, false);
      }
      if (index % LEVEL_FACTOR !== 0) break;
      index = index / LEVEL_FACTOR;
    }
    // One ahead, so that a timer armed for now by a timer function waits for the next tick.
    this.#clk = clk + 1;
    this.#findNextExpiry();
  }

  /** Lets the wheel's clock catch up with jiffies, as far as no bucket is skipped. */
  #forward(): void {
    const now = jiffiesOf(this.#cpu.machine);
    if (now <= this.#clk) return;
    if (this.#nextExpiry > now) this.#clk = now;
    else if (this.#nextExpiry > this.#clk) this.#clk = this.#nextExpiry;
  }

  /** The bucket for an expiry; when that runs is left in {@link #placedExpiry}. */
  #place(expires: number): number {
    const delta = expires - this.#clk;
    if (delta < 0) {
      this.#placedExpiry = this.#clk;
      return this.#clk % LEVEL_SIZE;
    }
    let level = 0;
    while (level < this.#levels - 1 && delta >= levelStart(level + 1)) level++;
    const cutoff = levelStart(this.#levels);
    const grain = granularity(level);
    const at = delta >= cutoff ? this.#clk + cutoff - granularity(this.#levels - 1) : expires;
    const index = Math.floor(at / grain) + 1;
    this.#placedExpiry = index * grain;
    return level * LEVEL_SIZE + (index % LEVEL_SIZE);
  }

  #findNextExpiry(): void {
    let next = Number.POSITIVE_INFINITY;
    for (let word = 0; word < this.#used.length; word++) {
      for (let bits = this.#used[word] ?? 0; bits !== 0; bits &= bits - 1) {
        const expiry = this.#expiry[word * 32 + 31 - Math.clz32(bits & -bits)] ?? 0;
        if (expiry < next) next = expiry;
      }
    }
    this.#nextExpiry = next;
  }

  #setUsed(bucket: number, used: boolean): void {
    const word = bucket >> 5;
    const bit = 1 << (bucket & 31);
    const bits = this.#used[word] ?? 0;
    this.#used[word] = used ? bits | bit : bits & ~bit;
  }

  #link(bucket: number): TimerLink {
    const link = this.#buckets[bucket];
    if (link === undefined) throw new KernelError('EINVAL', `timer wheel has no bucket ${bucket}`);
    return link;
  }

  #onTick(): number {
    if (jiffiesOf(this.#cpu.machine) >= this.#nextExpiry) this.#cpu.softirqs.raise(TIMER_SOFTIRQ);
    return HRTIMER_NORESTART;
  }

  /** Arms the tick for the first bucket; one that is due already waits for the next tick, as all do. */
  #program(): void {
    const { machine, hrtimers, current, idle } = this.#cpu;
    if (this.#nextExpiry === Number.POSITIVE_INFINITY || (this.#deferrable && current === idle)) {
      hrtimers.remove(this.#tick);
      return;
    }
    const ticks = Math.max(this.#nextExpiry - initialJiffies(machine.hz), ticksOf(machine) + 1);
    const dueNs = machine.bootNs + ticks * machine.tickNs;
    if (this.#tick.index < 0 || this.#tick.dueNs !== dueNs) hrtimers.start(this.#tick, dueNs, 0);
  }
}

/** TIMER softirq: the pinned timers of a CPU, the others, then the deferrable ones, which also run on an idle CPU when another timer is due. */
export function runTimers(cpu: Cpu): Outcome {
  if (cpu.pinnedTimers?.run() === SUSPENDED) return cpu.defer(() => runUnpinned(cpu));
  return runUnpinned(cpu);
}

function runUnpinned(cpu: Cpu): Outcome {
  if (cpu.timers.run() === SUSPENDED) return cpu.defer(() => cpu.deferrable?.run() ?? DONE);
  return cpu.deferrable?.run() ?? DONE;
}
