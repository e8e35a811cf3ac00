// The per-core block of the BCM2836 ("ARM quad A7 core", QA7): each core's own interrupts, mailboxes, and who gets the GPU's.
import { KernelError } from '../../kernel/errno.js';
import type { Clock } from '../../kernel/time/clock.js';
import { type Peripheral, wrongRead, wrongWrite } from '../bcm2835/bus.js';
import { CoreCounter, CRYSTAL_HZ, LocalTimer } from './local-timer.js';

// Register offsets. Those that end in 0 are core 0's; the next cores' follow, 4 further each, mailboxes 16.
export const LOCAL_CONTROL = 0x00; // of the core counter: bit 8 its source, bit 9 it counts by 2
export const LOCAL_PRESCALER = 0x08; // of the core counter: 2^31 divides by 1
export const LOCAL_GPU_ROUTING = 0x0c; // bits 0-1 core of the GPU's IRQ, bits 2-3 of its FIQ
export const LOCAL_PM_ROUTING_SET = 0x10; // write 1 to set: bits 0-3 IRQ of each core's PMU, bits 4-7 FIQ, which wins
export const LOCAL_PM_ROUTING_CLR = 0x14; // write 1 to clear
export const LOCAL_COUNTER_LS = 0x1c; // core counter, bits 0-31
export const LOCAL_COUNTER_MS = 0x20; // bits 32-63: as they were at the last read of the lower half
export const LOCAL_INT_ROUTING = 0x24; // local timer: 0-3 IRQ of that core, 4-7 FIQ
export const LOCAL_AXI_COUNT = 0x2c; // outstanding AXI reads and writes
export const LOCAL_AXI_IRQ = 0x30; // interrupt when there are none for a while
export const LOCAL_TIMER_CONTROL = 0x34; // local timer: reload value, enables, flag
export const LOCAL_TIMER_FLAGS = 0x38; // local timer: bit 31 clears the flag, bit 30 reloads; write only
export const LOCAL_TIMER_INT_CONTROL0 = 0x40; // bits 0-3 IRQ of the core's timers, bits 4-7 FIQ, which wins
export const LOCAL_MAILBOX_INT_CONTROL0 = 0x50; // the same for mailboxes
export const LOCAL_IRQ_PENDING0 = 0x60; // bits as the LOCAL_IRQ_ numbers
export const LOCAL_FIQ_PENDING0 = 0x70;
export const LOCAL_MAILBOX0_SET0 = 0x80; // write 1 to set bits of mailboxes 0-3; write only
export const LOCAL_MAILBOX0_CLR0 = 0xc0; // the mailbox; write 1 to clear

/** Interrupts of a core, as bits of its pending registers. */
export const LOCAL_IRQ_CNTPSIRQ = 0;
export const LOCAL_IRQ_CNTPNSIRQ = 1;
export const LOCAL_IRQ_CNTHPIRQ = 2;
export const LOCAL_IRQ_CNTVIRQ = 3;
export const LOCAL_IRQ_MAILBOX0 = 4;
export const LOCAL_IRQ_GPU_FAST = 8;
export const LOCAL_IRQ_PMU_FAST = 9;
export const LOCAL_IRQ_AXI = 10;
export const LOCAL_IRQ_LOCAL_TIMER = 11;

/** ARM physical address of the block on Pi 2 and 3. */
export const LOCAL_INTC_BASE = 0x4000_0000;
/** Length of the register map in bytes. */
export const LOCAL_INTC_SIZE = 0x100;
/** Cores of the chip. */
export const LOCAL_CORES = 4;

const CORE_MASK = LOCAL_CORES - 1;
const SOURCES = 0xf;
const FIQ_SHIFT = 4;
const BOTH = 0xff;
const COUNTER_APB = 1 << 8;
const COUNTER_BY_2 = 1 << 9;
const AXI_IRQ_FIELDS = 0x1f_ffff;

/** What the block needs from the chip around it. */
export interface LocalIntcOptions {
  readonly clock: Clock;
  /** Told of every access that a datasheet would call a mistake. */
  readonly warn: (message: string) => void;
  /** The IRQ input of a core, a level; called when it changes. May access registers. */
  readonly onIrq: (asserted: boolean, core: number) => void;
  /** The FIQ input of a core, a level; called when it changes. May access registers. */
  readonly onFiq: (asserted: boolean, core: number) => void;
}

/**
 * The interrupt controller of each core, all of whose interrupts are levels. An interrupt that is enabled as FIQ is none as
 * IRQ. Nothing uses the AXI bus here, so that its counters are 0 and its interrupt never comes.
 */
export class LocalIntc implements Peripheral {
  readonly #options: LocalIntcOptions;
  /** What the cores' own timers compare with. */
  readonly counter: CoreCounter;
  readonly #timer: LocalTimer;
  readonly #timerInputs = new Uint8Array(LOCAL_CORES);
  readonly #timerControl = new Uint8Array(LOCAL_CORES);
  readonly #mailboxControl = new Uint8Array(LOCAL_CORES);
  readonly #mailboxes = new Uint32Array(4 * LOCAL_CORES);
  #control = 0;
  #gpuRouting = 0;
  #pmuRouting = 0;
  #pmuInputs = 0;
  #intRouting = 0;
  #axiIrq = 0;
  #gpuIrq = false;
  #gpuFiq = false;
  /** Outputs, a bit a core. */
  #irqs = 0;
  #fiqs = 0;

