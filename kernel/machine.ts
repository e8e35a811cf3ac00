// Machine: the CPUs, the interrupt table, the tasks, the trace and the log, put together over one clock.
import { checkCpus, checkLength, checkPreempt } from './check-options.js';
import { KernelError } from './errno.js';
import { FileTree } from './fs/file-tree.js';
import { initProc } from './fs/proc.js';
import { IrqInputs } from './irq/irq-inputs.js';
import { IrqTable } from './irq/irqdesc.js';
import { initIrqProc } from './irq/proc.js';
import { IrqPolls } from './lib/irq-poll.js';
import { deadlockText } from './locking/deadlock.js';
import { Lockdep } from './locking/lockdep.js';
import type { MachineOptions, PreemptModel, Printk } from './machine-options.js';
import { Net } from './net/softnet.js';
import { PowerState } from './power/wakeup.js';
import { CircleDetector } from './sched/circle.js';
import { type Outcome, type Process, SUSPENDED } from './sched/coroutine.js';
import { Cpu } from './sched/cpu.js';
import { runningCpu, thisCpu } from './sched/current.js';
import { contextFrames, placeOf, stackDump, withLongStacks } from './sched/debug.js';
import { HostSlice } from './sched/host-slice.js';
import { HungTaskDetector } from './sched/hung-task.js';
import { TASK_NEW, Task, type TaskOptions } from './sched/task.js';
import { type Guarded, guarded, threadBody } from './sched/thread-body.js';
import { wakeUpNewTask } from './sched/wakeup.js';
import type { Ipis } from './smp/ipi.js';
import { HI_SOFTIRQ, HRTIMER_SOFTIRQ, SoftirqVectors, TASKLET_SOFTIRQ, TIMER_SOFTIRQ } from './softirq/vectors.js';
import { type Alarm, type Clock, VirtualClock } from './time/clock.js';
import { checkHz, DEFAULT_HZ, type Hz, jiffiesOf, TickCount } from './time/jiffies.js';
import { LastLook } from './time/last-look.js';
import { runTimers } from './time/timer-wheel.js';
import { TraceRing } from './trace/ring.js';
import { WorkqueueSubsystem } from './workqueue/system.js';

const REAL_TIME_SLICE_NS = 2_000_000;
const HUNG_TASK_TIMEOUT_SECS = 120;
const NSEC_PER_SEC = 1_000_000_000;
const RUN_TASK_LIMIT_NS = 86_400 * NSEC_PER_SEC;

/** A kthread to be started by {@link Machine.spawn}. */
export type SpawnOptions = Partial<Omit<TaskOptions, 'pid' | 'comm'>>;

/** How {@link Machine.runTask} ends. */
export interface RunTaskOptions {
  /** Virtual time after which the task is taken to be stuck; default: a day. */
  readonly limitNs?: number;
}

/** The whole of the model. Nothing in it knows of Node: time, log and hardware come from outside. */
export class Machine {
  readonly clock: Clock;
  /** The time for records and accounts. */
  readonly look: LastLook;
  /** When code in a task is preempted. */
  readonly preempt: PreemptModel;
  /** Handlers run in threads (force_irqthreads). */
  readonly threadirqs: boolean;
  readonly hz: Hz;
  /** Length of a tick, and the time of the clock at which the ticks began. */
  readonly tickNs: number;
  readonly bootNs: number;
  readonly ticks: TickCount;
  readonly softirqs: SoftirqVectors;
  readonly hungTasks: HungTaskDetector;
  readonly cpus: readonly Cpu[];
  readonly irqs: IrqTable;
  readonly irqInputs = new IrqInputs();
  readonly power = new PowerState();
  /** /proc and /sys. */
  readonly files = new FileTree();
  readonly workqueues: WorkqueueSubsystem;
  readonly net: Net;
  readonly irqPoll: IrqPolls;
  readonly trace: TraceRing;
  readonly printk: Printk;
  /** How one CPU interrupts another, where the interrupt controller has a way; otherwise that needs no hardware. */
  ipis: Ipis | undefined;
  /** Undefined when the machine was made without. */
  readonly lockdep: Lockdep | undefined;
  readonly tasks = new Set<Task>();
  /** Something was reported already (the kernel's taint flag W). */
  tainted = false;
  /** All CPUs, as a bit mask. */
  readonly cpuMask: number;
  /** Undefined where the host needs no turn: in virtual time. */
  readonly #slice: HostSlice | undefined;
  readonly #circles: CircleDetector;
  readonly #onOops: (where: string, error: unknown) => void;
  readonly #continueAlarm: Alarm;
  #nextPid = 2;
  #pumping = false;
  #lastMightSleepReport = Number.NEGATIVE_INFINITY;
  readonly #warned = new Set<string>();
  /** What `printk` and `onOops` threw while CPUs ran. */
  readonly #reportErrors: unknown[] = [];

