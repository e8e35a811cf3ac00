// The softirqs of one CPU: raised, served behind hard interrupts or when bottom halves are enabled, or by ksoftirqd (kernel/softirq.c).
import { cutsOff } from '../sched/atomic.js';
import { type Coroutine, DONE, type Outcome, Request, SUSPENDED } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { LocalVector } from '../sched/local-interrupts.js';
import { HARDIRQ_MASK, NMI_MASK, PREEMPT_OFFSET, SOFTIRQ_MASK, SOFTIRQ_OFFSET } from '../sched/preempt.js';
import { TASK_INTERRUPTIBLE, TASK_RUNNING, type Task } from '../sched/task.js';
import { wakeUpProcess } from '../sched/wakeup.js';
import type { Alarm } from '../time/clock.js';
import { jiffiesLately, msecsToJiffies, ticksOf } from '../time/jiffies.js';
import { Tracepoint } from '../trace/ring.js';
import type { SoftirqAction } from './vectors.js';

/** After this many passes, or this long, what is still raised is left to ksoftirqd (MAX_SOFTIRQ_RESTART, MAX_SOFTIRQ_TIME). */
const MAX_PASSES = 10;
const MAX_MS = 2;

/** ksoftirqd's pids count down from here (PID_MAX_DEFAULT): those of other tasks do not depend on how many CPUs there are. */
const LAST_PID = 0x7fff;

const IN_INTERRUPT = NMI_MASK | HARDIRQ_MASK | SOFTIRQ_MASK;

/** A preempt_count as the kernel prints it. */
function hex(count: number): string {
  return (count >>> 0).toString(16).padStart(8, '0');
}