  constructor(options: LocalIntcOptions) {
    this.#options = options;
    this.counter = new CoreCounter(options.clock, CRYSTAL_HZ);
    this.#timer = new LocalTimer(options.clock, () => this.#update());
  }

  /** Level of the GPU's interrupt controller, its IRQ and its FIQ output. */
  setGpu(output: 'irq' | 'fiq', asserted: boolean): void {
    if (output === 'irq') this.#gpuIrq = asserted;
    else this.#gpuFiq = asserted;
    this.#update();
  }

  /** Level of one of a core's own timers, LOCAL_IRQ_CNTPSIRQ to LOCAL_IRQ_CNTVIRQ. `EINVAL`: no such core or timer. */
  setTimer(core: number, timer: number, asserted: boolean): void {
    checkInput('timer', core, timer);
    const bit = 1 << timer;
    const inputs = this.#timerInputs[core] ?? 0;
    this.#timerInputs[core] = asserted ? inputs | bit : inputs & ~bit;
    this.#update();
  }

  /** Level of a core's performance monitor. `EINVAL`: no such core. */
  setPmu(core: number, asserted: boolean): void {
    checkInput('PMU', core, 0);
    this.#pmuInputs = asserted ? this.#pmuInputs | (1 << core) : this.#pmuInputs & ~(1 << core);
    this.#update();
  }

  /** Reads the register at `offset`. What cannot be read gives 0 and a warning. */
  read32(offset: number): number {
    const core = (offset >> 2) & CORE_MASK;
    if (offset % 4 === 0) {
      if (offset >= LOCAL_MAILBOX0_CLR0 && offset < LOCAL_INTC_SIZE) return this.#mailboxes[(offset >> 2) & 15] ?? 0;
      switch (offset & ~0xf) {
        case LOCAL_TIMER_INT_CONTROL0:
          return this.#timerControl[core] ?? 0;
        case LOCAL_MAILBOX_INT_CONTROL0:
          return this.#mailboxControl[core] ?? 0;
        case LOCAL_IRQ_PENDING0:
          return this.#pending(core, false);
        case LOCAL_FIQ_PENDING0:
          return this.#pending(core, true);
        default:
          break;
      }
    }
    return this.#readGlobal(offset);
  }

