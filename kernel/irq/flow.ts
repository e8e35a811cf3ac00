// Flow handlers: what a line does with an interrupt, by the kind of its hardware (kernel/irq/chip.c).

import type { Machine } from '../machine.js';
import { DONE, type Outcome, SUSPENDED } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { ackIrq, callChip, maskAckIrq, maskIrq, unmaskIrq } from './chip.js';
import { IRQCHIP_EOI_IF_HANDLED, IRQCHIP_EOI_THREADED } from './flags.js';
import { handleIrqEvent, handleIrqEventPercpu, handlePercpuDevidAction, handleUntrackedEvent } from './handle.js';
import type { IrqDesc } from './irqdesc.js';
import { irqPmCheckWakeup } from './pm.js';
import { checkIrqResend } from './resend.js';
import { irqCheckPoll } from './spurious.js';

/** Whether the actions can run: not while they do, and not when the interrupt ends a suspend (irq_may_run). */
function mayRun(desc: IrqDesc): boolean {
  if (!desc.inProgress && !desc.wakeupArmed) return true;
  return !irqPmCheckWakeup(desc) && irqCheckPoll(desc);
}

/** Nothing is to run: the line is disabled, or nobody has requested it. */
function isIdle(desc: IrqDesc): boolean {
  return desc.disabled || desc.actions.length === 0;
}

/** Does the rest of a flow behind handlers that gave the CPU back. On its own, since a closure in the flow would cost it an object a call. */
function deferRest(desc: IrqDesc, rest: (desc: IrqDesc) => void): Outcome {
  return thisCpu().defer(() => {
    rest(desc);
    return DONE;
  });
}

function eoiIrq(desc: IrqDesc): void {
  if (desc.chip?.eoi !== undefined) callChip(desc, desc.chip.eoi);
}

function chipHas(desc: IrqDesc, flag: number): boolean {
  return ((desc.chip?.flags ?? 0) & flag) !== 0;
}

/** The end of interrupt of one that was not handled. */
function eoiUnhandled(desc: IrqDesc): Outcome {
  if (!chipHas(desc, IRQCHIP_EOI_IF_HANDLED)) eoiIrq(desc);
  return DONE;
}

/** Masked, enabled, and no thread is due that the line has to wait for: so it can be unmasked. */
function waitsForNobody(desc: IrqDesc): boolean {
  return desc.masked && !desc.disabled && desc.threadsOneshot === 0;
}

/** Unmasks a level, unless a oneshot thread is to do it (cond_unmask_irq). */
function condUnmaskIrq(desc: IrqDesc): void {
  if (waitsForNobody(desc)) unmaskIrq(desc);
}

/** Ends the interrupt, and unmasks a oneshot line of which no thread is due (cond_unmask_eoi_irq). */
function condUnmaskEoiIrq(desc: IrqDesc): void {
  if (!desc.oneshot) {
    eoiIrq(desc);
  } else if (waitsForNobody(desc)) {
    eoiIrq(desc);
    unmaskIrq(desc);
  } else if (!chipHas(desc, IRQCHIP_EOI_THREADED)) {
    eoiIrq(desc);
  }
}

/**
 * Level flow: mask and ack, then the actions, then unmask, unless a oneshot thread does that. A level that comes while the
 * line is disabled keeps it masked; one that comes during its handlers is seen again when the line is unmasked. Hard
 * interrupt context, as all flow handlers.
 */
export function handleLevelIrq(desc: IrqDesc): Outcome {
  maskAckIrq(desc);
  if (!mayRun(desc)) return DONE;
  desc.replay = false;
  if (isIdle(desc)) {
    desc.pending = true;
    return DONE;
  }
  desc.count(thisCpu());
  if (handleIrqEvent(desc) === SUSPENDED) return deferRest(desc, condUnmaskIrq);
  condUnmaskIrq(desc);
  return DONE;
}

/**
 * Edge flow: ack, then the actions. An edge that comes meanwhile, or while the line is disabled, is kept as pending, one
 * deep, with the line masked, and replayed behind the actions or by enable_irq.
 */
export function handleEdgeIrq(desc: IrqDesc): Outcome {
  desc.replay = false;
  if (!mayRun(desc) || isIdle(desc)) {
    desc.keep();
    maskAckIrq(desc);
    return DONE;
  }
  desc.count(thisCpu());
  ackIrq(desc);
  return edgeLoop(desc);
}

function edgeLoop(desc: IrqDesc): Outcome {
  do {
    if (desc.actions.length === 0) {
      maskIrq(desc);
      return DONE;
    }
    if (desc.pending && !desc.disabled) unmaskIrq(desc);
    if (handleIrqEvent(desc) === SUSPENDED) return deferLoop(desc, edgeLoop);
  } while (desc.pending && !desc.disabled);
  return DONE;
}

function deferLoop(desc: IrqDesc, loop: (desc: IrqDesc) => Outcome): Outcome {
  return thisCpu().defer(() => (desc.pending && !desc.disabled ? loop(desc) : DONE));
}

/** Edge flow of a controller that wants an end of interrupt and no ack: an edge that comes meanwhile is kept, unmasked. */
export function handleEdgeEoiIrq(desc: IrqDesc): Outcome {
  desc.replay = false;
  if (!mayRun(desc) || isIdle(desc)) {
    desc.keep();
    eoiIrq(desc);
    return DONE;
  }
  desc.count(thisCpu());
  if (edgeEoiLoop(desc) === SUSPENDED) return deferRest(desc, eoiIrq);
  eoiIrq(desc);
  return DONE;
}

