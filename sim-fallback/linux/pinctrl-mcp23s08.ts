// The driver of the MCP23017: its lines, read and set over I2C by callers that can sleep (drivers/pinctrl/pinctrl-mcp23s08.c).
import {
  type Coroutine,
  freeIrq,
  handleSimpleIrq,
  IRQ_NESTED_THREAD,
  IRQ_NOPROBE,
  IRQF_ONESHOT,
  IRQF_SHARED,
  IRQF_TRIGGER_HIGH,
  IRQF_TRIGGER_LOW,
  IrqDomain,
  KernelError,
  type Level,
  type Machine,
  Mutex,
  mutexLock,
  mutexUnlock,
  requestThreadedIrq,
} from '../../kernel/index.js';
import { effect } from '../../kernel/sched/effect.js';
import { IOCON_HAEN, IOCON_INTPOL, IOCON_MIRROR, IOCON_ODR, IOCON_SEQOP, MCP23017_PINS } from '../i2c/mcp23017.js';
import { DEFVAL, GPINTEN, GPIO, GPPU, INTCON, IOCON, IODIR, IPOL, OLAT } from '../i2c/mcp23017-port.js';
import { type I2cClient, i2cDevName } from './i2c-core.js';
import { mcp23s08Irq, mcp23s08IrqChip } from './pinctrl-mcp23s08-irq.js';
import { Regmap } from './regmap.js';

const DRIVER = 'mcp230xx';
const ALL_PINS = 0xffff;
/** IOCON is there twice, once for each port. */
const BOTH_PORTS = 0x0101;
/** Registers of two ports lie side by side. */
const REG_SHIFT = 1;

const REG_DEFAULTS = [
  [IODIR, ALL_PINS],
  [IPOL, 0],
  [GPINTEN, 0],
  [DEFVAL, 0],
  [INTCON, 0],
  [IOCON, 0],
  [GPPU, 0],
  [OLAT, 0],
] as const;

/** How the chip is wired, as the device tree says. */
export interface Mcp23s08Options {
  /** The interrupt that its output is wired to. */
  readonly irq: number;
  /** `microchip,irq-mirror`: one output tells of both ports. Default false. */
  readonly mirror?: boolean;
  /** `microchip,irq-active-high`. Default false: active low. */
  readonly activeHigh?: boolean;
  /** `drive-open-drain`. Default false: push-pull. */
  readonly openDrain?: boolean;
}

/** One chip (struct mcp23s08). Made by {@link mcp23s08Probe}. */
export class Mcp23s08 {
  readonly machine: Machine;
  /** Name of the device: `1-0020`. */
  readonly devName: string;
  /** Held through every use of the registers, and from an irq_bus_lock to its irq_bus_sync_unlock. */
  readonly lock = new Mutex('mcp->lock');
  readonly regmap: Regmap;
  readonly domain: IrqDomain;
  /** The interrupt of the chip, which its lines share. */
  readonly irq: number;
  /** Lines that are interested in an edge. */
  irqRise = 0;
  irqFall = 0;
  /** Lines whose interrupt is unmasked. */
  irqEnabled = 0;
  /** Lines that are interrupts, so no outputs. */
  usedAsIrq = 0;
  /** The pins as they were last read. */
  cachedGpio = 0;
  /** The last interrupt could not be dealt with, and that was logged. */
  failing = false;

  constructor(client: I2cClient, irq: number) {
    this.machine = client.adapter.machine;
    this.devName = i2cDevName(client);
    this.irq = irq;
    const regDefaults = REG_DEFAULTS.map(([reg, value]) => [reg << REG_SHIFT, value] as const);
    this.regmap = new Regmap(client, DRIVER, { regDefaults });
    this.domain = new IrqDomain(this.machine, {
      name: this.devName,
      size: MCP23017_PINS,
      chip: mcp23s08IrqChip(this),
      flow: handleSimpleIrq,
    });
  }

