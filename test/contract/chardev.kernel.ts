// The GpioChip contract for the chardev driver, on the kernel's own gpio-sim.
import { openChardev } from '../../drivers/chardev/chardev.js';
import type { GpioChip } from '../../kernel/gpio/driver.js';
import { createGpioSim } from '../kernel/gpio-sim.js';
import type { ContractBackend } from './backend.js';
import { describeGpioChip } from './suite.js';

/** A line that no test uses: its edge is the last of those that are pending when it is made. */
const SENTINEL = 53;

describeGpioChip('chardev on gpio-sim', () => {
  const sim = createGpioSim();
  const openers: GpioChip[] = [];
  const open = (): GpioChip => {
    const chip = openChardev(sim.path);
    openers.push(chip);
    return chip;
  };
  const sentinel = open().requestLines({
    lines: [{ offset: SENTINEL, direction: 'in', edge: 'both' }],
    consumer: 'sentinel',
  });
  let arrived: (() => void) | undefined;
  sentinel.onEdges(() => arrived?.());
  let unplugged = false;

  const backend: ContractBackend = {
    chip: open(),
    setPad: (offset, level) => sim.pull(offset, level),
    readPad: (offset) => sim.value(offset),
    async settle(milliseconds = 0) {
      if (milliseconds > 0) await new Promise((resolve) => setTimeout(resolve, milliseconds));
      if (!unplugged) {
        const edge = new Promise<void>((resolve) => {
          arrived = resolve;
        });
        sim.pull(SENTINEL, sim.value(SENTINEL) === 1 ? 0 : 1);
        await edge;
      }
      // Another turn of the loop: descriptors that became ready with the sentinel's are read in it.
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    },
    otherChip: open,
    unplug() {
      unplugged = true;
      sim.unplug();
    },
    dispose() {
      for (const chip of openers) chip.close();
      sim.remove();
    },
  };
  return backend;
});
