// The GpioChip contract on the kernel's own gpio-sim, for any driver of real hardware.
import type { GpioChip } from '../../kernel/gpio/driver.js';
import { createGpioSim } from '../kernel/gpio-sim.js';
import type { ContractBackend } from './backend.js';

/** A line that no test uses: its edge is the last of those that are pending when it is made. */
const SENTINEL = 53;

/** Makes a chip, opened by `openChip`. */
export function gpioSimBackend(openChip: (path: string) => GpioChip): ContractBackend {
  const sim = createGpioSim();
  const openers: GpioChip[] = [];
  const open = (): GpioChip => {
    const chip = openChip(sim.path);
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

  return {
    chip: open(),
    setPad: (offset, level) => sim.pull(offset, level),
    readPad: (offset) => sim.value(offset),
    now: () => process.hrtime.bigint(),
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
}
