// The Linux side of the BCM2836's per-core controller: lines of each CPU, and mailboxes for those between CPUs (drivers/irqchip/irq-bcm2836.c).
import {
  type Cpu,
  chainedIrqEnter,
  chainedIrqExit,
  handlePercpuDevidIrq,
  IRQ_NOAUTOEN,
  type IrqChip,
  type IrqDesc,
  IrqDomain,
  ipiSetup,
  MAX_IPI,
  type Machine,
  setSmpIpiRange,
  thisCpu,
} from '../../kernel/index.js';
import { setPercpuDevid } from '../../kernel/irq/line-setup.js';
import { DONE, type Outcome, SUSPENDED } from '../../kernel/sched/coroutine.js';
import type { Bus } from '../bcm2835/bus.js';
import {
  LOCAL_AXI_IRQ,
  LOCAL_CONTROL,
  LOCAL_INTC_BASE,
  LOCAL_IRQ_GPU_FAST,
  LOCAL_IRQ_LOCAL_TIMER,
  LOCAL_IRQ_MAILBOX0,
  LOCAL_IRQ_PENDING0,
  LOCAL_IRQ_PMU_FAST,
  LOCAL_MAILBOX_INT_CONTROL0,
  LOCAL_MAILBOX0_CLR0,
  LOCAL_MAILBOX0_SET0,
  LOCAL_PM_ROUTING_CLR,
  LOCAL_PM_ROUTING_SET,
  LOCAL_PRESCALER,
  LOCAL_TIMER_CONTROL,
  LOCAL_TIMER_INT_CONTROL0,
} from '../bcm2836/local-intc.js';
import { type InterruptWire, percpuWanted } from './interrupt-parent.js';

const HWIRQS = LOCAL_IRQ_PMU_FAST + 1;
const MAILBOXES = 4;
/** Bytes from one core's mailboxes to the next one's. */
const MAILBOX_STRIDE = 16;
const BITS_PER_MBOX = 32;
/** Prescaler for the crystal's own frequency. */
const PRESCALE_BY_1 = 0x8000_0000;
const LOCAL_TIMER_INTERRUPT = 1 << 29;
/** The tasks that bring a CPU's own lines up, before anything else runs there. */
const STARTING_PRIORITY = 99;

function nothing(): void {}

function lowestBit(value: number): number {
  return 31 - Math.clz32(value & -value);
}

/** The controller as the kernel drives it, root interrupt handler of every CPU. */
export class Bcm2836Irqchip {
  /** Lines that each CPU has for itself, by their LOCAL_IRQ_ numbers. */
  readonly domain: IrqDomain;
  /** Interrupts from one CPU to another, by their bits in mailbox 0. */
  readonly ipiDomain: IrqDomain;
  /** Where the controller of the peripherals is behind. */
  readonly gpu: InterruptWire;
  readonly #machine: Machine;
  readonly #bus: Bus;