  /** The interrupt number of a line: its handlers run in the thread of the chip's own interrupt. `EINVAL`: no such line. */
  toIrq(offset: number): number {
    const irq = this.domain.createMapping(offset);
    const desc = this.domain.descOf(offset);
    if (desc !== undefined) desc.settings |= IRQ_NESTED_THREAD | IRQ_NOPROBE;
    return irq;
  }

  /** Reads a register of both ports (mcp_read). With {@link lock} held; as {@link i2cTransfer}. */
  read(reg: number): Coroutine<number> {
    return this.regmap.read(reg << REG_SHIFT);
  }

  /** Writes a register of both ports (mcp_write). As {@link read}. */
  write(reg: number, value: number): Coroutine<void> {
    return this.regmap.write(reg << REG_SHIFT, value);
  }

  /** Changes bits of a register of both ports (mcp_update_bits). As {@link read}. */
  updateBits(reg: number, mask: number, value: number): Coroutine<void> {
    return this.regmap.updateBits(reg << REG_SHIFT, mask, value);
  }

  /** Sets or clears the bit of a line, with the bus locked, to be written when it is unlocked (mcp_set_bit). Any context. */
  setCachedBit(reg: number, line: number, on: boolean): void {
    const bit = 1 << line;
    this.regmap.updateCachedBits(reg << REG_SHIFT, bit, on ? bit : 0);
  }

  /** What was last written to a register of both ports. Any context. */
  cached(reg: number): number {
    return this.regmap.cached(reg << REG_SHIFT);
  }

  /** Reports an error as the kernel's dev_err. */
  devErr(text: string): void {
    this.machine.printk('err', `${DRIVER} ${this.devName}: ${text}`);
  }
}

/** Does something to the registers, alone. */
function* locked<R>(mcp: Mcp23s08, body: () => Coroutine<R>): Coroutine<R> {
  yield* mutexLock(mcp.lock);
  try {
    return yield* body();
  } finally {
    mutexUnlock(mcp.lock);
  }
}

function bitOf(mcp: Mcp23s08, offset: number): number {
  if (Number.isInteger(offset) && offset >= 0 && offset < MCP23017_PINS) return 1 << offset;
  throw new KernelError('EINVAL', `${mcp.devName}: no line ${offset}`, { hint: 'lines 0 to 7 are GPA, 8 to 15 GPB' });
}

/** Reads all pins, which ends a pending interrupt of the chip. */
function* readPins(mcp: Mcp23s08): Coroutine<number> {
  mcp.cachedGpio = yield* mcp.read(GPIO);
  return mcp.cachedGpio;
}

function ioconBits({ mirror = false, activeHigh = false, openDrain = false }: Mcp23s08Options): number {
  return (mirror ? IOCON_MIRROR : 0) | (activeHigh ? IOCON_INTPOL : 0) | (openDrain ? IOCON_ODR : 0);
}

/**
 * Takes a chip into use: all lines inputs, sequential addresses, its interrupt requested with a thread (mcp23s08_probe_one).
 * Process context; sleeps. The pins are read once here, where Linux takes them to be low and so misses the first edge of a
 * line that is pulled up.
 *
 * @throws KernelError as {@link i2cTransfer} and {@link requestThreadedIrq}
 */
export const mcp23s08Probe = effect(function* mcp23s08Probe(client: I2cClient, options: Mcp23s08Options) {
  const mcp = new Mcp23s08(client, options.irq);
  yield* mcp.write(IODIR, ALL_PINS);
  const iocon = (yield* mcp.read(IOCON)) & ~((IOCON_SEQOP | IOCON_INTPOL) * BOTH_PORTS);
  yield* mcp.write(IOCON, iocon | ((IOCON_HAEN | ioconBits(options)) * BOTH_PORTS));
  yield* readPins(mcp);
  const trigger = options.activeHigh === true ? IRQF_TRIGGER_HIGH : IRQF_TRIGGER_LOW;
  const flags = IRQF_ONESHOT | IRQF_SHARED | trigger;
  try {
    yield* requestThreadedIrq(options.irq, null, () => mcp23s08Irq(mcp), flags, mcp.devName, mcp);
  } catch (error) {
    if (error instanceof KernelError) mcp.devErr(`unable to request IRQ#${options.irq}: ${error.errno}`);
    throw error;
  }
  return mcp;
});

