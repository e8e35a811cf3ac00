// Cpu: runs tasks and takes interrupts, one activation on top of another, until nothing can go on at this instant.
import { KernelError } from '../errno.js';
import type { Machine } from '../machine.js';
import { CpuSoftirqs } from '../softirq/cpu-softirqs.js';
import { TaskletList } from '../softirq/tasklet-list.js';
import { HI_SOFTIRQ, TASKLET_SOFTIRQ } from '../softirq/vectors.js';
import type { Alarm, Clock } from '../time/clock.js';
import { HrtimerBase } from '../time/hrtimer.js';
import type { LastLook } from '../time/last-look.js';
import { TimerBase } from '../time/timer-wheel.js';
import { Tracepoint, type TracepointId, type TraceRing } from '../trace/ring.js';
import {
  badRequest,
  type Continuation,
  type Coroutine,
  DONE,
  Frame,
  type Outcome,
  Request,
  SUSPENDED,
  type Unstarted,
} from './coroutine.js';
import { CpuAccounting, type CpuTimes } from './cputime.js';
import { switchCpu } from './current.js';
import { FairSlice } from './fair-slice.js';
import { LocalInterrupts, type LocalVectorId } from './local-interrupts.js';
import { HARDIRQ_MASK, HARDIRQ_OFFSET, NMI_MASK, PREEMPT_OFFSET, SOFTIRQ_MASK } from './preempt.js';
import { RunQueue } from './runqueue.js';
import { scheduleDebug } from './schedule-debug.js';
import { exitTask, switchTask } from './switch.js';
import { TASK_RUNNING, Task } from './task.js';

/** Of as many tasks that find the CPU {@link Cpu.undisturbed}, one is told otherwise: a power of two, less 1. */
const LET_THROUGH_MASK = 3;
const IN_INTERRUPT = NMI_MASK | HARDIRQ_MASK | SOFTIRQ_MASK;

function* idleLoop(): Coroutine {
  for (;;) yield Request.schedule;
}

/**
 * One CPU of the machine.
 *
 * Interrupt code runs to its end inside the call that takes the interrupt, with nothing allocated; only when a handler
 * is a generator does a {@link Frame} keep its place on the stack of this CPU.
 */
export class Cpu {
  readonly id: number;
  readonly machine: Machine;
  readonly rq = new RunQueue();
  readonly idle: Task;
  readonly hrtimers: HrtimerBase;
  readonly timers: TimerBase;
  /** Timers that stay on the CPU, and those that wait while it is idle; made when there is one. */
  pinnedTimers: TimerBase | undefined;
  deferrable: TimerBase | undefined;
  readonly softirqs: CpuSoftirqs;
  readonly tasklets: TaskletList;
  readonly hiTasklets: TaskletList;
  readonly accounting: CpuAccounting;
  readonly fairSlice: FairSlice;
  /** The running task; in an interrupt, the interrupted one. */
  current: Task;
  preemptCount = PREEMPT_OFFSET;
  /** The CPU's own interrupt flag. */
  irqsEnabled = true;
  /** Another task should run at the next preemptible point. */
  needResched = false;
  /** It may be able to go on: set by everything that gives it something to do. */
  kicked = false;
  /** Hard interrupts taken. */
  interrupts = 0;
  /** The coroutine whose code is running; undefined in interrupt code that is a plain function. */
  executing: Frame | undefined;
  /** A call that has to wait, and whose `yield*` has not come yet. */
  unstarted: Unstarted | undefined;
  /** Interrupt code cut off by generators, the innermost; the others lie below it. */
  #top: Frame | undefined;
  /** The machine's own, at hand where each step looks at them. */
  readonly #clock: Clock;
  readonly #look: LastLook;
  readonly #ring: TraceRing;
  readonly #busyAlarm: Alarm;
  readonly #local = new LocalInterrupts();
  /** Made once: a closure within {@link #takeInterrupt} would cost every interrupt an object. */
  readonly #leave: Continuation = () => this.#exitInterrupt();
  #suspending: Frame | undefined;
  #letThrough = 0;
  #irqLines = 0;
  /** The running task may lose the CPU here: always with kernel preemption, else only where it said so. */
  #preemptible: boolean;
  readonly #fullPreemption: boolean;

