// The drivers' public face: GPIO chips of real hardware behind the kernel model's GpioChip.
export { openChardev } from './chardev/chardev.js';
export {
  type DetectedChip,
  type DetectedDriver,
  type Detection,
  type DetectSources,
  detect,
  formatDetection,
  HEADER_LABELS,
  type Refusal,
} from './detect.js';
export { type ChipChoice, type HardwareDriver, type OpenDriverOptions, openDriver } from './open.js';
