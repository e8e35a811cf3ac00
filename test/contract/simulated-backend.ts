// The GpioChip contract on a simulated chip, in virtual time.
import type { GpioChip, Machine } from '../../kernel/index.js';
import type { SimulatedPi, Soc } from '../../sim-fallback/index.js';
import type { Can, ContractBackend } from './backend.js';

const NS_PER_MS = 1_000_000;
/** Longer than what the chip needs for anything: two samples of its detectors, or the pulls of 32 lines. */
const MOMENT_NS = 100_000;

/** What a simulated chip can. */
export const SIMULATED_CAN: Can = {
  bias: true,
  debounce: true,
  activeLow: true,
  openDrain: true,
  openSource: true,
  kernelTimestamps: true,
  realtimeClock: false,
  seqno: true,
  eventBufferSize: true,
  edgeQueue: 'drop-oldest',
  reconfigure: true,
  keepLevel: true,
  lineInfoWatch: true,
  lineNames: true,
  lineHolders: true,
  lineEdges: true,
  goneNotice: true,
  atomicSetMany: false,
};

/** What the chip hangs on: the simulated Pi, or what stands before it. */
export interface Plug {
  open(): GpioChip;
  unplug(): void;
}

/** The chip of a simulated Pi, reached through `chip`; others open and unplug it through `plug`. */
export function simulatedBackend(
  machine: Machine,
  { board, soc }: SimulatedPi<Soc>,
  chip: GpioChip,
  plug: Plug,
): ContractBackend {
  return {
    // Whoever asks for lines has them when the call is over; here it takes the time that pulls need.
    chip: {
      driver: chip.driver,
      simulated: chip.simulated,
      info: chip.info,
      capabilities: chip.capabilities,
      lineInfo: (offset) => chip.lineInfo(offset),
      requestLines(options) {
        const request = chip.requestLines(options);
        machine.advance(MOMENT_NS);
        return request;
      },
      watchLineInfo: (offset, listener) => chip.watchLineInfo(offset, listener),
      onGone: (listener) => chip.onGone(listener),
      close: () => chip.close(),
    },
    // A weak source, which an output overrides; but debounce filters only what is driven.
    setPad(offset, level) {
      if (chip.lineInfo(offset).debounceUs > 0) board.drive(offset, level);
      else soc.gpio.setBoardPull(offset, level === 1 ? 'up' : 'down');
      machine.advance(MOMENT_NS);
    },
    now: () => BigInt(machine.clock.now()),
    readPad: (offset) => soc.gpio.level(offset),
    async settle(milliseconds = 0) {
      machine.advance(milliseconds * NS_PER_MS);
    },
    otherChip: () => plug.open(),
    unplug: () => plug.unplug(),
    dispose() {},
  };
}
