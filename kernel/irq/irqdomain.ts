// Interrupt domains: a controller's own line numbers to Linux's interrupt numbers (kernel/irq/irqdomain.c).
import { KernelError } from '../errno.js';
import type { Machine } from '../machine.js';
import { DONE, type Outcome, SUSPENDED } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { maskIrq } from './chip.js';
import type { FlowHandler, IrqChip, IrqDesc } from './irqdesc.js';
import { setChained } from './line-setup.js';

/** What a domain is made from. */
export interface IrqDomainOptions {
  readonly name: string;
  /** Hardware lines, 0 to `size - 1`. */
  readonly size: number;
  readonly chip: IrqChip;
  /** Flow handler of a newly mapped line. */
  readonly flow: FlowHandler;
  /** Called for a newly mapped line, to make it different from the others. */
  readonly map?: (desc: IrqDesc) => void;
}

/** The lines of one interrupt controller. */
export class IrqDomain {
  readonly name: string;
  readonly size: number;
  readonly #machine: Machine;
  readonly #options: IrqDomainOptions;
  readonly #descs: (IrqDesc | undefined)[];

  constructor(machine: Machine, options: IrqDomainOptions) {
    this.#machine = machine;
    this.#options = options;
    this.name = options.name;
    this.size = options.size;
    this.#descs = new Array<IrqDesc | undefined>(options.size).fill(undefined);
  }

  /** The interrupt number of a hardware line, made when it is asked for the first time. `EINVAL` outside the domain. */
  createMapping(hwirq: number): number {
    if (!Number.isInteger(hwirq) || hwirq < 0 || hwirq >= this.size) {
      throw new KernelError('EINVAL', `${this.name} has no line ${hwirq}: 0 to ${this.size - 1}`);
    }
    const known = this.#descs[hwirq];
    if (known !== undefined) return known.irq;
    const desc = this.#machine.irqs.alloc(this, hwirq);
    desc.chip = this.#options.chip;
    desc.handleIrq = this.#options.flow;
    this.#options.map?.(desc);
    this.#descs[hwirq] = desc;
    return desc.irq;
  }

  /** The interrupt number of a hardware line; 0 when it has none. */
  findMapping(hwirq: number): number {
    return this.#descs[hwirq]?.irq ?? 0;
  }

  /** The descriptor of a mapped line. */
  descOf(hwirq: number): IrqDesc | undefined {
    return this.#descs[hwirq];
  }

  /** Gives the interrupt number of a line back, and with it a chained handler. `EBUSY` while it has an action. */
  disposeMapping(hwirq: number): void {
    const desc = this.#descs[hwirq];
    if (desc === undefined) return;
    if (desc.chained) setChained(desc, null, undefined);
    this.#machine.irqs.free(desc);
    maskIrq(desc);
    this.#descs[hwirq] = undefined;
  }

  /**
   * Lets a chained handler own a line of this domain, and starts it up (irq_set_chained_handler). `EBUSY` while the line
   * has an action, `EINVAL` outside the domain.
   */
  setChainedHandler(hwirq: number, handler: FlowHandler, name: string): IrqDesc {
    const desc = this.#machine.irqs.get(this.createMapping(hwirq));
    if (desc.actions.length > 0) {
      throw new KernelError('EBUSY', `irq ${desc.irq} has an action, so no chained handler can own it`);
    }
    setChained(desc, handler, name);
    return desc;
  }

  /** Handles a hardware line's interrupt; one without a mapping is nobody's. Hard interrupt context. */
  handle(hwirq: number): Outcome {
    const desc = this.#descs[hwirq];
    if (desc === undefined) return DONE;
    return desc.chained ? this.#handleChained(desc) : desc.handleIrq(desc);
  }

  #handleChained(desc: IrqDesc): Outcome {
    const { look } = this.#machine;
    const before = look.others();
    const outcome = desc.handleIrq(desc);
    look.othersDone(before);
    return outcome;
  }

  /** Handles the hardware lines that `next` names, until it gives -1. Hard interrupt context. */
  handleEach(next: () => number): Outcome {
    for (let hwirq = next(); hwirq >= 0; hwirq = next()) {
      if (this.handle(hwirq) === SUSPENDED) return this.#deferEach(next);
    }
    return DONE;
  }

  #deferEach(next: () => number): Outcome {
    return thisCpu().defer(() => this.handleEach(next));
  }
}
