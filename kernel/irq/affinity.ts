// Which CPUs take a line's interrupts: set, chosen at start-up, moved, hinted (kernel/irq/manage.c and migration.c).
import { KernelError } from '../errno.js';
import type { Machine } from '../machine.js';
import { runningCpu, thisCpu } from '../sched/current.js';
import { PREEMPT_OFFSET } from '../sched/preempt.js';
import { wakeUpProcess } from '../sched/wakeup.js';
import { callChip } from './chip.js';
import { IRQ_MOVE_PCNTXT, IRQ_NO_BALANCING, IRQ_PER_CPU, IRQ_PER_CPU_DEVID } from './flags.js';
import type { IrqAction, IrqDesc } from './irqdesc.js';

/** Whether a line's interrupts can be sent to chosen CPUs: its chip can, and nobody asked for them to stay. */
export function canSetAffinity(desc: IrqDesc): boolean {
  return (desc.settings & (IRQ_PER_CPU | IRQ_NO_BALANCING)) === 0 && desc.chip?.setAffinity !== undefined;
}

/** As {@link canSetAffinity}, by number; false for an unknown irq (irq_can_set_affinity). Any context. */
export function irqCanSetAffinity(irq: number): boolean {
  const desc = thisCpu().machine.irqs.find(irq);
  return desc !== undefined && canSetAffinity(desc);
}

function tellThread(action: IrqAction | undefined): void {
  if (action?.thread === undefined) return;
  action.threadAffinityDue = true;
  wakeUpProcess(action.thread);
}

/** Lets the threads of a line follow its interrupts, at the next time that they run (irq_set_thread_affinity). */
function irqSetThreadAffinity(desc: IrqDesc): void {
  for (const action of desc.actions) {
    tellThread(action);
    tellThread(action.secondary);
  }
}

/**
 * Sends a line's interrupts to CPUs of `mask` now (irq_do_set_affinity). `EINVAL` for a chip that cannot, and for a mask
 * without a CPU that is there unless `force` is set; `EBUSY` from a chip that cannot at this moment.
 */
function irqDoSetAffinity(desc: IrqDesc, mask: number, force: boolean): void {
  const { chip, machine, irq } = desc;
  const setAffinity = chip?.setAffinity;
  if (setAffinity === undefined) throw noAffinity(desc);
  const online = mask & machine.cpuMask;
  if (!force && online === 0) {
    throw new KernelError('EINVAL', `irq ${irq}: affinity mask ${mask.toString(16)} has no CPU of this machine`);
  }
  desc.effectiveAffinity = callChip(desc, () => setAffinity.call(chip, desc, force ? mask : online, force));
  desc.affinity = mask;
  if (desc.effectiveAffinity === 0) noEffective(desc);
  irqSetThreadAffinity(desc);
}

/** Machines that have been told of a chip that sends interrupts nowhere: it is said once. */
const told = new WeakSet<Machine>();

function noEffective({ machine, chip, irq }: IrqDesc): void {
  if (told.has(machine)) return;
  told.add(machine);
  machine.printk('warning', `genirq: irq_chip ${chip?.name} did not update eff. affinity mask of irq ${irq}`);
}

function noAffinity(desc: IrqDesc): KernelError {
  const who = desc.chip === undefined ? 'no interrupt chip' : `chip ${desc.chip.name}`;
  return new KernelError('EINVAL', `irq ${desc.irq}: ${who} cannot choose a CPU`, {
    hint: 'its interrupts go where those of its parent go',
  });
}

/**
 * Chooses the CPUs of a line that is being started: those it was given if one of them is there, else the machine's default
 * (irq_setup_affinity). Leaves alone a line whose interrupts stay where they are.
 */
export function irqSetupAffinity(desc: IrqDesc): void {
  if (!canSetAffinity(desc)) return;
  const { cpuMask, irqs } = desc.machine;
  let set = irqs.defaultAffinity;
  if (desc.affinitySet) {
    if ((desc.affinity & cpuMask) !== 0) set = desc.affinity;
    else desc.affinitySet = false;
  }
  const online = set & cpuMask;
  // The kernel holds a lock of its own around the choice, which the chip's callback can see in preempt_count.
  const cpu = runningCpu();
  if (cpu !== undefined) cpu.preemptCount += PREEMPT_OFFSET;
  try {
    irqDoSetAffinity(desc, online === 0 ? cpuMask : online, false);
  } catch (error) {
    // Whoever starts a line does not ask: it then works where the hardware has it.
    if (!(error instanceof KernelError)) throw error;
  } finally {
    if (cpu !== undefined) cpu.preemptCount -= PREEMPT_OFFSET;
  }
}

/** The kernel is built to move lines in their own interrupts (CONFIG_GENERIC_PENDING_IRQ). */
function movesInInterrupt(desc: IrqDesc): boolean {
  return desc.machine.irqs.arch === 'x86';
}

function setMovePending(desc: IrqDesc, mask: number): void {
  desc.movePending = true;
  desc.pendingMask = mask;
}

