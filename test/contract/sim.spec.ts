// The GpioChip contract for the simulated chip, in virtual time.
import { Machine } from '../../kernel/index.js';
import { createSimulatedPi } from '../../sim-fallback/index.js';
import { SIMULATED_CAN, simulatedBackend } from './simulated-backend.js';
import { describeGpioChip } from './suite.js';

/** Each chip, on a machine with all its cores. */
const CHIPS = [
  { name: 'bcm2835', cpus: 1 },
  { name: 'bcm2836', cpus: 4 },
  { name: 'bcm2837', cpus: 4 },
  { name: 'bcm2711', cpus: 4 },
] as const;

for (const { name, cpus } of CHIPS) {
  describeGpioChip(`sim, ${name}`, SIMULATED_CAN, () => {
    const machine = new Machine({ cpus });
    const pi = createSimulatedPi({ machine, board: {}, soc: name });
    return simulatedBackend(machine, pi, pi.chip, pi.chip);
  });
}