  constructor(options: MachineOptions = {}) {
    const count = checkCpus(options.cpus ?? 1);
    this.clock = options.clock ?? new VirtualClock();
    this.look = new LastLook(this.clock);
    const { printk, onOops } = options;
    this.printk = printk === undefined ? () => {} : (level, message) => this.#report(() => printk(level, message));
    this.#onOops = onOops ?? ((where, error) => this.#printOops(where, error));
    this.lockdep = options.lockdep === false ? undefined : new Lockdep();
    this.trace = new TraceRing(options.traceRecords);
    const realTime = !(this.clock instanceof VirtualClock);
    const sliceNs = checkLength(options, 'sliceNs', realTime ? REAL_TIME_SLICE_NS : Number.POSITIVE_INFINITY);
    this.#slice = sliceNs === Number.POSITIVE_INFINITY ? undefined : new HostSlice(this.clock, this.look, sliceNs);
    this.#circles = new CircleDetector(this);
    this.preempt = checkPreempt(options.preempt ?? 'full');
    this.threadirqs = options.threadirqs ?? false;
    this.hz = checkHz(options.hz ?? DEFAULT_HZ);
    this.tickNs = NSEC_PER_SEC / this.hz;
    this.bootNs = this.clock.now();
    this.ticks = new TickCount(this.bootNs, this.tickNs);
    this.softirqs = new SoftirqVectors(this, options.extraSoftirqs);
    this.hungTasks = new HungTaskDetector(this, checkLength(options, 'hungTaskTimeoutSecs', HUNG_TASK_TIMEOUT_SECS));
    this.cpuMask = (1 << count) - 1;
    this.cpus = Array.from({ length: count }, (_, id) => new Cpu(this, id));
    this.irqs = new IrqTable(this, options);
    this.workqueues = new WorkqueueSubsystem(this, options.wqPowerEfficient, options.wqCpuIntensiveThreshUs);
    this.workqueues.init();
    this.#continueAlarm = this.clock.createAlarm(() => this.pump());
    this.#startSoftirqs();
    this.net = new Net(this);
    this.irqPoll = new IrqPolls(this);
    initIrqProc(this);
    initProc(this);
  }

  #startSoftirqs(): void {
    for (const cpu of this.cpus) cpu.softirqs.startThread();
    this.softirqs.open(HI_SOFTIRQ, () => this.#bottomHalves(true));
    this.softirqs.open(TASKLET_SOFTIRQ, () => this.#bottomHalves(false));
    this.softirqs.open(TIMER_SOFTIRQ, () => runTimers(thisCpu()));
    this.softirqs.open(HRTIMER_SOFTIRQ, () => thisCpu().hrtimers.runSoft());
  }

  /** Work items of WQ_BH queues, then tasklets. */
  #bottomHalves(highpri: boolean): Outcome {
    const cpu = thisCpu();
    this.look.othersDone();
    const tasklets = highpri ? cpu.hiTasklets : cpu.tasklets;
    if (this.workqueues.runBh(cpu, highpri) === SUSPENDED) return cpu.defer(() => tasklets.run());
    return tasklets.run();
  }

  /** CPU 0, the boot CPU. */
  get bootCpu(): Cpu {
    const [cpu] = this.cpus;
    if (cpu === undefined) throw new KernelError('ENXIO', 'machine without a CPU');
    return cpu;
  }

  /** Sets the root interrupt handler: called in hard interrupt context while a CPU's interrupt line is asserted. */
  setHandleIrq(handler: (cpu: Cpu) => Outcome): void {
    this.irqInputs.setRoot((cpu) => {
      const before = this.look.others();
      const outcome = handler(cpu);
      this.look.othersDone(before);
      return outcome;
    });
  }

  handleIrq(cpu: Cpu): Outcome {
    return this.irqInputs.handle(cpu);
  }

