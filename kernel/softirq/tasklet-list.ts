// The tasklets of one CPU and vector: scheduled ones in order, each run by one CPU at a time (kernel/softirq.c).
import { cutsOff } from '../sched/atomic.js';
import { type Atomic, DONE, type Frame, type Outcome, SUSPENDED } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { WaitQueueHead, waitqueueActive, wakeUp } from '../sched/wait.js';
import { Tracepoint } from '../trace/ring.js';

/** A tasklet's function in its present form: it gets the tasklet. Softirq context; may not sleep. */
export type TaskletFn = (tasklet: Tasklet) => Atomic<void>;

/** Bits of {@link Tasklet.state}: scheduled, and its function under way. */
export const TASKLET_STATE_SCHED = 0;
export const TASKLET_STATE_RUN = 1;

/** The name of a tasklet's function, for traces and reports. */
export function nameOf(fn: { readonly name: string }): string {
  return fn.name || 'tasklet';
}

/**
 * A function to be run soon in softirq context (struct tasklet_struct). Extend it to carry data, where C uses from_tasklet.
 *
 * @deprecated As in the kernel, which keeps tasklets for drivers that have them: take a thread function
 * (`requestThreadedIrq`), a work item (`queueWork`), which may sleep, or one of a `WQ_BH` queue, which runs where tasklets do.
 *
 * ```ts
 * const tasklet = new Tasklet(() => log('bottom half'));       // DECLARE_TASKLET(tasklet, fn)
 * const handler = () => {
 *   taskletSchedule(tasklet);
 *   return IRQ_HANDLED;
 * };
 * ```
 */
export class Tasklet {
  /** Set by taskletSetup and taskletInit only. */
  fn: TaskletFn;
  /** Shown in traces and reports. */
  name: string;
  /** Disabled as often as this; 0 is enabled. */
  count: number;
  /** The function gets the tasklet; else, in the old form, {@link data}. */
  useCallback = true;
  /** What a function in the old form gets. */
  data: unknown = 0;
  /** It will run, and scheduling it does nothing (TASKLET_STATE_SCHED). */
  scheduled = false;
  /** Its function is under way, on one CPU (TASKLET_STATE_RUN). */
  running = false;
  /** Behind it in its list. */
  next: Tasklet | undefined;
  /** Found disabled, or running elsewhere, when its turn came there last. */
  putBackOn: TaskletList | undefined;
  /** Tasks that wait for a change of its state. */
  readonly waiters = new WaitQueueHead();
  /** What spins until its function has ended. */
  readonly spinners = new Set<Frame>();
  /** Where its function runs, or ran last; undefined since it got another. */
  cpu: Cpu | undefined;
  /** `name` in the trace of that CPU's machine. */
  nameId = 0;

  /** `count` 1 makes it disabled (DECLARE_TASKLET_DISABLED). */
  constructor(fn: TaskletFn, count: 0 | 1 = 0) {
    this.fn = fn;
    this.name = nameOf(fn);
    this.count = count;
  }

  /** As the kernel has it, in bits. */
  get state(): number {
    return (this.scheduled ? 1 << TASKLET_STATE_SCHED : 0) | (this.running ? 1 << TASKLET_STATE_RUN : 0);
  }

  /** Has it tried again at once where its turn had come in vain, if nothing is in the way any more. */
  retry(): void {
    if (this.putBackOn !== undefined && !this.running && this.count === 0) this.putBackOn.retry();
  }

  /** Its state has changed (wake_up_var). */
  wakeWaiters(): void {
    if (waitqueueActive(this.waiters)) wakeUp(this.waiters);
  }

  /** Its function has ended. */
  releaseSpinners(): void {
    for (const frame of this.spinners) frame.spinning = false;
    this.spinners.clear();
    for (const cpu of this.cpu?.machine.cpus ?? []) cpu.kick();
  }
}

/** The list of one CPU and vector. */
export class TaskletList {
  readonly #cpu: Cpu;
  readonly #vector: number;
  #first: Tasklet | undefined;
  #last: Tasklet | undefined;

  constructor(cpu: Cpu, vector: number) {
    this.#cpu = cpu;
    this.#vector = vector;
  }

  /** Puts a tasklet behind the others and raises the vector. */
  add(tasklet: Tasklet): void {
    this.#append(tasklet);
    this.#cpu.softirqs.raise(this.#vector);
  }

  /** One that was put back can run now. */
  retry(): void {
    this.#cpu.softirqs.retry(this.#vector);
  }

  /** The softirq: runs those that are scheduled now; what is scheduled meanwhile waits for the next pass. */
  run(): Outcome {
    const first = this.#first;
    this.#first = undefined;
    this.#last = undefined;
    return this.#walk(first);
  }

  #append(tasklet: Tasklet): void {
    if (this.#last === undefined) this.#first = tasklet;
    else this.#last.next = tasklet;
    this.#last = tasklet;
  }

  #walk(first: Tasklet | undefined): Outcome {
    let tasklet = first;
    while (tasklet !== undefined) {
      const { next } = tasklet;
      tasklet.next = undefined;
      if (tasklet.running || tasklet.count > 0) {
        tasklet.putBackOn = this;
        this.#append(tasklet);
        this.#cpu.softirqs.putBack(this.#vector);
      } else if (this.#call(tasklet) === SUSPENDED) {
        return this.#deferWalk(next);
      }
      tasklet = next;
    }
    return DONE;
  }

  /** On its own, since a closure in the walk would cost it an object a call. */
  #deferWalk(next: Tasklet | undefined): Outcome {
    return this.#cpu.defer(() => this.#walk(next));
  }

  #call(tasklet: Tasklet): Outcome {
    const cpu = this.#cpu;
    tasklet.putBackOn = undefined;
    tasklet.scheduled = false;
    tasklet.running = true;
    if (tasklet.cpu !== cpu) {
      tasklet.cpu = cpu;
      tasklet.nameId = cpu.machine.trace.intern(tasklet.name);
    }
    tasklet.wakeWaiters();
    cpu.trace(Tracepoint.taskletEntry, 0, 0, tasklet.nameId);
    const { look } = cpu.machine;
    look.others();
    let result: unknown;
    try {
      result = tasklet.fn(tasklet);
    } catch (error) {
      cpu.machine.oops(`tasklet ${tasklet.name}`, error);
    }
    look.othersDone();
    if (result !== undefined && cutsOff(cpu, `tasklet ${tasklet.name}`, result)) {
      return cpu.suspend(result, (error, thrown) => {
        if (thrown) cpu.machine.oops(`tasklet ${tasklet.name}`, error);
        return this.#finish(tasklet);
      });
    }
    return this.#finish(tasklet);
  }

  #finish(tasklet: Tasklet): Outcome {
    const cpu = this.#cpu;
    cpu.trace(Tracepoint.taskletExit, 0, 0, tasklet.nameId);
    tasklet.running = false;
    tasklet.retry();
    tasklet.wakeWaiters();
    if (tasklet.spinners.size > 0) tasklet.releaseSpinners();
    return DONE;
  }
}
