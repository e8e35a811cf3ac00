// What the control API shows of the model's kernel, and lets be changed: lines, files, softirqs, workqueues, tasks.

import type { DurationCounts, IrqState, TaskInfo } from '../../kernel/index.js';

/** One interrupt line of the model, in all that is known of it. */
export interface IrqStatus {
  /** Linux interrupt number in the model. */
  readonly irq: number;
  readonly hwirq: number;
  /** Name of the irq_chip. */
  readonly chip: string;
  readonly type: 'edge' | 'level';
  /** Names of its actions, in the order in which they run. */
  readonly actions: readonly string[];
  /** It has none: it hands on the interrupts of other lines, as a GPIO controller's own does. */
  readonly chained: boolean;
  /** Interrupts by CPU. */
  readonly counts: readonly number[];
  readonly enabled: boolean;
  /** What its interrupt is at: `inactive`, `pending`, `active`, `active+pending`, `disabled`. */
  readonly state: IrqState;
  /** Disabled as often as this, by handlers and through this API. */
  readonly depth: number;
  /** Its storm guard has disabled it, for a while. */
  readonly throttled: boolean;
  /** Of these, through this API: as many `enable` take it back. */
  readonly heldHere: number;
  /** An interrupt came while it was disabled, and is replayed when it is enabled. */
  readonly pending: boolean;
  /** CPUs that it may interrupt, and those that it does, as lists such as `0-2,4`. */
  readonly affinity: string;
  readonly effectiveAffinity: string;
  /** Interrupts that no handler wanted, of the last 100,000. */
  readonly unhandled: number;
}

/** A file of the model's /proc and /sys, or what a directory has. */
export type FileAnswer =
  | { readonly path: string; readonly text: string }
  | {
      readonly path: string;
      readonly entries: readonly { readonly name: string; readonly directory: boolean; readonly mode: number }[];
    };

/** A softirq vector; `counts` by CPU. */
export interface SoftirqStatus {
  readonly name: string;
  readonly counts: readonly number[];
}

/** A workqueue. Counts are of all its parts. */
export interface WorkqueueStatus {
  readonly name: string;
  /** Without the prefix: `UNBOUND`, `HIGHPRI` … */
  readonly flags: readonly string[];
  readonly maxActive: number;
  /** Items that run or are about to. */
  readonly active: number;
  /** Items beyond max_active. */
  readonly waiting: number;
  readonly started: number;
  readonly completed: number;
}

/**
 * What can be asked of the model, and told. Methods throw KernelError with code and hint: `EINVAL` for an unknown interrupt,
 * and for `enable` of one that was not disabled through this API, `EPERM` for `disable` of a chained one; of files what the kernel's give (`ENOENT`, `EPERM`, `EIO` …).
 */
export interface ModelTarget {
  irq(irq: number): IrqStatus;
  /** Disables a line once more, without waiting for its handlers. */
  disableIrq(irq: number): Promise<IrqStatus>;
  /** Undoes one {@link disableIrq}; those of handlers stay. */
  enableIrq(irq: number): Promise<IrqStatus>;
  /** @param mask in hexadecimal, as smp_affinity takes it */
  setAffinity(irq: number, mask: string): Promise<IrqStatus>;
  readFile(path: string): FileAnswer;
  writeFile(path: string, text: string): Promise<void>;
  /** `text` is /proc/softirqs. */
  softirqs(): { readonly text: string; readonly softirqs: readonly SoftirqStatus[] };
  workqueues(): readonly WorkqueueStatus[];
  /** How long handlers took, by context, since this was asked for first. */
  durations?(): readonly DurationCounts[];
  /** `text` is as ps shows it. */
  tasks(): { readonly text: string; readonly tasks: readonly TaskInfo[] };
}
