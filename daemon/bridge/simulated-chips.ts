// Simulated chips of the service: the Pi whose interrupts are the model's own, and chips beside it.
import type { Logger } from 'pino';
import { type ChipInfo, type EdgeInfo, type LineConfig, Machine } from '../../kernel/index.js';
import {
  type Board,
  type BoardDescription,
  createSimulatedPi,
  type SimGpioChip,
  type SimulatedPi,
} from '../../sim-fallback/index.js';
import type { ChipSpec, LineSpec } from '../config/config.js';
import { type ChipEvents, CONSUMER, checkOffsets, type HeldChip, lineConfig, MAIN_CHIP } from './held-chip.js';
import { LastingLines } from './lasting-lines.js';

/** A board with a button at every input and an LED at every output, under the lines' names. */
export function boardOf(lines: readonly LineSpec[]): BoardDescription {
  const buttons: Record<string, { gpio: number; pull: 'up' | 'down' }> = {};
  const leds: Record<string, { gpio: number; activeLow: boolean }> = {};
  for (const { name, gpio, direction, activeLow, bias } of lines) {
    if (direction === 'out') leds[name] = { gpio, activeLow };
    else buttons[name] = { gpio, pull: bias === 'pull-up' || (bias !== 'pull-down' && activeLow) ? 'up' : 'down' };
  }
  return { buttons, leds };
}

/**
 * Edges of the simulated Pi reach handlers through the interrupts of the simulated chip itself, so none are asked of the
 * request; and the board debounces, where on hardware the kernel does.
 */
function withoutEdges(line: LineSpec): LineConfig {
  const config = lineConfig(line);
  return line.direction === 'in' ? { ...config, edge: 'none' } : config;
}

/** Holds lines of the simulated Pi, whose machine is the service's own. Errors as the driver's; the chip is closed then. */
export function holdSimulatedPi(pi: SimulatedPi, specs: readonly LineSpec[], events: ChipEvents): HeldChip {
  const { chip, pinctrl, board } = pi;
  let current = specs;
  const wire = (wanted: readonly LineSpec[]): void => {
    for (const line of wanted) {
      pinctrl.setActiveLow(line.gpio, line.activeLow);
      if (line.direction === 'in') board.setDebounce(line.gpio, line.debounceNs);
    }
  };
  checkOffsets(specs, chip.info, true);
  const lines = new LastingLines({
    chip,
    lines: specs.map(withoutEdges),
    consumer: CONSUMER,
    notices: {
      onGone: (error) => events.onGone(MAIN_CHIP, error),
      onBack: (info) => events.onBack(MAIN_CHIP, info),
      onWaiting: (offset, why) => events.onWaiting(MAIN_CHIP, offset, why),
      onHeld: (offset) => events.onHeld(MAIN_CHIP, offset),
    },
    onAnew: () => {},
    nameOf: (offset) => current.find(({ gpio }) => gpio === offset)?.name ?? `GPIO${offset}`,
  });
  wire(specs);
  const edge: EdgeInfo = pinctrl.edge;
  return {
    ...{ id: MAIN_CHIP, chip, lines, edge, board },
    toIrq: (offset) => pinctrl.toIrq(offset),
    lostOn: () => 0,
    get problem() {
      return lines.problem;
    },
    waitingFor: (offset) => lines.waitingFor(offset),
    // No line here has edges of its own, so each is a request of its own.
    parked: [],
    // The interrupts are those of the hardware: what comes while nobody has requested them is nobody's.
    hold: () => {},
    resume: () => {},
    check: (wanted) => checkOffsets(wanted, chip.info, true),
    update: (wanted) => {
      current = wanted;
      board.replace(boardOf(wanted));
      lines.update(wanted.map(withoutEdges));
      wire(wanted);
    },
    noteRest: () => {},
    start: () => {},
    pause: () => {},
    close: () => lines.close(),
  };
}

/** Lines of expanders that are known by their labels. */
const EXPANDER_LINES: Readonly<Record<string, number>> = {
  mcp23008: 8,
  mcp23s08: 8,
  mcp23017: 16,
  mcp23s17: 16,
  mcp23018: 16,
  mcp23s18: 16,
  pcf8574: 8,
  pcf8575: 16,
};
const LINES = 54;

/** How a further chip presents itself when it is simulated: as it is asked for. @param number of it, from 1 */
export function simulatedInfo({ choice }: ChipSpec, number: number): ChipInfo {
  const label = choice.by === 'label' ? choice.label : `simulated-${number}`;
  const name = choice.by === 'name' ? choice.name : `gpiochip${number}`;
  return { name, label, lines: EXPANDER_LINES[label] ?? LINES };
}

/** A simulated chip of its own with a board, and a kernel of its own that tells of its edges as that of an expander does. */
export function createSimulatedChip(
  info: ChipInfo,
  lines: readonly LineSpec[],
  { machine, originNs, log }: { readonly machine: Machine; readonly originNs: bigint; readonly log: Logger },
): { readonly chip: SimGpioChip; readonly board: Board } {
  checkOffsets(lines, info, true);
  const kernel = new Machine({
    clock: machine.clock,
    lockdep: false,
    traceRecords: 16,
    printk: (_, message) => log.warn(`simulated ${info.name}: ${message}`),
  });
  return createSimulatedPi({ machine: kernel, board: boardOf(lines), originNs, chipInfo: info });
}