  constructor(machine: Machine, id: number) {
    this.machine = machine;
    this.id = id;
    this.#clock = machine.clock;
    this.#look = machine.look;
    this.#ring = machine.trace;
    this.#fullPreemption = machine.preempt === 'full';
    this.#preemptible = this.#fullPreemption;
    this.idle = new Task({ pid: 0, comm: `swapper/${id}`, cpusAllowed: 1 << id }, this, idleLoop());
    this.idle.preemptCount = PREEMPT_OFFSET;
    this.current = this.idle;
    this.hrtimers = new HrtimerBase(this);
    this.timers = new TimerBase(this);
    this.softirqs = new CpuSoftirqs(this);
    this.tasklets = new TaskletList(this, TASKLET_SOFTIRQ);
    this.hiTasklets = new TaskletList(this, HI_SOFTIRQ);
    this.accounting = new CpuAccounting(this);
    this.#busyAlarm = machine.clock.createAlarm(() => this.kick());
    this.fairSlice = new FairSlice(this);
  }

  /** It has something to do; the machine lets it run, at once unless it is running CPUs already. */
  kick(): void {
    this.kicked = true;
    this.machine.pump();
  }

  /**
   * The interrupt controller's output to this CPU: a level.
   *
   * @param input which controller's, as `IrqInputs.add` numbered it; default the root's
   */
  setIrqLine(asserted: boolean, input = 0): void {
    if (asserted) this.#irqLines |= 1 << input;
    else this.#irqLines &= ~(1 << input);
    if (asserted) this.kick();
  }

  /** The inputs that are asserted, a bit each. */
  get irqLines(): number {
    return this.#irqLines;
  }

  /** Raises one of the CPU's own interrupts; raising a pending one again does nothing. */
  raiseLocal(vector: LocalVectorId): void {
    this.#local.raise(vector);
    this.kick();
  }

  /** Calls `fn` in a hard interrupt on this CPU, as `smp_call_function_single` does. */
  callFunction(fn: () => Outcome): void {
    const { ipis } = this.machine;
    if (ipis === undefined) this.#local.call(fn);
    else ipis.callFunction(this, fn);
    this.kick();
  }

  /** Ns spent in tasks, softirqs, hard interrupts and idle, up to now. */
  get times(): CpuTimes {
    return this.accounting.read();
  }

  trace(event: TracepointId, a: number, b: number, nameId: number): void {
    this.#look.renew();
    this.#ring.record(event, this.#clock.lastNs, this.id, this.preemptCount, this.current.pid, a, b, nameId);
  }

  /** Goes on until it is idle, busy until later, or the host wants its turn. */
  run(): void {
    const before = switchCpu(this);
    try {
      this.kicked = false;
      while (this.#advance()) {
        if (this.machine.hostWaits()) {
          this.kicked = true;
          return;
        }
      }
    } catch (error) {
      // What is left to do here is done at the next kick of any CPU.
      this.kicked = true;
      throw error;
    } finally {
      switchCpu(before);
    }
  }

