// The trace as a picture: time runs down, a lane for each kind of context, in it a rail for each CPU.
import { KernelError } from '../errno.js';
import { IRQ_HANDLED, IRQ_NONE, IRQ_WAKE_THREAD } from '../irq/flags.js';
import { contextOf } from '../sched/preempt.js';
import { TRACEPOINT_NAMES, Tracepoint, type TraceRecord, type TraceRing } from './ring.js';

const LANES = ['hardirq', 'softirq', 'irq thread', 'kworker', 'others', 'idle'] as const;
type Lane = (typeof LANES)[number];

/** What a rail shows beside the events themselves. */
const RAIL = { running: '┃', away: '┊', idle: '│', none: ' ' } as const;
/** How an event sits on its rail. */
const MARK = { begin: '┏', end: '┗', within: '┠', resume: '┣', alone: '╺' } as const;

const LEGEND = '┏ begins  ┗ ends  ┃ runs  ┊ waits  ┠ does  ┣ goes on  ╺ an interrupt  ⋮ a pause';
const GAP = '  ';
/** Time in which nothing happens gets a row of its own from this length on. */
const PAUSE_NS = 1_000_000;
const NS_PER_US = 1_000;
const MIN_WIDTH = 60;

/** What part of a trace to draw, and how wide. */
export interface TimelineOptions {
  /** Number of the first record; default: the oldest that is kept. */
  readonly from?: number;
  /** Columns; default 100, at least 60. */
  readonly width?: number;
}

/** One line of the picture: an event in its lane, and what every rail shows there. */
interface Row {
  readonly timeNs: number;
  /** Index of the lane with the event, -1 for a pause. */
  readonly lane: number;
  readonly label: string;
  /** By lane, a character for each CPU. */
  readonly rails: readonly string[];
}

/** What an event looks like: where, how, and in which words. */
interface Look {
  readonly lane: Lane;
  readonly mark: string;
  readonly label: string;
}

/** What is known of a task from the records so far. */
interface Seen {
  lane: Lane;
  comm: string;
  cpu: number;
  /** Its thread or work function has begun and not ended. */
  busy: boolean;
}

function laneOfComm(pid: number, comm: string): Lane {
  if (pid === 0) return 'idle';
  if (comm.startsWith('irq/')) return 'irq thread';
  return comm.startsWith('kworker/') ? 'kworker' : 'others';
}

function returnName(value: number): string {
  if (value === IRQ_NONE) return 'NONE';
  if (value === IRQ_HANDLED) return 'HANDLED';
  if (value === IRQ_WAKE_THREAD) return 'WAKE_THREAD';
  return value === (IRQ_HANDLED | IRQ_WAKE_THREAD) ? 'HANDLED|WAKE_THREAD' : `returned ${value}`;
}

/** Follows the records and says what each looks like. */
class Follower {
  readonly #cpus: number;
  /** By pid. */
  readonly #tasks = new Map<number, Seen>();
  /** By CPU: the running task, and handlers and softirqs that have begun and not ended. */
  readonly #current: number[];
  readonly #handlers: number[];
  readonly #softirqs: number[];
  /** When a handler last asked for its thread, which it then wakes. */
  readonly #wokeNs: number[];

  constructor(cpus: number) {
    this.#cpus = cpus;
    this.#current = new Array<number>(cpus).fill(0);
    this.#handlers = new Array<number>(cpus).fill(0);
    this.#softirqs = new Array<number>(cpus).fill(0);
    this.#wokeNs = new Array<number>(cpus).fill(-1);
  }