  /**
   * Lets the CPUs run until none can go on at this instant. Called by everything that gives a CPU something to do; within
   * the model's own code it only notes that, so hardware and handlers may call it at any time.
   */
  pump(): void {
    if (!this.#pumping) this.#pump();
  }

  #pump(): void {
    if (this.#continueAlarm.scheduled) {
      this.#takeInterrupts();
      return;
    }
    this.#enter();
    this.#circles.begin();
    try {
      let kicked = true;
      while (kicked && this.#slice?.over !== true) {
        kicked = false;
        for (const cpu of this.cpus) {
          if (!cpu.kicked) continue;
          kicked = true;
          cpu.run();
        }
      }
    } finally {
      this.#leave();
      if (this.#slice?.over === true) this.#continueAlarm.schedule(this.clock.now());
    }
    if (this.#reportErrors.length > 0) this.#throwReportErrors();
  }

  /**
   * Whoever comes in while the host has its turn waits with the others, or each would have a slice of its own; but not his
   * interrupt: the hardware would go on meanwhile, and its next edge be merged with this one.
   */
  #takeInterrupts(): void {
    this.#enter();
    try {
      for (const cpu of this.cpus) if (cpu.kicked) cpu.takeInterrupt();
    } finally {
      this.#leave();
    }
    if (this.#slice?.overdrawn === true) this.clock.endTurn();
    if (this.#reportErrors.length > 0) this.#throwReportErrors();
  }

  #enter(): void {
    this.#pumping = true;
    this.look.othersDone();
    this.#slice?.begin();
  }

  #leave(): void {
    this.#pumping = false;
    this.look.others();
  }

  /** Calls the host's own function; what it throws would leave a CPU half way in or out of a context, and waits until none runs. */
  #report(fn: () => void): void {
    if (!this.#pumping) {
      fn();
      return;
    }
    const before = this.look.others();
    try {
      fn();
    } catch (error) {
      this.#reportErrors.push(error);
    } finally {
      this.look.othersDone(before);
    }
  }

