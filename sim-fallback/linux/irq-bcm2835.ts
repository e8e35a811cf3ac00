// The Linux side of the ARMCTRL: its irq_chip, its domain and the root interrupt handler, over the registers alone.
import {
  cpulistPr,
  handleLevelIrq,
  IRQCHIP_MASK_ON_SUSPEND,
  IRQCHIP_SKIP_SET_WAKE,
  type IrqChip,
  IrqDomain,
  type Machine,
} from '../../kernel/index.js';
import type { Outcome } from '../../kernel/sched/coroutine.js';
import {
  BASIC_PENDING_1,
  BASIC_PENDING_2,
  DISABLE_BASIC_IRQS,
  DISABLE_IRQS_1,
  DISABLE_IRQS_2,
  ENABLE_BASIC_IRQS,
  ENABLE_IRQS_1,
  ENABLE_IRQS_2,
  FIQ_CONTROL,
  FIQ_ENABLE,
  IRQ_BASIC_PENDING,
  IRQ_PENDING_1,
  IRQ_PENDING_2,
  SHORTCUT_SHIFT,
  SHORTCUTS,
} from '../bcm2835/armctrl.js';
import { ARMCTRL_OFFSET, type Soc } from '../bcm2835/soc.js';
import type { InterruptParent, InterruptWire } from './interrupt-parent.js';

/** Hardware interrupt numbers are bank × 32 + bit: bank 0 is the ARM's own, banks 1 and 2 are the GPU's 0-31 and 32-63. */
const BANK_SHIFT = 5;
const BITS_MASK = 31;
const HWIRQS = 3 << BANK_SHIFT;

const ENABLE = [ENABLE_BASIC_IRQS, ENABLE_IRQS_1, ENABLE_IRQS_2] as const;
const DISABLE = [DISABLE_BASIC_IRQS, DISABLE_IRQS_1, DISABLE_IRQS_2] as const;
const PENDING = [IRQ_BASIC_PENDING, IRQ_PENDING_1, IRQ_PENDING_2] as const;

/** Dispatches in one interrupt after which a source is taken to be stuck: far more than there are sources. */
const MAX_DISPATCHES = 100_000;

const BANK0_BITS = 0xff;
/** Shortcuts of GPU interrupts below 32 and of those above. */
const SHORTCUT1_BITS = 0x7c00;
const SHORTCUT2_BITS = 0x1f_8000;

/** Hardware interrupt number of a GPU interrupt, 0-63. */
export function gpuHwirq(gpuIrq: number): number {
  return gpuIrq + (1 << BANK_SHIFT);
}

function lowestBit(value: number): number {
  return 31 - Math.clz32(value & -value);
}

/** The interrupt controller as the kernel drives it (drivers/irqchip/irq-bcm2835.c). */
export class ArmctrlIrqchip implements InterruptParent {
  readonly domain: IrqDomain;
  readonly #machine: Machine;
  readonly #soc: Soc;
  readonly #base: number;
  readonly #next = (): number => this.#nextPending();
  #dispatches = 0;

  /** Becomes the machine's root interrupt handler, or the chained one of `parent`, the controller of each core in front of it. */
  constructor(machine: Machine, soc: Soc, parent?: InterruptWire) {
    this.#machine = machine;
    this.#soc = soc;
    this.#base = soc.peripherals + ARMCTRL_OFFSET;
    const chip: IrqChip = {
      name: 'ARMCTRL-level',
      flags: IRQCHIP_MASK_ON_SUSPEND | IRQCHIP_SKIP_SET_WAKE,
      mask: (desc) => this.#write(DISABLE, desc.hwirq),
      unmask: (desc) => this.#write(ENABLE, desc.hwirq),
    };
    this.domain = new IrqDomain(machine, { name: 'armctrl', size: HWIRQS, chip, flow: handleLevelIrq });
    this.#disableLeftovers();
    if (parent === undefined) machine.setHandleIrq(() => this.#handleIrq());
    else parent.domain.setChainedHandler(parent.hwirq, () => this.#handleIrq(), 'armctrl');
  }

  gpuHwirq(gpuIrq: number): number {
    return gpuHwirq(gpuIrq);
  }

  /** What a bootloader has left on would interrupt before anybody has asked for it. */
  #disableLeftovers(): void {
    for (const [bank, register] of ENABLE.entries()) {
      const left = this.#soc.read32(this.#base + register);
      if (left === 0) continue;
      this.#soc.write32(this.#base + (DISABLE[bank] ?? DISABLE_BASIC_IRQS), left);
      const text = `Bootloader left irq enabled: bank ${bank} irq ${cpulistPr(left)}`;
      this.#machine.printk('err', `[Firmware Bug]: ${text}`);
    }
    if ((this.#soc.read32(this.#base + FIQ_CONTROL) & FIQ_ENABLE) === 0) return;
    this.#soc.write32(this.#base + FIQ_CONTROL, 0);
    this.#machine.printk('err', '[Firmware Bug]: Bootloader left fiq enabled');
  }

  /** Dispatches until nothing is pending. A source that no handler clears is disabled, where Linux would go on for ever. */
  #handleIrq(): Outcome {
    this.#dispatches = 0;
    return this.domain.handleEach(this.#next);
  }

  #write(registers: readonly [number, number, number], hwirq: number): void {
    const register = registers[hwirq >> BANK_SHIFT] ?? registers[0];
    this.#soc.write32(this.#base + register, 1 << (hwirq & BITS_MASK));
  }

  /** The next pending interrupt that has a number; one that was enabled past this driver has none. */
  #nextPending(): number {
    for (let hwirq = this.#firstPending(); hwirq >= 0; hwirq = this.#firstPending()) {
      if (this.domain.findMapping(hwirq) === 0) this.#disable(hwirq, 'nobody handles it');
      else if (++this.#dispatches > MAX_DISPATCHES) this.#disable(hwirq, 'its handler does not clear it');
      else return hwirq;
    }
    return -1;
  }

  #disable(hwirq: number, why: string): void {
    this.#dispatches = 0;
    this.#write(DISABLE, hwirq);
    const name = `interrupt ${hwirq & BITS_MASK} of bank ${hwirq >> BANK_SHIFT}`;
    this.#machine.printk('crit', `ARMCTRL: ${name} is disabled: ${why}`);
  }

  /** The first pending interrupt in the driver's order: own, shortcuts of both banks, bank 1, bank 2. -1 for none. */
  #firstPending(): number {
    const basic = this.#soc.read32(this.#base + IRQ_BASIC_PENDING);
    if ((basic & BANK0_BITS) !== 0) return lowestBit(basic & BANK0_BITS);
    if ((basic & SHORTCUT1_BITS) !== 0) return this.#shortcut(basic & SHORTCUT1_BITS);
    if ((basic & SHORTCUT2_BITS) !== 0) return this.#shortcut(basic & SHORTCUT2_BITS);
    if ((basic & BASIC_PENDING_1) !== 0) return this.#inBank(1);
    if ((basic & BASIC_PENDING_2) !== 0) return this.#inBank(2);
    return -1;
  }

  #shortcut(bits: number): number {
    return gpuHwirq(SHORTCUTS[lowestBit(bits) - SHORTCUT_SHIFT] ?? 0);
  }

  #inBank(bank: 1 | 2): number {
    const pending = this.#soc.read32(this.#base + PENDING[bank]);
    return pending === 0 ? -1 : (bank << BANK_SHIFT) | lowestBit(pending);
  }
}