  /** How a record looks, or `undefined` for one that the next one says too. Takes note of what it changes. */
  look(record: TraceRecord, next: TraceRecord | undefined): Look | undefined {
    const { event, pid, cpu, a, b, name } = record;
    const context = contextOf(record.preemptCount);
    const lane: Lane = context === 'task' ? this.#task(pid, cpu).lane : context === 'nmi' ? 'hardirq' : context;
    switch (event) {
      case Tracepoint.irqHandlerEntry:
        this.#handlers[cpu] = (this.#handlers[cpu] ?? 0) + 1;
        return { lane: 'hardirq', mark: MARK.begin, label: `${a}: ${name}` };
      case Tracepoint.irqHandlerExit:
        this.#handlers[cpu] = Math.max(0, (this.#handlers[cpu] ?? 0) - 1);
        if (b === IRQ_WAKE_THREAD) this.#wokeNs[cpu] = record.timeNs;
        return { lane: 'hardirq', mark: MARK.end, label: returnName(b) };
      case Tracepoint.irqThreadEntry:
        return this.#begin(pid, cpu, 'irq thread', `${a}: ${name}`);
      case Tracepoint.irqThreadExit:
        return this.#end(pid, cpu, 'irq thread', returnName(b));
      case Tracepoint.workqueueExecuteStart:
        return this.#begin(pid, cpu, 'kworker', name);
      case Tracepoint.workqueueExecuteEnd:
        return this.#end(pid, cpu, 'kworker', name);
      case Tracepoint.workqueueQueueWork:
        return { lane, mark: MARK.within, label: `queue work on ${name}` };
      case Tracepoint.gpioValue:
        return { lane, mark: MARK.within, label: `${name} = ${b}` };
      case Tracepoint.softirqEntry:
        this.#softirqs[cpu] = (this.#softirqs[cpu] ?? 0) + 1;
        return { lane: 'softirq', mark: MARK.begin, label: name };
      case Tracepoint.softirqExit:
        this.#softirqs[cpu] = Math.max(0, (this.#softirqs[cpu] ?? 0) - 1);
        return { lane: 'softirq', mark: MARK.end, label: name };
      case Tracepoint.timerExpireEntry:
      case Tracepoint.taskletEntry:
      case Tracepoint.hrtimerExpireEntry:
        // A timer without a name is one of the kernel's own: what it wakes is the news.
        return name === '' ? undefined : { lane, mark: MARK.begin, label: name };
      case Tracepoint.timerExpireExit:
      case Tracepoint.taskletExit:
      case Tracepoint.hrtimerExpireExit:
        return name === '' ? undefined : { lane, mark: MARK.end, label: name };
      case Tracepoint.schedWakeup:
        return this.#wakeup(record, lane);
      case Tracepoint.schedSwitch:
        return this.#switch(record, next);
      default:
        return { lane, mark: MARK.within, label: `${TRACEPOINT_NAMES[event] ?? `event ${event}`} ${name}`.trimEnd() };
    }
  }

