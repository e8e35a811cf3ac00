// The CPU interfaces of a GIC-400: what a core acknowledges and ends, and how urgent its next interrupt must be (GIC architecture 2.0, chapter 4.4).
import { type Peripheral, wrongRead, wrongWrite } from '../bcm2835/bus.js';
import { GIC_CORES, GIC_IRQS, GIC_SGIS, type GicDistributor } from './gic-distributor.js';

// Register offsets.
export const GICC_CTLR = 0x0000; // bit 0 enable, bit 9 ending an interrupt does not deactivate it
export const GICC_PMR = 0x0004; // only what is more urgent (a lower number) interrupts
export const GICC_BPR = 0x0008; // how much more urgent what preempts must be
export const GICC_IAR = 0x000c; // acknowledges
export const GICC_EOIR = 0x0010; // ends; write only
export const GICC_RPR = 0x0014;
export const GICC_HPPIR = 0x0018;
export const GICC_APR0 = 0x00d0;
export const GICC_IIDR = 0x00fc;
export const GICC_DIR = 0x1000; // deactivates; write only

/** ARM physical address on a BCM2711. */
export const GICC_BASE = 0xff84_2000;
/** Length of the register map in bytes. */
export const GICC_SIZE = 0x2000;

/** In place of an interrupt: there is none to be taken. */
export const GICC_SPURIOUS = 1023;
export const GICC_ENABLE = 1;
export const GICC_EOIMODE = 1 << 9;

/** An interrupt with, if it is software generated, the core that raised it: as it is acknowledged it has to be ended. */
const ACKNOWLEDGED_ID = 0x1fff;
const IRQ_ID = 0x3ff;
const SOURCE_SHIFT = 10;
const CONTROL_BITS = GICC_ENABLE | GICC_EOIMODE | 0x1e0;
const PRIORITY_BITS = 0xf0;
const LEAST_BINARY_POINT = 3;
const IDLE_PRIORITY = 0xff;
const IIDR = 0x0202_143b;
const APR_WORDS = 4;

/** Interrupts that can run on top of each other: as many as there are priorities. */
const MAX_RUNNING = 32;

/** One core's side. */
class Interface {
  control = 0;
  mask = 0;
  binaryPoint = LEAST_BINARY_POINT;
  /** What was acknowledged and not ended, the last one at the end, with the priority of each. */
  readonly #ids = new Uint16Array(MAX_RUNNING);
  readonly #priorities = new Uint8Array(MAX_RUNNING);
  #running = 0;
  /** Of each software generated interrupt, as it was acknowledged last. */
  readonly sgiIds = new Uint16Array(GIC_SGIS);
  /** What the core's IRQ input was told. */
  asserted = false;

  get runningPriority(): number {
    return this.#running === 0 ? IDLE_PRIORITY : (this.#priorities[this.#running - 1] ?? IDLE_PRIORITY);
  }

