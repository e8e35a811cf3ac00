// The Linux side of the GPIO block: values, functions and pulls, its irq_chip and the chained handlers of its banks.
import {
  type Bias,
  chainedIrqEnter,
  chainedIrqExit,
  type EdgeInfo,
  type GpioIrqSource,
  handleEdgeIrq,
  handleLevelIrq,
  IRQ_TYPE_EDGE_BOTH,
  IRQ_TYPE_EDGE_FALLING,
  IRQ_TYPE_EDGE_RISING,
  IRQ_TYPE_LEVEL_HIGH,
  IRQ_TYPE_LEVEL_LOW,
  IRQ_TYPE_NONE,
  IRQCHIP_MASK_ON_SUSPEND,
  type IrqChip,
  type IrqDesc,
  IrqDomain,
  irqSetHandlerLocked,
  KernelError,
  type Level,
  type Machine,
  thisCpu,
  udelay,
} from '../../kernel/index.js';
import { type Coroutine, DONE, type Outcome, SUSPENDED } from '../../kernel/sched/coroutine.js';
import { GPIO_PUP_PDN_CNTRL_REG0 } from '../bcm2711/gpio-pull.js';
import {
  FSEL_INPUT,
  FSEL_OUTPUT,
  GPAFEN0,
  GPAREN0,
  GPCLR0,
  GPEDS0,
  GPFEN0,
  GPFSEL0,
  GPHEN0,
  GPLEN0,
  GPLEV0,
  GPPUD,
  GPPUDCLK0,
  GPREN0,
  GPSET0,
} from '../bcm2835/gpio.js';
import { GPIO_GPU_IRQS, GPIO_OFFSET, type Soc } from '../bcm2835/soc.js';
import { BankEvents, LINES_PER_BANK } from './bank-events.js';
import type { InterruptParent } from './interrupt-parent.js';
import { LineIrqs } from './line-irqs.js';

const LINES_PER_FSEL = 10;
const FSEL_BITS = 3;
const FSEL_MASK = 7;
/** GPPUD wants 150 core cycles, 0.6 µs, before and after the clock pulse. */
const PULL_WAIT_US = 1;
const PUD = { disabled: 0, 'pull-down': 1, 'pull-up': 2 } as const;
/** The same for a BCM2711, which has them in fields of two bits. */
const PUP_PDN = { disabled: 0, 'pull-up': 1, 'pull-down': 2 } as const;
const PUP_PDN_LINES = 16;
const PUP_PDN_MASK = 3;

/** Detectors of each trigger type. */
const DETECTORS_OF: { readonly [type: number]: readonly number[] } = {
  [IRQ_TYPE_NONE]: [],
  [IRQ_TYPE_EDGE_RISING]: [GPREN0],
  [IRQ_TYPE_EDGE_FALLING]: [GPFEN0],
  [IRQ_TYPE_EDGE_BOTH]: [GPREN0, GPFEN0],
  [IRQ_TYPE_LEVEL_HIGH]: [GPHEN0],
  [IRQ_TYPE_LEVEL_LOW]: [GPLEN0],
};
const DETECTORS = [GPREN0, GPFEN0, GPHEN0, GPLEN0, GPAREN0, GPAFEN0] as const;

/**
 * Lines behind each bank interrupt, as masks over the two registers. The fourth interrupt, of all lines, is not used. Linux has
 * 54 to 57 of a BCM2711 in no mask: an event there would interrupt for ever.
 */
const GROUPS = [
  { name: 'bank 0', masks: [0x0fff_ffff, 0] },
  { name: 'bank 1', masks: [0xf000_0000, 0x0000_3fff] },
  { name: 'bank 2', masks: [0, 0x03ff_c000] },
] as const;