  /** What a lane's rails show while nothing happens in it; `inInterrupt` is the CPU whose task is interrupted just now. */
  rails(lane: Lane, inInterrupt: number): string[] {
    return Array.from({ length: this.#cpus }, (_, cpu) => this.#rail(lane, cpu, cpu === inInterrupt));
  }

  #rail(lane: Lane, cpu: number, inInterrupt: boolean): string {
    const handling = (this.#handlers[cpu] ?? 0) > 0;
    if (lane === 'hardirq') return handling ? RAIL.running : RAIL.none;
    const serving = (this.#softirqs[cpu] ?? 0) > 0;
    if (lane === 'softirq') return !serving ? RAIL.none : handling || inInterrupt ? RAIL.away : RAIL.running;
    const pid = this.#current[cpu] ?? 0;
    const away = handling || serving || inInterrupt;
    if (lane === 'idle') return pid === 0 && !away ? RAIL.idle : RAIL.none;
    if (pid !== 0 && this.#task(pid, cpu).lane === lane) return away ? RAIL.away : RAIL.running;
    for (const task of this.#tasks.values()) {
      if (task.busy && task.lane === lane && task.cpu === cpu) return RAIL.away;
    }
    return RAIL.none;
  }

  /** The first record of a CPU tells which task runs there. */
  startsWith(record: TraceRecord): void {
    this.#current[record.cpu] = record.pid;
  }

  #task(pid: number, cpu: number): Seen {
    let task = this.#tasks.get(pid);
    if (task === undefined) {
      task = { lane: laneOfComm(pid, ''), comm: `pid ${pid}`, cpu, busy: false };
      this.#tasks.set(pid, task);
    }
    return task;
  }

  #named(pid: number, cpu: number, comm: string): Seen {
    const task = this.#task(pid, cpu);
    task.comm = comm;
    task.lane = laneOfComm(pid, comm);
    return task;
  }

  #begin(pid: number, cpu: number, lane: Lane, label: string): Look {
    Object.assign(this.#task(pid, cpu), { lane, cpu, busy: true });
    return { lane, mark: MARK.begin, label };
  }

  #end(pid: number, cpu: number, lane: Lane, label: string): Look {
    Object.assign(this.#task(pid, cpu), { lane, cpu, busy: false });
    return { lane, mark: MARK.end, label };
  }

  /** Only that a sleeper goes on is news: that a thread or a worker starts shows by itself. */
  #wakeup({ a, b, cpu, name, timeNs }: TraceRecord, lane: Lane): Look | undefined {
    const task = this.#named(a, b, name);
    const asked = task.lane === 'irq thread' && this.#wokeNs[cpu] === timeNs;
    if (!task.busy || asked || lane === 'idle' || (this.#handlers[cpu] ?? 0) > 0) return undefined;
    return { lane, mark: lane === 'hardirq' ? MARK.alone : MARK.within, label: `wakes ${name}` };
  }

  #switch({ a, b, cpu, timeNs, name }: TraceRecord, next: TraceRecord | undefined): Look | undefined {
    const begins = next?.event === Tracepoint.irqThreadEntry || next?.event === Tracepoint.workqueueExecuteStart;
    this.#task(a, cpu).cpu = cpu;
    const task = this.#named(b, cpu, name);
    task.cpu = cpu;
    this.#current[cpu] = b;
    if (begins && next.timeNs === timeNs) return undefined;
    const label = task.lane === 'idle' ? '' : name;
    return { lane: task.lane, mark: task.lane === 'idle' ? RAIL.idle : MARK.resume, label };
  }
}

/** For each record the next one of its CPU that is no wake-up. */
function nextOnCpu(records: readonly TraceRecord[]): (TraceRecord | undefined)[] {
  const next = new Array<TraceRecord | undefined>(records.length).fill(undefined);
  const latest = new Map<number, TraceRecord>();
  for (let i = records.length - 1; i >= 0; i--) {
    const record = records[i];
    if (record === undefined) continue;
    next[i] = latest.get(record.cpu);
    if (record.event !== Tracepoint.schedWakeup) latest.set(record.cpu, record);
  }
  return next;
}

/** The rows of the picture, with pauses between them. */
function rowsOf(records: readonly TraceRecord[], cpus: number): Row[] {
  const follower = new Follower(cpus);
  for (const record of [...records].reverse()) follower.startsWith(record);
  const next = nextOnCpu(records);
  const rows: Row[] = [];
  records.forEach((record, i) => {
    const last = rows[rows.length - 1];
    const pauseNs = last === undefined ? 0 : record.timeNs - last.timeNs;
    const before = pauseNs < PAUSE_NS ? [] : LANES.map((lane) => follower.rails(lane, -1).join(''));
    const look = follower.look(record, next[i]);
    if (look === undefined) return;
    if (last !== undefined && pauseNs >= PAUSE_NS) {
      const label = `⋮ ${(pauseNs / PAUSE_NS).toFixed(1)} ms`;
      rows.push({ timeNs: last.timeNs, lane: -1, label, rails: before });
    }
    const interrupted = contextOf(record.preemptCount) === 'task' ? -1 : record.cpu;
    const rails = LANES.map((lane) => {
      const marks = follower.rails(lane, interrupted);
      if (lane === look.lane) marks[record.cpu] = look.mark;
      return marks.join('');
    });
    rows.push({ timeNs: record.timeNs, lane: LANES.indexOf(look.lane), label: look.label, rails });
  });
  return rows;
}

function cut(text: string, width: number): string {
  return (text.length > width ? `${text.slice(0, width - 1)}…` : text).padEnd(width);
}

/** The column of each lane that anything happens in: as wide as it needs to be, the widest giving way where room is short. */
function columnsOf(rows: readonly Row[], cpus: number, room: number): Map<number, number> {
  const columns = new Map<number, number>();
  LANES.forEach((lane, at) => {
    const longest = rows.reduce((most, row) => (row.lane === at ? Math.max(most, row.label.length) : most), -1);
    if (longest < 0) return;
    columns.set(at, Math.max(lane.length, longest === 0 ? cpus : cpus + 1 + longest));
  });
  const total = (): number => [...columns.values()].reduce((sum, width) => sum + width + GAP.length, 0);
  while (total() > room) {
    const [widest, width] = [...columns].reduce((most, column) => (column[1] > most[1] ? column : most));
    columns.set(widest, width - 1);
  }
  return columns;
}

function draw(rows: readonly Row[], cpus: number, width: number): string {
  const start = rows[0]?.timeNs ?? 0;
  const timeOf = (row: Row): string => ((row.timeNs - start) / NS_PER_US).toFixed(1);
  const timeWidth = rows.reduce(
    (most, row) => Math.max(most, timeOf(row).length, row.label.length * +(row.lane < 0)),
    8,
  );
  const columns = columnsOf(rows, cpus, width - timeWidth);
  const line = (time: string, cell: (at: number, width: number) => string): string =>
    [time.padStart(timeWidth), ...[...columns].map(([at, wide]) => cell(at, wide))].join(GAP).trimEnd();
  const lines = [line('µs', (at, wide) => cut(LANES[at] ?? '', wide))];
  if (cpus > 1) {
    const digits = Array.from({ length: cpus }, (_, cpu) => cpu).join('');
    lines.push(line('CPU', (_, wide) => cut(digits, wide)));
  }
  lines.push(line('─'.repeat(timeWidth), (_, wide) => '─'.repeat(wide)));
  let shown = '';
  for (const row of rows) {
    const time = row.lane < 0 ? row.label : timeOf(row);
    const text = (at: number): string => `${row.rails[at] ?? ''} ${at === row.lane ? row.label : ''}`.trimEnd();
    lines.push(line(time === shown ? '' : time, (at, wide) => cut(text(at), wide)));
    if (row.lane >= 0) shown = time;
  }
  return `${lines.join('\n')}\n`;
}

/**
 * Draws what ran when and in which context, as text, oldest first; times are µs since the first record that is drawn.
 *
 * `┏` begins and `┗` ends a handler, a thread function or a work function; each lane has a rail for each CPU. A legend
 * stands below where there is room.
 *
 * @throws KernelError EINVAL for less than 60 columns
 */
export function renderTimeline(trace: TraceRing, options: TimelineOptions = {}): string {
  const width = options.width ?? 100;
  if (!(width >= MIN_WIDTH)) throw new KernelError('EINVAL', `a timeline of ${width} columns: at least ${MIN_WIDTH}`);
  const records = [...trace.read(options.from)];
  const [first] = records;
  if (first === undefined) return 'nothing has happened yet\n';
  const cpus = records.reduce((most, record) => Math.max(most, record.cpu + 1), 1);
  const gone = first.index - (options.from ?? 0);
  const head = gone > 0 ? `(${gone} older records were overwritten)\n` : '';
  const legend = LEGEND.length <= width ? `${LEGEND}\n` : '';
  return `${head}${draw(rowsOf(records, cpus), cpus, Math.floor(width))}${legend}`;
}
