// The Linux side of the GIC-400: its irq_chip, its domain, the root interrupt handler and the interrupts between CPUs (drivers/irqchip/irq-gic.c).
import {
  handleFasteoiIrq,
  handlePercpuDevidIrq,
  IRQ_TYPE_EDGE_BOTH,
  IRQ_TYPE_EDGE_RISING,
  IRQ_TYPE_LEVEL_HIGH,
  IRQCHIP_MASK_ON_SUSPEND,
  IRQCHIP_SET_TYPE_MASKED,
  IRQCHIP_SKIP_SET_WAKE,
  IRQCHIP_STATE_ACTIVE,
  IRQCHIP_STATE_MASKED,
  IRQCHIP_STATE_PENDING,
  type IrqChip,
  type IrqDesc,
  IrqDomain,
  ipiSetup,
  KernelError,
  MAX_IPI,
  type Machine,
  setSmpIpiRange,
  thisCpu,
} from '../../kernel/index.js';
import { setPercpuDevid } from '../../kernel/irq/line-setup.js';
import {
  GICC_APR0,
  GICC_BASE,
  GICC_CTLR,
  GICC_DIR,
  GICC_ENABLE,
  GICC_EOIMODE,
  GICC_EOIR,
  GICC_IAR,
  GICC_PMR,
} from '../bcm2711/gic-cpu-interface.js';
import {
  GIC_PRIVATE,
  GIC_SGIS,
  GICD_BASE,
  GICD_CTLR,
  GICD_ICACTIVER,
  GICD_ICENABLER,
  GICD_ICFGR,
  GICD_ICPENDR,
  GICD_IPRIORITYR,
  GICD_ISACTIVER,
  GICD_ISENABLER,
  GICD_ISPENDR,
  GICD_ITARGETSR,
  GICD_SGIR,
  GICD_TYPER,
} from '../bcm2711/gic-distributor.js';
import { gicIrqOf } from '../bcm2711/soc.js';
import type { Bus } from '../bcm2835/bus.js';
import { type InterruptParent, percpuWanted } from './interrupt-parent.js';

const IRQ_ID = 0x3ff;
/** From here on they are not interrupts, but reasons why there is none. */
const SPECIAL_IDS = 1020;
/** Priority of every interrupt, four times, and the least that is taken. */
const PRIORITIES = 0xa0a0_a0a0;
const PRIORITY_MASK = 0xf0;
const ALL = 0xffff_ffff;
const TARGET_SHIFT = 16;
const STARTING_PRIORITY = 99;

/** The controller as the kernel drives it, with end of interrupt and deactivation apart; root interrupt handler of every CPU. */
export class Gic implements InterruptParent {
  readonly domain: IrqDomain;
  readonly #machine: Machine;
  readonly #bus: Bus;
  readonly #irqs: number;
  readonly #next = (): number => this.#acknowledge();
  /** Which interface each CPU is. */
  readonly #cpuMap: number[];
  /** The software generated interrupt that each CPU has acknowledged, with the core that raised it. */
  readonly #sgi: number[];

