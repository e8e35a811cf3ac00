// The GpioChip contract for the device of scenarios, whose reader can be made to lose edges: as long as nothing goes wrong.
import { Machine } from '../../kernel/index.js';
import { createSimulatedPi, FaultyDevice } from '../../sim-fallback/index.js';
import type { Can, ContractBackend } from './backend.js';
import { describeGpioChip } from './suite.js';

const NS_PER_MS = 1_000_000;
/** Longer than what the chip needs for anything: two samples of its detectors, or the pulls of 32 lines. */
const MOMENT_NS = 100_000;

const CAN: Can = {
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

describeGpioChip('device of scenarios', CAN, () => {
  const machine = new Machine();
  const { chip: below, board, soc } = createSimulatedPi({ machine, board: {} });
  const device = new FaultyDevice(machine.clock, () => below.open());
  const chip = device.open();
  const backend: ContractBackend = {
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
    otherChip: () => device.open(),
    unplug: () => device.unplug(),
    dispose() {},
  };
  return backend;
});
