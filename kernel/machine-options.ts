// What a Machine is made from: size, clock, where reports go, and what the kernel's command line would say.
import type { StormLimits } from './irq/storm.js';
import type { Clock } from './time/clock.js';

/** Levels of the kernel's log (include/linux/kern_levels.h). */
export type LogLevel = 'emerg' | 'alert' | 'crit' | 'err' | 'warning' | 'notice' | 'info' | 'debug';

/**
 * When code in a task is preempted (the kernel's `preempt=`): `full` wherever it may be, `none` only where it calls
 * schedule() or cond_resched() itself.
 */
export type PreemptModel = 'full' | 'none';

/** Receives what the model has to say: one call a message, lines separated by `\n`. */
export type Printk = (level: LogLevel, message: string) => void;

/** What a kernel may be built for. */
export type Arch = 'arm64' | 'x86';

export interface MachineOptions {
  /** Default: a new {@link VirtualClock}. */
  readonly clock?: Clock;
  /** 1 to 8; default 1. */
  readonly cpus?: number;
  /** Records that the trace keeps; default 8,192. */
  readonly traceRecords?: number;
  /** Default: messages are dropped. What it throws comes out of the call that let the CPUs run, when they have come to rest. */
  readonly printk?: Printk;
  /** Receives what functions of the user's threw, with where; default: it is printed as an Oops. If it throws: as `printk`. */
  readonly onOops?: (where: string, error: unknown) => void;
  /** Check the use of locks, at some 0.5 µs a lock taken; default true. */
  readonly lockdep?: boolean;
  /** In real time: how long the model may run before I/O gets its turn, in ns; default 2 ms, none on a {@link VirtualClock}. */
  readonly sliceNs?: number;
  /** Default `full`. */
  readonly preempt?: PreemptModel;
  /**
   * Every handler runs in a thread of its own (`threadirqs`), unless it was requested with IRQF_NO_THREAD, IRQF_PERCPU or
   * IRQF_ONESHOT; softirqs of hard interrupts run in ksoftirqd then. Default false.
   */
  readonly threadirqs?: boolean;
  /** WQ_POWER_EFFICIENT queues are unbound (`workqueue.power_efficient`); default false. */
  readonly wqPowerEfficient?: boolean;
  /** Microseconds after which a work item is treated as WQ_CPU_INTENSIVE (`workqueue.cpu_intensive_thresh_us`); default 10,000, 0 for never. */
  readonly wqCpuIntensiveThreshUs?: number;
  /** Ticks a second: 100, 250 (the default) or 1000. */
  readonly hz?: number;
  /** Seconds in state D after which a task is reported as hung; default 120, 0 or `Infinity` for never. */
  readonly hungTaskTimeoutSecs?: number;
  /** CPUs that new interrupt lines are sent to (`irqaffinity=`), as a mask or as a list such as `0-1,3`; with the boot CPU; default all. */
  readonly irqaffinity?: number | string;
  /**
   * Architecture that the kernel is built for, where it shows: on `x86` a line moves to another CPU in its next interrupt only
   * (CONFIG_GENERIC_PENDING_IRQ), and /proc/interrupts does not say `Level` or `Edge`. Default `arm64`, as on a Pi.
   */
  readonly arch?: Arch;
  /** Interrupts that nobody wants are looked for on other lines: 1 as with `irqfixup`, 2 as with `irqpoll`; default 0. */
  readonly irqfixup?: 0 | 1 | 2;
  /** Lines are not disabled when nobody wants their interrupts (`noirqdebug`); default false. */
  readonly noirqdebug?: boolean;
  /** How much each new interrupt line may interrupt; default as much as it likes. */
  readonly stormGuard?: StormLimits;
  /** Names of softirqs of the user's own, as a kernel built with more of them has: they come just before RCU. */
  readonly extraSoftirqs?: readonly string[];
}
