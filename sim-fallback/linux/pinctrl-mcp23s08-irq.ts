// The interrupts of the MCP23017: a chip behind a bus that sleeps, and the thread that calls the handlers of its lines.
import {
  type Coroutine,
  handleNestedIrq,
  IRQ_HANDLED,
  IRQ_TYPE_EDGE_BOTH,
  IRQ_TYPE_EDGE_FALLING,
  IRQ_TYPE_EDGE_RISING,
  IRQ_TYPE_LEVEL_HIGH,
  IRQ_TYPE_LEVEL_LOW,
  type IrqChip,
  KernelError,
  mutexLock,
  mutexUnlock,
} from '../../kernel/index.js';
import { MCP23017_PINS } from '../i2c/mcp23017.js';
import { DEFVAL, GPINTEN, GPIO, INTCAP, INTCON, INTF, IODIR } from '../i2c/mcp23017-port.js';
import type { Mcp23s08 } from './pinctrl-mcp23s08.js';

/**
 * The chip's irq_chip. Its callbacks only change what is kept of the registers: busLock takes the mutex before, and
 * busSyncUnlock writes the registers, asleep while they are on the bus, and gives it back.
 */
export function mcp23s08IrqChip(mcp: Mcp23s08): IrqChip {
  return {
    name: 'mcp23s08',
    mask: ({ hwirq }) => {
      mcp.irqEnabled &= ~(1 << hwirq);
      mcp.setCachedBit(GPINTEN, hwirq, false);
    },
    unmask: ({ hwirq }) => {
      mcp.irqEnabled |= 1 << hwirq;
      mcp.setCachedBit(GPINTEN, hwirq, true);
    },
    setType: ({ hwirq }, type) => setType(mcp, hwirq, type),
    *busLock() {
      yield* mutexLock(mcp.lock);
      mcp.regmap.cacheOnly(true);
    },
    *busSyncUnlock() {
      mcp.regmap.cacheOnly(false);
      try {
        yield* mcp.regmap.sync();
      } finally {
        mutexUnlock(mcp.lock);
      }
    },
    requestResources: ({ hwirq }) => lockAsIrq(mcp, hwirq),
    releaseResources: ({ hwirq }) => {
      mcp.usedAsIrq &= ~(1 << hwirq);
    },
    printChip: () => mcp.devName,
  };
}

function setType(mcp: Mcp23s08, line: number, type: number): void {
  const bit = 1 << line;
  if ((type & IRQ_TYPE_EDGE_BOTH) !== 0) {
    mcp.setCachedBit(INTCON, line, false);
    mcp.irqRise = (type & IRQ_TYPE_EDGE_RISING) !== 0 ? mcp.irqRise | bit : mcp.irqRise & ~bit;
    mcp.irqFall = (type & IRQ_TYPE_EDGE_FALLING) !== 0 ? mcp.irqFall | bit : mcp.irqFall & ~bit;
  } else if ((type & (IRQ_TYPE_LEVEL_HIGH | IRQ_TYPE_LEVEL_LOW)) !== 0) {
    // A level is a difference from the other one.
    mcp.setCachedBit(INTCON, line, true);
    mcp.setCachedBit(DEFVAL, line, (type & IRQ_TYPE_LEVEL_HIGH) === 0);
  } else {
    throw new KernelError('EINVAL', `${mcp.devName}: interrupt type ${type} of line ${line}`, {
      hint: 'request an edge or a level',
    });
  }
}

/** An output cannot be an interrupt (gpiochip_lock_as_irq). */
function lockAsIrq(mcp: Mcp23s08, line: number): void {
  const bit = 1 << line;
  if ((mcp.cached(IODIR) & bit) === 0) {
    const message = 'gpiochip_lock_as_irq: tried to flag a GPIO set as output for IRQ';
    mcp.devErr(message);
    mcp.devErr(`unable to lock HW IRQ ${line} for IRQ`);
    throw new KernelError('EIO', message, { hint: 'make the line an input first' });
  }
  mcp.usedAsIrq |= bit;
}

