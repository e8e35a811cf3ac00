// A simulated Pi with an expander on its I2C bus, taken into use, and what tests of its lines do again and again.
import {
  IRQ_HANDLED,
  IRQF_TRIGGER_FALLING,
  IRQF_TRIGGER_HIGH,
  type IrqReturn,
  Machine,
  type Process,
  requestThreadedIrq,
} from '../../kernel/index.js';
import type { BoardDescription } from '../board/board.js';
import type { Mcp23s08 } from './pinctrl-mcp23s08.js';
import {
  createSimulatedExpander,
  createSimulatedI2c,
  type SimulatedExpander,
  type SimulatedExpanderOptions,
  type SimulatedI2c,
} from './simulated-expander.js';
import { createSimulatedPi, type SimulatedPi } from './simulated-pi.js';

export const US = 1_000;
export const MS = 1_000_000;
/** INTF, INTCAP and GPIO at 100 kHz: three conditions and five bytes each. */
export const SERVICE_NS = 3 * (3 + 5 * 9) * 10 * US;

const INT_GPIO = 25;
const BOARD: BoardDescription = {
  buttons: { a0: { gpio: 0 }, a7: { gpio: 7 }, b0: { gpio: 8 }, b7: { gpio: 15 } },
  leds: { led: { gpio: 4 } },
};

export interface ExpanderRigOptions extends Partial<SimulatedExpanderOptions> {
  readonly cpus?: number;
  readonly frequencyHz?: number;
}

export interface ExpanderRig {
  /** What the kernel has logged, as `level: text`. */
  readonly log: string[];
  readonly machine: Machine;
  readonly pi: SimulatedPi;
  readonly i2c: SimulatedI2c;
  readonly expander: SimulatedExpander;
  readonly mcp: Mcp23s08;
  /** Requests a line with a thread function; returns its irq. Falling edges unless told otherwise. */
  request(line: number, handler: (irq: number) => Process<IrqReturn>, flags?: number): number;
  /** Requests lines with a handler that notes the line and the milliseconds since now. */
  noteLines(lines: readonly number[], flags?: number): [number, number][];
  /** Requests a line with its high level; the handler drives it low. @returns how often that has run */
  countHighs(line: number): () => number;
  /** Level of the wire of the interrupt. */
  int(): number;
}

/** Buttons `a0`, `a7`, `b0` and `b7` on lines 0, 7, 8 and 15, and an LED on line 4, unless another board is given. */
export function expanderRig({ cpus = 1, frequencyHz = 100_000, ...options }: ExpanderRigOptions = {}): ExpanderRig {
  const log: string[] = [];
  const machine = new Machine({ cpus, printk: (level, text) => log.push(`${level}: ${text}`) });
  const pi = createSimulatedPi({ machine, board: { buttons: { direct: { gpio: 17 } } } });
  const i2c = createSimulatedI2c(machine, frequencyHz);
  const expander = createSimulatedExpander(pi, i2c, { intGpio: INT_GPIO, board: BOARD, ...options });
  const mcp = machine.runTask(() => expander.probe());
  const request: ExpanderRig['request'] = (line, handler, flags = IRQF_TRIGGER_FALLING) => {
    const irq = mcp.toIrq(line);
    machine.runTask(() => requestThreadedIrq(irq, null, handler, flags, `line${line}`));
    return irq;
  };
  const noteLines: ExpanderRig['noteLines'] = (lines, flags) => {
    const seen: [number, number][] = [];
    const since = machine.clock.now();
    for (const line of lines) {
      const note = (): typeof IRQ_HANDLED => {
        seen.push([line, Math.floor((machine.clock.now() - since) / MS)]);
        return IRQ_HANDLED;
      };
      request(line, note, flags);
    }
    return seen;
  };
  const countHighs: ExpanderRig['countHighs'] = (line) => {
    let calls = 0;
    const handler = (): typeof IRQ_HANDLED => {
      calls += 1;
      expander.device.drive(line, 0);
      return IRQ_HANDLED;
    };
    request(line, handler, IRQF_TRIGGER_HIGH);
    return () => calls;
  };
  const int = () => pi.soc.gpio.level(INT_GPIO);
  return { log, machine, pi, i2c, expander, mcp, request, noteLines, countHighs, int };
}

/** The lines that {@link ExpanderRig.noteLines} has noted, in order. */
export function linesOf(seen: readonly [number, number][]): number[] {
  return seen.map(([line]) => line);
}