/** The GPIO block as the kernel drives it (drivers/pinctrl/bcm/pinctrl-bcm2835.c). Its methods throw `EINVAL` for a line that is not there. */
export class PinctrlBcm2835 implements GpioIrqSource {
  readonly domain: IrqDomain;
  /** Lines of the chip; they are 0 to `lines - 1`. */
  readonly lines: number;
  /** Name of the chip, as its users see it. */
  readonly label: 'pinctrl-bcm2835' | 'pinctrl-bcm2711';
  /** Which lines are interrupts. */
  readonly lineIrqs: LineIrqs;
  /** Pulls are set at once, and can be read; the older chip's take the 2 µs of the GPPUD sequence. */
  readonly #readablePulls: boolean;
  readonly #edge = { stampNs: 0, rising: false, lineSeqno: 0 };
  readonly #machine: Machine;
  readonly #soc: Soc;
  readonly #base: number;
  /** Lines whose interrupt is unmasked, per register. */
  readonly #enabled = new Uint32Array(2);
  /** Trigger types as they were configured, per line. */
  readonly #types: Uint8Array;
  readonly #activeLow: Uint8Array;
  readonly #seqno: Uint32Array;

  /** Takes the block into use, with nothing detected and no event latched; `parent` has the bank interrupts. */
  constructor(machine: Machine, soc: Soc, parent: InterruptParent) {
    this.#machine = machine;
    this.#soc = soc;
    this.#base = soc.peripherals + GPIO_OFFSET;
    this.lines = soc.gpio.lines;
    this.#readablePulls = soc.name === 'bcm2711';
    this.label = this.#readablePulls ? 'pinctrl-bcm2711' : 'pinctrl-bcm2835';
    this.#types = new Uint8Array(this.lines);
    this.#activeLow = new Uint8Array(this.lines);
    this.#seqno = new Uint32Array(this.lines);
    this.#reset();
    this.lineIrqs = new LineIrqs({
      machine,
      name: `gpio gpiochip0: (${this.label})`,
      lines: this.lines,
      isOutput: (line) => {
        const fsel = this.#function(line);
        return fsel > FSEL_OUTPUT ? undefined : fsel === FSEL_OUTPUT;
      },
    });
    this.domain = new IrqDomain(machine, {
      name: 'pinctrl-bcm2835',
      size: this.lines,
      chip: this.#chip(),
      flow: handleLevelIrq,
    });
    for (const [index, group] of GROUPS.entries()) {
      const events = new BankEvents(group.masks, (word, mask) => this.#pending(word, mask));
      parent.domain.setChainedHandler(
        parent.gpuHwirq(GPIO_GPU_IRQS[index] ?? 0),
        (desc) => this.#handleBank(desc, events),
        group.name,
      );
    }
  }

  /** The edge that is being handled: stamped and numbered, from 1 on each line, when its interrupt is acknowledged. */
  get edge(): EdgeInfo {
    return this.#edge;
  }

  /** The interrupt number of a line. `EINVAL`: no such line. */
  toIrq(offset: number): number {
    return this.domain.createMapping(offset);
  }

  /** Level of a pad. */
  level(line: number): Level {
    this.#check(line);
    return (this.#read(GPLEV0, line) & this.#bit(line)) === 0 ? 0 : 1;
  }

  /** Sets the output latch of a line; shows on the pad if the line is an output. */
  set(line: number, level: Level): void {
    this.#check(line);
    this.#write(level === 1 ? GPSET0 : GPCLR0, line, this.#bit(line));
  }

  /** `out` for an output; alternate functions count as inputs, as for gpiolib. */
  direction(line: number): 'in' | 'out' {
    this.#check(line);
    return this.#function(line) === FSEL_OUTPUT ? 'out' : 'in';
  }

  /** Makes a line an input; its output latch keeps its level. */
  directionInput(line: number): void {
    this.#check(line);
    this.#setFunction(line, FSEL_INPUT);
  }

  /** Makes a line an output that starts with `level`, without a glitch. `EIO`: it is an interrupt, and not disabled. */
  directionOutput(line: number, level: Level): void {
    this.#check(line);
    this.lineIrqs.checkOutput(line);
    this.drive(line, level);
  }

  /** {@link directionOutput} for who has checked that; the latch is set first. */
  drive(line: number, level: Level): void {
    this.set(line, level);
    this.#setFunction(line, FSEL_OUTPUT);
  }

  /** Turns {@link edge} round: with `activeLow`, rising is a pad that falls. */
  setActiveLow(line: number, activeLow: boolean): void {
    this.#check(line);
    this.#activeLow[line] = activeLow ? 1 : 0;
  }

  /** Sets a pull, by the GPPUD sequence, which takes 2 µs, or on a BCM2711 at once. Any context that may be busy that long. */
  *setPull(line: number, bias: Exclude<Bias, 'as-is'>): Coroutine<void> {
    this.#check(line);
    if (this.#readablePulls) {
      this.#writePull(line, PUP_PDN[bias]);
      return;
    }
    this.#soc.write32(this.#base + GPPUD, PUD[bias]);
    yield* udelay(PULL_WAIT_US);
    this.#write(GPPUDCLK0, line, this.#bit(line));
    yield* udelay(PULL_WAIT_US);
    this.#soc.write32(this.#base + GPPUD, 0);
    this.#write(GPPUDCLK0, line, 0);
  }

  #writePull(line: number, value: number): void {
    const address = this.#base + GPIO_PUP_PDN_CNTRL_REG0 + 4 * Math.floor(line / PUP_PDN_LINES);
    const shift = 2 * (line % PUP_PDN_LINES);
    this.#soc.write32(address, (this.#soc.read32(address) & ~(PUP_PDN_MASK << shift)) | (value << shift));
  }

  /** What firmware has left is no event of ours. */
  #reset(): void {
    for (const word of [0, 4]) {
      for (const detector of DETECTORS) this.#soc.write32(this.#base + detector + word, 0);
      this.#soc.write32(this.#base + GPEDS0 + word, this.#soc.read32(this.#base + GPEDS0 + word));
    }
  }

