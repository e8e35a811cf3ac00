// What tests of a driver on the real kernel begin with: a chip, one line of which a driver of the kernel has.
import { afterEach, beforeEach, expect } from 'vitest';
import { createGpioSim, type GpioSim, type GpioSimOptions } from './gpio-sim.js';

/** A user who may do nothing. */
export const NOBODY = 65534;
export const BUTTON = 17;

/** The chip of the test that runs; line 5 is held by `w1-gpio`. */
export let sim: GpioSim;

/** A new chip for each test of the file. */
export function setUpEach(): void {
  beforeEach(() => {
    sim = createGpioSim({ hogs: { 5: { name: 'w1-gpio', direction: 'input' } } });
  });
  afterEach(() => sim.remove());
}

/** Puts another chip in the place of the test's. */
export function plugAnother(options: GpioSimOptions): void {
  sim.remove();
  sim = createGpioSim(options);
}

/** `count` edges of the button, beginning with a rising one when `from` is even. */
export function press(count: number, from = 0): void {
  for (let i = from; i < from + count; i++) sim.pull(BUTTON, i % 2 === 0 ? 1 : 0);
}

/**
 * Waits for what comes through the event loop; fails when it has not come within a minute. Unlike `expect.poll`, it keeps
 * nothing of the condition when it is over: a test may want to see that collected.
 */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!condition()) {
    if (performance.now() > deadline) expect.fail('nothing came within 60 s');
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
