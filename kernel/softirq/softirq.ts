// Softirqs: ten vectors a CPU, run behind hard interrupts, when bottom halves are enabled, or by ksoftirqd (kernel/softirq.c).
import type { Machine } from '../machine.js';
import { cutsOff } from '../sched/atomic.js';
import { type Coroutine, DONE, type Outcome, Request, SUSPENDED } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { thisCpu } from '../sched/current.js';
import {
  HARDIRQ_MASK,
  NMI_MASK,
  PREEMPT_OFFSET,
  SOFTIRQ_DISABLE_OFFSET,
  SOFTIRQ_MASK,
  SOFTIRQ_OFFSET,
} from '../sched/preempt.js';
import { TASK_INTERRUPTIBLE, TASK_RUNNING, type Task } from '../sched/task.js';
import { wakeUpProcess } from '../sched/wakeup.js';
import { jiffiesOf, msecsToJiffies } from '../time/jiffies.js';
import { Tracepoint } from '../trace/ring.js';

/** The vectors; the lowest number runs first (include/linux/interrupt.h). */
export const HI_SOFTIRQ = 0;
export const TIMER_SOFTIRQ = 1;
export const NET_TX_SOFTIRQ = 2;
export const NET_RX_SOFTIRQ = 3;
export const BLOCK_SOFTIRQ = 4;
export const IRQ_POLL_SOFTIRQ = 5;
export const TASKLET_SOFTIRQ = 6;
export const SCHED_SOFTIRQ = 7;
export const HRTIMER_SOFTIRQ = 8;
export const RCU_SOFTIRQ = 9;
export const NR_SOFTIRQS = 10;

/** Names of the vectors, as /proc/softirqs has them. */
export const SOFTIRQ_NAMES: readonly string[] = [
  'HI',
  'TIMER',
  'NET_TX',
  'NET_RX',
  'BLOCK',
  'IRQ_POLL',
  'TASKLET',
  'SCHED',
  'HRTIMER',
  'RCU',
];

/** After this many passes, or this long, what is still raised is left to ksoftirqd. */
const MAX_PASSES = 10;
const MAX_MS = 2;

const IN_INTERRUPT = NMI_MASK | HARDIRQ_MASK | SOFTIRQ_MASK;

/** What a vector does: softirq context, interrupts on. A plain function or a generator function; what it returns is not looked at. */
export type SoftirqAction = () => unknown;