/** The softirqs of one CPU. */
export class CpuSoftirqs {
  /** Raised vectors, bit n for vector n. */
  pending = 0;
  /** They are being served. */
  active = false;
  /** Bottom halves were enabled while some were raised: they run as soon as the CPU gets to it. */
  due = false;
  /** Times that each vector ran. */
  readonly counts: Float64Array;
  readonly #cpu: Cpu;
  #thread: Task | undefined;
  #pass = 0;
  #passesLeft = 0;
  #endJiffies = 0;
  #extraCount = 0;
  #irqsBefore = true;
  #vector = 0;
  #countBefore = 0;
  /** Of {@link pending}: raised for nothing but what could not run in the last pass. */
  #putBack = 0;
  /** The next tick of a CPU on which softirqs are raised that nobody serves before. */
  #tick: Alarm | undefined;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
    this.counts = new Float64Array(cpu.machine.softirqs.names.length);
  }

  /** ksoftirqd of this CPU. */
  get thread(): Task | undefined {
    return this.#thread;
  }

  /** It is the running task, and goes round and round ({@link putBack}): through cond_resched(), where it can lose the CPU. */
  get threadSpins(): boolean {
    const { current } = this.#cpu;
    return current === this.#thread && current.frame.spinning;
  }

  /** Makes ksoftirqd, asleep (spawn_ksoftirqd). */
  startThread(): void {
    const { id, machine } = this.#cpu;
    const only = { cpusAllowed: 1 << id };
    this.#thread = machine.create(`ksoftirqd/${id}`, () => this.#threadLoop(), only, LAST_PID - id);
    this.#thread.state = TASK_INTERRUPTIBLE;
  }

  /** At the end of the outermost hard interrupt (invoke_softirq): here and now, or in ksoftirqd if interrupts are threads. */
  invoke(): void {
    if (this.#cpu.machine.threadirqs) this.#wakeThread();
    else this.begin(0);
  }

  /** Starts to serve what is raised; `extraCount` is what preempt_count has on top of the softirq meanwhile. */
  begin(extraCount: number): void {
    const cpu = this.#cpu;
    cpu.accounting.account();
    cpu.preemptCount += SOFTIRQ_OFFSET + extraCount;
    this.#extraCount = extraCount;
    this.#irqsBefore = cpu.irqsEnabled;
    this.due = false;
    this.active = true;
    this.#passesLeft = MAX_PASSES;
    this.#endJiffies = jiffiesLately(cpu.machine) + msecsToJiffies(MAX_MS, cpu.machine.hz);
    this.#beginPass();
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
    const { look } = cpu.machine;
    look.others();
    let result: ReturnType<SoftirqAction>;
    try {
      result = cpu.machine.softirqs.action(vector)?.();
    } catch (error) {
      this.#failed(error);
    }
    look.othersDone();
    if (result === SUSPENDED) {
      cpu.defer(() => this.#endVector());
      cpu.pushSuspended();
    } else if (cutsOff(cpu, `softirq ${this.#name()}`, result)) {
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
    this.retry(vector);
  }

  /** Raises a vector; nothing will run it unless in interrupt context, so elsewhere ksoftirqd is woken. */
  raise(vector: number): void {
    this.mark(vector);
    if ((this.#cpu.preemptCount & IN_INTERRUPT) === 0) this.#wakeThread();
  }

  /**
   * Raises a vector from within its own action for nothing but what could not run. ksoftirqd then goes round and round, as
   * in the kernel, but in one go: it keeps the CPU, at its own priority, until {@link retry} or until something is raised.
   */
  putBack(vector: number): void {
    const bit = 1 << vector;
    if ((this.pending & bit) === 0) this.#putBack |= bit;
    this.#cpu.trace(Tracepoint.softirqRaise, vector, 0, this.#cpu.machine.softirqs.nameId(vector));
    this.pending |= bit;
  }

  /** What was {@link putBack} may be able to run now. */
  retry(vector: number): void {
    this.#putBack &= ~(1 << vector);
    const frame = this.#thread?.frame;
    if (frame?.spinning !== true) return;
    frame.spinning = false;
    this.#cpu.kick();
  }

  /**
   * Time is about to pass in a task, or idle, with softirqs raised: the next tick runs them behind its interrupt. Ticks that
   * find nothing are left out. An idle CPU stops its tick only behind the first one, so none is there to be reported then.
   */
  keepTick(): void {
    if (this.pending === 0) return;
    const { machine } = this.#cpu;
    this.#tick ??= machine.clock.createAlarm(() => {
      if (this.pending !== 0) this.#cpu.raiseLocal(LocalVector.timer);
    });
    this.#tick.schedule(machine.bootNs + (ticksOf(machine) + 1) * machine.tickNs);
  }

  /** The body of ksoftirqd (run_ksoftirqd). */
  *#threadLoop(): Coroutine {
    const cpu = this.#cpu;
    const task = cpu.current;
    for (;;) {
      task.state = TASK_INTERRUPTIBLE;
      if (this.pending === 0) {
        yield Request.schedule;
        continue;
      }
      task.state = TASK_RUNNING;
      this.begin(0);
      yield Request.condResched;
      if (this.pending !== 0 && this.pending === this.#putBack) yield Request.spin;
    }
  }

  #name(): string {
    return this.#cpu.machine.softirqs.names[this.#vector] ?? '';
  }

  #failed(error: unknown): void {
    this.#cpu.machine.oops(`softirq ${this.#name()}`, error);
  }

  #endVector(): Outcome {
    const cpu = this.#cpu;
    const vector = this.#vector;
    cpu.trace(Tracepoint.softirqExit, vector, 0, cpu.machine.softirqs.nameId(vector));
    if (cpu.preemptCount === this.#countBefore) return DONE;
    const name = `${vector} ${this.#name()} ${cpu.machine.softirqs.action(vector)?.name ?? ''}`;
    const counts = `with preempt_count ${hex(this.#countBefore)}, exited with ${hex(cpu.preemptCount)}?`;
    cpu.machine.printk('err', `softirq: huh, entered softirq ${name} ${counts}`);
    cpu.preemptCount = this.#countBefore;
    return DONE;
  }

  #beginPass(): void {
    this.#passesLeft--;
    this.#pass = this.pending;
    this.pending = 0;
    this.#putBack = 0;
    // What left interrupts off did so for the rest of its pass.
    this.#cpu.irqsEnabled = true;
  }

  #endPass(): void {
    const cpu = this.#cpu;
    if (this.pending !== 0) {
      if (jiffiesLately(cpu.machine) < this.#endJiffies && !cpu.needResched && this.#passesLeft > 0) {
        this.#beginPass();
        return;
      }
      this.#wakeThread();
    }
    cpu.accounting.account();
    cpu.preemptCount -= SOFTIRQ_OFFSET + this.#extraCount;
    cpu.irqsEnabled = this.#irqsBefore;
    this.active = false;
  }

  #wakeThread(): void {
    if (this.#thread !== undefined) wakeUpProcess(this.#thread);
  }
}
