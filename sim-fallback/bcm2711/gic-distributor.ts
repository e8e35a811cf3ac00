// The distributor of a GIC-400: which interrupt is pending, enabled and active, for whom, and how urgent (GIC architecture 2.0, chapter 4.3).
import { type Peripheral, wrongRead, wrongWrite } from '../bcm2835/bus.js';

// Register offsets. Of those with a bit an interrupt, each word has 32; the first word is each core's own.
export const GICD_CTLR = 0x000; // bit 0: interrupts are forwarded
export const GICD_TYPER = 0x004;
export const GICD_IIDR = 0x008;
export const GICD_IGROUPR = 0x080;
export const GICD_ISENABLER = 0x100; // write 1 to set
export const GICD_ICENABLER = 0x180; // write 1 to clear
export const GICD_ISPENDR = 0x200;
export const GICD_ICPENDR = 0x280;
export const GICD_ISACTIVER = 0x300;
export const GICD_ICACTIVER = 0x380;
export const GICD_IPRIORITYR = 0x400; // a byte an interrupt
export const GICD_ITARGETSR = 0x800; // a byte an interrupt, a bit a core
export const GICD_ICFGR = 0xc00; // two bits an interrupt: 2 for edges
export const GICD_PPISR = 0xd00; // levels of the inputs
export const GICD_SPISR = 0xd04;
export const GICD_SGIR = 0xf00; // raises a software generated interrupt; write only
export const GICD_CPENDSGIR = 0xf10; // a byte an interrupt, a bit the core that raised it
export const GICD_SPENDSGIR = 0xf20;
export const GICD_ID = 0xfd0; // identification registers, to the end

/** ARM physical address on a BCM2711. */
export const GICD_BASE = 0xff84_1000;
/** Length of the register map in bytes. */
export const GICD_SIZE = 0x1000;
/** Cores of the chip. */
export const GIC_CORES = 4;
/** Interrupts: 0-15 software generated, 16-31 each core's own, 32 and above shared. */
export const GIC_IRQS = 256;
export const GIC_SGIS = 16;
export const GIC_PRIVATE = 32;

const WORDS = GIC_IRQS / 32;
const TYPER = 0xfc67;
const IIDR = 0x0200_143b;
const IDS = [0x04, 0, 0, 0, 0x90, 0xb4, 0x2b, 0, 0x0d, 0xf0, 0x05, 0xb1] as const;
/** Sixteen levels, as software that is not secure sees them. */
const PRIORITY_BITS = 0xf0;
const SGI_MASK = 0xffff;
/** Configuration of the private interrupts cannot be changed: software generated ones are edges, the others levels. */
const SGI_CONFIG = 0xaaaa_aaaa;

/** What the distributor needs around it. */
export interface GicDistributorOptions {
  /** Told of every access that an architecture manual would call a mistake. */
  readonly warn: (message: string) => void;
  /** The core that makes an access. */
  readonly accessingCore: () => number;
  /** Called when what is to be forwarded may have changed. */
  readonly changed: () => void;
}

/** Place of a word of bits: each core's own, then the shared ones. */
function at(core: number, word: number): number {
  return word === 0 ? core : GIC_CORES + word - 1;
}

function bitOf(irq: number): number {
  return 1 << (irq & 31);
}

/** The state of all interrupts, as software that is not secure sees it: all are in the group that this software may use. */
export class GicDistributor implements Peripheral {
  readonly #options: GicDistributorOptions;
  #control = 0;
  readonly #enabled = new Uint32Array(GIC_CORES + WORDS - 1);
  /** Edges that have come, and what was set pending by software. */
  readonly #latched = new Uint32Array(GIC_CORES + WORDS - 1);
  readonly #inputs = new Uint32Array(GIC_CORES + WORDS - 1);
  readonly #active = new Uint32Array(GIC_CORES + WORDS - 1);
  readonly #edges = new Uint32Array(GIC_CORES + WORDS - 1);
  readonly #priorities = new Uint8Array((GIC_CORES + WORDS - 1) * 32);
  readonly #targets = new Uint8Array(GIC_IRQS);
  /** Cores that have raised a software generated interrupt, for each core. */
  readonly #sgiSources = new Uint8Array(GIC_CORES * GIC_SGIS);

