// Task: a thread of execution of the model (struct task_struct), with its state, policy and affinity.
import type { HeldLock, LockMap } from '../locking/held.js';
import { type Coroutine, Frame } from './coroutine.js';
import type { Cpu } from './cpu.js';

/** Task states (include/linux/sched.h). */
export const TASK_RUNNING = 0x0;
export const TASK_INTERRUPTIBLE = 0x1;
export const TASK_UNINTERRUPTIBLE = 0x2;
/** With TASK_UNINTERRUPTIBLE: a fatal signal wakes it all the same. */
export const TASK_WAKEKILL = 0x100;
export const TASK_KILLABLE = TASK_WAKEKILL | TASK_UNINTERRUPTIBLE;
export const TASK_PARKED = 0x40;
export const TASK_DEAD = 0x80;
/** Made and never woken. */
export const TASK_NEW = 0x800;
const TASK_NOLOAD = 0x400;
/** Uninterruptible but idle: not counted as stuck. Shown as `I`. */
export const TASK_IDLE = TASK_UNINTERRUPTIBLE | TASK_NOLOAD;
/** States that an ordinary wake-up ends. */
export const TASK_NORMAL = TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE;

export const MAX_RT_PRIO = 100;
export const MAX_PRIO = 140;
const DEFAULT_PRIO = 120;
/** Length of `comm` without the end mark (TASK_COMM_LEN - 1). */
const COMM_MAX = 15;

export type SchedPolicy = 'SCHED_NORMAL' | 'SCHED_FIFO';

/** What a worker pool has the scheduler call for its tasks. */
export interface WorkerHooks {
  goesToSleep(): void;
  comesBack(): void;
  /** It is about to keep the CPU until then. */
  busyUntil(untilNs: number): void;
  /** What it is at, for reports; undefined for nothing. */
  readonly info: string | undefined;
}

/** Something that tasks wait for, and who has it. */
export interface Blocker {
  /** E.g. `mutex (lock)`. */
  readonly describe: string;
  readonly map: LockMap;
  readonly owner: Task | undefined;
}

/** What {@link Task} is made from. */
export interface TaskOptions {
  readonly pid: number;
  /** Cut to 15 characters, as in the kernel. */
  readonly comm: string;
  /** -20 to 19, for SCHED_NORMAL. */
  readonly nice?: number;
  /** 1 to 99 makes it SCHED_FIFO. */
  readonly rtPriority?: number;
  /** CPUs it may run on, as a bit mask. */
  readonly cpusAllowed: number;
}

/** A kernel thread. Read by anyone; changed by the scheduler and by calls made for the task itself. */
export class Task {
  readonly pid: number;
  readonly comm: string;
  /** `comm` in the machine's trace. */
  readonly nameId: number;
  policy: SchedPolicy;
  /** 1-99 for SCHED_FIFO, 0 otherwise. */
  rtPriority: number;
  nice: number;
  /** CPUs it may run on, as a bit mask. */
  cpusAllowed: number;
  state = TASK_RUNNING;
  /** The CPU that it runs on, or ran on last. */
  cpu: Cpu;
  /** It is on a run queue (the running task is too). */
  onRq = false;
  /** Its neighbours there, and what it is ordered by; written by {@link TaskList}. */
  nextOnRq: Task | undefined;
  previousOnRq: Task | undefined;
  rqKey = 0;
  /** preempt_count kept while it does not run. */
  preemptCount = 0;
  /** Ns on a CPU, and the same weighted by nice. */
  sumExecNs = 0;
  vruntime = 0;
  /** Set by kthreadStop; seen by kthreadShouldStop. */
  shouldStop = false;
  /** Set by kthreadPark; seen by kthreadShouldPark. */
  shouldPark = false;
  /** Tasks that wait for it to park. */
  readonly parkers = new Set<Task>();
  /** Its function has begun. */
  started = false;
  /** Since when it sleeps uninterruptibly, and whether that was reported; -1 when it does not. */
  blockedSinceNs = -1;
  reportedHung = false;
  /** A time-out is armed that will wake it. */
  timedSleep = false;
  /** What the body returned, or what it threw. */
  exitValue: unknown;
  exitError: unknown;
  /** Set for a kworker: its pool wants to know when it sleeps. */
  worker: WorkerHooks | undefined;
  /** Locks taken and not yet released, oldest first, as lockdep sees them. */
  readonly heldLocks: HeldLock[] = [];
  /** What the task waits for, if it is something that a task can hold; for reports of deadlocks. */
  blockedOn: Blocker | undefined;
  /** Signals sent and not taken, and those that it wants to get at all: bit n - 1 for signal n. */
  pendingSignals = 0;
  allowedSignals = 0;
  /** Called once at the end of the task, in its context. */
  readonly onExit: (() => void)[] = [];
  readonly frame: Frame;

  constructor(options: TaskOptions, cpu: Cpu, body: Coroutine) {
    this.pid = options.pid;
    this.comm = options.comm.slice(0, COMM_MAX);
    this.nameId = cpu.machine.trace.intern(this.comm);
    this.nice = options.nice ?? 0;
    this.rtPriority = options.rtPriority ?? 0;
    this.policy = this.rtPriority > 0 ? 'SCHED_FIFO' : 'SCHED_NORMAL';
    this.cpusAllowed = options.cpusAllowed;
    this.cpu = cpu;
    this.frame = new Frame(body);
  }

  /** Kernel-internal priority: 0-98 for SCHED_FIFO, 100-139 for SCHED_NORMAL; lower runs first. */
  get prio(): number {
    return this.policy === 'SCHED_FIFO' ? MAX_RT_PRIO - 1 - this.rtPriority : DEFAULT_PRIO + this.nice;
  }

  get exited(): boolean {
    return this.state === TASK_DEAD;
  }

  /** The letter that `ps` shows. */
  get stateLetter(): 'R' | 'S' | 'D' | 'I' | 'P' | 'X' {
    if (this.state === TASK_IDLE) return 'I';
    if ((this.state & TASK_INTERRUPTIBLE) !== 0) return 'S';
    if ((this.state & TASK_UNINTERRUPTIBLE) !== 0) return 'D';
    if (this.state === TASK_PARKED) return 'P';
    return this.state === TASK_DEAD ? 'X' : 'R';
  }

  allows(cpuId: number): boolean {
    return (this.cpusAllowed & (1 << cpuId)) !== 0;
  }
}
