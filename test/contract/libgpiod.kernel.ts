// The GpioChip contract for the libgpiod driver, on the kernel's own gpio-sim.
import { openLibgpiod } from '../../drivers/libgpiod/libgpiod.js';
import { gpioSimBackend } from './gpio-sim-backend.js';
import { describeGpioChip } from './suite.js';

describeGpioChip(
  'libgpiod on gpio-sim',
  {
    bias: true,
    debounce: false,
    activeLow: true,
    openDrain: true,
    openSource: true,
    kernelTimestamps: true,
    realtimeClock: false,
    seqno: false,
    eventBufferSize: false,
    edgeQueue: 'drop-newest',
    reconfigure: false,
    keepLevel: false,
    lineInfoWatch: false,
    lineNames: true,
    lineHolders: true,
    lineEdges: false,
    goneNotice: true,
    atomicSetMany: false,
  },
  () => gpioSimBackend(openLibgpiod),
);
