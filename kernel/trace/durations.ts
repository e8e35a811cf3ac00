// How long handlers take, by context: entries and exits of the trace, counted into buckets as they are written.
import { Tracepoint, type TracepointId } from './ring.js';

/**
 * Contexts whose handlers are measured. Times are from entry to exit by the machine's clock: what interrupts a handler is in
 * them, and what a thread or a work item waits for.
 */
export const DURATION_CONTEXTS = ['hardirq', 'softirq', 'tasklet', 'timer', 'hrtimer', 'thread', 'work'] as const;

export type DurationContext = (typeof DURATION_CONTEXTS)[number];

/** Upper ends of the buckets in ns, included: 1 µs, and each four times the last, to 4.2 s. What takes longer is in one more. */
export const DURATION_BOUNDS_NS: readonly number[] = Array.from({ length: 12 }, (_, k) => 1000 * 4 ** k);

const BUCKETS = DURATION_BOUNDS_NS.length + 1;
const CONTEXT_BITS = 3;
/** From this one on, handlers are of tasks, which take turns on a CPU. */
const FIRST_OF_TASKS = DURATION_CONTEXTS.indexOf('thread');
/** Tasks that are in a handler at once and kept apart: a power of two. Of two that would share a place, only the later is measured. */
const TASKS = 256;
const NOBODY = -1;
/** More would be no 32-bit integer; it is far beyond all bounds. */
const MOST_US = 0x7fffffff;

/** By tracepoint: 0 for neither; else 1 + twice the number of the context, and 1 more for an exit. */
const KINDS = new Uint8Array(32);
const PAIRS: readonly (readonly [DurationContext, TracepointId, TracepointId])[] = [
  ['hardirq', Tracepoint.irqHandlerEntry, Tracepoint.irqHandlerExit],
  ['softirq', Tracepoint.softirqEntry, Tracepoint.softirqExit],
  ['tasklet', Tracepoint.taskletEntry, Tracepoint.taskletExit],
  ['timer', Tracepoint.timerExpireEntry, Tracepoint.timerExpireExit],
  ['hrtimer', Tracepoint.hrtimerExpireEntry, Tracepoint.hrtimerExpireExit],
  ['thread', Tracepoint.irqThreadEntry, Tracepoint.irqThreadExit],
  ['work', Tracepoint.workqueueExecuteStart, Tracepoint.workqueueExecuteEnd],
];
for (const [context, entry, exit] of PAIRS) {
  const number = DURATION_CONTEXTS.indexOf(context);
  KINDS[entry] = 1 + 2 * number;
  KINDS[exit] = 2 + 2 * number;
}

/** What was measured in one context. */
export interface DurationCounts {
  readonly context: DurationContext;
  /** By bucket, as {@link DURATION_BOUNDS_NS} has them, and those beyond. */
  readonly buckets: readonly number[];
  readonly sumNs: number;
}

/** Number of the bucket for a time: the first whose bound is not below it. */
function bucketOf(ns: number): number {
  const us = Math.min(Math.ceil(ns / 1000), MOST_US);
  if (us <= 1) return 0;
  return Math.min((33 - Math.clz32(us - 1)) >> 1, BUCKETS - 1);
}

/** Typed arrays only: nothing is allocated per record. */
export class Durations {
  readonly #starts: Float64Array;
  /** Pid of who entered, or {@link NOBODY}. */
  readonly #owners: Int32Array;
  readonly #firstTask: number;
  readonly #buckets = new Float64Array(DURATION_CONTEXTS.length * BUCKETS);
  readonly #sums = new Float64Array(DURATION_CONTEXTS.length);

  /** @param cpus of the machine */
  constructor(cpus: number) {
    this.#firstTask = cpus << CONTEXT_BITS;
    const places = this.#firstTask + 2 * TASKS;
    this.#starts = new Float64Array(places);
    this.#owners = new Int32Array(places).fill(NOBODY);
  }

  /** Takes in a record whose time is at `times[at]`. An exit whose entry was not seen, or was written over, is left out. */
  note(event: TracepointId, times: Float64Array, at: number, cpu: number, pid: number): void {
    const kind = KINDS[event] ?? 0;
    if (kind === 0) return;
    const context = (kind - 1) >> 1;
    const place =
      context < FIRST_OF_TASKS
        ? (cpu << CONTEXT_BITS) | context
        : this.#firstTask + (((pid & (TASKS - 1)) << 1) | (context - FIRST_OF_TASKS));
    if ((kind & 1) === 1) {
      this.#starts[place] = times[at] ?? 0;
      this.#owners[place] = pid;
    } else if (this.#owners[place] === pid) {
      this.#owners[place] = NOBODY;
      const ns = (times[at] ?? 0) - (this.#starts[place] ?? 0);
      const bucket = context * BUCKETS + bucketOf(ns);
      this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
      this.#sums[context] = (this.#sums[context] ?? 0) + ns;
    }
  }

  /** What has been measured so far, by context. */
  read(): DurationCounts[] {
    return DURATION_CONTEXTS.map((context, number) => ({
      context,
      buckets: [...this.#buckets.subarray(number * BUCKETS, (number + 1) * BUCKETS)],
      sumNs: this.#sums[number] ?? 0,
    }));
  }
}
