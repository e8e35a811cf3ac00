// Waiting until handlers and threads of a line are done (synchronize_irq in kernel/irq/manage.c).
import { KernelError } from '../errno.js';
import { mightSleep } from '../sched/core.js';
import { type Coroutine, Request } from '../sched/coroutine.js';
import { current, inTask, thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { waitEvent } from '../sched/wait.js';
import { ndelay } from '../time/delay.js';
import { callChip } from './chip.js';
import { IRQCHIP_STATE_ACTIVE } from './flags.js';
import type { IrqAction, IrqDesc } from './irqdesc.js';

/** Between two looks at a chip that says that an interrupt of the line is in flight. */
const RELAX_NS = 100;

/** No handler of the line runs any more: the CPUs that spin for that go on. */
export function releaseSpinners(desc: IrqDesc): void {
  if (desc.spinners.length === 0) return;
  for (const frame of desc.spinners.splice(0)) frame.spinning = false;
  for (const cpu of desc.machine.cpus) cpu.kick();
}

/** Sleeps until `condition` holds, which wakeSynchronizers() lets it look at. Process context. */
export function* waitForThreads(desc: IrqDesc, condition: () => boolean): Coroutine<void> {
  yield* waitEvent(desc.waiters, condition);
}

/** The hardware has sent an interrupt of the line that no CPU has taken yet. Chips that cannot tell have none. */
function inFlight(desc: IrqDesc): boolean {
  const { chip } = desc;
  const getState = chip?.getIrqchipState;
  if (getState === undefined) return false;
  try {
    return callChip(desc, () => getState.call(chip, desc, IRQCHIP_STATE_ACTIVE));
  } catch (error) {
    if (error instanceof KernelError) return false;
    throw error;
  }
}

/** Spins until no handler of the line runs, with `syncChip` also none that the chip has under way (__synchronize_hardirq). */
export function* waitForHandlers(desc: IrqDesc, syncChip: boolean): Coroutine<void> {
  for (;;) {
    while (desc.inProgress) {
      const cpu = thisCpu();
      if (desc.inProgressOn === cpu) throw ownWait(desc, 'synchronize_hardirq()', 'in a handler of the line');
      desc.spinners.push(cpu.activation);
      yield Request.spin;
    }
    if (!syncChip || !inFlight(desc)) return;
    yield* ndelay(RELAX_NS);
  }
}

function ownWait(desc: IrqDesc, what: string, where: string): KernelError {
  return new KernelError('EDEADLK', `${what} of irq ${desc.irq} ${where}, which it would wait for`, {
    hint: 'disable_irq_nosync() does not wait',
  });
}

/**
 * Who would wait for its own line, or where nothing can sleep for a thread, would wait for ever; the kernel hangs there. An
 * interrupt that finds nothing to wait for goes on, reported as it is.
 */
export function refuseOwnWait(desc: IrqDesc, what: string): void {
  const task = current();
  const isOwn = (action: IrqAction | undefined): boolean => action?.inThread === true && action.thread === task;
  if (!inTask()) {
    const here = desc.inProgress && desc.inProgressOn === thisCpu();
    if (here || desc.threadsActive > 0) throw ownWait(desc, what, 'in interrupt context');
    return;
  }
  if (desc.actions.some((action) => isOwn(action) || isOwn(action.secondary))) {
    throw ownWait(desc, what, 'in its own thread');
  }
}

/** The waiting of {@link synchronizeIrq} (__synchronize_irq). */
export function* waitForLine(desc: IrqDesc): Coroutine<void> {
  yield* waitForHandlers(desc, true);
  yield* waitForThreads(desc, () => desc.threadsActive === 0);
}

/**
 * Waits until no handler and no thread of the line is running (synchronize_irq): busy for handlers, asleep for threads.
 * Process context.
 *
 * @throws KernelError EINVAL (unknown irq), EDEADLK (in a thread function of the line, or in interrupt context with a thread or the handler to wait for)
 */
export const synchronizeIrq = effect(function* synchronizeIrq(irq: number) {
  mightSleep('synchronize_irq');
  const desc = thisCpu().machine.irqs.get(irq);
  refuseOwnWait(desc, 'synchronize_irq()');
  yield* waitForLine(desc);
});

/**
 * Waits, busy, until no handler of the line is running (synchronize_hardirq); threads may be. Any context.
 *
 * @returns false if a thread of the line is active
 * @throws KernelError EINVAL (unknown irq), EDEADLK (in a handler of the line)
 */
export const synchronizeHardirq = effect(function* synchronizeHardirq(irq: number) {
  const desc = thisCpu().machine.irqs.get(irq);
  yield* waitForHandlers(desc, false);
  return desc.threadsActive === 0;
});
