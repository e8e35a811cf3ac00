// GPIO expanders of a simulated Pi: MCP23017s on its I2C bus, each with its interrupt output wired to a GPIO, and a board of its own.
import type { Effect, Machine } from '../../kernel/index.js';
import type { Soc } from '../bcm2835/soc.js';
import { Board, type BoardDescription } from '../board/board.js';
import { I2cBus } from '../i2c/bus.js';
import { MCP23017_ADDRESS, Mcp23017 } from '../i2c/mcp23017.js';
import { Bcm2835I2cAlgorithm } from './i2c-bcm2835.js';
import { I2cAdapter } from './i2c-core.js';
import { type Mcp23s08, mcp23s08Probe } from './pinctrl-mcp23s08.js';
import type { SimulatedPi } from './simulated-pi.js';

/** An I2C bus: the wires, and the adapter that drivers use them through. */
export interface SimulatedI2c {
  readonly bus: I2cBus;
  readonly adapter: I2cAdapter;
}

/** The bus of the header, `i2c-1`; at 100 kHz unless told otherwise. `EINVAL`: not a frequency. */
export function createSimulatedI2c(machine: Machine, frequencyHz = 100_000): SimulatedI2c {
  const bus = new I2cBus({ clock: machine.clock, frequencyHz });
  return { bus, adapter: new I2cAdapter(machine, 1, new Bcm2835I2cAlgorithm(bus)) };
}

/** How an expander is wired. */
export interface SimulatedExpanderOptions {
  /** Line of the Pi that its output INTA, which tells of all its pins, is wired to. */
  readonly intGpio: number;
  /** 7 bits, default 0x20. */
  readonly address?: number;
  /** What is on its pins: the `gpio` of a part is a pin, 0-7 for GPA, 8-15 for GPB. Default nothing. */
  readonly board?: BoardDescription;
  /** The output pulls its wire low or lets go of it, and the wire has a pull-up. Default false: it drives both levels. */
  readonly openDrain?: boolean;
  /** The output is high when it interrupts. Default false. */
  readonly activeHigh?: boolean;
  /** Seed of the buttons' bounce; default 1. */
  readonly seed?: number;
}

/** An expander with what is on it. */
export interface SimulatedExpander {
  readonly device: Mcp23017;
  readonly board: Board;
  /** Has its driver take it into use; process context, as {@link mcp23s08Probe}. */
  readonly probe: () => Effect<Mcp23s08>;
}

/**
 * Puts an MCP23017 on a bus of a simulated Pi.
 *
 * ```ts
 * const i2c = createSimulatedI2c(machine);
 * const board = { buttons: { start: { gpio: 3 } } };
 * const expander = createSimulatedExpander(pi, i2c, { intGpio: 25, board });
 * machine.runTask(function* () {
 *   const mcp = yield* expander.probe();
 *   const how = yield* requestAnyContextIrq(mcp.toIrq(3), handler, IRQF_TRIGGER_FALLING, 'start');
 *   // how is IRQC_IS_NESTED: the handler runs in irq/NN-1-0020, where it may sleep.
 * });
 * expander.board.press('start');
 * ```
 *
 * `EBUSY`: the address is taken; `EINVAL`: no such line, or as {@link Board}.
 */
export function createSimulatedExpander(
  pi: SimulatedPi<Soc>,
  i2c: SimulatedI2c,
  options: SimulatedExpanderOptions,
): SimulatedExpander {
  const { intGpio, address = MCP23017_ADDRESS, board = {}, openDrain = false, activeHigh = false, seed = 1 } = options;
  const { machine } = pi;
  if (openDrain) pi.soc.gpio.setBoardPull(intGpio, 'up');
  const device = new Mcp23017({
    address,
    onInt: (output, drive) => {
      if (output === 'A') pi.board.drive(intGpio, drive);
    },
    warn: (message) => machine.printk('warning', message),
  });
  i2c.bus.attach(device);
  const client = { adapter: i2c.adapter, addr: address };
  return {
    device,
    board: new Board(board, { clock: machine.clock, pads: device, seed }),
    probe: () => mcp23s08Probe(client, { irq: pi.pinctrl.toIrq(intGpio), mirror: true, openDrain, activeHigh }),
  };
}