  constructor(options: GicDistributorOptions) {
    this.#options = options;
    this.#edges.fill(SGI_MASK, 0, GIC_CORES);
  }

  get enabled(): boolean {
    return (this.#control & 1) !== 0;
  }

  /** Level of an input: of a shared interrupt, or of a core's own. */
  setInput(irq: number, asserted: boolean, core = 0): void {
    const i = at(core, irq >> 5);
    const bit = bitOf(irq);
    const before = this.#inputs[i] ?? 0;
    this.#inputs[i] = asserted ? before | bit : before & ~bit;
    if (asserted && (before & bit) === 0 && ((this.#edges[i] ?? 0) & bit) !== 0) this.#set(this.#latched, i, bit);
    this.#options.changed();
  }

  /** The most urgent interrupt that a core may take, the lowest of equal ones; -1 for none. */
  best(core: number): number {
    let best = -1;
    let urgency = 0x100;
    for (let word = 0; word < WORDS; word++) {
      const i = at(core, word);
      let ready = this.#pending(i) & (this.#enabled[i] ?? 0) & ~(this.#active[i] ?? 0);
      for (; ready !== 0; ready &= ready - 1) {
        const bit = 31 - Math.clz32(ready & -ready);
        const irq = 32 * word + bit;
        if (word > 0 && ((this.#targets[irq] ?? 0) & (1 << core)) === 0) continue;
        const priority = this.#priorities[32 * i + bit] ?? 0;
        if (priority >= urgency) continue;
        urgency = priority;
        best = irq;
      }
    }
    return best;
  }

  priority(irq: number, core: number): number {
    return this.#priorities[32 * at(core, irq >> 5) + (irq & 31)] ?? 0;
  }

  /** Makes an interrupt active; returns the core that has raised it, for a software generated one. */
  acknowledge(irq: number, core: number): number {
    const i = at(core, irq >> 5);
    this.#set(this.#active, i, bitOf(irq));
    if (irq >= GIC_SGIS) {
      this.#clear(this.#latched, i, bitOf(irq));
      return 0;
    }
    const source = this.sourceOf(irq, core);
    this.#setSgi(core, irq, (this.#sgiSources[core * GIC_SGIS + irq] ?? 0) & ~(1 << source));
    return source;
  }

  /** The core that has raised a pending software generated interrupt, the lowest of several; 0 for other interrupts. */
  sourceOf(irq: number, core: number): number {
    const sources = irq < GIC_SGIS ? (this.#sgiSources[core * GIC_SGIS + irq] ?? 0) : 0;
    return sources === 0 ? 0 : 31 - Math.clz32(sources & -sources);
  }

  /** False when it was not active. */
  deactivate(irq: number, core: number): boolean {
    const i = at(core, irq >> 5);
    const active = ((this.#active[i] ?? 0) & bitOf(irq)) !== 0;
    this.#clear(this.#active, i, bitOf(irq));
    return active;
  }

  read32(offset: number): number {
    const core = this.#options.accessingCore();
    if (offset % 4 !== 0 || offset < 0) return this.#wrongRead(offset);
    if (offset < GICD_IPRIORITYR) return this.#readBits(offset, core);
    if (offset < GICD_IPRIORITYR + GIC_IRQS) {
      return bytes(
        this.#priorities,
        32 * at(core, (offset - GICD_IPRIORITYR) >> 5) + ((offset - GICD_IPRIORITYR) & 31),
      );
    }
    if (offset >= GICD_ITARGETSR && offset < GICD_ITARGETSR + GIC_IRQS) {
      const irq = offset - GICD_ITARGETSR;
      return irq < GIC_PRIVATE ? Math.imul(1 << core, 0x0101_0101) >>> 0 : bytes(this.#targets, irq);
    }
    if (offset >= GICD_ICFGR && offset < GICD_ICFGR + GIC_IRQS / 4)
      return this.#config((offset - GICD_ICFGR) / 4, core);
    if (offset >= GICD_PPISR && offset < GICD_PPISR + 4 * WORDS) {
      const word = (offset - GICD_PPISR) / 4;
      return word === 0 ? (this.#inputs[core] ?? 0) >>> 16 : (this.#inputs[at(core, word)] ?? 0);
    }
    if (offset >= GICD_CPENDSGIR && offset < GICD_CPENDSGIR + 2 * GIC_SGIS) {
      return bytes(this.#sgiSources, core * GIC_SGIS + ((offset - GICD_CPENDSGIR) % GIC_SGIS));
    }
    if (offset >= GICD_ID && offset < GICD_SIZE) return IDS[(offset - GICD_ID) / 4] ?? 0;
    return this.#wrongRead(offset);
  }

  #readBits(offset: number, core: number): number {
    if (offset === GICD_CTLR) return this.#control;
    if (offset === GICD_TYPER) return TYPER;
    if (offset === GICD_IIDR) return IIDR;
    const word = (offset & 0x7f) / 4;
    if (offset < GICD_IGROUPR || word >= WORDS) return this.#wrongRead(offset);
    const i = at(core, word);
    switch (offset & ~0x7f) {
      case GICD_ISENABLER:
      case GICD_ICENABLER:
        return this.#enabled[i] ?? 0;
      case GICD_ISPENDR:
      case GICD_ICPENDR:
        return this.#pending(i) >>> 0;
      case GICD_ISACTIVER:
      case GICD_ICACTIVER:
        return this.#active[i] ?? 0;
      default:
        // The groups are the secure software's, and read as 0.
        return 0;
    }
  }

  write32(offset: number, value: number): void {
    const core = this.#options.accessingCore();
    if (offset % 4 !== 0 || offset < 0) this.#wrongWrite(offset);
    else if (offset < GICD_IPRIORITYR) this.#writeBits(offset, value, core);
    else if (offset < GICD_IPRIORITYR + GIC_IRQS) {
      const irq = offset - GICD_IPRIORITYR;
      setBytes(this.#priorities, 32 * at(core, irq >> 5) + (irq & 31), value, PRIORITY_BITS);
    } else if (offset >= GICD_ITARGETSR && offset < GICD_ITARGETSR + GIC_IRQS) {
      // Those of the private interrupts are read only; software may write them, and nothing happens.
      const irq = offset - GICD_ITARGETSR;
      if (irq >= GIC_PRIVATE) setBytes(this.#targets, irq, value, (1 << GIC_CORES) - 1);
    } else if (offset >= GICD_ICFGR && offset < GICD_ICFGR + GIC_IRQS / 4)
      this.#setConfig((offset - GICD_ICFGR) / 4, value);
    else if (offset === GICD_SGIR) this.#raiseSgi(value, core);
    else if (offset >= GICD_CPENDSGIR && offset < GICD_CPENDSGIR + 2 * GIC_SGIS) this.#writeSgi(offset, value, core);
    else this.#wrongWrite(offset);
    this.#options.changed();
  }

  #writeBits(offset: number, value: number, core: number): void {
    if (offset === GICD_CTLR) {
      this.#control = value & 1;
      return;
    }
    const word = (offset & 0x7f) / 4;
    if (offset < GICD_IGROUPR || word >= WORDS) {
      this.#wrongWrite(offset);
      return;
    }
    const i = at(core, word);
    // Software generated interrupts are always enabled or not by their bits, but pending only by registers of their own.
    const latchable = word === 0 ? value & ~SGI_MASK : value;
    switch (offset & ~0x7f) {
      case GICD_ISENABLER:
        this.#set(this.#enabled, i, value);
        return;
      case GICD_ICENABLER:
        this.#clear(this.#enabled, i, value);
        return;
      case GICD_ISPENDR:
        this.#set(this.#latched, i, latchable);
        return;
      case GICD_ICPENDR:
        this.#clear(this.#latched, i, latchable);
        return;
      case GICD_ISACTIVER:
        this.#set(this.#active, i, value);
        return;
      case GICD_ICACTIVER:
        this.#clear(this.#active, i, value);
        return;
      default:
        this.#options.warn(
          `GIC: write to 0x${(GICD_BASE + offset).toString(16)}: the groups are the secure software's`,
        );
    }
  }

  /** An edge is pending when it was latched, a level also while its input is asserted. */
  #pending(i: number): number {
    return (this.#latched[i] ?? 0) | ((this.#inputs[i] ?? 0) & ~(this.#edges[i] ?? 0));
  }

  #config(word: number, core: number): number {
    if (word === 0) return SGI_CONFIG;
    const edges = (this.#edges[at(core, word >> 1)] ?? 0) >>> (16 * (word & 1));
    let config = 0;
    for (let bit = 0; bit < 16; bit++) config |= ((edges >>> bit) & 1) << (2 * bit + 1);
    return config >>> 0;
  }

  /** Words 0 and 1 are the private interrupts', which cannot be changed; software may write them, and nothing happens. */
  #setConfig(word: number, value: number): void {
    if (word < 2) return;
    const i = at(0, word >> 1);
    for (let bit = 0; bit < 16; bit++) {
      const edge = 1 << (bit + 16 * (word & 1));
      if (((value >>> (2 * bit + 1)) & 1) !== 0) this.#set(this.#edges, i, edge);
      else this.#clear(this.#edges, i, edge);
    }
  }

  /** Bits 24-25: to the cores in bits 16-23, to all but this one, to this one. */
  #raiseSgi(value: number, core: number): void {
    const filter = (value >>> 24) & 3;
    const own = 1 << core;
    const all = (1 << GIC_CORES) - 1;
    const cores = [(value >>> 16) & all, all & ~own, own, 0][filter] ?? 0;
    const irq = value & (GIC_SGIS - 1);
    for (let target = 0; target < GIC_CORES; target++) {
      if ((cores & (1 << target)) === 0) continue;
      this.#setSgi(target, irq, (this.#sgiSources[target * GIC_SGIS + irq] ?? 0) | own);
    }
  }

  #writeSgi(offset: number, value: number, core: number): void {
    const first = (offset - GICD_CPENDSGIR) % GIC_SGIS;
    for (let i = 0; i < 4; i++) {
      const bits = (value >>> (8 * i)) & 0xff;
      const sources = this.#sgiSources[core * GIC_SGIS + first + i] ?? 0;
      this.#setSgi(core, first + i, offset < GICD_SPENDSGIR ? sources & ~bits : sources | bits);
    }
  }

  #setSgi(core: number, irq: number, sources: number): void {
    this.#sgiSources[core * GIC_SGIS + irq] = sources;
    if (sources === 0) this.#clear(this.#latched, core, bitOf(irq));
    else this.#set(this.#latched, core, bitOf(irq));
  }

  #set(words: Uint32Array, i: number, bits: number): void {
    words[i] = (words[i] ?? 0) | bits;
  }

  #clear(words: Uint32Array, i: number, bits: number): void {
    words[i] = (words[i] ?? 0) & ~bits;
  }

  #wrongRead(offset: number): number {
    this.#warnAccess(offset === GICD_SGIR ? 'read of write-only' : wrongRead(offset), offset);
    return 0;
  }

  #wrongWrite(offset: number): void {
    const readOnly =
      offset === GICD_TYPER ||
      offset === GICD_IIDR ||
      (offset >= GICD_PPISR && offset < GICD_PPISR + 4 * WORDS) ||
      (offset >= GICD_ID && offset < GICD_SIZE);
    this.#warnAccess(readOnly && offset % 4 === 0 ? 'write to read-only' : wrongWrite(offset), offset);
  }

  #warnAccess(what: string, offset: number): void {
    this.#options.warn(`GIC: ${what} register 0x${(GICD_BASE + offset).toString(16)}`);
  }
}

function bytes(from: Uint8Array, i: number): number {
  return (
    (((from[i] ?? 0) | ((from[i + 1] ?? 0) << 8) | ((from[i + 2] ?? 0) << 16)) + (from[i + 3] ?? 0) * 2 ** 24) >>> 0
  );
}

function setBytes(to: Uint8Array, i: number, value: number, mask: number): void {
  for (let byte = 0; byte < 4; byte++) to[i + byte] = (value >>> (8 * byte)) & mask;
}
