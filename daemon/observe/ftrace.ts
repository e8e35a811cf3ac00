// The trace as the file `trace` of Linux's tracefs has it, for the tools that read that.

import { IRQ_HANDLED, TRACEPOINT_NAMES, Tracepoint, type TraceRecord } from '../../kernel/index.js';
import { TraceTasks } from './trace-tasks.js';

const NS_PER_US = 1_000;
const US_PER_S = 1_000_000;
const COMM_WIDTH = 16;
const PID_WIDTH = 7;
const TIME_WIDTH = 12;
/** Of a preempt_count (include/linux/preempt.h). */
const PREEMPT_MASK = 0xff;
const SOFTIRQ_OFFSET = 0x100;
const HARDIRQ_MASK = 0xf0000;
const HEX = 16;

function stamp(timeNs: number): string {
  const us = Math.round(timeNs / NS_PER_US);
  return `${Math.floor(us / US_PER_S)}.${String(us % US_PER_S).padStart(6, '0')}`;
}

/** Interrupts off, need-resched, which interrupt, how deep preemption is disabled, migration disabled. */
function flags(preemptCount: number): string {
  const hard = (preemptCount & HARDIRQ_MASK) !== 0;
  const soft = (preemptCount & SOFTIRQ_OFFSET) !== 0;
  const depth = preemptCount & PREEMPT_MASK;
  const interrupt = hard ? (soft ? 'H' : 'h') : soft ? 's' : '.';
  return `${hard ? 'd' : '.'}.${interrupt}${depth === 0 ? '.' : Math.min(depth, HEX - 1).toString(HEX)}.`;
}

/** The arguments of an event, in the words of its format in tracefs. */
function details(record: TraceRecord, tasks: TraceTasks): string {
  const { event, a, b, name, cpu, timeNs, index } = record;
  switch (event) {
    case Tracepoint.irqHandlerEntry:
    case Tracepoint.irqThreadEntry:
      return `irq=${a} name=${name}`;
    case Tracepoint.irqHandlerExit:
    case Tracepoint.irqThreadExit:
      return `irq=${a} ret=${b >= IRQ_HANDLED ? 'handled' : 'unhandled'}`;
    case Tracepoint.softirqRaise:
    case Tracepoint.softirqEntry:
    case Tracepoint.softirqExit:
      return `vec=${a} [action=${name}]`;
    case Tracepoint.schedSwitch: {
      const prev = tasks.comm(a, cpu);
      const next = tasks.comm(b, cpu);
      const left = `prev_comm=${prev} prev_pid=${a} prev_prio=${tasks.prio(prev)} prev_state=${tasks.prevState(index)}`;
      return `${left} ==> next_comm=${next} next_pid=${b} next_prio=${tasks.prio(next)}`;
    }
    case Tracepoint.schedWakeup:
      return `comm=${name} pid=${a} prio=${tasks.prio(name)} target_cpu=${String(b).padStart(3, '0')}`;
    case Tracepoint.workqueueQueueWork:
      return `work struct=${a} workqueue=${name} req_cpu=${b} cpu=${cpu}`;
    case Tracepoint.workqueueExecuteStart:
    case Tracepoint.workqueueExecuteEnd:
      return `work struct ${a}: function ${name}`;
    case Tracepoint.gpioValue:
      return `${a} set ${b}`;
    case Tracepoint.timerExpireEntry:
      return `function=${name} now=${a} baseclk=${a}`;
    case Tracepoint.hrtimerExpireEntry:
      return `function=${name} now=${Math.round(timeNs)}`;
    case Tracepoint.taskletEntry:
    case Tracepoint.taskletExit:
    case Tracepoint.timerExpireExit:
    case Tracepoint.hrtimerExpireExit:
      return `function=${name}`;
  }
}

/** Writes records, oldest first, with the stamps that they have. */
export function ftraceText(records: readonly TraceRecord[]): string {
  const tasks = new TraceTasks(records);
  const cpus = records.reduce((most, { cpu }) => Math.max(most, cpu + 1), 1);
  const written = (records.at(-1)?.index ?? -1) + 1;
  const lines = [
    '# tracer: nop',
    '#',
    `# entries-in-buffer/entries-written: ${records.length}/${written}   #P:${cpus}`,
    '#',
    `#${'TASK-PID'.padStart(COMM_WIDTH + PID_WIDTH - 4)}     CPU#  FLAGS  TIMESTAMP  EVENT`,
  ];
  for (const record of records) {
    const { pid, cpu, preemptCount, timeNs, event } = record;
    const comm = pid === 0 ? '<idle>' : tasks.comm(pid, cpu);
    const who = `${comm.padStart(COMM_WIDTH)}-${String(pid).padEnd(PID_WIDTH)}`;
    const where = `[${String(cpu).padStart(3, '0')}] ${flags(preemptCount)}`;
    lines.push(
      `${who} ${where} ${stamp(timeNs).padStart(TIME_WIDTH)}: ${TRACEPOINT_NAMES[event]}: ${details(record, tasks)}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
