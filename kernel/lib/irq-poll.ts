// irq_poll: completions of block devices, polled in IRQ_POLL softirq within a budget, as NAPI polls packets (lib/irq_poll.c).
import { KernelError } from '../errno.js';
import type { Machine } from '../machine.js';
import { cutsOff } from '../sched/atomic.js';
import { type Atomic, DONE, type Outcome, SUSPENDED } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import { thisCpu } from '../sched/current.js';
import { effect } from '../sched/effect.js';
import { IRQ_POLL_SOFTIRQ } from '../softirq/vectors.js';
import { msleep, ndelay } from '../time/delay.js';
import { jiffiesOf } from '../time/jiffies.js';
import { ListHead, listAddTail, listDelInit, listMoveTail } from './list.js';

/** Bits of {@link IrqPoll.state}: on a CPU's list, and about to be disabled (include/linux/irq_poll.h). */
export const IRQ_POLL_F_SCHED = 0;
export const IRQ_POLL_F_DISABLE = 1;

const SCHED = 1 << IRQ_POLL_F_SCHED;
const DISABLE = 1 << IRQ_POLL_F_DISABLE;

/** Completions that one softirq may handle. */
const IRQ_POLL_BUDGET = 256;
/** What it takes to poll in vain what is neither done nor busy, so that the time goes on until the softirq's is over. */
const IN_VAIN_NS = 1_000;

/**
 * Handles up to `budget` completions and returns how many it has; having less it calls {@link irqPollComplete}. Softirq
 * context; may not sleep.
 */
export type IrqPollFn = (iop: IrqPoll, budget: number) => Atomic<number>;

/** A source of completions (struct irq_poll). Extend it to carry data, where C uses container_of. */
export class IrqPoll {
  /** Bits {@link IRQ_POLL_F_SCHED} and {@link IRQ_POLL_F_DISABLE}. */
  state = 0;
  weight = 0;
  poll: IrqPollFn = () => 0;
  readonly list: ListHead<IrqPoll> = new ListHead<IrqPoll>(this);
}

/** Gives a source its function, and makes it enabled and idle (irq_poll_init). Any context. */
export function irqPollInit(iop: IrqPoll, weight: number, poll: IrqPollFn): void {
  iop.state = 0;
  iop.weight = weight;
  iop.poll = poll;
}

/** Has a source polled on this CPU, unless it is going to be or is disabled (irq_poll_sched). Any context. */
export function irqPollSched(iop: IrqPoll): void {
  if (iop.state !== 0) return;
  iop.state = SCHED;
  const cpu = thisCpu();
  cpu.machine.irqPoll.add(cpu, iop);
}

/** Ends the polling of a source (irq_poll_complete). Called by its poll function. */
export function irqPollComplete(iop: IrqPoll): void {
  listDelInit(iop.list);
  iop.state &= ~SCHED;
}

/** Keeps a source from being polled, and waits until it is done (irq_poll_disable). Process context. */
export const irqPollDisable = effect(function* irqPollDisable(iop: IrqPoll) {
  iop.state |= DISABLE;
  while ((iop.state & SCHED) !== 0) yield* msleep(1);
  iop.state = SCHED;
});

/**
 * Lets a disabled source be scheduled again (irq_poll_enable). Any context.
 *
 * @throws KernelError EINVAL when it is not disabled, where the kernel stops with a BUG
 */
export function irqPollEnable(iop: IrqPoll): void {
  if ((iop.state & SCHED) === 0) throw new KernelError('EINVAL', 'irq_poll_enable: it is not disabled');
  iop.state &= ~SCHED;
}

/** The sources of one CPU, and the softirq that polls them. */
class CpuIrqPoll {
  readonly list = new ListHead<IrqPoll>();
  readonly #cpu: Cpu;
  #budget = 0;
  #startJiffies = 0;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
  }

  /** The softirq (irq_poll_softirq): polls the first until it is complete or has used up its weight, then the next. */
  action(): Outcome {
    this.#budget = IRQ_POLL_BUDGET;
    this.#startJiffies = jiffiesOf(this.#cpu.machine);
    return this.#loop();
  }

  #loop(): Outcome {
    for (let iop = this.list.first; iop !== undefined; iop = this.list.first) {
      if (this.#budget <= 0 || jiffiesOf(this.#cpu.machine) > this.#startJiffies) {
        this.#cpu.softirqs.mark(IRQ_POLL_SOFTIRQ);
        return DONE;
      }
      if (this.#poll(iop) === SUSPENDED) return this.#deferLoop();
    }
    return DONE;
  }

  /** On its own, since a closure in the loop would cost it an object a call. */
  #deferLoop(): Outcome {
    return this.#cpu.defer(() => this.#loop());
  }

  #poll(iop: IrqPoll): Outcome {
    const where = 'irq_poll function';
    const cpu = this.#cpu;
    let work: unknown = 0;
    if ((iop.state & SCHED) !== 0) {
      try {
        work = iop.poll(iop, iop.weight);
      } catch (error) {
        cpu.machine.oops(where, error);
      }
      if (cutsOff(cpu, where, work)) {
        return cpu.suspend(work, (value, thrown) => {
          if (thrown) cpu.machine.oops(where, value);
          return this.#polled(iop, thrown ? 0 : value);
        });
      }
    }
    return this.#polled(iop, work);
  }

  #polled(iop: IrqPoll, result: unknown): Outcome {
    const work = typeof result === 'number' ? result : 0;
    this.#budget -= work;
    if (work >= iop.weight) {
      if ((iop.state & DISABLE) !== 0) irqPollComplete(iop);
      else listMoveTail(iop.list, this.list);
    } else if (work === 0 && this.list.first === iop) {
      return this.#cpu.suspend(ndelay(IN_VAIN_NS), () => DONE);
    }
    return DONE;
  }
}

/** irq_poll of a machine. */
export class IrqPolls {
  readonly #cpus: readonly CpuIrqPoll[];

  constructor(machine: Machine) {
    this.#cpus = machine.cpus.map((cpu) => new CpuIrqPoll(cpu));
    machine.softirqs.open(IRQ_POLL_SOFTIRQ, () => this.#cpus[thisCpu().id]?.action() ?? DONE);
  }

  add(cpu: Cpu, iop: IrqPoll): void {
    const list = this.#cpus[cpu.id]?.list;
    if (list === undefined) return;
    listAddTail(iop.list, list);
    cpu.softirqs.raise(IRQ_POLL_SOFTIRQ);
  }
}