function edgeEoiLoop(desc: IrqDesc): Outcome {
  do {
    if (desc.actions.length === 0) return DONE;
    if (handleIrqEvent(desc) === SUSPENDED) return deferLoop(desc, edgeEoiLoop);
  } while (desc.pending && !desc.disabled);
  return DONE;
}

/** Behind the actions of a fasteoi line; one that another CPU took meanwhile, after a move, comes again. */
function endFasteoi(desc: IrqDesc): void {
  condUnmaskEoiIrq(desc);
  if (desc.pending) checkIrqResend(desc, false);
}

/**
 * Flow of a controller that needs nothing but an end of interrupt behind the actions. The line is masked meanwhile only
 * for a oneshot thread; an interrupt that comes during the handlers is lost, unless the line is to resend it.
 */
export function handleFasteoiIrq(desc: IrqDesc): Outcome {
  if (!mayRun(desc)) {
    if (desc.resendWhenInProgress) desc.keep();
    return eoiUnhandled(desc);
  }
  desc.replay = false;
  if (isIdle(desc)) return keepFasteoi(desc);
  desc.count(thisCpu());
  if (desc.oneshot) maskIrq(desc);
  if (handleIrqEvent(desc) === SUSPENDED) return deferRest(desc, endFasteoi);
  endFasteoi(desc);
  return DONE;
}

function keepFasteoi(desc: IrqDesc): Outcome {
  desc.keep();
  maskIrq(desc);
  return eoiUnhandled(desc);
}

/** As {@link handleFasteoiIrq}, for edges behind a controller that they have to be acknowledged to as well. */
export function handleFasteoiAckIrq(desc: IrqDesc): Outcome {
  if (!mayRun(desc)) return eoiUnhandled(desc);
  desc.replay = false;
  if (isIdle(desc)) return keepFasteoi(desc);
  desc.count(thisCpu());
  if (desc.oneshot) maskIrq(desc);
  ackIrq(desc);
  if (handleIrqEvent(desc) === SUSPENDED) return deferRest(desc, condUnmaskEoiIrq);
  condUnmaskEoiIrq(desc);
  return DONE;
}

/** As {@link handleFasteoiIrq}, for levels behind a controller that they have to be masked at as well. */
export function handleFasteoiMaskIrq(desc: IrqDesc): Outcome {
  maskAckIrq(desc);
  if (!mayRun(desc)) return eoiUnhandled(desc);
  desc.replay = false;
  if (isIdle(desc)) return keepFasteoi(desc);
  desc.count(thisCpu());
  if (handleIrqEvent(desc) === SUSPENDED) return deferRest(desc, condUnmaskEoiIrq);
  condUnmaskEoiIrq(desc);
  return DONE;
}

/** Whether the actions of a line without a controller of its own can run now; one that comes while it is disabled is kept. */
function simpleMayRun(desc: IrqDesc): boolean {
  if (!mayRun(desc)) return false;
  desc.replay = false;
  if (!isIdle(desc)) return true;
  desc.keep();
  return false;
}

/** Flow of a line that somebody else decodes, masks and acknowledges: the actions alone. */
export function handleSimpleIrq(desc: IrqDesc): Outcome {
  if (!simpleMayRun(desc)) return DONE;
  desc.count(thisCpu());
  return handleIrqEvent(desc);
}

/** As {@link handleSimpleIrq}, of a decoder that cannot tell whose interrupt it was: it is not counted, and nobody has to want it. */
export function handleUntrackedIrq(desc: IrqDesc): Outcome {
  return simpleMayRun(desc) ? handleUntrackedEvent(desc) : DONE;
}

function ackUnlocked(desc: IrqDesc): void {
  desc.chip?.ack?.(desc);
}

function eoiUnlocked(desc: IrqDesc): void {
  desc.chip?.eoi?.(desc);
}

/** Flow of a line that several CPUs handle at the same time, each its own interrupt: ack, actions, end of interrupt; no lock, no masking. */
export function handlePercpuIrq(desc: IrqDesc): Outcome {
  desc.count(thisCpu());
  ackUnlocked(desc);
  if (handleIrqEventPercpu(desc) === SUSPENDED) return deferRest(desc, eoiUnlocked);
  eoiUnlocked(desc);
  return DONE;
}

/** As {@link handlePercpuIrq}, of a line whose action gets data of its CPU (request_percpu_irq). */
export function handlePercpuDevidIrq(desc: IrqDesc): Outcome {
  desc.count(thisCpu());
  ackUnlocked(desc);
  const [action] = desc.actions;
  if (action === undefined) spuriousPercpu(desc);
  else if (handlePercpuDevidAction(desc, action) === SUSPENDED) return deferRest(desc, eoiUnlocked);
  eoiUnlocked(desc);
  return DONE;
}

/** Machines that were told of a per-CPU line that nobody has requested: once. */
const toldSpuriousPercpu = new WeakSet<Machine>();

/** Nobody has requested a per-CPU line that has fired: it is disabled on this CPU. */
function spuriousPercpu(desc: IrqDesc): void {
  const { id, machine } = thisCpu();
  const enabled = desc.percpuEnabled ?? 0;
  const unmasked = (enabled & (1 << id)) !== 0;
  if (unmasked) {
    const { chip } = desc;
    if (chip !== undefined) (chip.disable ?? chip.mask).call(chip, desc);
    desc.percpuEnabled = enabled & ~(1 << id);
  }
  if (toldSpuriousPercpu.has(machine)) return;
  toldSpuriousPercpu.add(machine);
  const text = `Spurious${unmasked ? ' and unmasked' : ''} percpu IRQ${desc.irq} on CPU${id}`;
  machine.printk('err', text);
}
