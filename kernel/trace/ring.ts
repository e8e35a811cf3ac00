// The trace: a ring of typed arrays that is always on and allocates nothing per record.
import { KernelError } from '../errno.js';
import type { Durations } from './durations.js';

/** Tracepoints, with the arguments that each records (names as in Linux's include/trace/events). */
export const Tracepoint = {
  /** irq number, name */
  irqHandlerEntry: 0,
  /** irq number, return value */
  irqHandlerExit: 1,
  /** pid that goes, pid that comes; name of the one that comes */
  schedSwitch: 2,
  /** pid, CPU; comm */
  schedWakeup: 3,
  /** item number, CPU; queue */
  workqueueQueueWork: 4,
  /** item number; function */
  workqueueExecuteStart: 5,
  /** item number; function */
  workqueueExecuteEnd: 6,
  /** line offset, value; name */
  gpioValue: 7,
  /** irq number, name */
  irqThreadEntry: 8,
  /** irq number, return value, name */
  irqThreadExit: 9,
  /** vector; name */
  softirqRaise: 10,
  softirqEntry: 11,
  softirqExit: 12,
  /** expiry in jiffies, unsigned; function */
  timerExpireEntry: 13,
  timerExpireExit: 14,
  /** mode; function */
  hrtimerExpireEntry: 15,
  hrtimerExpireExit: 16,
  /** 0; function */
  taskletEntry: 17,
  taskletExit: 18,
} as const;

export type TracepointId = (typeof Tracepoint)[keyof typeof Tracepoint];

/** Names of the tracepoints by id, as Linux's tracefs has them where it has them. */
export const TRACEPOINT_NAMES: readonly string[] = [
  'irq_handler_entry',
  'irq_handler_exit',
  'sched_switch',
  'sched_wakeup',
  'workqueue_queue_work',
  'workqueue_execute_start',
  'workqueue_execute_end',
  'gpio_value',
  'irq_thread_entry',
  'irq_thread_exit',
  'softirq_raise',
  'softirq_entry',
  'softirq_exit',
  'timer_expire_entry',
  'timer_expire_exit',
  'hrtimer_expire_entry',
  'hrtimer_expire_exit',
  'tasklet_entry',
  'tasklet_exit',
];

const MAX_RECORDS = 2 ** 24;

/** One record, as read back. */
export interface TraceRecord {
  /** Number of the record since the start, from 0. */
  readonly index: number;
  readonly timeNs: number;
  readonly cpu: number;
  readonly preemptCount: number;
  readonly pid: number;
  readonly event: TracepointId;
  readonly a: number;
  readonly b: number;
  readonly name: string;
}

/** Numbers of a record besides its time, one after the other: what happened where, preempt_count, pid, a, b, name; room for 8. */
const FIELD_BITS = 3;
const CPU_MASK = 0xff;
const EVENT_SHIFT = 8;

/** Overwrites the oldest when full. */
export class TraceRing {
  readonly capacity: number;
  /** Records ever written. */
  written = 0;
  /** Measures handlers, once somebody asks for that; until then it costs nothing. */
  durations: Durations | undefined;
  readonly #mask: number;
  readonly #time: Float64Array;
  readonly #fields: Int32Array;
  readonly #names: string[] = [''];
  readonly #nameIds = new Map<string, number>([['', 0]]);

  /** `capacity` is rounded up to a power of two, 16 at least; 8,192 records take 320 KB. `EINVAL` for what is no number. */
  constructor(capacity = 8192) {
    if (!(capacity > 0 && capacity <= MAX_RECORDS)) {
      throw new KernelError('EINVAL', `a trace of ${capacity} records: 1 to ${MAX_RECORDS} can be kept`);
    }
    const size = 2 ** Math.ceil(Math.log2(Math.max(16, capacity)));
    this.capacity = size;
    this.#mask = (size - 1) | 0;
    this.#time = new Float64Array(size);
    this.#fields = new Int32Array(size << FIELD_BITS);
  }

  /** A number that stands for a name in {@link record}. Called when things are set up, not per event. */
  intern(name: string): number {
    let id = this.#nameIds.get(name);
    if (id === undefined) {
      id = this.#names.length;
      this.#names.push(name);
      this.#nameIds.set(name, id);
    }
    return id;
  }

  record(
    event: TracepointId,
    timeNs: number,
    cpu: number,
    preemptCount: number,
    pid: number,
    a: number,
    b: number,
    nameId: number,
  ): void {
    const at = this.written++ & this.#mask;
    this.#time[at] = timeNs;
    const fields = this.#fields;
    const field = at << FIELD_BITS;
    fields[field] = (event << EVENT_SHIFT) | cpu;
    // What is seen to be a 32-bit integer is not converted by way of a double, which takes longer than all the rest.
    fields[field | 1] = preemptCount | 0;
    fields[field | 2] = pid | 0;
    fields[field | 3] = a | 0;
    fields[field | 4] = b | 0;
    fields[field | 5] = nameId | 0;
    // The time by its place: handed over, it would be an object on the heap wherever the compiler does not inline.
    if (this.durations !== undefined) this.durations.note(event, this.#time, at, cpu, pid);
  }

  /** Records from number `from` on that are still there, oldest first. */
  *read(from = 0): Generator<TraceRecord> {
    for (let i = from; i < this.written; i++) {
      // Looked at each time: what is read may be overwritten while its reader does something else.
      i = Math.max(i, this.written - this.capacity, 0);
      const at = i & this.#mask;
      const timeNs = this.#time[at] ?? 0;
      const [where = 0, preemptCount = 0, pid = 0, a = 0, b = 0, name = 0] = this.#fields.subarray(at << FIELD_BITS);
      const event = (where >> EVENT_SHIFT) as TracepointId;
      yield {
        index: i,
        timeNs,
        cpu: where & CPU_MASK,
        preemptCount: preemptCount >>> 0,
        pid,
        event,
        a: event === Tracepoint.timerExpireEntry || event === Tracepoint.timerExpireExit ? a >>> 0 : a,
        b,
        name: this.#names[name] ?? '',
      };
    }
  }
}
