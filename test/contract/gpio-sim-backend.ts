// The GpioChip contract on the kernel's own gpio-sim, for any driver of real hardware.
import type { GpioChip } from '../../kernel/gpio/driver.js';
import { createGpioSim } from '../kernel/gpio-sim.js';
import type { ContractBackend } from './backend.js';

/** A line that no test uses: its edge is the last of those that are pending when it is made. */
const SENTINEL = 53;

/**
 * Makes a chip, opened by `openChip`.
 *
 * @param rounds edges of the sentinel until all that was pending has been delivered. One, where all descriptors that are
 * ready are read in a turn of the loop. onoff gets one of them at a time, and the sentinel's may still be the first in
 * epoll's list, since it was in it the last time: there it takes two.
 */
export function gpioSimBackend(openChip: (path: string) => GpioChip, rounds: 1 | 2 = 1): ContractBackend {
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
      for (let round = 0; round < rounds && !unplugged; round++) {
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
