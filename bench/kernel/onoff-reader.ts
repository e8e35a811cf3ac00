// A peer: onoff over sysfs, in the way its README shows. It has no kernel stamps.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { obey, offsets, readerArguments, Samples } from './reader.js';

/** The part of onoff's API that is used here. */
interface Onoff {
  readonly Gpio: new (
    gpio: number,
    direction: 'in',
    edge: 'both',
  ) => {
    watch(callback: (error: Error | null | undefined, value: 0 | 1) => void): void;
    unexport(): void;
  };
}

const SYSFS = '/sys/class/gpio';
const LABEL = 'pinctrl-bcm2835';

/** sysfs numbers lines over all chips: onoff wants the chip's first number added (512 and up since Linux 6.6). */
function sysfsBase(): number {
  for (const name of readdirSync(SYSFS)) {
    if (name.startsWith('gpiochip') && readFileSync(`${SYSFS}/${name}/label`, 'utf8').trim() === LABEL) {
      return Number(readFileSync(`${SYSFS}/${name}/base`, 'utf8'));
    }
  }
  throw new Error(`no chip labelled ${LABEL} in ${SYSFS}`);
}

const { Gpio } = createRequire(import.meta.url)('onoff') as Onoff;
const { lines, out } = readerArguments();
const samples = new Samples();
const base = sysfsBase();
const held = offsets(lines).map((offset) => new Gpio(base + offset, 'in', 'both'));
for (const line of held) {
  line.watch((error) => {
    const now = Number(process.hrtime.bigint());
    if (error) throw error;
    samples.take(0, now);
  });
}
obey({
  out,
  samples,
  release: () => {
    for (const line of held) line.unexport();
  },
});