  /** Takes an interrupt that is pending, and does nothing else. */
  takeInterrupt(): void {
    if (!this.#interruptPending) return;
    const before = switchCpu(this);
    try {
      this.#takeInterrupt();
    } finally {
      switchCpu(before);
    }
  }

  /**
   * Cuts interrupt code off at a generator that a handler returned. The caller returns the result at once; each of its
   * callers adds its own rest with {@link defer} and does the same. A further generator, of an interrupt that a handler has
   * handed on before it returned, waits for the first.
   */
  suspend(coroutine: Coroutine, rest: Continuation): typeof SUSPENDED {
    if (this.#suspending !== undefined) return this.defer(() => this.suspend(coroutine, rest));
    this.#suspending = new Frame(coroutine);
    return this.defer(rest);
  }

  defer(rest: Continuation): typeof SUSPENDED {
    this.#suspending?.continuations.push(rest);
    return SUSPENDED;
  }

  /** Interrupt code was cut off, and whoever called it has not deferred his own rest yet. */
  get suspending(): boolean {
    return this.#suspending !== undefined;
  }

  /** The CPU does nothing else for the running activation until `untilNs`; the caller then yields {@link Request.busy}. */
  setBusy(untilNs: number): void {
    this.activation.busyUntilNs = untilNs;
    if (this.#top === undefined) this.current.worker?.busyUntil(untilNs);
  }

  /** The innermost activation: interrupt code cut off by a generator, or the current task. */
  get activation(): Frame {
    return this.#top ?? this.current.frame;
  }

  /**
   * Nothing wants this CPU: a task that only lets others in may go on without a `yield`, which would come back at once.
   * Now and then it is false all the same, for the host, and for whoever looks for circles.
   */
  get undisturbed(): boolean {
    if (this.needResched || this.#irqLines !== 0 || this.#local.pending !== 0 || this.softirqs.pending !== 0)
      return false;
    return (++this.#letThrough & LET_THROUGH_MASK) !== 0;
  }

  get #interruptPending(): boolean {
    return this.irqsEnabled && (this.#irqLines !== 0 || this.#local.pending !== 0);
  }

  /** One step; false when nothing can go on at this instant. */
  #advance(): boolean {
    if (this.#interruptPending) {
      this.#takeInterrupt();
      return true;
    }
    if (this.#top !== undefined) return this.#goOn(this.#top);
    if (this.softirqs.active) {
      this.softirqs.step();
      return true;
    }
    if (this.softirqs.due) {
      this.softirqs.beginIfDue();
      return true;
    }
    const idle = this.current === this.idle;
    if (this.needResched && (idle || (this.#preemptible && this.preemptCount === 0 && this.irqsEnabled))) {
      switchTask(this, false);
      return true;
    }
    if (idle) return false;
    this.#preemptible = this.#fullPreemption || this.softirqs.threadSpins;
    return this.#goOn(this.current.frame);
  }

  #goOn(frame: Frame): boolean {
    if (frame.spinning || (frame.busyUntilNs !== 0 && this.#isBusy(frame))) return false;
    if (frame.scheduleDue) {
      frame.scheduleDue = false;
      switchTask(this, true);
      return true;
    }
    let done: boolean | undefined;
    let value: unknown;
    this.executing = frame;
    if (!frame.own) this.#look.others();
    try {
      // An iterator that is no generator may return anything: to take that apart may throw too.
      ({ done, value } = frame.resume());
    } catch (error) {
      this.executing = undefined;
      this.#look.othersDone();
      this.unstarted?.abandon();
      this.#ended(frame, error, true);
      return true;
    }
    this.executing = undefined;
    this.#look.othersDone();
    if (this.unstarted !== undefined) this.#leaveUnstarted(frame, this.unstarted, done === true);
    else if (done !== true) this.#serve(value, frame);
    else if (frame.tail === undefined) this.#ended(frame, value, false);
    else {
      frame.coroutine = frame.tail;
      frame.tail = undefined;
    }
    return true;
  }

  /** The CPU does nothing else for the activation yet; the alarm comes when that is over. */
  #isBusy(frame: Frame): boolean {
    if (frame.busyUntilNs > this.machine.clock.now()) {
      this.#busyAlarm.schedule(frame.busyUntilNs);
      return true;
    }
    frame.busyUntilNs = 0;
    return false;
  }

  /** A plain function has called what has to wait, and its caller has not started that. */
  #leaveUnstarted(frame: Frame, call: Unstarted, ended: boolean): void {
    const error = call.abandon();
    if (ended) {
      this.#ended(frame, error, true);
      return;
    }
    if (frame === this.current.frame) this.current.state = TASK_RUNNING;
    frame.fault = error;
  }

  #ended(frame: Frame, value: unknown, thrown: boolean): void {
    if (frame === this.current.frame) exitTask(this, value, thrown);
    else this.#continue(frame, value, thrown);
  }

  #takeInterrupt(): void {
    this.accounting.account();
    this.irqsEnabled = false;
    this.preemptCount += HARDIRQ_OFFSET;
    this.interrupts++;
    let outcome: Outcome = DONE;
    try {
      outcome = this.#local.pending === 0 ? this.machine.handleIrq(this) : this.#takeLocal();
    } catch (error) {
      this.machine.oops('hard interrupt', error);
    }
    if (outcome !== SUSPENDED) {
      this.#exitInterrupt();
      return;
    }
    this.defer(this.#leave);
    this.pushSuspended();
  }

  /** Timers, and calls from other CPUs. */
  #takeLocal(): Outcome {
    const before = this.#look.others();
    const outcome = this.#local.take(this);
    this.#look.othersDone(before);
    return outcome;
  }

  #exitInterrupt(): Outcome {
    this.accounting.account();
    this.preemptCount -= HARDIRQ_OFFSET;
    this.irqsEnabled = true;
    if (this.softirqs.pending !== 0 && (this.preemptCount & IN_INTERRUPT) === 0) this.softirqs.invoke();
    return DONE;
  }

  /** Puts what was {@link suspend}ed on the CPU; called by the outermost of those that it cut off. */
  pushSuspended(): void {
    const frame = this.#suspending;
    this.#suspending = undefined;
    if (frame === undefined) return;
    frame.below = this.#top;
    this.#top = frame;
  }

  /** Interrupt code goes on behind the generator that had cut it off: more timers, polls or calls of others may come in it. */
  #continue(frame: Frame, value: unknown, thrown: boolean): void {
    this.#look.others();
    this.#top = frame.below;
    this.#callContinuations(frame, value, thrown);
    this.#look.othersDone();
  }

  #callContinuations(frame: Frame, value: unknown, thrown: boolean): void {
    let result = value;
    let failed = thrown;
    for (let i = 0; i < frame.continuations.length; i++) {
      const outcome = frame.continuations[i]?.(result, failed);
      result = undefined;
      failed = false;
      if (outcome === SUSPENDED) {
        for (const rest of frame.continuations.slice(i + 1)) this.defer(rest);
        this.pushSuspended();
        return;
      }
    }
  }

  /** Does what a coroutine asked for; what it may not ask for is thrown at its `yield`, where its own code can tidy up. */
  #serve(request: unknown, frame: Frame): void {
    try {
      if (request === Request.schedule) this.#schedule(frame);
      else if (request === Request.condResched) this.#preemptible = true;
      else if (request === Request.spin) frame.spinning = true;
      else if (request !== Request.point && request !== Request.busy) throw badRequest(request);
    } catch (error) {
      frame.fault = error;
    }
  }

