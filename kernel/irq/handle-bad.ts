// Interrupts that nobody has said what to do with (handle_bad_irq in kernel/irq/handle.c).
import { RatelimitState } from '../lib/ratelimit.js';
import type { Machine } from '../machine.js';
import { DONE, type Outcome } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { IRQ_LEVEL, IRQ_NOAUTOEN, IRQ_NOPROBE, IRQ_NOREQUEST, IRQ_NOTHREAD, IRQ_PER_CPU } from './flags.js';
import type { IrqDesc } from './irqdesc.js';

const REPORT_INTERVAL_SECS = 5;
const REPORT_BURST = 5;

/** Settings that the report names. */
const SHOWN = { IRQ_LEVEL, IRQ_PER_CPU, IRQ_NOPROBE, IRQ_NOREQUEST, IRQ_NOTHREAD, IRQ_NOAUTOEN };

const limits = new WeakMap<Machine, RatelimitState>();

function reportDue(machine: Machine): boolean {
  let limit = limits.get(machine);
  if (limit === undefined) {
    limit = new RatelimitState(machine, REPORT_INTERVAL_SECS, REPORT_BURST);
    limits.set(machine, limit);
  }
  return limit.allows('print_irq_desc');
}

function setBits(desc: IrqDesc): string[] {
  const bits = Object.entries(SHOWN).flatMap(([name, bit]) => ((desc.settings & bit) === 0 ? [] : [name]));
  if (desc.replay) bits.push('IRQS_REPLAY');
  if (desc.pending) bits.push('IRQS_PENDING');
  return bits.map((name) => `${name.padStart(14)} set`);
}

/** Names stand where the kernel shows addresses. */
function printIrqDesc(desc: IrqDesc): void {
  const { irq, depth, irqCount, irqsUnhandled, chip, machine } = desc;
  const [action] = desc.actions;
  const lines = [
    `irq ${irq}, desc: ${desc.domain?.name ?? '?'}/${desc.hwirq}, depth: ${depth}, count: ${irqCount}, unhandled: ${irqsUnhandled}`,
    `->handle_irq():  ${desc.handleIrq.name}`,
    `->irq_data.chip(): ${chip?.name ?? 'no_irq_chip'}`,
    `->action(): ${action?.name ?? '0'}`,
  ];
  if (action !== undefined) lines.push(`->action->handler(): ${action.handler.name || action.name}`);
  machine.printk('warning', [...lines, ...setBits(desc)].join('\n'));
}

/** Counts an interrupt that cannot be handled at all (ack_bad_irq, of which each architecture has its own). */
function ackBadIrq(machine: Machine, irq: number): void {
  machine.irqs.errCount++;
  if (machine.irqs.arch === 'x86')
    machine.printk('err', `unexpected IRQ trap at vector ${irq.toString(16).padStart(2, '0')}`);
}

/** Flow of a line that has none: reports the line, at most five times in 5 s, and counts the interrupt. */
export function handleBadIrq(desc: IrqDesc): Outcome {
  if (reportDue(desc.machine)) printIrqDesc(desc);
  desc.count(thisCpu());
  ackBadIrq(desc.machine, desc.irq);
  return DONE;
}
