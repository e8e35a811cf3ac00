// The GpioChip contract for the sysfs driver, on the kernel's own gpio-sim.
import { openSysfs } from '../../drivers/sysfs/sysfs.js';
import { gpioSimBackend } from './gpio-sim-backend.js';
import { describeGpioChip } from './suite.js';

describeGpioChip(
  'sysfs on gpio-sim',
  {
    bias: false,
    debounce: false,
    activeLow: true,
    openDrain: false,
    openSource: false,
    kernelTimestamps: false,
    realtimeClock: false,
    seqno: false,
    eventBufferSize: false,
    edgeQueue: 'merge',
    reconfigure: true,
    keepLevel: false,
    lineInfoWatch: false,
    lineNames: false,
    lineHolders: false,
    lineEdges: true,
    goneNotice: false,
    atomicSetMany: false,
  },
  () => gpioSimBackend((path) => openSysfs(path), 2),
);
