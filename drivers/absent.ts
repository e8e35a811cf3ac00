// A chip that is not there yet: what stands in its place until it is.
import { KernelError } from '../kernel/errno.js';
import type {
  ChipInfo,
  GoneListener,
  GpioCapabilities,
  GpioChip,
  LineInfo,
  LineRequest,
} from '../kernel/gpio/driver.js';
import { CHARDEV_CAPABILITIES } from './chardev/chardev.js';
import { LIBGPIOD_CAPABILITIES } from './libgpiod/libgpiod.js';
import { type ChipChoice, type HardwareDriver, hasChips, type OpenSources } from './open.js';
import { SYSFS_CAPABILITIES } from './sysfs/sysfs.js';

/** More lines than any chip on a Pi or beside it has: how many there are is not known yet. */
const LINES = 512;

const DRIVERS = {
  hardware: ['chardev', CHARDEV_CAPABILITIES],
  chardev: ['chardev', CHARDEV_CAPABILITIES],
  libgpiod: ['libgpiod', LIBGPIOD_CAPABILITIES],
  onoff: ['sysfs', SYSFS_CAPABILITIES],
} as const satisfies Record<Exclude<HardwareDriver, 'auto'>, readonly [string, GpioCapabilities]>;

/** A chip of whose lines none can be had: each call fails with the error that says why. */
class AbsentChip implements GpioChip {
  readonly driver: string;
  readonly simulated = false;
  readonly info: ChipInfo;
  readonly capabilities: GpioCapabilities;
  readonly #error: KernelError;

  constructor(driver: string, capabilities: GpioCapabilities, info: ChipInfo, error: KernelError) {
    this.driver = driver;
    this.capabilities = capabilities;
    this.info = Object.freeze(info);
    this.#error = error;
  }

  lineInfo(): LineInfo {
    throw this.#error;
  }

  requestLines(): LineRequest {
    throw this.#error;
  }

  watchLineInfo(): () => void {
    throw this.#error;
  }

  onGone(listener: GoneListener): void {
    queueMicrotask(() => listener(this.#error));
  }

  close(): void {}
}

/** What an {@link absentChip} is, and why. */
export interface Absence {
  readonly chip: GpioChip;
  /** `ENOENT`, with the words of what was found instead. */
  readonly error: KernelError;
}

/**
 * What to wait for after {@link openDriver} failed with `error`: a chip that the configuration names, and that is not there or
 * is just going. Undefined where waiting would not help: when nothing but "the header" was asked for, when the chip is there
 * and cannot be used, or when the machine has no GPIO at all.
 */
export function absentChip(
  driver: Exclude<HardwareDriver, 'auto'>,
  choice: ChipChoice,
  error: unknown,
  sources?: Partial<OpenSources>,
): Absence | undefined {
  if (choice.by === 'auto' || !(error instanceof KernelError)) return undefined;
  if (error.code !== 'ENOENT' && error.code !== 'ENODEV' && error.code !== 'ENXIO') return undefined;
  if (!hasChips(driver, sources)) return undefined;
  const { message, hint } = error;
  const name = choice.by === 'name' ? choice.name : choice.label;
  const missing = new KernelError('ENOENT', message, { subject: name, cause: error, ...(hint && { hint }) });
  const [called, capabilities] = DRIVERS[driver];
  const info = { name, label: choice.by === 'label' ? choice.label : '', lines: LINES };
  return { chip: new AbsentChip(called, capabilities, info, missing), error: missing };
}
