// Changes to lines of chips behind a bus that sleeps, such as I2C (chip_bus_lock in kernel/irq/internals.h).
import { KernelError } from '../errno.js';
import { type Coroutine, isCoroutine, isPromiseLike, type Process, type Unstarted } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { runningCpu } from '../sched/current.js';
import { callProcess, effect, finish } from '../sched/effect.js';
import type { IrqDesc } from './irqdesc.js';

/**
 * What a change to a line returns. It is made already, and the result may be left alone, unless the line's chip is behind
 * a bus that sleeps: there `yield*` or `await` makes it, in process context.
 *
 * ```ts
 * disableIrqNosync(irq);                            // a line of the SoC: any context
 * yield* disableIrqNosync(expanderIrq);             // a line of an I2C expander: the bus is locked, and written to
 * ```
 *
 * A generator that writes `yield*` serves both. Where it is missing, and the bus would have to be waited for, the call
 * throws `EAGAIN` in a plain function, and the next `yield` does in a generator; nothing has been changed then.
 */
export type LineChange = Coroutine<void>;

/** Nothing is left to be done. A generator that has ended serves any number of `yield*`. */
const MADE: LineChange = (function* made() {})();

function callBus(desc: IrqDesc, callback: 'busLock' | 'busSyncUnlock'): Process<void> {
  const { chip } = desc;
  if (chip?.[callback] !== undefined) return callProcess(() => chip[callback]?.(desc));
}

/** Locks the bus of a line's chip, if it has one (chip_bus_lock). Process context. */
export function* chipBusLock(desc: IrqDesc): Coroutine<void> {
  if (desc.chip?.busLock !== undefined) yield* finish(callBus(desc, 'busLock'));
}

/** Writes out what was changed, and unlocks the bus (chip_bus_sync_unlock). Process context. */
export function* chipBusSyncUnlock(desc: IrqDesc): Coroutine<void> {
  if (desc.chip?.busSyncUnlock !== undefined) yield* finish(callBus(desc, 'busSyncUnlock'));
}

/** A change that waits for its bus, from the call until its `yield*`. */
class UnstartedChange implements Unstarted {
  readonly awaitable = true;
  readonly #cpu: Cpu | undefined = runningCpu();
  readonly #irq: number;
  readonly #what: string;

  constructor(irq: number, what: string) {
    this.#irq = irq;
    this.#what = what;
    // An async function has no CPU after an `await`; in a plain interrupt handler nothing can come of it.
    if (this.#cpu === undefined) return;
    if (this.#cpu.executing === undefined) throw this.abandon();
    this.#cpu.unstarted = this;
  }

  start(): void {
    if (this.#cpu?.unstarted === this) this.#cpu.unstarted = undefined;
  }

  abandon(): KernelError {
    this.start();
    return new KernelError('EAGAIN', `${this.#what}() of irq ${this.#irq} waits for the bus that its chip is behind`, {
      hint: 'make the caller a generator function in process context, and write yield* before the call',
    });
  }
}

/** The rest of a change, from where it waits. */
const startChange = effect(function* startChange(unstarted: UnstartedChange, rest: Coroutine<void>) {
  unstarted.start();
  yield* rest;
});

function* makeChange<A>(desc: IrqDesc, lock: Process<void>, change: (desc: IrqDesc, arg: A) => void, arg: A) {
  yield* finish(lock);
  try {
    change(desc, arg);
  } finally {
    yield* chipBusSyncUnlock(desc);
  }
}

function waits(result: Process<void>): boolean {
  return isCoroutine(result) || isPromiseLike(result);
}

/**
 * Changes a line with its chip's bus locked: at once if that needs no waiting, else when the result is taken.
 *
 * @param what the kernel name of the function that the caller called
 * @param change is not called, and what it throws not thrown, before the bus is locked
 */
export function changeLine<A>(
  desc: IrqDesc,
  what: string,
  change: (desc: IrqDesc, arg: A) => void,
  arg: A,
): LineChange {
  const { chip } = desc;
  if (chip?.busLock === undefined && chip?.busSyncUnlock === undefined) {
    change(desc, arg);
    return MADE;
  }
  const lock = callBus(desc, 'busLock');
  if (waits(lock)) return startChange(new UnstartedChange(desc.irq, what), makeChange(desc, lock, change, arg));
  let unlocked: Process<void>;
  try {
    change(desc, arg);
  } finally {
    unlocked = callBus(desc, 'busSyncUnlock');
  }
  if (!waits(unlocked)) return MADE;
  return startChange(new UnstartedChange(desc.irq, what), finish(unlocked));
}
