// Interrupt descriptors: one per Linux interrupt number, and the table of them (kernel/irq/irqdesc.c).
import { KernelError } from '../errno.js';
import type { Machine } from '../machine.js';
import type { Atomic, Outcome, Process } from '../sched/coroutine.js';
import type { Cpu } from '../sched/cpu.js';
import type { Task } from '../sched/task.js';
import { IRQ_TYPE_LEVEL_MASK, IRQ_TYPE_NONE, type IrqReturn } from './flags.js';
import type { IrqDomain } from './irqdomain.js';

/** Top half: hard interrupt context, interrupts off. `devId` is what was handed to the request. */
export type IrqHandler = (irq: number, devId: unknown) => Atomic<IrqReturn>;
/** Thread function: process context, in the task `irq/NN-name`. */
export type IrqThreadFn = (irq: number, devId: unknown) => Process<IrqReturn>;
/** What a line does when its interrupt arrives: a flow handler, or a chained handler. Hard interrupt context. */
export type FlowHandler = (desc: IrqDesc) => Outcome;

/** Hardware side of an interrupt line (struct irq_chip). Callbacks are called with the line's interrupt serialised; none may sleep. */
export interface IrqChip {
  /** As /proc/interrupts shows it. */
  readonly name: string;
  /** Needs no masking between primary and thread, so threads without a primary need no ONESHOT (IRQCHIP_ONESHOT_SAFE). */
  readonly oneshotSafe?: boolean;
  /** Starts a line that gets its first action, unmasked; {@link unmask} when left out. */
  startup?(desc: IrqDesc): void;
  /** Shuts a line down that lost its last action, masked; {@link mask} when left out. */
  shutdown?(desc: IrqDesc): void;
  ack?(desc: IrqDesc): void;
  mask(desc: IrqDesc): void;
  unmask(desc: IrqDesc): void;
  maskAck?(desc: IrqDesc): void;
  /** Configures the trigger type; throws `EINVAL` for one that the hardware has not got. */
  setType?(desc: IrqDesc, type: number): void;
  /** Makes the hardware deliver once more; false when it cannot. */
  retrigger?(desc: IrqDesc): boolean;
}

/** One requested handler on a line (struct irqaction). */
export interface IrqAction {
  readonly irq: number;
  readonly name: string;
  readonly nameId: number;
  /** IRQF_ flags as they hold on the line: with its trigger type, where the request gave none. */
  readonly flags: number;
  readonly devId: unknown;
  readonly handler: IrqHandler;
  readonly threadFn: IrqThreadFn | undefined;
  thread: Task | undefined;
  /** Woken and not yet run (IRQTF_RUNTHREAD). */
  runThread: boolean;
  /** WAKE_THREAD without a thread function was reported once (IRQTF_WARNED). */
  warned: boolean;
  /** Its thread function is running. */
  inThread: boolean;
  /** Taken off its line; a walk that is under way leaves it out. */
  removed: boolean;
}

/** State of one interrupt line (struct irq_desc with its irq_data). */
export class IrqDesc {
  readonly irq: number;
  readonly machine: Machine;
  readonly hwirq: number;
  readonly domain: IrqDomain | undefined;
  chip: IrqChip | undefined;
  /** Data of the chip for this line. */
  chipData: unknown;
  handleIrq: FlowHandler | undefined;
  /** Name of the flow, shown behind the type in /proc/interrupts. */
  flowName: string | undefined;
  /** In order of registration. Replaced, never changed, so that a walk under way keeps its place. */
  actions: readonly IrqAction[] = [];
  /** Disabled as often as this; 0 is enabled. */
  depth = 1;
  type = IRQ_TYPE_NONE;
  /** The type was fixed by firmware or by a second sharer, so that all who come must agree (IRQD_DEFAULT_TRIGGER_SET). */
  typeFixed = false;
  /** Requests do not enable it (IRQ_NOAUTOEN). */
  noAutoen = false;
  started = false;
  masked = true;
  disabled = true;
  /** An interrupt came while it could not be handled; kept one deep. */
  pending = false;
  inProgress = false;
  /** Thread functions that were woken and have not finished. */
  threadsActive = 0;
  /** A chained handler owns the line: no action can be requested. */
  chained = false;
  /** Interrupts handled, per CPU. */
  readonly counts: Uint32Array;
  /** Edges merged into an already pending one. */
  coalesced = 0;
  /** Tasks that wait for handlers and threads to finish (synchronize_irq). */
  readonly waiters = new Set<Task>();

  constructor(machine: Machine, irq: number, domain: IrqDomain | undefined, hwirq: number) {
    this.machine = machine;
    this.irq = irq;
    this.domain = domain;
    this.hwirq = hwirq;
    this.counts = new Uint32Array(machine.cpus.length);
  }

  get isLevel(): boolean {
    return (this.type & IRQ_TYPE_LEVEL_MASK) !== 0;
  }

  /** Interrupts over all CPUs. */
  get total(): number {
    let sum = 0;
    for (const count of this.counts) sum += count;
    return sum;
  }

  count(cpu: Cpu): void {
    this.counts[cpu.id] = (this.counts[cpu.id] ?? 0) + 1;
  }
}

/** The first number that is handed out; 0 is never a valid interrupt. */
const FIRST_IRQ = 1;

/** All interrupt numbers of a machine, handed out at run time. */
export class IrqTable {
  /** Numbers that can be handed out, as NR_IRQS; it sets the width of columns in /proc/interrupts. */
  readonly nrIrqs = 512;
  readonly #machine: Machine;
  readonly #descs: (IrqDesc | undefined)[] = [];

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  /** A new descriptor on the lowest free number. `ENOSPC` when all are taken. */
  alloc(domain: IrqDomain | undefined, hwirq: number): IrqDesc {
    let irq = FIRST_IRQ;
    while (this.#descs[irq] !== undefined) irq++;
    if (irq >= this.nrIrqs) throw new KernelError('ENOSPC', `all ${this.nrIrqs} interrupt numbers are taken`);
    const desc = new IrqDesc(this.#machine, irq, domain, hwirq);
    this.#descs[irq] = desc;
    return desc;
  }

  /** Gives a number back. `EBUSY` while an action is on it. */
  free(desc: IrqDesc): void {
    if (desc.actions.length > 0) throw new KernelError('EBUSY', `irq ${desc.irq} still has an action`);
    this.#descs[desc.irq] = undefined;
  }

  find(irq: number): IrqDesc | undefined {
    return this.#descs[irq];
  }

  /** The descriptor of a number. `EINVAL` for one that was not handed out. */
  get(irq: number): IrqDesc {
    const desc = this.#descs[irq];
    if (desc === undefined) throw new KernelError('EINVAL', `irq ${irq}: no such interrupt`);
    return desc;
  }

  *[Symbol.iterator](): Generator<IrqDesc> {
    for (const desc of this.#descs) if (desc !== undefined) yield desc;
  }
}
