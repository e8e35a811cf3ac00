// What a scenario logs: events with the context that they happened in, in the shape of the recordings.
import { context, current, irqsDisabled, preemptCount, smpProcessorId, type Task } from '../../kernel/index.js';

export type Value = string | number;
export type Values = Readonly<Record<string, Value>>;

export interface Sched {
  readonly policy: string;
  readonly rtprio: number;
  readonly nice: number;
}

/** One event. `null` in a recording: not the same in all runs, so there is nothing to compare. */
export interface OracleEvent {
  readonly cpu: number | null;
  readonly ctx: string | null;
  readonly irqs_off: number | null;
  /** Fields of preempt_count: preemption, softirqs, hard interrupts. */
  readonly pc: readonly number[] | null;
  /** 1 with softirqs disabled and none being served. */
  readonly bh_off?: number;
  /** Task context: who. */
  readonly comm?: string;
  /** Tasks other than `oracle`. */
  readonly sched?: Sched;
  /** Softirq context: `ksoftirqd/N` or `inline`. */
  readonly on?: string;
  readonly ev: string;
  readonly v?: Values;
  /** The model's events: nothing was interrupted, so all of `pc` is of this context's own making. */
  readonly ownCount?: true;
}

/** Names of the interrupt lines of a scenario, by interrupt number. */
export type LineNames = ReadonlyMap<number, string>;

/** comm without numbers that differ from run to run: `kworker/0:N`, `kworker/uP:N`, `irq/<A>-name`. */
function commPattern(comm: string, lines: LineNames): string {
  return comm
    .replace(/^kworker\/u\d+:\d+/, 'kworker/uP:N')
    .replace(/^(kworker\/\d+):\d+/, '$1:N')
    .replace(/^irq\/(\d+)/, (text, irq: string) => {
      const line = lines.get(Number(irq));
      return line === undefined ? text : `irq/<${line}>`;
    });
}

function schedOf(task: Task): Sched {
  return { policy: task.policy.replace('SCHED_', ''), rtprio: task.rtPriority, nice: task.nice };
}

/** The present moment as an event. Any context of the model. */
export function capture(ev: string, v: Values | undefined, lines: LineNames): OracleEvent {
  const ctx = context();
  const count = preemptCount();
  const softirq = (count >> 8) & 0xff;
  const task = current();
  return {
    cpu: smpProcessorId(),
    ctx,
    irqs_off: irqsDisabled() ? 1 : 0,
    pc: [count & 0xff, softirq, (count >> 16) & 0xf],
    ...(softirq !== 0 && (softirq & 1) === 0 ? { bh_off: 1 } : {}),
    ...(ctx === 'task' ? { comm: commPattern(task.comm, lines) } : {}),
    ...(ctx === 'task' && task.comm !== 'oracle' ? { sched: schedOf(task) } : {}),
    ...(ctx === 'softirq' ? { on: task.comm.startsWith('ksoftirqd/') ? task.comm : 'inline' } : {}),
    ev,
    ...(v === undefined ? {} : { v }),
  };
}

/** An event on one line, for people. */
export function eventText(event: OracleEvent): string {
  const { cpu, ctx, irqs_off: irqsOff, pc, bh_off: bhOff, comm, sched, on, ev, v } = event;
  const who = comm ?? on ?? '';
  const policy =
    sched === undefined ? '' : ` (${sched.policy} ${sched.rtprio === 0 ? `nice ${sched.nice}` : sched.rtprio})`;
  const values = Object.entries(v ?? {}).map(([name, value]) => ` ${name}=${value}`);
  const flags = `${irqsOff === 1 ? 'irqs off ' : ''}${bhOff === 1 ? 'bh off ' : ''}`;
  const where = ctx === null ? '(any context)' : `${ctx.padEnd(7)} ${pc === null ? '' : `[${pc.join(' ')}]`}`;
  return `cpu${cpu ?? '*'} ${where} ${flags}${who}${policy}: ${ev}${values.join('')}`;
}
