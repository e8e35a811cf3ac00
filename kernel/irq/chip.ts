// Flow handlers, and the masking of lines that goes with them (kernel/irq/chip.c).
import { DONE, type Outcome, SUSPENDED } from '../sched/coroutine.js';
import { runningCpu, thisCpu } from '../sched/current.js';
import { PREEMPT_OFFSET } from '../sched/preempt.js';
import { handleIrqEvent } from './handle.js';
import type { IrqDesc } from './irqdesc.js';

/**
 * Calls back a line's chip as the kernel does: with the line's lock held, so with preemption and interrupts off. There is
 * nothing to lock here, a plain function being atomic; but what the callback asks about its context must be right.
 */
export function callChip<R>(desc: IrqDesc, callback: (desc: IrqDesc, type: number) => R, type = 0): R {
  const cpu = runningCpu();
  if (cpu === undefined) return callback.call(desc.chip, desc, type);
  const { irqsEnabled } = cpu;
  cpu.irqsEnabled = false;
  cpu.preemptCount += PREEMPT_OFFSET;
  try {
    return callback.call(desc.chip, desc, type);
  } finally {
    cpu.preemptCount -= PREEMPT_OFFSET;
    cpu.irqsEnabled = irqsEnabled;
  }
}

function ackIrq(desc: IrqDesc): void {
  if (desc.chip?.ack !== undefined) callChip(desc, desc.chip.ack);
}

/** Masks a line at its chip unless it is. */
export function maskIrq(desc: IrqDesc): void {
  if (desc.masked) return;
  if (desc.chip !== undefined) callChip(desc, desc.chip.mask);
  desc.masked = true;
}

/** Unmasks a line at its chip unless it is. */
export function unmaskIrq(desc: IrqDesc): void {
  if (!desc.masked) return;
  desc.masked = false;
  if (desc.chip !== undefined) callChip(desc, desc.chip.unmask);
}

/** Starts a line with its first action, or goes on after the last disable; it is enabled then. */
export function startUpIrq(desc: IrqDesc): void {
  desc.depth = 0;
  desc.disabled = false;
  if (!desc.started && desc.chip?.startup !== undefined) {
    desc.started = true;
    desc.masked = false;
    callChip(desc, desc.chip.startup);
  } else {
    desc.started = true;
    unmaskIrq(desc);
  }
  resendIrq(desc);
}

/** Shuts a line down that has lost its last action. */
export function shutDownIrq(desc: IrqDesc): void {
  if (!desc.started) return;
  desc.depth = 1;
  desc.disabled = true;
  desc.started = false;
  if (desc.chip?.shutdown === undefined) {
    maskIrq(desc);
  } else {
    desc.masked = true;
    callChip(desc, desc.chip.shutdown);
  }
}

/** Delivers an interrupt that was kept: by the hardware if it can, else by hand. A level needs none, it is still there. */
function resendIrq(desc: IrqDesc): void {
  if (!desc.pending) return;
  desc.pending = false;
  if (desc.isLevel) return;
  if (desc.chip?.retrigger !== undefined && callChip(desc, desc.chip.retrigger)) return;
  thisCpu().callFunction(() => (desc.handleIrq === undefined ? DONE : desc.handleIrq(desc)));
}

function maskAckIrq(desc: IrqDesc): void {
  if (desc.chip?.maskAck !== undefined) {
    callChip(desc, desc.chip.maskAck);
    desc.masked = true;
    return;
  }
  maskIrq(desc);
  ackIrq(desc);
}

/**
 * Edge flow: ack, then the actions. An edge that comes meanwhile, or while the line is disabled, is kept as pending, one
 * deep, with the line masked, and replayed behind the actions or by enable_irq.
 */
export function handleEdgeIrq(desc: IrqDesc): Outcome {
  if (desc.inProgress || desc.disabled || desc.actions.length === 0) {
    if (desc.pending) desc.coalesced++;
    desc.pending = true;
    maskAckIrq(desc);
    return DONE;
  }
  const cpu = thisCpu();
  desc.count(cpu);
  ackIrq(desc);
  return edgeLoop(desc);
}

function edgeLoop(desc: IrqDesc): Outcome {
  do {
    if (desc.actions.length === 0) {
      maskIrq(desc);
      return DONE;
    }
    if (desc.pending) unmaskIrq(desc);
    if (handleIrqEvent(desc) === SUSPENDED) return deferLoop(desc);
  } while (desc.pending && !desc.disabled);
  return DONE;
}

/** On its own, since a closure in the loop would cost it an object a call. */
function deferLoop(desc: IrqDesc): Outcome {
  return thisCpu().defer(() => (desc.pending && !desc.disabled ? edgeLoop(desc) : DONE));
}