  #throwReportErrors(): never {
    const errors = this.#reportErrors.splice(0);
    throw errors.length === 1 ? errors[0] : new AggregateError(errors, `${errors.length} reports to the host failed`);
  }

  /** Runs `fn`, which may do many things to the hardware, before the CPUs react to any of them; also when it throws. */
  batch(fn: () => void): void {
    if (this.#pumping) {
      fn();
      return;
    }
    this.#pumping = true;
    try {
      fn();
    } finally {
      this.#pumping = false;
      this.pump();
    }
  }

  /** Asked by a CPU after each step: is it the host's turn? Throws when virtual time does not move any more. */
  hostWaits(): boolean {
    if (this.#slice !== undefined) return this.#slice.stepDone();
    this.#circles.stepDone();
    return false;
  }

  /** Starts a kthread; its function runs in process context. */
  spawn(comm: string, body: () => Process<unknown>, options: SpawnOptions = {}): Task {
    const task = this.create(comm, body, options);
    wakeUpNewTask(task);
    return task;
  }

  /** Makes a kthread that does not run before it is woken. */
  create(comm: string, body: () => Process<unknown>, options: SpawnOptions = {}, pid = this.#nextPid++): Task {
    const cpusAllowed = options.cpusAllowed ?? this.cpuMask;
    if ((cpusAllowed & this.cpuMask) === 0) {
      throw new KernelError(
        'EINVAL',
        `task ${comm}: affinity mask ${cpusAllowed.toString(16)} has no CPU of this machine`,
      );
    }
    const cpu = this.cpus.find((candidate) => (cpusAllowed & (1 << candidate.id)) !== 0) ?? this.bootCpu;
    const task: Task = new Task(
      { ...options, pid, comm, cpusAllowed },
      cpu,
      threadBody(() => task, body),
    );
    task.state = TASK_NEW;
    this.tasks.add(task);
    return task;
  }

  /** A task that waits on another CPU and may run on `cpu`, which has nothing better to do: a FIFO one, or any for an idle CPU. */
  waitingElsewhere(cpu: Cpu, fifoOnly: boolean): Task | undefined {
    for (const other of this.cpus) {
      if (other === cpu || other.rq.length === 0) continue;
      // An idle CPU that is about to switch takes its only task itself.
      if (other.current === other.idle && other.rq.length === 1) continue;
      const task = other.rq.waiting(other.current, cpu.id, fifoOnly);
      if (task !== undefined) return task;
    }
    return undefined;
  }

  /** Called by a CPU when a task has ended. */
  forget(task: Task): void {
    this.tasks.delete(task);
  }

  /** Runs `body` in a new task and resolves to its result. Someone has to let the time go on. */
  call<R>(body: () => Process<R>, comm = 'call'): Promise<R> {
    return new Promise((resolve, reject) => {
      const task = this.spawn(comm, () => guarded(body));
      const report = (): void => {
        const outcome = task.exitValue as Guarded<R>;
        if (outcome.ok) resolve(outcome.value);
        else reject(outcome.error);
      };
      if (task.exited) report();
      else task.onExit.push(report);
    });
  }

  /**
   * Runs `body` in a new task and lets virtual time go on until it is done; returns its result.
   *
   * @throws KernelError EDEADLK when nothing is left that could wake the task, when it sleeps in state D without a time-out for
   * longer than `hungTaskTimeoutSecs` (timers that go on for ever would hide the deadlock), or when it is not done after `limitNs`;
   * with who waits for what
   */
  runTask<R>(body: () => Process<R>, comm = 'init', { limitNs = RUN_TASK_LIMIT_NS }: RunTaskOptions = {}): R {
    const clock = this.#virtualClock();
    const end = clock.now() + limitNs;
    const task = this.spawn(comm, () => guarded(body));
    const stuck = (why: string, hint?: string): KernelError =>
      new KernelError('EDEADLK', deadlockText(this, task, why), hint === undefined ? {} : { hint });
    while (!task.exited) {
      if (clock.nextDueNs === Number.POSITIVE_INFINITY) throw stuck('nothing is left that could wake it');
      if (this.hungTasks.isHung(task)) {
        throw stuck('is reported as hung', 'hungTaskTimeoutSecs says how long it may sleep');
      }
      if (!clock.step(end)) throw stuck(`is not done after ${limitNs / NSEC_PER_SEC} s`, 'for a longer run: limitNs');
    }
    const outcome = task.exitValue as Guarded<R>;
    if (!outcome.ok) throw outcome.error;
    return outcome.value;
  }

  /** Moves virtual time on by `ns`. `EPERM` within the model, `EINVAL` in real time; so too the other two. */
  advance(ns: number): void {
    this.#virtualClock().advance(ns);
  }

  /** As {@link advance}, waiting for async handlers on the way. */
  advanceAsync(ns: number): Promise<void> {
    return this.#virtualClock().advanceAsync(ns);
  }

  /** Reports a mistake of the code that runs in the model, in the kernel's words, with the contexts and the place in that code. */
  bug(message: string, ...details: string[]): void {
    this.tainted = true;
    this.printk('emerg', [`BUG: ${message}`, ...details, ...this.#whereabouts()].join('\n'));
  }

  /** Reports a mistake as WARN_ONCE does: the first time only. `message` may be empty; `where` is the kernel function that noticed. */
  warnOnce(key: string, message: string, where: string): void {
    if (this.#warned.has(key)) return;
    this.#warned.add(key);
    this.warn(message, where);
  }

  /** Reports a mistake as WARN does, each time. `message` may be empty; `where` is the kernel function that noticed. */
  warn(message: string, where: string): void {
    this.tainted = true;
    const cpu = runningCpu() ?? this.bootCpu;
    const place = withLongStacks(() => placeOf(new Error().stack));
    const lines = ['------------[ cut here ]------------'];
    if (message !== '') lines.push(message);
    const at = place === '?' ? where : `${place} ${where}`;
    lines.push(`WARNING: CPU: ${cpu.id} PID: ${cpu.current.pid} at ${at}`, ...this.#whereabouts());
    lines.push('---[ end trace 0000000000000000 ]---');
    this.printk('warning', lines.join('\n'));
  }

  /** Asked before a report of a sleeping function in atomic context: the kernel makes one a second. */
  mightSleepReportDue(): boolean {
    const now = jiffiesOf(this);
    if (now < this.#lastMightSleepReport + this.hz) return false;
    this.#lastMightSleepReport = now;
    return true;
  }

  #whereabouts(): string[] {
    const cpu = runningCpu();
    const { stack } = withLongStacks(() => new Error());
    return cpu === undefined ? contextFrames(stack) : stackDump(cpu, stack);
  }

  /** Reports what a function of the user's threw. */
  oops(where: string, error: unknown): void {
    this.#report(() => this.#onOops(where, error));
  }

  #printOops(where: string, error: unknown): void {
    const trace = error instanceof Error ? (error.stack ?? String(error)) : String(error);
    this.printk('alert', `Oops: exception in ${where}\n${trace}`);
  }

  #virtualClock(): VirtualClock {
    if (this.#pumping) {
      throw new KernelError('EPERM', 'time cannot be moved on by code that runs in the model', {
        hint: 'a handler or task waits with `yield* msleep(5)` or `await msleep(5)`',
      });
    }
    if (this.clock instanceof VirtualClock) return this.clock;
    throw new KernelError('EINVAL', 'real time cannot be moved on', { hint: 'use a machine on a VirtualClock' });
  }
}