  /** The chained handler of a bank interrupt, which stays masked at the ARMCTRL until all its lines are dealt with. */
  #handleBank(desc: IrqDesc, events: BankEvents): Outcome {
    chainedIrqEnter(desc);
    events.start();
    if (this.domain.handleEach(events.next) === SUSPENDED) {
      return thisCpu().defer(() => {
        chainedIrqExit(desc);
        return DONE;
      });
    }
    chainedIrqExit(desc);
    return DONE;
  }

  #pending(word: number, mask: number): number {
    const latched = this.#soc.read32(this.#base + GPEDS0 + 4 * word) & mask;
    const mine = latched & (this.#enabled[word] ?? 0);
    if (latched !== mine) this.#disown(word, latched & ~mine);
    return mine;
  }

  /**
   * Switches the detectors of lines off that have events and no interrupt: somebody enabled them past this driver. Linux
   * would take the bank's interrupt for ever, as nothing clears them.
   */
  #disown(word: number, lines: number): void {
    for (const detector of DETECTORS) {
      const address = this.#base + detector + 4 * word;
      this.#soc.write32(address, this.#soc.read32(address) & ~lines);
    }
    this.#soc.write32(this.#base + GPEDS0 + 4 * word, lines);
    for (let left = lines; left !== 0; left &= left - 1) {
      const line = LINES_PER_BANK * word + 31 - Math.clz32(left & -left);
      this.#machine.printk(
        'crit',
        `pinctrl-bcm2835: event on GPIO${line}, which has no interrupt; its detectors are off`,
      );
    }
  }

  #chip(): IrqChip {
    return {
      name: 'pinctrl-bcm2835',
      flags: IRQCHIP_MASK_ON_SUSPEND,
      ack: (desc) => this.#ack(desc),
      mask: ({ hwirq }) => {
        this.#detect(hwirq, false);
        // What was latched before the detectors went off is stale.
        this.#write(GPEDS0, hwirq, this.#bit(hwirq));
        this.#setEnabled(hwirq, false);
        this.lineIrqs.disable(hwirq);
      },
      unmask: ({ hwirq }) => {
        this.lineIrqs.enable(hwirq);
        this.#setEnabled(hwirq, true);
        this.#detect(hwirq, true);
      },
      setType: (desc, type) => this.#setType(desc, type),
      requestResources: ({ hwirq }) => this.lineIrqs.request(hwirq),
      releaseResources: ({ hwirq }) => this.lineIrqs.release(hwirq),
      setWake: ({ hwirq }) => {
        throw new KernelError('EINVAL', `GPIO${hwirq} cannot wake the system up: the chip has no interrupt for that`);
      },
    };
  }

  #setType(desc: IrqDesc, type: number): void {
    const { hwirq } = desc;
    // The flow goes by the edges, even when the type is refused.
    irqSetHandlerLocked(desc, (type & IRQ_TYPE_EDGE_BOTH) === 0 ? handleLevelIrq : handleEdgeIrq);
    if (DETECTORS_OF[type] === undefined) {
      throw new KernelError('EINVAL', `GPIO${hwirq}: the chip has no trigger type ${type}`, {
        hint: 'request rising, falling or both edges, or one level',
      });
    }
    if (this.#isEnabled(hwirq)) this.#switchDetectors(hwirq, type);
    else this.#types[hwirq] = type;
  }

  /** A detector that both types have stays on: what it sees meanwhile is not lost. */
  #switchDetectors(line: number, type: number): void {
    const before = this.#detectorsOf(line);
    this.#types[line] = type;
    const after = this.#detectorsOf(line);
    for (const detector of before) if (!after.includes(detector)) this.#change(detector, line, false);
    for (const detector of after) if (!before.includes(detector)) this.#change(detector, line, true);
  }

  /** An edge that is only kept, because its line is disabled, gets stamp and number when it is delivered. */
  #ack(desc: IrqDesc): void {
    const { hwirq } = desc;
    this.#write(GPEDS0, hwirq, this.#bit(hwirq));
    if (desc.disabled || desc.actions.length === 0) return;
    const type = this.#types[hwirq];
    const high = type === IRQ_TYPE_EDGE_RISING || type === IRQ_TYPE_LEVEL_HIGH;
    const electrical = type === IRQ_TYPE_EDGE_BOTH ? this.level(hwirq) === 1 : high;
    const seqno = ((this.#seqno[hwirq] ?? 0) + 1) >>> 0;
    this.#seqno[hwirq] = seqno;
    this.#edge.stampNs = this.#machine.clock.now();
    this.#edge.rising = electrical !== (this.#activeLow[hwirq] === 1);
    this.#edge.lineSeqno = seqno;
  }

  #detectorsOf(line: number): readonly number[] {
    return DETECTORS_OF[this.#types[line] ?? IRQ_TYPE_NONE] ?? [];
  }

  #detect(line: number, on: boolean): void {
    for (const detector of this.#detectorsOf(line)) this.#change(detector, line, on);
  }

  #isEnabled(line: number): boolean {
    return ((this.#enabled[line >> 5] ?? 0) & this.#bit(line)) !== 0;
  }

  #setEnabled(line: number, on: boolean): void {
    const bank = line >> 5;
    const old = this.#enabled[bank] ?? 0;
    this.#enabled[bank] = on ? old | this.#bit(line) : old & ~this.#bit(line);
  }

  #change(register: number, line: number, on: boolean): void {
    const old = this.#read(register, line);
    this.#write(register, line, on ? old | this.#bit(line) : old & ~this.#bit(line));
  }

  #function(line: number): number {
    const value = this.#soc.read32(this.#base + GPFSEL0 + 4 * Math.floor(line / LINES_PER_FSEL));
    return (value >>> (FSEL_BITS * (line % LINES_PER_FSEL))) & FSEL_MASK;
  }

  /** From one function to another the line goes by way of input, so that no two sides drive the pad. */
  #setFunction(line: number, fsel: number): void {
    const before = this.#function(line);
    if (before === fsel) return;
    if (before !== FSEL_INPUT && fsel !== FSEL_INPUT) this.#writeFunction(line, FSEL_INPUT);
    this.#writeFunction(line, fsel);
  }

  #writeFunction(line: number, fsel: number): void {
    const address = this.#base + GPFSEL0 + 4 * Math.floor(line / LINES_PER_FSEL);
    const shift = FSEL_BITS * (line % LINES_PER_FSEL);
    this.#soc.write32(address, (this.#soc.read32(address) & ~(FSEL_MASK << shift)) | (fsel << shift));
  }

  #check(line: number): void {
    if (Number.isInteger(line) && line >= 0 && line < this.lines) return;
    throw new KernelError('EINVAL', `${this.label}: no GPIO${line}`, {
      hint: `there are lines 0 to ${this.lines - 1}`,
    });
  }

  #bit(line: number): number {
    return 1 << (line & 31);
  }

  #read(register: number, line: number): number {
    return this.#soc.read32(this.#base + register + 4 * (line >> 5));
  }

  #write(register: number, line: number, value: number): void {
    this.#soc.write32(this.#base + register + 4 * (line >> 5), value);
  }
}