  /** The running activation asked for another task (schedule() in the kernel). */
  #schedule(frame: Frame): void {
    scheduleDebug(this);
    if (frame !== this.current.frame) throw new KernelError('EDEADLK', 'in interrupt code nothing can sleep');
    if (this.softirqs.due) this.softirqs.beginIfDue();
    if (this.softirqs.active) frame.scheduleDue = true;
    else switchTask(this, true);
  }

  /** Charges the running task with what it has used so far. */
  charge(): void {
    this.accounting.account();
    const ns = this.accounting.takeUncharged();
    if (this.current !== this.idle) this.rq.charge(this.current, ns);
  }

  /** Puts a woken task on this CPU's queue and asks for a switch if it comes before the running one. */
  activate(task: Task): void {
    this.adopt(task);
    const running = this.current;
    const asked = this.needResched;
    if (running === this.idle || task.prio < Math.min(running.prio, 100)) this.needResched = true;
    else this.fairSlice.joined(running);
    this.trace(Tracepoint.schedWakeup, task.pid, this.id, task.nameId);
    if (this.needResched) this.#resched(asked);
  }

  /** Has the CPU look for another task; one that was asked already is not interrupted again (resched_curr). */
  #resched(asked: boolean): void {
    this.needResched = true;
    if (!asked) this.machine.ipis?.reschedule(this);
    this.kick();
  }

  /** Takes a task on its queue; a fair one keeps its lead or lag over the others. */
  adopt(task: Task): void {
    if (task.cpu !== this) {
      task.vruntime = Math.max(0, task.vruntime - task.cpu.rq.minVruntime) + this.rq.minVruntime;
      task.cpu = this;
    }
    this.rq.enqueue(task);
  }

  /** Something about the tasks here has changed: another one may have to run. */
  reschedule(): void {
    this.#resched(this.needResched);
  }
}