  /** A bit for each priority that runs. */
  get activePriorities(): number {
    let bits = 0;
    for (let i = 0; i < this.#running; i++) bits |= 1 << ((this.#priorities[i] ?? 0) >> LEAST_BINARY_POINT);
    return bits >>> 0;
  }

  begin(id: number, priority: number): void {
    this.#ids[this.#running] = id;
    this.#priorities[this.#running] = priority;
    this.#running++;
  }

  /** False when it is not the last that has begun. */
  end(id: number): boolean {
    if (this.#running === 0 || this.#ids[this.#running - 1] !== id) return false;
    this.#running--;
    return true;
  }

  forget(): void {
    this.#running = 0;
  }

  group(priority: number): number {
    return priority & (0xff << this.binaryPoint) & 0xff;
  }
}

/** What the interfaces need around them. */
export interface GicCpuInterfacesOptions {
  readonly distributor: GicDistributor;
  /** Told of every access that an architecture manual would call a mistake. */
  readonly warn: (message: string) => void;
  /** The core that makes an access, each of which has registers of its own here. */
  readonly accessingCore: () => number;
  /** The IRQ input of a core, a level; called when it changes. May access registers. */
  readonly onIrq: (asserted: boolean, core: number) => void;
}

/** The interfaces of all cores, at one address. Bypass and FIQ are the secure software's, and not simulated. */
export class GicCpuInterfaces implements Peripheral {
  readonly #options: GicCpuInterfacesOptions;
  readonly #interfaces: readonly Interface[] = Array.from({ length: GIC_CORES }, () => new Interface());

  constructor(options: GicCpuInterfacesOptions) {
    this.#options = options;
  }

  /** Brings the cores' inputs in line with what is pending; recomputed for each, as a callback may have accessed registers. */
  update(): void {
    for (let core = 0; core < GIC_CORES; core++) {
      const own = this.#interfaces[core];
      if (own === undefined) continue;
      const asserted = this.#next(core, own) >= 0;
      if (asserted === own.asserted) continue;
      own.asserted = asserted;
      this.#options.onIrq(asserted, core);
    }
  }

  read32(offset: number): number {
    const core = this.#options.accessingCore();
    const own = this.#interfaces[core];
    if (own === undefined) return 0;
    switch (offset) {
      case GICC_CTLR:
        return own.control;
      case GICC_PMR:
        return own.mask;
      case GICC_BPR:
        return own.binaryPoint;
      case GICC_IAR:
        return this.#acknowledge(core, own);
      case GICC_RPR:
        return own.runningPriority;
      case GICC_HPPIR: {
        const { distributor } = this.#options;
        const irq = distributor.enabled ? distributor.best(core) : -1;
        return irq < 0 ? GICC_SPURIOUS : irq | (distributor.sourceOf(irq, core) << SOURCE_SHIFT);
      }
      case GICC_IIDR:
        return IIDR;
      default:
        if (isActivePriority(offset)) return offset === GICC_APR0 ? own.activePriorities : 0;
        this.#warnAccess(isWriteOnly(offset) ? 'read of write-only' : wrongRead(offset), offset);
        return 0;
    }
  }

  write32(offset: number, value: number): void {
    const core = this.#options.accessingCore();
    const own = this.#interfaces[core];
    if (own === undefined) return;
    switch (offset) {
      case GICC_CTLR:
        own.control = value & CONTROL_BITS;
        break;
      case GICC_PMR:
        own.mask = value & PRIORITY_BITS;
        break;
      case GICC_BPR:
        own.binaryPoint = Math.max(value & 7, LEAST_BINARY_POINT);
        break;
      case GICC_EOIR:
        this.#end(core, own, value & ACKNOWLEDGED_ID);
        break;
      case GICC_DIR:
        this.#deactivate(core, own, value & ACKNOWLEDGED_ID);
        break;
      default:
        this.#writeOther(own, offset, value);
    }
    this.update();
  }

  /** Software that takes over from other software clears the active priorities. */
  #writeOther(own: Interface, offset: number, value: number): void {
    if (isActivePriority(offset)) {
      if (value === 0) own.forget();
      else this.#options.warn(`GIC: write of 0x${value.toString(16)} to the active priorities: only 0 is simulated`);
      return;
    }
    const readOnly = offset === GICC_IAR || offset === GICC_RPR || offset === GICC_HPPIR || offset === GICC_IIDR;
    this.#warnAccess(readOnly ? 'write to read-only' : wrongWrite(offset), offset);
  }

  /** The interrupt that would be signalled to a core; -1 for none. */
  #next(core: number, own: Interface): number {
    const { distributor } = this.#options;
    if (!distributor.enabled || (own.control & GICC_ENABLE) === 0) return -1;
    const irq = distributor.best(core);
    if (irq < 0) return -1;
    const priority = distributor.priority(irq, core);
    return priority < own.mask && own.group(priority) < own.runningPriority ? irq : -1;
  }

  #acknowledge(core: number, own: Interface): number {
    const { distributor } = this.#options;
    const irq = this.#next(core, own);
    if (irq < 0) return GICC_SPURIOUS;
    const priority = own.group(distributor.priority(irq, core));
    const id = irq | (distributor.acknowledge(irq, core) << SOURCE_SHIFT);
    own.begin(id, priority);
    if (irq < GIC_SGIS) own.sgiIds[irq] = id;
    this.update();
    return id;
  }

  #end(core: number, own: Interface, id: number): void {
    const irq = id & IRQ_ID;
    if (irq >= GIC_IRQS) return;
    if (!own.end(id))
      this.#options.warn(
        `GIC: core ${core} ends interrupt ${name(id)}, which is not the last that it has acknowledged`,
      );
    if ((own.control & GICC_EOIMODE) === 0) this.#options.distributor.deactivate(irq, core);
  }

  #deactivate(core: number, own: Interface, id: number): void {
    const irq = id & IRQ_ID;
    if (irq >= GIC_IRQS) return;
    if ((own.control & GICC_EOIMODE) === 0) {
      this.#options.warn(`GIC: core ${core} deactivates interrupt ${name(id)}, which ending it does`);
    } else if ((irq < GIC_SGIS && own.sgiIds[irq] !== id) || !this.#options.distributor.deactivate(irq, core)) {
      this.#options.warn(`GIC: core ${core} deactivates interrupt ${name(id)}, which is not active`);
    }
  }

  #warnAccess(what: string, offset: number): void {
    this.#options.warn(`GIC: ${what} register 0x${(GICC_BASE + offset).toString(16)}`);
  }
}

function name(id: number): string {
  const irq = id & IRQ_ID;
  return irq < GIC_SGIS ? `${irq} of core ${id >> SOURCE_SHIFT}` : String(irq);
}

function isWriteOnly(offset: number): boolean {
  return offset === GICC_EOIR || offset === GICC_DIR;
}

function isActivePriority(offset: number): boolean {
  return offset >= GICC_APR0 && offset < GICC_APR0 + 4 * APR_WORDS && offset % 4 === 0;
}