/** The softirqs of one CPU. */
export class CpuSoftirqs {
  /** Raised vectors, bit n for vector n. */
  pending = 0;
  /** They are being served. */
  active = false;
  /** Bottom halves were enabled while some were raised: they run as soon as the CPU gets to it. */
  due = false;
  /** Times that each vector ran. */
  readonly counts = new Float64Array(NR_SOFTIRQS);
  /** ksoftirqd of this CPU; made when it is needed for the first time. */
  thread: Task | undefined;
  readonly #cpu: Cpu;
  #pass = 0;
  #passesLeft = 0;
  #endJiffies = 0;
  #extraCount = 0;
  #vector = 0;
  #countBefore = 0;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
  }

  /** Starts to serve what is raised; `extraCount` is what preempt_count has on top of the softirq meanwhile. */
  begin(extraCount: number): void {
    const cpu = this.#cpu;
    cpu.accounting.account();
    cpu.preemptCount += SOFTIRQ_OFFSET + extraCount;
    this.#extraCount = extraCount;
    this.due = false;
    this.active = true;
    this.#pass = this.pending;
    this.pending = 0;
    this.#passesLeft = MAX_PASSES - 1;
    this.#endJiffies = jiffiesOf(cpu.machine) + msecsToJiffies(MAX_MS, cpu.machine.hz);
  }

  /** In task context, with bottom halves just enabled: serve them at once, unless they were disabled again. */
  beginIfDue(): void {
    this.due = false;
    if (this.pending !== 0 && (this.#cpu.preemptCount & IN_INTERRUPT) === 0) this.begin(PREEMPT_OFFSET);
  }

  /** One vector, or the end of a pass. Each pass takes what was raised when it began, lowest vector first. */
  step(): void {
    if (this.#pass === 0) {
      this.#endPass();
      return;
    }
    const vector = 31 - Math.clz32(this.#pass & -this.#pass);
    this.#pass &= this.#pass - 1;
    const cpu = this.#cpu;
    this.#vector = vector;
    this.#countBefore = cpu.preemptCount;
    this.counts[vector] = (this.counts[vector] ?? 0) + 1;
    cpu.trace(Tracepoint.softirqEntry, vector, 0, cpu.machine.softirqs.nameId(vector));
    let result: ReturnType<SoftirqAction>;
    try {
      result = cpu.machine.softirqs.action(vector)?.();
    } catch (error) {
      this.#failed(error);
    }
    if (result === SUSPENDED) {
      cpu.defer(() => this.#endVector());
      cpu.pushSuspended();
    } else if (cutsOff(cpu, `softirq ${SOFTIRQ_NAMES[vector]}`, result)) {
      cpu.suspend(result, (error, thrown) => {
        if (thrown) this.#failed(error);
        return this.#endVector();
      });
      cpu.pushSuspended();
    } else {
      this.#endVector();
    }
  }

  /** Marks a vector as raised, and no more (__raise_softirq_irqoff). */
  mark(vector: number): void {
    const cpu = this.#cpu;
    cpu.trace(Tracepoint.softirqRaise, vector, 0, cpu.machine.softirqs.nameId(vector));
    this.pending |= 1 << vector;
  }

  /** Raises a vector; nothing will run it unless in interrupt context, so elsewhere ksoftirqd is woken. */
  raise(vector: number): void {
    this.mark(vector);
    if ((this.#cpu.preemptCount & IN_INTERRUPT) === 0) this.#wakeThread();
  }

  /** The body of ksoftirqd. */
  *#threadLoop(): Coroutine {
    const cpu = this.#cpu;
    for (;;) {
      cpu.current.state = TASK_INTERRUPTIBLE;
      if (this.pending === 0) {
        yield Request.schedule;
      } else {
        cpu.current.state = TASK_RUNNING;
        this.begin(0);
        yield Request.condResched;
      }
    }
  }

  #failed(error: unknown): void {
    this.#cpu.machine.oops(`softirq ${SOFTIRQ_NAMES[this.#vector]}`, error);
  }

  #endVector(): Outcome {
    const cpu = this.#cpu;
    const vector = this.#vector;
    cpu.trace(Tracepoint.softirqExit, vector, 0, cpu.machine.softirqs.nameId(vector));
    if (cpu.preemptCount === this.#countBefore) return DONE;
    const hex = (count: number): string => (count >>> 0).toString(16).padStart(8, '0');
    const name = `${vector} ${SOFTIRQ_NAMES[vector]} ${cpu.machine.softirqs.action(vector)?.name ?? ''}`;
    cpu.machine.printk(
      'err',
      `huh, entered softirq ${name} with preempt_count ${hex(this.#countBefore)}, exited with ${hex(cpu.preemptCount)}?`,
    );
    cpu.preemptCount = this.#countBefore;
    return DONE;
  }

  #endPass(): void {
    const cpu = this.#cpu;
    // Softirqs begin with interrupts on; what left them off did so for the rest of its pass.
    cpu.irqsEnabled = true;
    if (this.pending !== 0) {
      if (jiffiesOf(cpu.machine) < this.#endJiffies && !cpu.needResched && this.#passesLeft > 0) {
        this.#passesLeft--;
        this.#pass = this.pending;
        this.pending = 0;
        return;
      }
      this.#wakeThread();
    }
    cpu.accounting.account();
    cpu.preemptCount -= SOFTIRQ_OFFSET + this.#extraCount;
    this.active = false;
  }

  #wakeThread(): void {
    const { id, machine } = this.#cpu;
    this.thread ??= machine.create(`ksoftirqd/${id}`, () => this.#threadLoop(), { cpusAllowed: 1 << id });
    wakeUpProcess(this.thread);
  }
}

/** What the vectors of a machine do (softirq_vec). */
export class SoftirqVectors {
  readonly #actions: (SoftirqAction | undefined)[] = new Array<SoftirqAction | undefined>(NR_SOFTIRQS).fill(undefined);
  readonly #nameIds: readonly number[];

  constructor(machine: Machine) {
    this.#nameIds = SOFTIRQ_NAMES.map((name) => machine.trace.intern(name));
  }

  /** Sets what a vector does, on all CPUs (open_softirq). */
  open(vector: number, action: SoftirqAction): void {
    this.#actions[vector] = action;
  }

  action(vector: number): SoftirqAction | undefined {
    return this.#actions[vector];
  }

  nameId(vector: number): number {
    return this.#nameIds[vector] ?? 0;
  }
}

/** Sets what a vector does, on all CPUs (open_softirq). Any context. */
export function openSoftirq(vector: number, action: SoftirqAction): void {
  thisCpu().machine.softirqs.open(vector, action);
}

/**
 * Raises a vector on this CPU (raise_softirq). It runs at the end of the outermost hard interrupt or when bottom halves
 * are enabled, else in ksoftirqd. Any context.
 */
export function raiseSoftirq(vector: number): void {
  thisCpu().softirqs.raise(vector);
}

/** As {@link raiseSoftirq}, where interrupts are off already. */
export const raiseSoftirqIrqoff: typeof raiseSoftirq = raiseSoftirq;

/** Marks a vector as raised without waking ksoftirqd (__raise_softirq_irqoff): the next interrupt exit or bottom-half enable runs it. */
export function __raiseSoftirqIrqoff(vector: number): void {
  thisCpu().softirqs.mark(vector);
}

/** The vectors raised on this CPU, as a bit mask. */
export function localSoftirqPending(): number {
  return thisCpu().softirqs.pending;
}

/** Keeps softirqs off this CPU, and the caller on it. Nests. Any context but a hard interrupt. */
export function localBhDisable(): void {
  thisCpu().preemptCount += SOFTIRQ_DISABLE_OFFSET;
}

/**
 * Ends one {@link localBhDisable}. At the outermost one raised softirqs run at the next `yield*` (give it
 * `preemptPoint()` to have them at once).
 */
export function localBhEnable(): void {
  const cpu = thisCpu();
  if ((cpu.preemptCount & HARDIRQ_MASK) !== 0) {
    cpu.machine.warnOnce('__local_bh_enable_ip', '', '__local_bh_enable_ip');
  }
  cpu.preemptCount -= SOFTIRQ_DISABLE_OFFSET;
  if ((cpu.preemptCount & SOFTIRQ_MASK) === 0) cpu.machine.lockdep?.softirqsOn(cpu);
  if (cpu.softirqs.pending !== 0 && (cpu.preemptCount & IN_INTERRUPT) === 0) cpu.softirqs.due = true;
}

/** The times that each vector ran on each CPU, as /proc/softirqs prints them. */
export function showSoftirqs(machine: Machine): string {
  let text = ' '.repeat(20);
  for (const cpu of machine.cpus) text += `CPU${String(cpu.id).padEnd(8)}`;
  text += '\n';
  for (const [vector, name] of SOFTIRQ_NAMES.entries()) {
    text += `${name.padStart(12)}:`;
    for (const cpu of machine.cpus) text += ` ${String(cpu.softirqs.counts[vector] ?? 0).padStart(10)}`;
    text += '\n';
  }
  return text;
}