  constructor(machine: Machine, bus: Bus) {
    this.#machine = machine;
    this.#bus = bus;
    bus.write32(LOCAL_INTC_BASE + LOCAL_CONTROL, 0);
    bus.write32(LOCAL_INTC_BASE + LOCAL_PRESCALER, PRESCALE_BY_1);
    this.domain = this.#localDomain();
    this.ipiDomain = this.#makeIpiDomain();
    this.gpu = { domain: this.domain, hwirq: LOCAL_IRQ_GPU_FAST };
    machine.setHandleIrq((cpu) => this.#handleIrq(cpu));
    this.#smpInit();
  }

  #localDomain(): IrqDomain {
    const timer = this.#chip('bcm2836-timer', {
      mask: ({ hwirq }) => this.#change(LOCAL_TIMER_INT_CONTROL0, hwirq, false),
      unmask: ({ hwirq }) => this.#change(LOCAL_TIMER_INT_CONTROL0, hwirq, true),
    });
    const pmu = this.#chip('bcm2836-pmu', {
      mask: () => this.#bus.write32(LOCAL_INTC_BASE + LOCAL_PM_ROUTING_CLR, 1 << thisCpu().id),
      unmask: () => this.#bus.write32(LOCAL_INTC_BASE + LOCAL_PM_ROUTING_SET, 1 << thisCpu().id),
    });
    const gpu = this.#chip('bcm2836-gpu', {});
    const dummy = this.#chip('bcm2836-dummy', { eoi: nothing });
    const map = (desc: IrqDesc): void => {
      if (desc.hwirq === LOCAL_IRQ_MAILBOX0) desc.chip = dummy;
      else if (desc.hwirq === LOCAL_IRQ_GPU_FAST) desc.chip = gpu;
      else if (desc.hwirq === LOCAL_IRQ_PMU_FAST) desc.chip = pmu;
      setPercpuDevid(desc);
      desc.settings |= IRQ_NOAUTOEN;
    };
    return new IrqDomain(this.#machine, {
      name: 'bcm2836-l1',
      size: HWIRQS,
      chip: timer,
      flow: handlePercpuDevidIrq,
      map,
    });
  }

  #makeIpiDomain(): IrqDomain {
    const chip = this.#chip('IPI', {
      ack: ({ hwirq }) => this.#bus.write32(this.#mailbox(LOCAL_MAILBOX0_CLR0, thisCpu().id), 1 << hwirq),
      ipiSendMask: ({ hwirq }, mask) => {
        for (let id = 0; id < this.#machine.cpus.length; id++) {
          if ((mask & (1 << id)) !== 0) this.#bus.write32(this.#mailbox(LOCAL_MAILBOX0_SET0, id), 1 << hwirq);
        }
      },
    });
    return new IrqDomain(this.#machine, {
      name: 'bcm2836-ipi',
      size: BITS_PER_MBOX,
      chip,
      flow: handlePercpuDevidIrq,
      map: setPercpuDevid,
    });
  }

  /** Mailboxes interrupt every CPU, and what comes through them is handed out; then each CPU takes part. */
  #smpInit(): void {
    const irqs = Array.from({ length: BITS_PER_MBOX }, (_, bit) => this.ipiDomain.createMapping(bit)).slice(0, MAX_IPI);
    this.domain.setChainedHandler(LOCAL_IRQ_MAILBOX0, (desc) => this.#handleIpi(desc), 'ipi');
    for (const { id } of this.#machine.cpus) {
      const starting = this.#starting(id, irqs);
      this.#machine.spawn(`cpuhp/${id}`, () => starting, { rtPriority: STARTING_PRIORITY, cpusAllowed: 1 << id });
    }
  }

  *#starting(id: number, irqs: readonly number[]): Generator<number, void, unknown> {
    this.#change(LOCAL_MAILBOX_INT_CONTROL0, 0, true);
    if (id === 0) yield* setSmpIpiRange(irqs);
    ipiSetup(irqs);
  }

  #handleIrq({ id }: Cpu): Outcome {
    const pending = this.#bus.read32(LOCAL_INTC_BASE + LOCAL_IRQ_PENDING0 + 4 * id);
    if (pending === 0) return DONE;
    const hwirq = lowestBit(pending);
    if (percpuWanted(this.domain.descOf(hwirq))) return this.domain.handle(hwirq);
    this.#disown(id, hwirq);
    return DONE;
  }

  #handleIpi(desc: IrqDesc): Outcome {
    chainedIrqEnter(desc);
    const bits = this.#bus.read32(this.#mailbox(LOCAL_MAILBOX0_CLR0, thisCpu().id));
    if (bits !== 0 && this.ipiDomain.handle(lowestBit(bits)) === SUSPENDED) {
      return thisCpu().defer(() => {
        chainedIrqExit(desc);
        return DONE;
      });
    }
    chainedIrqExit(desc);
    return DONE;
  }

  /** Switches an interrupt off that was enabled past this driver. Linux would take it for ever. */
  #disown(id: number, hwirq: number): void {
    const mailbox = hwirq - LOCAL_IRQ_MAILBOX0;
    if (hwirq < LOCAL_IRQ_MAILBOX0) this.#change(LOCAL_TIMER_INT_CONTROL0, hwirq, false);
    else if (mailbox < MAILBOXES) this.#change(LOCAL_MAILBOX_INT_CONTROL0, mailbox, false);
    else if (hwirq === LOCAL_IRQ_PMU_FAST) this.#bus.write32(LOCAL_INTC_BASE + LOCAL_PM_ROUTING_CLR, 1 << id);
    else if (hwirq === LOCAL_IRQ_LOCAL_TIMER) {
      const address = LOCAL_INTC_BASE + LOCAL_TIMER_CONTROL;
      this.#bus.write32(address, this.#bus.read32(address) & ~LOCAL_TIMER_INTERRUPT);
    } else this.#bus.write32(LOCAL_INTC_BASE + LOCAL_AXI_IRQ, 0);
    this.#machine.printk('crit', `bcm2836: interrupt ${hwirq} of CPU${id} is disabled: nobody handles it`);
  }

  #chip(name: string, callbacks: Partial<IrqChip>): IrqChip {
    return { name, mask: nothing, unmask: nothing, ...callbacks };
  }

  /** Sets or clears a bit of the running CPU's register. */
  #change(register: number, bit: number, on: boolean): void {
    const address = LOCAL_INTC_BASE + register + 4 * thisCpu().id;
    const old = this.#bus.read32(address);
    this.#bus.write32(address, on ? old | (1 << bit) : old & ~(1 << bit));
  }

  #mailbox(register: number, cpu: number): number {
    return LOCAL_INTC_BASE + register + MAILBOX_STRIDE * cpu;
  }
}
