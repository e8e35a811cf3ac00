// The states of a line: in its controller (irq_get_irqchip_state in kernel/irq/manage.c), and as a whole.
import { KernelError } from '../errno.js';
import type { Coroutine } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { callChip } from './chip.js';
import { changeLine, chipBusLock, chipBusSyncUnlock, type LineChange } from './chip-bus.js';
import { IRQCHIP_STATE_ACTIVE, IRQCHIP_STATE_PENDING } from './flags.js';
import type { IrqDesc } from './irqdesc.js';

function cannotTell(desc: IrqDesc): KernelError {
  return new KernelError('EINVAL', `irq ${desc.irq}: its chip does not tell or set states of a line`);
}

function chipState(desc: IrqDesc, which: number): boolean {
  const { chip } = desc;
  const getState = chip?.getIrqchipState;
  if (getState === undefined) throw cannotTell(desc);
  return callChip(desc, () => getState.call(chip, desc, which));
}

/**
 * One of the states of a line in its controller (irq_get_irqchip_state). Any context; process context for a line behind a
 * bus that sleeps.
 *
 * @param which an IRQCHIP_STATE_ number
 * @throws KernelError EINVAL (unknown irq, a chip that cannot tell), or what the chip says
 */
export const irqGetIrqchipState = effect(function* irqGetIrqchipState(irq: number, which: number): Coroutine<boolean> {
  const desc = thisCpu().machine.irqs.get(irq);
  yield* chipBusLock(desc);
  try {
    return chipState(desc, which);
  } finally {
    yield* chipBusSyncUnlock(desc);
  }
});

interface StateChange {
  readonly which: number;
  readonly value: boolean;
}

function setChipState(desc: IrqDesc, { which, value }: StateChange): void {
  const { chip } = desc;
  const setState = chip?.setIrqchipState;
  if (setState === undefined) throw cannotTell(desc);
  callChip(desc, () => setState.call(chip, desc, which, value));
}

/** Sets one of the states of a line in its controller (irq_set_irqchip_state). As {@link irqGetIrqchipState} and {@link LineChange} say. */
export function irqSetIrqchipState(irq: number, which: number, value: boolean): LineChange {
  return changeLine(thisCpu().machine.irqs.get(irq), 'irq_set_irqchip_state', setChipState, { which, value });
}

/** What an interrupt is at, as the manuals of interrupt controllers name it. */
export type IrqState = 'disabled' | 'inactive' | 'pending' | 'active' | 'active+pending';

/** What the chip says of a line, where it can be asked without waiting. */
function chipSays(desc: IrqDesc, which: number): boolean {
  if (desc.chip?.getIrqchipState === undefined || desc.chip.busLock !== undefined) return false;
  return chipState(desc, which);
}

/** As {@link irqState}, of a descriptor; also outside of the model's contexts. */
export function stateOfLine(desc: IrqDesc): IrqState {
  if (desc.disabled) return 'disabled';
  const active = desc.inProgress || desc.threadsActive > 0 || chipSays(desc, IRQCHIP_STATE_ACTIVE);
  const pending = desc.pending || chipSays(desc, IRQCHIP_STATE_PENDING);
  if (active) return pending ? 'active+pending' : 'active';
  return pending ? 'pending' : 'inactive';
}

/**
 * What a line is at. It is active while a handler of it runs, or a thread is to run or runs; pending while a further
 * interrupt is kept, by the model or by the controller; disabled before its first request, and between disable_irq() and
 * enable_irq(). `EINVAL` for an unknown irq. Any context.
 */
export function irqState(irq: number): IrqState {
  return stateOfLine(thisCpu().machine.irqs.get(irq));
}