  constructor(machine: Machine, bus: Bus) {
    this.#machine = machine;
    this.#bus = bus;
    this.#irqs = 32 * ((this.#readDist(GICD_TYPER) & 0x1f) + 1);
    this.#cpuMap = machine.cpus.map(() => ALL >>> 24);
    this.#sgi = machine.cpus.map(() => 0);
    machine.printk('info', 'GIC: Using split EOI/Deactivate mode');
    this.domain = new IrqDomain(machine, {
      name: 'gic',
      size: this.#irqs,
      chip: this.#chip(),
      flow: handleFasteoiIrq,
      map: (desc) => this.#map(desc),
    });
    machine.setHandleIrq(() => this.domain.handleEach(this.#next));
    this.#distInit();
    this.#smpInit();
  }

  gpuHwirq(gpuIrq: number): number {
    return gicIrqOf(gpuIrq);
  }

  /** As the device tree has them: the shared interrupts of the peripherals are levels. */
  #map(desc: IrqDesc): void {
    if (desc.hwirq < GIC_PRIVATE) {
      setPercpuDevid(desc);
      desc.handleIrq = handlePercpuDevidIrq;
    }
    desc.type = desc.hwirq < GIC_SGIS ? IRQ_TYPE_EDGE_RISING : IRQ_TYPE_LEVEL_HIGH;
    desc.enforceIrqctx = true;
  }

  #distInit(): void {
    this.#writeDist(GICD_CTLR, 0);
    const target = Math.imul(this.#targetOfThisCpu(), 0x0101_0101) >>> 0;
    for (let irq = GIC_PRIVATE; irq < this.#irqs; irq += 4) {
      this.#writeDist(GICD_ITARGETSR + irq, target);
      this.#writeDist(GICD_IPRIORITYR + irq, PRIORITIES);
    }
    for (let irq = GIC_PRIVATE; irq < this.#irqs; irq += 16) this.#writeDist(GICD_ICFGR + irq / 4, 0);
    for (let irq = GIC_PRIVATE; irq < this.#irqs; irq += 32) {
      this.#writeDist(GICD_ICACTIVER + irq / 8, ALL);
      this.#writeDist(GICD_ICENABLER + irq / 8, ALL);
    }
    this.#writeDist(GICD_CTLR, 1);
  }

  /** Each CPU sets up its own interrupts and its interface, and then takes part in those between CPUs. */
  #smpInit(): void {
    const irqs = Array.from({ length: MAX_IPI }, (_, sgi) => this.domain.createMapping(sgi));
    for (const { id } of this.#machine.cpus) {
      const starting = this.#starting(id, irqs);
      this.#machine.spawn(`cpuhp/${id}`, () => starting, { rtPriority: STARTING_PRIORITY, cpusAllowed: 1 << id });
    }
  }

  *#starting(id: number, irqs: readonly number[]): Generator<number, void, unknown> {
    this.#cpuInit(id);
    if (id === 0) yield* setSmpIpiRange(irqs);
    ipiSetup(irqs);
  }