/** As {@link irqDoSetAffinity}; a chip that is busy does it at the line's next interrupt, where the kernel is built so. */
function irqTrySetAffinity(desc: IrqDesc, mask: number, force: boolean): void {
  try {
    irqDoSetAffinity(desc, mask, force);
  } catch (error) {
    const later = movesInInterrupt(desc) && !force;
    if (!later || !(error instanceof KernelError) || error.code !== 'EBUSY') throw error;
    setMovePending(desc, mask);
  }
}

/** Whether a line can be moved outside of its own interrupt (irq_can_move_pcntxt). */
function canMoveNow(desc: IrqDesc): boolean {
  return !movesInInterrupt(desc) || (desc.settings & IRQ_MOVE_PCNTXT) !== 0;
}

function checkMask({ irq }: IrqDesc, mask: number): void {
  if (Number.isInteger(mask)) return;
  throw new KernelError('EINVAL', `irq ${irq}: affinity mask ${mask}`, {
    hint: 'bit n for CPU n, such as 0b10 for CPU 1',
  });
}

/** As {@link irqSetAffinity} and {@link irqForceAffinity}, of a line (irq_set_affinity_locked). */
export function setAffinityOf(desc: IrqDesc, mask: number, force: boolean): void {
  if (desc.chip?.setAffinity === undefined) throw noAffinity(desc);
  checkMask(desc, mask);
  try {
    if (canMoveNow(desc) && !desc.movePending) irqTrySetAffinity(desc, mask, force);
    else setMovePending(desc, mask);
  } finally {
    // Both also when the chip refuses, as in the kernel.
    desc.affinityNotify?.changed();
    desc.affinitySet = true;
  }
}

/**
 * Sends a line's interrupts to CPUs of `mask`, and lets its threads follow (irq_set_affinity). Any context.
 *
 * @param mask bit n for CPU n
 * @throws KernelError EINVAL (unknown irq, a chip that cannot, no CPU of the machine), or what the chip says
 */
export function irqSetAffinity(irq: number, mask: number): void {
  setAffinityOf(thisCpu().machine.irqs.get(irq), mask, false);
}

/** As {@link irqSetAffinity}, with any mask: the chip does as it is told (irq_force_affinity). Any context. */
export function irqForceAffinity(irq: number, mask: number): void {
  setAffinityOf(thisCpu().machine.irqs.get(irq), mask, true);
}

function applyHint(irq: number, mask: number | null, set: boolean): void {
  const desc = thisCpu().machine.irqs.get(irq);
  if ((desc.settings & IRQ_PER_CPU_DEVID) !== 0) throw new KernelError('EINVAL', `irq ${irq} is one of each CPU`);
  if (mask !== null) checkMask(desc, mask);
  desc.affinityHint = mask ?? 0;
  if (mask === null || !set) return;
  try {
    setAffinityOf(desc, mask, false);
  } catch (error) {
    // A hint that cannot be followed stays a hint.
    if (!(error instanceof KernelError)) throw error;
  }
}

/** Says in /proc/irq/N/affinity_hint which CPUs would be best; null for none (irq_update_affinity_hint). `EINVAL` for an unknown irq. Any context. */
export function irqUpdateAffinityHint(irq: number, mask: number | null): void {
  applyHint(irq, mask, false);
}

/** As {@link irqUpdateAffinityHint}, and sets the affinity, if it can be set (irq_set_affinity_and_hint). Any context. */
export function irqSetAffinityAndHint(irq: number, mask: number | null): void {
  applyHint(irq, mask, true);
}

/** The old name of {@link irqSetAffinityAndHint} (irq_set_affinity_hint). */
export const irqSetAffinityHint = irqSetAffinityAndHint;

/**
 * Does a move that was put off (irq_move_masked_irq). The line is masked. Hard interrupt context; for chips that can move
 * a line only in its own interrupt, which call it when they acknowledge.
 */
export function irqMoveMaskedIrq(desc: IrqDesc): void {
  if (!desc.movePending) return;
  desc.movePending = false;
  if ((desc.settings & IRQ_PER_CPU) !== 0) {
    desc.machine.warn('', 'irq_move_masked_irq');
    return;
  }
  const { pendingMask, machine, chip } = desc;
  if (pendingMask === 0 || chip?.setAffinity === undefined) return;
  if ((pendingMask & machine.cpuMask) !== 0 && !moved(desc, pendingMask)) return;
  desc.pendingMask = 0;
}

/** False when the chip is busy, so that the move stays pending. */
function moved(desc: IrqDesc, mask: number): boolean {
  try {
    irqDoSetAffinity(desc, mask, false);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    if (error.code !== 'EBUSY') return true;
    desc.movePending = true;
    return false;
  }
  return true;
}

/** As {@link irqMoveMaskedIrq}, masking the line meanwhile unless it is masked; not while it is disabled (irq_move_irq). */
export function irqMoveIrq(desc: IrqDesc): void {
  const { chip } = desc;
  if (!desc.movePending || desc.disabled || chip === undefined) return;
  const { masked } = desc;
  if (!masked) callChip(desc, chip.mask);
  irqMoveMaskedIrq(desc);
  if (!masked) callChip(desc, chip.unmask);
}
