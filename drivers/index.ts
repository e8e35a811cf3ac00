// The drivers' public face: GPIO chips of real hardware behind the kernel model's GpioChip.
export { type Absence, absentChip } from './absent.js';
export { type AdoptingChip, adoptingChip, type KeptRequest } from './chardev/adopt.js';
export { openChardev } from './chardev/chardev.js';
export { createSharedMemory, mapSharedMemory, type SharedMemory } from './chardev/memory.js';
export type { AccessSources, DeviceAccess } from './detect/access.js';
export { formatDetection } from './detect/format.js';
export type { Conflict, ConflictKind, HeaderLine } from './detect/header.js';
export {
  type DetectedChip,
  type DetectedDriver,
  type DetectedHeader,
  type Detection,
  type DetectSources,
  type DriverProbe,
  detect,
  detectionJson,
  HEADER_LABELS,
  type Refusal,
} from './detect.js';
export { openLibgpiod } from './libgpiod/libgpiod.js';
export {
  type ChipChoice,
  type HardwareDriver,
  type OpenDriverOptions,
  type OpenSources,
  openDriver,
  reopenDriver,
} from './open.js';
export { openSysfs, type SysfsSources } from './sysfs/sysfs.js';
