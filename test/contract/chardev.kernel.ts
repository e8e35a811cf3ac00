// The GpioChip contract for the chardev driver, on the kernel's own gpio-sim.
import { openChardev } from '../../drivers/chardev/chardev.js';
import { gpioSimBackend } from './gpio-sim-backend.js';
import { describeGpioChip } from './suite.js';

describeGpioChip(
  'chardev on gpio-sim',
  {
    bias: true,
    debounce: true,
    activeLow: true,
    openDrain: true,
    openSource: true,
    kernelTimestamps: true,
    realtimeClock: true,
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
    atomicSetMany: true,
  },
  () => gpioSimBackend(openChardev),
);