/** What the registers say about an interrupt, one bit a line. */
interface Event {
  readonly enabled: number;
  readonly intf: number;
  readonly intcon: number;
  readonly defval: number;
  readonly intcap: number;
  readonly gpio: number;
  /** The pins as they were read before. */
  readonly gpioBefore: number;
}

/** Reads what has happened, which ends the interrupt; lines with a level stay off until they were handled. With the lock held. */
function* readEvent(mcp: Mcp23s08): Coroutine<Event | undefined> {
  const intf = yield* mcp.read(INTF);
  if (intf === 0) return undefined;
  const intcon = yield* mcp.read(INTCON);
  const enabled = yield* mcp.read(GPINTEN);
  const defval = yield* mcp.read(DEFVAL);
  if (intcon !== 0) yield* mcp.write(GPINTEN, enabled & ~intcon);
  const intcap = yield* mcp.read(INTCAP);
  const gpio = yield* mcp.read(GPIO);
  const gpioBefore = mcp.cachedGpio;
  mcp.cachedGpio = gpio;
  return { enabled, intf, intcon, defval, intcap, gpio, gpioBefore };
}

/**
 * Lets lines with a level interrupt again. Linux writes back what it has read before the handlers, so that a line that was
 * freed meanwhile interrupts for ever. With the lock held.
 */
function* enableLevels(mcp: Mcp23s08): Coroutine<void> {
  try {
    yield* mcp.write(GPINTEN, mcp.irqEnabled);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    mcp.devErr("can't unmask GPINTEN");
  }
}

/** {@link readEvent}; a bus that fails is reported once, and until it works the interrupt comes again and again. */
function* tryReadEvent(mcp: Mcp23s08): Coroutine<Event | undefined> {
  yield* mutexLock(mcp.lock);
  try {
    const event = yield* readEvent(mcp);
    mcp.failing = false;
    return event;
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    if (!mcp.failing) mcp.devErr(`cannot read the interrupt: ${error.errno}`);
    mcp.failing = true;
    if (mcp.cached(GPINTEN) !== mcp.irqEnabled) yield* enableLevels(mcp);
    return undefined;
  } finally {
    mutexUnlock(mcp.lock);
  }
}

/**
 * An interrupt is due to a line. INTF names the pin that was first on its port, and INTCAP is fresh for that port only, so
 * each line is judged by what it was, was captured as, and is.
 */
function isDue(mcp: Mcp23s08, event: Event, line: number): boolean {
  const bit = 1 << line;
  const { intf, intcap, gpio, gpioBefore } = event;
  if ((event.intcon & (gpio ^ event.defval) & bit) !== 0) return true;
  // As Linux has it: the capture counts for the pin that INTF names.
  const captured = (intf & bit) !== 0 && ((intcap ^ gpioBefore) & bit) !== 0;
  const changed = ((gpio ^ gpioBefore) & bit) !== 0;
  if (!captured && !changed) return false;
  return (((gpio & bit) !== 0 ? mcp.irqRise : mcp.irqFall) & bit) !== 0;
}

/** Thread function of the chip's interrupt: the handlers of all lines that are due run in it, lowest line first (mcp23s08_irq). */
export function* mcp23s08Irq(mcp: Mcp23s08): Coroutine<typeof IRQ_HANDLED> {
  const event = yield* tryReadEvent(mcp);
  if (event === undefined) return IRQ_HANDLED;
  for (let line = 0; line < MCP23017_PINS; line++) {
    if ((event.enabled & (1 << line)) === 0 || !isDue(mcp, event, line)) continue;
    yield* handleNestedIrq(mcp.domain.findMapping(line));
  }
  if (event.intcon !== 0) {
    yield* mutexLock(mcp.lock);
    try {
      yield* enableLevels(mcp);
    } finally {
      mutexUnlock(mcp.lock);
    }
  }
  return IRQ_HANDLED;
}
