// The GpioChip contract for the device of scenarios, whose reader can be made to lose edges: as long as nothing goes wrong.
import { Machine } from '../../kernel/index.js';
import { createSimulatedPi, FaultyDevice } from '../../sim-fallback/index.js';
import { SIMULATED_CAN, simulatedBackend } from './simulated-backend.js';
import { describeGpioChip } from './suite.js';

describeGpioChip('device of scenarios', SIMULATED_CAN, () => {
  const machine = new Machine();
  const pi = createSimulatedPi({ machine, board: {} });
  const device = new FaultyDevice(machine.clock, () => pi.chip.open());
  return simulatedBackend(machine, pi, device.open(), device);
});
