// The trace as trace events in JSON, which ui.perfetto.dev and chrome://tracing open.

import { TRACEPOINT_NAMES, Tracepoint, type TraceRecord } from '../../kernel/index.js';
import { TraceTasks } from './trace-tasks.js';

/** A trace event; times are in µs. */
interface TraceEvent {
  readonly name: string;
  /** What kind: B begins, E ends, X is whole, i an instant, C a counter, M a name. */
  readonly ph: 'B' | 'E' | 'X' | 'i' | 'C' | 'M';
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly s?: 't';
  readonly args?: Readonly<Record<string, string | number>>;
}

/** The processes of the picture: CPUs with what runs on them, the tasks, and the lines. */
const CPUS = 1;
const TASKS = 2;
const LINES = 3;
/** The tracks of a CPU. */
const LANES = ['task', 'hardirq', 'softirq'] as const;
const NS_PER_US = 1_000;

/** What begins and what ends it. */
const ENDS = new Map<number, number>([
  [Tracepoint.irqHandlerEntry, Tracepoint.irqHandlerExit],
  [Tracepoint.irqThreadEntry, Tracepoint.irqThreadExit],
  [Tracepoint.softirqEntry, Tracepoint.softirqExit],
  [Tracepoint.workqueueExecuteStart, Tracepoint.workqueueExecuteEnd],
  [Tracepoint.timerExpireEntry, Tracepoint.timerExpireExit],
  [Tracepoint.hrtimerExpireEntry, Tracepoint.hrtimerExpireExit],
  [Tracepoint.taskletEntry, Tracepoint.taskletExit],
]);
const BEGINS = new Map([...ENDS].map(([begin, end]) => [end, begin]));

/** To the ns, without what is left of the division. */
function microseconds(ns: number): number {
  return Math.round(ns) / NS_PER_US;
}

interface Track {
  readonly pid: number;
  readonly tid: number;
}

/** Makes the events of one trace. */
class Picture {
  readonly events: TraceEvent[] = [];
  readonly #tasks: TraceTasks;
  /** By track: what has begun and not ended, as numbers of the tracepoints that began it. */
  readonly #open = new Map<string, number[]>();
  /** By CPU: since when the task of now runs. */
  readonly #since = new Map<number, { readonly pid: number; readonly ts: number }>();
  readonly #named = new Set<string>();

  constructor(records: readonly TraceRecord[]) {
    this.#tasks = new TraceTasks(records);
    for (const [pid, name] of [
      [CPUS, 'CPUs'],
      [TASKS, 'tasks'],
      [LINES, 'lines'],
    ] as const) {
      this.events.push({ name: 'process_name', ph: 'M', pid, tid: 0, args: { name } });
    }
    for (const record of records) this.#add(record);
    const last = records.at(-1);
    if (last !== undefined) for (const cpu of this.#since.keys()) this.#ran(cpu, microseconds(last.timeNs));
  }

  #add(record: TraceRecord): void {
    const { event, timeNs, cpu, a, b, name } = record;
    const ts = microseconds(timeNs);
    const begin = BEGINS.get(event);
    if (ENDS.has(event)) this.#begin(record, ts);
    else if (begin !== undefined) this.#end(record, begin, ts);
    else if (event === Tracepoint.schedSwitch) {
      this.#ran(cpu, ts);
      if (b !== 0) this.#since.set(cpu, { pid: b, ts });
    } else if (event === Tracepoint.gpioValue) {
      this.events.push({ name, ph: 'C', pid: LINES, tid: 0, ts, args: { value: b } });
    } else {
      const label = `${TRACEPOINT_NAMES[event]} ${name}`.trimEnd();
      this.events.push({ name: label, ph: 'i', s: 't', ...this.#lane(cpu, record), ts, args: { a, b } });
    }
  }

  #begin(record: TraceRecord, ts: number): void {
    const track = this.#trackOf(record, record.event);
    this.#stackOf(track).push(record.event);
    const number = record.event === Tracepoint.irqHandlerEntry || record.event === Tracepoint.irqThreadEntry;
    const args = { event: TRACEPOINT_NAMES[record.event] ?? '', ...(number ? { irq: record.a } : {}) };
    this.events.push({ name: record.name || (TRACEPOINT_NAMES[record.event] ?? ''), ph: 'B', ...track, ts, args });
  }

  /** What began before the oldest record has no begin, and is left out. */
  #end(record: TraceRecord, begin: number, ts: number): void {
    const track = this.#trackOf(record, begin);
    const stack = this.#stackOf(track);
    if (stack.at(-1) !== begin) return;
    stack.pop();
    this.events.push({ name: record.name, ph: 'E', ...track, ts, args: { ret: record.b } });
  }

  /** The task of a CPU has gone. */
  #ran(cpu: number, ts: number): void {
    const since = this.#since.get(cpu);
    if (since === undefined) return;
    this.#since.delete(cpu);
    const name = this.#tasks.comm(since.pid, cpu);
    this.events.push({
      name,
      ph: 'X',
      ...this.#cpuTrack(cpu, 'task'),
      ts: since.ts,
      dur: microseconds((ts - since.ts) * NS_PER_US),
    });
  }

  /** Threads and work functions have tracks of their own: they may sleep, and go on elsewhere. */
  #trackOf(record: TraceRecord, begin: number): Track {
    const inTask = begin === Tracepoint.irqThreadEntry || begin === Tracepoint.workqueueExecuteStart;
    return inTask ? this.#taskTrack(record) : this.#lane(record.cpu, record, begin === Tracepoint.irqHandlerEntry);
  }

  #lane(cpu: number, { event }: TraceRecord, hard = false): Track {
    const instant = !ENDS.has(event) && !BEGINS.has(event);
    return this.#cpuTrack(cpu, hard ? 'hardirq' : instant ? 'task' : 'softirq');
  }

  #cpuTrack(cpu: number, lane: (typeof LANES)[number]): Track {
    return this.#track(CPUS, 1 + cpu * LANES.length + LANES.indexOf(lane), `CPU${cpu} ${lane}`);
  }

  #taskTrack({ pid, cpu }: TraceRecord): Track {
    return this.#track(TASKS, pid, this.#tasks.comm(pid, cpu));
  }

  #track(pid: number, tid: number, name: string): Track {
    const key = `${pid}/${tid}`;
    if (!this.#named.has(key)) {
      this.#named.add(key);
      this.events.push({ name: 'thread_name', ph: 'M', pid, tid, args: { name } });
    }
    return { pid, tid };
  }

  #stackOf({ pid, tid }: Track): number[] {
    const key = `${pid}/${tid}`;
    const stack = this.#open.get(key) ?? [];
    this.#open.set(key, stack);
    return stack;
  }
}

/** Writes records, oldest first. */
export function perfettoJson(records: readonly TraceRecord[]): string {
  return `${JSON.stringify({ traceEvents: new Picture(records).events, displayTimeUnit: 'ns' })}\n`;
}