  #cpuInit(id: number): void {
    const own = this.#targetOfThisCpu();
    for (const cpu of this.#cpuMap.keys()) {
      this.#cpuMap[cpu] = cpu === id ? own : (this.#cpuMap[cpu] ?? 0) & ~own;
    }
    this.#writeDist(GICD_ICACTIVER, ALL);
    this.#writeDist(GICD_ICENABLER, ALL);
    for (let irq = 0; irq < GIC_PRIVATE; irq += 4) this.#writeDist(GICD_IPRIORITYR + irq, PRIORITIES);
    this.#bus.write32(GICC_BASE + GICC_PMR, PRIORITY_MASK);
    for (let i = 0; i < 4; i++) this.#bus.write32(GICC_BASE + GICC_APR0 + 4 * i, 0);
    this.#bus.write32(GICC_BASE + GICC_CTLR, GICC_ENABLE | GICC_EOIMODE);
  }

  /** What the controller says that this CPU's bit is: the target of its private interrupts. */
  #targetOfThisCpu(): number {
    return this.#readDist(GICD_ITARGETSR) & 0xff;
  }

  /** The next interrupt that has a number, with its priority dropped; one that was enabled past this driver has none. */
  #acknowledge(): number {
    for (;;) {
      const iar = this.#bus.read32(GICC_BASE + GICC_IAR);
      const hwirq = iar & IRQ_ID;
      if (hwirq >= SPECIAL_IDS) return -1;
      this.#bus.write32(GICC_BASE + GICC_EOIR, iar);
      if (hwirq < GIC_SGIS) this.#sgi[thisCpu().id] = iar;
      const desc = this.domain.descOf(hwirq);
      if (hwirq < GIC_PRIVATE ? percpuWanted(desc) : desc !== undefined) return hwirq;
      this.#poke(GICD_ICENABLER, hwirq);
      this.#bus.write32(GICC_BASE + GICC_DIR, iar);
      this.#machine.printk('crit', `GIC: interrupt ${hwirq} is disabled: nobody handles it`);
    }
  }

  #chip(): IrqChip {
    return {
      name: 'GICv2',
      flags: IRQCHIP_SET_TYPE_MASKED | IRQCHIP_SKIP_SET_WAKE | IRQCHIP_MASK_ON_SUSPEND,
      mask: ({ hwirq }) => this.#poke(GICD_ICENABLER, hwirq),
      unmask: ({ hwirq }) => this.#poke(GICD_ISENABLER, hwirq),
      eoi: ({ hwirq }) => {
        const id = hwirq < GIC_SGIS ? (this.#sgi[thisCpu().id] ?? hwirq) : hwirq;
        this.#bus.write32(GICC_BASE + GICC_DIR, id);
      },
      setType: (desc, type) => this.#setType(desc, type),
      retrigger: ({ hwirq }) => {
        this.#poke(GICD_ISPENDR, hwirq);
        return true;
      },
      setAffinity: ({ hwirq }, mask) => this.#setAffinity(hwirq, mask),
      ipiSendMask: ({ hwirq }, mask) => {
        let targets = 0;
        for (let cpu = 0; cpu < this.#cpuMap.length; cpu++) {
          if ((mask & (1 << cpu)) !== 0) targets |= this.#cpuMap[cpu] ?? 0;
        }
        this.#writeDist(GICD_SGIR, (targets << TARGET_SHIFT) | hwirq);
      },
      getIrqchipState: ({ hwirq }, which) => {
        if (which === IRQCHIP_STATE_PENDING) return this.#peek(GICD_ISPENDR, hwirq);
        if (which === IRQCHIP_STATE_ACTIVE) return this.#peek(GICD_ISACTIVER, hwirq);
        if (which === IRQCHIP_STATE_MASKED) return !this.#peek(GICD_ISENABLER, hwirq);
        throw noState(which);
      },
      setIrqchipState: ({ hwirq }, which, value) => {
        if (which === IRQCHIP_STATE_PENDING) this.#poke(value ? GICD_ISPENDR : GICD_ICPENDR, hwirq);
        else if (which === IRQCHIP_STATE_ACTIVE) this.#poke(value ? GICD_ISACTIVER : GICD_ICACTIVER, hwirq);
        else if (which === IRQCHIP_STATE_MASKED) this.#poke(value ? GICD_ICENABLER : GICD_ISENABLER, hwirq);
        else throw noState(which);
      },
    };
  }

  /** Shared interrupts are high levels or rising edges; those of each CPU are what they are. */
  #setType({ hwirq }: IrqDesc, type: number): void {
    const edge = type === IRQ_TYPE_EDGE_RISING;
    if (hwirq < GIC_SGIS ? !edge : hwirq >= GIC_PRIVATE && !edge && type !== IRQ_TYPE_LEVEL_HIGH) {
      throw new KernelError('EINVAL', `GIC interrupt ${hwirq} has no trigger type ${type}`, {
        hint: hwirq < GIC_SGIS ? 'it is a rising edge' : 'request a rising edge or a high level',
      });
    }
    if (hwirq < GIC_SGIS) return;
    const register = GICD_ICFGR + 4 * (hwirq >> 4);
    const bit = 2 << (2 * (hwirq & 15));
    const old = this.#readDist(register);
    const value = ((type & IRQ_TYPE_EDGE_BOTH) === 0 ? old & ~bit : old | bit) >>> 0;
    if (value === old) return;
    this.#writeDist(register, value);
    if (this.#readDist(register) === value) return;
    this.#machine.printk('warning', `GIC: PPI${hwirq - GIC_SGIS} is secure or misconfigured`);
  }

  /** To the first CPU of the mask. Linux writes the one byte; the bus here has words only. */
  #setAffinity(hwirq: number, mask: number): number {
    const cpu = 31 - Math.clz32(mask & -mask);
    const target = this.#cpuMap[cpu];
    if (target === undefined) throw new KernelError('EINVAL', `GIC interrupt ${hwirq}: no CPU in ${mask.toString(16)}`);
    const register = GICD_ITARGETSR + (hwirq & ~3);
    const shift = 8 * (hwirq & 3);
    this.#writeDist(register, (this.#readDist(register) & ~(0xff << shift)) | (target << shift));
    return 1 << cpu;
  }

  #poke(register: number, hwirq: number): void {
    this.#writeDist(register + 4 * (hwirq >> 5), 1 << (hwirq & 31));
  }

  #peek(register: number, hwirq: number): boolean {
    return ((this.#readDist(register + 4 * (hwirq >> 5)) >>> (hwirq & 31)) & 1) !== 0;
  }

  #readDist(offset: number): number {
    return this.#bus.read32(GICD_BASE + offset);
  }

  #writeDist(offset: number, value: number): void {
    this.#bus.write32(GICD_BASE + offset, value);
  }
}

function noState(which: number): KernelError {
  return new KernelError('EINVAL', `GIC: an interrupt has no state ${which}`);
}