/** Lets go of a chip: its interrupt is freed, its lines' numbers are given back. Process context. `EBUSY` while a line has a handler. */
export const mcp23s08Remove = effect(function* mcp23s08Remove(mcp: Mcp23s08) {
  if (mcp.usedAsIrq !== 0) {
    throw new KernelError('EBUSY', `${mcp.devName}: lines are still in use as interrupts`, { hint: 'free them first' });
  }
  yield* freeIrq(mcp.irq, mcp);
  for (let line = 0; line < MCP23017_PINS; line++) mcp.domain.disposeMapping(line);
});

/**
 * Level of a pin (mcp23s08_get). Process context; sleeps. As in Linux this ends the chip's pending interrupt: who reads a pin
 * while other lines interrupt may take their edge away from them.
 *
 * @throws KernelError EINVAL (no such line), or as {@link i2cTransfer}
 */
export const mcp23s08Get = effect(function* mcp23s08Get(mcp: Mcp23s08, offset: number): Coroutine<Level> {
  const bit = bitOf(mcp, offset);
  return ((yield* locked(mcp, () => readPins(mcp))) & bit) === 0 ? 0 : 1;
});

/** Levels of all pins, one bit a line (mcp23s08_get_multiple). As {@link mcp23s08Get}. */
export const mcp23s08GetMultiple = effect(function* mcp23s08GetMultiple(mcp: Mcp23s08) {
  return yield* locked(mcp, () => readPins(mcp));
});

/** Sets the latch of a line, which shows on its pin if it is an output (mcp23s08_set). As {@link mcp23s08Get}, but ends nothing. */
export const mcp23s08Set = effect(function* mcp23s08Set(mcp: Mcp23s08, offset: number, level: Level) {
  const bit = bitOf(mcp, offset);
  yield* locked(mcp, () => mcp.updateBits(OLAT, bit, level * bit));
});

/** Sets the latches of the lines in `mask` in one transfer (mcp23s08_set_multiple). As {@link mcp23s08Set}. */
export const mcp23s08SetMultiple = effect(function* mcp23s08SetMultiple(mcp: Mcp23s08, mask: number, levels: number) {
  yield* locked(mcp, () => mcp.updateBits(OLAT, mask, levels));
});

/** Makes a line an input (mcp23s08_direction_input). As {@link mcp23s08Set}. */
export const mcp23s08DirectionInput = effect(function* mcp23s08DirectionInput(mcp: Mcp23s08, offset: number) {
  const bit = bitOf(mcp, offset);
  yield* locked(mcp, () => mcp.updateBits(IODIR, bit, bit));
});

/** Makes a line an output that starts with `level` (mcp23s08_direction_output). As {@link mcp23s08Set}, and `EIO` for one that is an interrupt. */
export const mcp23s08DirectionOutput = effect(function* mcp23s08DirectionOutput(
  mcp: Mcp23s08,
  offset: number,
  level: Level,
) {
  const bit = bitOf(mcp, offset);
  if ((mcp.usedAsIrq & bit) !== 0) {
    throw new KernelError('EIO', `${mcp.devName}: tried to set a GPIO tied to an IRQ as output`, {
      hint: 'free its interrupt first',
    });
  }
  yield* locked(mcp, function* () {
    yield* mcp.updateBits(OLAT, bit, level * bit);
    yield* mcp.updateBits(IODIR, bit, 0);
  });
});

/** Puts the chip's pull-up on a line, or takes it off (PIN_CONFIG_BIAS_PULL_UP); the pins are read then, as by {@link mcp23s08Get}. */
export const mcp23s08SetPullUp = effect(function* mcp23s08SetPullUp(mcp: Mcp23s08, offset: number, on: boolean) {
  const bit = bitOf(mcp, offset);
  yield* locked(mcp, function* () {
    yield* mcp.updateBits(GPPU, bit, on ? bit : 0);
    yield* readPins(mcp);
  });
});