  #readGlobal(offset: number): number {
    switch (offset) {
      case LOCAL_CONTROL:
        return this.#control;
      case LOCAL_PRESCALER:
        return this.counter.prescaler;
      case LOCAL_GPU_ROUTING:
        return this.#gpuRouting;
      case LOCAL_PM_ROUTING_SET:
        return this.#pmuRouting;
      case LOCAL_COUNTER_LS:
        return this.counter.readLow();
      case LOCAL_COUNTER_MS:
        return this.counter.readHigh();
      case LOCAL_INT_ROUTING:
        return this.#intRouting;
      case LOCAL_AXI_COUNT:
        return 0;
      case LOCAL_AXI_IRQ:
        return this.#axiIrq;
      case LOCAL_TIMER_CONTROL:
        return this.#timer.read();
      default:
        this.#warnAccess(isWriteOnly(offset) ? 'read of write-only' : wrongRead(offset), offset);
        return 0;
    }
  }

  /** Writes the register at `offset`. What cannot be written changes nothing, with a warning. */
  write32(offset: number, value: number): void {
    const core = (offset >> 2) & CORE_MASK;
    const group = offset & ~0xf;
    if (offset % 4 !== 0 || offset < 0 || offset >= LOCAL_INTC_SIZE) this.#warnAccess(wrongWrite(offset), offset);
    else if (offset >= LOCAL_MAILBOX0_CLR0) this.#setMailbox((offset >> 2) & 15, 0, value);
    else if (offset >= LOCAL_MAILBOX0_SET0) this.#setMailbox((offset >> 2) & 15, value, 0);
    else if (group === LOCAL_TIMER_INT_CONTROL0) this.#timerControl[core] = value & BOTH;
    else if (group === LOCAL_MAILBOX_INT_CONTROL0) this.#mailboxControl[core] = value & BOTH;
    else this.#writeGlobal(offset, value);
    this.#update();
  }

  #writeGlobal(offset: number, value: number): void {
    switch (offset) {
      case LOCAL_CONTROL:
        this.#writeControl(value);
        return;
      case LOCAL_PRESCALER:
        this.counter.setRate(value >>> 0, this.#step);
        return;
      case LOCAL_GPU_ROUTING:
        this.#gpuRouting = value & SOURCES;
        return;
      case LOCAL_PM_ROUTING_SET:
        this.#pmuRouting |= value & BOTH;
        return;
      case LOCAL_PM_ROUTING_CLR:
        this.#pmuRouting &= ~value;
        return;
      case LOCAL_COUNTER_LS:
        this.counter.writeLow(value >>> 0);
        return;
      case LOCAL_COUNTER_MS:
        this.counter.writeHigh(value >>> 0);
        return;
      case LOCAL_INT_ROUTING:
        this.#intRouting = value & 7;
        return;
      case LOCAL_AXI_IRQ:
        this.#axiIrq = value & AXI_IRQ_FIELDS;
        return;
      case LOCAL_TIMER_CONTROL:
        this.#timer.writeControl(value);
        return;
      case LOCAL_TIMER_FLAGS:
        this.#timer.writeFlags(value);
        return;
      default:
        this.#warnAccess(isReadOnly(offset) ? 'write to read-only' : wrongWrite(offset), offset);
    }
  }

  get #step(): number {
    return (this.#control & COUNTER_BY_2) === 0 ? 1 : 2;
  }

  #writeControl(value: number): void {
    this.#control = value & (COUNTER_APB | COUNTER_BY_2);
    if ((value & COUNTER_APB) !== 0) {
      this.#options.warn(
        'local: the core counter was set to the APB clock, which is not simulated; it goes by the crystal',
      );
    }
    this.counter.setRate(this.counter.prescaler, this.#step);
  }

  #setMailbox(index: number, set: number, clear: number): void {
    this.#mailboxes[index] = ((this.#mailboxes[index] ?? 0) | set) & ~clear;
  }

  /** Interrupts of a core that come as IRQ, or as FIQ. */
  #pending(core: number, fiq: boolean): number {
    const bit = 1 << core;
    let pending = (this.#timerInputs[core] ?? 0) & selected(this.#timerControl[core] ?? 0, fiq);
    pending |= (this.#fullMailboxes(core) & selected(this.#mailboxControl[core] ?? 0, fiq)) << LOCAL_IRQ_MAILBOX0;
    const gpu = fiq ? this.#gpuFiq : this.#gpuIrq;
    const gpuCore = (fiq ? this.#gpuRouting >> 2 : this.#gpuRouting) & CORE_MASK;
    if (gpu && gpuCore === core) pending |= 1 << LOCAL_IRQ_GPU_FAST;
    if ((this.#pmuInputs & selected(this.#pmuRouting, fiq) & bit) !== 0) pending |= 1 << LOCAL_IRQ_PMU_FAST;
    const route = fiq ? core + LOCAL_CORES : core;
    if (this.#timer.asserted && this.#intRouting === route) pending |= 1 << LOCAL_IRQ_LOCAL_TIMER;
    return pending;
  }

  #fullMailboxes(core: number): number {
    let full = 0;
    for (let i = 0; i < 4; i++) if ((this.#mailboxes[4 * core + i] ?? 0) !== 0) full |= 1 << i;
    return full;
  }

  /** Recomputed for each output, as a callback may have changed the registers. */
  #update(): void {
    for (let core = 0; core < LOCAL_CORES; core++) {
      const bit = 1 << core;
      if ((this.#pending(core, false) !== 0) !== ((this.#irqs & bit) !== 0)) {
        this.#irqs ^= bit;
        this.#options.onIrq((this.#irqs & bit) !== 0, core);
      }
      if ((this.#pending(core, true) !== 0) !== ((this.#fiqs & bit) !== 0)) {
        this.#fiqs ^= bit;
        this.#options.onFiq((this.#fiqs & bit) !== 0, core);
      }
    }
  }

  #warnAccess(what: string, offset: number): void {
    this.#options.warn(`local: ${what} register 0x${(LOCAL_INTC_BASE + offset).toString(16)}`);
  }
}

/** Of enables with IRQ in bits 0-3 and FIQ in bits 4-7: those that count. */
function selected(control: number, fiq: boolean): number {
  const fiqs = (control >> FIQ_SHIFT) & SOURCES;
  return fiq ? fiqs : control & SOURCES & ~fiqs;
}

function isWriteOnly(offset: number): boolean {
  if (offset % 4 !== 0) return false;
  const mailboxSet = offset >= LOCAL_MAILBOX0_SET0 && offset < LOCAL_MAILBOX0_CLR0;
  return mailboxSet || offset === LOCAL_PM_ROUTING_CLR || offset === LOCAL_TIMER_FLAGS;
}

function isReadOnly(offset: number): boolean {
  return offset === LOCAL_AXI_COUNT || (offset >= LOCAL_IRQ_PENDING0 && offset < LOCAL_MAILBOX0_SET0);
}

function checkInput(kind: string, core: number, input: number): void {
  if (Number.isInteger(core) && core >= 0 && core < LOCAL_CORES && Number.isInteger(input) && input >= 0 && input < 4) {
    return;
  }
  throw new KernelError('EINVAL', `${kind} ${input} of core ${core}: no such input`, {
    hint: `the chip has cores 0 to ${LOCAL_CORES - 1}`,
  });
}
