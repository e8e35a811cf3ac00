// Devices and the drivers that are bound to them (struct device, drivers/base/core.c and dd.c).
import { type ErrnoCode, KernelError } from '../errno.js';
import type { Machine } from '../machine.js';
import type { LogLevel } from '../machine-options.js';
import type { Coroutine, Process } from '../sched/coroutine.js';
import { thisCpu } from '../sched/current.js';
import { callProcess, finish } from '../sched/effect.js';
import { type DevresNode, devresReleaseAll } from './devres.js';

/** What can be bound to a device. Both functions are called in process context. */
export interface DeviceDriver<D extends Device = Device> {
  readonly name: string;
  /**
   * Takes the device; throws a KernelError to refuse it, and what was managed until then is released. `EPROBE_DEFER`: it is
   * tried again when another device has got its driver.
   */
  probe?(dev: D): Process<void>;
  /** Gives the device up. What is managed is released when it has returned. */
  remove?(dev: D): Process<void>;
}

/** A device. What drivers request for it with `devm` functions is released when they give it up. */
export class Device {
  readonly machine: Machine;
  readonly name: string;
  /** Shown in the log of a device without a driver. */
  readonly busName: string;
  /** The driver that it is bound to, or is being bound to. */
  driver: DeviceDriver<never> | undefined;
  /** The driver's own data (dev_set_drvdata). */
  driverData: unknown;
  /** Managed resources, oldest first. */
  readonly devres: DevresNode[] = [];

  /** `EPERM` outside of the model's contexts unless `machine` is given. */
  constructor(name: string, busName = '', machine: Machine = thisCpu().machine) {
    this.machine = machine;
    this.name = name;
    this.busName = busName;
  }
}

/** Logs a line with driver and device in front, as dev_err and its like do. Any context. */
export function devPrintk(level: LogLevel, dev: Device, text: string): void {
  const who = dev.driver?.name ?? dev.busName;
  dev.machine.printk(level, `${who} ${dev.name}: ${text}`);
}

export function devErr(dev: Device, text: string): void {
  devPrintk('err', dev, text);
}

export function devWarn(dev: Device, text: string): void {
  devPrintk('warning', dev, text);
}

export function devInfo(dev: Device, text: string): void {
  devPrintk('info', dev, text);
}

/**
 * Logs why a probe fails, with the error by name, and gives the error back to be thrown (dev_err_probe). Not logged is that
 * there is no memory, and that something is not there yet.
 */
export function devErrProbe(dev: Device, error: KernelError, text: string): KernelError {
  if (error.code !== 'ENOMEM' && error.code !== 'EPROBE_DEFER') devErr(dev, `error -${error.code}: ${text}`);
  return error;
}

/** How a probe ended: `deferred` wants to be tried again when other devices have their drivers. */
export type ProbeOutcome = 'bound' | 'failed' | 'deferred';

/** Failures that are not logged: the driver and the device do not fit, or something that it needs is not there yet. */
const SILENT: readonly ErrnoCode[] = ['ENODEV', 'ENXIO', 'EPROBE_DEFER'];

/** What is managed goes, and the driver with it. */
function* unbindCleanup(dev: Device): Coroutine<void> {
  yield* devresReleaseAll(dev);
  dev.driver = undefined;
  dev.driverData = undefined;
}

/**
 * Binds a driver to a device that has none (really_probe). Process context.
 *
 * When the probe fails, the log says so, and all that was managed is released.
 */
export function* bindDriver<D extends Device>(dev: D, driver: DeviceDriver<D>): Coroutine<ProbeOutcome> {
  let outcome: ProbeOutcome = 'failed';
  dev.driver = driver;
  try {
    if (driver.probe !== undefined) yield* finish(callProcess((device: D) => driver.probe?.(device), dev));
    return 'bound';
  } catch (error) {
    const failure = error instanceof KernelError ? error : new KernelError('EFAULT', 'the probe failed');
    if (failure !== error) dev.machine.oops(`probe of ${dev.name}`, error);
    if (failure.code === 'EPROBE_DEFER') outcome = 'deferred';
    if (!SILENT.includes(failure.code))
      devErr(dev, `probe with driver ${driver.name} failed with error ${failure.errno}`);
  }
  yield* unbindCleanup(dev);
  return outcome;
}

/** Takes a driver from its device (device_release_driver). Process context. */
export function* releaseDriver<D extends Device>(dev: D, driver: DeviceDriver<D>): Coroutine<void> {
  try {
    if (driver.remove !== undefined) yield* finish(callProcess((device: D) => driver.remove?.(device), dev));
  } catch (error) {
    dev.machine.oops(`remove of ${dev.name}`, error);
  }
  yield* unbindCleanup(dev);
}
